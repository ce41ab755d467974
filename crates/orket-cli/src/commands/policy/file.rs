//! Reading a policy from a file.

use std::io::Read;
use std::path::Path;

use orket_kernel::Pointer;
use orket_kernel::canonical;
use orket_kernel::capability::Policy;

use super::line;
use crate::exit::{self, Failure};

/// The most bytes that a policy file may have.
const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Why a file holds no valid policy.
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) pointer: Pointer,
    pub(super) message: String,
}

/// Reads the file; the inner error says why it holds no valid policy.
pub(super) fn read(file: &Path) -> Result<Result<Policy, Fault>, Failure> {
    let unreadable = |reason: String| {
        let message = format!("{} cannot be read: {reason}", file.display());
        Failure::new(exit::INVALID, message)
    };
    let opened = std::fs::File::open(file).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    opened
        .take(FILE_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(unreadable(format!(
            "it is longer than {FILE_MAX_BYTES} bytes, which is more than a policy needs"
        )));
    }
    Ok(of_bytes(&bytes))
}

fn of_bytes(bytes: &[u8]) -> Result<Policy, Fault> {
    let value = canonical::parse(bytes).map_err(|error| Fault {
        line: line::of_offset(bytes, error.byte_offset),
        pointer: error.pointer.clone(),
        message: error.to_string(),
    })?;
    Policy::from_value(value).map_err(|error| Fault {
        line: line::of_pointer(bytes, &error.pointer),
        message: error.to_string(),
        pointer: error.pointer,
    })
}

impl Fault {
    /// Returns the fault in one line.
    pub(super) fn told(&self, file: &Path) -> String {
        format!("{}:{}: {}", file.display(), self.line, self.message)
    }
}
