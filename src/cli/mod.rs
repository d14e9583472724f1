//! Command line: reads the arguments, runs the stages, hands the outcome to one sink and gives the exit code. The
//! only user of clap, indicatif and the terminal.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod args;
mod baseline;
mod batch;
mod branch;
mod commits;
mod explain;
mod progress;
mod settings;
mod verify;

use std::any::Any;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Context;

use crate::io::baseline::BaselineError;
use crate::io::branch::BranchError;
use crate::io::git::{self, GitError};
use crate::io::load::{LoadError, LoadOptions, Loaded, load};
use crate::io::patches::PatchError;
use crate::io::process::is_interrupted;
use crate::io::python::PythonError;
use crate::io::replace::{self, ReplaceError, replace};
use crate::io::scratch::{ScratchError, Tree};
use crate::io::state::StateError;
use crate::io::write::{self, WriteError};
use crate::outcome::{Outcome, ProjectOutcome, Status};
use crate::plan::{self, Solved, Stage, Veto};
use crate::project::Project;
use crate::project::settings::Level;
use crate::report::text::View;
use crate::report::{self, diff, github, graph, html, json, markdown, sarif, svg, text};
use args::{Action, Args, Format, Task, Word};
use batch::BatchError;
use commits::SplitError;
use explain::NoPage;
use progress::Progress;
use verify::{VerifyError, Wish};

/// Uncommitted files that are named when a run is refused because of them.
const DIRTY: usize = 5;
/// Stack of a thread, in bytes: trees of deeply nested source are walked by recursion. Only what is used costs memory.
const STACK: usize = 64 << 20;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

#[derive(Debug, thiserror::Error)]
#[error("uncommitted changes: {0}")]
struct Dirty(String);

#[derive(Debug, thiserror::Error)]
#[error("`{}` is a bare repository: nothing is checked out there", .0.display())]
struct Bare(PathBuf);

#[derive(Debug, thiserror::Error)]
#[error("cyclefix met a state that it does not expect")]
struct Bug;

/// The user wants the run to end. Thrown through work that is not wanted any more, so that what it holds is cleared up.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
struct Stopped;

fn unless_stopped() {
    if is_interrupted() {
        resume_unwind(Box::new(Stopped));
    }
}

/// Runs cyclefix with the arguments of a process, the name it was called by first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match args::parse(args) {
        Ok(args) => args,
        Err(error) => {
            let _closed = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    anstream::ColorChoice::from(args.color).write_global();
    // A panic has printed where it happened; the exit code must not depend on it.
    let result = catch_unwind(AssertUnwindSafe(|| in_pool(&args)));
    let thrown = |thrown: Box<dyn Any + Send>| match thrown.downcast::<Stopped>() {
        Ok(stopped) => Err((*stopped).into()),
        Err(_) => Err(Bug.into()),
    };
    result.unwrap_or_else(thrown).unwrap_or_else(|error| {
        print_error(&error);
        ExitCode::from(2)
    })
}

fn in_pool(args: &Args) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let pool = threads(args.jobs.map_or(0, usize::from))?;
    match args.batch {
        true => batch::session(args, &pool, start),
        false => pool.install(|| session(args, start)),
    }
}

/// So many threads; 0 stands for one a processor.
fn threads(number: usize) -> anyhow::Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(number).stack_size(STACK).build();
    pool.context("cannot start threads")
}

