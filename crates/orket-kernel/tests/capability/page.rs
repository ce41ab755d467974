//! The page for people holds a policy that is one.

use orket_kernel::canonical;
use orket_kernel::capability::Policy;

const PAGE: &str = include_str!("../../../../docs/kernel/capability-policy.md");

#[test]
fn the_example_of_the_page_is_a_valid_policy() {
    let (_, rest) = PAGE.split_once("```json\n").unwrap();
    let (example, rest) = rest.split_once("```").unwrap();
    assert!(
        !rest.contains("```json"),
        "there is another example, which is not checked"
    );
    let value = canonical::parse(example.as_bytes()).unwrap();
    let policy = Policy::from_value(value).unwrap_or_else(|error| panic!("{error}"));
    assert!(policy.is_enabled());
    for matcher in ["path_under", "host_in", "starts_with", "one_of"] {
        let shown = canonical::to_value(&policy).unwrap().to_string();
        assert!(
            shown.contains(&format!("{{\"{matcher}\":")),
            "no example of {matcher}"
        );
    }
}
