//! The reader of `.env`.
//!
//! The grammar is strict, because a line that is read in another way than it was meant hides another value than it should:
//!
//! ```text
//! file    = line*                       UTF-8, at most 64 KiB; lines end in LF or CRLF
//! line    = blank | "#" comment | ["export "] NAME "=" value
//! NAME    = a letter or "_", then letters, digits and "_"; at most 128; each name once
//! value   = bare | 'literal' | "escaped"    then nothing, or blanks and "#" comment
//! bare    = no blanks, no quotes, no "#" at its beginning; may be empty
//! literal = anything but ' and control characters
//! escaped = anything but " and control characters; \\ \" \$ \n \r \t stand for what they do in a shell or in C
//! ```

use std::collections::BTreeMap;

use crate::Secret;

/// The most bytes that a file may have.
pub const MAX_BYTES: usize = 64 * 1024;

/// The most characters that a name may have.
const NAME_MAX: usize = 128;

/// A line of a file that sets something.
pub struct Entry {
    /// The number of the line, from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// The value, which may be empty.
    pub value: Secret,
}

/// Says which line of a file is wrong; never what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {fault}")]
pub struct EnvFileError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is longer than [`MAX_BYTES`].
    #[error("the file is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The line is not UTF-8.
    #[error("the line is not UTF-8 text")]
    NotText,
    /// There is no `=`.
    #[error("a line has the form NAME=value")]
    NoEquals,
    /// The name has another form.
    #[error(
        "the name before the = begins with a letter or _ and goes on with letters, digits and _, at most {NAME_MAX}"
    )]
    Name,
    /// The name was set before.
    #[error("the name is set a second time; its first line is {first}")]
    Twice {
        /// The line of the first.
        first: usize,
    },
    /// A control character.
    #[error("the value holds a control character; write it as \\n, \\r or \\t in double quotes")]
    Control,
    /// A value that needs quotes.
    #[error("a value with blanks, quotes or a # at its beginning stands in quotes")]
    NeedsQuotes,
    /// Quotes without an end.
    #[error("the quotes do not end on the line")]
    OpenQuotes,
    /// An escape that is not known.
    #[error(
        "in double quotes a backslash stands before one of \\ \" $ n r t; single quotes take everything as it is"
    )]
    Escape,
    /// Something stands behind the value.
    #[error("behind the closing quote only a # comment may stand")]
    Behind,
}

/// Reads a file.
///
/// ```
/// let entries = orket_secrets::env_file::read(b"# mine\nDEPLOY_TOKEN='correct horse' # for the server\n").unwrap();
/// assert_eq!((entries[0].line, entries[0].name.as_str()), (2, "DEPLOY_TOKEN"));
/// assert_eq!(entries[0].value.expose(), "correct horse");
/// ```
///
/// # Errors
/// Names the line and what is wrong, without a word of what stands in it.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, EnvFileError> {
    if bytes.len() > MAX_BYTES {
        let fault = Fault::TooLong;
        return Err(EnvFileError { line: 1, fault });
    }
    let mut entries = Vec::new();
    let mut known = BTreeMap::new();
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let fault = |fault| EnvFileError { line, fault };
        let text = std::str::from_utf8(bytes).map_err(|_| fault(Fault::NotText))?;
        let text = text.strip_suffix('\r').unwrap_or(text).trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (name, value) = split(text).map_err(fault)?;
        if let Some(first) = known.insert(name.to_owned(), line) {
            return Err(fault(Fault::Twice { first }));
        }
        entries.push(Entry {
            line,
            name: name.to_owned(),
            value: Secret::new(read_value(value).map_err(fault)?),
        });
    }
    Ok(entries)
}

fn split(text: &str) -> Result<(&str, &str), Fault> {
    let (name, value) = text.split_once('=').ok_or(Fault::NoEquals)?;
    let name = name.trim_end();
    let name = match name.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => name,
    };
    let begins = |first: char| first.is_ascii_alphabetic() || first == '_';
    let is_name = name.starts_with(begins)
        && name.len() <= NAME_MAX
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name {
        Ok((name, value.trim()))
    } else {
        Err(Fault::Name)
    }
}

