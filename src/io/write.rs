//! Writes a plan: every file of the run, or none. Nothing is written before everything is checked, each new text is on
//! disk before the first file is replaced, and a failure puts back what was replaced.

use std::collections::BTreeSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::journal::{Entry, Journal, PREFIX, Plan, at, blob_id, read};
pub use super::journal::{interrupted, recover};
use crate::outcome::FileChange;
use crate::project::folders;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("`{}` was changed while cyclefix was running", .0.display())]
    Changed(PathBuf),
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    #[error("`{}` is read-only", .0.display())]
    ReadOnly(PathBuf),
    #[error("`{}` leads out of the project", .0.display())]
    Outside(PathBuf),
    #[error("`{}` is reached by two of the changed paths", .0.display())]
    Twice(PathBuf),
    #[error("another run of cyclefix writes to `{}`", root.display())]
    Busy { root: PathBuf },
    #[error("`{}` is neither as it was before an interrupted run nor as that run wrote it", file.display())]
    Edited { file: PathBuf, backup: PathBuf },
    #[error("`{}` is not a journal that cyclefix wrote", path.display())]
    Journal { path: PathBuf },
    #[error("cannot {action} `{}`: {source}", file.display())]
    Io { action: &'static str, file: PathBuf, source: io::Error },
    #[error("{cause}; and the files could not be put back: {undo}")]
    Undo { cause: Box<WriteError>, undo: Box<WriteError> },
    #[error("an interrupted run could not be undone: {0}")]
    Recover(Box<WriteError>),
}

impl WriteError {
    pub(super) fn io(action: &'static str, file: &Path, source: io::Error) -> Self {
        WriteError::Io { action, file: file.to_owned(), source }
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        let unchanged = |rest: &str| format!("no file was changed; {rest}");
        Some(match self {
            WriteError::Changed(_) => unchanged("run it again"),
            WriteError::Exists(_) => unchanged("move that file away, or run it again"),
            WriteError::ReadOnly(path) => {
                unchanged(&format!("make it writable (chmod u+w {}), or leave it out with --exclude", path.display()))
            }
            WriteError::Outside(_) => unchanged("name the folder it leads to as PATH, or leave it out with --exclude"),
            WriteError::Twice(_) => unchanged("leave one of the paths out with --exclude"),
            WriteError::Io { .. } => unchanged("remove the cause, then run it again"),
            WriteError::Busy { .. } => "wait until it is done, then run it again".into(),
            WriteError::Edited { backup, .. } => {
                let backup = backup.display();
                format!(
                    "`{backup}` has the text from before; put it in place, or delete it to keep the file; then run it again"
                )
            }
            WriteError::Journal { .. } => "look at it, then delete it".into(),
            WriteError::Undo { undo, .. } | WriteError::Recover(undo) => match undo.as_ref() {
                WriteError::Edited { .. } => return undo.hint(),
                _ => "remove the cause, then run `cyclefix --apply` again: it puts the files back first".into(),
            },
        })
    }
}

/// Called before each step that changes the disk; an error stops the run there. Tests fail and kill runs by it.
type Probe<'a> = &'a dyn Fn() -> io::Result<()>;

/// Writes all `changes` to the project at `root`, or none of them.
pub fn apply(root: &Path, changes: &[FileChange]) -> Result<(), WriteError> {
    apply_all(&[(root, changes)])
}

/// Writes the changes of several projects, all of them or none.
pub fn apply_all(projects: &[(&Path, &[FileChange])]) -> Result<(), WriteError> {
    run(projects, &|| Ok(()))
}

