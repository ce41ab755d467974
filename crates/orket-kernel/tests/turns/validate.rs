//! The operations on one triplet: its five stages, and its links against the index.

use orket_kernel::canonical::Value;
use orket_kernel::{
    Code, EmptyView, KernelIssue, Layered, Profile, Stage, StateView, Triplet, object,
    plan_promotion, validate_links_against_index, validate_triplet,
};

use crate::shelf::Shelf;
use crate::world::{card, execute, stem, turn};

fn told(issues: &[KernelIssue]) -> Vec<(Code, &str)> {
    let told = issues.iter();
    told.map(|issue| (issue.code, issue.location.as_str()))
        .collect()
}

/// A triplet in which every stage finds something.
fn faulty() -> Triplet {
    let reference = object! { "type" => "skill", "id" => "skill/none", "relationship" => "uses" };
    Triplet {
        stem: stem("invocation/i"),
        body: object! { "dto_type" => "invocation", "id" => "invocation/i", "workspace_id" => 1_u64 },
        links: object! { "tools" => reference },
        manifest: object! {},
    }
}

#[test]
fn invariant_fixed_five_stage_pipeline_over_one_triplet() {
    let names: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    assert_eq!(
        names,
        [
            "base_shape",
            "dto_links",
            "rel_vocab",
            "policy",
            "determinism"
        ]
    );
    let issues = validate_triplet(&Profile::reference(), &faulty());
    assert_eq!(
        told(&issues),
        [
            (Code::DtoLinksInvalid, "/links/tools"),
            (Code::RelVocabInvalid, "/links/tools/relationship"),
            (Code::PolicyRawIdForbidden, "/body/workspace_id"),
            (Code::DeterminismViolation, "/manifest/order_insensitive"),
        ]
    );
    let stages: Vec<Stage> = issues.iter().map(|issue| issue.stage).collect();
    assert_eq!(stages, Stage::ALL[1..]);
}

#[test]
fn invariant_fail_closed_the_first_stage_stops_the_others() {
    let mut triplet = faulty();
    triplet.body = object! { "dto_type" => "skill", "id" => "", "content_digest" => "x" };
    triplet.manifest = Value::Null;
    assert_eq!(
        told(&validate_triplet(&Profile::reference(), &triplet)),
        [
            (Code::BaseShapeInvalid, "/body/content_digest"),
            (Code::BaseShapeInvalid, "/body/dto_type"),
            (Code::BaseShapeInvalid, "/body/id"),
            (Code::BaseShapeInvalid, "/manifest"),
        ]
    );
    for (body, links) in [(Value::Null, object! {}), (object! {}, Value::Null)] {
        let triplet = Triplet {
            body,
            links,
            ..faulty()
        };
        let issues = validate_triplet(&Profile::reference(), &triplet);
        assert!(issues.iter().all(|issue| issue.stage == Stage::BaseShape));
        assert!(!issues.is_empty());
    }
}

#[test]
fn one_triplet_is_judged_as_in_its_turn() {
    let mut unsorted = card("A", &["A"], "t");
    unsorted.manifest = object! {};
    for triplet in [card("A", &["A"], "t"), unsorted] {
        let alone = validate_triplet(&Profile::orket(), &triplet);
        let result = execute(&turn(1, vec![triplet], &[]), &EmptyView).result;
        let in_turn = result.issues.iter().map(|issue| {
            let place = issue.location.as_str().strip_prefix("/triplets/0").unwrap();
            (issue.code, place)
        });
        assert_eq!(told(&alone), in_turn.collect::<Vec<_>>());
    }
}

/// A body as deep as a document may be, on a stack that would not hold a call per level.
#[test]
fn the_deepest_body_is_walked_on_a_small_stack() {
    let mut text = r#"{"dto_type":"skill","id":"skill/s","deep":"#.to_owned();
    text.push_str(&r#"{"x":["#.repeat(495));
    text.push_str(r#"{"skill_id":0}"#);
    text.push_str(&"]}".repeat(495));
    text.push('}');
    let triplet = Triplet {
        stem: stem("skill/s"),
        body: orket_kernel::canonical::parse(text.as_bytes()).unwrap(),
        links: object! {},
        manifest: object! { "order_insensitive" => Vec::new() },
    };
    let profile = Profile::reference();
    let issues = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(32 * 1024);
        let judge = || validate_triplet(&profile, &triplet);
        thread.spawn_scoped(scope, judge).unwrap().join().unwrap()
    });
    let place = format!("/body/deep{}/skill_id", "/x/0".repeat(495));
    assert_eq!(
        told(&issues),
        [(Code::PolicyRawIdForbidden, place.as_str())]
    );
}

