//! Matchers: what an argument must be.

use super::{host, path};
use crate::canonical::Value;

/// What an argument must be, in its wire form. A value of another type than the matcher is about does not match.
///
/// # Limitations
/// Matchers compare what is written. `path_under` follows no link and decodes no escape; `host_in` asks no name server
/// and follows no redirection. Whatever a tool makes of its argument beyond that, the tool itself must check.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matcher {
    /// A text that is a portable relative path equal to one of these or below it, by whole segments; `.` stands for any
    /// such path.
    ///
    /// A path is portable if no segment is empty, `.` or `..`, ends with a dot or a blank or holds a control character,
    /// a direction mark or one of `\ : * ? " < > |`, if it does not begin with `~` and has at most 4,096 bytes. Letters
    /// are compared exactly, case included.
    PathUnder(Vec<String>),
    /// A text that is a host or an `http` or `https` URL with a host among these; `*.example.org` stands for every host
    /// below `example.org`, at any depth, and not for `example.org` itself.
    ///
    /// The text is read strictly; see the policy's page in the documentation for all that is refused. Ports are free.
    HostIn(Vec<String>),
    /// An array that begins with these values.
    StartsWith(Vec<Value>),
    /// One of these values. `1` and `1.0` are two values.
    OneOf(Vec<Value>),
}

impl Matcher {
    /// Tells whether `value` is what the matcher asks for.
    pub(super) fn matches(&self, value: &Value) -> bool {
        match self {
            Matcher::PathUnder(prefixes) => value.as_str().is_some_and(|text| {
                path::is_portable(text) && prefixes.iter().any(|prefix| path::covers(prefix, text))
            }),
            Matcher::HostIn(patterns) => {
                let found = value.as_str().and_then(host::of_text);
                found.is_some_and(|found| {
                    patterns.iter().any(|pattern| host::covers(pattern, &found))
                })
            }
            Matcher::StartsWith(first) => value
                .as_array()
                .is_some_and(|elements| elements.starts_with(first)),
            Matcher::OneOf(values) => values.contains(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical;

    fn matches(matcher: &str, value: &str) -> bool {
        let matcher: Matcher = canonical::from_bytes(matcher.as_bytes()).unwrap();
        matcher.matches(&canonical::parse(value.as_bytes()).unwrap())
    }

    #[test]
    fn an_array_starts_with_a_list_member_by_member() {
        let matcher = r#"{"starts_with":["cargo","test"]}"#;
        for value in [r#"["cargo","test"]"#, r#"["cargo","test","--lib",null]"#] {
            assert!(matches(matcher, value), "{value}");
        }
        for value in [
            "[]",
            r#"["cargo"]"#,
            r#"["test","cargo"]"#,
            r#"["cargo","tes"]"#,
            r#"["cargo","testx"]"#,
            r#"["cargo ","test"]"#,
            r#"["cargo test"]"#,
            r#"[["cargo","test"]]"#,
            r#"["sh","-c","cargo","test"]"#,
            r#""cargo test""#,
            r#"{"0":"cargo","1":"test"}"#,
            "null",
        ] {
            assert!(!matches(matcher, value), "{value}");
        }
        assert!(matches(
            r#"{"starts_with":[1,{"a":[]}]}"#,
            r#"[1,{"a":[]},2]"#
        ));
        assert!(!matches(r#"{"starts_with":[1]}"#, "[1.0]"));
    }

    #[test]
    fn one_of_compares_whole_values() {
        let matcher = r#"{"one_of":["0644",420,null,{"a":[1]},true]}"#;
        for value in [r#""0644""#, "420", "null", r#"{"a":[1]}"#, "true"] {
            assert!(matches(matcher, value), "{value}");
        }
        for value in [
            r#""644""#,
            r#""0644 ""#,
            "420.0",
            "4.2e2",
            "false",
            r#""true""#,
            r#""null""#,
            r#"{"a":[1],"b":2}"#,
            r#"{"a":[1.0]}"#,
            r#"["0644"]"#,
            r#""""#,
            "0",
        ] {
            assert!(!matches(matcher, value), "{value}");
        }
    }

    #[test]
    fn a_text_matcher_refuses_what_is_no_text() {
        for value in ["null", "1", "true", r#"["src"]"#, r#"{"path":"src"}"#] {
            assert!(!matches(r#"{"path_under":["src","."]}"#, value), "{value}");
            assert!(!matches(r#"{"host_in":["src","*.src"]}"#, value), "{value}");
        }
    }
}
