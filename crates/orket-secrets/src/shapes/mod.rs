//! Shapes: how secrets look that nobody told us.
//!
//! A shape is data ([`SHAPES`]): how it begins, which pieces follow, and examples that are found and that are left alone. No
//! piece needs a second look at what an earlier one took, so that a text is read once and a shape that may still grow is
//! known as such.

mod search;
mod table;

pub(crate) use search::Search;
pub use table::SHAPES;

/// How a kind of secret looks.
#[derive(Debug)]
pub struct Shape {
    /// The name, as it is shown.
    pub name: &'static str,
    /// How it begins: one of these, in ASCII; small or capital letters as [`Shape::any_case`] says.
    pub begins: &'static [&'static str],
    /// Whether the beginning may be written in small and in capital letters.
    pub any_case: bool,
    /// What may stand before it.
    pub before: Before,
    /// What follows.
    pub then: &'static [Piece],
    /// Where among the pieces the secret itself begins: 0 for the first piece; `None` if the beginning belongs to it.
    pub secret_from: Option<usize>,
    /// What must be in the secret besides its form.
    pub holds: Holds,
    /// Bytes of which none may follow: they make a name or a call of what looked like a secret.
    pub not_followed_by: &'static [u8],
    /// Texts in which it is found, each with the part that is the secret.
    pub found: &'static [(&'static str, &'static str)],
    /// Texts that look like it and are left alone.
    pub left_alone: &'static [&'static str],
}

/// What may stand before a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Anything.
    Anything,
    /// No letter, digit, `_` or `-`; the letter of an escape such as `\n` is none.
    NoWord,
}

/// What must be in a secret besides its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing more.
    Anything,
    /// A letter and a digit: words alone are no secret.
    LetterAndDigit,
}

/// One piece of a shape.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// One of these; what is longer stands first.
    One(&'static [&'static str]),
    /// One of these or nothing; what is longer stands first.
    Maybe(&'static [&'static str]),
    /// As many bytes of a class as there are; fewer or more than allowed are no match.
    Run {
        /// The class.
        of: Class,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
    /// This comes next and is not taken.
    Ahead(&'static str),
    /// Everything up to and with this text. If it does not come within `max` bytes, as many are taken.
    Until {
        /// The text.
        end: &'static str,
        /// The most bytes before it.
        max: usize,
    },
}

/// A class of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Letters and digits.
    Word,
    /// Capital letters and digits.
    Capitals,
    /// Letters, digits, `-` and `_`: base64 for addresses.
    Token,
    /// As [`Class::Token`], and `.`, `~`, `+`, `/`, `=`.
    Credential,
    /// What a password without quotes is made of: letters, digits and `-_+/=~!@#%^&*?`.
    Password,
    /// As [`Class::Password`], and `.,:;`: quotes say where it ends.
    Quoted,
    /// What a user and a password in an address are made of: neither blanks nor quotes nor `/:@<>{}[]$\\`.
    Address,
    /// Blanks and tabs.
    Blanks,
}

impl Class {
    fn has(self, byte: u8) -> bool {
        let word = byte.is_ascii_alphanumeric();
        match self {
            Class::Word => word,
            Class::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Class::Token => word || b"-_".contains(&byte),
            Class::Credential => word || b"-_.~+/=".contains(&byte),
            Class::Password => word || b"-_+/=~!@#%^&*?".contains(&byte),
            Class::Quoted => word || b"-_+/=~!@#%^&*?.,:;".contains(&byte),
            Class::Address => byte.is_ascii_graphic() && !b"\"'`/:@<>{}[]$\\".contains(&byte),
            Class::Blanks => byte == b' ' || byte == b'\t',
        }
    }
}

/// What a shape says about a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is not there.
    No,
    /// The secret is between these places.
    Found(usize, usize),
    /// It may be there when more of the text is known.
    Open,
}

