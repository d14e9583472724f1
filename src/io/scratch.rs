//! Copies of a project to run it in. The project itself is only read, and a copy goes when it is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use ignore::WalkBuilder;
use rayon::prelude::*;
use tempfile::TempDir;

use super::git;
use super::site::{Print, is_code};
use crate::outcome::FileChange;

/// Folders that hold what tools made, or other people's code.
const LEFT_OUT: [&str; 10] = [
    ".git",
    ".hg",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    "__pycache__",
    "node_modules",
];

#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    #[error("cannot copy `{}` to run it: {source}", file.display())]
    Copy { file: PathBuf, source: io::Error },
    #[error("cannot make a scratch folder: {0}")]
    Folder(io::Error),
}

impl ScratchError {
    pub fn hint(&self) -> Option<String> {
        Some("copies go to the folder for temporary files, which TMPDIR names; is there room, may it be read?".into())
    }
}

/// What of a project is copied: what git sees or tracks, and all that lies in its packages, such as compiled or generated
/// modules. Other ignored files and virtual environments are not.
pub struct Tree {
    root: PathBuf,
    /// Where the project lies in its repository, with `/`.
    prefix: String,
    /// Relative to the root.
    files: BTreeSet<PathBuf>,
    /// What the Python files looked like before any was copied.
    prints: BTreeMap<PathBuf, Print>,
    /// Whether an import was seen to change the copy that it ran in.
    pub(super) is_written: AtomicBool,
}

/// A copy of a project.
pub struct Scratch {
    /// The project's root in the copy; absolute, without symbolic links.
    pub root: PathBuf,
    /// The root of what it is a copy of.
    original: PathBuf,
    folder: TempDir,
}

impl Scratch {
    /// The folder that all of the copy lies in; the root lies deeper where the project is a part of its repository.
    pub fn top(&self) -> &Path {
        self.folder.path()
    }

    /// Where the copy has what lies at `path`, which stays as it is if it is not in the project, or not copied.
    pub fn moved(&self, path: PathBuf) -> PathBuf {
        let inside = |path: &Path| Some(path.strip_prefix(self.original.canonicalize().ok()?).ok()?.to_owned());
        let inside = path.canonicalize().ok().filter(|_| path.is_absolute()).and_then(|path| inside(&path));
        inside.map(|inside| folder_below(&self.root, &inside)).filter(|moved| moved.exists()).unwrap_or(path)
    }
}

impl Tree {
    pub fn list(root: &Path) -> Self {
        let files = Self::files_of(root);
        Self {
            prints: prints(root, &files),
            root: root.to_owned(),
            prefix: git::prefix(root).unwrap_or_default(),
            files,
            is_written: AtomicBool::new(false),
        }
    }

    /// A Python file that is no longer as it was when the copies were made: changed, gone or new.
    pub fn changed(&self) -> Option<PathBuf> {
        let now = prints(&self.root, &Self::files_of(&self.root));
        let mut all = self.prints.keys().chain(now.keys());
        all.find(|file| self.prints.get(*file) != now.get(*file)).map(|file| self.root.join(file))
    }

    fn files_of(root: &Path) -> BTreeSet<PathBuf> {
        let mut files = walk(root, root, true);
        let packages: BTreeSet<PathBuf> = files
            .iter()
            .filter(|file| file.file_name().is_some_and(|name| name == "__init__.py"))
            .filter_map(|file| Some(file.parent()?.to_owned()))
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect();
        for package in packages.iter().filter(|p| !p.ancestors().skip(1).any(|above| packages.contains(above))) {
            files.extend(walk(root, &root.join(package), false));
        }
        let tracked = git::tracked(root).into_iter().map(PathBuf::from);
        files.extend(tracked.filter(|file| root.join(file).symlink_metadata().is_ok()));
        files
    }

    /// Copies the project as it is with `changes`.
    pub fn copy(&self, changes: &[FileChange]) -> Result<Scratch, ScratchError> {
        let folder = tempfile::Builder::new().prefix("cyclefix-").tempdir().map_err(ScratchError::Folder)?;
        let top = folder.path().canonicalize().map_err(ScratchError::Folder)?;
        git::borrow(&self.root, &top);
        let root = folder_below(&top, Path::new(&self.prefix));
        let scratch = Scratch { root, original: self.root.clone(), folder };
        let to = scratch.root.as_path();
        let changed: BTreeSet<&Path> = changes.iter().map(|change| Path::new(&change.path)).collect();
        let kept: Vec<&Path> = self.files.iter().map(PathBuf::as_path).filter(|f| !changed.contains(f)).collect();
        let new: Vec<&FileChange> = changes.iter().filter(|change| change.after.is_some()).collect();
        let paths = kept.iter().copied().chain(new.iter().map(|change| Path::new(&change.path)));
        let folders: BTreeSet<PathBuf> = paths.filter_map(|path| Some(to.join(path.parent()?))).collect();
        let failed = |file: &Path| {
            let file = self.root.join(file);
            move |source| ScratchError::Copy { file, source }
        };
        for folder in &folders {
            fs::create_dir_all(folder).map_err(ScratchError::Folder)?;
        }
        kept.par_iter().try_for_each(|path| self.copy_file(path, to).map_err(failed(path)))?;
        for change in new {
            let path = Path::new(&change.path);
            self.write_one(path, changes, to).map_err(failed(path))?;
        }
        Ok(scratch)
    }

