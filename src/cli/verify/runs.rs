//! Runs copies of a project, before and after a rewrite: the trial of a proof.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

use super::{VerifyError, Wish};
use crate::cli::progress::Progress;
use crate::io::load::Loaded;
use crate::io::process::is_interrupted;
use crate::io::python::{Interpreter, Order, PythonError};
use crate::io::scratch::{Scratch, Tree};
use crate::io::site::Site;
use crate::outcome::{CommandEntry, FileChange, UnprovedEntry, VerificationEntry, VetoEntry};
use crate::plan::{Solved, Stage, Touched, Veto};
use crate::proof::command::{Ran, by_chance};
use crate::proof::import::{Excuses, Imported};
use crate::proof::{Failure, Item, Trial};

/// A command may take this many times as long after a rewrite as before, but not less than the pause.
const SLOWER: u32 = 10;
const PAUSE: Duration = Duration::from_secs(120);
/// The same for the import of a module, and how long one may take at all.
const IMPORT_PAUSE: Duration = Duration::from_secs(10);
const IMPORT_LIMIT: Duration = Duration::from_secs(60);

fn shown(item: &Item) -> String {
    match item {
        Item::Module { name, .. } => format!("import {name}"),
        Item::Test(id) => id.clone(),
        Item::Command => "the command".to_owned(),
    }
}

/// A script runs when it is imported, and is not meant to be.
fn is_importable(touched: &Touched) -> bool {
    touched.module.rsplit('.').next() != Some("__main__") && touched.module != "setup"
}

/// Found once there is something to run.
struct Tools {
    python: Interpreter,
    tree: Arc<Tree>,
    /// The project as it was.
    before: Site,
}

/// The import of a module.
struct Import {
    imported: Imported,
    /// The folder of its notes.
    notes: PathBuf,
    took: Duration,
}

impl Import {
    /// How long the same may take after a rewrite.
    fn limit(&self) -> Duration {
        match self.imported.is_fine() {
            true => (self.took * SLOWER).clamp(IMPORT_PAUSE, IMPORT_LIMIT),
            false => IMPORT_LIMIT,
        }
    }
}

/// The command before the rewrite.
struct CommandBefore {
    line: String,
    ran: Ran,
    took: Duration,
}

impl CommandBefore {
    fn entry(&self) -> CommandEntry {
        let tests = self.ran.tests.as_ref();
        let failed = tests.map_or(0, |t| t.failed.len());
        CommandEntry {
            command: self.line.clone(),
            by_test: tests.is_some(),
            tests: tests.map_or(0, |t| if t.unnamed > 0 { t.unnamed } else { t.passed.len() + failed }),
            failed_before: failed,
        }
    }
}

/// Runs of the project as it is and as plans make it.
pub(super) struct Runs<'a> {
    loaded: &'a Loaded,
    wish: &'a Wish<'a>,
    progress: &'a Progress,
    alter: &'a (dyn Fn(Vec<FileChange>) -> Vec<FileChange> + Sync),
    warn: &'a (dyn Fn(&str) + Sync),
    /// What the runs write down.
    folder: TempDir,
    tools: Option<Tools>,
    /// Imports before the rewrite.
    before: BTreeMap<Touched, Import>,
    command: Option<CommandBefore>,
    /// The last run of the command with all changes of a plan.
    after: Option<(Vec<FileChange>, Ran)>,
    aside: BTreeSet<Item>,
    /// Modules that are imported neither before nor after, with the error.
    unproved: BTreeMap<String, String>,
    seconds: f64,
}

type Result<T> = anyhow::Result<T>;

