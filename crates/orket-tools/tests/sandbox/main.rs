//! Attacks on the sandbox, run inside it: one line per case.
//!
//! Every case runs on the machine as it is and again with features switched off, as on a machine that lacks them. What
//! cannot be enforced at a tier is said so in its line. Has no test harness: the executable is also the child.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test without a harness: it is loud by panicking, and prints its own lines"
)]

mod bounds;
mod cases;
mod kernels;
mod trials;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use orket_tools::sandbox::{Feature, Job, LeastTier, Outcome, Sandbox, Status, Tier};

use bounds::BOUNDS;
use cases::{CASES, Case, Expect, SYSTEM_CALLS, calls_script};
use trials::TRIALS;

/// The machines that are tried: this one, and what it would be without some features.
const MACHINES: &[(&str, &[Feature])] = &[
    ("as it is", &[]),
    ("without a private root", &[Feature::PrivateRoot]),
    ("without namespaces", &[Feature::Namespaces]),
    ("without Landlock", &[Feature::Landlock]),
    ("without a separate user", &[Feature::OwnUser]),
];

fn sandbox_without(features: &[Feature]) -> Sandbox {
    features
        .iter()
        .fold(Sandbox::new().unwrap(), |sandbox, &feature| {
            sandbox.without(feature)
        })
}

/// Everything that is there for the attacks. Modes are wide open: only the sandbox is in the way.
struct Scene {
    scratch: tempfile::TempDir,
    tcp: TcpListener,
    unix: UnixListener,
    datagram: UnixDatagram,
    abstract_unix: UnixListener,
}

impl Scene {
    fn new() -> Scene {
        let scratch = tempfile::tempdir().unwrap();
        let scene = Scene {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            unix: UnixListener::bind(scratch.path().join("socket")).unwrap(),
            datagram: UnixDatagram::bind(scratch.path().join("datagram")).unwrap(),
            abstract_unix: {
                let name = format!("orket-{}", mark());
                let address = SocketAddr::from_abstract_name(name).unwrap();
                UnixListener::bind_addr(&address).unwrap()
            },
            scratch,
        };
        scene.tcp.set_nonblocking(true).unwrap();
        scene.unix.set_nonblocking(true).unwrap();
        scene.datagram.set_nonblocking(true).unwrap();
        scene.abstract_unix.set_nonblocking(true).unwrap();
        scene.fill();
        scene
    }

