//! The last commit of a repository, copied to a scratch folder as far as cyclefix reads it, so that what is not committed plays
//! no part. Files stand there as they are stored: without the conversions of a checkout, which a rewrite need not undo then.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, Tree};
use tempfile::TempDir;

use super::branch::BranchError;
use super::load::{self, LoadError, LoadOptions, Loaded, Request};
use super::process::is_interrupted;
use crate::project::{Settings, Skipped};

/// Besides Python files and build files, what says how a project is read.
const READ: [&str; 7] = [".gitignore", ".ignore", "ruff.toml", ".ruff.toml", ".flake8", "tox.ini", "pyvenv.cfg"];

/// The last commit.
pub struct Snapshot {
    pub git: Repository,
    /// The commit.
    pub base: Oid,
    /// The work tree, or the repository itself if it is bare; absolute, without symbolic links.
    pub top: PathBuf,
    /// Its copy.
    pub scratch: Scratch,
    /// What the user named, in the scratch folder.
    pub paths: Vec<PathBuf>,
}

impl Snapshot {
    /// Copies the last commit of the repository that all `paths` lie in.
    pub fn take(paths: &[PathBuf]) -> Result<Self, BranchError> {
        let mut found: Option<(Repository, PathBuf)> = None;
        let mut inside = Vec::new();
        for named in paths {
            let path = absolute(named).ok_or_else(|| BranchError::NoRepository(named.clone()))?;
            let (git, top) = discover(&path, named)?;
            let rest = path.strip_prefix(&top).map_err(|_| BranchError::NoRepository(named.clone()))?.to_owned();
            inside.push((named, rest));
            match &found {
                Some((_, other)) if *other != top => return Err(BranchError::TwoRepositories(other.clone(), top)),
                Some(_) => {}
                None => found = Some((git, top)),
            }
        }
        let (git, top) = found.ok_or_else(|| BranchError::NoRepository(PathBuf::from(".")))?;
        let base = match git.head().and_then(|head| head.peel_to_commit()) {
            Ok(commit) => commit.id(),
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                return Err(BranchError::Unborn(top));
            }
            Err(source) => return Err(BranchError::Git { action: "read the last commit", repository: top, source }),
        };
        let mut scratch = Scratch::new(&top)?;
        {
            let tree = git.find_commit(base).and_then(|commit| commit.tree());
            let tree = tree.map_err(|error| BranchError::Lacking(top.clone(), error))?;
            for (named, path) in &inside {
                if !path.as_os_str().is_empty() && tree.get_path(path).is_err() {
                    return Err(BranchError::Uncommitted((*named).clone()));
                }
            }
            scratch.copy(&git, &tree, "")?;
            scratch.link()?;
        }
        // What is not to be read in any work tree is not to be read here.
        let excluded = git.commondir().join("info").join("exclude");
        if let Ok(rules) = fs::read(excluded) {
            scratch.write(".git/info/exclude", &rules)?;
        }
        let paths = inside.into_iter().map(|(_, path)| scratch.root.join(path)).collect();
        Ok(Self { git, base, top, scratch, paths })
    }

    /// Loads the projects as [`load::load`] does, but from the last commit. They are shown where the user knows them.
    pub fn load(&self, options: &LoadOptions, adjust: &dyn Fn(&mut Settings)) -> Result<Vec<Loaded>, LoadError> {
        let loaded = load::load(&self.paths, &self.scratch.options(options), adjust);
        let mut loaded = loaded.map_err(|error| self.scratch.moved(error))?;
        loaded.iter_mut().for_each(|loaded| self.scratch.present(loaded));
        Ok(loaded)
    }

    /// Where a folder of the scratch copy is in the repository, with `/`; `""` for its top.
    pub fn prefix(&self, root: &Path) -> String {
        self.scratch.prefix(root)
    }

    /// The text of a file of the last commit.
    pub fn committed(&self, path: &str) -> Option<String> {
        let tree = self.git.find_commit(self.base).and_then(|commit| commit.tree()).ok()?;
        let blob = tree.get_path(Path::new(path)).ok()?.to_object(&self.git).ok()?;
        Some(String::from_utf8_lossy(blob.as_blob()?.content()).into_owned())
    }
}

