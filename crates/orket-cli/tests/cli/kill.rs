//! kill -9 at any moment: the same command again continues, and nothing is lost or done twice.

use std::time::{Duration, Instant};

use orket_model_double::{ModelDouble, Script};
use orket_testkit::{CliEnvironment, Ending, Link, SplitMix64, Tree};
use serde_json::Value;

use crate::sample::{Facts, TURNS, exchanges, facts, log, sample, show};

const RUN: &str = "first_light-1";

/// Before each piece of an answer of the server; makes the asking as long as the rest of a turn.
const PAUSE: Duration = Duration::from_millis(4);

/// Everything that an interrupted run must leave as one that was never interrupted leaves it.
struct Whole {
    facts: Facts,
    /// With the digests of the records: who decided what, on which exchange.
    shown: Value,
    log: String,
    workspace: Tree,
    /// Staging, the browsable view and its bookkeeping.
    index: Tree,
}

fn whole(environment: &CliEnvironment) -> Whole {
    Whole {
        facts: facts(environment, RUN),
        shown: show(environment, RUN),
        log: environment.read("workspace/default/orket.log"),
        workspace: Tree::read(&environment.path("workspace")),
        index: Tree::read(&environment.path(".orket/index")),
    }
}

/// A venue and what it needs.
struct Venue<'a> {
    name: &'a str,
    url: Option<&'a str>,
}

impl Venue<'_> {
    fn environment(&self) -> CliEnvironment {
        let mut environment = sample();
        if let Some(url) = self.url {
            // Not the sandbox is tested here; a machine without one runs these tests too. All artefacts are pinned.
            environment.replace("model/venues/ollama.json", "\"partial\"", "\"none\"");
            environment.set("ORKET_OLLAMA_URL", url);
        }
        environment
    }

    fn arguments(&self) -> [&str; 5] {
        ["run", "--epic", "first_light", "--venue", self.name]
    }
}

/// Tells whether the long way was asked for.
fn is_full() -> bool {
    std::env::var("ORKET_FULL").is_ok_and(|value| value == "1")
}

/// Returns how many moments one venue gets, and the seed.
fn moments() -> (usize, u64) {
    let seed = std::env::var("ORKET_SEED").map_or(20_260_101, |seed| seed.parse().unwrap());
    (if is_full() { 25 } else { 6 }, seed)
}

#[test]
fn a_killed_run_of_recordings_goes_on_as_if_nothing_had_been() {
    check(&Venue {
        name: "recorded",
        url: None,
    });
}

#[test]
fn a_killed_run_with_a_server_goes_on_as_if_nothing_had_been() {
    let double = ModelDouble::start(Script::Exchanges(exchanges())).unwrap();
    let link = Link::start(double.url(), PAUSE);
    check(&Venue {
        name: "ollama",
        url: Some(link.url()),
    });
}

/// What a run makes one after the other; killed at once when it appears, the run is within a few system calls of it.
const BEGINNINGS: &[&str] = &[
    ".orket",
    ".orket/durable/db",
    ".orket/durable/db/orket_persistence.db",
    ".orket/durable/db/orket_persistence.db-journal",
    ".orket/durable/db/orket_persistence.db-wal",
    ".orket/durable/db/orket_persistence.db-shm",
    ".orket/durable/leases",
    ".orket/index",
    ".orket/index/staging",
    ".orket/index/committed",
    ".orket/index/committed/VIEW",
    ".orket/index/OUTPUT",
    "workspace",
    "workspace/default/observability/first_light-1/-/001_engine/checkpoint.json",
    "agent_output",
    "agent_output/docs/design.md",
];

/// A bug: a kill while the database was being made left a journal that no later command could roll back.
#[test]
fn a_kill_in_the_beginning_leaves_a_project_that_works() {
    let arguments = ["run", "--card", "FL-1"];
    let environment = sample();
    environment.run(&arguments).assert_code(0);
    let expected = whole(&environment);
    let mut failures = Vec::new();
    let mut kills = 0;
    let repetitions = if is_full() { 6 } else { 3 };
    for place in BEGINNINGS
        .iter()
        .cycle()
        .take(BEGINNINGS.len() * repetitions)
    {
        let environment = sample();
        let path = environment.path(place);
        let ending = environment.start(&arguments).kill_when(|| {
            // A file counts when something stands in it: an empty journal has nothing to roll back.
            std::fs::metadata(&path).is_ok_and(|it| it.is_dir() || it.len() > 0)
        });
        kills += usize::from(matches!(ending, Ending::Killed(_)));
        let mut commands = vec![environment.run(&["board"])];
        commands.push(environment.run(&arguments));
        match commands.iter().find(|output| output.code != Some(0)) {
            Some(failed) => failures.push(format!("killed at {place}:\n{failed}")),
            None => failures.extend(
                differences(&expected, &environment)
                    .iter()
                    .map(|difference| format!("killed at {place}: {difference}")),
            ),
        }
    }
    eprintln!("{kills} kills");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Most of these moments exist, whatever the order in which things are made.
    assert!(kills > BEGINNINGS.len() * repetitions / 2, "{kills} kills");
}

