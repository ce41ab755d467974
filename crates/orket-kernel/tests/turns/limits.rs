//! Limits at the border: what is too large is refused before it is looked at.

use std::sync::Arc;

use orket_kernel::canonical::Value;
use orket_kernel::capability::{Action, ToolRequest};
use orket_kernel::{
    Digest, EmptyView, Payload, PayloadSource, Profile, Stage, Stream, Triplet, TurnInput,
    TurnResult, limits, object, validate_triplet,
};

use crate::shelf::Shelf;
use crate::world::{card, execute, stem, turn};

fn cards(count: usize) -> Vec<Triplet> {
    (0..count)
        .map(|number| card(&number.to_string(), &[], "t"))
        .collect()
}

fn call() -> ToolRequest {
    ToolRequest {
        role: "coder".into(),
        task: "build".into(),
        tool: "write_file".into(),
        action: Action::default(),
        arguments: Value::Null,
    }
}

fn with_links(count: usize) -> Triplet {
    let reference = object! { "type" => "card", "id" => "card/A", "relationship" => "depends_on" };
    let mut card = card("A", &[], "t");
    card.links = object! { "depends_on" => vec![reference; count] };
    card.manifest = object! { "order_insensitive" => Vec::new() };
    card
}

fn assert_too_many(result: &TurnResult, location: &str, count: usize, limit: usize) {
    let [issue] = &result.issues[..] else {
        panic!("{location}: {} issues", result.issues.len());
    };
    assert_eq!(issue.stage, Stage::BaseShape);
    assert_eq!(issue.location.as_str(), location);
    let expected = object! { "reason" => "too_many", "count" => count, "limit" => limit };
    assert_eq!(issue.details, expected);
    assert!(
        issue.message.contains(&count.to_string()) && issue.message.contains(&limit.to_string())
    );
}

#[test]
fn invariant_fail_closed_an_input_beyond_a_limit_is_refused_whole() {
    let stems = (0..=limits::DELETIONS_MAX).map(|number| stem(&format!("card/{number}")));
    let bytes = |number: usize| number.to_le_bytes().to_vec();
    let attached = (0..=limits::ATTACHMENTS_MAX).map(|number| {
        (
            orket_kernel::Digest::of_bytes(&bytes(number)),
            bytes(number).into(),
        )
    });
    let empty = || turn(1, Vec::new(), &[]);
    let cases: [(&str, usize, TurnInput); 6] = [
        (
            "/triplets",
            limits::TRIPLETS_MAX,
            turn(1, cards(limits::TRIPLETS_MAX + 1), &[]),
        ),
        (
            "/deletions",
            limits::DELETIONS_MAX,
            TurnInput {
                deletions: stems.collect(),
                ..empty()
            },
        ),
        (
            "/tool_calls",
            limits::TOOL_CALLS_MAX,
            TurnInput {
                tool_calls: vec![call(); limits::TOOL_CALLS_MAX + 1],
                ..empty()
            },
        ),
        (
            "/outcomes",
            limits::OUTCOMES_MAX,
            TurnInput {
                outcomes: vec![Value::Null; limits::OUTCOMES_MAX + 1],
                ..empty()
            },
        ),
        (
            "",
            limits::ATTACHMENTS_MAX,
            TurnInput {
                attachments: attached.collect(),
                ..empty()
            },
        ),
        (
            "/triplets/0/links",
            limits::LINKS_PER_TRIPLET_MAX,
            turn(1, vec![with_links(limits::LINKS_PER_TRIPLET_MAX + 1)], &[]),
        ),
    ];
    for (location, limit, input) in cases {
        let result = execute(&input, &Shelf::default()).result;
        assert_too_many(&result, location, limit + 1, limit);
    }
}

/// What a stream says of itself, for nobody reads it before it is kept.
#[derive(Debug)]
struct Unread;

impl PayloadSource for Unread {
    fn open(&self) -> std::io::Result<Box<dyn std::io::Read + Send>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

#[test]
fn an_attachment_is_at_most_4_gib_long_and_is_what_its_digest_says() {
    let attach = |digest: &[u8], of: &[u8], length_bytes: u64| {
        let stream = Stream::new(Digest::of_bytes(of), length_bytes, Arc::new(Unread));
        let attached = (Digest::of_bytes(digest), Payload::Streamed(stream));
        let input = TurnInput {
            attachments: [attached].into(),
            ..turn(1, Vec::new(), &[])
        };
        execute(&input, &EmptyView)
    };
    let largest = 4 * 1024 * 1024 * 1024;
    let staged = attach(b"a", b"a", largest).staged.unwrap();
    assert_eq!(staged.objects.len(), 1);
    for (refused, reason) in [
        (attach(b"a", b"a", largest + 1), "too_long"),
        (attach(b"a", b"b", 1), "attachment"),
    ] {
        let [issue] = &refused.result.issues[..] else {
            panic!("{reason}: {:?}", refused.result.issues);
        };
        assert_eq!(issue.details.get("reason"), Some(&reason.into()));
    }
}

#[test]
fn what_just_fits_a_limit_is_judged() {
    let calls = TurnInput {
        tool_calls: vec![call(); limits::TOOL_CALLS_MAX],
        ..turn(1, Vec::new(), &[])
    };
    assert!(execute(&calls, &EmptyView).staged.is_some());
    assert_eq!(
        validate_triplet(
            &Profile::orket(),
            &with_links(limits::LINKS_PER_TRIPLET_MAX)
        ),
        []
    );
}

/// Each card needs the one before it, so that every id is looked up. With a search through the turn per id this is 10⁸ steps.
#[test]
fn a_turn_of_ten_thousand_linked_triplets_is_judged() {
    let count = limits::TRIPLETS_MAX;
    let linked = (0..count).map(|number| {
        let (own, before) = (
            number.to_string(),
            ((number + count - 1) % count).to_string(),
        );
        card(&own, &[&before], "t")
    });
    let execution = execute(&turn(1, linked.collect(), &[]), &EmptyView);
    assert_eq!(execution.result.issues, []);
    assert_eq!(execution.staged.unwrap().triplets.len(), count);
}

#[test]
fn of_very_many_raw_ids_the_first_hundred_are_told() {
    let steps = vec![object! { "skill_id" => "x" }; limits::RAW_IDS_TOLD_MAX + 1];
    let skill = Triplet {
        stem: stem("skill/s"),
        body: object! { "dto_type" => "skill", "id" => "skill/s", "steps" => steps },
        links: object! {},
        manifest: object! { "order_insensitive" => Vec::new() },
    };
    let issues = validate_triplet(&Profile::reference(), &skill);
    assert_eq!(issues.len(), limits::RAW_IDS_TOLD_MAX);
}