    /// The files that are copied, relative to the root.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter()
    }

    /// Writes the file at a place below the root to the same place below `copy`, as `changes` have it.
    pub fn write_one(&self, path: &Path, changes: &[FileChange], copy: &Path) -> io::Result<()> {
        match changes.iter().find(|change| Path::new(&change.path) == path) {
            None => self.copy_file(path, copy),
            Some(FileChange { after: Some(text), .. }) => {
                let to = copy.join(path);
                fs::write(&to, text.as_bytes())?;
                // A script that may be run stays one.
                match self.root.join(path).metadata() {
                    Ok(file) => fs::set_permissions(to, file.permissions()),
                    Err(_) => Ok(()),
                }
            }
            Some(_) => Ok(()),
        }
    }

    /// Where in the project something lies that is copied.
    fn copied(&self, path: &Path) -> Option<PathBuf> {
        let real = path.canonicalize().ok()?;
        let inside = real.strip_prefix(self.root.canonicalize().ok()?).ok()?;
        let mut behind = self.files.range::<Path, _>((Bound::Included(inside), Bound::Unbounded));
        behind.next().is_some_and(|file| file.starts_with(inside)).then(|| inside.to_owned())
    }

    /// Copies a file, which lies at a place below the root, to the same place below `copy`.
    fn copy_file(&self, path: &Path, copy: &Path) -> io::Result<()> {
        let to = &copy.join(path);
        let from = self.root.join(path);
        let kind = from.symlink_metadata()?.file_type();
        if kind.is_symlink() {
            let target = fs::read_link(&from)?;
            let target = from.parent().unwrap_or(&self.root).join(target);
            // What a link leads to within the project is copied, too; else the copy leads to the same file.
            return symlink(&self.copied(&target).map_or(target, |inside| copy.join(inside)), &from, to);
        }
        match kind.is_file() {
            true => match fs::copy(&from, to) {
                // Nor may the code read it then.
                Err(error) if is_closed(&error) && fs::File::open(&from).is_err_and(|e| is_closed(&e)) => close(to),
                copied => copied.map(drop),
            },
            false => Ok(()),
        }
    }
}

/// A copy goes whatever was done to its folders.
impl Drop for Scratch {
    fn drop(&mut self) {
        if fs::remove_dir_all(self.folder.path()).is_err() {
            #[cfg(unix)]
            open_folders(self.folder.path());
        }
    }
}

/// Lets the folders below one be emptied.
#[cfg(unix)]
fn open_folders(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // What cannot be opened cannot be removed either.
    let _opened = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_folders(&entry.path());
        }
    }
}

/// A folder below another, or that itself: an empty part would end the path in a separator.
fn folder_below(above: &Path, inside: &Path) -> PathBuf {
    if inside.as_os_str().is_empty() { above.to_owned() } else { above.join(inside) }
}

/// What is seen of the Python files among some.
fn prints(root: &Path, files: &BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Print> {
    let code: Vec<&PathBuf> = files.iter().filter(|file| is_code(file)).collect();
    let print = |file: &&PathBuf| Some(((*file).clone(), Print::of(&root.join(file).metadata().ok()?)));
    code.par_iter().filter_map(print).collect()
}

fn is_closed(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Makes a file that may not be read.
fn close(file: &Path) -> io::Result<()> {
    fs::write(file, "")?;
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o000))?;
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, _: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, to)
}

/// Links need a privilege on Windows: what they lead to is copied.
#[cfg(not(unix))]
fn symlink(_: &Path, from: &Path, to: &Path) -> io::Result<()> {
    if from.is_file() { fs::copy(from, to).map(drop) } else { Ok(()) }
}

/// Files and links below a folder, relative to `root`: those that git does not ignore, or all.
fn walk(root: &Path, folder: &Path, as_git: bool) -> BTreeSet<PathBuf> {
    let mut builder = WalkBuilder::new(folder);
    builder.standard_filters(false).parents(as_git).git_ignore(as_git).git_exclude(as_git).git_global(as_git);
    builder.filter_entry(|entry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let named = entry.file_name().to_str().is_some_and(|name| LEFT_OUT.contains(&name));
        !is_folder || !named && !entry.path().join("pyvenv.cfg").is_file()
    });
    // What cannot be read cannot be imported either: Python says so when it is run.
    let entries = builder.build().filter_map(Result::ok);
    // A `.git` that is a file says where the repository of a work tree is: the copy has its own.
    let is_copied =
        |entry: &ignore::DirEntry| entry.file_type().is_some_and(|kind| !kind.is_dir()) && entry.file_name() != ".git";
    let files = entries.filter(is_copied);
    files.filter_map(|entry| Some(entry.path().strip_prefix(root).ok()?.to_owned())).collect()
}
