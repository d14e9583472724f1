//! The result of a run, which every sink consumes: the reports, the diff and the writer. Its `serde` form is the
//! JSON report (`schema/report.schema.json`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::project::Skipped;
use crate::project::settings::Level;

/// When an import runs; later ones are less urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Eager,
    Lazy,
    Deferred,
    Type,
}

/// Whether a module needs a name of what it imports while it is itself being imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Binding {
    Early,
    Late,
}

/// `Unsafe` is the lower grade, so that a filter is `>=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    Unsafe,
    Safe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Seen; nothing was planned for it.
    Found,
    /// A plan dissolves it; nothing was written.
    Planned,
    /// It was dissolved on disk.
    Fixed,
    /// No plan dissolves it whole; `refusals` say why.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportEntry {
    pub from: String,
    pub to: String,
    pub kind: Kind,
    pub implicit: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// Relative to the project's root, with `/`.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What the statement takes from the target: names, or the module path of `import a.b`.
    pub names: Vec<String>,
    /// The statement's bytes in `file`, for excerpts; not part of the JSON report.
    #[serde(skip)]
    pub span: std::ops::Range<usize>,
}

/// How sure it is that the import of a module fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    Fails,
    /// Something decides it that is not known before it runs.
    May,
}

/// A module of a cycle that cannot be imported first, or may not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrashEntry {
    pub entry: String,
    pub certainty: Certainty,
    /// As CPython words it.
    pub error: String,
    /// The statement that raises.
    pub file: String,
    pub line: usize,
    /// How it comes to that: as in a traceback, the most recent call last.
    pub chain: Vec<FrameEntry>,
}

/// A statement that was being run when an import failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameEntry {
    pub module: String,
    /// The function or class whose body it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    pub file: String,
    pub line: usize,
    /// Its first line.
    pub statement: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixEntry {
    pub strategy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    pub safety: Safety,
    /// One line for people, e.g. "defer `from b import f` into `a.g`".
    pub title: String,
    /// Imports that no longer count after the fix.
    pub removes: Vec<ImportEntry>,
    pub files: Vec<String>,
    /// False for a fix that is only shown, because it is graded unsafe.
    pub applied: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalEntry {
    pub strategy: String,
    /// A stable kebab-case id that `cyclefix explain` documents.
    pub reason: String,
    pub message: String,
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// The import that stays: its module, and what it takes as [`ImportEntry::names`] has it; not part of the JSON report.
    #[serde(skip)]
    pub import: (String, String),
}

/// All imports of one module by another, once a plan is applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkEntry {
    pub from: String,
    pub to: String,
    /// That of the earliest.
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleEntry {
    /// Stable across runs and moved lines.
    pub id: String,
    /// The lowest level at which it is a cycle.
    pub level: Level,
    /// All modules of the component, sorted.
    pub modules: Vec<String>,
    /// One shortest loop through it.
    #[serde(rename = "loop")]
    pub shortest_loop: Vec<ImportEntry>,
    /// Every import inside the component.
    pub imports: Vec<ImportEntry>,
    /// What its modules import of each other once the plan is applied, and what they import anew; sorted, at any level. For
    /// pictures; not part of the JSON report.
    #[serde(skip)]
    pub after: Vec<LinkEntry>,
    pub crashes: Vec<CrashEntry>,
    pub status: Status,
    pub fixes: Vec<FixEntry>,
    /// The choice among the fixes; `None` if none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanEntry>,
    /// Pairs of modules of which the one no longer imports the other at any level.
    pub pairs_removed: usize,
    /// Pairs whose imports no longer count, but of which the one still imports the other later.
    pub pairs_hidden: usize,
    pub refusals: Vec<RefusalEntry>,
    /// With `--baseline`: whether the baseline knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Standing>,
    /// The modules that joined a cycle that the baseline knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<String>,
    /// Cycles that the baseline knows apart and that are one now: what each has in it. Two or more, or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub united: Vec<Vec<String>>,
}

/// What a cycle is to a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// All its modules are in one cycle that the baseline lists.
    Known,
    New,
}

/// What a run was held against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineEntry {
    pub file: String,
    /// Whether the run wrote it anew.
    pub updated: bool,
    /// Cycles that it does not list, as far as they are left.
    pub new: usize,
    pub known: usize,
    /// Cycles that the file lists, also those that the run did not see.
    #[serde(skip)]
    pub listed: usize,
    pub stale: Vec<StaleEntry>,
}

/// An entry of a baseline that lists more than there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleEntry {
    pub how: Stale,
    pub modules: Vec<String>,
    /// Those that are in no cycle any more.
    pub out: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stale {
    Gone,
    Smaller,
}

/// What `--hoist` does to a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoistEntry {
    /// `Found` if no import stands in a function, `Refused` if all of them stay.
    pub status: Status,
    pub fixes: Vec<FixEntry>,
    pub refusals: Vec<RefusalEntry>,
}

/// How good the choice of fixes of a cycle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// Whether it is proved that no other choice among the fixes that were possible costs less.
    pub exact: bool,
    pub cost: u64,
    /// No other choice costs less than this.
    pub bound: u64,
}

