//! The committed sessions are what the oracle builds.

use std::io::Write;
use std::process::Command;

use crate::session::directory;

/// Says why Python cannot be asked, if so.
fn is_missing() -> Option<String> {
    let probe = "import sys; sys.exit(sys.version_info < (3, 11))";
    match Command::new("python3").args(["-c", probe]).status() {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("python3 is older than 3.11 ({status})")),
        Err(error) => Some(format!("python3 cannot be started: {error}")),
    }
}

#[test]
fn the_sessions_are_what_the_oracle_builds() {
    if let Some(reason) = is_missing() {
        // Not a macro: the harness would swallow what those print in a test that passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED the_sessions_are_what_the_oracle_builds: {reason}"
        );
        return;
    }
    let checked = Command::new("python3")
        .args(["-B", "-X", "utf8"])
        .arg(directory().join("oracle.py"))
        .arg("--check")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&checked.stdout);
    let trouble = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{told}\n{trouble}");
}