impl<'a> Runs<'a> {
    pub(super) fn new(
        loaded: &'a Loaded,
        wish: &'a Wish<'a>,
        progress: &'a Progress,
        alter: &'a (dyn Fn(Vec<FileChange>) -> Vec<FileChange> + Sync),
        warn: &'a (dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        Ok(Self {
            loaded,
            wish,
            progress,
            alter,
            warn,
            folder: TempDir::with_prefix("cyclefix-").context("cannot make a scratch folder")?,
            tools: None,
            before: BTreeMap::new(),
            command: None,
            after: None,
            aside: BTreeSet::new(),
            unproved: BTreeMap::new(),
            seconds: 0.0,
        })
    }

    /// What was copied of the project, if anything was.
    pub(super) fn tree(&self) -> Option<Arc<Tree>> {
        Some(self.tools.as_ref()?.tree.clone())
    }

    /// What was run, if anything was.
    pub(super) fn entry(self, touched: &[Touched], refused: Vec<VetoEntry>) -> Option<VerificationEntry> {
        let python = self.tools?.python;
        Some(VerificationEntry {
            python: python.path.display().to_string(),
            version: python.version,
            modules: touched.iter().filter(|t| is_importable(t)).count(),
            unproved: self.unproved.into_iter().map(|(module, error)| UnprovedEntry { module, error }).collect(),
            command: self.command.as_ref().map(CommandBefore::entry),
            unsteady: self.aside.iter().map(shown).collect(),
            refused,
            seconds: self.seconds,
        })
    }

    fn tools(&mut self) -> Result<&Tools> {
        if self.tools.is_none() {
            let python = Interpreter::find(self.wish.python, &self.loaded.root)?;
            let tree = Arc::new(Tree::list(&self.loaded.root));
            let before = Site::new(&tree, Vec::new())?;
            self.tools = Some(Tools { python, tree, before });
        }
        self.tools.as_ref().context("the tools were just found")
    }

    /// Changes on their way to the disk, unless the user wants the run to end.
    fn altered(&self, changes: &[FileChange]) -> Result<Vec<FileChange>> {
        if is_interrupted() {
            return Err(PythonError::Interrupted.into());
        }
        Ok((self.alter)(changes.to_vec()))
    }

    /// Where the modules are imported with changes.
    fn site(&mut self, changes: &[FileChange]) -> Result<Site> {
        let changes = self.altered(changes)?;
        Ok(Site::new(&self.tools()?.tree, changes)?)
    }

    fn notes(&self) -> PathBuf {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        self.folder.path().join(NEXT.fetch_add(1, Ordering::Relaxed).to_string())
    }

    /// Imports each of the modules first, several at a time: after a rewrite, or as it was.
    fn import(&self, after: Option<&Site>, modules: &[&Touched]) -> Result<Vec<Import>> {
        let Some(tools) = &self.tools else { return Ok(Vec::new()) };
        let site = after.unwrap_or(&tools.before);
        let done = AtomicUsize::new(0);
        let import = |touched: &Touched, scratch: &Scratch| {
            let before = after.and_then(|_| self.before.get(touched));
            self.import_one(tools, scratch, touched, before)
        };
        let mut found = site.each(self.wish.jobs, modules.len(), &|index, scratch| -> Result<_> {
            let found = import(modules[index], scratch)?;
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            self.progress.show(Stage::Import(done.min(modules.len()), modules.len()));
            Ok(found)
        })?;
        // Modules may be in each other's way, e.g. at a port: what fails fails alone, too. One of those that say the same will do.
        let mut settled: BTreeSet<String> = BTreeSet::new();
        for (module, found) in modules.iter().zip(&mut found).filter(|_| modules.len() > 1 && self.wish.jobs > 1) {
            if let Some(error) = found.imported.error().filter(|error| !settled.contains(*error)).map(str::to_owned) {
                let alone = site.each(1, 1, &|_, scratch| import(module, scratch))?;
                settled.extend(
                    alone.iter().filter_map(|alone| alone.imported.error()).filter(|e| **e == error).map(str::to_owned),
                );
                *found = alone.into_iter().next().context("one module was imported")?;
            }
        }
        Ok(found)
    }

    /// Imports a module in a copy; `before` is the same import before the rewrite.
    fn import_one(
        &self,
        tools: &Tools,
        scratch: &Scratch,
        touched: &Touched,
        before: Option<&Import>,
    ) -> Result<Import> {
        let (start, notes) = (Instant::now(), self.notes());
        let limit = before.map_or(IMPORT_LIMIT, Import::limit);
        let before = before.map(|before| before.notes.as_path());
        let roots = self.loaded.project.tree.search_path(Some(&touched.root));
        let found = tools.python.import(scratch, touched, &roots, &notes, before, limit)?;
        if let Imported::Fine { file: Some(file), .. } = &found
            && Path::new(file).is_absolute()
        {
            let (module, file) = (touched.module.clone(), PathBuf::from(file));
            return Err(VerifyError::Elsewhere { module, file, python: tools.python.path.clone() }.into());
        }
        Ok(Import { imported: found, notes, took: start.elapsed() })
    }

    /// Imports the modules of a plan before and after; gives the first that is worse.
    fn imports(&mut self, touched: &[Touched], site: &Site) -> Result<Option<Failure>> {
        let wanted: Vec<&Touched> =
            touched.iter().filter(|t| is_importable(t) && !self.aside.contains(&item(t))).collect();
        let unknown: Vec<&Touched> =
            wanted.iter().copied().filter(|t| !t.is_new && !self.before.contains_key(*t)).collect();
        let found = self.import(None, &unknown)?;
        self.before.extend(unknown.into_iter().cloned().zip(found));
        let after = self.import(Some(site), &wanted)?;
        self.unproved.clear();
        let excuses = self.excuses();
        let mut failure = None;
        for (touched, Import { imported, .. }) in wanted.iter().zip(&after) {
            let before = self.before.get(*touched).map(|before| &before.imported);
            match (imported.worse(before, touched, &excuses), imported.error()) {
                (Some(message), _) => failure = failure.or(Some(Failure { item: item(touched), message })),
                (None, Some(error)) => drop(self.unproved.insert(touched.module.clone(), error.to_owned())),
                (None, None) => {}
            }
        }
        let proved = after.iter().any(|after| after.imported.is_fine());
        if let (None, false, Some(error)) = (&failure, proved, self.unproved.values().next().cloned()) {
            let python = self.tools()?.python.path.clone();
            return Err(VerifyError::NothingProved { python, error }.into());
        }
        Ok(failure)
    }

    /// Why modules may fail.
    fn excuses(&self) -> Excuses {
        let errors = self.before.values().filter_map(|before| Some(before.imported.error()?.to_owned())).collect();
        let modules = self.loaded.project.modules();
        let own = modules.filter_map(|(_, module)| Some(module.name.split('.').next()?.to_owned())).collect();
        Excuses { errors, own }
    }

    /// Runs the command in a fresh copy.
    fn run_command(&mut self, line: &str, changes: &[FileChange], limit: Option<Duration>) -> Result<Ran> {
        self.progress.show(Stage::Command);
        let changes = self.altered(changes)?;
        let scratch = self.tools()?.tree.copy(&changes)?;
        let notes = self.notes();
        let roots = self.loaded.project.tree.search_path(None);
        let order = Order { scratch: &scratch, line, roots: &roots, notes: &notes, limit };
        Ok(self.tools()?.python.command(&order)?)
    }

    /// The command with changes, and as it was before, if the user gave one.
    fn after_command(&mut self, changes: &[FileChange]) -> Result<Option<Ran>> {
        let Some(line) = self.wish.command else { return Ok(None) };
        if self.command.is_none() {
            let start = Instant::now();
            let ran = self.run_command(line, &[], None)?;
            self.command = Some(CommandBefore { line: line.to_owned(), ran, took: start.elapsed() });
        }
        let limit = self.command.as_ref().map(|before| (before.took * SLOWER).max(PAUSE));
        let ran = self.run_command(line, changes, limit)?;
        // What fails before because of the cycle proves something if it succeeds now.
        match &self.command {
            Some(before) if !before.ran.is_measure() && !ran.is_fine() => {
                Err(VerifyError::CommandFails { command: line.to_owned(), ending: before.ran.ending() }.into())
            }
            _ => Ok(Some(ran)),
        }
    }

    /// Sets aside what went another way when the same text was run before.
    fn set_aside_by_chance(&mut self, changes: &[FileChange], ran: &Ran) {
        let same = match (&self.command, &self.after) {
            (Some(before), _) if changes.is_empty() => &before.ran,
            (_, Some((all, after))) if is_same(all, changes) => after,
            _ => return,
        };
        for test in by_chance(same, ran).into_iter().cloned().collect::<Vec<_>>() {
            let message = format!("test `{test}` fails, or is not run");
            self.set_aside(Failure { item: Item::Test(test), message });
        }
    }
}