fn read_value(text: &str) -> Result<String, Fault> {
    if text.chars().any(char::is_control) {
        return Err(Fault::Control);
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        let (value, behind) = quoted.split_once('\'').ok_or(Fault::OpenQuotes)?;
        check_behind(behind)?;
        return Ok(value.to_owned());
    }
    if let Some(quoted) = text.strip_prefix('"') {
        return read_escaped(quoted);
    }
    let (value, behind) = match text.find([' ', '\t']) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let is_bare = !value.contains(['"', '\'']) && !value.starts_with('#');
    if is_bare && check_behind(behind).is_ok() {
        Ok(value.to_owned())
    } else {
        Err(Fault::NeedsQuotes)
    }
}

fn read_escaped(quoted: &str) -> Result<String, Fault> {
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                check_behind(characters.as_str())?;
                return Ok(value);
            }
            '\\' => value.push(match characters.next() {
                Some(plain @ ('\\' | '"' | '$')) => plain,
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(_) => return Err(Fault::Escape),
                None => return Err(Fault::OpenQuotes),
            }),
            plain => value.push(plain),
        }
    }
    Err(Fault::OpenQuotes)
}

fn check_behind(behind: &str) -> Result<(), Fault> {
    let rest = behind.trim_start();
    let is_comment = rest.starts_with('#') && rest.len() < behind.len();
    if rest.is_empty() || is_comment {
        Ok(())
    } else {
        Err(Fault::Behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_the_grammar_says() {
        let cases: &[(&str, &str, &str)] = &[
            ("bare", "A=value", "value"),
            ("empty", "A=", ""),
            ("blanks around", "  A = value \t", "value"),
            ("carriage return", "A=value\r", "value"),
            ("export", "export A=value", "value"),
            ("equals in the value", "A=a=b==", "a=b=="),
            ("hash in the value", "A=a#b", "a#b"),
            ("comment", "A=a # b", "a"),
            ("single quotes", "A='a \\n \" # b'", "a \\n \" # b"),
            (
                "double quotes",
                r#"A="a \n\t\r\\\"\$ ' b" # c"#,
                "a \n\t\r\\\"$ ' b",
            ),
            ("empty quotes", "A=''", ""),
            ("not ASCII", "A=пароль", "пароль"),
            ("a name beginning with export", "exporter=value", "value"),
        ];
        for (name, text, value) in cases {
            let Ok(entries) = read(text.as_bytes()) else {
                panic!("{name}: it is refused");
            };
            assert_eq!(entries.len(), 1, "{name}");
            assert_eq!(entries[0].value.expose(), *value, "{name}");
        }
        assert_eq!(read(b"\n  \n# A=1\n\t# B=2").map(|it| it.len()), Ok(0));
    }

    #[test]
    fn what_the_grammar_does_not_know_is_refused_by_line() {
        use Fault::*;
        let long = format!("{}=1", "A".repeat(129));
        let cases: &[(&str, &[u8], usize, Fault)] = &[
            ("no equals", b"A=1\nhunter2hunter2", 2, NoEquals),
            ("no name", b"=hunter2hunter2", 1, Name),
            ("a name with a hyphen", b"A-B=1", 1, Name),
            ("a name that begins with a digit", b"1A=1", 1, Name),
            ("a long name", long.as_bytes(), 1, Name),
            ("twice", b"A=1\n\nA=2", 3, Twice { first: 1 }),
            ("not UTF-8", b"A=\xff", 1, NotText),
            ("NUL", b"A=a\0b", 1, Control),
            ("blanks", b"A=a b", 1, NeedsQuotes),
            ("a quote inside", b"A=a'b'", 1, NeedsQuotes),
            ("hash first", b"A=#a", 1, NeedsQuotes),
            ("single quote left open", b"A='a", 1, OpenQuotes),
            ("double quote left open", b"A=\"a\\\"", 1, OpenQuotes),
            ("backslash last", b"A=\"a\\", 1, OpenQuotes),
            ("unknown escape", b"A=\"\\x41\"", 1, Escape),
            ("text behind", b"A='a'b", 1, Behind),
            ("comment without a blank", b"A='a'#b", 1, Behind),
        ];
        for (name, bytes, line, fault) in cases {
            let error = read(bytes).map(|entries| entries.len()).unwrap_err();
            assert_eq!((error.line, error.fault), (*line, *fault), "{name}");
            assert!(!error.to_string().contains("hunter2"), "{name}");
        }
        let largest = vec![b'\n'; MAX_BYTES];
        assert_eq!(read(&largest).map(|it| it.len()), Ok(0));
        let longer = vec![b'\n'; MAX_BYTES + 1];
        assert_eq!(read(&longer).map(|it| it.len()).unwrap_err().fault, TooLong);
    }
}
