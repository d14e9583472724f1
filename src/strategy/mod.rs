//! Strategies: each looks at one cycle and proposes fixes, or refuses with a reason. None touches the disk, and none knows
//! another.

mod changing;
mod closure;
mod compiled;
pub mod cost;
mod defer_import;
mod direct_import;
mod extract_utility_module;
mod guarded;
mod import_use;
mod later;
mod library_parts;
mod loading;
mod merge_modules;
mod module_getattr;
mod movable;
mod order;
mod reason;
mod setting;
pub mod settled;
mod standing;
pub mod steer;
mod unused_import;
mod utility_home;
mod writable;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock};

use rayon::prelude::*;

use crate::change::NewFile;
use crate::graph::{Edge, Graph};
use crate::names::effects::{Changed, Place};
use crate::names::running::Running;
use crate::names::users::Users;
use crate::names::{Names, World};
use crate::outcome::Safety;
use crate::project::generated::says_generated;
use crate::project::{ModuleId, Project};
use crate::rewrite::Intent;
use crate::syntax::Span;
pub use loading::state_read;
pub use module_getattr::complete;
pub use reason::Reason;
pub use writable::not_writable;

/// One name of an import statement: module and index of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportId {
    pub module: ModuleId,
    pub site: usize,
}

/// A project, analysed.
pub struct Context<'c, 'p> {
    pub world: World<'c, 'p>,
    pub users: Users<'p>,
    pub running: Running,
    effects: Known<Arc<[(Span, Changed)]>>,
    reads: Known<Arc<[later::Read]>>,
    asks: Known<Option<ModuleId>>,
    changes_loggers: OnceLock<bool>,
    generated: Known<bool>,
    guarded: OnceLock<Vec<guarded::Guarded>>,
    borrowed: OnceLock<library_parts::Borrowed<'p>>,
    stops: Known<Arc<[order::Stop]>>,
    touches: Known<order::Touches>,
    touching: Known<order::Touching>,
    may_change: Known<Arc<BTreeMap<ModuleId, BTreeMap<String, changing::MayChange>>>>,
    /// By module, name and attribute.
    changed: Known<bool, (ModuleId, String, Option<String>)>,
}

impl<'c, 'p> Context<'c, 'p> {
    /// Analyses a project as far as fixes of these cycles need it.
    pub fn new(graph: &'c Graph<'p>, names: &'c Names<'p>, cycles: &[Cycle]) -> Self {
        let world = World { graph, names };
        // Only what a component loads can run while one of its modules is half imported.
        let mut loaded = BTreeSet::new();
        for cycle in cycles {
            if let Some(first) = cycle.modules.first() {
                loaded.extend(graph.loads(*first).iter());
            }
            loaded.extend(&cycle.modules);
        }
        let (users, running) = rayon::join(|| Users::new(world), || Running::new(world, &loaded));
        Self {
            world,
            users,
            running,
            effects: Mutex::default(),
            reads: Mutex::default(),
            asks: Mutex::default(),
            changes_loggers: OnceLock::new(),
            generated: Mutex::default(),
            guarded: OnceLock::new(),
            borrowed: OnceLock::new(),
            stops: Mutex::default(),
            touches: Mutex::default(),
            touching: Mutex::default(),
            may_change: Mutex::default(),
            changed: Mutex::default(),
        }
    }

    pub fn project(&self) -> &'p Project {
        self.world.project()
    }

    /// The first statement of a module that changes something which is not `unseen` when it is imported.
    pub fn effect(&self, module: ModuleId, unseen: &dyn Fn(&Place) -> bool) -> Option<Span> {
        self.effects(module).iter().find(|(_, touched)| touched.shows(unseen)).map(|(span, _)| *span)
    }

    /// What importing a module changes, by place.
    fn effects(&self, module: ModuleId) -> Arc<[(Span, Changed)]> {
        known(&self.effects, module, || crate::names::effects::effects(self.world, module).into())
    }

    /// What a module reads while it is loaded that may be another thing later.
    fn reads(&self, module: ModuleId) -> Arc<[later::Read]> {
        known(&self.reads, module, || later::reads(self, module).into())
    }

    /// Whether code changes the object in place that a name of a module is bound to.
    fn is_changed(&self, home: ModuleId, name: &str, attribute: Option<&str>) -> bool {
        let of = (home, name.to_owned(), attribute.map(str::to_owned));
        known(&self.changed, of, || changing::is_changed(self, home, name, attribute))
    }

    /// What a module may change in place, by the module and name that it is bound to.
    fn may_change(&self, user: ModuleId) -> Arc<BTreeMap<ModuleId, BTreeMap<String, changing::MayChange>>> {
        known(&self.may_change, user, || Arc::new(changing::may_change(self, user)))
    }

    /// The imports of a module that run something of the project with it, by place.
    fn stops(&self, module: ModuleId) -> Arc<[order::Stop]> {
        known(&self.stops, module, || order::stops(self.world.graph, module))
    }

    /// What a module's import does to the state of modules.
    fn touches(&self, module: ModuleId) -> order::Touches {
        known(&self.touches, module, || order::touches(self, module))
    }

    /// What touches state in order when a module is imported first.
    fn touching(&self, module: ModuleId) -> order::Touching {
        known(&self.touching, module, || order::touching(self, module))
    }

    /// Whether loggers that are made later may be others.
    fn changes_loggers(&self) -> bool {
        *self.changes_loggers.get_or_init(|| later::changes_loggers(self.world))
    }

    /// Whether the file of a module says that a program writes it.
    fn is_generated(&self, module: ModuleId) -> bool {
        known(&self.generated, module, || says_generated(self.project().text(module)))
    }

    /// The imports of modules of the project that may fail.
    fn guarded(&self) -> &[guarded::Guarded] {
        self.guarded.get_or_init(|| guarded::all(self))
    }

    /// Uses of submodules of the standard library that their file does not import.
    fn borrowed(&self) -> &library_parts::Borrowed<'p> {
        self.borrowed.get_or_init(|| library_parts::all(self))
    }

    /// The module that a module asks while it is loaded what it holds, if that leads to it.
    fn asks_half_way(&self, module: ModuleId) -> Option<ModuleId> {
        known(&self.asks, module, || later::asks_half_way(self, module))
    }
}

