//! An answer is staged before it is judged, and used again only for the very same request.

use orket_cards::{ExchangePlace, StoreFault, TurnStore};
use orket_flow::RunEnding;
use orket_kernel::TurnId;
use orket_kernel::canonical;

use crate::model::{calls, good, prose, scripted, set, write};
use crate::project::{Project, card, run_id};
use crate::table::Table;
use crate::tap::{Moment, TapStore, Tapped};

/// Plays until the commit of turn 2, which fails; its exchanges lie in staging.
fn interrupted(project: &Project, corrective: bool) -> usize {
    let model = scripted(move |ask| {
        Ok(if corrective && ask.number == 0 {
            prose("I would")
        } else {
            good(ask)
        })
    });
    let board = project.board();
    let on = |tapped: &Tapped<'_>| match tapped.commit {
        Some(commit) if commit.record.turn_id.number() == 2 && tapped.moment == Moment::Before => {
            Err(StoreFault::Unusable {
                reason: "injected".into(),
            })
        }
        _ => Ok(()),
    };
    let store = TapStore { inner: &board, on };
    Table::new(project, &model)
        .store(&store)
        .play()
        .unwrap_err();
    model.count()
}

fn place(exchange: u64) -> ExchangePlace {
    ExchangePlace {
        run_id: run_id("e-1"),
        turn_id: TurnId::new(2).unwrap(),
        attempt: 1,
        exchange,
    }
}

/// Plays on with a good model and says how often it was asked.
fn resumed(project: &Project) -> usize {
    let model = scripted(|ask| Ok(good(ask)));
    let summary = Table::new(project, &model).play().unwrap();
    assert_eq!(
        (summary.ending, summary.run_id.as_deref()),
        (RunEnding::Done, Some("e-1"))
    );
    assert_eq!(project.replay_all("e-1"), 4);
    model.count()
}

#[test]
fn a_staged_exchange_is_used_when_the_same_request_comes_again() {
    let project = Project::new(&[card("A", &[])]);
    assert_eq!(interrupted(&project, false), 1);
    assert_eq!(resumed(&project), 2, "only reviewer and guard are asked");
    let project = Project::new(&[card("A", &[])]);
    assert_eq!(interrupted(&project, true), 2);
    assert_eq!(
        resumed(&project),
        2,
        "neither the first answer nor the corrective is asked for again"
    );
    let record = project.record(&project.turns("e-1")[1].record_digest);
    assert_eq!(record.exchanges.len(), 2);
}

#[test]
fn a_torn_or_foreign_staged_exchange_is_asked_again() {
    let project = Project::new(&[card("A", &[])]);
    interrupted(&project, false);
    let whole = project.board().staged_exchange(&place(1)).unwrap().unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let own = canonical::parse(&whole).unwrap();
    let own = own.get("request_digest").unwrap().as_str().unwrap();
    // A damaged answer that still parses passed for the one that the model gave.
    let at = text.find("\"content\":\"").unwrap() + 11;
    let mut flipped = whole.clone();
    flipped.insert(at, b'z');
    let spoiled: Vec<(&str, Vec<u8>)> = vec![
        ("another answer", flipped),
        ("empty", Vec::new()),
        ("torn", whole[..whole.len() / 2].to_vec()),
        ("one byte short", whole[..whole.len() - 1].to_vec()),
        (
            "no answer",
            format!(r#"{{"request_digest":"{own}"}}"#).into_bytes(),
        ),
        (
            "half an answer",
            format!(r#"{{"answer":{{"content":"x"}},"request_digest":"{own}"}}"#).into_bytes(),
        ),
        ("no object", b"[]".to_vec()),
        ("no text", vec![0xff, 0xfe]),
        (
            "of another request",
            text.replace(own, &"0".repeat(64)).into_bytes(),
        ),
    ];
    for (name, bytes) in spoiled {
        let project = Project::new(&[card("A", &[])]);
        assert_eq!(interrupted(&project, false), 1);
        project.board().stage_exchange(&place(1), &bytes).unwrap();
        assert_eq!(resumed(&project), 3, "{name}");
    }
    // The control: the same bytes written again are used.
    assert_eq!(interrupted(&Project::new(&[card("A", &[])]), false), 1);
    project.board().stage_exchange(&place(1), &whole).unwrap();
    assert_eq!(resumed(&project), 2);
}

/// The request changes with what the state says, so an answer is not used for another state.
#[test]
fn a_changed_asset_does_not_change_a_run_that_goes_on() {
    let project = Project::new(&[card("A", &[])]);
    interrupted(&project, false);
    let mut renamed = card("A", &[]);
    renamed["title"] = "another title".into();
    project.epic("e", &[renamed]);
    assert_eq!(
        resumed(&project),
        2,
        "the run goes on with what was fixed when it began"
    );
    assert_eq!(project.cards()["A"].title, "card A");
}

#[test]
fn a_staged_answer_that_was_refused_is_not_used_for_the_next_attempt() {
    let project = Project::new(&[card("A", &[])]);
    let model = scripted(|ask| {
        Ok(if ask.number == 0 {
            calls([write("agent_output/A.txt", "x"), set("done")])
        } else {
            good(ask)
        })
    });
    let board = project.board();
    let on = |tapped: &Tapped<'_>| match (tapped.method, tapped.moment) {
        ("keep_attempt", Moment::After) => Err(StoreFault::Unusable {
            reason: "injected".into(),
        }),
        _ => Ok(()),
    };
    let store = TapStore { inner: &board, on };
    Table::new(&project, &model)
        .store(&store)
        .play()
        .unwrap_err();
    assert_eq!(resumed(&project), 3, "the second attempt asks anew");
    assert_eq!(project.attempts("e-1").len(), 1);
    assert!(
        project.tree(".orket/index/staging").is_empty(),
        "what a promoted turn staged is gone"
    );
}
