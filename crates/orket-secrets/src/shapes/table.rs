//! The shapes, each with texts in which it is found and look-alikes that are left alone.
//!
//! Adding one: give it a beginning that ordinary text does not have, a class without what ends it, and look-alikes from
//! code and prose. `found` names the part that is hidden.

use super::Piece::{Ahead, Maybe, One, Run, Until};
use super::{Before, Class, Holds, Piece, Shape};

/// The longest token. What is longer is data of another kind.
const LONGEST: usize = 8192;

const fn token(of: Class, min: usize) -> Piece {
    Run {
        of,
        min,
        max: LONGEST,
    }
}

const fn exactly(of: Class, count: usize) -> Piece {
    Run {
        of,
        min: count,
        max: count,
    }
}

/// What most shapes are like.
const TOKEN: Shape = Shape {
    name: "",
    begins: &[],
    any_case: false,
    before: Before::NoWord,
    then: &[],
    secret_from: None,
    holds: Holds::LetterAndDigit,
    not_followed_by: b"",
    found: &[],
    left_alone: &[],
};

const QUOTES: &[&str] = &["\\\"", "\"", "\\'", "'", "`"];

/// The words before a value that say that it is a secret.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_key",
    "secretkey",
    "secret_access_key",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "access_token",
    "accesstoken",
    "api_token",
    "auth_token",
    "refresh_token",
    "client_secret",
    "private_key",
];

