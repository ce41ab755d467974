//! The portable name policy against a plain model of it, over random names.
//!
//! The model is written from the rules in `docs/spaces.md` and shares no code with the parser: it looks at whole sets of
//! characters and at lists of names, the slow way.

use proptest::prelude::*;

use crate::is_full;
use crate::names::refusal;

/// What Windows keeps for devices, as its documentation lists it.
const DEVICES: &str = "CON PRN AUX NUL CONIN$ CONOUT$ CLOCK$ COM0 COM1 COM2 COM3 COM4 COM5 COM6 COM7 COM8 COM9 COM\u{b9} \
    COM\u{b2} COM\u{b3} LPT0 LPT1 LPT2 LPT3 LPT4 LPT5 LPT6 LPT7 LPT8 LPT9 LPT\u{b9} LPT\u{b2} LPT\u{b3}";

/// Characters that are not seen, by their numbers: first and last of each range.
const UNSEEN: &[(u32, u32)] = &[
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x061c, 0x061c),
    (0x17b4, 0x17b5),
    (0x180e, 0x180e),
    (0x200b, 0x200b),
    (0x200e, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe00ff),
    (0xe01f0, 0xe0fff),
];

/// Returns the word for the first rule that a path breaks, in the order in which the page lists them for a part.
fn model(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        return Some("empty_path");
    }
    if path.len() > 1024 {
        return Some("path_too_long");
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() > 64 {
        return Some("too_deep");
    }
    parts.into_iter().find_map(model_of_part)
}

fn model_of_part(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        return Some("empty");
    }
    if part == "." || part == ".." {
        return Some("dots");
    }
    if part.len() > 255 {
        return Some("too_long");
    }
    // The first character that is not allowed names the rule.
    let faults = part.chars().filter_map(|character| {
        let number = u32::from(character);
        if number < 0x20 || (0x7f..0xa0).contains(&number) {
            Some("control")
        } else if UNSEEN
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&number))
        {
            Some("hidden")
        } else {
            "\\:<>\"?*|".contains(character).then_some("reserved")
        }
    });
    if let Some(first) = faults.into_iter().next() {
        return Some(first);
    }
    if part.trim_end().len() < part.len() || part.ends_with('.') {
        return Some("trailing");
    }
    let before_the_dot = part.split('.').next().unwrap_or("").trim_end();
    let is_device = DEVICES
        .split_whitespace()
        .any(|device| device.eq_ignore_ascii_case(before_the_dot));
    is_device.then_some("device")
}

/// Pieces that meet the rules more often than chance would.
fn piece() -> impl Strategy<Value = String> {
    let fixed = prop_oneof![
        Just("/"),
        Just("."),
        Just(".."),
        Just("a"),
        Just("nul"),
        Just("COM"),
        Just("lpt1"),
        Just("\u{b9}"),
        Just(" "),
        Just("\u{3000}"),
        Just("con"),
        Just("$"),
        Just(".txt"),
        Just("\u{200c}"),
        Just("\u{fe0f}"),
        Just("\u{e9}"),
    ];
    let unseen =
        (0..UNSEEN.len(), any::<bool>(), any::<bool>()).prop_map(|(index, last, beside)| {
            // At an edge of a range, and just beyond it.
            let (first, end) = UNSEEN[index];
            let number = match (last, beside) {
                (false, false) => first,
                (false, true) => first - 1,
                (true, false) => end,
                (true, true) => end + 1,
            };
            char::from_u32(number).unwrap_or('a').to_string()
        });
    prop_oneof![
        6 => fixed.prop_map(str::to_owned),
        2 => unseen,
        2 => any::<char>().prop_map(|character| character.to_string()),
        2 => (0_u8..0x80).prop_map(|byte| char::from(byte).to_string()),
        1 => (200_usize..300).prop_map(|length| "x".repeat(length)),
        1 => (30_usize..70).prop_map(|depth| "d/".repeat(depth)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if is_full() { 1_000_000 } else { 5_000 },
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(8),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_parser_and_its_model_agree(pieces in prop::collection::vec(piece(), 0..8)) {
        let path = pieces.concat();
        prop_assert_eq!(refusal(&path).map(|(rule, _)| rule), model(&path), "{:?}", path);
    }
}

#[test]
fn every_character_is_judged_as_the_model_does() {
    // By default, those of the first 12,544 and what is near the edge of a range.
    let is_near = |number: u32| {
        UNSEEN
            .iter()
            .any(|(first, end)| first.abs_diff(number) < 4 || end.abs_diff(number) < 4)
    };
    for character in char::MIN..=char::MAX {
        let number = u32::from(character);
        if !is_full() && number > 0x3100 && !is_near(number) {
            continue;
        }
        for path in [
            format!("a{character}b"),
            format!("a{character}"),
            character.to_string(),
        ] {
            assert_eq!(
                refusal(&path).map(|(rule, _)| rule),
                model(&path),
                "{path:?}"
            );
        }
    }
}
