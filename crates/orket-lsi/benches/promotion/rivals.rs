//! What a durable promotion is held against: the disk itself, bare SQLite, git.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Appends 1 KB to a file and syncs it.
pub(crate) struct SmallWrite {
    file: File,
}

impl SmallWrite {
    pub(crate) fn open(directory: &Path) -> io::Result<SmallWrite> {
        let file = File::create(directory.join("small-write"))?;
        Ok(SmallWrite { file })
    }

    pub(crate) fn run(&mut self) -> io::Result<Duration> {
        let bytes = [b'x'; 1024];
        let start = Instant::now();
        self.file.write_all(&bytes)?;
        self.file.sync_all()?;
        Ok(start.elapsed())
    }
}

/// One row of the same bytes in one transaction of SQLite, with the same settings.
pub(crate) struct BareSqlite {
    connection: rusqlite::Connection,
    payload: Vec<u8>,
}

impl BareSqlite {
    pub(crate) fn open(directory: &Path, payload: Vec<u8>) -> io::Result<BareSqlite> {
        let open = || {
            let connection = rusqlite::Connection::open(directory.join("bare.db"))?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch(
                "CREATE TABLE rows (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)",
            )?;
            Ok(connection)
        };
        let connection = open().map_err(|error: rusqlite::Error| io::Error::other(error))?;
        Ok(BareSqlite {
            connection,
            payload,
        })
    }

    pub(crate) fn run(&mut self) -> io::Result<Duration> {
        let start = Instant::now();
        let work = || {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.connection
                .prepare_cached("INSERT INTO rows (bytes) VALUES (?1)")?
                .execute([&self.payload])?;
            self.connection.execute_batch("COMMIT")
        };
        work().map_err(io::Error::other)?;
        Ok(start.elapsed())
    }
}

/// `git add` and `git commit` of one changed file in a repository of 10 thousand files.
pub(crate) struct Git {
    repository: PathBuf,
    round: u64,
}

const FILES: u64 = 10_000;
const FILES_IN_DIRECTORY: u64 = 100;

impl Git {
    /// Makes the repository; `None` if there is no git here.
    pub(crate) fn open(directory: &Path) -> io::Result<Option<Git>> {
        let repository = directory.join("git");
        fs::create_dir_all(&repository)?;
        let git = Git {
            repository,
            round: 0,
        };
        if git.call(&["init", "--quiet"]).is_err() {
            return Ok(None);
        }
        for file in 0..FILES {
            let path = git.path(file);
            if let Some(parent) = path.parent().filter(|_| file % FILES_IN_DIRECTORY == 0) {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, format!("note {file}\n").repeat(30))?;
        }
        git.call(&["add", "."])?;
        git.commit()?;
        Ok(Some(git))
    }

    pub(crate) fn run(&mut self) -> io::Result<Duration> {
        self.round += 1;
        let path = self.path(crate::world::mix(self.round) % FILES);
        fs::write(&path, format!("round {}\n", self.round).repeat(30))?;
        let path = path.display().to_string();
        let start = Instant::now();
        self.call(&["add", &path])?;
        self.commit()?;
        Ok(start.elapsed())
    }

    fn path(&self, file: u64) -> PathBuf {
        let directory = format!("{:03}", file / FILES_IN_DIRECTORY);
        self.repository
            .join(directory)
            .join(format!("{file:05}.json"))
    }

    fn commit(&self) -> io::Result<()> {
        let name = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"];
        let commit = ["commit", "--quiet", "--no-verify", "-m", "turn"];
        self.call(
            &[
                &name[..],
                &["-c", "gc.auto=0", "-c", "commit.gpgsign=false"],
                &commit,
            ]
            .concat(),
        )
    }

    fn call(&self, arguments: &[&str]) -> io::Result<()> {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(&self.repository)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdout(Stdio::null())
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("git {arguments:?} failed")))
        }
    }
}

/// Returns the type of the file system that a directory lies on.
pub(crate) fn file_system(directory: &Path) -> io::Result<String> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let found = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind) = (fields.next()?, fields.next()?);
        directory.starts_with(place).then_some((place.len(), kind))
    });
    let kind = found
        .max()
        .map_or("an unknown file system", |(_, kind)| kind);
    Ok(kind.to_owned())
}
