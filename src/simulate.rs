//! What CPython does when a module is imported first: module bodies run name by name, with the modules in progress and the
//! names bound so far (CPython `_find_and_load_unlocked`, `import_from`, `import_all_from`).
//!
//! Branches are not decided: what stands in one runs, but a failure inside is taken to be handled. So a failure that is
//! reported is one on the straight path.

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use crate::names::scope::MODULE;
use crate::names::{Bound, Moment, Object, Role, World};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::imports::Place;

/// Why an import fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The module whose body raises, and the statement.
    pub module: ModuleId,
    pub span: Span,
    /// As CPython words it.
    pub error: String,
    /// Modules being imported at that time, the entry first.
    pub chain: Vec<ModuleId>,
}

/// One step of a module's body.
#[derive(Clone, Debug)]
enum Step<'p> {
    Import {
        site: usize,
        handled: bool,
    },
    Bind {
        name: &'p str,
    },
    /// Reads attributes of modules, then runs the imports of a function that is called.
    Read {
        reads: Vec<Read<'p>>,
        call: Option<(ModuleId, Vec<usize>)>,
        handled: bool,
    },
}

/// An attribute read of a module.
#[derive(Clone, Debug)]
struct Read<'p> {
    home: ModuleId,
    attribute: &'p str,
    /// The submodule of that name, if there is one.
    submodule: Option<ModuleId>,
}

/// The bodies of all modules, ready to be run from any entry.
pub struct Simulator<'w, 'p> {
    world: World<'w, 'p>,
    scripts: HashMap<ModuleId, Vec<(Span, Step<'p>)>>,
    /// The packages above each module, the topmost first.
    packages: HashMap<ModuleId, Vec<ModuleId>>,
}

impl<'w, 'p> Simulator<'w, 'p> {
    pub fn new(world: World<'w, 'p>, modules: impl IntoIterator<Item = ModuleId>) -> Self {
        let modules: Vec<ModuleId> = modules.into_iter().collect();
        let scripts = modules.par_iter().map(|m| (*m, script(world, *m))).collect();
        let packages = |module: &ModuleId| {
            let this = world.project().module(*module);
            (*module, this.ancestors().filter_map(|name| world.project().tree.find(name, this.root)).collect())
        };
        Self { world, scripts, packages: modules.par_iter().map(packages).collect() }
    }

    /// Imports `entry` in a fresh interpreter.
    pub fn import(&self, entry: ModuleId) -> Result<(), Failure> {
        let mut run = Run { simulator: self, states: HashMap::new(), chain: Vec::new(), attributes: HashSet::new() };
        run.load(entry)
    }
}

/// The steps of a module's body in the order of its text.
fn script<'p>(world: World<'_, 'p>, module: ModuleId) -> Vec<(Span, Step<'p>)> {
    let file = world.names.file(module);
    let sites = &world.graph.files[module.index()].sites;
    let mut handled: BTreeMap<Span, bool> = BTreeMap::new();
    let mut steps: Vec<(Span, Step<'p>)> = Vec::new();
    for (index, site) in sites.iter().enumerate().filter(|(_, s)| s.kind == Kind::Eager) {
        let in_block = site.place == Place::Block;
        handled.insert(site.stmt, in_block);
        steps.push((site.at, Step::Import { site: index, handled: in_block }));
    }
    for (name, bindings) in &file.scope(MODULE).bindings {
        for binding in bindings.iter().filter(|b| b.moment == Moment::Import && !b.from_inside) {
            if !matches!(binding.what, Bound::Import(_) | Bound::Declared | Bound::Deleted) {
                steps.push((binding.span, Step::Bind { name }));
            }
        }
    }
    for used in file.uses.iter().filter(|u| u.moment == Moment::Import && u.owner == Some(MODULE)) {
        let evaluated = match used.role {
            Role::Quoted(_) | Role::Store | Role::Delete => false,
            Role::Annotation(_) => !file.postponed,
            _ => true,
        };
        // Only what reads an attribute, or calls, can depend on how far another module has come.
        if evaluated && (!used.attributes.is_empty() || used.role == Role::Called) {
            let attributes = used.attributes.iter().map(|a| a.text).collect();
            let conditional = file.bindings(used.name).iter().any(|b| b.conditional);
            let attributes: Vec<&'p str> = attributes;
            let trace = world.trace(module, MODULE, used.name, &attributes);
            let read = |(at, (home, _)): (usize, &(ModuleId, &str))| {
                let this = world.project().module(*home);
                let submodule = world.project().tree.find(&format!("{}.{}", this.name, attributes[at]), this.root);
                Read { home: *home, attribute: attributes[at], submodule }
            };
            let reads: Vec<Read<'p>> = trace.reads.iter().enumerate().map(read).collect();
            let called = used.role == Role::Called;
            let call = if called { imports_of_call(world, trace.object) } else { None };
            if !reads.is_empty() || call.is_some() {
                steps.push((used.span, Step::Read { reads, call, handled: conditional }));
            }
        }
    }
    steps.sort_by_key(|(span, _)| *span);
    steps
}

#[derive(Default)]
struct State<'p> {
    done: bool,
    bound: HashSet<&'p str>,
}

