//! What the reader is willing to take in.

/// How large a document may be before [`parse_with`](super::parse_with) refuses it.
///
/// ```
/// use orket_kernel::canonical::{self, Limits};
///
/// let limits = Limits { max_bytes: 8, ..Limits::default() };
/// let refused = canonical::parse_with(b"[1, 2, 3]", &limits).unwrap_err();
/// assert_eq!(refused.code(), "too_large");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many arrays and objects may lie inside each other; more than [`Limits::DEPTH`] counts as that.
    pub max_depth: usize,
    /// How many bytes the text may have.
    pub max_bytes: usize,
    /// How many digits an integer may have; more than [`Limits::INTEGER_DIGITS`] counts as that.
    pub max_integer_digits: usize,
}

impl Limits {
    /// The depth at which CPython 3.11 gives up, and with it the meaning of Law 4.
    pub const DEPTH: usize = 992;
    /// The number of integer digits above which CPython 3.11 refuses to read.
    pub const INTEGER_DIGITS: usize = 4300;
    /// The size of the largest document taken by default: 64 MiB.
    pub const BYTES: usize = 64 * 1024 * 1024;

    /// Returns the limits with those of Law 4 as an upper bound.
    pub(super) fn bounded(self) -> Limits {
        Limits {
            max_depth: self.max_depth.min(Limits::DEPTH),
            max_bytes: self.max_bytes,
            max_integer_digits: self.max_integer_digits.min(Limits::INTEGER_DIGITS),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_depth: Limits::DEPTH,
            max_bytes: Limits::BYTES,
            max_integer_digits: Limits::INTEGER_DIGITS,
        }
    }
}
