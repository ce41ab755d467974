//! Hosts as a policy compares them: by their text alone, read so strictly that no two readers can differ.

const TEXT_LENGTH_MAX_BYTES: usize = 4096;
const HOST_LENGTH_MAX_BYTES: usize = 253;
const LABEL_LENGTH_MAX_BYTES: usize = 63;

/// Returns the host that a text names, in lower case; `None` if the text is not plainly a host or a URL with one.
pub(super) fn of_text(text: &str) -> Option<String> {
    // Blanks and control characters, which some readers drop, and all that is not ASCII, which some readers fold.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if text.len() > TEXT_LENGTH_MAX_BYTES || !text.bytes().all(is_plain) {
        return None;
    }
    let host = match below_scheme(text) {
        Some(rest) => of_authority(rest)?,
        None => text,
    };
    let host = host.to_ascii_lowercase();
    is_host(&host).then_some(host)
}

fn below_scheme(text: &str) -> Option<&str> {
    ["http://", "https://"].iter().find_map(|scheme| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

fn of_authority(rest: &str) -> Option<&str> {
    let before_path = rest.split('/').next()?;
    // Readers that look for the end of the authority at the first slash would find user information here.
    if before_path.contains('@') {
        return None;
    }
    let authority = before_path.split(['?', '#']).next()?;
    match authority.split_once(':') {
        None => Some(authority),
        Some((host, port)) => is_port(port).then_some(host),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
        && text.parse::<u16>().is_ok()
}

/// Tells whether a lower-case text is a host name or a dotted quad.
fn is_host(text: &str) -> bool {
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= HOST_LENGTH_MAX_BYTES
        && text.split('.').all(is_label)
        && (!is_numeric(last) || is_dotted_quad(text))
}

fn is_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= LABEL_LENGTH_MAX_BYTES
        && text.bytes().all(is_plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Tells whether readers take a host that ends with this label for an IPv4 address, in whatever spelling.
fn is_numeric(label: &str) -> bool {
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    label.bytes().all(|byte| byte.is_ascii_digit()) || label.strip_prefix("0x").is_some_and(is_hex)
}

fn is_dotted_quad(text: &str) -> bool {
    let is_part = |part: &str| {
        part.parse::<u8>()
            .is_ok_and(|number| number.to_string() == part)
    };
    text.split('.').count() == 4 && text.split('.').all(is_part)
}

/// Says why a text cannot stand in a list of hosts; `None` if it can.
pub(super) fn fault_of_pattern(text: &str) -> Option<&'static str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some("write it in lower case");
    }
    let Some(base) = text.strip_prefix("*.") else {
        return (!is_host(text)).then_some(
            "write a host such as example.org or *.example.org, without scheme, port or path",
        );
    };
    let last = base.rsplit('.').next().unwrap_or_default();
    if !is_host(base) || is_numeric(last) {
        return Some("write a host name after *. , as in *.example.org");
    }
    None
}

/// Tells whether a pattern covers a host that [`of_text`] returned.
pub(super) fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        // What is left begins with a dot, and no label of a host is empty.
        Some(end) => end.starts_with('.') && host.ends_with(end),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATTERNS: [&str; 3] = ["example.org", "*.example.net", "192.0.2.7"];

    fn is_listed(text: &str) -> bool {
        let found = of_text(text);
        found.is_some_and(|host| PATTERNS.iter().any(|pattern| covers(pattern, &host)))
    }

    #[test]
    fn plain_hosts_and_urls_are_read() {
        for text in [
            "example.org",
            "EXAMPLE.org",
            "http://example.org",
            "https://example.org",
            "HTTPS://Example.ORG/",
            "https://example.org/path/../x?y=z#w",
            "https://example.org?q=1",
            "https://example.org#top",
            "https://example.org:443",
            "https://example.org:8080/x",
            "https://example.org:65535/",
            "https://example.org/@somebody",
            "https://example.org/a%20b:c",
            "https://example.org/http://evil.test",
            "a.example.net",
            "https://a.b.c.example.net/x",
            "https://xn--bcher-kva.example.net/",
            "http://192.0.2.7/",
            "192.0.2.7",
            "http://192.0.2.7:80",
        ] {
            assert!(is_listed(text), "{text:?} is listed");
        }
    }

    #[test]
    fn law_8_a_hostile_address_is_in_no_list() {
        let long = format!("https://example.org/{}", "x".repeat(TEXT_LENGTH_MAX_BYTES));
        for text in [
            "",
            "https://",
            "http:///",
            "https:///example.org",
            "https:example.org",
            "https:/example.org",
            "//example.org",
            "/example.org",
            "example.org/",
            "example.org:443",
            "ftp://example.org/",
            "file://example.org/x",
            "javascript://example.org/",
            "xhttps://example.org",
            "https://https://example.org",
            "https://user@example.org",
            "https://user:secret@example.org/",
            "https://example.org@evil.test/",
            "https://example.org:80@evil.test/",
            "https://example.org?@evil.test/",
            "https://example.org#@evil.test/",
            "https://@example.org/",
            "https://evil.test/example.org",
            "https://evil.test?example.org",
            "https://evil.test#example.org",
            "https://evil.test\\example.org",
            "https://evil.test\\@example.org",
            "https://example.org\\.evil.test",
            "https:\\\\example.org",
            "https://example.org/a\\b",
            " https://example.org",
            "https://example.org ",
            "https://example.org/a b",
            "https://exam\tple.org",
            "https://example.org\n.evil.test",
            "https://example.org\r\nHost: evil.test",
            "https://example.org\0.evil.test",
            "https://example.org%2eevil.test",
            "https://example%2eorg",
            "https://%65xample.org",
            "https://example.org%00",
            "https://ex\u{430}mple.org",
            "https://example\u{3002}org",
            "https://ⓔxample.org",
            "https://example.org/\u{e9}",
            "https://example.org.",
            "https://example.org./",
            "example.org.",
            "https://example..org",
            "https://.example.org",
            "https://example.org:",
            "https://example.org:/",
            "https://example.org:0",
            "https://example.org:080",
            "https://example.org:+80",
            "https://example.org:8o",
            "https://example.org:65536",
            "https://example.org:80:80",
            "https://example.org:99999999999999999999",
            "https://notexample.org",
            "https://example.org.evil.test",
            "https://a.example.org",
            "https://example.com",
            "example.net",
            "https://example.net/",
            "https://evilexample.net",
            "https://.example.net",
            "https://*.example.net",
            "https://-.example.net",
            "https://a_b.example.net",
            "https://example.net.a",
            "https://192.0.2.8",
            "https://192.0.2.07",
            "https://192.0.2",
            "https://192.0.2.7.1",
            "https://192.0.2.7.",
            "https://3221225991",
            "https://0xc0000207",
            "https://0xC0.0x0.0x2.0x7",
            "https://0300.0.2.7",
            "https://192.0.519",
            "https://0xc0.0.2.7",
            "https://192.0.2.0x7",
            "https://[::ffff:192.0.2.7]/",
            "https://[example.org]/",
            &long,
        ] {
            assert!(!is_listed(text), "{text:?} was taken to be listed");
        }
        let labels = format!("{}.example.net", "x".repeat(64));
        assert!(!is_listed(&labels));
        let labels = format!("{}example.net", "x.".repeat(122));
        assert!(!is_listed(&labels), "{} bytes", labels.len());
    }

    #[test]
    fn numbers_in_other_spellings_are_no_hosts_even_if_listed() {
        for text in [
            "3221225991",
            "0xc0000207",
            "0300.0.2.7",
            "192.0.519",
            "1.2.3.256",
            "0x7f.1",
        ] {
            assert!(fault_of_pattern(text).is_some(), "{text:?} was accepted");
            assert_eq!(of_text(text), None, "{text:?}");
        }
        assert_eq!(fault_of_pattern("127.0.0.1"), None);
    }

    #[test]
    fn a_pattern_is_a_host_or_what_lies_below_one() {
        for pattern in [
            "example.org",
            "*.example.org",
            "localhost",
            "*.localhost",
            "a-1.b2",
        ] {
            assert_eq!(fault_of_pattern(pattern), None, "{pattern:?}");
        }
        for pattern in [
            "",
            "*",
            "*.",
            ".",
            ".example.org",
            "*.*.example.org",
            "*example.org",
            "a.*.org",
            "**.example.org",
            "Example.org",
            "https://example.org",
            "example.org:443",
            "example.org/",
            "example.org.",
            "*.1",
            "*.0.0.1",
            "*.192.0.2.7",
            "ex ample.org",
            "exämple.org",
            "-a.org",
            "a_b.org",
            "user@example.org",
            "[::1]",
        ] {
            assert!(
                fault_of_pattern(pattern).is_some(),
                "{pattern:?} was accepted"
            );
        }
    }
}
