//! Digests a document: two texts of one JSON value have one digest, and what has no canonical form is refused.
//!
//! ```text
//! cargo run -p orket-kernel --example digest_a_document
//! ```

use orket_kernel::canonical;

/// A value of one's own needs no detour over text.
#[derive(serde::Serialize)]
struct Reading {
    sensor: &'static str,
    celsius: f64,
}

#[expect(clippy::print_stdout, reason = "an example shows what it found")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Order, white space and escapes do not matter; 2E1 and 20.0 are the same double.
    let texts = [
        r#"{"sensor":"é","celsius":20.0}"#,
        "{ \"celsius\": 2E1,\n  \"sensor\": \"\\u00e9\" }",
    ];
    for text in texts {
        let digest = canonical::digest_bytes(text.as_bytes())?;
        println!(
            "{digest}  {}",
            canonical::to_string(&canonical::parse(text.as_bytes())?)
        );
    }
    let reading = Reading {
        sensor: "é",
        celsius: 20.0,
    };
    println!(
        "{}  the same as a Rust value",
        canonical::digest_of(&reading)?
    );

    // An integer is not a double, in Python as here: 20 is another document.
    println!(
        "{}  with 20",
        canonical::digest_bytes(br#"{"sensor":"\u00e9","celsius":20}"#)?
    );

    // Where a reader would have to guess, there is no digest.
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1e999}"#, r#"["\ud800"]"#] {
        if let Err(refusal) = canonical::digest_bytes(text.as_bytes()) {
            println!("refused: {text}: {refusal}");
        }
    }
    Ok(())
}
