//! Kernels that lack something, as far as a filter can make them: the calls answer that they do not exist.
//!
//! Unlike a feature that the engine is told not to use, this is seen by nobody but the kernel's answers.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use orket_tools::sandbox::{LeastTier, Sandbox, SandboxError};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::{Scene, check, text};

/// What a kernel lacks: its name, and the calls.
const KERNELS: &[(&str, &[i64])] = &[
    ("landlock", LANDLOCK),
    ("namespaces", NAMESPACES),
    (
        "landlock and namespaces",
        &[444, 445, 446, libc::SYS_unshare],
    ),
];

/// The same numbers on all architectures.
const LANDLOCK: &[i64] = &[444, 445, 446];
const NAMESPACES: &[i64] = &[libc::SYS_unshare];

/// What a run on such a kernel has to come to for each of the tiers that may be asked for.
pub(crate) const EXPECTED: &[(&str, &str)] = &[
    (
        "landlock",
        "full: refused, partial (no Landlock)\npartial: ran, partial (no Landlock)\nnone: ran, partial (no Landlock)\n",
    ),
    (
        "namespaces",
        "full: refused, partial (no namespaces, no private root)\n\
         partial: ran, partial (no namespaces, no private root)\n\
         none: ran, partial (no namespaces, no private root)\n",
    ),
    // Nothing would keep files away. That there are no namespaces is found first, and refuses what asks for all.
    (
        "landlock and namespaces",
        "full: refused, partial (no namespaces, no private root)\npartial: refused, none\n",
    ),
];

/// Takes calls away from this process and all that it starts, runs jobs, and prints what came of them.
pub(crate) fn be_on(kernel: &str) {
    let (_, calls) = KERNELS.iter().find(|(name, _)| *name == kernel).unwrap();
    let calls: BTreeMap<i64, _> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let architecture = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, absent, architecture).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
    let scene = Scene::new();
    let sandbox = Sandbox::new().unwrap();
    for least in [LeastTier::Full, LeastTier::Partial, LeastTier::None] {
        // Where there is no sandbox at all, whoever accepts that gets it.
        if least == LeastTier::None && sandbox.probe().as_str() == "none" {
            continue;
        }
        let job = scene.job("echo x > ran; cat $OUT/secret; exit 0");
        let run = sandbox.run(&job, least);
        let has_run = job.work_dir.join("ran").exists();
        match run {
            Ok(outcome) if has_run => {
                println!("{least}: ran, {}", without_user(&outcome.tier.summary()));
                assert!(
                    !text(&outcome.stdout).contains("canary"),
                    "it read a secret"
                );
            }
            Err(SandboxError::TierTooLow { tier, .. }) if !has_run => {
                println!("{least}: refused, {}", without_user(&tier.summary()));
            }
            other => println!("{least}: {other:?}, ran: {has_run}"),
        }
    }
}

/// Whoever is not root cannot become another user, so more is missing there.
fn without_user(summary: &str) -> String {
    summary.replace(", no separate user", "")
}

/// Runs jobs on a kernel that lacks something.
pub(crate) fn judge(kernel: &str, expected: &str) -> Result<(), String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["be-on-a-kernel-without", kernel])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let told = text(&output.stdout);
    check(output.status.success() && told == expected, &told)
}