/// `path` without symbolic links; what is not there is taken as it is written.
fn absolute(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|at| at.exists())?;
    Some(there.canonicalize().ok()?.join(path.strip_prefix(there).ok()?))
}

/// The repository of `path`, which the user wrote as `named`, and its top.
fn discover(path: &Path, named: &Path) -> Result<(Repository, PathBuf), BranchError> {
    super::git::trust_other_owners();
    let there = path.ancestors().find(|at| at.exists()).unwrap_or(path);
    let git = Repository::discover(there).map_err(|source| match source.code() {
        ErrorCode::NotFound => BranchError::NoRepository(named.to_owned()),
        _ => BranchError::Git { action: "open the repository", repository: there.to_owned(), source },
    })?;
    let top = git.workdir().unwrap_or_else(|| git.path()).canonicalize();
    let top = top.map_err(|_| BranchError::NoRepository(named.to_owned()))?;
    Ok((git, top))
}

struct Submodule {
    path: String,
    /// Whether its commit is at hand.
    is_read: bool,
}

/// The scratch folder and what is put there.
pub struct Scratch {
    /// Removes it in the end.
    _folder: TempDir,
    root: PathBuf,
    /// Of the repository, for messages.
    top: PathBuf,
    folders: BTreeSet<PathBuf>,
    /// Symbolic links, and what they say: made last, so that nothing is written through one.
    links: Vec<(PathBuf, Vec<u8>)>,
    /// Submodules.
    foreign: Vec<Submodule>,
}

impl Scratch {
    /// As [`Snapshot::load`], of one project in the scratch folder.
    pub fn load(
        &self,
        request: Request,
        options: &LoadOptions,
        adjust: &dyn Fn(&mut Settings),
    ) -> Result<Loaded, LoadError> {
        let mut loaded = request.load(&self.options(options), adjust).map_err(|error| self.moved(error))?;
        self.present(&mut loaded);
        Ok(loaded)
    }

    /// An error that was met in the scratch folder, as one of the repository.
    pub fn moved(&self, error: LoadError) -> LoadError {
        error.moved(&self.root, &self.top)
    }

    /// Where a folder of the scratch copy is in the repository, with `/`; `""` for its top.
    pub fn prefix(&self, root: &Path) -> String {
        let inside = root.strip_prefix(&self.root).unwrap_or(Path::new(""));
        inside.iter().map(OsStr::to_string_lossy).collect::<Vec<_>>().join("/")
    }

    /// A path of the scratch copy, as the user knows it.
    pub fn shown(&self, path: &Path) -> String {
        load::shown(&self.top.join(self.prefix(path)))
    }

    fn options(&self, options: &LoadOptions) -> LoadOptions {
        let here = std::env::current_dir().and_then(|here| here.canonicalize()).unwrap_or_default();
        let here = here.strip_prefix(&self.top).map(|inside| self.root.join(inside)).unwrap_or_default();
        LoadOptions { here, ..options.clone() }
    }

    fn present(&self, loaded: &mut Loaded) {
        let Loaded { root, project, .. } = loaded;
        let prefix = self.prefix(root);
        project.root = load::shown(&self.top.join(&prefix));
        for Submodule { path, is_read } in &self.foreign {
            let inside = match Path::new(path).strip_prefix(&prefix) {
                Ok(inside) => inside,
                // The project lies in the submodule: all of it is foreign.
                Err(_) if Path::new(&prefix).starts_with(path) => Path::new(""),
                Err(_) => continue,
            };
            let mut holds_it = false;
            for file in project.files.iter_mut().filter(|file| Path::new(&file.path).starts_with(inside)) {
                std::sync::Arc::make_mut(file).writable = false;
                holds_it = true;
            }
            let why = match (is_read, holds_it) {
                (false, _) => "a submodule that is not checked out: not read",
                (true, true) => "a submodule: read, but left alone",
                // Its code is that of another project.
                (true, false) => continue,
            };
            project.skipped.push(Skipped { file: load::slashes(inside), line: None, reason: why.to_owned() });
        }
        project.skipped.sort();
    }

