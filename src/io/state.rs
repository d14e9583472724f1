//! The state of a batch: a line of JSON for the run, and one for each project that is finished, written before the files of
//! the project are. A run that is stopped in whatever way goes on from there; a last line that is not whole does not count.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::journal::blob_id;
use super::load::Loaded;
use crate::outcome::{FileChange, NewCommit, ProjectOutcome};
use crate::project::settings::Level;

/// Version of the file; it grows when a field changes its meaning or goes.
const VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("{}:{line}: no state of a batch", path.display())]
    Form { path: PathBuf, line: usize },
    #[error("{} is the state of another run: `{run}` of cyclefix {tool}", path.display())]
    Other { path: PathBuf, run: String, tool: String },
    #[error("another run of cyclefix uses {}", .0.display())]
    Busy(PathBuf),
    #[error("cannot {action} the state {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
}

impl StateError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            StateError::Form { .. } => "name another file with --state".into(),
            StateError::Other { .. } => "run that again, or delete the file to start anew, or name another".into(),
            StateError::Busy(_) => "wait until it is done, or name another file with --state".into(),
            StateError::Io { .. } => "check that the file and its folder can be read and written".into(),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    batch: u32,
    /// Version of cyclefix.
    tool: String,
    /// What the results depend on besides the projects and their settings.
    run: String,
}

/// The result of a project.
#[derive(Clone, Debug)]
pub struct Record {
    /// The [`fingerprint`] of the project once its files are written.
    pub content: String,
    pub level: Level,
    pub outcome: ProjectOutcome,
    pub commits: Vec<NewCommit>,
}

/// A record as it is stored.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    content: Cow<'a, str>,
    level: Level,
    outcome: Cow<'a, ProjectOutcome>,
    commits: Cow<'a, [NewCommit]>,
    // What the JSON report of an outcome leaves out.
    changes: Cow<'a, [FileChange]>,
    modules_in_cycles_after: usize,
    cycles_after: usize,
    left: Cow<'a, [Vec<String>]>,
    prefix: Cow<'a, str>,
}

impl<'a> From<&'a Record> for Line<'a> {
    fn from(record: &'a Record) -> Self {
        let outcome = &record.outcome;
        Self {
            content: Cow::from(&record.content),
            level: record.level,
            outcome: Cow::Borrowed(outcome),
            commits: Cow::from(&record.commits),
            changes: Cow::from(&outcome.changes),
            modules_in_cycles_after: outcome.modules_in_cycles_after,
            cycles_after: outcome.cycles_after,
            left: Cow::from(&outcome.left),
            prefix: Cow::from(&outcome.prefix),
        }
    }
}

impl From<Line<'_>> for Record {
    fn from(line: Line) -> Self {
        let outcome = ProjectOutcome {
            changes: line.changes.into_owned(),
            modules_in_cycles_after: line.modules_in_cycles_after,
            cycles_after: line.cycles_after,
            left: line.left.into_owned(),
            prefix: line.prefix.into_owned(),
            ..line.outcome.into_owned()
        };
        Self { content: line.content.into_owned(), level: line.level, outcome, commits: line.commits.into_owned() }
    }
}

/// An open state; it stays locked, so that no other run writes to it.
pub struct State {
    path: PathBuf,
    file: Mutex<File>,
    found: BTreeMap<Vec<String>, Record>,
}

impl State {
    /// Opens the state of a run, or begins it. `run` says what its results depend on.
    pub fn open(path: &Path, run: &str) -> Result<Self, StateError> {
        let fail = |action| move |source| StateError::Io { action, path: path.to_owned(), source };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(fail("open"))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(StateError::Busy(path.to_owned())),
            // A file system without locks: runs at the same time are then the user's to avoid.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail("read"))?;
        // What a killed run did not write to its end.
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let mut state = Self { path: path.to_owned(), file: Mutex::new(file), found: BTreeMap::new() };
        if whole == 0 {
            if !bytes.is_empty() && !bytes.starts_with(b"{\"batch\":") {
                return Err(StateError::Form { path: path.to_owned(), line: 1 });
            }
            state.cut(0).map_err(fail("write"))?;
            let header = Header { batch: VERSION, tool: env!("CARGO_PKG_VERSION").into(), run: run.to_owned() };
            state.append(&header)?;
            return Ok(state);
        }
        for (index, line) in bytes[..whole - 1].split(|byte| *byte == b'\n').enumerate() {
            let form = |_| StateError::Form { path: path.to_owned(), line: index + 1 };
            if index == 0 {
                let header: Header = serde_json::from_slice(line).map_err(form)?;
                if (header.batch, header.tool.as_str(), header.run.as_str())
                    != (VERSION, env!("CARGO_PKG_VERSION"), run)
                {
                    return Err(StateError::Other { path: path.to_owned(), run: header.run, tool: header.tool });
                }
            } else {
                let record = Record::from(serde_json::from_slice::<Line>(line).map_err(form)?);
                state.found.insert(record.outcome.members.clone(), record);
            }
        }
        state.cut(whole as u64).map_err(fail("write"))?;
        Ok(state)
    }

    /// The result of a project that is as it was when it was finished.
    pub fn find(&self, members: &[String], content: &str) -> Option<&Record> {
        self.found.get(members).filter(|record| record.content == content)
    }

    /// Keeps the result of a project.
    pub fn note(&self, record: &Record) -> Result<(), StateError> {
        self.append(&Line::from(record))
    }

    /// Removes the file: the run is at its end.
    pub fn remove(self) -> Result<(), StateError> {
        let Self { path, file, .. } = self;
        // Windows removes no open file.
        drop(file);
        std::fs::remove_file(&path).map_err(|source| StateError::Io { action: "remove", path, source })
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let file = self.file.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length)).map(drop)
    }

    fn append(&self, line: &impl Serialize) -> Result<(), StateError> {
        let mut text = serde_json::to_vec(line).expect("results are plain strings and numbers");
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let written = file.write_all(&text).and_then(|()| file.sync_data());
        written.map_err(|source| StateError::Io { action: "write", path: self.path.clone(), source })
    }
}

/// What the result of a project follows from: its files after `changes`, what may be written, and its settings.
pub fn fingerprint(loaded: &Loaded, changes: &[FileChange]) -> String {
    let project = &loaded.project;
    let files = project.files.iter().map(|file| (file.path.as_str(), (Some(&file.text), file.writable)));
    let mut files: BTreeMap<&str, _> = files.collect();
    files.extend(changes.iter().map(|change| (change.path.as_str(), (change.after.as_ref(), true))));
    let mut all = format!("{:?}\n{:?}\n{:?}\n", project.settings, project.stubs, project.manifests);
    for borrower in project.borrowers.iter() {
        all.push_str(&format!("{borrower:?}\n"));
    }
    for (path, (text, writable)) in files {
        if let Some(text) = text {
            all.push_str(&format!("{path:?} {} {writable}\n", blob_id(text.as_bytes())));
        }
    }
    blob_id(all.as_bytes())
}
