//! The forms in which a secret is looked for, besides those that [`crate::views`] undo.

use std::collections::BTreeSet;
use std::fmt::Write;

/// The fewest bytes of a line of a secret that is looked for by itself: a private key may be printed with other line ends
/// or indented.
const LINE_MIN_BYTES: usize = 16;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_ADDRESSES: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Returns the forms of a secret: plain, reversed, hex in both cases, base64 in both alphabets at each of the three places
/// that it can have in a longer text, the form of a query with `+` for a blank, and its long lines one by one.
pub(crate) fn forms(secret: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    let lines = secret.lines().map(str::trim);
    // The first and the last line of a private key are no secret.
    let lines = lines.filter(|line| line.len() >= LINE_MIN_BYTES && !line.starts_with("-----"));
    for text in lines.chain([secret]) {
        let bytes = text.as_bytes();
        let reversed: String = text.chars().rev().collect();
        forms.insert(bytes.to_vec());
        forms.insert(reversed.into_bytes());
        forms.insert(text.replace(' ', "+").into_bytes());
        let (lower, upper) = hex(bytes);
        forms.insert(lower);
        forms.insert(upper);
        for place in 0..3 {
            forms.insert(base64(bytes, place, STANDARD));
            forms.insert(base64(bytes, place, FOR_ADDRESSES));
        }
    }
    forms
}

fn hex(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut lower = String::new();
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(lower, "{byte:02x}");
    }
    let upper = lower.to_ascii_uppercase().into_bytes();
    (lower.into_bytes(), upper)
}

/// Returns the characters that stand for nothing but these bytes when `before` bytes of something else (0, 1 or 2, modulo
/// 3) come first. Characters that share bits with what stands around the bytes are left out.
fn base64(bytes: &[u8], before: usize, alphabet: &[u8; 64]) -> Vec<u8> {
    let first_bit = before * 8;
    let end_bit = first_bit + bytes.len() * 8;
    let bit = |at: usize| {
        let byte = bytes.get((at - first_bit) / 8).copied().unwrap_or(0);
        (byte >> (7 - at % 8)) & 1
    };
    let characters = first_bit.div_ceil(6)..end_bit / 6;
    let encoded = characters.filter_map(|character| {
        let bits = character * 6..character * 6 + 6;
        let index = bits.fold(0, |index, at| index << 1 | bit(at));
        alphabet.get(usize::from(index)).copied()
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_secret() {
        // The expected texts are those of base64(1), basenc(1), xxd(1) and rev(1).
        let forms = forms("hunter2 ??>");
        let cases = [
            ("plain", "hunter2 ??>"),
            ("reversed", ">?? 2retnuh"),
            ("in a query", "hunter2+??>"),
            ("hex", "68756e74657232203f3f3e"),
            ("hex in capitals", "68756E74657232203F3F3E"),
            // printf 'hunter2 ??>' | base64: aHVudGVyMiA/Pz4=
            ("base64", "aHVudGVyMiA/Pz"),
            ("base64 for addresses", "aHVudGVyMiA_Pz"),
            // printf 'xhunter2 ??>' | base64: eGh1bnRlcjIgPz8+
            ("base64 behind one byte", "h1bnRlcjIgPz8+"),
            ("base64 for addresses behind one byte", "h1bnRlcjIgPz8-"),
            // printf 'xxhunter2 ??>' | base64: eHhodW50ZXIyID8/Pg==
            ("base64 behind two bytes", "odW50ZXIyID8/P"),
            ("base64 for addresses behind two bytes", "odW50ZXIyID8_P"),
        ];
        for (name, form) in cases {
            assert!(forms.contains(form.as_bytes()), "{name}");
        }
        assert_eq!(forms.len(), cases.len());
    }

    #[test]
    fn the_lines_of_a_key_are_forms() {
        let forms =
            forms("-----BEGIN PRIVATE KEY-----\nMIIBVgIBADANBgkq\n  MIIBVgIBADANBgkr  \nshort\n");
        let has = |text: &str| forms.contains(text.as_bytes());
        assert!(has("MIIBVgIBADANBgkq") && has("MIIBVgIBADANBgkr"));
        assert!(!has("short") && !has("-----BEGIN PRIVATE KEY-----"));
    }
}