/// What `--verify` ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VerificationEntry {
    /// The interpreter, as a path.
    pub python: String,
    /// Its version, e.g. `3.12.1`.
    pub version: String,
    /// Modules that were imported first, each in a fresh interpreter, before and after.
    pub modules: usize,
    /// Of these, those that this Python could import neither before nor after: nothing is proved of them.
    pub unproved: Vec<UnprovedEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandEntry>,
    /// Modules and tests that fail by chance, with the same text: nothing is proved of them.
    pub unsteady: Vec<String>,
    /// Fixes that failed, which the plan does without.
    pub refused: Vec<VetoEntry>,
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnprovedEntry {
    pub module: String,
    pub error: String,
}

/// The user's command, run before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEntry {
    pub command: String,
    /// Whether single tests were compared, not only exit codes.
    pub by_test: bool,
    pub tests: usize,
    /// Tests that failed before.
    pub failed_before: usize,
}

/// A fix that failed when Python ran it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VetoEntry {
    pub strategy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    pub title: String,
    /// What failed, and Python's own message.
    pub message: String,
}

/// A file whose text the plan changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileChange {
    /// Relative to the project's root, with `/`.
    pub path: String,
    /// `None`: the file is new.
    pub before: Option<Arc<str>>,
    /// `None`: the file goes.
    pub after: Option<Arc<str>>,
}

/// A part of a plan that stands alone: the files parse after it, and its cycles are gone.
#[derive(Clone, Debug)]
pub struct Step {
    /// Indices of the cycles that it dissolves or makes smaller.
    pub cycles: Vec<usize>,
    /// Sorted by path.
    pub changes: Vec<FileChange>,
}

/// A step of a plan as a commit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewCommit {
    pub message: String,
    /// Ids of the cycles that it dissolves or makes smaller.
    pub cycles: Vec<String>,
    /// Paths are relative to the top of the repository.
    pub changes: Vec<FileChange>,
    /// With `--split-by owner`: who owns these files, as CODEOWNERS has it.
    pub owners: Vec<String>,
}

impl NewCommit {
    /// The first line of its message.
    pub fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// A git branch that the rewrite was committed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchEntry {
    pub name: String,
    /// Id of the commit that it starts from.
    pub base: String,
    /// First to last.
    pub commits: Vec<CommitEntry>,
}

/// A file of `--patches`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatchEntry {
    /// As the user knows it.
    pub file: String,
    /// The first line of its message.
    pub title: String,
    /// Ids of the cycles that it dissolves or makes smaller.
    pub cycles: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitEntry {
    pub id: String,
    pub title: String,
    /// Ids of the cycles that it dissolves or makes smaller.
    pub cycles: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProjectOutcome {
    pub root: String,
    /// With `--batch`: the folders of the projects that were read as one, sorted; of one project its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    pub source_roots: Vec<String>,
    pub modules: usize,
    /// Explicit imports of one module of the project by another.
    pub imports: usize,
    pub skipped: Vec<Skipped>,
    pub cycles: Vec<CycleEntry>,
    /// What `--hoist` moves; without it, there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hoist: Option<HoistEntry>,
    /// What `--verify` ran; without it, there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<VerificationEntry>,
    /// Sorted by path.
    #[serde(skip)]
    pub changes: Vec<FileChange>,
    /// Texts of the files that the cycles' imports stand in, for excerpts.
    #[serde(skip)]
    pub excerpts: std::collections::BTreeMap<String, Arc<str>>,
    #[serde(skip)]
    pub modules_in_cycles_after: usize,
    #[serde(skip)]
    pub cycles_after: usize,
    /// The modules of each cycle that is there after the plan.
    #[serde(skip)]
    pub left: Vec<Vec<String>>,
    /// Where the root is, seen from the top of its repository, with `/`; without one, as the user named it.
    #[serde(skip)]
    pub prefix: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    pub cycles: usize,
    pub fixed: usize,
    pub left: usize,
    pub modules_in_cycles_before: usize,
    pub modules_in_cycles_after: usize,
    /// Pairs of modules of which the one no longer imports the other at any level.
    pub pairs_removed: usize,
    /// Pairs whose imports no longer count, but of which the one still imports the other later.
    pub pairs_hidden: usize,
    pub files_changed: usize,
    pub lines_added: usize,
    pub lines_removed: usize,
    pub seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub version: u32,
    pub tool: String,
    pub level: Level,
    pub projects: Vec<ProjectOutcome>,
    pub summary: Summary,
    /// With `--baseline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineEntry>,
    /// With `--branch`, unless there was nothing to commit, or there is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchEntry>,
    /// With `--branch` and `--split-by` or `--max-files`, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<BranchEntry>,
    /// With `--patches`, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<PatchEntry>,
    /// With `--batch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchEntry>,
}

/// What a batch was, besides its projects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchEntry {
    /// Projects that could not be run, in order.
    pub failed: Vec<FailedEntry>,
    /// Folders of the projects that an interrupt kept from being run.
    pub stopped: Vec<String>,
    /// Python files below the named folders that are part of no project.
    pub loose_files: usize,
}

/// A project that could not be run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FailedEntry {
    /// The folders of the projects that were to be read as one, sorted; or what a manifest says.
    pub members: Vec<String>,
    pub error: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The file that is at fault, where one is.
    #[serde(skip)]
    pub at: Option<Fault>,
}

/// What is wrong in a file, for reports whose paths start at the top of the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    pub file: String,
    /// 1-based.
    pub line: Option<usize>,
    /// The error, with that path.
    pub error: String,
}

impl FailedEntry {
    /// The error, with paths from the top of the repository as far as they are known.
    pub fn from_top(&self) -> &str {
        self.at.as_ref().map_or(&self.error, |at| &at.error)
    }
}
