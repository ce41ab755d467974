//! Another process swaps what stands at a path while the tools use it.
//!
//! Each race is run with every file tool, half of it in each way of looking up a name, as root and as nobody: 1,000 rounds by
//! default, 100,000 with `ORKET_FULL=1`. Nothing of outside may be told, and nothing outside may change. A race counts only if the
//! tools met both sides of the swap.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use orket_tools::path::Resolution;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::again;
use crate::hands::{self, Ending, WRITTEN};
use crate::scene::{SENTINEL, Scene};
use crate::{RESOLUTIONS, is_full};

/// Names the race and the directory in which the other process runs it.
const RACE: &str = "ORKET_TEST_RACE";

/// What stands where the tools look while nothing is swapped.
const INSIDE: &str = "inside";

/// What is swapped for what, in a directory with the directory `d` and the file `d/f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Race {
    /// A directory and a link to the directory outside, at once.
    DirectoryForLink,
    /// The same with a moment in which there is neither.
    DirectoryThenLink,
    /// A file and a link to the file outside.
    FileForLink,
    /// A file and a hard link of the file outside.
    FileForHardLink,
    /// A file and a FIFO, whose opening could wait for ever.
    FileForFifo,
}

const RACES: [Race; 5] = [
    Race::DirectoryForLink,
    Race::DirectoryThenLink,
    Race::FileForLink,
    Race::FileForHardLink,
    Race::FileForFifo,
];

#[test]
fn no_race_is_won() {
    let rounds = if is_full() { 50_000 } else { 500 };
    for race in RACES {
        for resolution in RESOLUTIONS {
            let (done, plain, refused) = run(race, resolution, rounds);
            let user = rustix::process::geteuid().as_raw();
            let line = format!(
                "{race:?} {resolution:?} uid {user}: {done} rounds, {plain} met the plain side, {refused} were refused"
            );
            if is_full() {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
            assert!(plain > 0 && refused > 0, "{line}: they did not race");
        }
    }
}

#[test]
fn no_race_is_won_by_nobody() {
    again::as_nobody("races::no_race_is_won");
}

/// Runs one race; says how many rounds it had, how often a tool met the plain side, and how often it was refused.
fn run(race: Race, resolution: Resolution, rounds: usize) -> (usize, usize, usize) {
    let scene = Scene::new(resolution);
    let places = [
        scene.path("project/src"),
        scene.path("project/agent_output"),
    ];
    for place in &places {
        fs::create_dir(place.join("d")).unwrap();
        fs::write(place.join("d/f"), INSIDE).unwrap();
    }
    fs::write(scene.path("outside/f"), SENTINEL).unwrap();
    let outside = |scene: &Scene| -> Vec<_> {
        let standing = scene.standing().into_iter();
        // Hard links come and go; what they name stays.
        standing
            .filter(|(at, _)| {
                !at.starts_with("project/src/") && !at.starts_with("project/agent_output/")
            })
            .map(|(at, is)| (at, is.kind, is.content))
            .collect()
    };
    let before = outside(&scene);
    let tools: Vec<_> = hands::file_tools(&scene).into_iter().collect();
    let other = Other::start(race, &places, &scene.path("outside"));
    let (mut plain, mut refused) = (0, 0);
    let mut round = 0;
    // On a busy machine the other side may sleep through many rounds; it is waited for, but not for ever.
    while round < rounds || ((plain == 0 || refused == 0) && round < 50_000) {
        let (name, tool) = &tools[round % tools.len()];
        let path = match hands::writes(tool.as_ref()) {
            true => "agent_output/d/f",
            false => ["src/d/f", "src/d"][round / tools.len() % 2],
        };
        let ending = hands::call(&scene, tool.as_ref(), path, None);
        let told = ending.told();
        assert!(
            !told.contains(SENTINEL),
            "{race:?} {resolution:?} {name} {path}, round {round}: {told}"
        );
        if name == "read_file" && path == "src/d/f" {
            match ending {
                Ending::Answered(value) if value.get("content").is_some() => plain += 1,
                _ => refused += 1,
            }
        }
        round += 1;
    }
    drop(other);
    assert_eq!(outside(&scene), before, "{race:?} {resolution:?}");
    for (at, is) in scene.standing() {
        if is.kind == "file" && at.starts_with("project/agent_output/d") && is.is_plain() {
            let content = String::from_utf8_lossy(&is.content).into_owned();
            assert!(
                [INSIDE, "projected", WRITTEN].contains(&content.as_str()),
                "{at}: {content}"
            );
        }
    }
    (round, plain, refused)
}

/// The process that swaps; it ends with this.
struct Other(Child);

impl Other {
    fn start(race: Race, places: &[PathBuf; 2], outside: &Path) -> Other {
        let index = RACES.iter().position(|it| *it == race).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "races::the_other_side", "--nocapture"]);
        let [read, written] = places.each_ref().map(|place| place.display());
        command.env(
            RACE,
            format!("{index}\n{}\n{read}\n{written}", outside.display()),
        );
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Other(command.spawn().unwrap())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test: what the other process does, which runs this by its name.
#[test]
fn the_other_side() {
    let Ok(told) = std::env::var(RACE) else {
        return;
    };
    let mut lines = told.lines();
    let race = RACES[lines.next().unwrap().parse::<usize>().unwrap()];
    let outside = PathBuf::from(lines.next().unwrap());
    let places: Vec<PathBuf> = lines.map(PathBuf::from).collect();
    let parent = rustix::process::getppid();
    while rustix::process::getppid() == parent {
        for place in &places {
            race.swap(place, &outside);
        }
    }
}

impl Race {
    /// Swaps once. What the tools took away is made anew; a step that fails is tried again with the next swap.
    fn swap(self, place: &Path, outside: &Path) {
        let (directory, file) = (place.join("d"), place.join("d/f"));
        let trap = match self {
            Race::DirectoryForLink | Race::DirectoryThenLink => place.join("trap"),
            _ => place.join("d/trap"),
        };
        match self {
            Race::DirectoryForLink => {
                if !directory.is_symlink() && !trap.is_symlink() {
                    let _ = symlink(outside, &trap);
                }
                exchange(&directory, &trap);
            }
            Race::DirectoryThenLink => {
                let away = place.join("away");
                let _ = fs::rename(&directory, &away);
                let _ = symlink(outside, &directory);
                let _ = fs::remove_file(&directory);
                // A tool may have made the directory anew meanwhile.
                let _ = fs::remove_dir_all(&directory);
                let _ = fs::rename(&away, &directory);
            }
            Race::FileForLink => {
                if !file.is_symlink() && !trap.is_symlink() {
                    let _ = fs::remove_file(&trap);
                    let _ = symlink(outside.join("f"), &trap);
                }
                exchange(&file, &trap);
            }
            Race::FileForHardLink => {
                if fs::metadata(outside.join("f")).is_ok_and(|it| it.nlink() == 1) {
                    let _ = fs::remove_file(&trap);
                    let _ = fs::hard_link(outside.join("f"), &trap);
                }
                exchange(&file, &trap);
            }
            Race::FileForFifo => {
                let is_plain =
                    |path: &Path| fs::symlink_metadata(path).is_ok_and(|it| it.is_file());
                if !trap.exists() || (is_plain(&file) && is_plain(&trap)) {
                    let _ = fs::remove_file(&trap);
                    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
                    let _ = rustix::fs::mknodat(CWD, &trap, rustix::fs::FileType::Fifo, mode, 0);
                }
                exchange(&file, &trap);
            }
        }
    }
}

fn exchange(one: &Path, other: &Path) {
    let _ = renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE);
}
