//! A secret.

use zeroize::Zeroizing;

/// The fewest bytes that a secret may have. A shorter text also occurs where nobody means the secret, so it cannot be
/// taken out of everything without damage.
pub(crate) const MIN_BYTES: usize = 8;

/// The most bytes that a secret may have: a private key of 4096 bits in text has some 3,300.
pub(crate) const MAX_BYTES: usize = 8192;

/// A text that must not be seen.
///
/// It cannot be printed or serialised by mistake; the one way to the text is [`Secret::expose`]. The memory is overwritten
/// when it is dropped.
///
/// ```compile_fail
/// let secret = orket_secrets::Secret::new("correct horse".to_owned());
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail
/// let secret = orket_secrets::Secret::new("correct horse".to_owned());
/// println!("{secret}");
/// ```
///
/// ```compile_fail
/// let secret = orket_secrets::Secret::new("correct horse".to_owned());
/// serde_json::to_string(&secret).unwrap();
/// ```
///
/// ```compile_fail
/// let secret = orket_secrets::Secret::new("correct horse".to_owned());
/// let copy = secret.clone();
/// ```
///
/// What the four have in common compiles:
///
/// ```
/// let secret = orket_secrets::Secret::new("correct horse".to_owned());
/// assert_eq!(secret.expose().len(), 13);
/// ```
///
/// # Limitations
/// What the system copied before (the environment of the process, pages of memory on a swap device) stays where it is.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text that must not be seen.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// Returns the text. Whoever calls this sends it to the one place it is for and keeps no copy.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
