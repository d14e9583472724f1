//! What CPython does when a module is imported first: the bodies of modules run in the abstract, statement by statement,
//! with the modules in progress and the names bound so far (CPython `_find_and_load_unlocked`, `import_from`,
//! `import_all_from`, `module_getattro`).
//!
//! What cannot be decided is run both ways, and the states after it are joined. A failure on one of the ways alone is
//! one that may happen. Only what depends on how far another module has come counts as a failure: an import of what
//! is not installed, and an error that a module raises for a reason of its own, are none.

mod arguments;
mod attempt;
mod built_in;
mod call;
mod class;
mod containers;
mod evaluate;
mod held;
mod import;
mod loops;
mod run;
mod settled;
mod state;

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::names::World;
use crate::project::ModuleId;
use crate::syntax::Span;
use run::{Raised, Run};
use state::{Snapshot, State};

/// A place in a traceback: a statement of a module's body, or of a function that it called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub module: ModuleId,
    /// `None`: the module's own level.
    pub function: Option<String>,
    pub span: Span,
}

/// Why an import fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// As CPython 3.13 words it, without the path of a file.
    pub error: String,
    /// The most recent call last, as a traceback has it; never empty.
    pub chain: Vec<Frame>,
}

impl Failure {
    /// The statement that raises.
    pub fn place(&self) -> (ModuleId, Span) {
        let last = self.chain.last().expect("a failure has the frame that raises");
        (last.module, last.span)
    }
}

/// What becomes of the import of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// Something decides it that is not known before it runs.
    May(Failure),
    Fails(Failure),
}

impl Verdict {
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Fine => None,
            Self::May(failure) | Self::Fails(failure) => Some(failure),
        }
    }

    /// Whether it is a worse one than another.
    fn is_worse_than(&self, other: &Verdict) -> bool {
        let rank = |v: &Verdict| match v {
            Self::Fine => 0,
            Self::May(_) => 1,
            Self::Fails(_) => 2,
        };
        rank(self).cmp(&rank(other)) == Ordering::Greater
    }
}

/// A failure by what it has in every state of the code, wherever its lines stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The module that raises it.
    pub module: ModuleId,
    pub error: String,
}

impl Trouble {
    fn of(failure: &Failure) -> Self {
        Self { module: failure.place().0, error: failure.error.clone() }
    }
}

/// What the import of a module comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    /// All that may fail on some way, in the order in which it is met.
    pub doubts: Vec<Failure>,
    /// Failures that the code handles, by another import, another value, a flag, in the order in which they happen.
    pub caught: Vec<Trouble>,
}

impl Outcome {
    /// The first failure that is worse than what there was: the sure one, or one that may happen and could not.
    pub fn failure_since(&self, then: &Self) -> Option<&Failure> {
        if self.verdict.is_worse_than(&then.verdict) {
            return self.verdict.failure();
        }
        let known: Vec<Trouble> = then.doubts.iter().map(Trouble::of).collect();
        let may = matches!(self.verdict, Verdict::May(_)) && matches!(then.verdict, Verdict::May(_));
        self.doubts.iter().find(|failure| may && !known.contains(&Trouble::of(failure)))
    }
}

/// The modules of a project, ready to be imported from any entry.
pub struct Simulator<'w, 'p> {
    pub world: World<'w, 'p>,
    /// By package: the modules directly below it, by the last part of their names.
    children: HashMap<ModuleId, HashMap<&'p str, ModuleId>>,
}

/// Stack of the threads that run imports. Each module in progress takes some KiB, and a chain may lead through all of them.
const STACK: usize = 128 << 20;

impl<'w, 'p> Simulator<'w, 'p> {
    pub fn new(world: World<'w, 'p>) -> Self {
        let tree = &world.project().tree;
        let mut children: HashMap<ModuleId, HashMap<&'p str, ModuleId>> = HashMap::new();
        for (id, module) in world.project().modules() {
            if let Some((package, name)) = module.name.rsplit_once('.')
                && let Some(package) = tree.find(package, module.root)
                && tree.find(&module.name, world.project().module(package).root) == Some(id)
            {
                children.entry(package).or_default().insert(name, id);
            }
        }
        Self { world, children }
    }