    fn fill(&self) {
        for directory in ["", "outside", "fixtures"] {
            let path = self.path(directory);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for socket in ["socket", "datagram"] {
            fs::set_permissions(self.path(socket), fs::Permissions::from_mode(0o777)).unwrap();
        }
        fs::set_permissions(self.path("outside"), fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(self.path("secret"), "canary-4711").unwrap();
        fs::set_permissions(self.path("secret"), fs::Permissions::from_mode(0o666)).unwrap();
        fs::write(
            self.path("fixtures/check.sh"),
            "grep -q hello result.txt && echo checked > verdict.txt",
        )
        .unwrap();
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
            self.unix.accept().is_err() && self.abstract_unix.accept().is_err(),
            "a local connection came through",
        )?;
        check(
            self.datagram.recv(&mut [0; 8]).is_err(),
            "a datagram came through",
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

/// Runs one script and judges it; `Ok(Some(…))` says what is not enforceable here.
fn judge(scene: &Scene, sandbox: &Sandbox, case: &Case) -> Result<Option<String>, String> {
    let outcome = sandbox
        .run(&scene.job(case.script), LeastTier::Partial)
        .map_err(|error| format!("{error:?}"))?;
    let lacking = lacking(&outcome.tier, case.needs);
    let judged = judge_outcome(scene, case, &outcome);
    restore(scene);
    match judged {
        Ok(()) => Ok(None),
        Err(_) if !lacking.is_empty() => Ok(Some(lacking)),
        Err(reason) => Err(format!(
            "{reason}: {:?}\n{}{}",
            outcome.status,
            text(&outcome.stdout),
            text(&outcome.stderr)
        )),
    }
}

/// Says which of the needed features a tier lacks.
fn lacking(tier: &Tier, needs: &[Feature]) -> String {
    let missing = match tier {
        Tier::Partial(missing) => missing.as_slice(),
        _ => &[],
    };
    let lacking = missing
        .iter()
        .filter(|missing| needs.contains(&missing.feature));
    lacking
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn judge_outcome(scene: &Scene, case: &Case, outcome: &Outcome) -> Result<(), String> {
    let stdout = text(&outcome.stdout);
    match case.expect {
        Expect::Prints(expected) => check(
            outcome.status == Status::Exited(0) && stdout == expected,
            "not as expected",
        )?,
        Expect::Fails => {
            check(!stdout.contains("PASSED"), "an attack passed")?;
            check(!stdout.contains("canary-4711"), "the secret was read")?;
        }
        Expect::Ends(status) => check(outcome.status == status, "it did not end as expected")?,
    }
    let alive = survivors(&mark());
    check(alive.is_empty(), &format!("alive: {alive:?}"))?;
    scene.untouched()
}

/// Undoes what an attack may have done where it cannot be refused.
fn restore(scene: &Scene) {
    let _ = fs::remove_file(scene.path("secret"));
    let _ = fs::remove_file(scene.path("fixtures/planted"));
    fs::remove_dir_all(scene.path("outside")).unwrap();
    scene.fill();
    while scene.tcp.accept().is_ok()
        || scene.unix.accept().is_ok()
        || scene.abstract_unix.accept().is_ok()
        || scene.datagram.recv(&mut [0; 8]).is_ok()
    {}
}

fn run(sandbox: &Sandbox, job: &Job) -> Result<Outcome, String> {
    sandbox
        .run(job, LeastTier::Partial)
        .map_err(|error| format!("{error:?}"))
}

fn own_user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

/// Kills an engine in the middle of a job: nothing of the job may outlive it.
fn engine_dies(scene: &Scene, machine: &str) -> Result<(), String> {
    let mark = format!("32{}", std::process::id());
    let mut engine = Command::new(std::env::current_exe().unwrap())
        .args(["be-an-engine", machine, &mark])
        // It cannot clean up behind itself.
        .env("TMPDIR", scene.path("fixtures"))
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

fn be_an_engine(machine: &str, mark: &str) {
    let scene = Scene::new();
    let switched_off = MACHINES
        .iter()
        .find(|(name, _)| *name == machine)
        .unwrap()
        .1;
    let job = scene.job(&format!("setsid sleep {mark} & sleep {mark}"));
    let _ = sandbox_without(switched_off).run(&job, LeastTier::Partial);
}

/// Does it all again as a user without any right; tells whether that went well.
fn as_nobody() -> bool {
    const NOBODY: u32 = 65534;
    // The build directory may be closed to others.
    let scratch = tempfile::tempdir().unwrap();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = scratch.path().join("self-attacks");
    fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&copy);
    command.current_dir("/").uid(NOBODY).gid(NOBODY);
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            println!("user {NOBODY}: SKIPPED, {error}");
            true
        }
    }
}

fn main() -> ExitCode {
    orket_tools::sandbox::run_child_if_asked();
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, first, machine, mark] = arguments.as_slice()
        && first == "be-an-engine"
    {
        be_an_engine(machine, mark);
        return ExitCode::SUCCESS;
    }
    if let [_, first, kernel] = arguments.as_slice()
        && first == "be-on-a-kernel-without"
    {
        kernels::be_on(kernel);
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
    for &(machine, switched_off) in MACHINES {
        let sandbox = sandbox_without(switched_off);
        let tier = sandbox.probe();
        println!("{machine}: tier {tier}");
        if tier.as_str() == "none" {
            println!("{machine}: SKIPPED, this kernel lacks what is needed");
            continue;
        }
        // Then a signal would end this test, as nothing would be in its way.
        let exposed = !lacking(&tier, &[Feature::Landlock]).is_empty()
            && !lacking(&tier, &[Feature::Namespaces]).is_empty()
            && !lacking(&tier, &[Feature::OwnUser]).is_empty();
        for case in CASES {
            if exposed && case.name.starts_with("signals") {
                tell(machine, case.name, Ok(Some("not tried".to_owned())));
                continue;
            }
            tell(machine, case.name, judge(&scene, &sandbox, case));
        }
        for (name, numbers) in SYSTEM_CALLS {
            let script = calls_script(numbers).leak();
            let case = Case {
                name,
                script,
                expect: Expect::Fails,
                needs: &[Feature::SystemCallFilter],
            };
            tell(machine, name, judge(&scene, &sandbox, &case));
        }
        // The limits are the same with and without the other features.
        let bounds = matches!(machine, "as it is" | "without namespaces").then_some(BOUNDS);
        for (name, needs, trial) in TRIALS.iter().chain(bounds.unwrap_or_default()) {
            let lacking = lacking(&tier, needs);
            let judged = match trial(&scene, &sandbox) {
                Err(_) if !lacking.is_empty() => Ok(Some(lacking)),
                judged => judged.map(|()| None),
            };
            tell(machine, name, judged);
        }
        let dies = engine_dies(&scene, machine).map(|()| None);
        tell(machine, "nothing outlives a killed engine", dies);
    }
    // On a kernel that lacks more anyhow, nothing is told by taking away.
    if Sandbox::new().unwrap().probe() == Tier::Full {
        for (kernel, expected) in kernels::EXPECTED {
            let judged = kernels::judge(kernel, expected).map(|()| None);
            tell("kernel", &format!("without {kernel}"), judged);
        }
    } else {
        println!("kernels that lack something: SKIPPED, this one does already");
    }
    println!("{total} cases, {failures} failed, {unenforced} not enforceable at their tier");
    let nobody = own_user() == 0 && arguments.len() < 2 && !as_nobody();
    if failures == 0 && !nobody {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
