//! Which system calls the program is refused: the filter for seccomp.
//!
//! It is a list of what is refused, because nobody knows what an honest program calls. Files are the business of
//! Landlock; this is about what Landlock does not see.

use std::collections::BTreeMap;

use libc::{c_long, *};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// Refused whatever the arguments, as if by lack of a right.
const REFUSED: &[c_long] = &[
    // The network, and local sockets: a service that listens on one acts with its own rights. socketpair stays.
    SYS_socket,
    // A second way to nearly every system call.
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    // Other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_perf_event_open,
    // Mounts, roots, namespaces.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_unshare,
    SYS_setns,
    // Names by which a file is reached from outside its directory, or becomes two.
    SYS_linkat,
    SYS_mknodat,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    // The kernel itself: keys, programs, faults, modules, clocks, names, quotas, logs.
    SYS_bpf,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_userfaultfd,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_quotactl,
    SYS_fanotify_init,
    SYS_syslog,
    SYS_vhangup,
];

/// The older forms that only this architecture has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    SYS_link,
    SYS_mknod,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_kexec_file_load,
    SYS_uselib,
    SYS_ustat,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// The same calls by the numbers of the x32 interface, some of which are its own: ptrace, kexec_load,
/// process_vm_readv and process_vm_writev.
#[cfg(target_arch = "x86_64")]
const X32: Option<(c_long, &[c_long])> = Some((0x4000_0000, &[521, 528, 539, 540]));
#[cfg(not(target_arch = "x86_64"))]
const X32: Option<(c_long, &[c_long])> = None;

/// The requests with which a program types into a terminal on behalf of its user.
const TERMINAL_INPUT: [u64; 2] = [0x5412, 0x541C];

const NEW_NAMESPACES: [c_int; 8] = [
    CLONE_NEWUSER,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWNET,
    CLONE_NEWIPC,
    CLONE_NEWUTS,
    CLONE_NEWCGROUP,
    CLONE_NEWTIME,
];
const CLONE_NEWTIME: c_int = 0x80;

/// Refuses the calls to this process and everything it starts, for good.
pub(super) fn enforce() -> Result<(), String> {
    apply().map_err(|error| error.to_string())
}

fn apply() -> Result<(), seccompiler::Error> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED
        .iter()
        .chain(REFUSED_HERE)
        .map(|&call| (call, Vec::new()))
        .collect();
    // The flags of clone say which namespaces the new process gets. The signal to the parent is in their lowest byte,
    // where CLONE_NEWTIME would be: that one is for clone3 and unshare only.
    let mut clone = Vec::new();
    for flag in NEW_NAMESPACES
        .into_iter()
        .filter(|&flag| flag != CLONE_NEWTIME)
    {
        let flag = u64::from(flag.cast_unsigned());
        clone.push(argument(
            0,
            SeccompCmpArgLen::Qword,
            SeccompCmpOp::MaskedEq(flag),
            flag,
        )?);
    }
    refused.insert(SYS_clone, clone);
    let mut terminal = Vec::new();
    for request in TERMINAL_INPUT {
        terminal.push(argument(
            1,
            SeccompCmpArgLen::Dword,
            SeccompCmpOp::Eq,
            request,
        )?);
    }
    refused.insert(SYS_ioctl, terminal);
    // clone3 has its flags in memory, where a filter cannot see them. What is told that there is none uses clone.
    let mut absent: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::from([(SYS_clone3, Vec::new())]);
    if let Some((bit, own)) = X32 {
        for calls in [&mut refused, &mut absent] {
            let x32: Vec<_> = calls
                .iter()
                .map(|(&call, rules)| (call | bit, rules.clone()))
                .collect();
            calls.extend(x32);
        }
        refused.extend(own.iter().map(|&call| (call | bit, Vec::new())));
    }
    for (calls, errno) in [(refused, EPERM), (absent, ENOSYS)] {
        let action = SeccompAction::Errno(errno.cast_unsigned());
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, action, architecture)?;
        let program: seccompiler::BpfProgram = filter.try_into()?;
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}

fn argument(
    index: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(index, length, operator, value)?])
}
