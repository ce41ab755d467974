//! How fast the calls in an answer are read; `cargo xtask bench calls` runs it.
//!
//! Other work on the machine slows all contestants, so they take turns in rounds, and of each only its best round counts.

mod answers;

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use answers::Answer;
use orket_kernel::Digest;
use orket_provider::dialect;

const ROUNDS: usize = 8;
/// How long a contestant runs before another has its turn.
const TURN: Duration = Duration::from_millis(10);

fn main() -> io::Result<()> {
    let tools = answers::tools();
    let mut table = String::from(
        "| Answer | Size | Calls | MB/s | UTF-8 check | SHA-256 |\n|---|--:|--:|--:|--:|--:|\n",
    );
    for answer in answers::all() {
        let Answer {
            name,
            dialect,
            text,
            calls,
        } = &answer;
        let reading = dialect::read(dialect, &tools, text);
        if reading.calls.len() != *calls {
            let found = reading.calls.len();
            return Err(io::Error::other(format!(
                "{name}: {found} calls, not {calls}"
            )));
        }
        let (mut read, mut checked, mut digested) = (Duration::MAX, Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            read = read.min(turn(|| dialect::read(dialect, &tools, black_box(text))));
            checked = checked.min(turn(|| {
                std::str::from_utf8(black_box(text.as_bytes())).is_ok()
            }));
            digested = digested.min(turn(|| Digest::of_bytes(black_box(text.as_bytes()))));
        }
        let speed = |time: Duration| text.len() as f64 / time.as_secs_f64() / 1e6;
        writeln!(
            table,
            "| {name} | {} KB | {calls} | {:.0} | {:.0} | {:.0} |",
            text.len() / 1000,
            speed(read),
            speed(checked),
            speed(digested)
        )
        .map_err(io::Error::other)?;
    }
    write!(io::stdout(), "{table}")
}

/// Repeats the work for a turn and returns the mean time of one.
fn turn<T>(work: impl Fn() -> T) -> Duration {
    let begin = Instant::now();
    let mut times = 0;
    loop {
        black_box(work());
        times += 1;
        let passed = begin.elapsed();
        if passed >= TURN {
            return passed / times;
        }
    }
}
