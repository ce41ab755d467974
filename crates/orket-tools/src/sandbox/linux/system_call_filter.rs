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
    SYS_connect,
    SYS_bind,
    SYS_listen,
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
    SYS_migrate_pages,
    SYS_move_pages,
    SYS_perf_event_open,
    // Mounts, roots, namespaces.
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    OPEN_TREE_ATTR,
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
    SYS_quotactl_fd,
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

/// Refused besides where the namespace for them is that of everybody: what is made by these outlives its maker.
const SHARED_MEMORY: &[c_long] = &[SYS_shmget, SYS_semget, SYS_msgget];

/// Calls that the crate `libc` does not know yet; the numbers are the same on all architectures.
const OPEN_TREE_ATTR: c_long = 467;
const FCHMODAT2: c_long = 452;

/// The calls that set a mode, and which argument it is.
const MODE_IS_SET: &[(c_long, u8)] = &[
    (SYS_fchmod, 1),
    (SYS_fchmodat, 2),
    (FCHMODAT2, 2),
    #[cfg(target_arch = "x86_64")]
    (SYS_chmod, 1),
    #[cfg(target_arch = "x86_64")]
    (SYS_creat, 1),
];

/// The calls that make a file with a mode if they are told to: which arguments are the flags and the mode.
const MODE_IS_GIVEN: &[(c_long, u8, u8)] = &[
    (SYS_openat, 2, 3),
    #[cfg(target_arch = "x86_64")]
    (SYS_open, 1, 2),
];

/// Set-user-id and set-group-id: whoever executes such a file acts as its owner, also outside.
const SET_ID: [u64; 2] = [0o4000, 0o2000];
/// The flags of an open that makes a file.
const MAKES_A_FILE: [u64; 2] = [0o100, 0o20_000_000];

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
///
/// `shares_ipc` tells whether shared memory is that of the engine.
pub(super) fn enforce(shares_ipc: bool) -> Result<(), String> {
    apply(shares_ipc).map_err(|error| error.to_string())
}

fn apply(shares_ipc: bool) -> Result<(), seccompiler::Error> {
    let architecture: TargetArch = std::env::consts::ARCH.try_into()?;
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = REFUSED
        .iter()
        .chain(REFUSED_HERE)
        .chain(if shares_ipc { SHARED_MEMORY } else { &[] })
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
    refused.insert(SYS_socketpair, unconnected_pairs()?);
    // Limits and priorities of other processes; 0 is the caller.
    let other = |index| argument(index, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, 0);
    refused.insert(SYS_prlimit64, vec![other(0)?]);
    refused.insert(SYS_setpriority, vec![other(1)?]);
    refused.extend(set_id_modes()?);
    // These have their flags in memory, where a filter cannot see them. What is told that there is none uses clone and
    // openat.
    let mut absent: BTreeMap<i64, Vec<SeccompRule>> =
        BTreeMap::from([(SYS_clone3, Vec::new()), (SYS_openat2, Vec::new())]);
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

/// Datagrams of a pair can be sent to any local socket, not only to the other end. `SOCK_RAW` is a datagram here.
fn unconnected_pairs() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    const KIND: u64 = 0xf;
    let kinds = [SOCK_DGRAM, SOCK_RAW].into_iter();
    kinds
        .map(|kind| {
            let kind = u64::from(kind.cast_unsigned());
            argument(
                1,
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::MaskedEq(KIND),
                kind,
            )
        })
        .collect()
}

/// Files that give the rights of their owner away: they lie in a directory of the machine until they are collected.
fn set_id_modes() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let bit = |index, bit| {
        let masked = SeccompCmpOp::MaskedEq(bit);
        SeccompCondition::new(index, SeccompCmpArgLen::Dword, masked, bit)
    };
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for set_id in SET_ID {
        for &(call, mode) in MODE_IS_SET {
            let rule = SeccompRule::new(vec![bit(mode, set_id)?])?;
            refused.entry(call).or_default().push(rule);
        }
        for &(call, flags, mode) in MODE_IS_GIVEN {
            for makes in MAKES_A_FILE {
                let rule = SeccompRule::new(vec![bit(flags, makes)?, bit(mode, set_id)?])?;
                refused.entry(call).or_default().push(rule);
            }
        }
    }
    Ok(refused)
}

fn argument(
    index: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(index, length, operator, value)?])
}
