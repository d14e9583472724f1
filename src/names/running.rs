//! Which functions may run while some module of the project is imported. Errs on the side of "may".

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::scope::{ClassId, FunctionId, MODULE, Moment, Role, ScopeKind, Use};
use super::{Bound, Object, ScopeId, World};
use crate::project::ModuleId;

/// Functions that may run at import time.
#[derive(Debug, Default)]
pub struct Running {
    functions: HashSet<(ModuleId, FunctionId)>,
}

impl Running {
    pub fn new(world: World) -> Self {
        let mut search = Search {
            world,
            methods: HashMap::new(),
            out: Running::default(),
            classes: HashSet::new(),
            todo: Vec::new(),
            names: BTreeSet::new(),
            extended: HashSet::new(),
            values: HashSet::new(),
        };
        search.index_methods();
        for (module, _) in world.project().modules() {
            search.moment(module, Moment::Import);
        }
        while let Some((module, function)) = search.todo.pop() {
            search.function(module, function);
        }
        search.out
    }

    pub fn may_run(&self, module: ModuleId, function: FunctionId) -> bool {
        self.functions.contains(&(module, function))
    }
}

struct Search<'w, 'p> {
    world: World<'w, 'p>,
    /// Methods by name, over the project.
    methods: HashMap<&'p str, Vec<(ModuleId, FunctionId)>>,
    out: Running,
    /// Classes of which an instance may exist.
    classes: HashSet<(ModuleId, ClassId)>,
    todo: Vec<(ModuleId, FunctionId)>,
    /// Method names already taken to be called.
    names: BTreeSet<&'p str>,
    /// Classes already taken to be extended.
    extended: HashSet<(ModuleId, ClassId)>,
    /// Values already followed.
    values: HashSet<(ModuleId, &'p str)>,
}

/// Methods of builtin types, which a call on an unknown value nearly always means.
const BUILTIN_METHODS: [&str; 60] = [
    "append", "extend", "insert", "remove", "pop", "clear", "index", "count", "sort", "reverse", "copy", "get", "items",
    "keys", "values", "update", "setdefault", "popitem", "add", "discard", "union", "intersection", "difference", "join",
    "split", "rsplit", "strip", "lstrip", "rstrip", "format", "replace", "startswith", "endswith", "lower", "upper",
    "encode", "decode", "title", "find", "rfind", "partition", "rpartition", "splitlines", "zfill", "isdigit", "group",
    "match", "search", "sub", "compile", "read", "write", "close", "readline", "readlines", "flush", "fileno", "tell",
    "seek", "capitalize",
];

impl<'w, 'p> Search<'w, 'p> {
    fn index_methods(&mut self) {
        let mut methods: BTreeMap<&'p str, Vec<(ModuleId, FunctionId)>> = BTreeMap::new();
        for (module, _) in self.world.project().modules() {
            for class in &self.world.names.file(module).classes {
                for (name, functions) in &class.methods {
                    methods.entry(name).or_default().extend(functions.iter().map(|f| (module, *f)));
                }
            }
        }
        self.methods = methods.into_iter().collect();
    }

    fn run(&mut self, module: ModuleId, function: FunctionId) {
        if self.out.functions.insert((module, function)) {
            self.todo.push((module, function));
        }
    }

    fn function(&mut self, module: ModuleId, function: FunctionId) {
        self.moment(module, Moment::Call(function));
        // What it defines may be called where it is handed to, which is not followed.
        let file = self.world.names.file(module);
        for (index, inner) in file.functions.iter().enumerate() {
            if inner.outer == Some(function) {
                self.run(module, FunctionId(index as u32));
            }
        }
    }

