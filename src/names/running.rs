//! Which functions may run while some module of the project is imported. Errs on the side of "may".
//!
//! A method runs if its name is called on something that may be an instance, a function if it is called or handed to what
//! may call it. What is only kept, under the name of a variable or attribute, waits until something takes it from there.

mod by_name;
mod classes;
mod decorated;
mod given;
mod hooks;
mod kept;
mod receivers;
mod values;

use std::collections::{BTreeSet, HashMap, HashSet};

use super::evaluated::is_stdlib;
use super::methods::{BUILTIN_METHODS, is_data};
use super::scope::{
    Binding, By, ClassId, FunctionId, Gives, Keeper, MODULE, Moment, Place, Reference, Role, ScopeKind, Use,
    is_asked_for, that_run,
};
use super::{Bound, Object, ScopeId, World};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::syntax::Span;
use classes::{ClassKey, Classes};
use kept::{Handed, Kept, Key, Then, What};

/// Functions that may run at import time.
#[derive(Debug, Default)]
pub struct Running {
    /// With the place that makes each run.
    functions: HashMap<(ModuleId, FunctionId), (ModuleId, Span)>,
}

impl Running {
    /// Follows what runs while one of `roots` is imported.
    pub fn new(world: World, roots: &BTreeSet<ModuleId>) -> Self {
        let mut search = Search {
            world,
            out: Running::default(),
            todo: Vec::new(),
            here: (ModuleId(0), Span::default()),
            keeps: None,
            modules_around: BTreeSet::new(),
            names: BTreeSet::new(),
            read: BTreeSet::new(),
            read_of_itself: BTreeSet::new(),
            callers: HashSet::new(),
            returned: HashSet::new(),
            handed: HashMap::new(),
            handed_to_methods: HashMap::new(),
            kept: Kept::default(),
            results: HashSet::new(),
            has_models: roots.iter().any(|module| {
                let sites = &world.graph.files[module.index()].sites;
                sites.iter().any(|s| {
                    s.kind == Kind::Eager && matches!(s.module.split('.').next(), Some("pydantic" | "sqlmodel"))
                })
            }),
            results_by_name: BTreeSet::new(),
            handed_to_results: HashMap::new(),
            classes: Classes::default(),
            followed: HashSet::new(),
            drives: false,
            asleep: Vec::new(),
            beginnings: BTreeSet::new(),
        };
        for module in roots {
            search.moment(*module, Moment::Import);
        }
        while let Some((module, function)) = search.todo.pop() {
            search.moment(module, Moment::Call(function));
        }
        search.out
    }

    /// The place that calls or hands on a function that may run.
    pub fn because(&self, module: ModuleId, function: FunctionId) -> Option<(ModuleId, Span)> {
        self.functions.get(&(module, function)).copied()
    }

    pub fn may_run(&self, module: ModuleId, function: FunctionId) -> bool {
        self.functions.contains_key(&(module, function))
    }
}

/// Methods of collections that neither give nor call what is in them.
const LEAVING: [&str; 10] =
    ["append", "extend", "insert", "add", "update", "remove", "discard", "clear", "keys", "__contains__"];

/// Methods of collections that give what is in them.
const GIVING: [&str; 8] = ["copy", "get", "items", "pop", "popitem", "popleft", "setdefault", "values"];

/// Classes of the standard library whose instances have attributes of what they are handed, or are classes.
const FORWARDING: [&str; 14] = [
    "ABCMeta",
    "AsyncMock",
    "Enum",
    "EnumMeta",
    "EnumType",
    "Flag",
    "IntEnum",
    "IntFlag",
    "MagicMock",
    "MappingProxyType",
    "Mock",
    "ModuleType",
    "Namespace",
    "SimpleNamespace",
];

/// Whether a function of the standard library gives an instance of a class of its own.
fn is_maker(path: &str) -> bool {
    const MAKERS: [&str; 5] =
        ["collections.defaultdict", "collections.deque", "re.compile", "threading.local", "threading.RLock"];
    MAKERS.contains(&path)
}

