//! Commits on a new branch, written straight into the object database: the work tree, the index and what is checked out
//! stay as they are. The branch comes last, so that a run that fails or is killed leaves none.

use std::path::{Path, PathBuf};

pub use git2::Oid;
use git2::build::TreeUpdateBuilder;
use git2::{Branch, BranchType, Commit, ErrorCode, FileMode, ObjectType, Repository, Signature, Tree};

use crate::outcome::{FileChange, NewCommit};

#[derive(Debug, thiserror::Error)]
pub enum BranchError {
    #[error("no git repository holds `{}`", .0.display())]
    NoRepository(PathBuf),
    #[error("the paths lie in two repositories: `{}` and `{}`", .0.display(), .1.display())]
    TwoRepositories(PathBuf, PathBuf),
    #[error("`{}` has no commit yet", .0.display())]
    Unborn(PathBuf),
    #[error("the last commit does not hold `{}`", .0.display())]
    Uncommitted(PathBuf),
    #[error("`{0}` is no name for a branch")]
    Name(String),
    #[error("the branch `{0}` exists already")]
    Exists(String),
    #[error("the branch `{0}` is checked out in `{path}`", path = .1.display())]
    CheckedOut(String, PathBuf),
    #[error("git does not know who commits: {}", .0.message())]
    Identity(git2::Error),
    #[error("another process holds the branch `{0}`: {message}", message = .1.message())]
    Locked(String, git2::Error),
    #[error("the repository `{}` lacks an object of the last commit: {}", .0.display(), .1.message())]
    Lacking(PathBuf, git2::Error),
    #[error("the last commit of `{}` holds `{name}`, which is no name for a file", repository.display())]
    BadEntry { repository: PathBuf, name: String },
    #[error("cannot copy the last commit to `{}`: {source}", file.display())]
    Scratch { file: PathBuf, source: std::io::Error },
    #[error("git cannot {action} in `{}`: {}", repository.display(), source.message())]
    Git { action: &'static str, repository: PathBuf, source: git2::Error },
}

impl BranchError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            BranchError::NoRepository(_) => "--branch needs git; --apply without it writes the files".into(),
            BranchError::TwoRepositories(..) => "run it once for each".into(),
            BranchError::Unborn(_) => "commit first: the branch starts from the last commit".into(),
            BranchError::Uncommitted(_) => {
                "the branch starts from the last commit; commit it first, or leave it out".into()
            }
            BranchError::Name(_) => "`git help check-ref-format` says what is one, e.g. `fix/import-cycles`".into(),
            BranchError::Exists(_) => "take another name, or move the branch with --force-branch".into(),
            BranchError::CheckedOut(..) => "take another name, or check out another branch there".into(),
            BranchError::Identity(_) => {
                "set it: git config user.name \"Your Name\", git config user.email you@example.com".into()
            }
            BranchError::Locked(..) => {
                "wait until it is done; if no git runs, delete the file that ends in `.lock`; then run it again".into()
            }
            BranchError::Lacking(..) => "fetch it first, e.g. `git checkout HEAD -- .` in a partial clone".into(),
            BranchError::BadEntry { .. } => "`git fsck --strict` names the object".into(),
            BranchError::Scratch { .. } => "the folder for temporary files needs room and write access".into(),
            BranchError::Git { .. } => return None,
        })
    }
}

/// A branch to be made: checked before the work, made after it.
pub struct NewBranch<'r> {
    git: &'r Repository,
    /// Where the repository is, for messages.
    place: &'r Path,
    name: String,
    force: bool,
    author: Signature<'static>,
    committer: Signature<'static>,
}

impl<'r> NewBranch<'r> {
    /// Checks all that can be checked before there is something to commit.
    pub fn check(git: &'r Repository, place: &'r Path, name: &str, force: bool) -> Result<Self, BranchError> {
        // A name that starts with a dash is one to libgit2, but not to git.
        if name.starts_with('-') || !Branch::name_is_valid(name).unwrap_or(false) {
            return Err(BranchError::Name(name.to_owned()));
        }
        let author = git.author_from_env().map_err(BranchError::Identity)?;
        let committer = git.committer_from_env().map_err(BranchError::Identity)?;
        let this = Self { git, place, name: name.to_owned(), force, author, committer };
        this.check_existing()?;
        Ok(this)
    }