fn check(venue: &Venue<'_>) {
    let (count, seed) = moments();
    let environment = venue.environment();
    let begin = Instant::now();
    environment.run(&venue.arguments()).assert_code(0);
    let duration = begin.elapsed();
    let expected = whole(&environment);
    assert_eq!(expected.facts.turns.len(), TURNS);
    assert_eq!(
        expected
            .index
            .files()
            .iter()
            .filter(|file| file.starts_with("staging"))
            .count(),
        0
    );
    eprintln!("seed {seed} (ORKET_SEED=N takes another), {count} moments within {duration:?}");
    let mut chance = SplitMix64::new(seed);
    let (mut first_turns, mut failures) = (Vec::new(), Vec::new());
    let mut left_behind = 0;
    for number in 0..count {
        // One moment in each part of the run, so that every phase has its share.
        let fraction = (number as f64 + chance.next_fraction()) / count as f64;
        let again = number % 3 == 1;
        let environment = interrupted(
            venue,
            duration.mul_f64(fraction),
            again.then(|| chance.next_fraction()),
        );
        first_turns.push(last_turn(&environment));
        environment.run(&venue.arguments()).assert_code(0);
        left_behind += Tree::read(&environment.temporary())
            .paths()
            .iter()
            .filter(|path| !path.contains('/'))
            .count();
        for difference in differences(&expected, &environment) {
            failures.push(format!(
                "moment {number}, {fraction:.3} of the run: {difference}"
            ));
        }
    }
    eprintln!(
        "killed after the turns {first_turns:?}; {left_behind} temporary directories left behind"
    );
    assert!(failures.is_empty(), "seed {seed}:\n{}", failures.join("\n"));
}

/// Returns a project in which a run was killed once at the moment, or twice.
fn interrupted(venue: &Venue<'_>, moment: Duration, again: Option<f64>) -> CliEnvironment {
    let mut moment = moment;
    // A run that was quicker than the measured one ends before its moment; then an earlier one is taken.
    loop {
        let environment = venue.environment();
        match environment.start(&venue.arguments()).kill_after(moment) {
            Ending::Ended(output) => {
                output.assert_code(0);
                moment = moment.mul_f64(0.8);
                continue;
            }
            Ending::Killed(output) => assert_eq!(output.signal, Some(9)),
        }
        if let Some(fraction) = again {
            // The recovery may be killed as well; that it was quicker does not matter.
            match environment
                .start(&venue.arguments())
                .kill_after(moment.mul_f64(fraction))
            {
                Ending::Ended(output) => {
                    output.assert_code(0);
                }
                Ending::Killed(_) => {}
            }
        }
        return environment;
    }
}

/// Returns the last promoted turn, 0 if there is none.
fn last_turn(environment: &CliEnvironment) -> usize {
    let output = environment.run(&["show", "run", RUN, "--json"]);
    match output.code {
        Some(0) => {
            let shown: Value = serde_json::from_str(&output.stdout).unwrap();
            shown["turns"].as_array().unwrap().len()
        }
        _ => 0,
    }
}

/// Says what an interrupted run left otherwise than the one that was never interrupted.
fn differences(expected: &Whole, environment: &CliEnvironment) -> Vec<String> {
    let found = whole(environment);
    let mut differences = Vec::new();
    let mut same = |what: &str, is_same: bool| {
        if !is_same {
            differences.push(what.to_owned());
        }
    };
    let facts = (&expected.facts, &found.facts);
    same("the digests of the turns", facts.0.turns == facts.1.turns);
    same(
        "the state digest",
        facts.0.state_digest == facts.1.state_digest,
    );
    same("the records of the turns", expected.shown == found.shown);
    let seqs = log(environment, RUN);
    let seqs: Vec<u64> = seqs
        .iter()
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    let is_whole = seqs.iter().copied().eq(1..=seqs.len() as u64);
    same(&format!("the numbers of the events: {seqs:?}"), is_whole);
    same("the log", expected.log == found.log);
    differences.extend(facts.0.output.differences(&facts.1.output));
    differences.extend(expected.index.differences(&found.index));
    differences.extend(expected.workspace.differences(&found.workspace));
    differences
}
