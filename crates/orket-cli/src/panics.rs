//! A panic is a bug in Orket: one line without secrets, and its exit code.

use std::any::Any;
use std::panic::{PanicHookInfo, catch_unwind};
use std::process::ExitCode;

use crate::{exit, terminal};

/// Runs the program and turns a panic into [`exit::BUG`].
pub(crate) fn survive(run: fn() -> ExitCode) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| terminal::say(&told(panic))));
    catch_unwind(run).unwrap_or_else(|_| exit::BUG.into())
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(String::new, |place| {
        format!(" at {}:{}", place.file(), place.line())
    });
    let what = terminal::plain(message(panic.payload()));
    format!("orket: this is a bug in Orket{place}: {what}\n")
}

fn message(payload: &dyn Any) -> &str {
    match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "it panicked",
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Panics as the program would; only run by the test below, in a process of its own, because hooks are the process's.
    #[test]
    #[ignore = "it ends its process"]
    fn child() {
        let code = survive(|| panic!("the answer was: correct%20horse\u{1b}[2J"));
        std::process::exit(if code == exit::BUG.into() { 70 } else { 1 });
    }

    #[test]
    fn a_panic_is_told_without_secrets_and_ends_with_its_code() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "panics::tests::child",
                "--ignored",
                "--nocapture",
            ])
            .env("STABLE_KEY", "correct horse")
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(70), "{told}");
        assert!(
            told.contains("panics.rs:")
                && told.ends_with(": the answer was: [secret:STABLE_KEY]\u{fffd}[2J\n"),
            "{told}"
        );
    }
}
