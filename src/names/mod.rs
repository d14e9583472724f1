//! Names over a whole project: what each file binds and uses, what a name stands for across modules, who uses which
//! attribute of which module, which functions may run while something is imported, and which modules do something
//! on import that others can see.

mod asked;
pub mod body;
mod collect;
pub mod effects;
pub mod evaluated;
mod handed;
pub mod methods;
mod reader;
pub mod running;
pub mod scope;
pub mod users;

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

pub use collect::{collect, is_postponement, is_private, words};
pub use scope::{Bound, FileNames, Moment, Role, ScopeId, Use};

use crate::graph::{Graph, same_text};
use crate::outcome::Kind;
use crate::project::resolve::{Target, absolute};
use crate::project::{Module, ModuleId, ModuleSet, Project};
use crate::syntax::imports::{FileImports, imports};
use crate::syntax::{Ast, Span, parse};
use body::Body;
use effects::Effect;
use reader::Reader;
use scope::{Binding, MODULE, Reference, that_run};

/// The names of every module of a project.
pub struct Names<'p> {
    pub project: &'p Project,
    /// By module, once known; a file whose text stays is shared by the states of a project.
    files: Vec<OnceLock<Arc<FileFacts<'p>>>>,
    /// Stands for every file that nobody wanted to know of.
    nothing: Arc<FileFacts<'p>>,
    /// How files are read when they are asked for; `None`: all are known.
    reader: Option<Reader<'p>>,
    /// Modules that ask classes for their subclasses.
    asking: OnceLock<Vec<ModuleId>>,
    /// Modules that tell definitions by their module.
    telling: OnceLock<Vec<ModuleId>>,
}

/// What somebody wants to know of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    Nothing,
    Names,
    /// Its names, and its syntax tree soon.
    Tree,
}

/// What is known of one file by itself.
#[derive(Debug)]
struct FileFacts<'p> {
    names: FileNames<'p>,
    effects: Vec<Effect<'p>>,
    body: Body<'p>,
    /// The syntax tree, once somebody needed it.
    tree: OnceLock<Arc<Ast<'p>>>,
}

/// What a dotted name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object<'n> {
    Module(ModuleId),
    /// An attribute of a module that is no module, and what stands behind it.
    Attribute {
        module: ModuleId,
        name: &'n str,
        rest: Vec<&'n str>,
    },
    /// Comes from outside the project: its dotted name.
    External(String),
    /// Something of a function or class, or not bound at all.
    Unknown,
}

/// The modules' attributes that evaluating a dotted name reads, and what it stands for in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace<'n> {
    pub reads: Vec<(ModuleId, &'n str)>,
    pub object: Object<'n>,
}

/// How far re-exports are followed; a chain that long is a loop.
const DEPTH: usize = 24;

impl<'p> Names<'p> {
    /// The names of the modules that are wanted, by module; the others are taken to have none. What the graph knows of their
    /// imports is completed by what only the tree tells.
    pub fn new(graph: &mut Graph<'p>, wanted: &[Wanted]) -> Self {
        let project = graph.project;
        let nothing = Arc::new(FileFacts::of_nothing());
        let read = |(index, module): (usize, &Module)| {
            if wanted[index] == Wanted::Nothing {
                return (graph.files[index].clone(), nothing.clone());
            }
            let ast = parse(&project.file(module.file).text);
            let imports = imports(&ast);
            let facts = FileFacts::of(&ast, &imports);
            let kept = (wanted[index] == Wanted::Tree).then(|| OnceLock::from(Arc::new(ast)));
            (Arc::new(imports), Arc::new(FileFacts { tree: kept.unwrap_or_default(), ..facts }))
        };
        let (imports, files): (Vec<_>, Vec<_>) = project.tree.modules.par_iter().enumerate().map(read).unzip();
        graph.refine(imports);
        Self::known(project, files, nothing)
    }

