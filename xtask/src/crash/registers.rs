//! The registers of a stopped thread: number, arguments and result of its system call.

use nix::libc::user_regs_struct;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// How many arguments a system call has at most.
pub(crate) const ARGUMENTS: usize = 6;

/// The registers as they were read.
#[derive(Clone, Copy)]
pub(crate) struct Registers(user_regs_struct);

impl Registers {
    pub(crate) fn read(pid: Pid) -> nix::Result<Registers> {
        ptrace::getregs(pid).map(Registers)
    }

    pub(crate) fn write(self, pid: Pid) -> nix::Result<()> {
        ptrace::setregs(pid, self.0)
    }

    pub(crate) fn arguments(&self) -> [u64; ARGUMENTS] {
        let mut registers = *self;
        std::array::from_fn(|index| *registers.argument(index))
    }

    pub(crate) fn set_argument(&mut self, index: usize, value: u64) {
        *self.argument(index) = value;
    }
}

#[cfg(target_arch = "x86_64")]
impl Registers {
    pub(crate) fn number(&self) -> i64 {
        self.0.orig_rax as i64
    }

    pub(crate) fn result(&self) -> i64 {
        self.0.rax as i64
    }

    pub(crate) fn set_result(&mut self, result: i64) {
        self.0.rax = result as u64;
    }

    fn argument(&mut self, index: usize) -> &mut u64 {
        match index {
            0 => &mut self.0.rdi,
            1 => &mut self.0.rsi,
            2 => &mut self.0.rdx,
            3 => &mut self.0.r10,
            4 => &mut self.0.r8,
            _ => &mut self.0.r9,
        }
    }
}

#[cfg(target_arch = "aarch64")]
impl Registers {
    pub(crate) fn number(&self) -> i64 {
        self.0.regs[8] as i64
    }

    pub(crate) fn result(&self) -> i64 {
        self.0.regs[0] as i64
    }

    /// Must come after every [`Registers::set_argument`]: the first argument and the result share a register.
    pub(crate) fn set_result(&mut self, result: i64) {
        self.0.regs[0] = result as u64;
    }

    fn argument(&mut self, index: usize) -> &mut u64 {
        &mut self.0.regs[index.min(ARGUMENTS - 1)]
    }
}
