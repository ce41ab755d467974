//! Law 4: canonical bytes are their own canonical form.

use orket_kernel::canonical;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// JSON texts with white space, escapes and numbers in several spellings; some repeat a key, and have no canonical form.
fn document() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|it| it.to_string()),
        any::<f64>()
            .prop_filter("JSON has no others", |it| it.is_finite())
            .prop_map(|it| format!("{it:e}")),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
    ];
    let string = prop_oneof![
        any::<String>().prop_map(|text| canonical::to_string(&text.as_str().into())),
        "[a-c/]{0,2}".prop_map(|text| {
            let escaped: Vec<String> = text
                .chars()
                .map(|it| format!("\\u{:04X}", it as u32))
                .collect();
            format!("\"{}\"", escaped.concat())
        }),
    ];
    let leaf = prop_oneof![
        number,
        string.clone(),
        Just("true".to_owned()),
        Just("null".to_owned())
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        let member =
            (string.clone(), inner.clone()).prop_map(|(key, value)| format!("{key}\t:{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5)
                .prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
            prop::collection::vec(member, 0..5)
                .prop_map(|members| format!("{{\r\n{}}}", members.join(", "))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x0_0e7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn law_4_canonicalisation_is_idempotent(text in document()) {
        let Ok(value) = canonical::parse(text.as_bytes()) else {
            prop_assert!(canonical::canonicalize(text.as_bytes()).is_err());
            return Ok(());
        };
        let once = canonical::to_bytes(&value);
        prop_assert_eq!(canonical::parse(&once).unwrap(), value);
        prop_assert_eq!(canonical::to_bytes(&canonical::parse(&once).unwrap()), once.clone());
        prop_assert_eq!(canonical::canonicalize(text.as_bytes()).unwrap().into_owned(), once.clone());
        prop_assert_eq!(canonical::canonicalize(&once).unwrap().into_owned(), once);
    }
}

/// The property says little if most of the texts have no canonical form.
#[test]
fn most_of_the_documents_have_a_canonical_form() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::new(ProptestConfig {
        rng_seed: RngSeed::Fixed(0x0_0e7),
        ..ProptestConfig::default()
    });
    let texts = (0..500).map(|_| document().new_tree(&mut runner).unwrap().current());
    let good = texts.filter(|text| canonical::parse(text.as_bytes()).is_ok());
    let count = good.count();
    assert!(count > 400, "{count} of 500");
}
