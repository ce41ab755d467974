//! The last stage: confines itself and becomes the program.

use std::io::{self, Seek, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{MemfdFlags, Mode};
use rustix::process::{Resource, Rlimit};
use rustix::thread::CapabilitySet;

use super::message::{Order, Report, send_report};
use super::stage::failed;
use super::{file_rules, system_call_filter};
use crate::sandbox::Feature;

/// The supervisor and the first process, which the kernel counts among those of the job.
const OWN_PROCESSES: u64 = 2;

/// Becomes the program of the order; returns only if that fails, or nothing is to be run.
pub(super) fn become_program(
    control: &UnixStream,
    order: &Order,
    stdin: &[u8],
) -> Result<(), Report> {
    // A group of its own: a signal to its group must not meet the supervisor.
    rustix::process::setsid()
        .map_err(io::Error::from)
        .map_err(failed("start a session"))?;
    drop_capabilities();
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let start = order.work_dir.path.join(&order.start_in);
    std::env::set_current_dir(&start).map_err(failed(format!("enter {}", start.display())))?;
    give_input(stdin).map_err(failed("hand over the standard input"))?;
    if order.wants(Feature::Landlock) {
        file_rules::enforce(order).map_err(|reason| Report::Lacks {
            feature: Feature::Landlock,
            reason,
        })?;
    }
    set_limits(order).map_err(failed("set limits"))?;
    rustix::thread::set_no_new_privs(true)
        .map_err(io::Error::from)
        .map_err(failed("give up privileges"))?;
    if order.wants(Feature::SystemCallFilter) {
        system_call_filter::enforce(!order.wants(Feature::Namespaces)).map_err(|reason| {
            Report::Lacks {
                feature: Feature::SystemCallFilter,
                reason,
            }
        })?;
    }
    send_report(control, &Report::Ready).map_err(failed("report"))?;
    if order.probe {
        return Ok(());
    }
    let mut command = Command::new(&order.program);
    command
        .args(&order.arguments)
        .env_clear()
        .envs(&order.environment);
    for (name, place) in &order.places {
        command.env(name, order.work_dir.path.join(place));
    }
    Err(failed(format!("start {}", order.program.display()))(
        command.exec(),
    ))
}

/// Leaves nothing that root would get back when a program is executed. Who is not root has nothing to lose: there, and
/// where it is not allowed, this does nothing; that root was not given up has been told by then.
fn drop_capabilities() {
    for capability in CapabilitySet::all().iter() {
        let _ = rustix::thread::remove_capability_from_bounding_set(capability);
    }
}

/// A file in memory: it needs nobody who writes while the program reads.
fn give_input(stdin: &[u8]) -> io::Result<()> {
    let file = rustix::fs::memfd_create("stdin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(file);
    file.write_all(stdin)?;
    file.rewind()?;
    use rustix::fs::SealFlags;
    rustix::fs::fcntl_add_seals(
        &file,
        SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )?;
    rustix::stdio::dup2_stdin(&file)?;
    Ok(())
}

fn set_limits(order: &Order) -> io::Result<()> {
    let limits = [
        (Resource::As, order.memory_bytes),
        (Resource::Fsize, order.file_bytes),
        (Resource::Nofile, order.open_files),
        (
            Resource::Nproc,
            order.processes.saturating_add(OWN_PROCESSES),
        ),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ];
    for (resource, limit) in limits {
        set_limit(resource, limit, limit)?;
    }
    // The first limit ends the program with SIGXCPU, which it can ignore; the second with SIGKILL.
    set_limit(
        Resource::Cpu,
        order.cpu_seconds,
        order.cpu_seconds.saturating_add(1),
    )
}

/// Sets a limit, or keeps the one that is there if it is lower.
fn set_limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let there = rustix::process::getrlimit(resource)
        .maximum
        .unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(current.min(there)),
        maximum: Some(maximum.min(there)),
    };
    rustix::process::setrlimit(resource, limit).map_err(io::Error::from)
}
