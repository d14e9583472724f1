//! What `--branch` and `--patches` make of the commits: branches and patches of a size that people review.

use std::collections::BTreeSet;

use super::args::{Args, Commits, SplitBy};
use super::warn;
use crate::io::branch::{BranchError, Oid, Writer};
use crate::io::owners::{Owners, PLACES};
use crate::io::patches;
use crate::io::snapshot::Snapshot;
use crate::outcome::{BranchEntry, CommitEntry, NewCommit, Outcome, PatchEntry};
use crate::report::message;

/// Characters of a name that is made from another.
const SLUG: usize = 60;
/// Who owns what nobody owns.
const UNOWNED: &str = "unowned";

#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error("the last commit of `{0}` has no CODEOWNERS")]
    NoOwners(String),
}

impl SplitError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(format!("it is looked for as {}; or split by project", PLACES.join(", ")))
    }
}

/// The commits of a project, and its name.
pub struct OfProject {
    pub name: String,
    pub commits: Vec<NewCommit>,
}

/// Commits that are reviewed together.
struct Part {
    /// What its branch is called, after the name that the user gave; empty: nothing.
    name: String,
    commits: Vec<NewCommit>,
    /// Whether it starts where the part before it ends, not at the last commit.
    stacked: bool,
}

/// Where commits go.
pub struct Target<'s> {
    snapshot: &'s Snapshot,
    writer: Writer<'s>,
    pub owners: Option<Owners>,
}

impl<'s> Target<'s> {
    /// Checks all that can be checked before there is something to commit.
    pub fn open(args: &Args, snapshot: &'s Snapshot) -> anyhow::Result<Self> {
        let writer = match &args.branch {
            Some(name) => {
                let writer = Writer::new(&snapshot.git, &snapshot.top)?;
                writer.check(name, args.force_branch, is_split(args))?;
                writer
            }
            None => Writer::in_memory(&snapshot.git, &snapshot.top)?,
        };
        if let Some(folder) = &args.patches {
            patches::check(folder)?;
        }
        let owners = match args.split_by {
            Some(SplitBy::Owner) => Some(owners(args, snapshot)?),
            _ => None,
        };
        Ok(Self { snapshot, writer, owners })
    }

    /// Makes the branches and the patches, and notes them; whether there was something to make.
    pub fn write(&self, args: &Args, projects: &[OfProject], outcome: &mut Outcome) -> anyhow::Result<bool> {
        let parts = parts(args, projects);
        if parts.is_empty() {
            let what = args
                .branch
                .as_ref()
                .map_or("no patch was written".to_owned(), |name| format!("the branch `{name}` was not made"));
            warn(args, &format!("there is nothing to commit, so that {what}"));
            return Ok(false);
        }
        if let Some(name) = &args.branch {
            let branches = self.branches(args, name, &parts)?;
            match is_split(args) {
                true => outcome.branches = branches,
                false => outcome.branch = branches.into_iter().next(),
            }
        }
        if args.patches.is_some() {
            self.patches(args, &parts, outcome)?;
        }
        Ok(true)
    }

    /// Writes all commits first, then the branches.
    fn branches(&self, args: &Args, name: &str, parts: &[Part]) -> Result<Vec<BranchEntry>, BranchError> {
        let mut made = Vec::new();
        let mut tip = self.snapshot.base;
        for part in parts {
            let base = if part.stacked { tip } else { self.snapshot.base };
            let squashed;
            let commits = match args.commits {
                Commits::One => {
                    squashed = [squashed_commit(part)];
                    &squashed[..]
                }
                Commits::Cycle => &part.commits[..],
            };
            let ids = self.writer.commits(base, commits)?;
            tip = ids.last().copied().unwrap_or(base);
            let entry = |(commit, id): (&NewCommit, &Oid)| CommitEntry {
                id: id.to_string(),
                title: commit.title().to_owned(),
                cycles: commit.cycles.clone(),
            };
            let name = if part.name.is_empty() { name.to_owned() } else { format!("{name}/{}", part.name) };
            self.writer.check(&name, args.force_branch, false)?;
            let entries = commits.iter().zip(&ids).map(entry).collect();
            made.push((BranchEntry { name, base: base.to_string(), commits: entries }, base, tip));
        }
        for (entry, base, tip) in &made {
            self.writer.branch(&entry.name, args.force_branch, *base, *tip)?;
        }
        Ok(made.into_iter().map(|(entry, ..)| entry).collect())
    }

    /// Writes the patches: a series, each on top of the one before.
    fn patches(&self, args: &Args, parts: &[Part], outcome: &mut Outcome) -> anyhow::Result<()> {
        let Some(folder) = &args.patches else { return Ok(()) };
        let commits: Vec<(&str, NewCommit)> = match args.split_by {
            None | Some(SplitBy::Cycle) => {
                let each = |part: &Part| part.commits.clone();
                parts.iter().flat_map(each).map(|commit| ("", commit)).collect()
            }
            Some(_) => parts.iter().map(|part| (part.name.as_str(), squashed_commit(part))).collect(),
        };
        let (names, commits): (Vec<&str>, Vec<NewCommit>) = commits.into_iter().unzip();
        let ids = self.writer.commits(self.snapshot.base, &commits)?;
        let mails = self.writer.mails(&ids)?;
        let width = ids.len().to_string().len().max(4);
        let mut files = Vec::new();
        for (index, ((name, commit), mail)) in names.iter().zip(&commits).zip(mails).enumerate() {
            let words = format!("{name} {}", commit.title());
            let file = format!("{:0width$}-{}.patch", index + 1, slug(&words));
            outcome.patches.push(PatchEntry {
                file: folder.join(&file).display().to_string(),
                title: commit.title().to_owned(),
                cycles: commit.cycles.clone(),
            });
            files.push((file, mail));
        }
        Ok(patches::write(folder, &files)?)
    }
}

