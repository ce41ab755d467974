//! Attacks on the sandbox, run inside it: one line per case.
//!
//! Every case runs on the machine as it is and again with features switched off, as on a machine that lacks them. What
//! cannot be enforced at a tier is said so in its line. Has no test harness: the executable is also the child.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use orket_tools::sandbox::{Feature, Job, LeastTier, Outcome, Sandbox, SandboxError, Status, Tier};

/// Everything that is there for the attacks. Modes are wide open: only the sandbox is in the way.
struct Scene {
    scratch: tempfile::TempDir,
    tcp: TcpListener,
    unix: UnixListener,
}

impl Scene {
    fn new() -> Scene {
        let scratch = tempfile::tempdir().unwrap();
        let scene = Scene {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            unix: UnixListener::bind(scratch.path().join("socket")).unwrap(),
            scratch,
        };
        scene.tcp.set_nonblocking(true).unwrap();
        scene.unix.set_nonblocking(true).unwrap();
        for directory in ["", "outside", "fixtures"] {
            let path = scene.path(directory);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(scene.path("socket"), fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(scene.path("outside"), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(scene.path("secret"), "canary-4711").unwrap();
        fs::set_permissions(scene.path("secret"), fs::Permissions::from_mode(0o666)).unwrap();
        fs::write(
            scene.path("fixtures/check.sh"),
            "grep -q hello result.txt && echo checked > verdict.txt",
        )
        .unwrap();
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A private copy as the engine makes one.
    fn work_dir(&self) -> PathBuf {
        let path = self.path("work");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(path.join("result.txt"), "hello").unwrap();
        path
    }

    fn job(&self, script: &str) -> Job {
        let mut job = Job::new("sh", self.work_dir());
        let script = script
            .replace("$OUT", self.scratch.path().to_str().unwrap())
            .replace("$ENGINE", &std::process::id().to_string())
            .replace("$PORT", &self.tcp.local_addr().unwrap().port().to_string())
            .replace("$MARK", &mark());
        job.arguments = vec!["-c".to_owned(), script];
        job.readable = vec![self.path("fixtures")];
        job.limits.wall_time = Duration::from_secs(20);
        job
    }

    /// Tells whether nothing outside was changed or reached.
    fn untouched(&self) -> Result<(), String> {
        let secret = self.path("secret");
        let same = fs::read_to_string(&secret).is_ok_and(|text| text == "canary-4711");
        check(same, "the secret was changed")?;
        check(
            fs::metadata(&secret).is_ok_and(|secret| secret.nlink() == 1),
            "the secret has a second name",
        )?;
        check(
            fs::read_dir(self.path("outside")).unwrap().next().is_none(),
            "a file was made outside",
        )?;
        check(
            !self.path("fixtures/planted").exists(),
            "a fixture was planted",
        )?;
        check(self.tcp.accept().is_err(), "a TCP connection came through")?;
        check(
            self.unix.accept().is_err(),
            "a local connection came through",
        )
    }
}

/// A text by which processes of this test are known again.
fn mark() -> String {
    format!("31{}", std::process::id())
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

/// Returns the command lines of living processes that hold a text.
fn survivors(mark: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes
        .filter(|entry| entry.file_name().to_str() != Some(&own))
        .filter_map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
    lines.filter(|line| line.contains(mark)).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a script is expected to come to.
#[derive(Clone, Copy)]
enum Expect {
    /// Exits with 0 and prints this.
    Prints(&'static str),
    /// Does not print `PASSED`, whatever else it does.
    Fails,
    /// Ends like this.
    Ends(Status),
}
use Expect::{Ends, Fails, Prints};

struct Case {
    name: &'static str,
    script: &'static str,
    expect: Expect,
    /// Without one of these features the attack succeeds, and that is known.
    needs: &'static [Feature],
}

const fn case(name: &'static str, script: &'static str, expect: Expect) -> Case {
    Case {
        name,
        script,
        expect,
        needs: &[],
    }
}

const ANY_FILE_RULE: &[Feature] = &[Feature::Landlock];
const CALLS: &[Feature] = &[Feature::SystemCallFilter];

/// `PASSED` is printed by what should not be possible.
const CASES: &[Case] = &[
    case(
        "a check reads, decides and writes in its directory",
        "sh $OUT/fixtures/check.sh && cat verdict.txt",
        Prints("checked\n"),
    ),
    case(
        "tools of the system run",
        "printf 'b\\na\\n' | sort | tr -d '\\n' | sed s/ab/done/",
        Prints("done"),
    ),
    case(
        "files are made, renamed, made executable and removed",
        "mkdir -p d/e && echo 'echo ran' > d/f && mv d/f d/e/f && chmod +x d/e/f && touch d/e/f && sh d/e/f && rm -r d",
        Prints("ran\n"),
    ),
    case(
        "a program that was made is run",
        "printf '#!/bin/sh\\necho ran\\n' > p && chmod +x p && ./p",
        Prints("ran\n"),
    ),
    case(
        "the null device takes output",
        "echo gone > /dev/null && head -c 3 /dev/zero | tr '\\0' z",
        Prints("zzz"),
    ),
    case("an exit code is told", "exit 7", Ends(Status::Exited(7))),
    case(
        "a signal is told",
        "kill -TERM $$",
        Ends(Status::Signaled(15)),
    ),
    case(
        "a crash is told",
        "kill -SEGV $$",
        Ends(Status::Signaled(11)),
    ),
    Case {
        name: "a secret outside is not read",
        script: "cat $OUT/secret && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "a secret is not read by a way around",
        script: "cat fixtures/../../secret ../secret $OUT/fixtures/../secret && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "a secret is not read through a link",
        script: "ln -s $OUT/secret link; cat link && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "a secret is not listed",
        script: "ls $OUT | grep secret && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "accounts are not read",
        script: "cat /etc/passwd && echo PASSED; cat /etc/shadow && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "homes are not listed",
        script: "ls /root && echo PASSED; ls /home && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "environments of others are not read",
        script: "cat /proc/1/environ && echo PASSED; cat /proc/$ENGINE/environ && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "memory of others is not read",
        script: "head -c 1 /proc/$PPID/mem && echo PASSED; head -c 1 /dev/mem && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is written outside",
        script: "echo x > $OUT/outside/file && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is written to temporary directories",
        script: "echo x > /tmp/orket-$MARK && echo PASSED; echo x > /dev/shm/orket-$MARK && echo PASSED; echo x > /var/tmp/orket-$MARK && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is written through a link",
        script: "ln -s $OUT/outside d; echo x > d/file && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is overwritten or cut",
        script: "echo x > $OUT/secret && echo PASSED; perl -e 'truncate(\"$OUT/secret\", 0) and print \"PASSED\"'",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "nothing is moved in or out",
        script: "mv $OUT/secret . && echo PASSED; mv result.txt $OUT/outside/ && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "no fixture is planted or changed",
        script: "echo x > $OUT/fixtures/planted && echo PASSED; echo x >> $OUT/fixtures/check.sh && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "no mode or time outside is changed",
        script: "chmod 0777 $OUT/secret && echo PASSED; touch -d 2001-01-01 $OUT/secret && echo PASSED",
        expect: Fails,
        needs: &[Feature::OwnUser, Feature::PrivateRoot],
    },
    Case {
        name: "nothing outside is seen to exist",
        script: "test -e $OUT/secret && echo PASSED",
        expect: Fails,
        needs: &[Feature::PrivateRoot],
    },
    Case {
        name: "no hard link is made",
        script: "ln result.txt second && echo PASSED; ln $OUT/secret second && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no FIFO or device is made",
        script: "mkfifo f && echo PASSED; mknod n c 1 3 && echo PASSED; mknod b b 8 0 && echo PASSED",
        expect: Fails,
        needs: ANY_FILE_RULE,
    },
    Case {
        name: "no TCP connection is made",
        script: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/$PORT' && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no socket of any family is made",
        script: "perl -MSocket -e 'for ([AF_INET,SOCK_STREAM],[AF_INET,SOCK_DGRAM],[AF_INET6,SOCK_STREAM],[AF_UNIX,SOCK_STREAM],[16,SOCK_RAW],[17,SOCK_RAW]) { print \"PASSED $_->[0]\" if socket(my $s, $_->[0], $_->[1], 0) }'",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "no local service is reached",
        script: "perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0) and connect($s, pack_sockaddr_un(\"$OUT/socket\")) and print \"PASSED\"'",
        expect: Fails,
        needs: &[Feature::SystemCallFilter],
    },
    case(
        "a pair of sockets of its own is made",
        "perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) and print \"made\"'",
        Prints("made"),
    ),
    Case {
        name: "no namespace is entered",
        script: "unshare -U true && echo PASSED; unshare -r true && echo PASSED; nsenter -t $PPID -m true && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    Case {
        name: "nothing is mounted",
        script: "mount -t tmpfs none . && echo PASSED; umount / && echo PASSED; chroot . true && echo PASSED",
        expect: Fails,
        needs: CALLS,
    },
    #[cfg(target_arch = "x86_64")]
    Case {
        name: "refused system calls are refused",
        // ptrace, unshare, userfaultfd, perf_event_open, keyctl, bpf, process_vm_readv, io_uring_setup, open_tree,
        // fsopen, pidfd_getfd, clone with NEWUSER, clone3, and ptrace of the x32 interface.
        script: "perl -e 'my %e = (56,1, 435,38); for my $n (101,272,323,298,250,321,310,425,428,430,438,56,435,0x40000000+521) { my @a = $n == 56 ? (0x10000000|17,0,0,0,0) : (0,0,0,0,0); my $r = syscall($n, @a); my $want = $e{$n} || 1; print \"PASSED $n \", $!+0, \"\\n\" unless $r == -1 && ($! == $want || $! == 38) }'",
        expect: Fails,
        needs: CALLS,
    },
    case(
        "no right is gained",
        "su -c 'echo PASSED' </dev/null; sudo -n echo PASSED; test $(id -u) -eq 0 && echo PASSED",
        Fails,
    ),
    case(
        "no descriptor is inherited",
        "for n in 3 4 5 6 7 8 9; do (eval \"cat <&$n\") && echo PASSED; done; perl -e 'for (3..200) { print \"PASSED $_\" if open(my $f, \"<&=\", $_) }'",
        Fails,
    ),
    case(
        "signals do not reach the engine",
        "kill -9 $ENGINE && echo PASSED; kill -STOP $ENGINE && echo PASSED; kill -9 0; echo PASSED",
        Fails,
    ),
    Case {
        name: "signals do not reach the supervisor",
        script: "kill -9 $PPID && kill -9 $PPID; sleep 0.05; exit 3",
        expect: Ends(Status::Exited(3)),
        needs: &[],
    },
    case(
        "nothing survives a normal end",
        "setsid nohup sleep $MARK & (sleep $MARK & setsid sleep $MARK &) ; exit 0",
        Ends(Status::Exited(0)),
    ),
];

/// Runs one script and judges it; `Ok(Some(…))` says what is not enforceable here.
fn judge(scene: &Scene, sandbox: &Sandbox, case: &Case) -> Result<Option<String>, String> {
    let outcome = sandbox
        .run(&scene.job(case.script), LeastTier::Partial)
        .map_err(|error| format!("{error:?}"))?;
    let lacking: Vec<String> = match &outcome.tier {
        Tier::Partial(missing) => missing
            .iter()
            .filter(|missing| case.needs.contains(&missing.feature))
            .map(ToString::to_string)
            .collect(),
        _ => Vec::new(),
    };
    let judged = judge_outcome(scene, case, &outcome);
    restore(scene);
    match judged {
        Ok(()) => Ok(None),
        Err(_) if !lacking.is_empty() => Ok(Some(lacking.join(", "))),
        Err(reason) => Err(format!(
            "{reason}: {:?}\n{}{}",
            outcome.status,
            text(&outcome.stdout),
            text(&outcome.stderr)
        )),
    }
}

fn judge_outcome(scene: &Scene, case: &Case, outcome: &Outcome) -> Result<(), String> {
    let stdout = text(&outcome.stdout);
    match case.expect {
        Prints(expected) => check(
            outcome.status == Status::Exited(0) && stdout == expected,
            "not as expected",
        )?,
        Fails => check(!stdout.contains("PASSED"), "an attack passed")?,
        Ends(status) => check(outcome.status == status, "it did not end as expected")?,
    }
    let alive = survivors(&mark());
    check(alive.is_empty(), &format!("alive: {alive:?}"))?;
    scene.untouched()
}

/// Undoes what an attack may have done where it cannot be refused.
fn restore(scene: &Scene) {
    fs::set_permissions(scene.path("secret"), fs::Permissions::from_mode(0o666)).unwrap();
    while scene.tcp.accept().is_ok() || scene.unix.accept().is_ok() {}
}

type Trial = fn(&Scene, &Sandbox) -> Result<(), String>;

/// The cases that are more than a script.
const TRIALS: &[(&str, Trial)] = &[
    ("the environment is what the job says", |scene, sandbox| {
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
    }),
    ("the input is what the job says", |scene, sandbox| {
        let mut job = scene.job("wc -c; echo x >&0 && echo PASSED");
        job.stdin = vec![b'x'; 300_000];
        let outcome = run(sandbox, &job)?;
        check(
            text(&outcome.stdout).trim() == "300000",
            &text(&outcome.stdout),
        )
    }),
    ("it starts in its directory", |scene, sandbox| {
        let job = scene.job("pwd -P");
        let outcome = run(sandbox, &job)?;
        let expected = fs::canonicalize(&job.work_dir).unwrap();
        check(
            text(&outcome.stdout).trim() == expected.to_str().unwrap(),
            &text(&outcome.stdout),
        )
    }),
    ("output and error are kept apart", |scene, sandbox| {
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
    ("a fork bomb is bounded and killed", |scene, sandbox| {
        fs::write(
            scene.path("fixtures/bomb.sh"),
            "b() { b $1 | b $1 & }; b $1; while :; do :; done",
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
    }),
    ("the number of processes is limited", |scene, sandbox| {
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
    }),
    ("computing is limited", |scene, sandbox| {
        let mut job = scene.job("while :; do :; done");
        job.limits.cpu_seconds = 1;
        let outcome = run(sandbox, &job)?;
        check(
            matches!(outcome.status, Status::Signaled(24 | 9)),
            &format!("{:?}", outcome.status),
        )
    }),
    ("memory is limited", |scene, sandbox| {
        let mut job = scene.job("perl -e '$x = \"a\" x (1 << 30); print \"PASSED\"'");
        job.limits.memory_bytes = 256 << 20;
        let outcome = run(sandbox, &job)?;
        check(
            outcome.status != Status::Exited(0) && outcome.stdout.is_empty(),
            "it had it",
        )
    }),
    ("the size of a file is limited", |scene, sandbox| {
        let mut job = scene.job("head -c 10000000 /dev/zero > big");
        job.limits.file_bytes = 1 << 20;
        let outcome = run(sandbox, &job)?;
        let length = fs::metadata(job.work_dir.join("big")).map_or(0, |file| file.len());
        check(
            outcome.status != Status::Exited(0) && length <= 1 << 20,
            &format!("{length} bytes"),
        )
    }),
    ("the number of descriptors is limited", |scene, sandbox| {
        let mut job = scene.job("perl -e 'my @f; for (1..100) { open(my $f, \"<\", \"/dev/null\") or last; push @f, $f } print scalar @f'");
        job.limits.open_files = 32;
        let outcome = run(sandbox, &job)?;
        let opened: u64 = text(&outcome.stdout)
            .parse()
            .map_err(|_| text(&outcome.stdout))?;
        check((26..=29).contains(&opened), &format!("{opened} opened"))
    }),
    ("output is limited", |scene, sandbox| {
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
    ("root is given up", |scene, sandbox| {
        let outcome = run(sandbox, &scene.job("id -u"))?;
        let expected = if own_user() == 0 { 65534 } else { own_user() };
        check(
            text(&outcome.stdout).trim() == expected.to_string(),
            &text(&outcome.stdout),
        )
    }),
    (
        "a missing program is an error of the sandbox",
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
    ("a child that is none is told", |scene, _| {
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

fn run(sandbox: &Sandbox, job: &Job) -> Result<Outcome, String> {
    sandbox
        .run(job, LeastTier::Partial)
        .map_err(|error| format!("{error:?}"))
}

fn own_user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

/// Kills an engine in the middle of a job: nothing of the job may outlive it.
fn engine_dies() -> Result<(), String> {
    let mark = format!("32{}", std::process::id());
    let mut engine = Command::new(std::env::current_exe().unwrap())
        .args(["be-an-engine", &mark])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let wait_until = |holds: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !holds() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        holds()
    };
    let begun = wait_until(&|| {
        survivors(&mark)
            .iter()
            .any(|line| line.starts_with("sleep"))
    });
    engine.kill().unwrap();
    engine.wait().unwrap();
    check(begun, "the job did not begin")?;
    let ended = wait_until(&|| survivors(&mark).is_empty());
    check(ended, &format!("alive: {:?}", survivors(&mark)))
}

fn be_an_engine(mark: &str) {
    let scene = Scene::new();
    let job = scene.job(&format!("setsid sleep {mark} & sleep {mark}"));
    let _ = Sandbox::new().unwrap().run(&job, LeastTier::Partial);
}

fn main() -> ExitCode {
    orket_tools::sandbox::run_child_if_asked();
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, first, mark] = arguments.as_slice()
        && first == "be-an-engine"
    {
        be_an_engine(mark);
        return ExitCode::SUCCESS;
    }
    // A harness that lists tests, like that of cargo nextest, is told that this is one.
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("self_attacks: test");
        }
        return ExitCode::SUCCESS;
    }

    let scene = Scene::new();
    // Open on purpose and not closed on exec: what is inherited would be seen.
    let leaked = fs::File::open(scene.path("secret")).unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    println!(
        "user {}, tier {}",
        own_user(),
        Sandbox::new().unwrap().probe()
    );
    let machines: [(&str, &[Feature]); 4] = [
        ("as it is", &[]),
        ("without a private root", &[Feature::PrivateRoot]),
        ("without namespaces", &[Feature::Namespaces]),
        ("without Landlock", &[Feature::Landlock]),
    ];
    let (mut failures, mut unenforced, mut total) = (0, 0, 0);
    let mut tell = |machine: &str, name: &str, judged: Result<Option<String>, String>| {
        total += 1;
        let line = match judged {
            Ok(None) => "ok".to_owned(),
            Ok(Some(lacking)) => {
                unenforced += 1;
                format!("NOT ENFORCEABLE at this tier ({lacking})")
            }
            Err(reason) => {
                failures += 1;
                format!("FAILED: {reason}")
            }
        };
        println!("{machine}: {name} ... {line}");
        let _ = std::io::stdout().flush();
    };
    for (machine, switched_off) in machines {
        let mut sandbox = Sandbox::new().unwrap();
        for feature in switched_off {
            sandbox = sandbox.without(*feature);
        }
        println!("{machine}: tier {}", sandbox.probe());
        for case in CASES {
            tell(machine, case.name, judge(&scene, &sandbox, case));
        }
        for (name, trial) in TRIALS {
            tell(machine, name, trial(&scene, &sandbox).map(|()| None));
        }
    }
    tell(
        "as it is",
        "nothing outlives a killed engine",
        engine_dies().map(|()| None),
    );
    println!("{total} cases, {failures} failed, {unenforced} not enforceable at their tier");
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
