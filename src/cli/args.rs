//! The command line, as clap reads it.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, StyledStr, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgGroup, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::outcome::FileChange;
use crate::project::settings::{Level, Policy, Settings, Version};
use crate::strategy;

/// Finds the import cycles of Python code and rewrites the code so that they are gone.
#[derive(Debug, Parser)]
#[command(name = "cyclefix", version = env!("CYCLEFIX_VERSION"), after_help = after_help(), max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
#[command(group = ArgGroup::new("action").args(["check", "dry_run", "apply", "show_settings", "settings_schema", "completions", "man_page"]))]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Word>,

    /// Folders or files to work on; nothing outside them is written
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Find and explain the cycles; plan and write nothing [the default]
    #[arg(long)]
    pub check: bool,
    /// Plan the rewrite and print it as one unified diff that `git apply` takes
    #[arg(long)]
    pub dry_run: bool,
    /// Rewrite the files: all of them, or none if something fails
    #[arg(long)]
    pub apply: bool,
    /// Run every project below PATH, or each that a manifest lists; one that fails does not stop the others
    ///
    /// A project is a folder with pyproject.toml, setup.py or setup.cfg, or a package that no project holds. Projects that import
    /// each other are read as one. A PATH that is a text file is a manifest: a path a line, seen from its folder.
    #[arg(long, conflicts_with_all = ["verify", "baseline", "source_root", "show_settings", "settings_schema", "completions", "man_page"])]
    pub batch: bool,
    /// The way back: move imports inside functions that break no cycle to the top of their module
    #[arg(long, conflicts_with_all = ["level", "strategy", "policy", "unsafe_fixes"])]
    pub hoist: bool,

    /// Which imports count [default: eager]
    ///
    /// fragile: cycles that fail or not by what is imported first; eager: all imports that run on import; runtime: also
    /// those inside functions; all: also those for type checkers
    #[arg(long, value_name = "LEVEL", value_parser = levels(), help_heading = "What to do")]
    pub level: Option<Level>,
    /// Strategies that may be used, in order of preference, separated by commas [default: all]
    #[arg(
        long, value_name = "LIST", value_delimiter = ',', help_heading = "What to do",
        value_parser = PossibleValuesParser::new(strategy::names())
    )]
    pub strategy: Vec<String>,
    /// Which fixes are wanted: the cheapest, or none that only defers an import [default: pragmatic]
    #[arg(long, value_name = "POLICY", value_parser = policies(), help_heading = "What to do")]
    pub policy: Option<Policy>,
    /// Lowest Python that the code has to run on [default: requires-python of pyproject.toml, else 3.9]
    #[arg(long, value_name = "X.Y", value_parser = version, help_heading = "What to do")]
    pub target_version: Option<Version>,
    /// Also apply fixes that may change behaviour in ways the analysis cannot rule out
    #[arg(long, help_heading = "What to do")]
    pub unsafe_fixes: bool,
    /// Prove the rewrite by running it in a copy: modules are imported, and CMD, if given, is run before and after
    ///
    /// Each module of the cycles is imported first in a fresh interpreter. Where CMD is pytest or unittest, tests are compared
    /// one by one, else its exit codes. A fix that fails is left out, and the next choice tried. PATHs stand before it.
    #[arg(long, value_name = "CMD", num_args = 0..=1, default_missing_value = "", help_heading = "What to do")]
    pub verify: Option<String>,
    /// Python that --verify runs [default: the project's virtual environment, else python3]
    #[arg(long, value_name = "PATH", help_heading = "What to do")]
    pub python: Option<PathBuf>,
    /// Appends CODE to a file that the plan changes: shows in tests that --verify finds what is wrong
    #[arg(long, value_name = "FILE=CODE", hide = true)]
    pub sabotage: Option<String>,
    /// Write although the repository has uncommitted changes
    #[arg(long, help_heading = "What to do")]
    pub allow_dirty: bool,

    /// With --apply, commit the rewrite of the last commit to a new git branch; work tree and index stay as they are
    #[arg(long, value_name = "NAME", conflicts_with = "verify", help_heading = "What to do")]
    pub branch: Option<String>,
    /// With --branch, a commit for each cycle, or one in all
    #[arg(long, value_enum, default_value_t, value_name = "WHAT", help_heading = "What to do")]
    pub commits: Commits,
    /// With --branch, move a branch that exists already
    #[arg(long, help_heading = "What to do")]
    pub force_branch: bool,
    /// Write the rewrite of the last commit as patches for `git am` to a new folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["verify", "show_settings", "settings_schema", "completions", "man_page"], help_heading = "What to do")]
    pub patches: Option<PathBuf>,
    /// With --branch or --patches, what one branch or patch holds: owners are those of CODEOWNERS [default: cycle]
    ///
    /// cycle: all commits are one branch, each a patch; project: a branch or patch for each project; owner: for each set of owners
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "What to do")]
    pub split_by: Option<SplitBy>,
    /// With --branch or --patches, files that one branch or patch may change; a fix stays whole
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "What to do")]
    pub max_files: Option<u32>,
    /// With --batch, run each project by itself, also if others import it
    #[arg(long, help_heading = "What to do")]
    pub separate: bool,
    /// With --batch, keep what is finished in FILE: a run that was stopped goes on from there. It is removed at the end
    #[arg(long, value_name = "FILE", conflicts_with = "html", help_heading = "What to do")]
    pub state: Option<PathBuf>,

    /// Leave out files and folders that match; may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "Where to look")]
    pub exclude: Vec<String>,
    /// Folder that imports start from; may be repeated [default: found by layout and settings]
    #[arg(long, value_name = "DIR", help_heading = "Where to look")]
    pub source_root: Vec<String>,
    /// Read settings from this file, not from pyproject.toml or cyclefix.toml
    #[arg(long, value_name = "FILE", help_heading = "Where to look")]
    pub config: Option<PathBuf>,
    /// Print the settings that count here, as a cyclefix.toml, and what they come from
    #[arg(long, help_heading = "Where to look")]
    pub show_settings: bool,
    /// Print the JSON schema of the settings, for editors
    #[arg(long, help_heading = "Where to look")]
    pub settings_schema: bool,
    /// Number of threads [default: one a processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Where to look")]
    pub jobs: Option<u16>,

    /// Count only cycles that FILE does not list: a component is known by its modules
    #[arg(long, value_name = "FILE", conflicts_with = "hoist", help_heading = "Output")]
    pub baseline: Option<PathBuf>,
    /// With --baseline, make FILE list what is left
    #[arg(long, conflicts_with_all = ["branch", "patches"], help_heading = "Output")]
    pub update_baseline: bool,
    /// Draw the cycles into FILE, which ends in .svg, .dot or .mmd (Mermaid)
    #[arg(long, value_name = "FILE", value_parser = graph_file, conflicts_with = "hoist", help_heading = "Output")]
    pub graph: Option<PathBuf>,
    /// Write one page with pictures, imports, plan, refusals and diffs into FILE, which ends in .html or .htm
    #[arg(long, value_name = "FILE", value_parser = html_file, conflicts_with = "hoist", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Form of the report on stdout
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", help_heading = "Output")]
    pub format: Format,
    /// Print the result alone: on stderr only errors
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
    /// Show no progress
    #[arg(long, help_heading = "Output")]
    pub no_progress: bool,
    /// Print completions for a shell
    #[arg(long, value_enum, value_name = "SHELL", help_heading = "Output")]
    pub completions: Option<clap_complete::Shell>,
    /// Print the manual page, for man(1)
    #[arg(long, help_heading = "Output")]
    pub man_page: bool,
    /// When to use colour; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Color,
}