fn session(args: &Args, start: Instant) -> anyhow::Result<ExitCode> {
    if let Some(Word::Explain { id }) = &args.command {
        unless_closed(explain::print(&explain::text(id.as_deref())?)).context("cannot write the page")?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.makes_commits() {
        return branch::session(args, start);
    }
    if let Some(shell) = args.completions {
        return print_text(|out| out.write_all(&args::completions(shell)));
    }
    if args.man_page {
        return print_text(|out| out.write_all(&args::man_page()?));
    }
    if args.settings_schema {
        return print_text(|out| out.write_all(settings::SCHEMA.as_bytes()));
    }
    check_files(args)?;
    let wish = wish(args)?;
    let loaded = load_repaired(args)?;
    let is_bare = |loaded: &&Loaded| loaded.project.files.is_empty() && git::is_bare(&loaded.root);
    if let Some(Loaded { root, .. }) = loaded.iter().find(is_bare) {
        return Err(Bare(root.clone()).into());
    }
    if args.show_settings {
        return print_text(|out| settings::write(out, &loaded));
    }
    let (mut projects, copied) = solve(args, &loaded, wish.as_ref())?;
    if args.action() == Action::Apply {
        write_changes(args, &loaded, &mut projects, &copied)?;
    }
    for (project, loaded) in projects.iter_mut().zip(&loaded) {
        let here = if project.root == "." { "" } else { project.root.as_str() };
        project.prefix = git::prefix(&loaded.root).unwrap_or_else(|| here.to_owned());
    }
    let mut outcome = report::outcome(level(args, &loaded), projects, start.elapsed().as_secs_f64());
    baseline::apply(args, &loaded, &mut outcome)?;
    // Outside of git, the paths of several projects are told apart by their roots.
    let apart = outcome.projects.len() > 1;
    let outside = |project: &ProjectOutcome| if apart { project.root.clone() } else { String::new() };
    let prefix = |(loaded, project): (&Loaded, _)| git::prefix(&loaded.root).unwrap_or_else(|| outside(project));
    let prefixes: Vec<String> = loaded.iter().zip(&outcome.projects).map(prefix).collect();
    unless_closed(print(args, &outcome, &prefixes)).context("cannot write the report")?;
    draw(args, &outcome)?;
    Ok(exit_code(args.action(), &outcome))
}

/// Prints what is no report.
fn print_text(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    unless_closed(write(&mut out).and_then(|()| out.flush())).context("cannot write to stdout")?;
    Ok(ExitCode::SUCCESS)
}

/// The level that a report names: that of the command line, else of the first project.
fn level(args: &Args, loaded: &[Loaded]) -> Level {
    args.level.or_else(|| Some(loaded.first()?.project.settings.level)).unwrap_or_default()
}

fn options(args: &Args) -> LoadOptions {
    LoadOptions {
        exclude: args.exclude.clone(),
        source_roots: args.source_root.clone(),
        jobs: args.jobs.map(usize::from),
        config: args.config.clone(),
        ..LoadOptions::default()
    }
}

/// Reads the projects, after an interrupted write of an earlier run is undone; a run that writes nothing only says so.
fn load_repaired(args: &Args) -> anyhow::Result<Vec<Loaded>> {
    let options = options(args);
    let read = || load(&args.paths, &options, &|settings| args.adjust(settings));
    let loaded = read()?;
    let mut repaired = false;
    for Loaded { root, .. } in &loaded {
        if args.action() == Action::Apply {
            if let Some(done) = write::recover(root)? {
                warn(args, &done);
                repaired = true;
            }
        } else if write::interrupted(root) {
            warn(args, &format!("an --apply of `{}` was interrupted; the next one undoes it first", root.display()));
        }
    }
    Ok(if repaired { read()? } else { loaded })
}

/// What `--verify` has to run.
fn wish(args: &Args) -> Result<Option<Wish<'_>>, VerifyError> {
    let Some(command) = args.verify.as_deref().map(str::trim) else { return Ok(None) };
    if args.action() == Action::Check {
        return Err(VerifyError::Check);
    }
    let path = Path::new(command);
    if path.is_dir() || path.is_file() && path.extension().is_some_and(|e| e == "py") {
        return Err(VerifyError::Path(command.to_owned()));
    }
    let jobs = args.jobs.map(usize::from).or_else(|| Some(std::thread::available_parallelism().ok()?.get()));
    let command = Some(command).filter(|line| !line.is_empty());
    Ok(Some(Wish { command, python: args.python.as_deref(), jobs: jobs.unwrap_or(1) }))
}

/// What becomes of each project, and what was copied of it to be run.
type Planned = (Vec<ProjectOutcome>, Vec<Option<Arc<Tree>>>);

fn solve(args: &Args, loaded: &[Loaded], wish: Option<&Wish>) -> anyhow::Result<Planned> {
    let progress = Progress::new(!args.quiet && !args.no_progress);
    let solve = |loaded: &Loaded| {
        let show = |stage: Stage| {
            unless_stopped();
            progress.show(stage);
        };
        let plan = |vetoes: &[Veto]| planned(args, &loaded.project, vetoes, &show);
        let (solved, copied) = match wish {
            None => (plan(&[]), None),
            Some(wish) => {
                let told = |message: &str| progress.aside(|| warn(args, message));
                verify::prove(loaded, wish, &progress, &plan, &|changes| args.alter(changes), &told)?
            }
        };
        let mut outcome = solved.outcome;
        outcome.changes = args.alter(outcome.changes);
        Ok((outcome, copied))
    };
    loaded.iter().map(solve).collect()
}

