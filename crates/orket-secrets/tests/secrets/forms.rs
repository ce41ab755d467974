//! Known values in every form that Python's encoders give them.

use serde::Deserialize;

use crate::{in_pieces, knows};

#[derive(Deserialize)]
struct Case {
    name: String,
    secret: String,
    forms: Vec<Form>,
}

#[derive(Deserialize)]
struct Form {
    form: String,
    text: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../forms.json")).unwrap()
}

/// The part of a form that stands for nothing but the secret: of base64 all but what it shares with its surroundings.
fn core<'t>(form: &'t str, text: &'t str) -> &'t str {
    if form.starts_with("base64") {
        &text[4..text.len() - 9]
    } else {
        text
    }
}

#[test]
fn each_form_is_taken_out_and_its_surroundings_stay() {
    for case in cases() {
        let scrubber = knows(&[("A_KEY", &case.secret)]);
        for Form { form, text } in &case.forms {
            let told = format!("{} as {form}", case.name);
            let around = format!("before, {text} and behind");
            let scrubbed = scrubber.text(&around);
            assert!(
                scrubbed.contains("[secret:A_KEY]"),
                "{told} stays: {scrubbed}"
            );
            assert!(scrubbed.starts_with("before, "), "{told}: {scrubbed}");
            assert!(scrubbed.ends_with(" and behind"), "{told}: {scrubbed}");
            if form.starts_with("base64") {
                // What stands around the secret in base64 is not secret and may stay; no four characters of the secret do.
                let secret = core(form, text);
                assert!(!scrubbed.contains(secret), "{told}: {scrubbed}");
                assert!(
                    scrubbed.len() <= around.len() - secret.len().min(10) + 14,
                    "{told}: {scrubbed}"
                );
            } else {
                assert_eq!(scrubbed, "before, [secret:A_KEY] and behind", "{told}");
            }
            assert_eq!(
                scrubber.text(&scrubbed),
                scrubbed,
                "{told}: not the same when scrubbed again"
            );
        }
    }
}

#[test]
fn each_form_is_taken_out_wherever_a_stream_is_cut() {
    for case in cases() {
        let scrubber = knows(&[("A_KEY", &case.secret)]);
        for Form { form, text } in &case.forms {
            let around = format!("before, {text} and behind");
            let whole = scrubber.bytes(around.as_bytes()).into_owned();
            // Long texts are cut at fewer places, which are no multiple of the length of any unit.
            let step = if around.len() < 150 { 1 } else { 37 };
            for cut in (1..around.len()).step_by(step) {
                let cut_once = in_pieces(&scrubber, around.as_bytes(), &[cut]);
                assert_eq!(cut_once, whole, "{} as {form}, cut at {cut}", case.name);
            }
            let each: Vec<usize> = (0..around.len()).collect();
            assert_eq!(
                in_pieces(&scrubber, around.as_bytes(), &each),
                whole,
                "{} as {form}, byte by byte",
                case.name
            );
        }
    }
}

#[test]
fn without_the_secret_each_form_stays() {
    let scrubber = knows(&[("A_KEY", "something else")]);
    for case in cases() {
        for Form { form, text } in &case.forms {
            assert_eq!(
                scrubber.text(text),
                text.as_str(),
                "{} as {form}",
                case.name
            );
        }
    }
}