struct Run<'s, 'w, 'p> {
    simulator: &'s Simulator<'w, 'p>,
    states: HashMap<ModuleId, State<'p>>,
    chain: Vec<ModuleId>,
    /// Submodules that are attributes of their package by now.
    attributes: HashSet<ModuleId>,
}

impl<'p> Run<'_, '_, 'p> {
    /// Loads a module and the packages above it, as far as they are not loaded yet.
    fn load(&mut self, module: ModuleId) -> Result<(), Failure> {
        if self.states.contains_key(&module) {
            return Ok(());
        }
        for package in self.simulator.packages.get(&module).map_or(&[][..], Vec::as_slice) {
            self.run(*package)?;
        }
        self.run(module)
    }

    fn run(&mut self, module: ModuleId) -> Result<(), Failure> {
        if self.states.contains_key(&module) {
            return Ok(());
        }
        self.states.insert(module, State::default());
        self.chain.push(module);
        if let Some(steps) = self.simulator.scripts.get(&module) {
            for (span, step) in steps {
                let outcome = self.step(module, *span, step);
                if let Err(failure) = outcome {
                    let handled = match step {
                        Step::Import { handled, .. } | Step::Read { handled, .. } => *handled,
                        Step::Bind { .. } => false,
                    };
                    if !handled {
                        return Err(failure);
                    }
                }
            }
        }
        self.chain.pop();
        if let Some(state) = self.states.get_mut(&module) {
            state.done = true;
        }
        self.attributes.insert(module);
        Ok(())
    }

    fn step(&mut self, module: ModuleId, span: Span, step: &Step<'p>) -> Result<(), Failure> {
        match step {
            Step::Import { site, .. } => self.import(module, *site, Some(module)),
            Step::Bind { name } => {
                self.bind(module, name);
                Ok(())
            }
            Step::Read { reads, call, .. } => {
                self.read(module, span, reads)?;
                let Some((home, sites)) = call else { return Ok(()) };
                sites.iter().try_for_each(|site| self.import(*home, *site, None))
            }
        }
    }

    fn bind(&mut self, module: ModuleId, name: &'p str) {
        if let Some(state) = self.states.get_mut(&module) {
            state.bound.insert(name);
        }
    }