/// Whether two lists of changes lead to the same text.
fn is_same(one: &[FileChange], other: &[FileChange]) -> bool {
    let same = |(one, other): (&FileChange, &FileChange)| one.path == other.path && one.after == other.after;
    one.len() == other.len() && one.iter().zip(other).all(same)
}

fn item(touched: &Touched) -> Item {
    Item::Module { name: touched.module.clone(), root: touched.root.clone() }
}

impl Trial for Runs<'_> {
    type Error = anyhow::Error;

    fn run(&mut self, solved: &Solved, changes: &[FileChange]) -> Result<Option<Failure>> {
        let start = Instant::now();
        let site = self.site(changes)?;
        let mut failure = self.imports(&solved.touched, &site)?;
        drop(site);
        if failure.is_none()
            && let Some(ran) = self.after_command(changes)?
        {
            failure = self.command.as_ref().and_then(|before| ran.worse(&before.ran, &self.aside));
            self.after = Some((changes.to_vec(), ran));
        }
        self.seconds += start.elapsed().as_secs_f64();
        Ok(failure)
    }

    fn fails(&mut self, failed: &Failure, touched: &[Touched], changes: &[FileChange]) -> Result<bool> {
        let start = Instant::now();
        let fails = match touched.iter().find(|t| item(t) == failed.item) {
            Some(touched) => {
                let there = !touched.is_new || changes.iter().any(|change| change.path == touched.path);
                let site = self.site(changes)?;
                let found = if there { self.import(Some(&site), &[touched])? } else { Vec::new() };
                let before = self.before.get(touched).map(|before| &before.imported);
                let excuses = self.excuses();
                found.iter().any(|found| found.imported.worse(before, touched, &excuses).is_some())
            }
            None => match (self.after_command(changes)?, &self.command) {
                (Some(ran), Some(before)) => {
                    let fails = ran.fails(&failed.item, &before.ran);
                    self.set_aside_by_chance(changes, &ran);
                    fails
                }
                _ => false,
            },
        };
        self.seconds += start.elapsed().as_secs_f64();
        Ok(fails)
    }

    fn set_aside(&mut self, failure: Failure) {
        let message = format!("{}; but not each time, with the same text: nothing is proved of it", failure.message);
        if self.aside.insert(failure.item) {
            (self.warn)(&message);
        }
    }

    fn is_steady(&self) -> bool {
        self.aside.is_empty()
    }

    fn vetoed(&mut self, veto: &Veto) {
        (self.warn)(&format!("left out: {}: {}", veto.title, veto.message));
    }
}