fn run(projects: &[(&Path, &[FileChange])], probe: Probe) -> Result<(), WriteError> {
    let mut runs = Vec::new();
    for (root, changes) in projects.iter().filter(|(_, changes)| changes.iter().any(is_real)) {
        runs.push(Run::check(root, changes)?);
    }
    let mut open = Vec::new();
    let begun = runs.into_iter().try_for_each(|run| {
        step(probe, "write to", &run.root.clone(), || Ok(()))?;
        open.push(run.begin()?);
        Ok(())
    });
    let staged = begun.and_then(|()| open.iter().try_for_each(|run| run.stage(probe)));
    let written = staged.and_then(|()| open.iter().try_for_each(|run| run.commit(probe)));
    let done = written.and_then(|()| open.iter_mut().try_for_each(|run| run.done(probe)));
    match done {
        Ok(()) => {
            // The files are in place. What is not removed now, the next run removes by the journal.
            open.into_iter().for_each(|run| drop(run.journal.close()));
            Ok(())
        }
        Err(cause) => match open.into_iter().map(|run| run.journal.undo()).fold(Ok(()), Result::and) {
            Ok(()) => Err(cause),
            Err(undo) => Err(WriteError::Undo { cause: Box::new(cause), undo: Box::new(undo) }),
        },
    }
}

/// What one project's part of a run does, checked.
struct Run<'a> {
    root: PathBuf,
    plan: Plan,
    targets: Vec<Target<'a>>,
}

/// A run whose journal is on disk.
struct OpenRun<'a> {
    files: Run<'a>,
    journal: Journal,
}

struct Target<'a> {
    before: Option<&'a str>,
    after: Option<&'a str>,
    /// Of the file as it was.
    metadata: Option<Metadata>,
}

impl<'a> Run<'a> {
    /// Checks every file; writes nothing.
    fn check(root: &Path, changes: &'a [FileChange]) -> Result<Self, WriteError> {
        let root = root.canonicalize().map_err(|source| WriteError::io("find", root, source))?;
        let mut run = Run { root, plan: Plan::default(), targets: Vec::new() };
        let mut seen = BTreeSet::new();
        for change in changes.iter().filter(|change| is_real(change)) {
            let path = run.resolve(change)?;
            let file = at(&run.root, &path);
            if !seen.insert(path.clone()) {
                return Err(WriteError::Twice(file));
            }
            let metadata = check_file(&file, change)?;
            run.add_folders(&path)?;
            let side = |kind| {
                let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                format!("{folder}{PREFIX}{}-{}.{kind}", std::process::id(), run.targets.len())
            };
            run.plan.entries.push(Entry {
                temp: side("tmp"),
                backup: side("bak"),
                existed: change.before.is_some(),
                after: change.after.as_ref().map(|text| blob_id(text.as_bytes())),
                path,
            });
            run.targets.push(Target { before: change.before.as_deref(), after: change.after.as_deref(), metadata });
        }
        Ok(run)
    }