    /// Runs one import; `binds` is the module whose namespace takes the name.
    fn import(&mut self, module: ModuleId, site: usize, binds: Option<ModuleId>) -> Result<(), Failure> {
        let world = self.simulator.world;
        let found = world.graph.site(module, site);
        let Some(target) = world.graph.targets[module.index()][site] else {
            if let (Some(binds), Some(name)) = (binds, found.bound()) {
                self.bind(binds, name);
            }
            return Ok(());
        };
        self.load(if target.is_module { self.base_of(target.module, found.name.is_some()) } else { target.module })?;
        if target.is_module {
            self.load(target.module)?;
        } else if found.star {
            let names: Vec<&'p str> = match self.states.get(&target.module) {
                Some(state) => state.bound.iter().copied().filter(|n| !n.starts_with('_')).collect(),
                None => Vec::new(),
            };
            // The order of names does not show: they are put into a set.
            names.into_iter().for_each(|n| self.bind(module, n));
        } else if let Some(name) = found.name
            && self.demand(target.module, name)?
            && !self.has(target.module, name)
        {
            let target_name = &world.project().module(target.module).name;
            return Err(Failure {
                module,
                span: found.stmt,
                error: format!(
                    "ImportError: cannot import name '{name}' from partially initialized module '{target_name}' (most \
                     likely due to a circular import)"
                ),
                chain: self.chain.clone(),
            });
        }
        if let (Some(binds), Some(name)) = (binds, found.bound()) {
            self.bind(binds, name);
        }
        Ok(())
    }

    /// Asks a module's `__getattr__` for a name that it loads on demand, once it is defined; gives true.
    fn demand(&mut self, module: ModuleId, name: &str) -> Result<bool, Failure> {
        if let Some(site) = self.simulator.world.graph.served(module, name)
            && self.states.get(&module).is_some_and(|s| s.bound.contains("__getattr__") && !s.bound.contains(name))
        {
            self.import(module, site, Some(module))?;
        }
        Ok(true)
    }

    /// Whether a module's `__getattr__` is there by now and loads submodules of this name.
    fn gives(&self, module: ModuleId, name: &str) -> bool {
        self.simulator.world.names.file(module).on_demand.contains(name)
            && self.states.get(&module).is_some_and(|s| s.bound.contains("__getattr__"))
    }

    /// `from p import m` loads `p` before `m`, `import p.m` does so as well by its path.
    fn base_of(&self, module: ModuleId, from: bool) -> ModuleId {
        let world = self.simulator.world;
        let this = world.project().module(module);
        let package = this.name.rsplit_once('.').and_then(|(p, _)| world.project().tree.find(p, this.root));
        if from { package.unwrap_or(module) } else { module }
    }

    /// Whether a module has an attribute by now, or may have it.
    fn has(&self, module: ModuleId, name: &str) -> bool {
        let world = self.simulator.world;
        let Some(state) = self.states.get(&module) else { return true };
        if state.done || state.bound.contains(name) {
            return true;
        }
        let file = world.names.file(module);
        if world.graph.served(module, name).is_some() && !state.bound.contains("__getattr__") {
            return false;
        }
        if !file.bindings("__getattr__").is_empty() || file.dynamic.is_some() {
            return true;
        }
        let this = world.project().module(module);
        if let Some(submodule) = world.project().tree.find(&format!("{}.{name}", this.name), this.root) {
            return self.attributes.contains(&submodule) || self.states.contains_key(&submodule);
        }
        // Unknown names may come from a star import of something outside, or be set from elsewhere.
        let bound_later = file.bindings(name).iter().any(|b| b.moment == Moment::Import && b.what != Bound::Declared);
        let from_star = world.graph.files[module.index()].sites.iter().enumerate().any(|(index, site)| {
            site.star && world.graph.targets[module.index()][index].is_some_and(|t| world.exports(t.module, name, 8))
        });
        !(bound_later || from_star)
    }

    /// Evaluates a dotted name at import time.
    fn read(&mut self, module: ModuleId, span: Span, reads: &[Read<'p>]) -> Result<(), Failure> {
        let world = self.simulator.world;
        for Read { home, attribute, submodule } in reads {
            self.demand(*home, attribute)?;
            if let (Some(submodule), true) = (submodule, self.gives(*home, attribute)) {
                self.load(*submodule)?;
                continue;
            }
            let bound = self.states.get(home).is_some_and(|s| s.bound.contains(attribute));
            let in_progress = submodule.is_some_and(|s| self.states.contains_key(&s) && !self.attributes.contains(&s));
            let missing = match submodule {
                Some(_) if bound => false,
                // The attribute on the package is set when the submodule has run.
                Some(_) => in_progress,
                None => !self.has(*home, attribute),
            };
            if missing {
                let error = format!(
                    "AttributeError: partially initialized module '{}' has no attribute '{attribute}' (most likely due to a \
                     circular import)",
                    world.project().module(*home).name
                );
                return Err(Failure { module, span, error, chain: self.chain.clone() });
            }
        }
        Ok(())
    }
}

/// The imports on the straight path of a function that is called by name: its module and their sites.
fn imports_of_call(world: World, object: Object<'_>) -> Option<(ModuleId, Vec<usize>)> {
    let Object::Attribute { module, name, rest } = object else { return None };
    if !rest.is_empty() {
        return None;
    }
    let file = world.names.file(module);
    let [only] = file.bindings(name) else { return None };
    let Bound::Function(function) = only.what else { return None };
    let span = file.function(function).span;
    let sites = &world.graph.files[module.index()].sites;
    // An import in a branch may not run; only one on the straight path of the function is taken to.
    let inside: Vec<usize> = (0..sites.len())
        .filter(|i| sites[*i].kind == Kind::Deferred && span.contains(sites[*i].stmt))
        .filter(|i| is_unconditional(world, module, function, *i))
        .collect();
    (!inside.is_empty()).then_some((module, inside))
}

/// Whether an import in a function binds its name there on the straight path.
fn is_unconditional(world: World, module: ModuleId, function: crate::names::scope::FunctionId, site: usize) -> bool {
    let file = world.names.file(module);
    let scope = file.scope(file.function(function).scope);
    scope.bindings.values().flatten().any(|b| b.what == Bound::Import(site) && !b.conditional)
}
