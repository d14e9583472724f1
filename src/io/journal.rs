//! What a run is about to write, kept on disk while it writes, so that a run that was killed can be undone.
//!
//! The journal is one line of JSON, complete before anything else is touched, and the line `done` once every file is
//! in place. While `done` is missing, every file goes back to its backup; afterwards only leftovers are removed. The
//! writer undoes a failed run by the same code.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::write::WriteError;

pub(super) const NAME: &str = ".cyclefix-journal";
/// How the names of temporary files and backups start.
pub(super) const PREFIX: &str = ".cyclefix-";
const DONE: &str = "done\n";

/// One file of a run; paths are relative to the root, with `/`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub path: String,
    /// Holds the new text until it takes the file's place.
    pub temp: String,
    /// Holds the old text until the run is done.
    pub backup: String,
    /// False for a file that the run creates.
    pub existed: bool,
    /// The new text as a git blob id; `None` for a file that the run deletes.
    pub after: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Folders that the run creates, outer ones first.
    pub folders: Vec<String>,
    pub entries: Vec<Entry>,
}

/// An open journal. It stays locked, so that no other run takes this one for dead.
pub(super) struct Journal {
    root: PathBuf,
    file: File,
    pub plan: Plan,
}

impl Journal {
    /// Writes the journal of a run that is about to start. `root` is absolute and without symbolic links.
    pub fn begin(root: &Path, plan: Plan) -> Result<Self, WriteError> {
        let path = root.join(NAME);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = file.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => WriteError::Busy { root: root.to_owned() },
            _ => WriteError::io("create", &path, source),
        })?;
        lock(&file, root)?;
        let text = serde_json::to_string(&plan).expect("a plan is plain strings") + "\n";
        match file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
            Ok(()) => Ok(Self { root: root.to_owned(), file, plan }),
            Err(source) => {
                let error = WriteError::io("write", &path, source);
                drop(file);
                remove(&path).and(Err(error))
            }
        }
    }

    /// Notes that every file is in place. From here on the run is not undone any more.
    pub fn done(&mut self) -> Result<(), WriteError> {
        let noted = self.file.write_all(DONE.as_bytes()).and_then(|()| self.file.sync_all());
        noted.map_err(|source| WriteError::io("write", &self.root.join(NAME), source))
    }

    /// Removes what the run needed, the journal last.
    pub fn close(self) -> Result<(), WriteError> {
        for entry in &self.plan.entries {
            remove(&at(&self.root, &entry.temp))?;
            remove(&at(&self.root, &entry.backup))?;
        }
        self.sync();
        let Self { root, file, .. } = self;
        // Windows removes no open file.
        drop(file);
        remove(&root.join(NAME))
    }

    /// Puts every file back as it was and removes what the run made.
    ///
    /// Errors: [`WriteError::Edited`] if a file has a text that is neither the one from before the run nor the one
    /// that the run wrote. That file, its backup and the journal stay; all others are put back.
    pub fn undo(self) -> Result<(), WriteError> {
        let undone: Vec<_> = self.plan.entries.iter().map(|entry| self.undo_entry(entry)).collect();
        undone.into_iter().collect::<Result<(), _>>()?;
        for folder in self.plan.folders.iter().rev() {
            // Someone else may have put a file there; then the folder stays.
            let _kept = fs::remove_dir(at(&self.root, folder));
        }
        self.close()
    }

    fn undo_entry(&self, entry: &Entry) -> Result<(), WriteError> {
        let (path, backup) = (at(&self.root, &entry.path), at(&self.root, &entry.backup));
        remove(&at(&self.root, &entry.temp))?;
        match (self.is_replaced(entry, &path, &backup)?, entry.existed) {
            (true, true) => fs::rename(&backup, &path).map_err(|source| WriteError::io("restore", &path, source))?,
            (true, false) => remove(&path)?,
            (false, _) => {}
        }
        // Two links to one file are not renamed but both kept, so the backup may be there still.
        remove(&backup)
    }

    /// Whether the run has put its own text in the place of the old one.
    fn is_replaced(&self, entry: &Entry, path: &Path, backup: &Path) -> Result<bool, WriteError> {
        if path.is_dir() {
            return Err(WriteError::Edited { file: path.to_owned(), backup: backup.to_owned() });
        }
        let now = read(path)?;
        let is_new = now.as_deref().map(blob_id) == entry.after;
        if !entry.existed {
            return Ok(is_new);
        }
        match read(backup)? {
            Some(before) if now.as_deref() != Some(&before[..]) => match is_new {
                true => Ok(true),
                false => Err(WriteError::Edited { file: path.to_owned(), backup: backup.to_owned() }),
            },
            _ => Ok(false),
        }
    }

    /// Makes the names in every folder of the run durable, where the system can.
    pub fn sync(&self) {
        let paths = self.plan.entries.iter().map(|entry| at(&self.root, &entry.path));
        let mut folders: BTreeSet<PathBuf> = paths.filter_map(|path| Some(path.parent()?.to_owned())).collect();
        folders.insert(self.root.clone());
        for folder in folders {
            // Not every file system can; the journal then is as durable as its other names.
            let _unsupported = File::open(folder).and_then(|folder| folder.sync_all());
        }
    }
}