    /// Imports each of `entries` first, in an interpreter of its own.
    pub fn outcomes(&self, entries: &[ModuleId]) -> Vec<Outcome> {
        let module = |entry: ModuleId| self.world.project().module(entry);
        let top = |entry: ModuleId| module(entry).name.split_once('.').map(|(top, _)| (module(entry).root, top));
        // Neighbours share the packages above them, whose import is run once.
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|i| (&module(entries[*i]).name, entries[*i]));
        let sorted: Vec<ModuleId> = order.iter().map(|i| entries[*i]).collect();
        let (families, others): (Vec<&[ModuleId]>, Vec<&[ModuleId]>) = sorted
            .chunk_by(|one, other| top(*one) == top(*other))
            .partition(|family| family.len() >= FEW && top(family[0]).is_some());
        let mut found: HashMap<ModuleId, Outcome> = HashMap::new();
        for family in families.into_iter().map(<[_]>::to_vec).chain([others.concat()]) {
            let threads = rayon::current_num_threads().clamp(1, family.len().div_ceil(FEW).max(1));
            let share = family.len().div_ceil(threads).max(1);
            let start = aside(&[|| self.start(&family)]).remove(0);
            let rows: Vec<_> = family.chunks(share).map(|part| || self.in_a_row(part, &start)).collect();
            found.extend(family.iter().copied().zip(aside(&rows).into_iter().flatten()));
        }
        entries.iter().map(|entry| found[entry].clone()).collect()
    }

    /// What the imports of some modules begin with: the packages above all of them are loaded, and what comes to the same
    /// each time is known, if there is more than one time.
    fn start(&self, entries: &[ModuleId]) -> Start<'p> {
        let tree = &self.world.project().tree;
        let mut run = Run::new(self, State::new(self.world.graph.files.len()));
        let mut open: Vec<Opened> = Vec::new();
        if let [first, others @ ..] = entries {
            let is_common = |package: &ModuleId| others.iter().all(|m| tree.above(*m).any(|above| above == *package));
            run.open(tree.above(*first).filter(is_common), &mut open);
        }
        if entries.len() > 1 && open.iter().all(|opened| opened.failed.is_none()) {
            run.settle(entries);
        }
        Start { open, doubts: run.doubts, caught: run.caught, state: run.state.snapshot() }
    }

    /// Modules sorted by name: what the packages above a module do is run once for all below them.
    fn in_a_row(&self, entries: &[ModuleId], start: &Start<'p>) -> Vec<Outcome> {
        let project = self.world.project();
        let mut run = Run::new(self, State::from(&start.state));
        (run.doubts, run.caught) = (start.doubts.clone(), start.caught.clone());
        let mut open = start.open.clone();
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            let this = project.module(*entry);
            while let Some(last) = open.last()
                && !is_above(&project.module(last.package).name, &this.name)
            {
                run.rewind(&open.pop().expect("it was just looked at").before);
            }
            run.open(project.tree.above(*entry), &mut open);
            if let Some(failed) = open.iter().find_map(|o| o.failed.clone()) {
                out.push(run.outcome(failed));
                continue;
            }
            let before = run.mark();
            let verdict = run.enter(*entry).unwrap_or_else(|| run.doubt());
            out.push(run.outcome(verdict));
            run.rewind(&before);
        }
        out
    }
}

impl<'w, 'p: 'w> Run<'_, 'w, 'p> {
    /// Imports packages that are not open yet, until one of them fails.
    fn open(&mut self, packages: impl Iterator<Item = ModuleId>, open: &mut Vec<Opened>) {
        for package in packages {
            if open.iter().all(|o| o.package != package && o.failed.is_none()) {
                let before = self.mark();
                let failed = self.enter(package);
                open.push(Opened { package, before, failed });
            }
        }
    }
}

/// What the imports of several modules begin with.
struct Start<'p> {
    open: Vec<Opened>,
    doubts: Vec<Raised>,
    caught: Vec<Trouble>,
    state: Snapshot<'p>,
}

/// Does each task in a thread of its own, with a stack for imports.
fn aside<T: Send>(tasks: &[impl Fn() -> T + Sync]) -> Vec<T> {
    std::thread::scope(|scope| {
        let start = |task| (task, std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, task));
        let workers: Vec<_> = tasks.iter().map(start).collect();
        let finish = |(task, worker): (&dyn Fn() -> T, std::io::Result<std::thread::ScopedJoinHandle<T>>)| match worker
        {
            Ok(worker) => worker.join().expect("running imports in the abstract does not panic"),
            // No thread was to be had: the stack at hand is large enough for all but the longest chains.
            Err(_) => task(),
        };
        workers.into_iter().map(|(task, worker)| finish((task, worker))).collect()
    })
}

/// Entries that are not worth a thread of their own.
const FEW: usize = 16;

/// A package whose import was run for all modules below it.
#[derive(Clone)]
struct Opened {
    package: ModuleId,
    before: run::Mark,
    /// What no module below it gets past.
    failed: Option<Verdict>,
}

fn is_above(package: &str, module: &str) -> bool {
    module.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'))
}