    fn new(top: &Path) -> Result<Self, BranchError> {
        let fail = |source| BranchError::Scratch { file: std::env::temp_dir(), source };
        let folder = tempfile::Builder::new().prefix("cyclefix-").tempdir().map_err(fail)?;
        let root = folder.path().canonicalize().map_err(fail)?;
        let (folders, links, foreign) = (BTreeSet::new(), Vec::new(), Vec::new());
        let mut scratch = Self { _folder: folder, root, top: top.to_owned(), folders, links, foreign };
        // The top of a repository bounds projects, and its ignore files count, only where there is a `.git`.
        scratch.folder(&scratch.root.join(".git"))?;
        Ok(scratch)
    }

    /// Copies what is read of a tree; `prefix` ends in `/` or is empty.
    fn copy(&mut self, git: &Repository, tree: &Tree, prefix: &str) -> Result<(), BranchError> {
        for entry in tree.iter() {
            if is_interrupted() {
                return Err(BranchError::Interrupted);
            }
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            if !is_name(&name) {
                return Err(BranchError::BadEntry { repository: self.top.clone(), name });
            }
            let path = format!("{prefix}{name}");
            let lacking = |error| BranchError::Lacking(self.top.clone(), error);
            match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Tree), _) => {
                    let below = git.find_tree(entry.id()).map_err(lacking)?;
                    self.copy(git, &below, &format!("{path}/"))?;
                }
                (Some(ObjectType::Commit), _) => self.submodule(git, entry.id(), &path)?,
                (Some(ObjectType::Blob), mode) => {
                    let is_link = mode == 0o120_000;
                    if is_link || is_read(&name) {
                        let blob = git.find_blob(entry.id()).map_err(lacking)?;
                        match is_link {
                            true => self.links.push((self.root.join(&path), blob.content().to_vec())),
                            false => self.write(&path, blob.content())?,
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The code of a submodule may use names of the project, so it is read where it is at hand.
    fn submodule(&mut self, git: &Repository, commit: Oid, path: &str) -> Result<(), BranchError> {
        let below = git.find_submodule(path).and_then(|submodule| submodule.open()).ok();
        let tree = below.as_ref().and_then(|below| below.find_commit(commit).ok()?.tree().ok());
        let is_read = match (below.as_ref(), tree) {
            (Some(below), Some(tree)) => {
                self.copy(below, &tree, &format!("{path}/"))?;
                true
            }
            _ => false,
        };
        self.foreign.push(Submodule { path: path.to_owned(), is_read });
        Ok(())
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), BranchError> {
        let file = self.root.join(path);
        if let Some(folder) = file.parent() {
            self.folder(folder)?;
        }
        let written = OpenOptions::new().write(true).create_new(true).open(&file).and_then(|mut f| f.write_all(bytes));
        written.map_err(|source| BranchError::Scratch { file, source })
    }

    fn folder(&mut self, folder: &Path) -> Result<(), BranchError> {
        if self.folders.contains(folder) {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(|source| BranchError::Scratch { file: folder.to_owned(), source })?;
        self.folders.insert(folder.to_owned());
        Ok(())
    }

    /// Makes the symbolic links, where the system has them.
    fn link(&mut self) -> Result<(), BranchError> {
        for (path, target) in std::mem::take(&mut self.links) {
            if let Some(folder) = path.parent() {
                self.folder(folder)?;
            }
            #[cfg(unix)]
            {
                use std::os::unix::ffi::OsStrExt;
                let made = std::os::unix::fs::symlink(OsStr::from_bytes(&target), &path);
                made.map_err(|source| BranchError::Scratch { file: path, source })?;
            }
            #[cfg(not(unix))]
            drop(target);
        }
        Ok(())
    }
}

/// Whether the name of a tree's entry is one of a file: trees may come from anywhere.
fn is_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let one = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    one && !name.eq_ignore_ascii_case(".git") && !name.contains(['/', '\\'])
}

fn is_read(name: &str) -> bool {
    READ.contains(&name) || super::walk::is_wanted(Path::new(name))
}
