//! Import statements: what they load, and what they take from a module that may be half filled.

use std::sync::Arc;

use super::arguments::Given;
use super::run::{Level, Raised, Run};
use super::state::{Object, Space, Status, Text};
use crate::names::body::Error;
use crate::names::evaluated::is_stdlib;
use crate::names::scope::Binding;
use crate::names::{Bound, Moment};
use crate::outcome::Kind;
use crate::project::resolve::absolute;
use crate::project::{Borrowed, ModuleId};
use crate::syntax::imports::ImportSite;

/// Where a module that replaced itself in `sys.modules` keeps what it put there.
pub const REPLACED: &str = "<sys.modules>";

/// Under which a module keeps that it took all names of one that has no text.
const UNSEEN: &str = "<unseen>";

/// Modules of the standard library that some versions or systems lack.
const NOT_EVERYWHERE: [&str; 8] =
    ["curses", "distutils", "graphlib", "lzma", "sqlite3", "tkinter", "tomllib", "zoneinfo"];

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// Loads a module and the packages above it, as far as they are not loaded yet.
    pub fn load(&mut self, module: ModuleId) -> Result<(), Raised> {
        if self.state.trial.is_none() && self.is_loaded(module) {
            return Ok(());
        }
        let above = self.simulator.world.project().tree.above(module);
        above.chain([module]).try_for_each(|module| match self.state.trial.is_some() {
            true if !self.is_run_in_trial(module) => Ok(()),
            _ => self.load_one(module),
        })
    }

    fn is_loaded(&self, module: ModuleId) -> bool {
        matches!(self.state.status(module), Status::Running | Status::Done)
    }

    fn load_one(&mut self, module: ModuleId) -> Result<(), Raised> {
        match self.state.status(module) {
            Status::Running | Status::Done => Ok(()),
            Status::Absent => self.run_body(module),
            Status::Maybe => {
                // It is there on one of the ways that lead here, and runs now on the other.
                let before = self.state.mark();
                self.state.clear(module.0);
                let outcome = self.run_body(module);
                if let Err(raised) = outcome {
                    self.state.undo(before);
                    self.may_fail(raised);
                    self.state.set_status(module, Status::Done);
                    return Ok(());
                }
                let ran = self.state.take(before);
                self.state.set_status(module, Status::Done);
                let was_there = self.state.take(before);
                self.state.join(&ran, &was_there);
                Ok(())
            }
        }
    }

    /// Runs the body of a module that is not loaded. What fails is taken out of `sys.modules` again.
    pub fn run_body(&mut self, module: ModuleId) -> Result<(), Raised> {
        let world = self.simulator.world;
        let this = world.project().module(module);
        self.state.set_status(module, Status::Running);
        match self.state.settled(module).map(Arc::clone) {
            Some(settled) => self.put(module, &settled)?,
            None => self.run_statements(module)?,
        }
        self.state.set_status(module, Status::Done);
        // The attribute on the package is set when the submodule has run.
        if let Some((package, name)) = this.name.rsplit_once('.')
            && let Some(package) = world.project().tree.find(package, this.root)
        {
            self.state.bind(package.0, name, Object::Module(module));
        }
        Ok(())
    }

    fn run_statements(&mut self, module: ModuleId) -> Result<(), Raised> {
        let world = self.simulator.world;
        let this = world.project().module(module);
        self.state.bind(module.0, "__name__", Object::Text(&this.name));
        for name in ["__file__", "__doc__", "__package__", "__spec__", "__loader__", "__builtins__"] {
            self.state.bind(module.0, name, Object::Any);
        }
        if this.is_package {
            self.state.bind(module.0, "__path__", Object::Any);
        }
        self.levels.push(Level::new(module, None, Text::Own, module.0));
        let outcome = self.block(&world.names.body(module).block);
        self.levels.pop();
        if let Err(super::run::Stop::Raise(raised)) = outcome {
            self.state.namespaces(module).into_iter().for_each(|space| self.state.clear(space));
            self.state.set_status(module, Status::Absent);
            return Err(raised);
        }
        Ok(())
    }

    /// Runs one import of the module whose code runs.
    pub fn import(&mut self, index: usize) -> Result<(), Raised> {
        let world = self.simulator.world;
        let module = self.module();
        let site = world.graph.site(module, index);
        let found = if site.kind == Kind::Lazy { Ok(Object::Any) } else { self.imported(module, site) };
        if let Some(name) = site.bound() {
            match &found {
                Ok(object) => self.bind(name, *object),
                Err(raised) if raised.failure.is_some() => self.state.bind(self.lost(module), name, Object::None),
                Err(_) => {}
            }
        }
        found.map(drop)
    }

    fn imported(&mut self, module: ModuleId, site: &ImportSite<'p>) -> Result<Object<'p>, Raised> {
        let project = self.simulator.world.project();
        let this = project.module(module);
        let Some(base) = absolute(this, site.level, site.module) else {
            self.risky = true;
            return Ok(Object::Any);
        };
        let Some(loaded) = project.tree.find(&base, this.root) else { return self.not_a_module(module, site, &base) };
        self.load(loaded)?;
        match site.name {
            Some(name) => self.taken(loaded, name),
            None if site.star => {
                self.star(module, loaded)?;
                Ok(Object::Any)
            }
            None if site.asname.is_some() => Ok(Object::Module(loaded)),
            None => Ok(self.top(module, site.module)),
        }
    }

    /// What `import a.b` binds as `a`.
    pub fn top(&self, module: ModuleId, path: &'p str) -> Object<'p> {
        let project = self.simulator.world.project();
        let top = path.split('.').next().unwrap_or(path);
        match project.tree.find(top, project.module(module).root) {
            Some(top) => Object::Module(top),
            None if project.tree.is_namespace(top) => Object::Namespace(top),
            None => Object::Any,
        }
    }

    /// An import from a folder without an `__init__.py`, from below a module that has no such submodule, or from outside.
    fn not_a_module(&mut self, module: ModuleId, site: &ImportSite<'p>, base: &str) -> Result<Object<'p>, Raised> {
        let project = self.simulator.world.project();
        let root = project.module(module).root;
        let inside = site.name.and_then(|name| project.tree.find(&format!("{base}.{name}"), root));
        if let Some(inside) = inside {
            self.load(inside)?;
            return Ok(Object::Module(inside));
        }
        let top = base.split('.').next().unwrap_or(base);
        self.risky |= site.name.is_some() || !is_stdlib(base) || NOT_EVERYWHERE.contains(&top);
        let mut path = base;
        while let Some((package, _)) = path.rsplit_once('.') {
            if let Some(found) = project.tree.find(package, root) {
                self.load(found)?;
                break;
            }
            path = package;
        }
        self.load_extension(base)?;
        if site.star {
            self.state.bind(self.stars(module), UNSEEN, Object::Any);
        }
        let plain = site.name.is_none() && site.asname.is_none() && !site.star && site.level == 0;
        Ok(if plain { self.top(module, site.module) } else { Object::Any })
    }

    /// Runs the imports of an extension module, the first time, as far as its source is there to tell them.
    fn load_extension(&mut self, name: &str) -> Result<(), Raised> {
        let project = self.simulator.world.project();
        let Some(source) = project.borrowers.iter().find(|b| b.module.as_deref() == Some(name)) else { return Ok(()) };
        // A namespace that all imports share.
        let (seen, key) = (self.lost(ModuleId(0)), source.module.as_deref().unwrap_or_default());
        if self.state.get(seen, key).is_some() {
            return Ok(());
        }
        self.state.bind(seen, key, Object::None);
        let outcome = source.imports.iter().filter(|import| import.is_sure).try_for_each(|import| self.borrow(import));
        if outcome.is_err() {
            self.state.set(seen, key, None);
        }
        outcome
    }

    fn borrow(&mut self, import: &'p Borrowed) -> Result<(), Raised> {
        let tree = &self.simulator.world.project().tree;
        let find = |name: &str| (0..tree.roots.len()).find_map(|root| tree.find(name, root));
        let Some(module) = find(&import.module) else { return Ok(()) };
        self.load(module)?;
        import.names.iter().filter(|name| *name != "*").try_for_each(|name| self.taken(module, name).map(drop))
    }

    /// `from module import name`.
    fn taken(&mut self, module: ModuleId, name: &'p str) -> Result<Object<'p>, Raised> {
        if self.state.trial.is_some()
            && let Some(child) = self.child(module, name)
            && self.state.get(module.0, name).is_some_and(|cell| cell.object == Object::Module(child))
        {
            // Somebody else loaded it just now.
            self.load(child)?;
        }
        if let Some(found) = self.bound_in(module, name) {
            if self.may_lack(module, name) {
                let raised = self.fail(Error::Import, self.cannot_import(module, name));
                self.doubts.push(raised);
            }
            return Ok(found);
        }
        if let Some(child) = self.child(module, name) {
            self.load(child)?;
            // The package has it by now, or `sys.modules` does.
            return Ok(self.bound_in(module, name).unwrap_or(Object::Module(child)));
        }
        let project = self.simulator.world.project();
        let path = format!("{}.{name}", project.module(module).name);
        if project.tree.is_compiled(&path) {
            self.load_extension(&path)?;
            return Ok(Object::Any);
        }
        match self.on_demand(module, name) {
            Ok(Some(found)) => return Ok(found),
            Ok(None) if !self.lacks(module, name) => return Ok(Object::Any),
            // An AttributeError from inside says that the name is not there.
            Ok(None) => {}
            Err(Raised { class: Error::Attribute, failure: Some(_) }) => {}
            Err(raised) => return Err(raised),
        }
        let raised = self.fail(Error::Import, self.cannot_import(module, name));
        self.or_changed(module, raised)
    }

    /// A name that is not there is one that may be there, where a module binds names in ways that are not followed.
    fn or_changed(&mut self, module: ModuleId, raised: Raised) -> Result<Object<'p>, Raised> {
        if !self.is_changed(module) {
            return Err(raised);
        }
        self.doubts.push(raised);
        Ok(Object::Any)
    }

    fn cannot_import(&self, module: ModuleId, name: &str) -> String {
        let from = &self.simulator.world.project().module(module).name;
        match self.state.status(module) {
            Status::Running => format!(
                "ImportError: cannot import name '{name}' from partially initialized module '{from}' (most likely due to a \
                 circular import)"
            ),
            _ => format!("ImportError: cannot import name '{name}' from '{from}'"),
        }
    }

    /// Whether only some of the ways that lead here bound a name that the module binds again further down.
    fn may_lack(&self, module: ModuleId, name: &'p str) -> bool {
        self.state.get(module.0, name).is_some_and(|cell| !cell.sure)
            && self.state.status(module) == Status::Running
            && self.child(module, name).is_none()
            && self.comes_later(module, name)
    }

    /// Evaluates `module.name`.
    pub fn attribute(&mut self, module: ModuleId, name: &'p str) -> Result<Object<'p>, Raised> {
        if let Some(found) = self.bound_in(module, name) {
            if self.may_lack(module, name) {
                let raised = self.fail(Error::Attribute, self.no_attribute(module, name));
                self.doubts.push(raised);
            }
            return Ok(found);
        }
        if let Some(found) = self.on_demand(module, name)? {
            return Ok(found);
        }
        let running = self.state.status(module) == Status::Running;
        let from = &self.simulator.world.project().module(module).name;
        let child = self.child(module, name);
        let missing = match child.map(|c| self.state.status(c)) {
            Some(Status::Running) if running => true,
            Some(Status::Running) => {
                let error = format!(
                    "AttributeError: cannot access submodule '{name}' of module '{from}' (most likely due to a circular \
                     import)"
                );
                return Err(self.fail(Error::Attribute, error));
            }
            Some(Status::Absent) => {
                let raised = self.fail(Error::Attribute, self.no_attribute(module, name));
                // Something that is not followed may have loaded it.
                self.doubts.push(raised);
                false
            }
            Some(Status::Done | Status::Maybe) => false,
            None => self.lacks(module, name),
        };
        if !missing {
            return Ok(Object::Any);
        }
        let raised = self.fail(Error::Attribute, self.no_attribute(module, name));
        self.or_changed(module, raised)
    }

    /// Deletes `module.name`.
    pub fn take_away(&mut self, module: ModuleId, name: &'p str) -> Result<(), Raised> {
        self.attribute(module, name)?;
        self.state.set(module.0, name, None);
        self.state.bind(self.lost(module), name, Object::None);
        Ok(())
    }

    /// Whether a module has an attribute now, if that is known.
    pub fn has(&self, module: ModuleId, name: &'p str) -> Option<bool> {
        if self.bound_in(module, name).is_some() {
            return Some(true);
        }
        let open = self.state.get(module.0, "__getattr__").is_some() || self.child(module, name).is_some();
        (!open && self.lacks(module, name)).then_some(false)
    }

    fn no_attribute(&self, module: ModuleId, name: &str) -> String {
        let from = &self.simulator.world.project().module(module).name;
        match self.state.status(module) {
            Status::Running => format!(
                "AttributeError: partially initialized module '{from}' has no attribute '{name}' (most likely due to a \
                 circular import)"
            ),
            _ => format!("AttributeError: module '{from}' has no attribute '{name}'"),
        }
    }

    pub fn child(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        self.simulator.children.get(&module)?.get(name).copied()
    }

    fn bound_in(&self, module: ModuleId, name: &'p str) -> Option<Object<'p>> {
        if self.state.get(module.0, REPLACED).is_some() {
            return Some(Object::Any);
        }
        let object = self.state.get(module.0, name)?.object;
        if matches!(object, Object::Module(_)) {
            self.reads_submodule(module, name);
        }
        Some(if object.is_plain() && self.is_changed(module) { Object::Any } else { object })
    }

    /// Asks a module's `__getattr__` (PEP 562), once it is defined.
    fn on_demand(&mut self, module: ModuleId, name: &'p str) -> Result<Option<Object<'p>>, Raised> {
        let Some(getattr) = self.state.get(module.0, "__getattr__") else { return Ok(None) };
        let world = self.simulator.world;
        if let Some(site) = world.graph.served(module, name) {
            let stmt = world.graph.site(module, site).stmt;
            let level = Level::new(module, Some("__getattr__"), Text::Own, module.0);
            self.levels.push(Level { span: stmt, at: stmt, ..level });
            let found = self.imported(module, world.graph.site(module, site));
            self.levels.pop();
            return found.map(Some);
        }
        if let (Some(child), true) = (self.child(module, name), world.names.file(module).on_demand.contains(name)) {
            self.load(child)?;
            return Ok(Some(Object::Module(child)));
        }
        match self.call(getattr.object, Given::plain(vec![Object::Text(name)])) {
            Err(Raised { class: Error::Attribute, failure: None }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Whether a name that a module does not have now is one that it gets later, or would have got from a star import.
    fn lacks(&self, module: ModuleId, name: &'p str) -> bool {
        let world = self.simulator.world;
        if self.missed(module, name).is_some() || self.state.get(self.lost(module), name).is_some() {
            return true;
        }
        if self.state.status(module) != Status::Running {
            return false;
        }
        let unseen = self.state.get(self.stars(module), UNSEEN).is_some();
        world.names.file(module).bindings(name).iter().any(binds_on_import)
            // It may have come from what has no text as well.
            || !unseen && world.exports_by_star(module, name)
    }

    /// Whether a module that is being run binds a name further down than it has come.
    pub fn comes_later(&self, module: ModuleId, name: &str) -> bool {
        let Some(level) = self.levels.iter().find(|l| l.module == module && l.is_module()) else { return false };
        let bindings = self.simulator.world.names.file(module).bindings(name).iter();
        bindings.filter(|b| binds_on_import(b)).any(|b| b.span.start >= level.span.start)
    }

    /// A module from which a star import did not get a name, because it was not bound yet.
    pub fn missed(&self, module: ModuleId, name: &str) -> Option<ModuleId> {
        let world = self.simulator.world;
        let halves = self.state.names(self.stars(module));
        halves.into_iter().find_map(|(_, cell)| match cell.object {
            Object::Module(from) if world.exports(from, name) => Some(from),
            _ => None,
        })
    }

    /// Where the half-filled modules are kept that a module took all names of.
    fn stars(&self, module: ModuleId) -> Space {
        self.state.namespaces(module)[1]
    }

    /// Where the names are kept that a module did not get, because their import failed.
    fn lost(&self, module: ModuleId) -> Space {
        self.state.namespaces(module)[2]
    }

    /// `from target import *` in a module.
    fn star(&mut self, module: ModuleId, target: ModuleId) -> Result<(), Raised> {
        let world = self.simulator.world;
        let exports = &world.names.file(target).exports;
        let listed = self.state.get(target.0, "__all__").is_some() && !exports.names.is_empty();
        if listed {
            for name in &exports.names {
                let object = match self.bound_in(target, name) {
                    Some(object) => object,
                    None => match self.child(target, name) {
                        Some(child) => {
                            self.load(child)?;
                            self.bound_in(target, name).unwrap_or(Object::Module(child))
                        }
                        None if exports.more => continue,
                        None => self.attribute(target, name)?,
                    },
                };
                self.bind(name, object);
            }
        }
        if !listed || exports.more {
            self.reads_all_names(target);
            for (name, cell) in self.state.names(target.0) {
                if !name.starts_with(['_', '<']) {
                    self.bind(name, cell.object);
                }
            }
        }
        if self.state.status(target) == Status::Running {
            let name = world.project().module(target).name.as_str();
            self.state.bind(self.stars(module), name, Object::Module(target));
        }
        Ok(())
    }
}

/// Whether a module has the name when this has run.
fn binds_on_import(binding: &Binding) -> bool {
    let binds = !matches!(binding.what, Bound::Declared | Bound::Deleted);
    binds && binding.moment == Moment::Import && !binding.from_inside
}