    fn known(project: &'p Project, files: Vec<Arc<FileFacts<'p>>>, nothing: Arc<FileFacts<'p>>) -> Self {
        let files = files.into_iter().map(OnceLock::from).collect();
        Self { project, files, nothing, reader: None, asking: OnceLock::new(), telling: OnceLock::new() }
    }

    /// The names of every module, each read when somebody asks for them, but for what only functions that are not called hold.
    /// Those of a file whose imports are other than the graph has them are left out; [`Names::others`] tells.
    pub fn on_demand(graph: &Graph<'p>) -> Self {
        let files = graph.files.iter().map(|_| OnceLock::new()).collect();
        let nothing = Arc::new(FileFacts::of_nothing());
        let reader = Some(Reader::new(graph));
        Self { project: graph.project, files, nothing, reader, asking: OnceLock::new(), telling: OnceLock::new() }
    }

    /// Reads modules that will be asked for.
    pub fn prepare(&self, modules: &ModuleSet) {
        let modules: Vec<ModuleId> = modules.iter().collect();
        modules.par_iter().for_each(|module| {
            self.facts(*module);
        });
    }

    /// The files that have other imports than the graph that the names were read for, with these.
    pub fn others(self) -> Vec<(ModuleId, Arc<FileImports<'p>>)> {
        self.reader.map_or_else(Vec::new, Reader::into_others)
    }

    fn facts(&self, module: ModuleId) -> &Arc<FileFacts<'p>> {
        self.files[module.index()].get_or_init(|| {
            let read = self.reader.as_ref().and_then(|reader| reader.read(module));
            read.map_or_else(|| self.nothing.clone(), Arc::new)
        })
    }

    /// What a function of a module does, which [`Names::body`] may leave out, by the place of its `def`.
    pub fn function(&self, module: ModuleId, def: usize) -> &Body<'p> {
        match &self.reader {
            Some(reader) => reader.read_function(module, def, self.file(module).postponed),
            None => self.body(module),
        }
    }

    pub fn file(&self, module: ModuleId) -> &FileNames<'p> {
        &self.facts(module).names
    }

    /// Modules that ask classes for their subclasses.
    pub fn asking_subclasses(&self) -> &[ModuleId] {
        self.asking.get_or_init(|| self.modules_that(|file| file.asks_subclasses))
    }

    /// Modules that tell definitions by the module where they stand.
    pub fn telling_by_module(&self) -> &[ModuleId] {
        self.telling.get_or_init(|| {
            self.modules_that(|file| {
                !file.told_by_module.is_empty() || file.reads_place.is_some() || !file.read_where_defined.is_empty()
            })
        })
    }

    fn modules_that(&self, holds: impl Fn(&FileNames) -> bool) -> Vec<ModuleId> {
        self.project.modules().map(|(id, _)| id).filter(|id| holds(self.file(*id))).collect()
    }

    /// What a module's import may do that others see, before it is known across modules whether it does.
    pub fn effects(&self, module: ModuleId) -> &[Effect<'p>] {
        &self.facts(module).effects
    }

    /// What a module's body does when it runs.
    pub fn body(&self, module: ModuleId) -> &Body<'p> {
        &self.facts(module).body
    }

    /// The syntax tree of a module.
    pub fn ast(&self, module: ModuleId) -> Arc<Ast<'p>> {
        let file = self.facts(module);
        let read = || Arc::new(parse(self.project.text(module)));
        if Arc::ptr_eq(file, &self.nothing) { read() } else { file.tree.get_or_init(read).clone() }
    }
}

impl<'p> FileFacts<'p> {
    fn of(ast: &Ast<'p>, imports: &FileImports<'p>) -> Self {
        Self { effects: effects::candidates(ast), ..Self::without_effects(ast, imports) }
    }

    fn without_effects(ast: &Ast<'p>, imports: &FileImports<'p>) -> Self {
        let names = collect::collect(ast, imports);
        let body = body::body(ast, imports, names.postponed);
        Self { names, effects: Vec::new(), body, tree: OnceLock::new() }
    }

