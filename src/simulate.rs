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
mod state;

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::names::World;
use crate::project::ModuleId;
use crate::syntax::Span;
use run::Run;

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
        let name = |m: ModuleId| &self.world.project().module(m).name;
        // Neighbours share the packages above them, whose import is run once.
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|i| (name(entries[*i]), entries[*i]));
        let threads = rayon::current_num_threads().clamp(1, order.len().div_ceil(FEW).max(1));
        let share = order.len().div_ceil(threads).max(1);
        let run = |part: &[usize]| {
            let part: Vec<ModuleId> = part.iter().map(|i| entries[*i]).collect();
            self.in_a_row(&part)
        };
        let found: Vec<Outcome> = std::thread::scope(|scope| {
            let start =
                |part| (part, std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || run(part)));
            let workers: Vec<_> = order.chunks(share).map(start).collect();
            let finish = |(part, worker): (&[usize], std::io::Result<std::thread::ScopedJoinHandle<_>>)| match worker {
                Ok(worker) => worker.join().expect("running imports in the abstract does not panic"),
                // No thread was to be had: the stack at hand is large enough for all but the longest chains.
                Err(_) => run(part),
            };
            workers.into_iter().flat_map(finish).collect()
        });
        let mut out: Vec<(usize, Outcome)> = order.into_iter().zip(found).collect();
        out.sort_unstable_by_key(|(at, _)| *at);
        out.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Modules sorted by name: what the packages above a module do is run once for all below them.
    fn in_a_row(&self, entries: &[ModuleId]) -> Vec<Outcome> {
        let project = self.world.project();
        let mut run = Run::new(self);
        let mut open: Vec<Opened> = Vec::new();
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            let this = project.module(*entry);
            while let Some(last) = open.last()
                && !is_above(&project.module(last.package).name, &this.name)
            {
                run.rewind(&open.pop().expect("it was just looked at").before);
            }
            for package in project.tree.above(*entry) {
                if open.iter().all(|o| o.package != package) && !open.iter().any(|o| o.failed.is_some()) {
                    let before = run.mark();
                    let failed = run.enter(package);
                    open.push(Opened { package, before, failed });
                }
            }
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

/// Entries that are not worth a thread of their own.
const FEW: usize = 16;

/// A package whose import was run for all modules below it.
struct Opened {
    package: ModuleId,
    before: run::Mark,
    /// What no module below it gets past.
    failed: Option<Verdict>,
}

fn is_above(package: &str, module: &str) -> bool {
    module.strip_prefix(package).is_some_and(|rest| rest.starts_with('.'))
}