#[derive(Debug, Subcommand)]
pub enum Word {
    /// Say what a word of a report means: a strategy, form, reason, level or status (a folder of that name: ./explain)
    Explain {
        /// The word, e.g. import-side-effect [default: list all]
        #[arg(value_name = "ID")]
        id: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    Sarif,
    Github,
    Markdown,
}

/// What a branch or a patch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SplitBy {
    Cycle,
    Project,
    Owner,
}

/// What a commit of `--branch` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Commits {
    #[default]
    Cycle,
    One,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// What is done with the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Check,
    DryRun,
    Apply,
}

/// What is asked of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Where its cycles are, and what they do.
    Find,
    /// A plan that dissolves them, for what is written or shows it.
    Dissolve,
    /// The way back.
    Hoist,
}

impl Args {
    pub fn task(&self) -> Task {
        let holds_plan = matches!(self.format, Format::Sarif | Format::Markdown);
        let shows_plan = holds_plan || self.html.is_some() || self.graph.is_some() || self.makes_commits();
        match self.action() {
            _ if self.hoist => Task::Hoist,
            Action::Check if !shows_plan => Task::Find,
            _ => Task::Dissolve,
        }
    }

    pub fn action(&self) -> Action {
        match (self.dry_run, self.apply) {
            (true, _) => Action::DryRun,
            (_, true) => Action::Apply,
            _ => Action::Check,
        }
    }