    fn of_nothing() -> Self {
        Self { names: FileNames::empty(), effects: Vec::new(), body: Body::default(), tree: OnceLock::new() }
    }
}

/// Names and graph together answer what a name stands for.
#[derive(Clone, Copy)]
pub struct World<'w, 'p> {
    pub graph: &'w Graph<'p>,
    pub names: &'w Names<'p>,
}

/// How many imports of one name are followed.
const ALTERNATIVES: usize = 6;

/// Which of several imports that bind a name is followed: `nth` from the last on, the first where there are not so many.
struct Choice {
    nth: usize,
    /// Whether some name has more.
    more: Cell<bool>,
}

impl Choice {
    fn last() -> Self {
        Self { nth: 0, more: Cell::new(false) }
    }

    fn import(&self, bindings: &[Binding]) -> Option<usize> {
        self.nth_import(bindings, self.nth)
    }

    /// As [`Choice::import`], where a value that is bound last comes before all imports.
    fn import_unless_value(&self, bindings: &[Binding]) -> Option<usize> {
        let last = that_run(bindings).rev().find(|b| b.what != Bound::Declared)?;
        if matches!(last.what, Bound::Import(_)) {
            return self.import(bindings);
        }
        if bindings.iter().any(|b| matches!(b.what, Bound::Import(_))) && self.nth == 0 {
            self.more.set(true);
        }
        self.nth_import(bindings, self.nth.checked_sub(1)?)
    }

    fn nth_import(&self, bindings: &[Binding], nth: usize) -> Option<usize> {
        let mut sites = that_run(bindings).rev().filter_map(|b| match b.what {
            Bound::Import(site) => Some(site),
            _ => None,
        });
        let mut found = sites.next();
        for _ in 0..nth {
            found = sites.next().or(found);
        }
        if sites.next().is_some() {
            self.more.set(true);
        }
        found
    }
}

