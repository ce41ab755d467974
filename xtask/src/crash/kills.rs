//! Stop at every step: everything is killed right before a call that changes the disk.

use anyhow::Result;
use nix::unistd::Pid;

use crate::crash::bench::{Bench, Case, is_counted, try_all};
use crate::crash::call::Call;
use crate::crash::chance::Chance;
use crate::crash::place::Place;
use crate::crash::tracer::{End, Observer, Verdict};
use crate::violation::talk;

/// One kill, or two.
struct Job<'a> {
    case: &'a Case<'a>,
    /// The number of the call that is not made any more, from 1.
    at: usize,
    /// What the command that tidies up is killed at, too.
    again_at: Option<usize>,
}

/// Kills at every call of every case, or at an even sample if that is more than `budget`; what is left of the budget
/// goes into second kills, of the command that tidies up after the first.
pub(crate) fn run(
    bench: &Bench,
    cases: &[Case<'_>],
    budget: usize,
    at: Option<usize>,
    seed: u64,
) -> Result<()> {
    let jobs = jobs(cases, budget, at, seed);
    let kills: usize = jobs
        .iter()
        .map(|job| 1 + usize::from(job.again_at.is_some()))
        .sum();
    talk(&format!(
        "kills: {kills} in {} tries, seed {seed}",
        jobs.len()
    ));
    try_all("kills", &jobs, |job| {
        Ok(attempt(bench, job)?
            .into_iter()
            .map(|failure| format!("{}: {failure}", job.told(seed)))
            .collect())
    })
}

fn jobs<'a>(cases: &'a [Case<'a>], budget: usize, at: Option<usize>, seed: u64) -> Vec<Job<'a>> {
    let calls: Vec<usize> = cases.iter().map(|case| case.undisturbed.calls).collect();
    let shares = shares(&calls, budget);
    let mut chance = Chance::new(seed, 1);
    let mut jobs = Vec::new();
    for (case, share) in cases.iter().zip(shares) {
        for number in numbers(case.undisturbed.calls, share, at, &mut chance) {
            jobs.push(Job {
                case,
                at: number,
                again_at: None,
            });
        }
    }
    // A second kill costs one of the budget, a try of its own costs two.
    let mut left = budget.saturating_sub(jobs.len());
    for job in jobs.iter_mut().step_by(2).take(left) {
        job.again_at = Some(1 + chance.below(job.case.undisturbed.calls));
        left -= 1;
    }
    while left > 1 && at.is_none() {
        let case = &cases[chance.below(cases.len())];
        let calls = case.undisturbed.calls;
        jobs.push(Job {
            case,
            at: 1 + chance.below(calls),
            again_at: Some(1 + chance.below(calls)),
        });
        left -= 2;
    }
    jobs
}

/// Shares a budget out: as much for each as it has, and what is not enough for all in even parts.
pub(crate) fn shares(wanted: &[usize], budget: usize) -> Vec<usize> {
    let mut shares = vec![0; wanted.len()];
    let mut left = budget;
    loop {
        let hungry: Vec<usize> = (0..wanted.len())
            .filter(|index| shares[*index] < wanted[*index])
            .collect();
        if hungry.is_empty() || left < hungry.len() {
            return shares;
        }
        let part = left / hungry.len();
        for index in hungry {
            let more = part.min(wanted[index] - shares[index]);
            shares[index] += more;
            left -= more;
        }
    }
}

/// Numbers of calls from 1, evenly spread; or the one that was asked for.
pub(crate) fn numbers(
    calls: usize,
    share: usize,
    at: Option<usize>,
    chance: &mut Chance,
) -> Vec<usize> {
    if let Some(at) = at {
        return vec![at];
    }
    if share == 0 {
        return Vec::new();
    }
    let offset = chance.below(1000);
    (0..share)
        .map(|number| 1 + ((number * 1000 + offset) * calls / (share * 1000)).min(calls - 1))
        .collect()
}

impl Job<'_> {
    fn told(&self, seed: u64) -> String {
        let again = self
            .again_at
            .map_or(String::new(), |at| format!(" and again at {at}"));
        format!(
            "{} killed at call {} of {}{again} (seed {seed})",
            self.case.subject.name, self.at, self.case.undisturbed.calls
        )
    }
}

fn attempt(bench: &Bench, job: &Job<'_>) -> Result<Vec<String>> {
    let Case {
        subject,
        undisturbed,
        ..
    } = job.case;
    let place = bench.place(job.case)?;
    let mut killer = Killer::at(job.at);
    let end = subject.act(&place, &mut killer)?;
    let mut wrong = Vec::new();
    match end {
        End::Killed => {}
        // Fewer calls than when it was watched: nothing was cut short.
        End::Exited(0) => {}
        other => wrong.push(format!("it ended with {other:?}: {}", place.said())),
    }
    let mut acknowledged = place.acknowledged();
    if let Some(at) = job.again_at {
        let end = subject.act(&place, &mut Killer::at(at))?;
        if !matches!(end, End::Killed | End::Exited(0)) {
            wrong.push(format!("again, it ended with {end:?}: {}", place.said()));
        }
        acknowledged = place.acknowledged().or(acknowledged);
    }
    // The look itself opens and projects; what the next command finds must not have been tidied up by it.
    let looked = Place::copy(&place, bench.directory())?;
    let look = subject.look(&looked)?;
    looked.remove()?;
    wrong.extend(undisturbed.judge(
        &look,
        acknowledged,
        end == End::Killed || job.again_at.is_some(),
    ));
    let end = subject.act(&place, &mut Killer::at(usize::MAX))?;
    if end != End::Exited(0) {
        wrong.push(format!(
            "the same command again ended with {end:?}: {}",
            place.said()
        ));
    } else {
        wrong.extend(undisturbed.other_projections(&subject.projections(&place)?));
        wrong.extend(undisturbed.judge_end(&subject.look(&place)?));
    }
    place.remove()?;
    if let Some(call) = killer.killed_at.filter(|_| !wrong.is_empty()) {
        wrong.push(format!("it was killed at {} {:?}", call.name, call.paths));
    }
    Ok(wrong)
}

/// Kills before the n-th call.
struct Killer {
    left: usize,
    killed_at: Option<Call>,
}

impl Killer {
    fn at(number: usize) -> Killer {
        Killer {
            left: number,
            killed_at: None,
        }
    }
}

impl Observer for Killer {
    fn before(&mut self, _pid: Pid, call: &Call) -> Verdict {
        if !is_counted(call) {
            return Verdict::Go;
        }
        self.left -= 1;
        if self.left > 0 {
            return Verdict::Go;
        }
        self.killed_at = Some(call.clone());
        Verdict::Kill
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_shared_evenly_and_to_the_end() {
        assert_eq!(shares(&[10, 100, 100], 90), [10, 40, 40]);
        assert_eq!(shares(&[10, 20], 1000), [10, 20]);
        assert_eq!(shares(&[5, 5, 5], 2), [0, 0, 0]);
    }

    #[test]
    fn all_numbers_are_taken_where_there_is_room_and_an_even_sample_where_not() {
        let mut chance = Chance::new(1, 1);
        assert_eq!(numbers(5, 5, None, &mut chance), [1, 2, 3, 4, 5]);
        let few = numbers(100, 4, None, &mut chance);
        assert_eq!(
            few.iter().map(|it| (it - 1) / 25).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        assert_eq!(numbers(100, 4, Some(17), &mut chance), [17]);
    }
}
