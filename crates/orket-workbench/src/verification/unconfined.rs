//! A command without a sandbox, for toolchains that live in a person's home: in the copy, with a deadline, in a process
//! group of its own, without what the environment holds of secrets.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{Ended, VerifyConfig};

/// What is handed on of the environment: where programs are and where they keep their things.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];
const OUTPUT_BYTES: u64 = 1 << 20;

/// Runs a command to its end or its deadline, and ends whatever of its process group is left.
pub(super) fn run(
    command: &str,
    tree: &Path,
    output: &Path,
    config: &VerifyConfig,
) -> io::Result<Ended> {
    let file = File::create(output)?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .current_dir(tree)
        .env_clear()
        .envs(
            KEPT.iter()
                .filter_map(|name| Some((*name, std::env::var_os(name)?))),
        )
        .envs(&config.environment)
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .process_group(0)
        .spawn()?;
    let (told, tells) = mpsc::channel();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let group = pid.ok_or_else(|| io::Error::other("the command has no process id"))?;
    let waiter = std::thread::spawn(move || {
        // It is not reaped here, so that its number stays its own until the group is ended.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let _ = waitid(WaitId::Pid(group), options);
        let _ = told.send(());
    });
    let deadline = Duration::from_secs(config.deadline_seconds);
    let is_late = tells.recv_timeout(deadline).is_err();
    // Also after a good end: what it left running in the background ends with it.
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait()?;
    let _ = waiter.join();
    Ok(Ended {
        failure: failure(status, is_late, config.deadline_seconds),
        output: read_end(output)?,
        confinement: "no sandbox".to_owned(),
    })
}

fn failure(status: ExitStatus, is_late: bool, seconds: u64) -> Option<String> {
    match (is_late, status.code(), status.signal()) {
        (true, _, _) => Some(format!("did not end within {seconds} s")),
        (false, Some(0), _) => None,
        (false, Some(code), _) => Some(format!("exited with {code}")),
        (false, None, signal) => Some(format!(
            "was ended by signal {}",
            signal.unwrap_or_default()
        )),
    }
}

fn read_end(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(OUTPUT_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(OUTPUT_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