fn owners(args: &Args, snapshot: &Snapshot) -> Result<Owners, SplitError> {
    let found = PLACES.iter().find_map(|place| Some((place, snapshot.committed(place)?)));
    let (place, text) = found.ok_or_else(|| SplitError::NoOwners(snapshot.top.display().to_string()))?;
    let owners = Owners::parse(&text);
    for line in &owners.unread {
        warn(args, &format!("{place}:{line}: not a pattern that cyclefix can read, left out"));
    }
    Ok(owners)
}

/// The owners of some files, each once.
pub fn owners_of(owners: Option<&Owners>, paths: &mut dyn Iterator<Item = &str>) -> Vec<String> {
    let Some(owners) = owners else { return Vec::new() };
    let mut all = BTreeSet::new();
    for path in paths {
        match owners.of(path) {
            [] => drop(all.insert(UNOWNED.to_owned())),
            found => all.extend(found.iter().cloned()),
        }
    }
    all.into_iter().collect()
}

/// Whether there may be more than one branch.
pub fn is_split(args: &Args) -> bool {
    args.max_files.is_some() || args.split_by.is_some_and(|by| by != SplitBy::Cycle)
}

/// The commits as they are reviewed. Whatever is the order of parts, the commits of a project keep theirs.
fn parts(args: &Args, projects: &[OfProject]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    match args.split_by {
        Some(SplitBy::Project) => {
            for project in projects.iter().filter(|project| !project.commits.is_empty()) {
                let name = unique(&parts, slug(&project.name));
                parts.push(Part { name, commits: project.commits.clone(), stacked: false });
            }
        }
        Some(SplitBy::Owner) => {
            let mut all: Vec<(Vec<String>, &NewCommit)> = Vec::new();
            for project in projects {
                let mut last: Vec<String> = Vec::new();
                for commit in &project.commits {
                    // A commit that had to take in what comes later in the order must not come before its turn.
                    last = last.max(commit.owners.clone());
                    all.push((last.clone(), commit));
                }
            }
            all.sort_by(|a, b| a.0.cmp(&b.0));
            for of_owner in all.chunk_by(|a, b| a.0 == b.0) {
                let name = unique(&parts, slug(&of_owner[0].0.join(" ")));
                let commits = of_owner.iter().map(|(_, commit)| (*commit).clone()).collect();
                parts.push(Part { name, commits, stacked: true });
            }
        }
        None | Some(SplitBy::Cycle) => {
            let commits: Vec<NewCommit> = projects.iter().flat_map(|project| project.commits.iter().cloned()).collect();
            if !commits.is_empty() {
                parts.push(Part { name: String::new(), commits, stacked: true });
            }
        }
    }
    match args.max_files {
        None => parts,
        Some(max) => parts.into_iter().flat_map(|part| bounded(args, part, max as usize)).collect(),
    }
}

/// A part as several that change at most so many files each, as far as commits can be taken apart.
fn bounded(args: &Args, part: Part, max: usize) -> Vec<Part> {
    let mut chunks: Vec<(Vec<NewCommit>, BTreeSet<String>)> = Vec::new();
    for commit in part.commits {
        let files: BTreeSet<String> = commit.changes.iter().map(|change| change.path.clone()).collect();
        if files.len() > max {
            let (title, n) = (commit.title(), files.len());
            warn(args, &format!("`{title}` changes {n} files, more than --max-files {max}: a fix stays whole"));
        }
        match chunks.last_mut() {
            Some((commits, known)) if known.union(&files).count() <= max => {
                commits.push(commit);
                known.extend(files);
            }
            _ => chunks.push((vec![commit], files)),
        }
    }
    let several = chunks.len() > 1 || part.name.is_empty();
    let name = |index: usize| match (part.name.as_str(), several) {
        ("", _) => (index + 1).to_string(),
        (name, true) => format!("{name}-{}", index + 1),
        (name, false) => name.to_owned(),
    };
    let chunk = |(index, (commits, _)): (usize, (Vec<NewCommit>, _))| Part {
        name: name(index),
        commits,
        stacked: part.stacked || index > 0,
    };
    chunks.into_iter().enumerate().map(chunk).collect()
}

/// The commits of a part as one.
fn squashed_commit(part: &Part) -> NewCommit {
    if let [only] = &part.commits[..] {
        return only.clone();
    }
    let mut changes = std::collections::BTreeMap::new();
    for change in part.commits.iter().flat_map(|commit| &commit.changes) {
        changes
            .entry(change.path.clone())
            .and_modify(|first: &mut crate::outcome::FileChange| first.after.clone_from(&change.after))
            .or_insert_with(|| change.clone());
    }
    NewCommit {
        message: message::joined(&part.commits),
        cycles: part.commits.iter().flat_map(|commit| commit.cycles.iter().cloned()).collect(),
        changes: changes.into_values().collect(),
        owners: part.commits.iter().flat_map(|c| &c.owners).cloned().collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

/// Letters and digits of a name, joined by dashes.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => out.push(c),
            _ if out.is_empty() || out.ends_with('-') || out.len() >= SLUG => {}
            _ => out.push('-'),
        }
    }
    out.truncate(SLUG);
    let out = out.trim_end_matches('-');
    if out.is_empty() { "top".to_owned() } else { out.to_owned() }
}

/// A name that no part has yet.
fn unique(parts: &[Part], name: String) -> String {
    let is_free = |name: &String| parts.iter().all(|part| part.name != *name);
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    std::iter::once(name.clone()).chain(numbered).find(is_free).unwrap_or(name)
}
