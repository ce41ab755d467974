//! `orket diff`: what changed between two states.

use std::fmt::Write;
use std::path::Path;

use orket_kernel::canonical::{self, Value};
use orket_kernel::{Digest, Pointer, StateView, TripletRecord, object};
use orket_lsi::{Past, StemDifference};

use super::state::{open, unreadable};
use crate::exit::{self, Code, Failure};
use crate::place::StatePlace;
use crate::project::Project;
use crate::{terminal, wire};

/// Shows what changed between two states: stems added, changed, deleted
///
/// Of a changed stem, every place of its body, links and manifest that differs is shown. It exits 0 whether or not something
/// differs.
#[derive(clap::Args)]
#[command(after_help = "Examples: orket diff first_light-1:2 first_light-1:5; orket diff @3 now")]
pub(crate) struct Arguments {
    /// The first state: RUN:TURN, @GENERATION or now
    #[arg(value_name = "STATE")]
    from: StatePlace,
    /// The second state
    #[arg(value_name = "STATE")]
    to: StatePlace,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: &Arguments, project: Option<&Path>) -> Result<Code, Failure> {
    let project = Project::find(project)?;
    let board = wire::board_to_look_at(&project)?;
    let snapshot = board.index().snapshot().map_err(wire::store_failure)?;
    let from = open(&snapshot, &arguments.from)?;
    let to = open(&snapshot, &arguments.to)?;
    let differences = snapshot
        .difference(&from, &to)
        .map_err(wire::store_failure)?;
    let stems = differences
        .into_iter()
        .map(|difference| Changed::read(difference, &from, &to))
        .collect::<Result<Vec<_>, Failure>>()?;
    let text = if arguments.json {
        json(&from, &to, &stems)
    } else {
        report(&from, &to, &stems)
    };
    terminal::print_bytes(text.as_bytes())?;
    Ok(exit::DONE)
}

/// A stem that differs, with the places.
struct Changed {
    stem: String,
    change: &'static str,
    places: Vec<(String, Option<Value>, Option<Value>)>,
}