    /// All that runs at one moment of a module.
    fn moment(&mut self, module: ModuleId, moment: Moment) {
        let file = self.world.names.file(module);
        for used in file.uses.iter().filter(|u| u.moment == moment) {
            self.used(module, used);
        }
        for (method, _) in file.method_calls.iter().filter(|(_, m)| *m == moment) {
            self.method(method);
        }
        // A lambda may be called by whatever it is handed to.
        for (index, function) in file.functions.iter().enumerate() {
            let here = match moment {
                Moment::Import => function.outer.is_none(),
                Moment::Call(outer) => function.outer == Some(outer),
                _ => false,
            };
            if here && function.is_lambda {
                self.run(module, FunctionId(index as u32));
            }
        }
        for (index, class) in file.classes.iter().enumerate() {
            let here = match moment {
                Moment::Import => class.outer.is_none(),
                Moment::Call(outer) => class.outer == Some(outer),
                _ => false,
            };
            if here {
                self.class_is_created(module, ClassId(index as u32));
            }
        }
    }

    fn used(&mut self, module: ModuleId, used: &Use<'p>) {
        if matches!(used.role, Role::Annotation(_) | Role::Quoted(_) | Role::Delete) {
            return;
        }
        let attributes: Vec<&'p str> = used.attributes.iter().map(|a| a.text).collect();
        self.reach(module, used.scope, used.name, &attributes, used.role);
    }

    fn reach(&mut self, module: ModuleId, scope: ScopeId, name: &'p str, attributes: &[&'p str], role: Role) {
        let invoked = matches!(role, Role::Called | Role::Decorator | Role::Argument);
        let file = self.world.names.file(module);
        // A local name: a nested function, or a value that came from elsewhere.
        if let Some(owner) = file.owner(name, scope)
            && owner != MODULE
        {
            self.local(module, owner, name, attributes, invoked);
            return;
        }
        match self.world.trace(module, scope, name, attributes).object {
            Object::Attribute { module: home, name, rest } => {
                let rest: Vec<&'p str> = attributes[attributes.len() - rest.len()..].to_vec();
                self.attribute(home, name.to_owned(), &rest, role, invoked);
            }
            Object::External(_) | Object::Module(_) => {}
            Object::Unknown => {
                if let (true, Some(method)) = (invoked, attributes.last()) {
                    self.method(method);
                }
            }
        }
    }

