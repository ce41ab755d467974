//! Runs a command and stops it, all its threads and all its children, before and after each system call that changes a disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::crash::call::Call;
use crate::crash::registers::Registers;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// What is to become of a call that was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is made.
    Go,
    /// It is not made, and the whole tree ends.
    Kill,
    /// It is not made, and reports this error.
    Fail(i32),
}

/// Looks on, and decides.
pub(crate) trait Observer {
    /// A call is entered; nothing of it has happened.
    fn before(&mut self, pid: Pid, call: &Call) -> Verdict;
    /// A call that went on has returned.
    fn after(&mut self, _pid: Pid, _call: &Call, _result: i64) {}
}

/// How a traced command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(i32),
    Killed,
    Signalled(Signal),
}

/// A command to trace.
pub(crate) struct Traced<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) directory: &'a Path,
    /// Where its output goes.
    pub(crate) stdout: PathBuf,
    pub(crate) stderr: PathBuf,
    /// The tree whose changes are told to the observer; so is what goes to standard output.
    pub(crate) root: &'a Path,
}

/// Says why processes cannot be traced here; `None` if they can.
pub(crate) fn refusal() -> Option<String> {
    let directory = std::env::temp_dir();
    struct Idle;
    impl Observer for Idle {
        fn before(&mut self, _pid: Pid, _call: &Call) -> Verdict {
            Verdict::Go
        }
    }
    let traced = Traced {
        program: Path::new("/bin/true"),
        arguments: Vec::new(),
        variables: Vec::new(),
        directory: &directory,
        stdout: PathBuf::from("/dev/null"),
        stderr: PathBuf::from("/dev/null"),
        root: &directory,
    };
    traced
        .run(&mut Idle)
        .err()
        .map(|error| format!("{error:#}"))
}

impl Traced<'_> {
    /// Runs the command to its end; everything that it started has ended then, too.
    pub(crate) fn run(&self, observer: &mut dyn Observer) -> Result<End> {
        let root = self.spawn()?;
        // Whatever hangs is ended, so that a defect is a failure and not a standstill.
        let (done, waiting) = mpsc::channel::<()>();
        let watchdog = std::thread::spawn(move || {
            let late = waiting.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
            if late {
                let _ = kill(root, Signal::SIGKILL);
            }
            late
        });
        let end = Tracing {
            traced: self,
            observer,
            root,
            threads: BTreeMap::new(),
            is_killing: false,
            end: None,
        }
        .follow();
        drop(done);
        if watchdog.join().unwrap_or(false) {
            bail!("it did not end within {} s", PATIENCE.as_secs());
        }
        end
    }

    /// Starts a shell that waits, takes it under observation, and lets it become the command.
    fn spawn(&self) -> Result<Pid> {
        let output = |path: &Path| {
            File::create(path).with_context(|| format!("failed to make {}", path.display()))
        };
        let mut child = Command::new("/bin/sh")
            .args(["-c", "read -r go && exec \"$@\" </dev/null", "sh"])
            .arg(self.program)
            .args(&self.arguments)
            .current_dir(self.directory)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(output(&self.stdout)?)
            .stderr(output(&self.stderr)?)
            .spawn()
            .context("failed to start a shell")?;
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_EXITKILL;
        if let Err(error) = ptrace::seize(pid, options) {
            drop(child.stdin.take());
            child.wait().context("failed to wait for a shell")?;
            bail!("ptrace is refused: {error}");
        }
        let mut stdin = child.stdin.take().context("a shell has no input")?;
        stdin.write_all(b"go\n").context("failed to wake a shell")?;
        Ok(pid)
    }
}

/// A thread between the entry and the return of a call.
#[derive(Default)]
struct Thread {
    is_inside: bool,
    pending: Option<(Call, Verdict)>,
}

struct Tracing<'a, 'b> {
    traced: &'a Traced<'b>,
    observer: &'a mut dyn Observer,
    root: Pid,
    threads: BTreeMap<Pid, Thread>,
    is_killing: bool,
    end: Option<End>,
}

impl Tracing<'_, '_> {
    fn follow(mut self) -> Result<End> {
        // Only what this thread of ours has started: other workers follow trees of their own.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(WaitStatus::Exited(pid, code)) => self.gone(pid, End::Exited(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    let end = if self.is_killing {
                        End::Killed
                    } else {
                        End::Signalled(signal)
                    };
                    self.gone(pid, end);
                }
                Ok(status) if self.is_killing => {
                    if let Some(pid) = status.pid() {
                        end_process(pid);
                    }
                }
                Ok(WaitStatus::PtraceSyscall(pid)) => match self.at_call(pid) {
                    Ok(()) => self.resume(pid, None)?,
                    // Killed from outside between the stop and the look.
                    Err(Errno::ESRCH) => {}
                    Err(error) => bail!("failed to look at a system call: {error}"),
                },
                Ok(WaitStatus::PtraceEvent(pid, _, event)) => {
                    if event == Event::PTRACE_EVENT_EXEC as i32 {
                        // The next stop is the return of the call that brought the new program.
                        self.threads.insert(
                            pid,
                            Thread {
                                is_inside: true,
                                pending: None,
                            },
                        );
                    }
                    self.resume(pid, None)?;
                }
                Ok(WaitStatus::Stopped(pid, signal)) => self.resume(pid, Some(signal))?,
                Ok(_) => {}
                Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => break,
                Err(error) => bail!("failed to wait for a process: {error}"),
            }
        }
        self.end.context("the command was lost")
    }

    fn gone(&mut self, pid: Pid, end: End) {
        self.threads.remove(&pid);
        if pid == self.root {
            self.end = Some(end);
        }
    }

    fn resume(&mut self, pid: Pid, signal: Option<Signal>) -> Result<()> {
        self.threads.entry(pid).or_default();
        if self.is_killing {
            for pid in self.threads.keys() {
                end_process(*pid);
            }
            return Ok(());
        }
        match ptrace::syscall(pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => bail!("failed to let a process go on: {error}"),
        }
    }

    fn at_call(&mut self, pid: Pid) -> nix::Result<()> {
        let thread = self.threads.entry(pid).or_default();
        thread.is_inside = !thread.is_inside;
        if !thread.is_inside {
            let Some((call, verdict)) = thread.pending.take() else {
                return Ok(());
            };
            let mut registers = Registers::read(pid)?;
            match verdict {
                Verdict::Fail(errno) => {
                    call.pretend(&mut registers, errno);
                    registers.write(pid)?;
                }
                _ => self.observer.after(pid, &call, registers.result()),
            }
            return Ok(());
        }
        let mut registers = Registers::read(pid)?;
        let Some(call) = Call::entered(pid, &registers) else {
            return Ok(());
        };
        if !call.touches(self.traced.root) && !call.touches(&self.traced.stdout) {
            return Ok(());
        }
        let verdict = self.observer.before(pid, &call);
        match verdict {
            Verdict::Go => {}
            Verdict::Kill => self.is_killing = true,
            Verdict::Fail(_) => {
                call.spoil(&mut registers);
                registers.write(pid)?;
            }
        }
        thread.pending = Some((call, verdict));
        Ok(())
    }
}

fn end_process(pid: Pid) {
    // It may be gone already, which is what was wanted.
    let _ = kill(pid, Signal::SIGKILL);
}