/// Every shape there is.
pub const SHAPES: &[Shape] = &[
    Shape {
        name: "private-key",
        begins: &[
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----",
            "-----BEGIN DSA PRIVATE KEY-----",
            "-----BEGIN EC PRIVATE KEY-----",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        ],
        before: Before::Anything,
        then: &[
            Until {
                end: "-----END",
                max: 16 * 1024,
            },
            Until {
                end: "-----",
                max: 40,
            },
        ],
        holds: Holds::Anything,
        found: &[
            (
                "key:\n-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkq\n-----END PRIVATE KEY-----\nrest",
                "-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkq\n-----END PRIVATE KEY-----",
            ),
            (
                "{\"k\":\"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEE\\n-----END EC PRIVATE KEY-----\\n\"}",
                "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEE\\n-----END EC PRIVATE KEY-----",
            ),
            (
                "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXkt (cut",
                "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXkt (cut",
            ),
        ],
        left_alone: &[
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----",
            "a file begins with BEGIN PRIVATE KEY and five hyphens",
        ],
        ..TOKEN
    },
    Shape {
        name: "api-key",
        begins: &["sk-"],
        then: &[token(Class::Token, 20)],
        found: &[
            ("OPENAI=sk-abcdefghij0123456789", "sk-abcdefghij0123456789"),
            (
                "\"sk-proj-Ab3_Cd5-Ef7gHi9jKl1mNo3\"",
                "sk-proj-Ab3_Cd5-Ef7gHi9jKl1mNo3",
            ),
            (
                "(sk-ant-api03-Ab3Cd5Ef7Gh9Ij1Kl)",
                "sk-ant-api03-Ab3Cd5Ef7Gh9Ij1Kl",
            ),
            (
                "{\"text\":\"so\\nsk-abcdefghij0123456789\"}",
                "sk-abcdefghij0123456789",
            ),
        ],
        left_alone: &[
            "sk-learn",
            "task-0123456789abcdefghij",
            "sk-a-name-of-words-and-hyphens",
            "risk-assessment-2026-for-everybody",
            "disk-0123456789abcdefghij",
        ],
        ..TOKEN
    },
    Shape {
        name: "stripe-key",
        begins: &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        then: &[token(Class::Word, 16)],
        found: &[("sk_live_0123456789abcdef", "sk_live_0123456789abcdef")],
        left_alone: &["sk_live_key", "task_live_0123456789abcdef"],
        ..TOKEN
    },
    Shape {
        name: "github-token",
        begins: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        then: &[token(Class::Word, 36)],
        found: &[
            (
                "https://ghp_0123456789abcdefghijABCDEFGHIJ012345@github.com",
                "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            ),
            (
                "gho_0123456789abcdefghijABCDEFGHIJ012345.",
                "gho_0123456789abcdefghijABCDEFGHIJ012345",
            ),
        ],
        left_alone: &["ghp_short0", "graphp_0123456789abcdefghijABCDEFGHIJ012345"],
        ..TOKEN
    },
    Shape {
        name: "github-token",
        begins: &["github_pat_"],
        then: &[token(Class::Token, 36)],
        found: &[(
            "github_pat_11ABCDEFG0_0123456789abcdefghijABCDEFGH",
            "github_pat_11ABCDEFG0_0123456789abcdefghijABCDEFGH",
        )],
        left_alone: &["github_pat_token"],
        ..TOKEN
    },
    Shape {
        name: "gitlab-token",
        begins: &["glpat-"],
        then: &[token(Class::Token, 20)],
        found: &[("glpat-0123456789abcdefghij", "glpat-0123456789abcdefghij")],
        left_alone: &["glpat-token"],
        ..TOKEN
    },
    Shape {
        name: "slack-token",
        begins: &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"],
        then: &[token(Class::Token, 10)],
        found: &[(
            "xoxb-012345678901-abcdefghij",
            "xoxb-012345678901-abcdefghij",
        )],
        left_alone: &["xoxb-", "xoxb-your-bot-token"],
        ..TOKEN
    },
    Shape {
        name: "aws-access-key",
        begins: &["AKIA", "ASIA"],
        then: &[exactly(Class::Capitals, 16)],
        not_followed_by: b"abcdefghijklmnopqrstuvwxyz_-",
        found: &[
            ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
            ("id: ASIAIOSFODNN7EXAMPL3,", "ASIAIOSFODNN7EXAMPL3"),
        ],
        left_alone: &[
            "AKIAIOSFODNN7EXAMPLE7",
            "AKIA",
            "AKIAABCDEFGHIJKLMNOP",
            "BAKIAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNN7EXAMPLEs",
        ],
        ..TOKEN
    },
    Shape {
        name: "google-api-key",
        begins: &["AIza"],
        then: &[exactly(Class::Token, 35)],
        found: &[(
            "key=AIzaSyA0123456789abcdefghijABCDEFGHIJ01",
            "AIzaSyA0123456789abcdefghijABCDEFGHIJ01",
        )],
        left_alone: &[
            "AIzaSyA0123456789",
            "AIzaSyA0123456789abcdefghijABCDEFGHIJ01234",
        ],
        ..TOKEN
    },
    Shape {
        name: "hugging-face-token",
        begins: &["hf_"],
        then: &[token(Class::Word, 30)],
        found: &[(
            "hf_0123456789abcdefghijABCDEFGHIJ",
            "hf_0123456789abcdefghijABCDEFGHIJ",
        )],
        left_alone: &["hf_hub_download", "hf_transformers0"],
        ..TOKEN
    },
    Shape {
        name: "npm-token",
        begins: &["npm_"],
        then: &[token(Class::Word, 36)],
        found: &[(
            "npm_0123456789abcdefghijABCDEFGHIJ012345",
            "npm_0123456789abcdefghijABCDEFGHIJ012345",
        )],
        left_alone: &["npm_config_registry", "npm_package_version2"],
        ..TOKEN
    },
    Shape {
        name: "jwt",
        begins: &["eyJ"],
        then: &[
            token(Class::Token, 8),
            One(&[".eyJ"]),
            token(Class::Token, 8),
            One(&["."]),
            token(Class::Token, 8),
        ],
        holds: Holds::Anything,
        found: &[(
            "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl!",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        )],
        left_alone: &[
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0",
            "keyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        ],
        ..TOKEN
    },
    Shape {
        name: "bearer-token",
        begins: &["bearer "],
        any_case: true,
        then: &[token(Class::Credential, 16)],
        secret_from: Some(0),
        found: &[
            ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
            (
                "authorization: bearer Ab.3~d+/0123456789==\r\n",
                "Ab.3~d+/0123456789==",
            ),
        ],
        left_alone: &[
            "the bearer authentication/authorization",
            "Bearer tokens are sent in a header",
            "Bearer $TOKEN_OF_THE_SERVER_1",
        ],
        ..TOKEN
    },
    Shape {
        name: "basic-credentials",
        begins: &["authorization: basic "],
        any_case: true,
        before: Before::Anything,
        then: &[token(Class::Credential, 8)],
        secret_from: Some(0),
        holds: Holds::Anything,
        found: &[("Authorization: Basic dXNlcjpwYXNz\r\n", "dXNlcjpwYXNz")],
        left_alone: &[
            "Authorization: Basic <base64>",
            "Basic understanding of things",
        ],
        ..TOKEN
    },
    Shape {
        name: "address-credentials",
        begins: &["://"],
        before: Before::Anything,
        then: &[
            Run {
                of: Class::Address,
                min: 0,
                max: 256,
            },
            One(&[":"]),
            Run {
                of: Class::Address,
                min: 3,
                max: 256,
            },
            Ahead("@"),
        ],
        secret_from: Some(2),
        holds: Holds::Anything,
        found: &[
            ("postgres://user:hunter2@localhost:5432/db", "hunter2"),
            ("redis://:hunter2@cache", "hunter2"),
        ],
        left_alone: &[
            "http://127.0.0.1:11434/api",
            "https://example.org:8080/path@v2",
            "ssh://git@example.org/path",
            "postgres://$USER:$PASSWORD@host",
            "https://user:<password>@host",
        ],
        ..TOKEN
    },
    Shape {
        name: "password",
        begins: TELLING,
        any_case: true,
        before: Before::Anything,
        then: &[
            Maybe(QUOTES),
            Run {
                of: Class::Blanks,
                min: 0,
                max: 8,
            },
            One(&[":=", "=>", "=", ":"]),
            Run {
                of: Class::Blanks,
                min: 0,
                max: 8,
            },
            One(QUOTES),
            Run {
                of: Class::Quoted,
                min: 8,
                max: 1024,
            },
        ],
        secret_from: Some(5),
        found: &[
            ("password = \"hunter2hunter2\"", "hunter2hunter2"),
            ("{\"api_key\": \"0a1b2c3d4e\"}", "0a1b2c3d4e"),
            ("{\\\"client_secret\\\":\\\"abc.def,123\\\"}", "abc.def,123"),
            ("DB_PASSWORD='hunter2hunter2'", "hunter2hunter2"),
            (
                "secret: '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'",
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            ),
        ],
        left_alone: &[
            "password = \"\"",
            "password = \"your-password\"",
            "password = \"<password1>\"",
            "password: \"${DB_PASSWORD_1}\"",
            "password = \"short1\"",
            "secret_digest = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
            "\"password_hash\": \"0123456789abcdef\"",
            "print(\"password 1 is wrong\")",
        ],
        ..TOKEN
    },
    Shape {
        name: "password",
        begins: TELLING,
        any_case: true,
        before: Before::Anything,
        then: &[
            Run {
                of: Class::Blanks,
                min: 0,
                max: 8,
            },
            One(&["=", ":"]),
            Run {
                of: Class::Blanks,
                min: 0,
                max: 8,
            },
            Run {
                of: Class::Password,
                min: 8,
                max: 1024,
            },
        ],
        secret_from: Some(3),
        not_followed_by: b"([{<.:$",
        found: &[
            ("password=hunter2hunter2", "hunter2hunter2"),
            ("API_KEY=0a1b2c3d4e\n", "0a1b2c3d4e"),
            ("password: hunter2hunter2", "hunter2hunter2"),
            (
                "/login?user=a&password=hunter2hunter2&x=",
                "hunter2hunter2&x=",
            ),
        ],
        left_alone: &[
            "password = read_password2()",
            "password = settings2.password",
            "password: String",
            "password=secretless",
            "secret = keys1234[0]",
            "self.password = std::env::var(\"PASSWORD1\")",
            "password=$PASSWORD_1234",
            "api_key=<your key 1234>",
        ],
        ..TOKEN
    },
];