fn shelf(cards: Vec<Triplet>) -> Shelf {
    let mut shelf = Shelf::default();
    let staged = execute(&turn(1, cards, &[]), &shelf).staged.unwrap();
    shelf.apply(&plan_promotion(&staged, &shelf).unwrap().0);
    shelf
}

fn orphans(triplet: &Triplet, view: &dyn StateView) -> Vec<String> {
    let issues = validate_links_against_index(triplet, view);
    for issue in &issues {
        assert_eq!(
            (issue.code, issue.stage),
            (Code::LsiOrphanReference, Stage::DtoLinks)
        );
    }
    issues
        .iter()
        .map(|issue| issue.location.to_string())
        .collect()
}

#[test]
fn spec_002_visibility_is_self_then_staging_then_committed() {
    let committed = shelf(vec![card("A", &[], "t"), card("B", &[], "t")]);
    let staged = execute(&turn(2, vec![card("C", &[], "t")], &["B"]), &committed)
        .staged
        .unwrap();
    let staged = [staged];
    let view = Layered::new(&committed, &staged);
    // Self, staged and committed are seen; what staging deleted and what nobody defines is not.
    let links = ["A", "B", "C", "D", "E"];
    assert_eq!(
        orphans(&card("D", &links, "t"), &view),
        ["/links/depends_on/1/id", "/links/depends_on/4/id"]
    );
    assert_eq!(
        orphans(&card("D", &links, "t"), &committed),
        ["/links/depends_on/2/id", "/links/depends_on/4/id"]
    );
    assert_eq!(orphans(&card("E", &["E"], "t"), &EmptyView), [""; 0]);
}

#[test]
fn an_id_that_the_triplet_gives_up_is_not_visible_to_it() {
    let committed = shelf(vec![card("A", &[], "t")]);
    let mut moved = card("A", &["A"], "t");
    moved.body = object! { "dto_type" => "card", "id" => "card/other" };
    assert_eq!(orphans(&moved, &committed), ["/links/depends_on/0/id"]);
}

#[test]
fn invariant_fail_closed_links_that_cannot_be_looked_up() {
    let mut committed = shelf(vec![card("A", &[], "t")]);
    let mut claim = card("B", &["A"], "t");
    claim.links = object! { "x" => object! { "type" => "epic", "id" => "card/A" } };
    let issues = validate_links_against_index(&claim, &committed);
    assert_eq!(told(&issues), [(Code::DtoLinksInvalid, "/links/x/type")]);
    assert_eq!(issues[0].details, object! { "reason" => "target_type" });

    committed.damaged.insert("card/A".into());
    let issues = validate_links_against_index(&card("B", &["A"], "t"), &committed);
    assert_eq!(
        told(&issues),
        [(Code::LsiCorruptRecord, "/links/depends_on/0")]
    );

    for (links, place) in [
        (Value::Null, "/links"),
        (object! { "x" => "card/A" }, "/links/x"),
        (
            object! { "x" => vec![object! { "type" => "card" }] },
            "/links/x/0",
        ),
    ] {
        let triplet = Triplet {
            links,
            ..card("B", &[], "t")
        };
        let issues = validate_links_against_index(&triplet, &committed);
        assert_eq!(told(&issues), [(Code::BaseShapeInvalid, place)]);
    }
}

#[test]
fn law_5_an_absent_label_is_recorded_as_an_empty_text() {
    use orket_kernel::capability::Policy;
    use orket_kernel::{RunEnvelope, RunId, execute_turn};

    let plain = |name: &str, kind: &str, links: Value| Triplet {
        stem: stem(name),
        body: object! { "dto_type" => kind, "id" => name },
        links,
        manifest: object! { "order_insensitive" => Vec::new() },
    };
    let skill = plain("skill/s", "skill", object! {});
    let reference = object! { "type" => "skill", "id" => "skill/s" };
    let invocation = plain(
        "invocation/i",
        "invocation",
        object! { "skill" => reference },
    );
    let run_id = RunId::parse("run").unwrap();
    let policy = Policy::deny_all();
    let envelope = RunEnvelope::new(run_id, "f", "v", policy, Profile::reference(), object! {});
    let input = turn(1, vec![skill, invocation], &[]);
    let execution = execute_turn(&envelope, &envelope.handle().unwrap(), &input, &EmptyView);
    let staged = execution.staged.unwrap();
    let (id, source) = &staged.triplets[&stem("invocation/i")].references[0];
    assert_eq!(
        (id.as_str(), source.location.as_str()),
        ("skill/s", "/links/skill")
    );
    assert_eq!(source.relationship, "");
}
