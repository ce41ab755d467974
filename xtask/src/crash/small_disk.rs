//! A disk that is really full: a small file system in memory, in a user namespace of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};

use crate::crash::bench::{Bench, Case, try_all};
use crate::crash::place::{Place, acknowledgement};
use crate::violation::talk;

/// Carries a scenario out in a file system of the size `$3` or with the number of inodes `$4`, then gives it room and
/// carries it out again. Each part's exit code and talk go beside the tree.
const SCRIPT: &str = r#"
place=$1 driver=$2 options=$3 scenario=$4
cp -a "$place/tree/." "$place/base"
mount -t tmpfs -o "mode=700,$options" none "$place/tree" || exit 99
if ! cp -a "$place/base/." "$place/tree/" 2>/dev/null; then exit 98; fi
"$driver" act "$scenario" "$place/tree/home" >"$place/stdout" 2>"$place/stderr"
echo $? >"$place/full.code"
mount -o remount,size=100%,nr_inodes=0 "$place/tree" || exit 99
rm -rf "$place/left" && cp -a "$place/tree/." "$place/left"
"$driver" check "$place/left/home" >"$place/full.look" 2>&1
echo $? >"$place/look.code"
"$driver" act "$scenario" "$place/tree/home" >"$place/again.stdout" 2>"$place/again.stderr"
echo $? >"$place/again.code"
"$driver" check "$place/tree/home" >"$place/again.look" 2>&1
echo $? >"$place/again.look.code"
"#;

/// The room of one try.
struct Job<'a> {
    case: &'a Case<'a>,
    options: String,
}

/// Fills small disks up. Says so and does nothing where none can be mounted.
pub(crate) fn run(bench: &Bench, cases: &[Case<'_>], budget: usize) -> Result<()> {
    let probe = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=64k none /mnt")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        talk("SKIPPED: full disks: no file system can be mounted in a user namespace here");
        return Ok(());
    }
    let cases: Vec<&Case<'_>> = cases.iter().filter(|case| !case.subject.is_run()).collect();
    let mut jobs = Vec::new();
    for case in &cases {
        let share = budget.div_ceil(cases.len());
        for number in 0..share {
            // From too small for the base to large enough for all of it.
            let options = if number % 2 == 0 {
                format!("size={}k", 40 + number * 4096 / share)
            } else {
                format!("size=64m,nr_inodes={}", 5 + number * 600 / share)
            };
            jobs.push(Job { case, options });
        }
    }
    let tally = Tally::default();
    let outcome = try_all("full disks", &jobs, |job| {
        Ok(attempt(bench, job, &tally)?
            .into_iter()
            .map(|failure| format!("{} on {}: {failure}", job.case.subject.name, job.options))
            .collect())
    });
    talk(&format!(
        "full disks: {} too small to begin, {} full on the way, {} large enough",
        tally.too_small.load(Ordering::Relaxed),
        tally.full.load(Ordering::Relaxed),
        tally.enough.load(Ordering::Relaxed)
    ));
    outcome
}

/// What became of the tries.
#[derive(Default)]
struct Tally {
    too_small: AtomicUsize,
    full: AtomicUsize,
    enough: AtomicUsize,
}

fn attempt(bench: &Bench, job: &Job<'_>, tally: &Tally) -> Result<Vec<String>> {
    let Case {
        subject,
        undisturbed,
        ..
    } = job.case;
    let place = bench.place(job.case)?;
    let directory = place.tree();
    let directory = directory.parent().context("a place has a directory")?;
    let status = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            SCRIPT,
            "sh",
        ])
        .arg(directory)
        .arg(&subject.programs.driver)
        .args([&job.options, subject.name])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .context("failed to start unshare")?;
    let mut wrong = Vec::new();
    match status.status.code() {
        Some(0) => {}
        // Not even the base has room.
        Some(98) => {
            tally.too_small.fetch_add(1, Ordering::Relaxed);
            place.remove()?;
            return Ok(wrong);
        }
        other => wrong.push(format!(
            "the disk could not be set up ({other:?}): {}",
            String::from_utf8_lossy(&status.stderr).trim()
        )),
    }
    let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
    let code = read("full.code");
    let said = place.said();
    let count = match code.trim() {
        "0" => &tally.enough,
        _ => &tally.full,
    };
    count.fetch_add(1, Ordering::Relaxed);
    if ["70", "101", "134"].contains(&code.trim()) || said.contains("panicked") {
        wrong.push(format!("exit {}: {said}", code.trim()));
    }
    let acknowledged = read("stdout")
        .lines()
        .filter_map(acknowledgement)
        .next_back();
    if read("look.code").trim() == "0" {
        let look = subject.parse(&read("full.look"))?;
        if code.trim() == "0" {
            wrong.extend(undisturbed.judge_end(&look));
        } else {
            wrong.extend(undisturbed.judge(&look, acknowledged, code.trim() == "74"));
        }
    } else {
        wrong.push(format!("what is left: {}", read("full.look")));
    }
    if read("again.code").trim() != "0" || read("again.look.code").trim() != "0" {
        let told = (read("again.stderr"), read("again.look"));
        wrong.push(format!("with room, the same command failed: {told:?}"));
    } else {
        wrong.extend(undisturbed.judge_end(&subject.parse(&read("again.look"))?));
    }
    remove(&place, directory)?;
    Ok(wrong)
}

fn remove(place: &Place, directory: &Path) -> Result<()> {
    place.remove()?;
    anyhow::ensure!(
        !directory.exists(),
        "{} is still there",
        directory.display()
    );
    Ok(())
}