impl<'w, 'p> World<'w, 'p> {
    pub fn project(&self) -> &'p Project {
        self.graph.project
    }

    /// Imports and names of the project after a change: files whose text is the same are not read again, be it the text that
    /// they had or the one that they had when another change was `tried`.
    pub fn after(&self, project: &'p Project, tried: Option<World<'_, 'p>>) -> (Graph<'p>, Names<'p>) {
        let known = |of: &World<'_, 'p>, id: ModuleId| (of.graph.files[id.index()].clone(), of.names.facts(id).clone());
        let read = |(index, module): (usize, &'p Module)| {
            if same_text(self.project(), project, module) {
                return known(self, ModuleId(index as u32));
            }
            if let Some(tried) = tried.filter(|tried| same_text(tried.project(), project, module))
                && let Some(id) = tried.project().tree.of_file(module.file)
            {
                return known(&tried, id);
            }
            let ast = parse(&project.file(module.file).text);
            let imports = imports(&ast);
            let facts = FileFacts::of(&ast, &imports);
            (Arc::new(imports), Arc::new(FileFacts { tree: OnceLock::from(Arc::new(ast)), ..facts }))
        };
        let (imports, files): (Vec<_>, Vec<_>) = project.tree.modules.par_iter().enumerate().map(read).unzip();
        let names = Names::known(project, files, self.names.nothing.clone());
        (self.graph.with_files(project, imports), names)
    }

    /// Follows `name.attributes…` as read in a scope of a module.
    pub fn trace<'n>(&self, module: ModuleId, scope: ScopeId, name: &'n str, attributes: &[&'n str]) -> Trace<'n>
    where
        'p: 'n,
        'w: 'n,
    {
        self.trace_by(module, scope, name, attributes, &Choice::last())
    }

    /// All that [`World::trace`] may come to where several imports bind a name, e.g. `try: import a as x`,
    /// `except ImportError: import b as x`; the last first.
    pub fn traces<'n>(&self, module: ModuleId, scope: ScopeId, name: &'n str, attributes: &[&'n str]) -> Vec<Trace<'n>>
    where
        'p: 'n,
        'w: 'n,
    {
        let mut out = Vec::new();
        for nth in 0..ALTERNATIVES {
            let choice = Choice { nth, more: Cell::new(false) };
            let trace = self.trace_by(module, scope, name, attributes, &choice);
            if !out.contains(&trace) {
                out.push(trace);
            }
            if !choice.more.get() {
                break;
            }
        }
        out
    }

    fn trace_by<'n>(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &'n str,
        attributes: &[&'n str],
        choice: &Choice,
    ) -> Trace<'n>
    where
        'p: 'n,
        'w: 'n,
    {
        let file = self.names.file(module);
        let Some(owner) = file.owner(name, scope) else {
            let object = self.star(module, name, DEPTH, choice).unwrap_or(Object::Unknown);
            return self.follow(object, attributes, choice);
        };
        let bindings = file.scope(owner).bindings.get(name).map_or(&[][..], Vec::as_slice);
        let object = match choice.import(bindings) {
            Some(site) => self.site_object_by(module, site, DEPTH, choice),
            None if owner == MODULE => Object::Attribute { module, name, rest: Vec::new() },
            None => Object::Unknown,
        };
        self.follow(object, attributes, choice)
    }

    fn follow<'n>(&self, mut object: Object<'n>, attributes: &[&'n str], choice: &Choice) -> Trace<'n>
    where
        'p: 'n,
        'w: 'n,
    {
        let mut reads = Vec::new();
        for attribute in attributes {
            object = match object {
                Object::Module(module) => {
                    reads.push((module, *attribute));
                    self.attribute_by(module, attribute, DEPTH, choice)
                }
                Object::Attribute { module, name, mut rest } => {
                    rest.push(attribute);
                    Object::Attribute { module, name, rest }
                }
                Object::External(path) => Object::External(format!("{path}.{attribute}")),
                Object::Unknown => Object::Unknown,
            };
        }
        Trace { reads, object }
    }

    /// What an import binds.
    pub fn site_object(&self, module: ModuleId, site: usize) -> Object<'w>
    where
        'p: 'w,
    {
        self.site_object_by(module, site, DEPTH, &Choice::last())
    }

    fn site_object_by(&self, module: ModuleId, site: usize, depth: usize, choice: &Choice) -> Object<'w>
    where
        'p: 'w,
    {
        let found = self.graph.site(module, site);
        let target = self.graph.targets[module.index()][site];
        match (found.name, found.asname, target) {
            (Some(_), _, Some(target)) if target.is_module => Object::Module(target.module),
            // What is compiled is not seen.
            (Some(name), _, Some(target)) if target.falls_back => Object::External(format!("{}.{name}", found.module)),
            (Some(name), _, Some(target)) => {
                if depth == 0 {
                    return Object::Unknown;
                }
                self.attribute_by(target.module, name, depth - 1, choice)
            }
            (None, Some(_), Some(target)) if target.is_module => Object::Module(target.module),
            (None, None, _) if found.level == 0 => {
                let top = found.module.split('.').next().unwrap_or_default();
                let root = self.project().module(module).root;
                self.project().tree.find(top, root).map_or_else(|| Object::External(top.to_owned()), Object::Module)
            }
            (name, _, None) => match (absolute(self.project().module(module), found.level, found.module), name) {
                (Some(base), Some(name)) => Object::External(format!("{base}.{name}")),
                (Some(base), None) => Object::External(base),
                (None, _) => Object::Unknown,
            },
            _ => Object::Unknown,
        }
    }

    /// What `module.name` stands for.
    pub fn attribute<'n>(&self, module: ModuleId, name: &'n str) -> Object<'n>
    where
        'p: 'n,
        'w: 'n,
    {
        self.attribute_by(module, name, DEPTH, &Choice::last())
    }

    fn attribute_by<'n>(&self, module: ModuleId, name: &'n str, depth: usize, choice: &Choice) -> Object<'n>
    where
        'p: 'n,
        'w: 'n,
    {
        let bindings = self.names.file(module).bindings(name);
        if bindings.iter().any(|b| b.what != Bound::Declared) {
            return match choice.import_unless_value(bindings).filter(|_| depth > 0) {
                Some(site) => self.site_object_by(module, site, depth - 1, choice),
                None => Object::Attribute { module, name, rest: Vec::new() },
            };
        }
        let this = self.project().module(module);
        if let Some(submodule) = self.project().tree.find(&format!("{}.{name}", this.name), this.root) {
            return Object::Module(submodule);
        }
        self.star(module, name, depth, choice).unwrap_or(Object::Attribute { module, name, rest: Vec::new() })
    }

    /// A name that a star import of the module brings in.
    fn star<'n>(&self, module: ModuleId, name: &'n str, depth: usize, choice: &Choice) -> Option<Object<'n>>
    where
        'p: 'n,
        'w: 'n,
    {
        let source = self.star_source(module, name, &mut HashSet::new()).filter(|_| depth > 0)?;
        Some(self.attribute_by(source, name, depth - 1, choice))
    }

    /// The module that a star import of this one takes the name from. None of those seen does.
    fn star_source(&self, module: ModuleId, name: &str, seen: &mut HashSet<ModuleId>) -> Option<ModuleId> {
        let sites = self.graph.files[module.index()].sites.iter().zip(&self.graph.targets[module.index()]);
        let stars = sites.filter(|(site, _)| site.star).filter_map(|(_, target)| *target);
        let mut stars = stars.filter(|target| !target.falls_back).map(|target| target.module);
        stars.find(|target| seen.insert(*target) && self.exports_besides(*target, name, seen))
    }

    /// Whether `from module import *` binds a name.
    pub fn exports(&self, module: ModuleId, name: &str) -> bool {
        self.exports_besides(module, name, &mut HashSet::from([module]))
    }

    fn exports_besides(&self, module: ModuleId, name: &str, seen: &mut HashSet<ModuleId>) -> bool {
        let exports = &self.names.file(module).exports;
        if exports.names.contains(&name) {
            return true;
        }
        if name.starts_with('_') || exports.is_plain() {
            return false;
        }
        let bound = self.names.file(module).bindings(name).iter();
        bound.clone().any(|b| !matches!(b.what, Bound::Declared | Bound::Deleted) && b.moment != Moment::Never)
            || self.star_source(module, name, seen).is_some()
    }

    /// An `import *` that stands behind a place of a module and may bind a name anew.
    pub fn star_over(&self, module: ModuleId, name: &str, place: Span) -> Option<Span> {
        let sites = self.graph.files[module.index()].sites.iter().zip(&self.graph.targets[module.index()]);
        let mut stars = sites.filter(|(site, _)| site.star && site.kind == Kind::Eager && site.at.start > place.end);
        let gives = |target: &Option<Target>| match target {
            Some(target) if !target.falls_back => self.exports(target.module, name),
            _ => !name.starts_with('_'),
        };
        stars.find(|(_, target)| gives(target)).map(|(site, _)| site.at)
    }

    /// Whether a module of the project that `module` takes all names of may give it this one.
    pub fn exports_by_star(&self, module: ModuleId, name: &str) -> bool {
        let sites = self.graph.files[module.index()].sites.iter().zip(&self.graph.targets[module.index()]);
        let stars = sites.filter(|(site, _)| site.star && site.kind == Kind::Eager);
        stars.filter_map(|(_, target)| *target).any(|target| self.exports(target.module, name))
    }

    pub fn trace_reference<'n>(&self, module: ModuleId, scope: ScopeId, reference: &Reference<'n>) -> Trace<'n>
    where
        'p: 'n,
        'w: 'n,
    {
        self.trace(module, scope, reference.name, &reference.attributes)
    }

    pub fn trace_use(&self, module: ModuleId, used: &Use<'p>) -> Trace<'w>
    where
        'p: 'w,
    {
        let attributes: Vec<&str> = used.attributes.iter().map(|a| a.text).collect();
        self.trace(module, used.scope, used.name, &attributes)
    }
}
