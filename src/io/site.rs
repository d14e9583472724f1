//! Where the modules of one state of a project are imported: each import finds the copy as it was written.
//!
//! All imports share a copy as long as none of them changes it. Once one does, all are run again, each in a copy that is
//! put back to what it was before the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::scratch::{Scratch, ScratchError, Tree};
use crate::outcome::FileChange;

/// Where Python puts what it compiles.
const CACHE: &str = "__pycache__";

/// A state of a project, to be run.
pub struct Site {
    tree: Arc<Tree>,
    changes: Vec<FileChange>,
    shared: Plot,
    /// Copies that nobody uses now.
    spare: Mutex<Vec<Plot>>,
}

/// A copy, and what it looked like when it was written.
struct Plot {
    scratch: Scratch,
    prints: Prints,
}

/// What is seen of files and folders, by path. What Python compiles is not looked at.
type Prints = BTreeMap<PathBuf, Print>;

/// What is seen of a file or folder without reading it. It changes with its content; that of a folder with its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    is_folder: bool,
    length: u64,
    mode: u32,
    stamp: (i64, i64, u64),
}

impl Site {
    pub fn new(tree: &Arc<Tree>, changes: Vec<FileChange>) -> Result<Self, ScratchError> {
        let shared = Plot::new(tree, &changes)?;
        Ok(Self { tree: tree.clone(), changes, shared, spare: Mutex::default() })
    }

    /// Runs `count` things, `jobs` at a time, each in a copy that is as it was written. What they give comes in their order.
    pub fn each<T: Send, E: From<ScratchError> + Send>(
        &self,
        jobs: usize,
        count: usize,
        run: &(dyn Fn(usize, &Scratch) -> Result<T, E> + Sync),
    ) -> Result<Vec<T>, E> {
        if !self.tree.is_written.load(Ordering::Relaxed) {
            let is_seen = AtomicBool::new(false);
            let found = parallel(jobs, count, &|index| -> Result<_, E> {
                // What one changes, the others mostly change, too: a look behind the first saves running them in vain.
                if self.tree.is_written.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                let found = run(index, &self.shared.scratch)?;
                if !is_seen.swap(true, Ordering::Relaxed) {
                    self.look();
                }
                Ok(Some(found))
            })?;
            self.look();
            if !self.tree.is_written.load(Ordering::Relaxed) {
                return Ok(found.into_iter().flatten().collect());
            }
        }
        parallel(jobs, count, &|index| -> Result<_, E> {
            let mut plot = self.plot()?;
            let found = run(index, &plot.scratch)?;
            if plot.restore(&self.tree, &self.changes).is_ok() {
                self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(plot);
            }
            Ok(found)
        })
    }

    /// Notes whether the copy that is shared has changed.
    fn look(&self) {
        if prints(self.shared.scratch.top()) != self.shared.prints {
            self.tree.is_written.store(true, Ordering::Relaxed);
        }
    }

    /// A copy for one alone.
    fn plot(&self) -> Result<Plot, ScratchError> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.map_or_else(|| Plot::new(&self.tree, &self.changes), Ok)
    }
}

/// Does `count` things, `jobs` at a time.
fn parallel<T: Send, E: Send>(
    jobs: usize,
    count: usize,
    work: &(dyn Fn(usize) -> Result<T, E> + Sync),
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<(usize, T)>, E> {
        let indices = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < count));
        indices.map(|index| Ok((index, work(index)?))).collect()
    };
    let all: Vec<Result<Vec<_>, E>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(count)).map(|_| scope.spawn(worker)).collect();
        let ends = workers.into_iter().map(|worker| worker.join());
        ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut found: Vec<_> = all.into_iter().collect::<Result<Vec<_>, E>>()?.into_iter().flatten().collect();
    found.sort_by_key(|(index, _)| *index);
    Ok(found.into_iter().map(|(_, found)| found).collect())
}

impl Plot {
    fn new(tree: &Tree, changes: &[FileChange]) -> Result<Self, ScratchError> {
        let scratch = tree.copy(changes)?;
        // A folder that Python makes for what it compiles is not seen as a change where it is there before.
        let changed = changes.iter().filter(|change| change.after.is_some()).map(|change| Path::new(&change.path));
        let code = tree.files().map(PathBuf::as_path).chain(changed).filter(|file| is_code(file));
        let folders: BTreeSet<PathBuf> =
            code.filter_map(|file| Some(scratch.root.join(file).parent()?.to_owned())).collect();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            fs::create_dir_all(folder.join(CACHE)).map_err(ScratchError::Folder)?;
        }
        let prints = prints(scratch.top());
        Ok(Self { scratch, prints })
    }

    /// Puts back what has changed since the copy was written.
    fn restore(&mut self, tree: &Tree, changes: &[FileChange]) -> Result<(), ScratchError> {
        let now = prints(self.scratch.top());
        if now == self.prints {
            return Ok(());
        }
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |source| ScratchError::Copy { file, source }
        };
        // What lies in a folder comes behind it, and goes before it.
        for (path, print) in now.iter().rev().filter(|(path, print)| self.prints.get(*path) != Some(print)) {
            let was = self.prints.get(path);
            match (was.is_some_and(|was| was.is_folder), print.is_folder) {
                // Only its entries differ.
                (true, true) if was.is_some_and(|was| was.mode == print.mode) => {}
                (_, true) => fs::remove_dir_all(path).map_err(failed(path))?,
                (_, false) => fs::remove_file(path).map_err(failed(path))?,
            }
        }
        for (path, was) in self.prints.iter().filter(|(path, _)| path.symlink_metadata().is_err()) {
            let restored = if was.is_folder { fs::create_dir_all(path) } else { self.write(tree, changes, path) };
            restored.map_err(failed(path))?;
        }
        self.prints = prints(self.scratch.top());
        Ok(())
    }

    /// Writes one file again.
    fn write(&self, tree: &Tree, changes: &[FileChange], path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent().filter(|_| is_code(path)) {
            // Within a second, Python may take what it compiled of another text of that length for this one.
            let cache = folder.join(CACHE);
            fs::remove_dir_all(&cache).or_else(|_| fs::create_dir_all(folder))?;
            fs::create_dir_all(cache)?;
        }
        let inside = path.strip_prefix(&self.scratch.root).map_err(io::Error::other)?;
        tree.write_one(inside, changes, &self.scratch.root)
    }
}

pub(super) fn is_code(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "py")
}

/// What is seen of all that a copy consists of, but for its repository.
fn prints(top: &Path) -> Prints {
    let mut found = Prints::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name == CACHE || name == ".git" && folder == top {
                continue;
            }
            let Some(print) = entry.metadata().ok().as_ref().map(Print::of) else { continue };
            if print.is_folder {
                folders.push(entry.path());
            }
            found.insert(entry.path(), print);
        }
    }
    found
}

impl Print {
    #[cfg(unix)]
    pub(super) fn of(seen: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        // The time of the last change of whatever kind: unlike that of the last writing, no program can set it.
        let stamp = (seen.ctime(), seen.ctime_nsec(), seen.ino());
        Self { is_folder: seen.is_dir(), length: seen.len(), mode: seen.mode(), stamp }
    }

    #[cfg(not(unix))]
    pub(super) fn of(seen: &Metadata) -> Self {
        let since = seen.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let since = since.unwrap_or_default();
        let stamp = (since.as_secs().cast_signed(), since.subsec_nanos().into(), 0);
        Self { is_folder: seen.is_dir(), length: seen.len(), mode: seen.permissions().readonly().into(), stamp }
    }
}