    /// Whether the rewrite of the last commit is wanted, as commits.
    pub fn makes_commits(&self) -> bool {
        self.branch.is_some() || self.patches.is_some()
    }

    /// Puts what the command line says over the settings of a project.
    pub fn adjust(&self, settings: &mut Settings) {
        settings.level = self.level.unwrap_or(settings.level);
        settings.policy = self.policy.unwrap_or(settings.policy);
        settings.target_version = self.target_version.unwrap_or(settings.target_version);
        settings.unsafe_fixes |= self.unsafe_fixes;
        if !self.strategy.is_empty() {
            settings.strategies.clone_from(&self.strategy);
        }
    }
}

impl Args {
    /// What becomes of planned changes: nothing, but in tests.
    pub fn alter(&self, mut changes: Vec<FileChange>) -> Vec<FileChange> {
        if let Some((file, code)) = self.sabotage.as_deref().and_then(|s| s.split_once('=')) {
            for change in changes.iter_mut().filter(|change| change.path == file) {
                change.after = change.after.as_ref().map(|text| format!("{text}{code}\n").into());
            }
        }
        changes
    }
}

fn levels() -> impl TypedValueParser<Value = Level> {
    let names = PossibleValuesParser::new(Level::ALL.map(Level::as_str));
    names.map(|name| Level::ALL.into_iter().find(|level| level.as_str() == name).unwrap_or_default())
}

fn policies() -> impl TypedValueParser<Value = Policy> {
    let names = PossibleValuesParser::new(Policy::ALL.map(Policy::as_str));
    names.map(|name| Policy::ALL.into_iter().find(|policy| policy.as_str() == name).unwrap_or_default())
}

/// A Python version that the rewrites know, e.g. `3.9`.
fn version(text: &str) -> Result<Version, String> {
    let minor = text.strip_prefix("3.").filter(|minor| minor.bytes().all(|b| b.is_ascii_digit()));
    match minor.and_then(|minor| minor.parse().ok()) {
        Some(minor @ 6..=20) => Ok((3, minor)),
        _ => Err("give a version from 3.6 to 3.20, e.g. 3.9".into()),
    }
}

/// A file whose name says what picture it is to hold.
fn graph_file(name: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(name);
    match path.extension().and_then(OsStr::to_str) {
        Some("svg" | "dot" | "mmd") => Ok(path),
        _ => Err("give a name that ends in .svg, .dot or .mmd".into()),
    }
}

/// A file that is named as a page, so that no source is overwritten by a slip.
fn html_file(name: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(name);
    match path.extension().and_then(OsStr::to_str) {
        Some("html" | "htm") => Ok(path),
        _ => Err("give a name that ends in .html or .htm".into()),
    }
}