struct Search<'w, 'p> {
    world: World<'w, 'p>,
    out: Running,
    todo: Vec<(ModuleId, FunctionId)>,
    /// The use that is being followed.
    here: (ModuleId, Span),
    /// Modules whose objects go around.
    modules_around: BTreeSet<ModuleId>,
    /// What keeps what the call at hand gives.
    keeps: Option<Key<'p>>,
    /// Method names already taken to be called.
    names: BTreeSet<&'p str>,
    /// Attributes that are read of objects that may be of any class.
    read: BTreeSet<&'p str>,
    /// Attributes that methods read of the object that they belong to.
    read_of_itself: BTreeSet<&'p str>,
    /// Parameters that are called or handed on.
    callers: HashSet<(ModuleId, FunctionId, &'p str)>,
    /// Parameters that their function returns.
    returned: HashSet<(ModuleId, FunctionId, &'p str)>,
    /// What was handed to those that are not, so far.
    handed: HashMap<(ModuleId, FunctionId, &'p str), Vec<Handed<'p>>>,
    kept: Kept<'p>,
    /// What was handed to methods of these names.
    handed_to_methods: HashMap<&'p str, Vec<(Place<'p>, Handed<'p>)>>,
    /// Functions whose results are called.
    results: HashSet<(ModuleId, FunctionId)>,
    /// Whether a module may make models of pydantic.
    has_models: bool,
    /// Methods whose results are called, by name; the flag: as `results`, else once.
    results_by_name: BTreeSet<(&'p str, bool)>,
    /// What is handed to what methods of these names return.
    handed_to_results: HashMap<&'p str, Vec<(Place<'p>, Handed<'p>)>>,
    classes: Classes<'p>,
    /// Variables whose values were followed; the flag: as far as they are other names.
    followed: HashSet<(ModuleId, ScopeId, &'p str, bool)>,
    /// Whether something may run coroutines, and those that wait for it.
    drives: bool,
    asleep: Vec<((ModuleId, FunctionId), (ModuleId, Span))>,
    /// Names of methods that are called begin with one of these.
    beginnings: BTreeSet<&'p str>,
}

impl<'w, 'p> Search<'w, 'p> {
    fn run(&mut self, module: ModuleId, function: FunctionId) {
        // A call of it makes a coroutine, and runs nothing.
        if self.world.names.file(module).function(function).is_async && !self.drives {
            self.asleep.push(((module, function), self.here));
            return;
        }
        if !self.out.functions.contains_key(&(module, function)) {
            self.out.functions.insert((module, function), self.here);
            self.todo.push((module, function));
            self.decorators_are_called(module, function);
            if let Some(key) = self.dispatched(module, function) {
                self.taken(key);
            }
        }
    }

    /// All that runs at one moment of a module.
    fn moment(&mut self, module: ModuleId, moment: Moment) {
        let file = self.world.names.file(module);
        if moment == Moment::Import {
            self.imported_names(module);
            if file.dynamic.is_some() {
                self.module_goes_around(module);
            }
        }
        if moment == Moment::Import {
            self.modules_by_literals(module);
        }
        for used in file.uses.iter().filter(|u| u.moment == moment) {
            self.used(module, used);
        }
        for (index, _) in file.accesses.iter().enumerate().filter(|(_, access)| access.moment == moment) {
            self.attribute_by_name(module, index);
        }
        for call in file.method_calls.iter().filter(|call| call.moment == moment) {
            self.here = (module, call.span);
            self.drives_by(call.name);
            self.taken(Key::Attribute(call.name));
            self.touched(Key::Attribute(call.name));
            self.read(call.name);
            if call.of_super {
                self.super_is_called(module, call.scope, call.name);
            } else {
                let path = call.made_by.as_ref().map(|made_by| made_by.path()).unwrap_or_default();
                match self.class_named(module, call.scope, &path) {
                    Some(class) => self.method_of_made(class, call.name),
                    None => self.method(call.name),
                }
            }
        }
        let here = |outer: Option<FunctionId>| match moment {
            Moment::Import => outer.is_none(),
            Moment::Call(function) => outer == Some(function),
            _ => false,
        };
        for (index, _) in file.functions.iter().enumerate().filter(|(_, f)| f.is_lambda && here(f.outer)) {
            self.lambda(module, FunctionId(index as u32));
        }
        let is_decorated = |f: &crate::names::scope::Function| !f.decorators.is_empty() && here(f.outer);
        for (index, _) in file.functions.iter().enumerate().filter(|(_, f)| is_decorated(f)) {
            self.function_is_decorated(module, FunctionId(index as u32));
        }
        for (index, _) in file.classes.iter().enumerate().filter(|(_, c)| here(c.outer)) {
            self.class_is_created(module, ClassId(index as u32));
        }
    }

    /// A name is used that may be one of what runs coroutines: `asyncio.run`, `loop.run_until_complete`, `coroutine.send`.
    fn drives_by(&mut self, name: &str) {
        if self.drives || !may_drive(name) {
            return;
        }
        self.drives = true;
        for ((module, function), here) in std::mem::take(&mut self.asleep) {
            self.here = here;
            self.run(module, function);
        }
    }

    /// Names taken from modules that do not bind them, or that may be asked of them before the submodule of that name is loaded.
    fn imported_names(&mut self, module: ModuleId) {
        let (graph, project) = (self.world.graph, self.world.project());
        for (index, site) in graph.files[module.index()].sites.iter().enumerate() {
            let (Some(target), Kind::Eager) = (graph.targets[module.index()][index], site.kind) else { continue };
            let asked = match site.name {
                Some(_) if target.is_module => {
                    let this = project.module(target.module);
                    this.name.rsplit_once('.').and_then(|(package, _)| project.tree.find(package, this.root))
                }
                Some(name) => {
                    let file = self.world.names.file(target.module);
                    // Python asks a module that is no package for its `__path__`, too.
                    let for_path = file.answers_all && !project.module(target.module).is_package;
                    (file.at_run_time(name).is_empty() || for_path).then_some(target.module)
                }
                None if site.star => {
                    self.world.names.file(target.module).at_run_time("__all__").is_empty().then_some(target.module)
                }
                None => None,
            };
            if let Some(asked) = asked.filter(|asked| *asked != module) {
                self.here = (module, site.at);
                self.getattr(asked);
            }
        }
    }

    fn used(&mut self, module: ModuleId, used: &Use<'p>) {
        if matches!(used.role, Role::Annotation(_) | Role::Quoted(_) | Role::Delete) {
            return;
        }
        let attributes = used.attributes_text();
        self.here = (module, used.span);
        self.all_is_given(module, used);
        self.namespace_is_read(module, used, &attributes);
        if let [of @ .., "__subclasses__"] = attributes.as_slice() {
            let of = Reference { name: used.name, attributes: of.to_vec() };
            self.subclasses_are_asked(module, used.scope, &of);
        }
        self.looked_at(module, used, &attributes);
        if used.role == Role::Store || attributes.last().is_some_and(|attribute| is_data(attribute)) {
            return;
        }
        if let (Role::Load, Some(Keeper::Local)) = (used.role, used.kept) {
            return;
        }
        // Whatever the call makes of it is called.
        if let (Role::Argument, Some(argument)) = (used.role, &used.argument)
            && argument.gives == Gives::Called
            && self
                .receivers_of_argument(module, used.scope, argument)
                .is_some_and(|receivers| receivers.functions.is_empty() && receivers.keepers.is_empty())
        {
            return self.reach(module, used.scope, used.name, &attributes, Role::Argument);
        }
        if let (Role::Argument, Some(keeper)) = (used.role, used.kept) {
            let value = self.handed(module, used, attributes);
            match (keeper, &used.argument) {
                (Keeper::Attribute(name), Some(to)) if to.callee.name == "property" => self.property(name, value),
                (keeper, _) => match self.key(module, used.scope, keeper) {
                    Some(key) => self.keep(key, value),
                    None => self.reach(module, used.scope, used.name, &used.attributes_text(), Role::Argument),
                },
            }
            return;
        }
        if let (Role::Argument, Some(argument)) = (used.role, &used.argument)
            && let Some(receivers) = self.receivers_of_argument(module, used.scope, argument)
        {
            // Handed to functions of the project, it runs if they call what they are handed.
            let then = match used.moment {
                Moment::Call(function) if argument.gives == Gives::Returned => Then::Returned(function),
                _ => Then::Anything,
            };
            let value = Handed { then, ..self.handed(module, used, attributes) };
            self.hand_to(receivers, argument.place, value);
            return;
        }
        if let (Role::Argument, Some(argument)) = (used.role, &used.argument)
            && let [method] = argument.callee.attributes.as_slice()
            && !matches!(argument.by, By::Result | By::Item)
            && let Some(own) = self.method_of_local(module, used.scope, argument.callee.name, method)
        {
            let value = self.handed(module, used, attributes);
            self.hand_to_methods(method, own, argument.place, value);
            return;
        }
        if let (Role::Argument, Some(argument)) = (used.role, &used.argument)
            && argument.by != By::Result
            && let Some(key) = self.collection(module, used.scope, &argument.callee)
        {
            self.keep(key, self.handed(module, used, attributes));
            return;
        }
        let leaves = attributes.last().is_some_and(|method| LEAVING.contains(method)) && !used.twice;
        match (used.role, used.kept.and_then(|keeper| self.key(module, used.scope, keeper))) {
            (Role::Called, _) if leaves => {
                self.reach(module, used.scope, used.name, &attributes, Role::Load);
                let of_itself = matches!(used.name, "self" | "cls") && attributes.len() == 1;
                let bindings = |owner| self.world.names.file(module).scope(owner).bindings.get(used.name);
                let builtin =
                    |owner| bindings(owner).is_some_and(|all| all.iter().all(|b| self.is_of_python(module, owner, b)));
                let known = of_itself || attributes.len() == 1 && used.owner.is_some_and(builtin);
                if let Some(method) = attributes.last().filter(|_| used.owner != Some(MODULE) && !known) {
                    self.method(method);
                }
            }
            (Role::Load | Role::Inspected, Some(key)) => {
                self.keep(key, self.handed(module, used, attributes));
            }
            // A function of its own is called by whoever calls the result; a class may be instantiated by anyone.
            (Role::Returned, _) => {
                if !self.returns_parameter(module, used) {
                    // What stands in the function is called by whoever calls the result; what does not, by anyone.
                    let own = used.owner.is_some_and(|owner| owner != MODULE) && attributes.is_empty();
                    let role = if own { Role::Load } else { Role::Argument };
                    self.reach(module, used.scope, used.name, &attributes, role);
                }
            }
            (role, kept) => {
                self.keeps = kept;
                self.reach(module, used.scope, used.name, &attributes, role);
                self.keeps = None;
                if used.twice {
                    self.result_of(module, used.scope, used.name, &attributes, false);
                }
            }
        }
    }

    /// A use as a value on its way.
    fn handed(&self, module: ModuleId, used: &Use<'p>, attributes: Vec<&'p str>) -> Handed<'p> {
        let what = What::Name { scope: used.scope, name: used.name, attributes };
        Handed { module, what, here: self.here, then: Then::Anything }
    }

    /// What a use does with the object itself, whatever its role: attributes that it reads of something unknown, and, where
    /// the object as a whole is used, the operators that may be applied to it.
    fn looked_at(&mut self, module: ModuleId, used: &Use<'p>, attributes: &[&'p str]) {
        let file = self.world.names.file(module);
        let local = file.owner(used.name, used.scope).filter(|owner| *owner != MODULE);
        let mut variable = None;
        let unknown = match (local, self.world.trace(module, used.scope, used.name, attributes).object) {
            (Some(_), Object::Unknown) => attributes.len(),
            (_, Object::Attribute { module: home, name: found, rest }) => {
                let bindings = self.world.names.file(home).scope(MODULE).bindings.get_key_value(found);
                if let ([], Some((name, _))) = (rest.as_slice(), bindings) {
                    variable = Some(Key::Variable(home, name));
                }
                // Nothing of the project is read of what Python made itself.
                let builtin = |(_, all): (_, &Vec<Binding>)| all.iter().all(|b| b.builtin);
                rest.len() - usize::from(rest.len() == 1 && bindings.is_some_and(builtin))
            }
            (_, Object::Module(module)) => {
                self.module_goes_around(module);
                self.functions_of_module(module);
                0
            }
            (_, Object::External(path)) => {
                if !is_stdlib(&path) || path.starts_with("asyncio.") {
                    self.drives_by(path.rsplit('.').next().unwrap_or_default());
                }
                if ["copy.", "pickle.", "cloudpickle.", "dill."].iter().any(|package| path.starts_with(package)) {
                    self.objects_are_copied();
                }
                0
            }
            (None, Object::Unknown) => attributes.len(),
        };
        if !matches!(used.role, Role::Inspected | Role::Store)
            && unknown > 0
            && let Some(last) = attributes.last()
        {
            self.drives_by(last);
        }
        self.collection_is_read(module, used, attributes);
        let itself = local.filter(|_| unknown == attributes.len());
        let mut read = &attributes[attributes.len() - unknown..];
        if let (Some(class), [first, rest @ ..]) =
            (itself.and_then(|owner| self.itself(module, owner, used.name)), read)
        {
            self.read_of_itself(class, first);
            read = rest;
        }
        for attribute in read {
            self.read(attribute);
        }
        match (attributes.last(), variable) {
            // Where an attribute is set, its value is not looked at.
            (Some(_), _) if used.role == Role::Store && !used.item => {}
            (_, Some(variable)) => match self.other_name(module, used) {
                Some(other) => self.also_known_as(variable, other),
                None => self.touched(variable),
            },
            (Some(last), None) => self.touched(Key::Attribute(last)),
            (None, None) => {
                if let Some(owner) = local {
                    self.instance_is_used(module, owner, used);
                }
            }
        }
    }

    /// The variable of a module that a use makes another name for what it names: `run = _run`.
    fn other_name(&self, module: ModuleId, used: &Use<'p>) -> Option<Key<'p>> {
        let (Role::Load, Some(Keeper::Variable(name)), []) = (used.role, used.kept, used.attributes.as_slice()) else {
            return None;
        };
        let is_it = |b: &Binding<'p>| b.plain && b.from.first().is_some_and(|from| from.path() == [used.name]);
        let bindings = self.world.names.file(module).at_run_time(name);
        (name != used.name && bindings.iter().any(is_it)).then_some(Key::Variable(module, name))
    }

    /// What a collection holds comes out of it by one of its methods, its keys also by a loop over it.
    fn collection_is_read(&mut self, module: ModuleId, used: &Use<'p>, attributes: &[&'p str]) {
        if used.role == Role::Inspected || used.role == Role::Store {
            return;
        }
        let name = match attributes {
            [] => used.name,
            [.., last] if !BUILTIN_METHODS.contains(last) => last,
            [of @ .., method] => {
                let of = of.last().copied();
                if !LEAVING.contains(method) {
                    match of {
                        Some(attribute) => self.taken(Key::Attribute(attribute)),
                        None => {
                            if let Some(key) = self.variable(module, used.scope, used.name) {
                                self.taken(key);
                            }
                        }
                    }
                }
                if matches!(*method, "get" | "pop" | "setdefault" | "values") {
                    return;
                }
                of.unwrap_or(used.name)
            }
        };
        if !used.item {
            self.taken(Key::Keys(name));
        }
    }

    fn reach(&mut self, module: ModuleId, mut scope: ScopeId, name: &'p str, attributes: &[&'p str], role: Role) {
        let invoked = matches!(role, Role::Called | Role::Decorator | Role::Argument);
        let file = self.world.names.file(module);
        // A local name: a nested function, or a value that came from elsewhere.
        if let Some(owner) = file.owner(name, scope)
            && owner != MODULE
        {
            self.local(module, scope, owner, name, attributes, role);
            // `Row = Row` in a class is that of the module.
            if !matches!(file.scope(owner).kind, ScopeKind::Class(_)) || file.at_run_time(name).is_empty() {
                return;
            }
            scope = MODULE;
        }
        for home in self.defined_too(module, name) {
            self.attribute(home, name.to_owned(), attributes, role, invoked);
        }
        for trace in self.world.traces(module, scope, name, attributes) {
            match trace.object {
                Object::Attribute { module: home, name, rest } => {
                    let rest: Vec<&'p str> = attributes[attributes.len() - rest.len()..].to_vec();
                    self.attribute(home, name.to_owned(), &rest, role, invoked);
                }
                Object::External(_) | Object::Module(_) => {}
                Object::Unknown => {
                    if let (Some(last), false) = (attributes.last(), role == Role::Inspected) {
                        self.taken(Key::Attribute(last));
                    }
                    if let (true, Some(method)) = (invoked, attributes.last()) {
                        self.method(method);
                    }
                }
            }
        }
    }

    /// `import_module("m").f()`, `sys.modules["m"].f()`.
    fn modules_by_literals(&mut self, module: ModuleId) {
        let file = self.world.names.file(module);
        let read = file.literal_reads.iter().map(|(name, _, span)| (name, span));
        let root = self.world.project().module(module).root;
        for (name, span) in read.chain(file.literal_escapes.iter().map(|(name, span)| (name, span))) {
            if let Some(found) = self.world.project().tree.find(name, root) {
                self.here = (module, *span);
                self.module_goes_around(found);
                self.functions_of_module(found);
            }
        }
    }

    /// The object of a module goes around: `for m in [a, b]: m.setup()`.
    fn functions_of_module(&mut self, module: ModuleId) {
        if self.modules_around.insert(module) {
            let names: Vec<&'p str> = self.names.iter().copied().collect();
            names.into_iter().for_each(|name| self.function_of_module(module, name));
        }
    }

    /// A name is called that may be one of a module whose object goes around.
    fn function_of_module(&mut self, module: ModuleId, name: &str) {
        if !self.world.names.file(module).at_run_time(name).is_empty() {
            self.attribute(module, name.to_owned(), &[], Role::Called, true);
        }
    }

    /// The modules that may define a name themselves which an import binds, too: `try: from x import f`, `except …: def f()`.
    fn defined_too(&self, module: ModuleId, name: &str) -> Vec<ModuleId> {
        let mixed = |home: ModuleId| {
            let bindings = self.world.names.file(home).at_run_time(name);
            let imported = |b: &Binding| matches!(b.what, Bound::Import(_));
            that_run(bindings).any(imported) && !that_run(bindings).all(imported)
        };
        let targets = &self.world.graph.targets[module.index()];
        let sites = &self.world.graph.files[module.index()].sites;
        let bindings = self.world.names.file(module).at_run_time(name).iter();
        let imports = bindings.filter_map(|b| if let Bound::Import(site) = b.what { Some(site) } else { None });
        let of_same_name = imports.filter(|site| sites.get(*site).is_some_and(|s| s.name == Some(name)));
        let from = of_same_name.filter_map(|site| targets.get(site).copied().flatten()).filter(|t| !t.is_module);
        std::iter::once(module).chain(from.map(|target| target.module)).filter(|home| mixed(*home)).collect()
    }

    fn local(
        &mut self,
        module: ModuleId,
        scope: ScopeId,
        owner: ScopeId,
        name: &'p str,
        attributes: &[&'p str],
        role: Role,
    ) {
        let invoked = matches!(role, Role::Called | Role::Decorator | Role::Argument);
        if let (Some(last), false) = (attributes.last(), role == Role::Inspected) {
            self.taken(Key::Attribute(last));
        }
        let file = self.world.names.file(module);
        for binding in &file.scope(owner).bindings[name] {
            match binding.what {
                Bound::Function(function) if invoked && attributes.is_empty() => self.run(module, function),
                Bound::Class(class) => self.class_is_used(module, class, role, attributes),
                // Called, handed on, or put somewhere from where it may be called.
                Bound::Parameter if role != Role::Inspected && attributes.is_empty() => {
                    self.uses_parameter(module, scope, owner, name)
                }
                // What it holds comes out of it.
                Bound::Parameter if matches!(attributes, [method] if GIVING.contains(method)) => {
                    self.uses_parameter(module, scope, owner, name);
                }
                // Another name for something else.
                Bound::Value if binding.plain && role != Role::Inspected && attributes.is_empty() => {
                    self.values_are_called(module, owner, name, true);
                }
                Bound::Value if invoked && attributes.is_empty() => {
                    self.values_are_called(module, owner, name, false);
                }
                Bound::Import(_) => {
                    for trace in self.world.traces(module, owner, name, attributes) {
                        let Object::Attribute { module: home, name, rest } = trace.object else { continue };
                        let rest: Vec<&'p str> = attributes[attributes.len() - rest.len()..].to_vec();
                        self.attribute(home, name.to_owned(), &rest, Role::Called, invoked);
                    }
                    return;
                }
                _ => {}
            }
        }
        let of_method = matches!(name, "self" | "cls");
        if let (Some(first), true) = (attributes.first(), of_method && role != Role::Inspected) {
            // A method of the object at hand.
            if let Some(class) = self.itself(module, owner, name) {
                self.own_is_asked(class, first, true);
            } else {
                self.method(first);
                for (home, function) in self.method_of_own_class(module, owner, first).unwrap_or_default() {
                    self.run(home, function);
                }
            }
        }
        let of_python = |b: &Binding<'p>| self.is_of_python(module, owner, b);
        let builtin = attributes.len() == 1 && file.scope(owner).bindings[name].iter().all(of_python);
        if let (Some(last), true) = (attributes.last(), invoked && (!of_method || attributes.len() > 1) && !builtin) {
            self.method(last);
        }
    }

    fn attribute(&mut self, home: ModuleId, name: String, rest: &[&'p str], role: Role, invoked: bool) {
        let file = self.world.names.file(home);
        let Some((name, _)) = file.scope(MODULE).bindings.get_key_value(name.as_str()) else {
            if is_asked_for(&name) {
                self.getattr(home);
            }
            return;
        };
        let name = *name;
        let bindings = file.at_run_time(name);
        if role != Role::Inspected {
            self.taken(rest.last().map_or(Key::Variable(home, name), |last| Key::Attribute(last)));
        }
        for binding in bindings {
            match binding.what {
                // `f.register(…)` or `@x.setter` do not call what they belong to.
                Bound::Function(function) if invoked && rest.is_empty() => self.run(home, function),
                Bound::Class(class) => {
                    if role == Role::Base {
                        self.class_is_extended(home, class);
                    } else {
                        self.class_is_used(home, class, role, rest);
                    }
                }
                Bound::Value => {
                    if let Some(method) =
                        rest.last().filter(|_| rest.len() > 1 || !self.is_of_python(home, MODULE, binding))
                    {
                        let class = binding.call.as_ref().and_then(|call| self.class_called(home, call));
                        match class.filter(|_| rest.len() == 1) {
                            Some(class) => self.method_of_made(class, method),
                            None => self.method(method),
                        }
                    }
                    if invoked {
                        self.values_are_called(home, MODULE, name, false);
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether what is bound is of a type of Python's own, or of a class of its standard library.
    fn is_of_python(&self, module: ModuleId, scope: ScopeId, binding: &Binding<'p>) -> bool {
        let is_class = |path: &str| {
            let name = path.rsplit('.').next().unwrap_or_default();
            is_stdlib(path) && (name.starts_with(char::is_uppercase) && !FORWARDING.contains(&name) || is_maker(path))
        };
        let of_library = |call: &Reference<'p>| match self.world.trace_reference(module, scope, call).object {
            Object::External(path) => is_class(&path),
            _ => false,
        };
        binding.builtin || binding.what == Bound::Value && binding.call.as_ref().is_some_and(of_library)
    }

    /// A name that the module does not bind is asked of its `__getattr__` (PEP 562).
    fn getattr(&mut self, module: ModuleId) {
        for binding in self.world.names.file(module).at_run_time("__getattr__") {
            if let Bound::Function(function) = binding.what {
                self.run(module, function);
            }
        }
    }

    /// A decorated function is called: so is what its decorators made of it.
    fn decorators_are_called(&mut self, module: ModuleId, function: FunctionId) {
        let file = self.world.names.file(module);
        let found = file.function(function);
        for path in &found.decorators {
            if let Some((first, rest)) = path.split_first() {
                self.result_of(module, MODULE, first, rest, true);
            }
        }
    }

    /// An attribute is read or set: a decorated method of that name, e.g. a property, may run, or a descriptor.
    fn read(&mut self, name: &'p str) {
        if self.read.insert(name) {
            for (module, function) in self.classes.live(name) {
                if self.runs_when_read(module, function) {
                    self.run(module, function);
                }
            }
            self.descriptors_run(name);
            self.properties_run(name);
        }
    }

    /// The same of the object that a method belongs to.
    fn read_of_itself(&mut self, class: ClassKey, name: &'p str) {
        self.own_is_asked(class, name, false);
        if self.read_of_itself.insert(name) {
            self.descriptors_run(name);
            self.properties_run(name);
        }
    }

    /// Whether an attribute of this name is read of any object.
    fn is_read(&self, name: &str) -> bool {
        self.read.contains(name) || self.read_of_itself.contains(name)
    }

    /// Whether a decorator may make reading the method run it.
    fn runs_when_read(&self, module: ModuleId, function: FunctionId) -> bool {
        let found = self.world.names.file(module).function(function);
        let mut decorators = found.decorators.iter().zip(&found.factories);
        self.is_decorated(module, function)
            && !decorators.all(|(path, by_call)| {
                keeps_methods(path) || self.gives_functions(module, found.parent, path, *by_call)
            })
    }

    /// Whether a decorator may make something else of a method.
    fn is_decorated(&self, module: ModuleId, function: FunctionId) -> bool {
        !self.world.names.file(module).function(function).decorators.iter().all(|path| keeps_methods(path))
    }

    /// A method of some object, which may be of any class of the project.
    fn method(&mut self, name: &'p str) {
        if self.names.insert(name) {
            for (module, function) in self.classes.live(name) {
                self.run(module, function);
            }
            for module in self.modules_around.clone() {
                self.function_of_module(module, name);
            }
        }
    }
}

/// Whether a name is one of what runs coroutines, by its words.
fn may_drive(name: &str) -> bool {
    const WORDS: [&str; 9] = ["asend", "athrow", "await", "drive", "portal", "run", "send", "syncify", "throw"];
    // What begins with a capital is a class or a constant.
    let is_function = !name.starts_with(char::is_uppercase);
    let mut words = name.split('_');
    name == "AsyncToSync"
        || is_function && ((name == "sync" || name.ends_with("_sync")) || words.any(|word| WORDS.contains(&word)))
}

/// Whether reading a method that is decorated so gives the method, and runs nothing.
fn keeps_methods(decorator: &[&str]) -> bool {
    matches!(
        decorator.last(),
        Some(
            &"staticmethod"
                | &"classmethod"
                | &"abstractmethod"
                | &"overload"
                | &"override"
                | &"final"
                | &"contextmanager"
                | &"asynccontextmanager"
                | &"lru_cache"
                | &"cache"
        )
    )
}
