//! `orket explain`.

use insta::assert_snapshot;
use orket_testkit::CliEnvironment;
use serde_json::Value;

use crate::sample::program;

fn explain(arguments: &[&str]) -> orket_testkit::Output {
    let arguments: Vec<&str> = ["explain"].iter().chain(arguments).copied().collect();
    CliEnvironment::empty(program()).run(&arguments)
}

#[test]
fn a_code_is_explained_without_a_project() {
    assert_snapshot!(explain(&["E_LSI_ORPHAN_REFERENCE"]), @r#"
    $ orket explain E_LSI_ORPHAN_REFERENCE
    # E_LSI_ORPHAN_REFERENCE

    A link names an id that is not visible, or a deletion would leave such a link behind.

    Since registry 1.0. Spoken by the stage `dto_links`. The turn fails and changes nothing.

    ## When

    An id is visible if the turn itself defines it, an earlier turn of the run that is still staged does, or the committed state
    does. A link never makes its target visible. The cases are told apart by what `details` holds:

    | `details` | Location | Case |
    |---|---|---|
    | `id` | the `id` of the link | Nothing visible defines the id that the link names. A stem that the same turn deletes, or gives another id, no longer defines its old one. |
    | `referrers` | the deletion, or the `id` of the body | The turn takes an id away, by deleting its stem or by giving the stem another id, while the stems named here still link to it. |

    ## What to do

    - For `id`: define the target in the same turn or an earlier one, or correct the id.
    - For `referrers`: delete the referrers in the same turn, or stage them again without the link.

    ## Event line

    ```text
    FAIL|dto_links|E_LSI_ORPHAN_REFERENCE|/triplets/0/links/depends_on/0/id|nothing visible defines card/FL-9|{"id":"card/FL-9"}
    FAIL|dto_links|E_LSI_ORPHAN_REFERENCE|/deletions/0|the id of card/FL-1 is still referenced|{"referrers":["card/FL-2"]}
    ```
    [exit 0]
    "#);
}

#[test]
fn a_code_of_the_workbench_is_explained_too() {
    assert_snapshot!(explain(&["E_TOUCHSET_EMPTY"]), @r"
    $ orket explain E_TOUCHSET_EMPTY
    # E_TOUCHSET_EMPTY

    The old name is nowhere in the scope.

    Exit code 1. The old name is no identifier anywhere in the scope. If it stands in comments or strings, the message says so.
    [exit 0]
    ");
}

#[test]
fn without_a_code_all_are_listed() {
    let all = explain(&[]);
    let (kernel, workbench) = all.stdout.split_once("E_BLUEPRINT").unwrap();
    let listed = workbench.lines().count();
    assert_eq!(listed, orket_workbench::Code::ALL.len(), "{all}");
    assert_snapshot!(kernel, @r"
    E_LSI_ORPHAN_REFERENCE      A link names an id that is not visible, or a deletion would leave such a link behind.
    E_LSI_PROMOTION_FAILED      A promotion was refused and changed nothing.
    E_LSI_CORRUPT_RECORD        A record is malformed or does not match its digest.
    E_CAPABILITY_DENIED         An action was not declared in the policy of the run.
    I_REF_MULTISOURCE           More than one stem references the same id.
    I_PROMOTION_PASS            A promotion was applied whole.
    I_CAPABILITY_SKIPPED        The capability module is disabled in the envelope of the run.
    E_BASE_SHAPE_INVALID        A turn or a request does not have the shape that the contract demands, or does not fit its run.
    E_LSI_DUPLICATE_IDENTITY    A second stem defines an id that is already defined.
    E_DTO_LINKS_INVALID         A link does not fit the slots of its type.
    E_REL_VOCAB_INVALID         A relationship label is unknown or does not fit its ends.
    E_DETERMINISM_VIOLATION     An array that its manifest declares to be ordered by value is not.
    E_REPLAY_DIVERGENCE         A replayed turn differs from its record.
    E_POLICY_RAW_ID_FORBIDDEN   A body or its links hold an id under a key that the profile forbids.
    I_NOOP_PROMOTION            A turn that changes nothing was promoted.
    ");
}

#[test]
fn a_page_as_data() {
    let one = explain(&["I_NOOP_PROMOTION", "--json"]);
    let one: Value = serde_json::from_str(&one.assert_code(0).stdout).unwrap();
    assert_eq!(
        one,
        serde_json::json!({
            "code": "I_NOOP_PROMOTION",
            "since": "1.1",
            "meaning": "A turn that changes nothing was promoted.",
            "page": explain(&["I_NOOP_PROMOTION"]).stdout,
        })
    );
    let all = explain(&["--json"]);
    let all: Value = serde_json::from_str(&all.assert_code(0).stdout).unwrap();
    assert!(all.as_array().unwrap().contains(&one));
}

#[test]
fn an_unknown_code_is_answered_with_the_nearest() {
    assert_snapshot!(explain(&["E_LSI_ORPHAN_TARGET"]), @r#"
    $ orket explain E_LSI_ORPHAN_TARGET
    -- standard error --
    orket: there is no code "E_LSI_ORPHAN_TARGET"; the nearest is E_LSI_ORPHAN_REFERENCE, and `orket explain` lists them all
    [exit 2]
    "#);
    assert_snapshot!(explain(&["i_promotion_pas", "--json"]), @r#"
    $ orket explain i_promotion_pas --json
    -- standard error --
    orket: there is no code "i_promotion_pas"; the nearest is I_PROMOTION_PASS, and `orket explain` lists them all
    [exit 2]
    "#);
}
