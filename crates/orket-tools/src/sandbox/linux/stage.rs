//! The stages of the child above the program: the supervisor and the first process.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, WaitOptions};

use super::message::{Order, Report, receive_order, send_order, send_report};
use super::system_calls::close_others_on_exec;
use super::{confine, identity, process_tree, view};
use crate::sandbox::Feature;

/// The first argument of a child. It is no option of any command.
const MARKER: &str = "--orket-sandbox-child";

/// The stages, from the engine to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Supervisor,
    First,
    Last,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Stage::Supervisor => "supervisor",
            Stage::First => "first",
            Stage::Last => "last",
        }
    }
}

/// Becomes a stage if the arguments say so.
pub(in crate::sandbox) fn run_child_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != MARKER) {
        return;
    }
    let name = arguments.next();
    let stages = [Stage::Supervisor, Stage::First, Stage::Last];
    let stage = stages
        .into_iter()
        .find(|stage| name.as_deref().is_some_and(|name| name == stage.as_str()));
    let ended = stage.is_some_and(|stage| become_stage(stage).is_ok());
    std::process::exit(if ended { 0 } else { 1 });
}

/// Starts a stage with a socket to it. The environment is empty and no descriptor but the first three is inherited.
pub(super) fn command(child: &Path, stage: Stage) -> io::Result<(Command, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(child);
    command
        .arg(MARKER)
        .arg(stage.as_str())
        .env_clear()
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)));
    Ok((command, ours))
}

/// Returns the report of something that failed and is not a [`Feature`].
pub(super) fn failed(step: impl Into<String>) -> impl FnOnce(io::Error) -> Report {
    let step = step.into();
    move |error| Report::Failed {
        step,
        reason: error.to_string(),
    }
}

fn lacks(feature: Feature) -> impl FnOnce(io::Error) -> Report {
    move |error| Report::Lacks {
        feature,
        reason: error.to_string(),
    }
}

/// Does the work of a stage. An error is one of the socket: then there is nobody to tell.
fn become_stage(stage: Stage) -> io::Result<()> {
    // Should the stage above be gone already, then reading the order or writing a report fails.
    die_with_parent()?;
    let control = take_control()?;
    let (order, stdin) = receive_order(&control)?;
    let result = close_others_on_exec()
        .map_err(failed("close descriptors"))
        .and_then(|()| match stage {
            Stage::Supervisor => supervise(&control, order, &stdin),
            Stage::First => be_first(&control, &order, &stdin),
            Stage::Last => confine::become_program(&control, &order, &stdin),
        });
    result.or_else(|report| send_report(&control, &report))
}

/// Leaves the namespaces of the engine and its user, and passes on what the next stage reports.
fn supervise(control: &UnixStream, mut order: Order, stdin: &[u8]) -> Result<(), Report> {
    rustix::process::setsid()
        .map_err(io::Error::from)
        .map_err(failed("start a session"))?;
    if !order.wants(Feature::PrivateRoot) {
        // Nothing can be shown elsewhere.
        order.work_dir.path = order.work_dir.real.clone();
    }
    let process = identity::OwnProcess::open().map_err(failed("open /proc/self"))?;
    let drops_root = identity::is_root() && order.wants(Feature::OwnUser);
    let user = if drops_root {
        identity::NOBODY
    } else {
        identity::user()
    };
    let others = process_tree::threads_of(user);
    if drops_root {
        identity::give_to_nobody(&order.work_dir.real).map_err(|error| {
            // A root of a container may not know nobody. Without a number it is our own refusal.
            if error.raw_os_error().is_some() {
                return lacks(Feature::OwnUser)(error);
            }
            failed(format!(
                "give {} to an unprivileged user",
                order.work_dir.path.display()
            ))(error)
        })?;
    }
    if order.wants(Feature::Namespaces) {
        order.counts_alone = !identity::is_root();
        identity::enter_namespaces(&process).map_err(lacks(Feature::Namespaces))?;
        if order.wants(Feature::PrivateRoot) {
            order.child = view::build(&order).map_err(lacks(Feature::PrivateRoot))?;
        }
    }
    if drops_root {
        identity::become_nobody().map_err(lacks(Feature::OwnUser))?;
    }
    if !order.counts_alone && order.wants(Feature::Namespaces) {
        order.counts_alone = identity::count_alone(&process).is_ok();
    }
    if !order.counts_alone {
        order.processes = order.processes.saturating_add(others);
    }
    drop(process);
    let own = adopt_orphans().map_err(failed("adopt orphans"))?;
    if order.wants(Feature::Namespaces) {
        // The change of the user has reset this.
        die_with_parent().map_err(failed("bind itself to the engine"))?;
    } else {
        outlive_the_engine(control, own).map_err(failed("watch the engine"))?;
    }
    let mut first = start(Stage::First, control, &order, stdin)?;
    let _ = first.wait();
    if !order.wants(Feature::Namespaces) {
        process_tree::kill_descendants(own);
    }
    Ok(())
}

/// Without a process namespace, what the program started would outlive the supervisor. So when the engine ends, it is
/// killed first; that the engine has ended is seen by its end of the socket, on which nothing more is sent.
fn outlive_the_engine(control: &UnixStream, own: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(None)?;
    let mut control = control.try_clone()?;
    std::thread::Builder::new().spawn(move || {
        let _ = control.read(&mut [0]);
        process_tree::kill_descendants(own);
        std::process::exit(1);
    })?;
    Ok(())
}

/// Starts the program, reaps everything, and tells how the program ended. With the end of this process, the process
/// namespace ends.
fn be_first(control: &UnixStream, order: &Order, stdin: &[u8]) -> Result<(), Report> {
    let own = adopt_orphans().map_err(failed("adopt orphans"))?;
    let last = start(Stage::Last, control, order, stdin)?;
    let last = Pid::from_child(&last);
    let report = loop {
        let ended = match rustix::process::wait(WaitOptions::empty()) {
            Ok(ended) => ended,
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(failed("wait for the program")(errno.into())),
        };
        let Some((_, status)) = ended.filter(|(process, _)| *process == last) else {
            continue;
        };
        if let Some(code) = status.exit_status() {
            break Report::Exited(code);
        }
        if let Some(signal) = status.terminating_signal() {
            break Report::Signaled(signal);
        }
    };
    if !order.wants(Feature::Namespaces) {
        process_tree::kill_descendants(own);
    }
    Err(report)
}

/// Starts the next stage and passes its reports on until it closes its socket: by its end, or by becoming the program.
fn start(stage: Stage, control: &UnixStream, order: &Order, stdin: &[u8]) -> Result<Child, Report> {
    let step = || format!("start the stage {}", stage.as_str());
    let (mut command, mut socket) = command(&order.child, stage).map_err(failed(step()))?;
    let child = command.spawn().map_err(failed(step()))?;
    // The command holds the other end of the socket: without this, its end would not be seen.
    drop(command);
    send_order(&socket, order, stdin).map_err(failed(step()))?;
    let mut buffer = [0; 4096];
    let mut control = control;
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(child),
            Ok(length) => {
                let passed = control.write_all(buffer.get(..length).unwrap_or_default());
                passed.map_err(failed("report"))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(step())(error)),
        }
    }
}

/// Takes the socket away from standard input, so that nothing that is started later can have it.
fn take_control() -> io::Result<UnixStream> {
    let control = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(UnixStream::from(control))
}

fn die_with_parent() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(io::Error::from)
}

/// Becomes the parent of descendants whose parents end, so that they can be found, and returns the own process id.
fn adopt_orphans() -> io::Result<Pid> {
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own))?;
    Ok(own)
}