impl Changed {
    fn read(
        difference: StemDifference,
        from: &Past<'_>,
        to: &Past<'_>,
    ) -> Result<Changed, Failure> {
        let change = match (&difference.before, &difference.after) {
            (None, _) => "added",
            (_, None) => "deleted",
            _ => "changed",
        };
        let mut places = Vec::new();
        type Part = (&'static str, fn(&TripletRecord) -> Digest);
        let parts: [Part; 3] = [
            ("body", |record| record.body_digest),
            ("links", |record| record.links_digest),
            ("manifest", |record| record.manifest_digest),
        ];
        if let (Some(before), Some(after)) = (&difference.before, &difference.after) {
            for (part, digest) in parts {
                if digest(before) != digest(after) {
                    let place = Pointer::root().key(part);
                    let (one, two) = (read(from, &digest(before))?, read(to, &digest(after))?);
                    compare(&place, &one, &two, &mut places);
                }
            }
        }
        Ok(Changed {
            stem: difference.stem.to_string(),
            change,
            places,
        })
    }
}

fn read(past: &Past<'_>, digest: &Digest) -> Result<Value, Failure> {
    let corrupt =
        |reason: String| Failure::new(exit::NO, format!("E_LSI_CORRUPT_RECORD: {reason}"));
    let bytes = past
        .object(digest)
        .map_err(unreadable)?
        .ok_or_else(|| corrupt(format!("the object {digest} is not kept")))?;
    canonical::parse(&bytes).map_err(|error| corrupt(format!("the object {digest}: {error}")))
}

/// Collects the places at which two values differ, depth first; `None` stands for what is not there.
fn compare(
    place: &Pointer,
    one: &Value,
    two: &Value,
    places: &mut Vec<(String, Option<Value>, Option<Value>)>,
) {
    if one == two {
        return;
    }
    match (one, two) {
        (Value::Object(before), Value::Object(after)) => {
            let keys: std::collections::BTreeSet<&String> =
                before.keys().chain(after.keys()).collect();
            for key in keys {
                step(&place.key(key), before.get(key), after.get(key), places);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                let place = place.index(index);
                step(&place, before.get(index), after.get(index), places);
            }
        }
        _ => places.push((place.to_string(), Some(one.clone()), Some(two.clone()))),
    }
}

fn step(
    place: &Pointer,
    one: Option<&Value>,
    two: Option<&Value>,
    places: &mut Vec<(String, Option<Value>, Option<Value>)>,
) {
    match (one, two) {
        (Some(one), Some(two)) => compare(place, one, two, places),
        (one, two) => places.push((place.to_string(), one.cloned(), two.cloned())),
    }
}

fn report(from: &Past<'_>, to: &Past<'_>, stems: &[Changed]) -> String {
    let mut text = String::new();
    for (name, past) in [("from", from), ("to", to)] {
        let head = past.head();
        let _ = writeln!(
            text,
            "{name:5} generation {}, state {}",
            head.generation, head.state_digest
        );
    }
    for stem in stems {
        let _ = writeln!(text, "{:8} {}", stem.change, terminal::plain(&stem.stem));
        for (place, one, two) in &stem.places {
            let (one, two) = shown(one.as_ref(), two.as_ref());
            let place = terminal::plain(place);
            let _ = writeln!(text, "  {place}: {one} → {two}");
        }
    }
    if stems.is_empty() {
        text.push_str("nothing differs\n");
    }
    text
}

/// Writes two values so that the place where they part can be seen, however long they are.
fn shown(one: Option<&Value>, two: Option<&Value>) -> (String, String) {
    const LEAD: usize = 16;
    const SHOWN: usize = 60;
    let text = |value: Option<&Value>| value.map_or("-".to_owned(), canonical::to_string);
    let (one, two): (Vec<char>, Vec<char>) =
        (text(one).chars().collect(), text(two).chars().collect());
    let same = one.iter().zip(&two).take_while(|(a, b)| a == b).count();
    let is_long = one.len().max(two.len()) > SHOWN;
    let from = if is_long {
        same.saturating_sub(LEAD)
    } else {
        0
    };
    let cut = |text: &[char]| {
        let rest = text.get(from..).unwrap_or_default();
        let mut shown: String = rest.iter().take(SHOWN).collect();
        if from > 0 {
            shown.insert(0, '…');
        }
        if rest.len() > SHOWN {
            shown.push('…');
        }
        terminal::plain(&shown)
    };
    (cut(&one), cut(&two))
}

fn json(from: &Past<'_>, to: &Past<'_>, stems: &[Changed]) -> String {
    let state = |past: &Past<'_>| {
        object! {
            "generation" => past.head().generation,
            "state_digest" => past.head().state_digest.to_hex(),
        }
    };
    let stems: Vec<Value> = stems
        .iter()
        .map(|stem| {
            let places: Vec<Value> = stem
                .places
                .iter()
                .map(|(place, one, two)| {
                    let mut row = object! { "place" => place.as_str() };
                    if let Value::Object(members) = &mut row {
                        let ends = [("from", one), ("to", two)];
                        let held = ends
                            .into_iter()
                            .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
                        members.extend(held);
                    }
                    row
                })
                .collect();
            object! { "stem" => stem.stem.as_str(), "change" => stem.change, "places" => places }
        })
        .collect();
    let report = object! { "from" => state(from), "to" => state(to), "stems" => stems };
    format!("{}\n", canonical::to_string(&report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_that_differs_is_named_once() {
        let one = canonical::parse(br#"{"a":{"b/c":1,"d":[1,2]},"same":[1]}"#).unwrap();
        let two = canonical::parse(br#"{"a":{"b/c":2,"d":[1]},"same":[1],"z":null}"#).unwrap();
        let mut places = Vec::new();
        compare(&Pointer::root().key("body"), &one, &two, &mut places);
        let named: Vec<String> = places
            .iter()
            .map(|(place, one, two)| {
                let (one, two) = shown(one.as_ref(), two.as_ref());
                format!("{place} {one} {two}")
            })
            .collect();
        assert_eq!(
            named,
            ["/body/a/b~1c 1 2", "/body/a/d/1 2 -", "/body/z - null"]
        );
    }

    #[test]
    fn long_texts_are_shown_from_where_they_part() {
        let text = |end: &str| Value::from(format!("{}{end}", "é".repeat(500)));
        let (one, two) = shown(Some(&text("old")), Some(&text("new")));
        assert_eq!(one, format!("…{}old\"", "é".repeat(16)));
        assert_eq!(two, format!("…{}new\"", "é".repeat(16)));
        let (one, _) = shown(Some(&text("")), Some(&Value::Null));
        assert_eq!(one, format!("\"{}…", "é".repeat(59)));
    }
}
