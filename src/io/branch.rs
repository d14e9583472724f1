//! Commits on a new branch, written straight into the object database: the work tree, the index and what is checked out
//! stay as they are. The branch comes last, so that a run that fails or is killed leaves none.

use std::path::{Path, PathBuf};

pub use git2::Oid;
use git2::build::TreeUpdateBuilder;
use git2::{
    Branch, BranchType, Commit, Email, EmailCreateOptions, ErrorCode, FileMode, ObjectType, Repository, Signature, Tree,
};

use crate::outcome::{FileChange, NewCommit};

/// Priority of objects in memory over those on the disk.
const IN_MEMORY: i32 = 1000;

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
    #[error("the branch `{0}` exists, so that none can be made whose name starts with `{0}/`")]
    InTheWay(String),
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
    #[error("interrupted")]
    Interrupted,
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
            BranchError::InTheWay(_) => "take another name".into(),
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
            BranchError::Interrupted => "nothing was changed".into(),
            BranchError::Git { .. } => return None,
        })
    }
}

/// Writes commits and branches of a repository: what can be checked is checked before the work.
pub struct Writer<'r> {
    git: &'r Repository,
    /// Where the repository is, for messages.
    place: &'r Path,
    author: Signature<'static>,
    committer: Signature<'static>,
}

impl<'r> Writer<'r> {
    /// Errors: git does not know who commits.
    pub fn new(git: &'r Repository, place: &'r Path) -> Result<Self, BranchError> {
        let author = git.author_from_env().map_err(BranchError::Identity)?;
        let committer = git.committer_from_env().map_err(BranchError::Identity)?;
        Ok(Self { git, place, author, committer })
    }

    /// As [`new`](Self::new), for commits that are read once and leave nothing in the repository.
    pub fn in_memory(git: &'r Repository, place: &'r Path) -> Result<Self, BranchError> {
        let writer = Self::new(git, place)?;
        let odb = git.odb().map_err(|error| writer.failed("read its objects", error))?;
        let _kept_by_the_repository =
            odb.add_new_mempack_backend(IN_MEMORY).map_err(|error| writer.failed("keep objects in memory", error))?;
        Ok(writer)
    }

    /// Checks whether a branch can be made. `within`: only whether others can whose names start with this one and a slash.
    pub fn check(&self, name: &str, force: bool, within: bool) -> Result<(), BranchError> {
        // A name that starts with a dash is one to libgit2, but not to git.
        if name.starts_with('-') || !Branch::name_is_valid(name).unwrap_or(false) {
            return Err(BranchError::Name(name.to_owned()));
        }
        if within {
            return match self.git.find_branch(name, BranchType::Local) {
                Ok(_) => Err(BranchError::InTheWay(name.to_owned())),
                Err(_) => Ok(()),
            };
        }
        match self.git.find_branch(name, BranchType::Local) {
            Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
            Err(error) => Err(self.failed("look for the branch", error)),
            Ok(_) if !force => Err(BranchError::Exists(name.to_owned())),
            Ok(_) => match self.checked_out(name) {
                Some(place) => Err(BranchError::CheckedOut(name.to_owned(), place)),
                None => Ok(()),
            },
        }
    }

    /// The work tree whose branch this is.
    fn checked_out(&self, name: &str) -> Option<PathBuf> {
        let linked = self.git.worktrees().ok();
        let linked = linked.iter().flat_map(|names| names.iter()).flatten().flatten();
        let linked = linked.filter_map(|name| Repository::open_from_worktree(&self.git.find_worktree(name).ok()?).ok());
        // Of a linked work tree, the main one is where the common folder is.
        let main = Repository::open(self.git.commondir()).ok();
        let all = linked.chain(main).find(|git| {
            let head = git.find_reference("HEAD").ok();
            let target = head.as_ref().and_then(|head| head.symbolic_target().ok().flatten());
            git.workdir().is_some() && target.and_then(|target| target.strip_prefix("refs/heads/")) == Some(name)
        })?;
        all.workdir().map(Path::to_owned)
    }

    /// Writes the commits, each on top of the one before. No branch leads to them yet.
    pub fn commits(&self, base: Oid, commits: &[NewCommit]) -> Result<Vec<Oid>, BranchError> {
        let mut parent = self.git.find_commit(base).map_err(|error| self.failed("read the last commit", error))?;
        let mut ids = Vec::new();
        for commit in commits {
            let id = self.commit(&parent, commit)?;
            parent = self.git.find_commit(id).map_err(|error| self.failed("read its own commit", error))?;
            ids.push(id);
        }
        Ok(ids)
    }

    /// Makes a branch that ends in `tip`, or moves it there.
    pub fn branch(&self, name: &str, force: bool, base: Oid, tip: Oid) -> Result<(), BranchError> {
        self.check(name, force, false)?;
        let log = format!("branch: Created by cyclefix from {base}");
        let made = self.git.reference(&format!("refs/heads/{name}"), tip, force, &log);
        made.map(drop).map_err(|error| match error.code() {
            ErrorCode::Locked => BranchError::Locked(name.to_owned(), error),
            ErrorCode::Exists => BranchError::Exists(name.to_owned()),
            _ => self.failed("make the branch", error),
        })
    }

    /// The commits as mails that `git am` takes, numbered as one series.
    pub fn mails(&self, ids: &[Oid]) -> Result<Vec<Vec<u8>>, BranchError> {
        let mail = |(index, id): (usize, &Oid)| {
            let commit = self.git.find_commit(*id)?;
            let (before, after) = (commit.parent(0)?.tree()?, commit.tree()?);
            let diff = self.git.diff_tree_to_tree(Some(&before), Some(&after), None)?;
            let (summary, body) = (commit.summary()?.unwrap_or_default(), commit.body()?.unwrap_or_default());
            let author = commit.author();
            let mut options = EmailCreateOptions::new();
            // A rename is not told apart from a new file: `git am` needs no more than the files.
            options.ignore_renames(true);
            Email::from_diff(&diff, index + 1, ids.len(), id, summary, body, &author, &mut options)
        };
        let mails = ids.iter().enumerate().map(mail).map(|mail| mail.map(|mail| mail.as_slice().to_vec()));
        mails.collect::<Result<_, _>>().map_err(|error| self.failed("write the patches", error))
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