/// What becomes of a project, without the fixes that did not stand.
fn planned(args: &Args, project: &Project, vetoes: &[Veto], show: &(dyn Fn(Stage) + Sync)) -> Solved {
    match args.task() {
        Task::Find => Solved::of(plan::check::check(project, show)),
        Task::Hoist => plan::hoist::hoist(project, vetoes, &|done, of| show(Stage::Parse(done, of))),
        Task::Dissolve => plan::solve_without(project, vetoes, show),
    }
}

/// Writes every project's changes, all or none, and marks what that dissolved. What was `copied` and proved must be as it was.
fn write_changes(
    args: &Args,
    loaded: &[Loaded],
    projects: &mut [ProjectOutcome],
    copied: &[Option<Arc<Tree>>],
) -> anyhow::Result<()> {
    let pairs = || loaded.iter().zip(projects.iter()).filter(|(_, project)| !project.changes.is_empty());
    if !args.allow_dirty {
        let mut files = Vec::new();
        for (loaded, project) in pairs() {
            let touched = project.changes.iter().filter(|change| change.before.is_some());
            let touched: Vec<String> = touched.map(|change| change.path.clone()).collect();
            files.extend(git::dirty(&loaded.root, &touched)?);
        }
        refuse_dirty(&files)?;
    }
    let is_written = |(project, _): &(&ProjectOutcome, _)| !project.changes.is_empty();
    let mut written = projects.iter().zip(copied).filter(is_written);
    if let Some(file) = written.find_map(|(_, tree)| tree.as_ref()?.changed()) {
        return Err(WriteError::Changed(file).into());
    }
    let changes: Vec<_> = pairs().map(|(loaded, project)| (loaded.root.as_path(), &project.changes[..])).collect();
    write::apply_all(&changes)?;
    mark_fixed(projects);
    Ok(())
}

fn mark_fixed(projects: &mut [ProjectOutcome]) {
    for project in projects {
        let cycles = project.cycles.iter_mut().map(|cycle| &mut cycle.status);
        let hoist = project.hoist.iter_mut().map(|hoist| &mut hoist.status);
        for status in cycles.chain(hoist).filter(|status| **status == Status::Planned) {
            *status = Status::Fixed;
        }
    }
}

/// Refuses to write where something is not committed.
fn refuse_dirty(files: &[String]) -> Result<(), Dirty> {
    if files.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = files.iter().take(DIRTY).cloned().collect();
    if files.len() > DIRTY {
        names.push(format!("and {} more", files.len() - DIRTY));
    }
    Err(Dirty(names.join(", ")))
}

/// Hands the outcome to stdout, and what belongs beside it to stderr. Source text and JSON go out as they are; only
/// the report for people passes the stream that strips colour.
fn print(args: &Args, outcome: &Outcome, prefixes: &[String]) -> io::Result<()> {
    match (args.format, args.action()) {
        (Format::Json, _) => print_plain(outcome, json::write),
        (Format::Sarif, _) => print_plain(outcome, sarif::write),
        (Format::Github, _) => print_plain(outcome, github::write),
        (Format::Markdown, _) => print_plain(outcome, markdown::write),
        (Format::Text, Action::DryRun) => {
            let printed = print_diff(outcome, prefixes);
            beside(args, |err| {
                text::write_skipped(err, outcome)?;
                text::write_stale(err, outcome)?;
                text::write(err, outcome, View::Planned)
            });
            printed
        }
        (Format::Text, action) => {
            beside(args, |err| text::write_skipped(err, outcome).and_then(|()| text::write_stale(err, outcome)));
            let view = if action == Action::Apply { View::Done } else { View::Full };
            let mut out = BufWriter::new(AutoStream::auto(io::stdout().lock()));
            text::write(&mut out, outcome, view)?;
            out.flush()
        }
    }
}

/// Whether the files that are to be drawn into can be, before any code is changed.
fn check_files(args: &Args) -> Result<(), ReplaceError> {
    args.graph.iter().chain(&args.html).try_for_each(|path| replace::check(path))
}

/// Writes the picture and the page that the user asked for; their names have been checked.
fn draw(args: &Args, outcome: &Outcome) -> anyhow::Result<()> {
    let write =
        |path: &Path, bytes: &[u8]| replace(path, bytes).with_context(|| format!("cannot write `{}`", path.display()));
    if let Some(path) = &args.graph {
        let picture = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => svg::svg(outcome),
            Some("mmd") => graph::mermaid(outcome),
            _ => graph::dot(outcome),
        };
        write(path, picture.as_bytes())?;
    }
    if let Some(path) = &args.html {
        let mut page = Vec::new();
        html::write(&mut page, outcome)?;
        write(path, &page)?;
    }
    Ok(())
}

