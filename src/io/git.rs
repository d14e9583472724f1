//! What git knows of a project: where its repository is, and what in it is not committed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Once;

use git2::{ErrorCode, IndexEntryExtendedFlag, Repository, Status, StatusOptions};

use crate::project::folders;

#[derive(Debug, thiserror::Error)]
#[error("git cannot read the repository of `{root}`: {}", source.message())]
pub struct GitError {
    root: String,
    source: git2::Error,
}

impl GitError {
    pub fn hint(&self) -> Option<String> {
        Some("--allow-dirty writes without asking git".into())
    }
}

/// Files under `root` with changes that no commit holds: tracked ones, and those of `touched` that git does not track.
/// `touched` are the files to be written, relative to `root`. Without a repository the list is empty.
pub fn dirty(root: &Path, touched: &[String]) -> Result<Vec<String>, GitError> {
    let failed = |source| GitError { root: root.display().to_string(), source };
    let mut files = Vec::new();
    if let Some(repository) = Repo::open(root).map_err(failed)? {
        files.extend(repository.changed().map_err(failed)?);
        files.extend(touched.iter().filter(|file| repository.is_untracked(file)).map(|file| repository.join(file)));
    }
    // Submodules and other repositories below know of their own files alone.
    let inside: BTreeSet<&str> = touched.iter().flat_map(|file| folders::above(file)).collect();
    for folder in inside.into_iter().filter(|folder| root.join(folder).join(".git").exists()) {
        if let Some(nested) = Repo::open(&root.join(folder)).map_err(failed)? {
            let changed = nested.changed().map_err(failed)?;
            files.extend(changed.into_iter().map(|file| format!("{folder}/{file}")));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The path of `root` relative to the top of its repository, with `/`; `""` for the top itself. `None` without a
/// repository.
pub fn prefix(root: &Path) -> Option<String> {
    Repo::open(root).ok().flatten().map(|repository| repository.prefix)
}

/// Whether `root` is a bare repository: its code is in commits alone.
pub fn is_bare(root: &Path) -> bool {
    trust_other_owners();
    Repository::open(root).is_ok_and(|git| git.is_bare())
}

/// A repository with a work tree, and the project in it.
struct Repo {
    git: Repository,
    /// The project's root relative to the work tree, with `/`.
    prefix: String,
}

impl Repo {
    fn open(root: &Path) -> Result<Option<Self>, git2::Error> {
        trust_other_owners();
        let Ok(root) = root.canonicalize() else { return Ok(None) };
        let git = match Repository::discover(&root) {
            Ok(git) => git,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(top) = git.workdir().and_then(|top| top.canonicalize().ok()) else { return Ok(None) };
        let Ok(inside) = root.strip_prefix(&top) else { return Ok(None) };
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        let prefix = parts.join("/");
        Ok(Some(Self { git, prefix }))
    }

    /// Tracked files of the project that differ from the last commit, staged or not.
    fn changed(&self) -> Result<Vec<String>, git2::Error> {
        let mut options = StatusOptions::new();
        options.include_untracked(false).include_ignored(false).exclude_submodules(true).disable_pathspec_match(true);
        if !self.prefix.is_empty() {
            options.pathspec(&self.prefix);
        }
        let statuses = self.git.statuses(Some(&mut options))?;
        let index = self.git.index()?;
        // What a sparse checkout leaves out is not deleted.
        let left_out = |entry: &git2::StatusEntry| {
            let path = PathBuf::from(String::from_utf8_lossy(entry.path_bytes()).as_ref());
            let flags = index.get_path(&path, 0).map_or(0, |entry| entry.flags_extended);
            entry.status() == Status::WT_DELETED && flags & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0
        };
        let changed = statuses.iter().filter(|entry| !left_out(entry));
        Ok(changed.map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned()).collect())
    }

    fn is_untracked(&self, file: &str) -> bool {
        let status = self.git.status_file(&PathBuf::from(self.join(file)));
        status.is_ok_and(|status| status.intersects(Status::WT_NEW | Status::IGNORED))
    }

    fn join(&self, file: &str) -> String {
        if self.prefix.is_empty() { file.to_owned() } else { format!("{}/{file}", self.prefix) }
    }
}

/// Lets git2 open repositories of other users (git's `safe.directory`). That check keeps git from running commands that
/// the owner put into the configuration; libgit2 runs none.
pub(super) fn trust_other_owners() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the option is a plain global that libgit2 reads when it opens a repository. `Once` keeps this write
        // before every such read, because this module is the only one that opens repositories.
        #[allow(unsafe_code)]
        let result = unsafe { git2::opts::set_verify_owner_validation(false) };
        // If it fails, git2 refuses such a repository and says so.
        drop(result);
    });
}

