//! What was measured, as tables.

use std::fmt::Write;

use crate::reads::Reads;
use crate::times::Times;

/// What promotions are held against.
#[derive(Default)]
pub(crate) struct Rivals {
    pub(crate) small_write: Times,
    pub(crate) sqlite: Times,
    pub(crate) git: Times,
}

/// The promotions into one index: one body, then one (also with a hub), ten and a hundred stems with new references.
pub(crate) struct Promotions {
    pub(crate) size: u64,
    pub(crate) times: [Times; 5],
}

const NAMES: [&str; 5] = [
    "1 stem, new body",
    "1 stem, new body and 3 new references",
    "1 stem, a new reference to an id of many sources",
    "10 stems",
    "100 stems",
];

/// Lays everything out as Markdown.
pub(crate) fn markdown(rivals: &Rivals, promotions: &[Promotions], reads: &[Reads]) -> String {
    let mut text = String::from(
        "| Durable write | best ms | median ms | mean ms | best / small write | best / bare SQLite | git / best | median / small write | git / median |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let rows = [
        ("1 KB and fsync", &rivals.small_write),
        ("bare SQLite, bytes of 1 stem", &rivals.sqlite),
        ("`git add` + `git commit`", &rivals.git),
    ];
    for (name, times) in rows {
        row(&mut text, name, times, rivals);
    }
    for promotions in promotions {
        for (name, times) in NAMES.into_iter().zip(&promotions.times) {
            let name = format!("{name}, into {}", count(promotions.size));
            row(&mut text, &name, times, rivals);
        }
    }
    text.push_str("\n| Growth of one stem with new references | best | median |\n|---|--:|--:|\n");
    if let Some((first, others)) = promotions.split_first() {
        for other in others {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "| {} → {} stems | {} | {} |",
                count(first.size),
                count(other.size),
                ratio(other.times[1].best(), first.times[1].best()),
                ratio(other.times[1].median(), first.times[1].median()),
            );
        }
    }
    text.push_str(
        "\n| Stems | look-up ms | link ms | open ms | quick verify ms | verify ms | past ms | difference ms | view lag ms | bytes per stem | bytes per turn |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for reads in reads {
        let times = [
            &reads.look_up,
            &reads.link,
            &reads.open,
            &reads.quick,
            &reads.full,
            &reads.past,
            &reads.difference,
            &reads.view,
        ]
        .map(|times| number(times.median()));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            count(reads.size),
            times.join(" | "),
            reads.bytes_per_stem,
            reads.bytes_per_turn
        );
    }
    text
}

fn row(text: &mut String, name: &str, times: &Times, rivals: &Rivals) {
    let _ = writeln!(
        text,
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
        number(times.best()),
        number(times.median()),
        number(times.mean()),
        ratio(times.best(), rivals.small_write.best()),
        ratio(times.best(), rivals.sqlite.best()),
        ratio(rivals.git.best(), times.best()),
        ratio(times.median(), rivals.small_write.median()),
        ratio(rivals.git.median(), times.median()),
    );
}

fn number(millis: Option<f64>) -> String {
    millis.map_or("not measured".to_owned(), |millis| match millis {
        0.0..0.1 => format!("{millis:.3}"),
        0.1..100.0 => format!("{millis:.2}"),
        _ => format!("{millis:.0}"),
    })
}

fn ratio(one: Option<f64>, other: Option<f64>) -> String {
    match (one, other) {
        (Some(one), Some(other)) if one / other < 10.0 => format!("{:.1}", one / other),
        (Some(one), Some(other)) => format!("{:.0}", one / other),
        _ => "-".to_owned(),
    }
}

fn count(stems: u64) -> String {
    match stems {
        1_000_000 => "1 million".to_owned(),
        _ => format!("{} thousand", stems / 1000),
    }
}