impl Shape {
    /// Reads the shape at a place of a text where it may begin. A text that is not whole may go on.
    pub(crate) fn read(&self, text: &[u8], at: usize, before: &[u8], is_whole: bool) -> Reading {
        if self.before == Before::NoWord && is_word_before(text, at, before) {
            return Reading::No;
        }
        let rest = text.get(at..).unwrap_or_default();
        let Some(begin) = self.beginning(rest) else {
            return Reading::No;
        };
        let mut end = at + begin;
        let mut from = at;
        for (number, piece) in self.then.iter().enumerate() {
            if self.secret_from == Some(number) {
                from = end;
            }
            match piece.read(text.get(end..).unwrap_or_default(), is_whole) {
                Taken::Bytes(count) => end += count,
                Taken::No => return Reading::No,
                Taken::Open => return Reading::Open,
            }
        }
        match text.get(end) {
            None if !is_whole => return Reading::Open,
            Some(next) if self.not_followed_by.contains(next) => return Reading::No,
            _ => {}
        }
        let secret = text.get(from.max(at + begin)..end).unwrap_or_default();
        let is_mixed =
            secret.iter().any(u8::is_ascii_alphabetic) && secret.iter().any(u8::is_ascii_digit);
        if self.holds == Holds::LetterAndDigit && !is_mixed {
            return Reading::No;
        }
        Reading::Found(from, end)
    }

    fn beginning(&self, rest: &[u8]) -> Option<usize> {
        let fits = |begin: &&&str| {
            rest.get(..begin.len())
                .is_some_and(|start| match self.any_case {
                    true => start.eq_ignore_ascii_case(begin.as_bytes()),
                    false => start == begin.as_bytes(),
                })
        };
        self.begins
            .iter()
            .filter(fits)
            .map(|begin| begin.len())
            .max()
    }
}

/// Tells whether a letter or a digit stands right before a place. `before` is what came before the text.
fn is_word_before(text: &[u8], at: usize, before: &[u8]) -> bool {
    let back = |distance: usize| match at.checked_sub(distance) {
        Some(place) => text.get(place),
        None => before
            .len()
            .checked_sub(distance - at)
            .and_then(|place| before.get(place)),
    };
    let Some(last) = back(1) else {
        return false;
    };
    let is_escape = b"bfnrt".contains(last) && back(2) == Some(&b'\\');
    Class::Token.has(*last) && !is_escape
}

enum Taken {
    Bytes(usize),
    No,
    Open,
}

impl Piece {
    fn read(self, rest: &[u8], is_whole: bool) -> Taken {
        let could_be =
            |text: &&str| !is_whole && text.len() > rest.len() && text.as_bytes().starts_with(rest);
        match self {
            Piece::One(texts) | Piece::Maybe(texts) => {
                if texts.iter().any(could_be) {
                    return Taken::Open;
                }
                match (
                    texts.iter().find(|text| rest.starts_with(text.as_bytes())),
                    self,
                ) {
                    (Some(text), _) => Taken::Bytes(text.len()),
                    (None, Piece::Maybe(_)) => Taken::Bytes(0),
                    (None, _) => Taken::No,
                }
            }
            Piece::Ahead(text) => {
                if could_be(&text) {
                    Taken::Open
                } else if rest.starts_with(text.as_bytes()) {
                    Taken::Bytes(0)
                } else {
                    Taken::No
                }
            }
            Piece::Run { of, min, max } => {
                let count = rest
                    .iter()
                    .take(max + 1)
                    .take_while(|byte| of.has(**byte))
                    .count();
                if count > max {
                    Taken::No
                } else if count == rest.len() && !is_whole {
                    Taken::Open
                } else if count < min {
                    Taken::No
                } else {
                    Taken::Bytes(count)
                }
            }
            Piece::Until { end, max } => {
                let most = max + end.len();
                let seen = rest.get(..most).unwrap_or(rest);
                let found = seen
                    .windows(end.len())
                    .position(|window| window == end.as_bytes());
                match found {
                    Some(at) => Taken::Bytes(at + end.len()),
                    None if rest.len() < most && !is_whole => Taken::Open,
                    None => Taken::Bytes(seen.len().min(max)),
                }
            }
        }
    }
}