/// Facts, of modules mostly, that are looked for when they are asked for, by any thread.
type Known<T, K = ModuleId> = Mutex<HashMap<K, T>>;

/// What is known of something. Nothing is held while it is looked for: two threads may find the same.
fn known<T: Clone, K: Eq + Hash>(facts: &Known<T, K>, of: K, find: impl FnOnce() -> T) -> T {
    let poison = "no thread panics while it holds facts";
    if let Some(found) = facts.lock().expect(poison).get(&of) {
        return found.clone();
    }
    let found = find();
    facts.lock().expect(poison).insert(of, found.clone());
    found
}

/// A component and the edges inside it that count.
#[derive(Clone, Debug)]
pub struct Cycle {
    pub modules: Vec<ModuleId>,
    pub edges: Vec<Edge>,
}

impl Cycle {
    /// The imports that make the edges, in order.
    pub fn imports(&self) -> Vec<ImportId> {
        let mut all: Vec<ImportId> = self.edges.iter().map(|e| ImportId { module: e.from, site: e.site }).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A change that takes imports out of a cycle.
#[derive(Clone, Debug)]
pub struct Fix {
    pub strategy: &'static str,
    pub form: Option<&'static str>,
    pub title: String,
    pub safety: Safety,
    /// Why it is unsafe.
    pub doubt: Option<String>,
    pub removes: Vec<ImportId>,
    /// Edges that come with it, e.g. to the module that a direct import loads instead.
    pub adds: Vec<Added>,
    pub intents: Vec<(ModuleId, Intent)>,
    pub creates: Vec<NewFile>,
    /// What it costs a reader of the code; the planner takes the least.
    pub cost: u64,
}

/// An edge that a fix brings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Added {
    pub from: ModuleId,
    pub to: ModuleId,
    /// The imports that make the edge, which does not come where other fixes take them all away; empty if it comes in any case.
    pub by: BTreeSet<ImportId>,
    /// Imports that the edge leads past: it comes only where other fixes load what these give when it is asked for.
    pub past: BTreeSet<ImportId>,
}

impl Added {
    /// An edge that comes in any case.
    pub fn always(from: ModuleId, to: ModuleId) -> Self {
        Self { from, to, by: BTreeSet::new(), past: BTreeSet::new() }
    }

    /// Whether the edge comes where these imports are taken away.
    fn comes(&self, removed: &BTreeSet<ImportId>) -> bool {
        (self.by.is_empty() || !self.by.is_subset(removed)) && self.past.is_subset(removed)
    }
}

impl Fix {
    /// Whether it is much to read, so that it has to gain much where a part of the cycle stays.
    pub fn is_long(&self) -> bool {
        self.loads_on_demand()
    }

    /// Whether an edge comes with it between modules of a cycle.
    pub fn adds_to(&self, cycle: &Cycle) -> bool {
        let inside = |module| cycle.modules.binary_search(module).is_ok();
        self.adds.iter().any(|added| inside(&added.from) && inside(&added.to))
    }

    /// Whether what it takes out of a module is loaded when the module is asked for it.
    pub fn loads_on_demand(&self) -> bool {
        self.form == Some(module_getattr::FORM)
    }
}

/// Why a strategy does not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub strategy: &'static str,
    pub import: ImportId,
    pub reason: Reason,
    pub message: String,
    /// What the reason points at.
    pub at: (ModuleId, Span),
}

/// What a strategy has to say of a cycle.
#[derive(Clone, Debug, Default)]
pub struct Proposals {
    pub fixes: Vec<Fix>,
    pub refusals: Vec<Refusal>,
}

/// A strategy, by name.
pub struct Strategy {
    pub name: &'static str,
    pub propose: fn(&Context, &Cycle) -> Proposals,
}

/// All strategies, in order of preference.
pub const REGISTRY: [Strategy; 5] = [
    unused_import::STRATEGY,
    direct_import::STRATEGY,
    extract_utility_module::STRATEGY,
    defer_import::STRATEGY,
    merge_modules::STRATEGY,
];

/// Strategies that leave a dependency as it is and only hide it.
const HIDING: [&str; 1] = [defer_import::STRATEGY.name];

/// The names of all strategies.
pub fn names() -> Vec<&'static str> {
    REGISTRY.iter().map(|s| s.name).collect()
}

/// What all allowed strategies propose for a cycle, in their order.
pub fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let allowed = &ctx.project().settings.strategies;
    let is_allowed = |strategy: &&Strategy| allowed.is_empty() || allowed.iter().any(|a| a == strategy.name);
    let steered = |strategy: &Strategy| steer::steered(ctx, strategy.name, (strategy.propose)(ctx, cycle));
    let found: Vec<Proposals> = REGISTRY.par_iter().filter(is_allowed).map(steered).collect();
    let mut all = Proposals::default();
    for found in found {
        all.fixes.extend(found.fixes);
        all.refusals.extend(found.refusals);
    }
    all
}
