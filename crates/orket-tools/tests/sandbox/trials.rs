//! The cases that are more than a script.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use orket_tools::sandbox::{Feature, LeastTier, Sandbox, SandboxError, Status, Tier};

use crate::{Scene, check, mark, own_user, run, survivors, text};

pub(crate) type Trial = fn(&Scene, &Sandbox) -> Result<(), String>;

const PAGE_BYTES: usize = 4096;

/// The name, the features without which it is known to fail, and what it does.
pub(crate) const TRIALS: &[(&str, &[Feature], Trial)] = &[
    (
        "the environment is what the job says",
        &[],
        |scene, sandbox| {
            let mut job = scene.job("");
            job.program = "env".into();
            job.arguments.clear();
            job.environment.insert("GIVEN".to_owned(), "yes".to_owned());
            let outcome = run(sandbox, &job)?;
            let mut lines: Vec<String> = text(&outcome.stdout).lines().map(str::to_owned).collect();
            lines.sort();
            check(
                lines == ["GIVEN=yes", "LANG=C", "PATH=/usr/bin:/bin"],
                &format!("{lines:?}"),
            )
        },
    ),
    ("the input is what the job says", &[], |scene, sandbox| {
        let mut job = scene.job("wc -c; echo x >&0 && echo PASSED");
        job.stdin = vec![b'x'; 300_000];
        let outcome = run(sandbox, &job)?;
        check(
            text(&outcome.stdout).trim() == "300000",
            &text(&outcome.stdout),
        )
    }),
    (
        "a fixture is read although the directory above it is closed to others",
        &[Feature::PrivateRoot],
        |scene, sandbox| {
            let closed = scene.path("closed");
            fs::create_dir_all(closed.join("fixtures")).unwrap();
            fs::write(closed.join("fixtures/check.sh"), "cat result.txt").unwrap();
            fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
            let mut job = scene.job("sh $OUT/closed/fixtures/check.sh");
            job.readable = vec![closed.join("fixtures")];
            let outcome = run(sandbox, &job)?;
            check(text(&outcome.stdout) == "hello", &text(&outcome.stderr))
        },
    ),
    ("it starts in its directory", &[], |scene, sandbox| {
        let job = scene.job("pwd -P");
        let outcome = run(sandbox, &job)?;
        let expected = fs::canonicalize(&job.work_dir).unwrap();
        check(
            text(&outcome.stdout).trim() == expected.to_str().unwrap(),
            &text(&outcome.stdout),
        )
    }),
    ("output and error are kept apart", &[], |scene, sandbox| {
        let outcome = run(sandbox, &scene.job("echo out; echo err >&2"))?;
        check(
            (
                text(&outcome.stdout).as_str(),
                text(&outcome.stderr).as_str(),
            ) == ("out\n", "err\n"),
            "mixed",
        )
    }),
    (
        "what runs past the deadline is killed with all it started",
        &[],
        |scene, sandbox| {
            let mut job = scene.job(
            "trap '' TERM INT HUP; setsid nohup sleep $MARK & (setsid sh -c 'sleep $MARK; :' &); echo begun; \
             while :; do :; done",
        );
            job.limits.wall_time = Duration::from_millis(300);
            let begun = Instant::now();
            let outcome = run(sandbox, &job)?;
            let elapsed = begun.elapsed();
            check(
                outcome.status == Status::TimedOut,
                &format!("{:?}", outcome.status),
            )?;
            check(text(&outcome.stdout) == "begun\n", "its output is lost")?;
            check(
                elapsed < Duration::from_millis(1500),
                &format!("it took {elapsed:?}"),
            )?;
            let alive = survivors(&mark());
            check(alive.is_empty(), &format!("alive: {alive:?}"))
        },
    ),
    (
        "a fork bomb is bounded and killed",
        &[],
        |scene, sandbox| {
            // It ends by itself at some hundred processes: where nothing bounds it, the machine must still live.
            fs::write(
                scene.path("fixtures/bomb.sh"),
                "b() { if [ $1 -gt 0 ]; then b $(($1 - 1)) | b $(($1 - 1)) & fi; while :; do :; done; }; b 6",
            )
            .unwrap();
            let mut job = scene.job("sh $OUT/fixtures/bomb.sh $MARK 2>/dev/null");
            job.limits.processes = 24;
            job.limits.wall_time = Duration::from_millis(400);
            let outcome = run(sandbox, &job)?;
            check(
                outcome.status == Status::TimedOut,
                &format!("{:?}", outcome.status),
            )?;
            let alive = survivors(&mark());
            check(alive.is_empty(), &format!("alive: {}", alive.len()))
        },
    ),
    (
        "the number of processes is limited",
        &[Feature::OwnUser],
        |scene, sandbox| {
            let mut job = scene.job(
            "perl -e 'my $n = 0; for (1..80) { my $p = fork; last unless defined $p; if (!$p) { sleep 5; exit } $n++ } print $n; exit 0'",
        );
            job.limits.processes = 20;
            let outcome = run(sandbox, &job)?;
            // The shell and perl are two of them, or perl has replaced the shell.
            let forks: u64 = text(&outcome.stdout)
                .parse()
                .map_err(|_| text(&outcome.stdout))?;
            let exact = outcome.tier == Tier::Full;
            check(
                if exact {
                    (18..=19).contains(&forks)
                } else {
                    forks < 80
                },
                &format!("{forks} forks"),
            )
        },
    ),
    (
        "the number of descriptors is limited",
        &[],
        |scene, sandbox| {
            let mut job = scene.job("perl -e 'my @f; for (1..100) { open(my $f, \"<\", \"/dev/null\") or last; push @f, $f } print scalar @f'");
            job.limits.open_files = 32;
            let outcome = run(sandbox, &job)?;
            let opened: u64 = text(&outcome.stdout)
                .parse()
                .map_err(|_| text(&outcome.stdout))?;
            check((26..=29).contains(&opened), &format!("{opened} opened"))
        },
    ),
    ("output is limited", &[], |scene, sandbox| {
        let mut job = scene.job("yes $MARK");
        job.limits.output_bytes = 10_000;
        let outcome = run(sandbox, &job)?;
        check(
            outcome.status == Status::OutputLimit,
            &format!("{:?}", outcome.status),
        )?;
        check(
            outcome.stdout.len() == 10_000 && outcome.stderr.is_empty(),
            "not cut at the limit",
        )?;
        check(survivors(&mark()).is_empty(), "it lives")
    }),
    // An engine took such a program for one that never started, although it had run.
    (
        "output that is faster than the report of the start is limited too",
        &[],
        |scene, _| {
            let mut job = scene.job("");
            job.limits.output_bytes = 2 * PAGE_BYTES - 1;
            // A pipe holds 16 pages, so the last two are written, and the start reported, when the engine has read two:
            // more than the limit.
            let child = scene.path("slow-to-report");
            let script = "#!/bin/sh\ndd if=/dev/zero bs=4096 count=18 status=none\n\
                echo '\"Ready\"' >&0\nexec sleep 60\n";
            fs::write(&child, script).unwrap();
            fs::set_permissions(&child, fs::Permissions::from_mode(0o755)).unwrap();
            match Sandbox::with_child(child).run(&job, LeastTier::None) {
                Ok(outcome) if outcome.status == Status::OutputLimit => check(
                    outcome.stdout.len() == job.limits.output_bytes,
                    "not cut at the limit",
                ),
                other => Err(format!("{other:?}")),
            }
        },
    ),
    ("root is given up", &[Feature::OwnUser], |scene, sandbox| {
        let outcome = run(sandbox, &scene.job("id -u"))?;
        let expected = if own_user() == 0 { 65534 } else { own_user() };
        check(
            text(&outcome.stdout).trim() == expected.to_string(),
            &text(&outcome.stdout),
        )
    }),
    (
        "a missing program is an error of the sandbox",
        &[],
        |scene, sandbox| {
            let mut job = scene.job("");
            job.program = "no-such-program".into();
            match sandbox.run(&job, LeastTier::Partial) {
                Err(SandboxError::SetUp { step, .. }) => {
                    check(step == "start no-such-program", &step)
                }
                other => Err(format!("{other:?}")),
            }
        },
    ),
    (
        "directories that are no private copy are refused",
        &[],
        |scene, sandbox| {
            fs::create_dir_all(scene.path("work/inner")).unwrap();
            for path in ["/", "/tmp", "/usr", "/nowhere", "/dev/null"] {
                let mut job = scene.job("echo PASSED");
                job.work_dir = path.into();
                match sandbox.run(&job, LeastTier::Partial) {
                    Err(SandboxError::Unusable { .. }) => {}
                    other => return Err(format!("{path}: {other:?}")),
                }
            }
            Ok(())
        },
    ),
    (
        "where the tier is too low, nothing is run",
        &[],
        |scene, sandbox| {
            let open = sandbox
                .clone()
                .without(Feature::Landlock)
                .without(Feature::SystemCallFilter);
            check(
                open.probe().as_str() == "none",
                "the probe sees more than there is",
            )?;
            for (sandbox, least) in [
                (open, LeastTier::Partial),
                (sandbox.clone().without(Feature::Landlock), LeastTier::Full),
                (
                    sandbox.clone().without(Feature::SystemCallFilter),
                    LeastTier::Full,
                ),
                (
                    sandbox.clone().without(Feature::Namespaces),
                    LeastTier::Full,
                ),
            ] {
                let job = scene.job("echo x > ran");
                match sandbox.run(&job, least) {
                    Err(SandboxError::TierTooLow { .. }) => {}
                    other => return Err(format!("{other:?}")),
                }
                check(!job.work_dir.join("ran").exists(), "it was run")?;
            }
            Ok(())
        },
    ),
    ("a child that is none is told", &[], |scene, _| {
        let sandbox = Sandbox::with_child("/bin/true".into());
        check(sandbox.probe().as_str() == "none", "the probe believes it")?;
        match sandbox.run(&scene.job("echo x > ran"), LeastTier::None) {
            Err(SandboxError::Lost | SandboxError::Start { .. } | SandboxError::Output { .. }) => {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    }),
];