    /// The path of a change without symbolic links: one that stays within the root is written through, any other is
    /// refused. A file that goes is unlinked where it is named.
    fn resolve(&self, change: &FileChange) -> Result<String, WriteError> {
        let file = at(&self.root, &change.path);
        let outside = || WriteError::Outside(file.clone());
        if !Path::new(&change.path).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(outside());
        }
        let real = if change.before.is_some() && change.after.is_some() {
            file.canonicalize().map_err(|_| WriteError::Changed(file.clone()))?
        } else {
            let there = file.ancestors().skip(1).find(|folder| folder.exists()).ok_or_else(outside)?;
            let real = there.canonicalize().map_err(|source| WriteError::io("find", there, source))?;
            real.join(file.strip_prefix(there).map_err(|_| outside())?)
        };
        let inside = real.strip_prefix(&self.root).map_err(|_| outside())?;
        let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
        Ok(parts.ok_or_else(outside)?.join("/"))
    }

    /// Plans the folders that a new file needs, and checks that the one that exists can be written to.
    fn add_folders(&mut self, path: &str) -> Result<(), WriteError> {
        for folder in folders::above(path) {
            if !at(&self.root, folder).exists() && !self.plan.folders.iter().any(|planned| planned == folder) {
                self.plan.folders.push(folder.to_owned());
            }
        }
        let file = at(&self.root, path);
        let there = file.ancestors().skip(1).find(|folder| folder.exists());
        match there.map(|folder| (folder, folder.metadata())) {
            // Windows gives the flag another meaning for folders.
            Some((folder, Ok(metadata))) if cfg!(unix) && metadata.permissions().readonly() => {
                Err(WriteError::ReadOnly(folder.to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn begin(mut self) -> Result<OpenRun<'a>, WriteError> {
        let journal = Journal::begin(&self.root, std::mem::take(&mut self.plan))?;
        Ok(OpenRun { files: self, journal })
    }
}

impl OpenRun<'_> {
    fn each(&self) -> impl Iterator<Item = (&Entry, &Target<'_>, PathBuf)> {
        let (root, entries) = (&self.files.root, &self.journal.plan.entries);
        entries.iter().zip(&self.files.targets).map(|(entry, target)| (entry, target, at(root, &entry.path)))
    }

    /// Writes every new text beside its file, and keeps every old one.
    fn stage(&self, probe: Probe) -> Result<(), WriteError> {
        let root = &self.files.root;
        for folder in &self.journal.plan.folders {
            let folder = at(root, folder);
            step(probe, "create", &folder, || fs::create_dir(&folder))?;
        }
        for (entry, target, file) in self.each() {
            if let Some(text) = target.after {
                let temp = at(root, &entry.temp);
                step(probe, "write beside", &file, || write_new(&temp, text, target.metadata.as_ref()))?;
            }
            if target.before.is_some() {
                let backup = at(root, &entry.backup);
                // Not every file system has hard links.
                let copy = |_| fs::copy(&file, &backup).and_then(|_| File::open(&backup)?.sync_all());
                step(probe, "keep a copy of", &file, || fs::hard_link(&file, &backup).or_else(copy))?;
            }
        }
        self.journal.sync();
        Ok(())
    }

    /// Puts every new text in its place.
    fn commit(&self, probe: Probe) -> Result<(), WriteError> {
        for (entry, target, file) in self.each() {
            if read(&file)?.as_deref() != target.before.map(str::as_bytes) {
                return Err(WriteError::Changed(file));
            }
            step(probe, "replace", &file, || match target.after {
                Some(_) => fs::rename(at(&self.files.root, &entry.temp), &file),
                None => fs::remove_file(&file),
            })?;
        }
        self.journal.sync();
        Ok(())
    }

    fn done(&mut self, probe: Probe) -> Result<(), WriteError> {
        step(probe, "write to", &self.files.root, || Ok(()))?;
        self.journal.done()
    }
}

fn step(
    probe: Probe,
    action: &'static str,
    file: &Path,
    act: impl FnOnce() -> io::Result<()>,
) -> Result<(), WriteError> {
    probe().and_then(|()| act()).map_err(|source| WriteError::io(action, file, source))
}

fn is_real(change: &FileChange) -> bool {
    change.before != change.after
}

/// Checks that the file is as it was read and may be written.
fn check_file(file: &Path, change: &FileChange) -> Result<Option<Metadata>, WriteError> {
    match (&change.before, file.symlink_metadata()) {
        (None, Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        (None, Ok(_)) => Err(WriteError::Exists(file.to_owned())),
        (Some(_), Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(WriteError::Changed(file.to_owned())),
        (_, Err(source)) => Err(WriteError::io("read", file, source)),
        // Root may write to it all the same, but whoever set the mode did not want that.
        (Some(_), Ok(metadata)) if metadata.permissions().readonly() => Err(WriteError::ReadOnly(file.to_owned())),
        (Some(before), Ok(metadata)) => match read(file)? {
            Some(bytes) if bytes == before.as_bytes() => Ok(Some(metadata)),
            _ => Err(WriteError::Changed(file.to_owned())),
        },
    }
}

/// Writes a new file with the mode and, where the user may, the owner of the one it replaces.
fn write_new(path: &Path, text: &str, like: Option<&Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    if let Some(like) = like {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            // Only root may give files away; for others the file becomes theirs, as with any editor.
            let _kept = fchown(&file, Some(like.uid()), Some(like.gid()));
        }
        file.set_permissions(like.permissions())?;
    }
    file.sync_all()
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