fn print_plain(outcome: &Outcome, write: fn(&mut dyn Write, &Outcome) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out, outcome)?;
    out.flush()
}

/// Prints the diff; `prefixes` are put before the paths of each project.
fn print_diff(outcome: &Outcome, prefixes: &[String]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for (project, prefix) in outcome.projects.iter().zip(prefixes).filter(|(project, _)| !project.changes.is_empty()) {
        diff::write(&mut out, prefix, &project.changes)?;
    }
    out.flush()
}

/// Cycles that were found, previewed or left make 1; so do imports that could move up and did not.
fn exit_code(action: Action, outcome: &Outcome) -> ExitCode {
    if outcome.batch.as_ref().is_some_and(|batch| !batch.failed.is_empty() || !batch.stopped.is_empty()) {
        return ExitCode::from(2);
    }
    if let Some(baseline) = &outcome.baseline {
        return ExitCode::from(u8::from(baseline.new > 0));
    }
    let cycles = if action == Action::Apply { outcome.summary.left } else { outcome.summary.cycles };
    let late = outcome.projects.iter().filter_map(|p| p.hoist.as_ref()).any(|h| h.status == Status::Planned);
    ExitCode::from(u8::from(cycles > 0 || late))
}

/// A reader that has seen enough, e.g. `head`, is no error.
fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes messages to stderr, unless the user wants none. Where stderr fails, there is nobody to tell.
fn beside(args: &Args, message: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    if !args.quiet {
        let mut err = BufWriter::new(AutoStream::auto(io::stderr().lock()));
        let _unheard = message(&mut err).and_then(|()| err.flush());
    }
}

fn warn(args: &Args, message: &str) {
    beside(args, |err| writeln!(err, "{WARNING}warning{WARNING:#}: {message}"));
}

fn print_error(error: &anyhow::Error) {
    print_failure(&spelled_out(error), hint(error).as_deref());
}

/// What an error says, with its causes.
fn spelled_out(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some errors spell their cause out themselves.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

fn print_failure(text: &str, hint: Option<&str>) {
    let mut err = AutoStream::auto(io::stderr().lock());
    let hint = hint.map_or(String::new(), |hint| format!("{HINT}hint{HINT:#}: {hint}\n"));
    let _unheard = write!(err, "{ERROR}error{ERROR:#}: {text}\n{hint}");
}

/// The way out of an error, from the module where it arose.
fn hint(error: &anyhow::Error) -> Option<String> {
    if error.is::<Dirty>() {
        return Some("commit or stash them first, or write all the same with --allow-dirty".into());
    }
    if error.is::<Bare>() {
        return Some("name a work tree of it, or make a branch: cyclefix --apply --branch NAME".into());
    }
    if error.is::<Stopped>() {
        return Some("nothing was changed".into());
    }
    if error.is::<Bug>() {
        return Some("please report this; a write that it cut short is undone by the next `cyclefix --apply`".into());
    }
    let load = || error.downcast_ref::<LoadError>()?.hint();
    let write = || error.downcast_ref::<WriteError>()?.hint();
    let git = || error.downcast_ref::<GitError>()?.hint();
    let branch = || error.downcast_ref::<BranchError>()?.hint();
    let baseline = || error.downcast_ref::<BaselineError>()?.hint();
    let verify = || error.downcast_ref::<VerifyError>()?.hint();
    let python = || error.downcast_ref::<PythonError>()?.hint();
    let scratch = || error.downcast_ref::<ScratchError>()?.hint();
    let page = || error.downcast_ref::<NoPage>()?.hint();
    let batch = || error.downcast_ref::<BatchError>()?.hint();
    let state = || error.downcast_ref::<StateError>()?.hint();
    let patch = || error.downcast_ref::<PatchError>()?.hint();
    let split = || error.downcast_ref::<SplitError>()?.hint();
    let many = || batch().or_else(state).or_else(patch).or_else(split);
    let replace = || error.downcast_ref::<ReplaceError>()?.hint();
    let own = || branch().or_else(baseline).or_else(verify).or_else(python).or_else(scratch).or_else(many);
    page().or_else(replace).or_else(load).or_else(write).or_else(git).or_else(own)
}
