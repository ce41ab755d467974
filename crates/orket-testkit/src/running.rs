//! A started command.

use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::output::{Output, Redaction};
use crate::poll::wait_until;

/// How long a command may take before the test gives it up.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long its children may outlive a command that was killed.
const ORPHANS_PATIENCE: Duration = Duration::from_secs(10);

/// How a command ended that was to be killed.
#[must_use = "a command that ended before its time was not killed"]
#[derive(Debug)]
pub enum Ending {
    /// It was killed.
    Killed(Output),
    /// It ended by itself before.
    Ended(Output),
}

/// A started command; dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    told: String,
    redaction: Redaction,
    stdout: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// Closed when both streams have ended.
    streaming: Receiver<()>,
    readers: Vec<JoinHandle<()>>,
}

impl Running {
    /// Starts a command whose three streams are pipes.
    pub(crate) fn start(
        mut command: Command,
        told: String,
        redaction: Redaction,
        input: &[u8],
    ) -> Running {
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input is not wrong.
            let _ = stdin.write_all(input);
        }
        let (alive, streaming) = mpsc::channel::<()>();
        let (stdout, stderr) = (Arc::default(), Arc::default());
        let mut readers = Vec::new();
        if let Some(stream) = child.stdout.take() {
            readers.push(keep(stream, Arc::clone(&stdout), alive.clone()));
        }
        if let Some(stream) = child.stderr.take() {
            readers.push(keep(stream, Arc::clone(&stderr), alive));
        }
        Running {
            child,
            told,
            redaction,
            stdout,
            stderr,
            streaming,
            readers,
        }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until standard error holds a text.
    ///
    /// # Panics
    /// If it does not within half a minute.
    pub fn wait_for_talk(&self, text: &str) {
        wait_until(&format!("{} says {text:?}", self.told), || {
            String::from_utf8_lossy(&taken(&self.stderr)).contains(text)
        });
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// If it does not come within two minutes.
    pub fn wait(mut self) -> Output {
        let ended = self.ends_within(PATIENCE);
        let output = self.end(ended);
        assert!(ended, "no end within {} s:\n{output}", PATIENCE.as_secs());
        output
    }

    /// Kills the command after a while, unless it ends before, and waits until it is gone.
    pub fn kill_after(mut self, moment: Duration) -> Ending {
        let ended = self.ends_within(moment);
        let output = self.end(ended);
        // It may have ended between the look and the kill.
        if ended || output.signal.is_none() {
            Ending::Ended(output)
        } else {
            Ending::Killed(output)
        }
    }

    /// Kills the command as soon as the condition holds, unless it ends before, and waits until it is gone.
    ///
    /// The condition is asked without a pause, so that the kill comes within microseconds.
    ///
    /// # Panics
    /// If the command neither ends nor makes the condition hold within two minutes.
    pub fn kill_when(mut self, mut holds: impl FnMut() -> bool) -> Ending {
        let begin = Instant::now();
        while !holds() {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return Ending::Ended(self.wait());
            }
            assert!(begin.elapsed() < PATIENCE, "{}: nothing happens", self.told);
        }
        self.kill_after(Duration::ZERO)
    }

    /// Tells whether both streams end in time: whoever holds them has ended then.
    fn ends_within(&mut self, limit: Duration) -> bool {
        match self.streaming.recv_timeout(limit) {
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => true,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                // Gone already is as good as killed.
                let _ = self.child.kill();
                false
            }
        }
    }

    fn end(&mut self, ended: bool) -> Output {
        let status = self
            .child
            .wait()
            .unwrap_or_else(|error| panic!("{} cannot be waited for: {error}", self.told));
        if !ended
            && self.streaming.recv_timeout(ORPHANS_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout)
        {
            panic!(
                "{} was killed, but something that it started lives on",
                self.told
            );
        }
        for reader in self.readers.drain(..) {
            if reader.join().is_err() {
                panic!("a stream of {} could not be read", self.told);
            }
        }
        let (stdout, stderr) = (taken(&self.stdout), taken(&self.stderr));
        Output::new(self.told.clone(), status, &stdout, &stderr, &self.redaction)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn taken(bytes: &Mutex<Vec<u8>>) -> Vec<u8> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Collects a stream until its end; `alive` is dropped then.
fn keep(
    mut stream: impl Read + Send + 'static,
    bytes: Arc<Mutex<Vec<u8>>>,
    alive: mpsc::Sender<()>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            bytes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(&piece[..length]);
        }
        drop(alive);
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::CliEnvironment;

    use super::*;

    #[test]
    fn a_command_is_killed_at_its_moment_or_ends_before() {
        let environment = CliEnvironment::empty(Path::new("/bin/sh"));
        let asleep = environment.start(&["-c", "echo begin >&2; exec sleep 60"]);
        asleep.wait_for_talk("begin");
        match asleep.kill_after(Duration::from_millis(1)) {
            Ending::Killed(output) => assert_eq!(output.signal, Some(9)),
            Ending::Ended(output) => panic!("it was not killed:\n{output}"),
        }
        let quick = environment.start(&["-c", "exit 4"]);
        match quick.kill_after(Duration::from_secs(30)) {
            Ending::Ended(output) => assert_eq!(output.code, Some(4)),
            Ending::Killed(output) => panic!("it was killed:\n{output}"),
        }
    }
}