    fn local(&mut self, module: ModuleId, owner: ScopeId, name: &'p str, attributes: &[&'p str], invoked: bool) {
        let file = self.world.names.file(module);
        for binding in &file.scope(owner).bindings[name] {
            match binding.what {
                Bound::Function(function) if invoked => self.run(module, function),
                Bound::Class(class) => self.class_is_used(module, class, invoked, attributes),
                Bound::Import(_) => {
                    if let Object::Attribute { module: home, name, rest } =
                        self.world.trace(module, owner, name, attributes).object
                    {
                        let rest: Vec<&'p str> = attributes[attributes.len() - rest.len()..].to_vec();
                        self.attribute(home, name.to_owned(), &rest, Role::Called, invoked);
                    }
                    return;
                }
                _ => {}
            }
        }
        if name == "self" || name == "cls" {
            // A method or property of the object at hand.
            attributes.iter().for_each(|a| self.own_method(a));
        } else if let (true, Some(method)) = (invoked, attributes.last()) {
            self.method(method);
        }
    }

    fn attribute(&mut self, home: ModuleId, name: String, rest: &[&'p str], role: Role, invoked: bool) {
        let file = self.world.names.file(home);
        let Some((name, bindings)) = file.scope(MODULE).bindings.get_key_value(name.as_str()) else { return };
        let (name, bindings) = (*name, bindings.clone());
        for binding in bindings {
            match binding.what {
                Bound::Function(function) if invoked => self.run(home, function),
                Bound::Class(class) => {
                    if role == Role::Base {
                        self.class_is_extended(home, class);
                    } else {
                        self.class_is_used(home, class, invoked, rest);
                    }
                }
                Bound::Value if invoked => {
                    if let Some(method) = rest.last() {
                        self.method(method);
                    }
                    if self.values.insert((home, name)) {
                        for reference in &binding.from {
                            self.reach(home, MODULE, reference.name, &reference.attributes, Role::Called);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// A method of some object, which may be of any class of the project.
    fn method(&mut self, name: &'p str) {
        if BUILTIN_METHODS.contains(&name) {
            return;
        }
        self.own_method(name);
    }

    fn own_method(&mut self, name: &'p str) {
        if !self.names.insert(name) {
            return;
        }
        for (module, function) in self.methods.get(name).cloned().unwrap_or_default() {
            self.run(module, function);
        }
    }

    fn class_is_used(&mut self, module: ModuleId, class: ClassId, invoked: bool, attributes: &[&'p str]) {
        match attributes.first() {
            Some(method) => {
                let methods = self.world.names.file(module).class(class).methods.get(method).cloned();
                match methods {
                    Some(methods) => methods.into_iter().for_each(|m| self.run(module, m)),
                    None => self.own_method(method),
                }
            }
            None if invoked => self.class_is_instantiated(module, class),
            None => {}
        }
    }

    fn class_is_instantiated(&mut self, module: ModuleId, class: ClassId) {
        if !self.classes.insert((module, class)) {
            return;
        }
        let methods: Vec<FunctionId> = {
            let class = self.world.names.file(module).class(class);
            let special = class.methods.iter().filter(|(n, _)| n.starts_with("__") && n.ends_with("__") && **n != "__del__");
            special.flat_map(|(_, f)| f.iter().copied()).collect()
        };
        methods.into_iter().for_each(|m| self.run(module, m));
        for (home, base) in self.bases(module, class) {
            self.class_is_instantiated(home, base);
        }
    }

    /// Making a class runs hooks of its bases, of its metaclass, and of the descriptors in its body.
    fn class_is_created(&mut self, module: ModuleId, class: ClassId) {
        for (home, base) in self.bases(module, class) {
            self.class_is_extended(home, base);
        }
        let metaclass = self.world.names.file(module).class(class).metaclass.clone();
        if let Some(path) = metaclass
            && let Some((home, metaclass)) = self.class_of(module, class, &path)
        {
            self.metaclass_runs(home, metaclass);
        }
    }

    fn metaclass_runs(&mut self, module: ModuleId, class: ClassId) {
        let methods: Vec<FunctionId> =
            self.world.names.file(module).class(class).methods.values().flatten().copied().collect();
        methods.into_iter().for_each(|m| self.run(module, m));
        for (home, base) in self.bases(module, class) {
            self.metaclass_runs(home, base);
        }
    }

    fn class_is_extended(&mut self, module: ModuleId, class: ClassId) {
        for hook in ["__init_subclass__", "__class_getitem__", "__mro_entries__"] {
            let methods = self.world.names.file(module).class(class).methods.get(hook).cloned().unwrap_or_default();
            methods.into_iter().for_each(|m| self.run(module, m));
        }
        let metaclass = self.world.names.file(module).class(class).metaclass.clone();
        if let Some(path) = metaclass
            && let Some((home, metaclass)) = self.class_of(module, class, &path)
        {
            self.metaclass_runs(home, metaclass);
        }
        for (home, base) in self.bases(module, class) {
            if (home, base) != (module, class) {
                self.class_is_extended_once(home, base);
            }
        }
    }

    fn class_is_extended_once(&mut self, module: ModuleId, class: ClassId) {
        if self.extended.insert((module, class)) {
            self.class_is_extended(module, class);
        }
    }

    fn bases(&self, module: ModuleId, class: ClassId) -> Vec<(ModuleId, ClassId)> {
        let paths = &self.world.names.file(module).class(class).bases;
        paths.iter().filter_map(|path| self.class_of(module, class, path)).collect()
    }

    fn class_of(&self, module: ModuleId, near: ClassId, path: &[&'p str]) -> Option<(ModuleId, ClassId)> {
        let scope = self.world.names.file(module).class(near).parent;
        let first = path.first()?;
        let file = self.world.names.file(module);
        if let Some(owner) = file.owner(first, scope)
            && !matches!(file.scope(owner).kind, ScopeKind::Module)
        {
            return None;
        }
        let Object::Attribute { module: home, name, rest } = self.world.trace(module, scope, first, &path[1..]).object
        else {
            return None;
        };
        if !rest.is_empty() {
            return None;
        }
        self.world.names.file(home).bindings(name).iter().find_map(|b| match b.what {
            Bound::Class(class) => Some((home, class)),
            _ => None,
        })
    }
}