/// What git tracks below `root`, relative to it, with `/`; nothing without a repository.
pub fn tracked(root: &Path) -> Vec<String> {
    let Some(repository) = Repo::open(root).ok().flatten() else { return Vec::new() };
    let Ok(index) = repository.git.index() else { return Vec::new() };
    let inside = |path: &[u8]| {
        let path = std::str::from_utf8(path).ok()?;
        let inside = if repository.prefix.is_empty() { path } else { path.strip_prefix(&repository.prefix)? };
        Some(inside.trim_start_matches('/').to_owned())
    };
    index.iter().filter_map(|entry| inside(&entry.path)).collect()
}

/// Makes `folder` a repository with the history, branches and index of the one around `root`, so that a copy of the project
/// is to git what the project is. Its objects are borrowed (git's `alternates`), and the lender is not told: as against a
/// work tree of `git worktree`, nothing of it can stay behind. Without a repository, or where that fails, there is none.
pub fn borrow(root: &Path, folder: &Path) {
    let Some(lender) = Repo::open(root).ok().flatten() else { return };
    // A copy that git does not know is one all the same.
    let _plain = borrow_from(&lender.git, folder);
}

/// Settings of a repository that say how its files look, and where it comes from.
const LENT: &str = r"^(core\.(autocrlf|eol|safecrlf|filemode|symlinks|ignorecase|precomposeunicode)|remote\..*\.url)$";

fn lend_settings(lender: &Repository, own: &Repository) -> Result<(), git2::Error> {
    let local = lender.config()?.open_level(git2::ConfigLevel::Local)?;
    let mut settings = own.config()?.open_level(git2::ConfigLevel::Local)?;
    local.entries(Some(LENT))?.for_each(|entry| {
        if let (Ok(name), Ok(value)) = (entry.name(), entry.value()) {
            // One that cannot be set is none that the files depend on.
            let _set = settings.set_str(name, value);
        }
    })
}

fn borrow_from(lender: &Repository, folder: &Path) -> Result<(), git2::Error> {
    let failed = |error: std::io::Error| git2::Error::from_str(&error.to_string());
    let own = Repository::init(folder)?;
    let objects = lender.commondir().join("objects");
    let alternates = own.path().join("objects/info");
    std::fs::create_dir_all(&alternates).map_err(failed)?;
    std::fs::write(alternates.join("alternates"), format!("{}\n", objects.display())).map_err(failed)?;
    // The commits at which a shallow clone ends, and what is said of files besides the index.
    let (lent, shared) = (lender.path(), lender.commondir());
    for file in
        [lent.join("index"), shared.join("shallow"), shared.join("info/exclude"), shared.join("info/attributes")]
    {
        if let Some(inside) =
            file.strip_prefix(lent).or_else(|_| file.strip_prefix(shared)).ok().filter(|_| file.is_file())
        {
            let to = own.path().join(inside);
            std::fs::create_dir_all(to.parent().unwrap_or(folder)).map_err(failed)?;
            std::fs::copy(&file, to).map_err(failed)?;
        }
    }
    lend_settings(lender, &own)?;
    let mut refs = String::from("# pack-refs with: sorted\n");
    let mut names: Vec<(String, git2::Oid)> = Vec::new();
    for reference in lender.references()?.flatten() {
        if let (Ok(name), Some(id)) = (reference.name(), reference.target()) {
            names.push((name.to_owned(), id));
        }
    }
    names.sort();
    for (name, id) in names {
        refs.push_str(&format!("{id} {name}\n"));
    }
    std::fs::write(own.path().join("packed-refs"), refs).map_err(failed)?;
    std::fs::copy(lender.path().join("HEAD"), own.path().join("HEAD")).map(drop).map_err(failed)
}