    fn check_existing(&self) -> Result<(), BranchError> {
        match self.git.find_branch(&self.name, BranchType::Local) {
            Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
            Err(error) => Err(self.failed("look for the branch", error)),
            Ok(_) if !self.force => Err(BranchError::Exists(self.name.clone())),
            Ok(_) => match self.checked_out() {
                Some(place) => Err(BranchError::CheckedOut(self.name.clone(), place)),
                None => Ok(()),
            },
        }
    }

    /// The work tree whose branch this is.
    fn checked_out(&self) -> Option<PathBuf> {
        let linked = self.git.worktrees().ok();
        let linked = linked.iter().flat_map(|names| names.iter()).flatten().flatten();
        let linked = linked.filter_map(|name| Repository::open_from_worktree(&self.git.find_worktree(name).ok()?).ok());
        // Of a linked work tree, the main one is where the common folder is.
        let main = Repository::open(self.git.commondir()).ok();
        let all = linked.chain(main).find(|git| {
            let head = git.find_reference("HEAD").ok();
            let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
            git.workdir().is_some() && target.and_then(|target| target.strip_prefix("refs/heads/")) == Some(&self.name)
        })?;
        all.workdir().map(Path::to_owned)
    }

    /// Writes the commits, each on top of the one before, and then the branch.
    pub fn write(&self, base: Oid, commits: &[NewCommit]) -> Result<Vec<Oid>, BranchError> {
        let mut parent = self.git.find_commit(base).map_err(|error| self.failed("read the last commit", error))?;
        let mut ids = Vec::new();
        for commit in commits {
            let id = self.commit(&parent, commit)?;
            parent = self.git.find_commit(id).map_err(|error| self.failed("read its own commit", error))?;
            ids.push(id);
        }
        self.check_existing()?;
        let reference = format!("refs/heads/{}", self.name);
        let log = format!("branch: Created by cyclefix from {base}");
        self.git.reference(&reference, parent.id(), self.force, &log).map_err(|error| match error.code() {
            ErrorCode::Locked => BranchError::Locked(self.name.clone(), error),
            ErrorCode::Exists => BranchError::Exists(self.name.clone()),
            _ => self.failed("make the branch", error),
        })?;
        Ok(ids)
    }

    fn commit(&self, parent: &Commit, new: &NewCommit) -> Result<Oid, BranchError> {
        let before = parent.tree().map_err(|error| self.failed("read the last commit", error))?;
        let tree = self.tree(&before, &new.changes).map_err(|error| self.failed("write the files", error))?;
        let tree = self.git.find_tree(tree).map_err(|error| self.failed("write the files", error))?;
        let commit = self.git.commit(None, &self.author, &self.committer, &new.message, &tree, &[parent]);
        commit.map_err(|error| self.failed("write the commit", error))
    }

    /// `before` with the new texts. What was read is the stored form of a file, so that what is stored needs no
    /// conversion of line ends; a file that comes new gets the one that `git add` would make.
    fn tree(&self, before: &Tree, changes: &[FileChange]) -> Result<Oid, git2::Error> {
        let mut builder = TreeUpdateBuilder::new();
        for FileChange { path, before: old, after } in changes {
            match (old, after) {
                (_, None) => drop(builder.remove(path.as_str())),
                (Some(_), Some(text)) => {
                    let mode = before.get_path(Path::new(path))?.filemode();
                    let executable = mode & 0o111 != 0;
                    let mode = if executable { FileMode::BlobExecutable } else { FileMode::Blob };
                    let blob = self.git.odb()?.write(ObjectType::Blob, text.as_bytes())?;
                    builder.upsert(path.as_str(), blob, mode);
                }
                (None, Some(text)) => {
                    let mut writer = self.git.blob_writer(Some(Path::new(path)))?;
                    let written = std::io::Write::write_all(&mut writer, text.as_bytes());
                    written.map_err(|error| git2::Error::from_str(&error.to_string()))?;
                    let blob = writer.commit()?;
                    builder.upsert(path.as_str(), blob, FileMode::Blob);
                }
            }
        }
        builder.create_updated(self.git, before)
    }

    fn failed(&self, action: &'static str, source: git2::Error) -> BranchError {
        BranchError::Git { action, repository: self.place.to_owned(), source }
    }
}