/// Whether an earlier run below `root` was killed while it wrote, or one is writing now.
pub fn interrupted(root: &Path) -> bool {
    root.join(NAME).is_file()
}

/// Undoes a run that was killed while it wrote, or clears up after one that was killed when all was written. Gives
/// what it did; `None` if there is nothing to do.
pub fn recover(root: &Path) -> Result<Option<String>, WriteError> {
    let root = root.canonicalize().map_err(|source| WriteError::io("find", root, source))?;
    let path = root.join(NAME);
    let mut file = match OpenOptions::new().read(true).append(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(WriteError::io("open", &path, source)),
    };
    lock(&file, &root)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|source| WriteError::io("read", &path, source))?;
    let Some((line, rest)) = text.split_once('\n') else {
        drop(file);
        remove(&path)?;
        return Ok(Some("an earlier run was interrupted before it changed a file".into()));
    };
    let plan: Plan = serde_json::from_str(line).map_err(|_| WriteError::Journal { path: path.clone() })?;
    if !plan.is_inside(&root) {
        return Err(WriteError::Journal { path });
    }
    let journal = Journal { root, file, plan };
    let files = journal.plan.entries.len();
    if rest == DONE {
        journal.close().map_err(|error| WriteError::Recover(Box::new(error)))?;
        return Ok(Some(format!("an earlier run was interrupted after it had written all its files ({files})")));
    }
    journal.undo().map_err(|error| WriteError::Recover(Box::new(error)))?;
    Ok(Some(format!("an earlier run was interrupted; the files it was writing ({files}) are as they were before it")))
}

impl Plan {
    /// Whether every name stays below `root`: a journal may come with a project from anywhere.
    fn is_inside(&self, root: &Path) -> bool {
        let own = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with(PREFIX) && name != NAME);
        let inside = |name: &str| {
            let path = at(root, name);
            let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
            let folder = path.ancestors().skip(1).find_map(|folder| folder.canonicalize().ok());
            plain && !name.is_empty() && folder.is_some_and(|folder| folder.starts_with(root))
        };
        self.folders.iter().all(|folder| inside(folder))
            && self.entries.iter().all(|entry| {
                let (temp, backup) = (&entry.temp, &entry.backup);
                inside(&entry.path) && inside(temp) && inside(backup) && own(temp) && own(backup)
            })
    }
}

fn lock(file: &File, root: &Path) -> Result<(), WriteError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(WriteError::Busy { root: root.to_owned() }),
        // A file system without locks: runs at the same time are then the user's to avoid.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// A path below `root` by its name with `/`.
pub(super) fn at(root: &Path, name: &str) -> PathBuf {
    name.split('/').fold(root.to_owned(), |path, part| path.join(part))
}

pub(super) fn blob_id(text: &[u8]) -> String {
    let id = git2::Oid::hash_object(git2::ObjectType::Blob, text);
    id.expect("hashing bytes in memory does not fail").to_string()
}

/// The bytes of a file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, WriteError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WriteError::io("read", path, source)),
    }
}

fn remove(path: &Path) -> Result<(), WriteError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(WriteError::io("remove", path, error)),
        _ => Ok(()),
    }
}