fn after_help() -> StyledStr {
    let styles = clap::builder::Styles::styled();
    let (head, code) = (styles.get_header(), styles.get_literal());
    StyledStr::from(format!(
        "{head}Examples:{head:#}
  {code}cyclefix{code:#}                        explain the cycles of the code below this folder
  {code}cyclefix --dry-run src{code:#}          show what would be rewritten
  {code}cyclefix --dry-run | git apply{code:#}  rewrite by way of git, the same as --apply
  {code}cyclefix --apply src{code:#}            rewrite the files
  {code}cyclefix --apply --branch fix/cycles{code:#}
                                  commit the rewrite to a branch
  {code}cyclefix --batch --apply --state s ~/code{code:#}
                                  rewrite every project below a folder, and go on if stopped
  {code}cyclefix --apply --verify \"pytest -q\"{code:#}  run it first, in a copy: only what stands is written
  {code}cyclefix explain patched-name{code:#}   what a word of the report means
  {code}cyclefix --format json > r.json{code:#} keep a report for other programs

{head}Exit codes:{head:#}
  0  no cycle is left
  1  cycles are left: found, refused, or only previewed
  2  it could not run: bad arguments, unreadable path, uncommitted changes, a file that could not be
     written (then none was changed), a report that could not be printed (after all else was done);
     with --batch, also if one project could not, or the run was stopped"
    ))
}

/// The completions of a shell.
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "cyclefix", &mut text);
    text
}

/// The manual page.
pub fn man_page() -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    Ok(page)
}

/// What goes only with one of some others. clap's own `requires` does not count where what is required conflicts with what is
/// given, e.g. `--branch` with `--check`.
const NEEDS: [(&str, &[&str]); 9] = [
    ("branch", &["apply"]),
    ("commits", &["branch"]),
    ("force_branch", &["branch"]),
    ("split_by", &["branch", "patches"]),
    ("max_files", &["branch", "patches"]),
    ("separate", &["batch"]),
    ("state", &["batch"]),
    ("python", &["verify"]),
    ("update_baseline", &["baseline"]),
];

/// The name that the binary was called by is not shown: help is the same everywhere.
pub fn parse(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Args, clap::Error> {
    let mut command = Args::command();
    let matches = command.try_get_matches_from_mut(args.into_iter().map(|arg| arg.as_ref().to_owned()))?;
    let is_given = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if let Some((_, needed)) = NEEDS.iter().find(|(id, needed)| is_given(id) && !needed.iter().any(is_given)) {
        return Err(missing(&mut command, needed));
    }
    let args = Args::from_arg_matches(&matches)?;
    if args.apply && args.patches.is_some() && args.branch.is_none() {
        return Err(command.error(
            ErrorKind::ArgumentConflict,
            "--patches goes with --apply only if there is a --branch, too: patches are made from the last commit",
        ));
    }
    Ok(args)
}

/// The error for a lack of one of `needed`, as clap says it.
fn missing(command: &mut Command, needed: &[&str]) -> clap::Error {
    let arguments = command.get_arguments().filter(|argument| needed.contains(&argument.get_id().as_str()));
    let spelled: Vec<String> = arguments.map(ToString::to_string).collect();
    let usage = command.render_usage();
    let mut error = clap::Error::new(ErrorKind::MissingRequiredArgument).with_cmd(command);
    error.insert(ContextKind::InvalidArg, ContextValue::Strings(vec![spelled.join(" or ")]));
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    error
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An argument with a value that it takes.
    fn spelled(argument: &clap::Arg) -> Option<String> {
        let name = argument.get_long()?;
        let value = match name {
            "strategy" => "direct-import",
            "target-version" => "3.9",
            "max-files" | "jobs" => "1",
            "graph" => "a.svg",
            "html" => "a.html",
            _ => argument
                .get_possible_values()
                .first()
                .map_or("x", |value| Box::leak(value.get_name().to_owned().into())),
        };
        Some(if argument.get_action().takes_values() { format!("--{name}={value}") } else { format!("--{name}") })
    }

    #[test]
    fn what_goes_with_others_alone_is_refused_without_them_whatever_else_is_given() {
        let mut command = Args::command();
        command.build();
        let find = |id: &str| command.get_arguments().find(|argument| argument.get_id() == id).unwrap();
        for (id, needed) in NEEDS {
            let own = spelled(find(id)).unwrap();
            assert!(needed.iter().all(|needed| find(needed).get_long().is_some()));
            for other in command.get_arguments().filter(|other| !needed.contains(&other.get_id().as_str())) {
                let Some(beside) = spelled(other).filter(|_| !["help", "version"].contains(&other.get_id().as_str()))
                else {
                    continue;
                };
                let given = if other.get_id() == id { vec![&own] } else { vec![&own, &beside] };
                let parsed = parse(std::iter::once("cyclefix").chain(given.iter().map(|word| word.as_str())));
                assert_eq!(parsed.map(drop).map_err(|error| error.exit_code()), Err(2), "{given:?}");
            }
        }
        for argument in command.get_arguments() {
            assert!(format!("{argument:?}").contains(" requires: [],"), "NEEDS is the place: {argument:?}");
        }
    }
}
