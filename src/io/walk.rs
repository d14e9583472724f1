//! The walk over the files of a project: what counts as code, and what is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::load::{LoadError, MARKERS, VENDORED, is_package, relative};
use crate::project::Skipped;

/// What a walk came by.
#[derive(Default)]
pub(super) struct Found {
    /// Absolute, and whether it is a symbolic link.
    pub files: BTreeMap<PathBuf, bool>,
    pub folders: BTreeSet<PathBuf>,
    pub skipped: Vec<Skipped>,
}

/// A walk over the files of a project.
pub(super) struct Walk<'a> {
    root: &'a Path,
    /// What the user named; it is read even if a rule leaves it out.
    paths: &'a [PathBuf],
    exclude: Arc<GlobSet>,
    /// Folders that belong to other projects.
    pub without: Arc<BTreeSet<PathBuf>>,
    threads: usize,
}

impl<'a> Walk<'a> {
    pub fn new(root: &'a Path, paths: &'a [PathBuf], exclude: GlobSet, threads: usize) -> Self {
        Self { root, paths, exclude: Arc::new(exclude), without: Arc::default(), threads }
    }

    pub fn run(&self, starts: &BTreeSet<PathBuf>) -> Found {
        let found = Mutex::new(Found::default());
        starts.iter().for_each(|start| self.from(start, true, &found));
        for path in self.paths {
            let seen = found.lock().is_ok_and(|f| f.folders.contains(path) || f.files.contains_key(path));
            if !seen && !is_excluded(&self.exclude, self.root, path) {
                self.from(path, false, &found);
            }
        }
        let mut found = found.into_inner().unwrap_or_default();
        self.build_files(&mut found);
        found
    }

    /// The project's own build files are read even if the walk starts below them.
    fn build_files(&self, found: &mut Found) {
        for marker in MARKERS {
            let path = self.root.join(marker);
            if marker != "setup.py" && path.is_file() {
                found.files.entry(path).or_insert(false);
            }
        }
    }

    /// Adds all below `start`. `parents`: whether ignore files above it count.
    fn from(&self, start: &Path, parents: bool, found: &Mutex<Found>) {
        let (root, exclude, top) = (self.root.to_owned(), Arc::clone(&self.exclude), start.to_owned());
        let without = Arc::clone(&self.without);
        let mut walk = WalkBuilder::new(start);
        walk.parents(parents).threads(self.threads);
        walk.filter_entry(move |entry| {
            let path = entry.path();
            path == top || !without.contains(path) && !is_excluded(&exclude, &root, path) && !is_left_out(entry, &root)
        });
        walk.build_parallel().run(|| {
            Box::new(|entry| {
                if let Ok(mut found) = found.lock() {
                    self.note(entry, &mut found);
                }
                WalkState::Continue
            })
        });
    }

    fn note(&self, entry: Result<DirEntry, ignore::Error>, found: &mut Found) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let file = error_path(&error).map_or_else(String::new, |path| relative(self.root, path));
                let reason = match error.io_error() {
                    Some(io) => format!("cannot read: {io}"),
                    None => format!("cannot read: {error}"),
                };
                return found.skipped.push(Skipped { file, line: None, reason });
            }
        };
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            found.folders.insert(entry.into_path());
        } else if kind.is_some_and(|kind| kind.is_symlink()) {
            self.note_link(entry.path(), found);
        } else if kind.is_some_and(|kind| kind.is_file()) && (is_wanted(entry.path()) || may_be_script(&entry)) {
            found.files.insert(entry.into_path(), false);
        }
    }

    /// A link to a file of the project is another module of the same text; nothing else is followed.
    fn note_link(&self, path: &Path, found: &mut Found) {
        let Ok(target) = path.canonicalize() else { return };
        let is_file = target.is_file();
        if is_file && !is_wanted(path) {
            return;
        }
        if is_file && target.starts_with(self.root) {
            found.files.insert(path.to_owned(), true);
        } else {
            let outside = if target.starts_with(self.root) { "a folder" } else { "a place outside" };
            let reason = format!("symbolic link to {outside} of the project, not followed");
            found.skipped.push(Skipped { file: relative(self.root, path), line: None, reason });
        }
    }
}

/// All files and folders below a folder that a project of it could have.
pub(super) fn walk(folder: &Path, exclude: &[String], threads: usize) -> Result<Found, LoadError> {
    let paths = [folder.to_owned()];
    Ok(Walk::new(folder, &paths, globs(exclude.iter())?, threads).run(&BTreeSet::from(paths.clone())))
}

fn error_path(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => error_path(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}

pub(super) fn is_wanted(path: &Path) -> bool {
    let is_code = path.extension().is_some_and(|extension| extension == "py" || extension == "pyi");
    is_code || is_extension(path) || is_manifest(path)
}

/// Whether a file without an ending can be run.
#[cfg(unix)]
fn may_be_script(entry: &DirEntry) -> bool {
    use std::os::unix::fs::PermissionsExt;
    entry.path().extension().is_none() && entry.metadata().is_ok_and(|about| about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn may_be_script(_: &DirEntry) -> bool {
    false
}

/// Whether a file is an extension module, or the source of one whose name is that of the module.
pub(super) fn is_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "so" || extension == "pyd" || extension == "pyx")
}

pub(super) fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| MARKERS.iter().any(|marker| name == *marker))
}

/// Whether a glob fits the path, a folder above it, or the bare name of one.
fn is_excluded(exclude: &GlobSet, root: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(root) else { return false };
    !exclude.is_empty()
        && inside.ancestors().filter(|part| !part.as_os_str().is_empty()).any(|part| {
            exclude.is_match(part) || part.file_name().is_some_and(|name| exclude.is_match(Path::new(name)))
        })
}

/// Whether a folder holds no code of the project: environments, build output, other people's code.
fn is_left_out(entry: &DirEntry, root: &Path) -> bool {
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return false;
    }
    let path = entry.path();
    let name = entry.file_name().to_string_lossy();
    match name.as_ref() {
        "node_modules" | "__pycache__" | "__pypackages__" | "site-packages" => true,
        name if name.ends_with(".egg-info") => true,
        "build" | "dist" => !is_package(path) && path.parent().is_some_and(has_marker),
        name if VENDORED.contains(&name) => !in_package(path, root),
        _ => path.join("pyvenv.cfg").is_file() || path.join("conda-meta").is_dir(),
    }
}

pub(super) fn has_marker(folder: &Path) -> bool {
    MARKERS.iter().any(|marker| folder.join(marker).is_file())
}

/// Whether a folder of the project is a package or lies in one.
fn in_package(folder: &Path, root: &Path) -> bool {
    folder.ancestors().take_while(|at| *at != root && at.starts_with(root)).any(is_package)
}

pub(super) fn globs<'g>(patterns: impl Iterator<Item = &'g String>) -> Result<GlobSet, LoadError> {
    let fail =
        |glob: &str, e: globset::Error| LoadError::Exclude { glob: glob.to_owned(), message: e.kind().to_string() };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let plain = pattern.trim_start_matches("./").trim_start_matches('/').trim_end_matches('/');
        set.add(GlobBuilder::new(plain).literal_separator(true).build().map_err(|e| fail(pattern, e))?);
    }
    set.build().map_err(|e| fail("", e))
}
