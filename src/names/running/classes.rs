//! Classes that are made, extended and instantiated, and which of their methods that runs.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::names::methods::{is_copying, is_descriptor, is_of_making, is_operator};

/// A class of the project.
pub(super) type ClassKey = (ModuleId, ClassId);
/// A class and what it inherits from.
type Order = Rc<[ClassKey]>;

#[derive(Default)]
pub(super) struct Classes<'p> {
    /// Methods of the classes of which an instance may exist, by name.
    live: HashMap<&'p str, Vec<(ModuleId, FunctionId)>>,
    /// The same in one.
    live_methods: HashSet<(ModuleId, FunctionId, &'p str)>,
    /// Classes whose methods are among these: those of instances, and what they inherit from.
    known: HashSet<ClassKey>,
    /// Classes of which an instance may exist.
    made: HashSet<ClassKey>,
    /// These by what they inherit from, each class by itself, too.
    pub(super) below: HashMap<ClassKey, Vec<ClassKey>>,
    /// Classes with an instance that may be anywhere, so that operators may be applied to it.
    loose: HashSet<ClassKey>,
    /// Classes whose methods use the object that they belong to as a whole.
    used_by_itself: HashSet<ClassKey>,
    /// Classes of which a class holds an instance under a name.
    held: HashMap<&'p str, Vec<ClassKey>>,
    /// Methods that methods of a class call on `super()`.
    supers: HashMap<ClassKey, BTreeSet<&'p str>>,
    /// What methods of a class ask of the object that they belong to; the flag: it may be called, not only read.
    asked: HashMap<ClassKey, BTreeSet<(&'p str, bool)>>,
    /// What the names of attributes begin with that are asked of instances of a class, or of the class.
    pub(super) asked_somehow: HashMap<ClassKey, BTreeSet<&'p str>>,
    /// All that are made while modules are imported.
    pub(super) created: Vec<ClassKey>,
    /// Classes that are asked for those below them, and whether some class is that cannot be told.
    pub(super) asked_for_subclasses: HashSet<ClassKey>,
    pub(super) all_asked_for_subclasses: bool,
    /// Whether something copies objects.
    copies: bool,
    /// Classes that functions get as arguments.
    handed: HashSet<ClassKey>,
    /// Methods that are taken out of their class, so that what they are called on may be of any.
    loose_methods: HashSet<(ModuleId, FunctionId)>,
    orders: RefCell<HashMap<ClassKey, Order>>,
    /// Metaclasses already taken to run.
    pub(super) metaclasses: HashSet<ClassKey>,
    /// Classes already taken to be extended.
    pub(super) extended: HashSet<ClassKey>,
}

impl<'p> Classes<'p> {
    pub(super) fn live_names(&self) -> BTreeSet<&'p str> {
        self.live.keys().copied().collect()
    }

    pub(super) fn live(&self, name: &str) -> Vec<(ModuleId, FunctionId)> {
        self.live.get(name).cloned().unwrap_or_default()
    }
}

impl<'p> Search<'_, 'p> {
    /// Who gets what a class is called with: its `__init__`, if all its bases are known and neither a metaclass nor `__new__`
    /// might do otherwise, or its fields.
    pub(super) fn initializers(&self, module: ModuleId, class: ClassId) -> Option<receivers::Receivers<'p>> {
        let order = self.linear((module, class));
        let mut fields: Vec<kept::Key<'p>> = Vec::new();
        let mut has_fields = false;
        for &(home, base) in order.iter() {
            let file = self.world.names.file(home);
            let found = file.class(base);
            let makes_fields = |path: &Vec<&str>| {
                matches!(path.last(), Some(&"dataclass" | &"define" | &"frozen" | &"attrs" | &"NamedTuple"))
            };
            let plain = |path: &Vec<&str>| {
                matches!(path.as_slice(), ["object"] | [.., "Generic" | "Protocol" | "ABC"]) || makes_fields(path)
            };
            let is_record = found.decorators.iter().chain(&found.bases).any(makes_fields);
            let known = self.bases(home, base).len() + found.bases.iter().filter(|b| plain(b)).count();
            if known != found.bases.len()
                || found.metaclass.is_some()
                || found.methods.contains_key("__new__")
                || !found.decorators.iter().all(makes_fields)
            {
                return None;
            }
            if let Some(own) = found.methods.get("__init__") {
                let functions = own.iter().map(|f| (home, *f)).collect();
                return (!has_fields).then(|| receivers::Receivers::functions(functions));
            }
            if is_record {
                has_fields = true;
                fields.extend(file.scope(found.scope).bindings.keys().map(|name| kept::Key::Attribute(name)));
            }
        }
        has_fields.then_some(receivers::Receivers { keepers: fields, ..receivers::Receivers::functions(Vec::new()) })
    }

    /// A method that a class has or inherits, if reading it gives just that.
    pub(super) fn method_of(&self, class: ClassKey, name: &str) -> Option<Vec<(ModuleId, FunctionId)>> {
        self.first_method(class, name).filter(|found| !found.iter().any(|(home, f)| self.is_decorated(*home, *f)))
    }

    /// The method of that name that a class has or inherits, in whatever way it is decorated.
    fn first_method(&self, class: ClassKey, name: &str) -> Option<Vec<(ModuleId, FunctionId)>> {
        self.linear(class).iter().find_map(|(home, base)| {
            let found = self.world.names.file(*home).class(*base).methods.get(name)?;
            Some(found.iter().map(|f| (*home, *f)).collect())
        })
    }

    /// Whether what a call of the class gives may be of another class.
    pub(super) fn makes_others(&self, class: ClassKey) -> bool {
        self.linear(class).iter().any(|(home, base)| {
            let found = self.world.names.file(*home).class(*base);
            found.metaclass.is_some() || found.methods.contains_key("__new__")
        })
    }

    /// A method of what a call of a class gives.
    pub(super) fn method_of_made(&mut self, class: ClassKey, method: &'p str) {
        let scopes = self.linear(class);
        let asks_others = |(home, base): &ClassKey| {
            let file = self.world.names.file(*home);
            let bindings = &file.scope(file.class(*base).scope).bindings;
            ["__getattr__", "__getattribute__"].iter().any(|hook| bindings.contains_key(hook))
        };
        match self.first_method(class, method) {
            _ if self.makes_others(class) => self.method(method),
            Some(found) => found.into_iter().for_each(|(home, function)| self.run(home, function)),
            None if scopes.iter().any(asks_others) => self.method(method),
            // Its other attributes are followed by their names.
            None => {}
        }
    }

    pub(super) fn class_is_used(&mut self, module: ModuleId, class: ClassId, role: Role, attributes: &[&'p str]) {
        let invoked = matches!(role, Role::Called | Role::Decorator | Role::Argument);
        match attributes {
            [data, ..] if is_data(data) => {}
            [method, rest @ ..] => {
                let mut is_method = false;
                for &(home, base) in self.linear((module, class)).iter() {
                    let methods = self.world.names.file(home).class(base).methods.get(method);
                    let Some(methods) = methods else { continue };
                    is_method = true;
                    for function in methods {
                        if rest.is_empty() && role != Role::Called {
                            self.method_is_loose(home, *function);
                        }
                        // `C.method.attribute` does not call the method.
                        if rest.is_empty() || self.runs_when_read(home, *function) {
                            self.run(home, *function);
                        }
                    }
                    break;
                }
                if let (Some(last), true) = (rest.last(), invoked) {
                    self.method(last);
                }
                if invoked && (is_method || role != Role::Argument) {
                    // e.g. `C.create()`, which may make an instance.
                    self.class_is_instantiated(module, class);
                }
            }
            [] if invoked => self.class_is_instantiated(module, class),
            [] => {}
        }
    }

    /// An instance may exist: what makes it runs, every method of a name that is called on something unknown, and, where more
    /// than one name leads to it, its operators.
    pub(super) fn class_is_instantiated(&mut self, module: ModuleId, class: ClassId) {
        let keeps = self.keeps.take();
        let this = (module, class);
        if self.classes.made.insert(this) {
            let order = self.linear(this);
            let mut seen = HashSet::new();
            for (home, base) in order.iter() {
                self.methods_are_live(*home, *base);
                let found = self.world.names.file(*home).class(*base);
                for (name, functions) in &found.methods {
                    if is_of_making(name) && seen.insert(*name) {
                        functions.iter().for_each(|f| self.run(*home, *f));
                    }
                }
                self.fields_are_filled(*home, *base);
                // A metaclass's `__call__` makes the instance.
                if let Some(path) = &found.metaclass
                    && let Some((home, metaclass)) = self.class_of(*home, *base, path)
                {
                    self.metaclass_runs(home, metaclass);
                }
            }
            for (at, class) in order.iter().enumerate() {
                for method in self.classes.supers.get(class).cloned().unwrap_or_default() {
                    self.method_runs(&order[at + 1..], method);
                }
            }
            for class in order.iter() {
                self.classes.below.entry(*class).or_default().push(this);
                for begins in self.classes.asked_somehow.get(class).cloned().unwrap_or_default() {
                    self.somehow_asked(this, begins);
                }
                for (name, called) in self.classes.asked.get(class).cloned().unwrap_or_default() {
                    self.is_asked(&order, name, called);
                }
            }
            self.library_has_instance(this);
            self.instance_of_handed(&order);
            if order.iter().any(|class| self.classes.used_by_itself.contains(class)) {
                self.loosen(this);
            }
        }
        match keeps {
            Some(key) => {
                self.keep_instance(key, this);
                if let kept::Key::Attribute(name) = key {
                    self.classes.held.entry(name).or_default().push(this);
                    if self.is_read(name) {
                        self.descriptor_runs(this);
                    }
                }
            }
            None => self.loosen(this),
        }
    }

    /// A function gets a class, and may set methods of it.
    pub(super) fn class_is_handed(&mut self, class: ClassKey) {
        if self.classes.handed.insert(class) && self.classes.below.contains_key(&class) {
            self.special_methods_run();
        }
    }

    fn instance_of_handed(&mut self, order: &[ClassKey]) {
        if order.iter().any(|class| self.classes.handed.contains(class)) {
            self.special_methods_run();
        }
    }

    /// What a record's fields are made by runs when an instance is made: `x: list = field(default_factory=…)`.
    fn fields_are_filled(&mut self, module: ModuleId, class: ClassId) {
        let file = self.world.names.file(module);
        let scope = file.class(class).scope;
        let by_field = |callee: &Reference| callee.path().last() == Some(&"field");
        for (index, lambda) in file.functions.iter().enumerate() {
            if lambda.is_lambda
                && lambda.parent == scope
                && lambda.argument.as_ref().is_some_and(|a| by_field(&a.callee))
            {
                self.run(module, FunctionId(index as u32));
            }
        }
        for used in file.uses.iter().filter(|u| u.scope == scope && u.passed_to().is_some_and(by_field)) {
            let attributes: Vec<&'p str> = used.attributes.iter().map(|a| a.text).collect();
            self.reach(module, scope, used.name, &attributes, Role::Called);
        }
    }

    pub(super) fn methods_are_live(&mut self, module: ModuleId, class: ClassId) {
        if !self.classes.known.insert((module, class)) {
            return;
        }
        for (name, functions) in &self.world.names.file(module).class(class).methods {
            functions.iter().for_each(|function| self.method_is_live(name, (module, *function)));
        }
    }

    /// The methods that need no instance may be called.
    pub(super) fn class_methods_are_live(&mut self, module: ModuleId, class: ClassId) {
        if self.classes.known.contains(&(module, class)) {
            return;
        }
        let file = self.world.names.file(module);
        let of_class = |path: &Vec<&str>| matches!(path.last(), Some(&"classmethod" | &"staticmethod"));
        for (name, functions) in &file.class(class).methods {
            for function in functions.iter().filter(|f| file.function(**f).decorators.iter().any(of_class)) {
                self.method_is_live(name, (module, *function));
            }
        }
    }

    fn method_is_live(&mut self, name: &'p str, (module, function): (ModuleId, FunctionId)) {
        if !self.classes.live_methods.insert((module, function, name)) {
            return;
        }
        self.classes.live.entry(name).or_default().push((module, function));
        for (place, value) in self.handed_to_methods.get(name).cloned().unwrap_or_default() {
            self.hand_to(receivers::Receivers::functions(vec![(module, function)]), place, value);
        }
        self.result_by_name(name, (module, function));
        let read = self.read.contains(name) && self.runs_when_read(module, function);
        let begins = || self.beginnings.iter().any(|beginning| name.starts_with(beginning));
        if read || self.names.contains(name) || begins() {
            self.run(module, function);
        }
    }

    /// An instance may be anywhere: operators may be applied to it.
    pub(super) fn loosen(&mut self, class: ClassKey) {
        if self.classes.loose.insert(class) {
            self.run_special(class, |name| is_operator(name) || is_descriptor(name));
            if self.classes.copies {
                self.run_special(class, is_copying);
            }
        }
    }

    /// Something copies or pickles objects.
    pub(super) fn objects_are_copied(&mut self) {
        if !std::mem::replace(&mut self.classes.copies, true) {
            for class in self.classes.loose.iter().copied().collect::<BTreeSet<_>>() {
                self.run_special(class, is_copying);
            }
        }
    }

    /// The special methods that an instance of a class has, as far as `which` takes them.
    fn run_special(&mut self, class: ClassKey, which: fn(&str) -> bool) {
        let mut seen = HashSet::new();
        for &(home, base) in self.linear(class).iter() {
            for (name, functions) in &self.world.names.file(home).class(base).methods {
                if which(name) && seen.insert(*name) {
                    functions.iter().for_each(|f| self.run(home, *f));
                }
            }
        }
    }

    /// A local name is used as a whole. If it is the object that a method belongs to, operators may be applied to that.
    pub(super) fn instance_is_used(&mut self, module: ModuleId, owner: ScopeId, used: &Use<'p>) {
        let file = self.world.names.file(module);
        let mut at = Some(owner);
        while let Some(scope) = at {
            if let ScopeKind::Function(function) = file.scope(scope).kind {
                let found = file.function(function);
                let (Some(class), Some(first)) = (found.class, found.params.first()) else { return };
                let made_here = found.name == "__new__";
                let itself = used.name == *first && owner == scope;
                // In `__new__`, the object is what the class made.
                let from = |b: &Binding| b.from.iter().any(|r| r.name == *first);
                let made = used.role != Role::Returned && file.scope(owner).bindings[used.name].iter().any(from);
                if itself && !made_here || made_here && made {
                    self.instances_are_loose((module, class));
                }
                return;
            }
            at = file.scope(scope).parent;
        }
    }

    /// `super().method()` runs the next one of that name, in whatever class the object is of.
    pub(super) fn super_is_called(&mut self, module: ModuleId, scope: ScopeId, method: &'p str) {
        let Some(class) = self.class_around(module, scope) else { return self.method(method) };
        let this = (module, class);
        if !self.classes.supers.entry(this).or_default().insert(method) {
            return;
        }
        let own = self.linear(this);
        self.method_runs(&own[1..], method);
        for below in self.classes.below.get(&this).cloned().unwrap_or_default() {
            let order = self.linear(below);
            if let Some(at) = order.iter().position(|class| *class == this) {
                self.method_runs(&order[at + 1..], method);
            }
        }
    }

    /// The first of these classes that has the method runs it.
    fn method_runs(&mut self, classes: &[ClassKey], method: &str) {
        for (home, base) in classes {
            if let Some(found) = self.world.names.file(*home).class(*base).methods.get(method) {
                return found.iter().for_each(|f| self.run(*home, *f));
            }
        }
    }

    /// The class whose instance a local name is, for sure: that of the method around it.
    pub(super) fn itself(&self, module: ModuleId, owner: ScopeId, name: &str) -> Option<ClassKey> {
        let file = self.world.names.file(module);
        let (ScopeKind::Function(function), "self") = (file.scope(owner).kind, name) else { return None };
        let found = file.function(function);
        let is_first = found.params.first() == Some(&name) && file.scope(owner).bindings[name].len() == 1;
        let class = (module, found.class.filter(|_| is_first)?);
        let is_static = found.decorators.iter().any(|path| path.as_slice() == ["staticmethod"]);
        let free = is_static || self.classes.loose_methods.contains(&(module, function));
        (!free && self.linear(class).iter().all(|class| self.asks_itself_first(*class))).then_some(class)
    }

    /// Whether an attribute of an instance is looked for in the class and what it inherits from before it is asked of others.
    fn asks_itself_first(&self, (module, class): ClassKey) -> bool {
        let found = self.world.names.file(module).class(class);
        let is_meta = |path: &Vec<&str>| path.last().is_some_and(|last| *last == "type" || last.ends_with("Meta"));
        !found.methods.contains_key("__getattribute__") && !found.bases.iter().any(is_meta)
    }

    /// A method reads an attribute of the object that it belongs to, which may be of any class below.
    pub(super) fn own_is_asked(&mut self, class: ClassKey, name: &'p str, called: bool) {
        if !self.classes.asked.entry(class).or_default().insert((name, called)) {
            return;
        }
        let own = self.linear(class);
        self.is_asked(&own, name, called);
        for below in self.classes.below.get(&class).cloned().unwrap_or_default() {
            let order = self.linear(below);
            self.is_asked(&order, name, called);
        }
    }

    /// An instance of a class with these bases is asked for an attribute. What it has not it may ask others for.
    fn is_asked(&mut self, order: &[ClassKey], name: &'p str, called: bool) {
        let methods = |class: &ClassKey| &self.world.names.file(class.0).class(class.1).methods;
        let has = |name| order.iter().any(|class| methods(class).contains_key(name));
        let by_itself = order.iter().all(|class| self.asks_itself_first(*class));
        if by_itself && (has(name) || !has("__getattr__")) {
            self.first_runs(order, name, called);
        } else if called {
            self.method(name);
        } else {
            self.read(name);
        }
    }

    /// The first of these classes that has the method runs it, if that is called or runs when it is read.
    fn first_runs(&mut self, order: &[ClassKey], name: &str, called: bool) {
        for (home, base) in order {
            if let Some(found) = self.world.names.file(*home).class(*base).methods.get(name) {
                for function in found {
                    if called || self.runs_when_read(*home, *function) {
                        self.run(*home, *function);
                    }
                }
                return;
            }
        }
    }

    /// A method is taken out of its class: it may be called on anything.
    fn method_is_loose(&mut self, module: ModuleId, function: FunctionId) {
        if !self.classes.loose_methods.insert((module, function)) {
            return;
        }
        let file = self.world.names.file(module);
        let is_of_it = |used: &&Use<'p>| used.name == "self" && file.runs_in(function, used.moment);
        for first in file.uses.iter().filter(is_of_it).filter_map(|used| used.attributes.first()) {
            self.method(first.text);
            self.read(first.text);
        }
    }

    fn class_around(&self, module: ModuleId, scope: ScopeId) -> Option<ClassId> {
        let file = self.world.names.file(module);
        let mut at = Some(scope);
        loop {
            let scope = file.scope(at?);
            match scope.kind {
                ScopeKind::Class(class) => return Some(class),
                _ => at = scope.parent,
            }
        }
    }

    /// The method that `super()` gives in the class around a scope, as far as its own bases go. `None`: it cannot be told.
    pub(super) fn method_above(
        &self,
        module: ModuleId,
        scope: ScopeId,
        method: &str,
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        let class = self.class_around(module, scope)?;
        for &(home, base) in self.linear((module, class)).iter() {
            let found = self.world.names.file(home).class(base);
            if let (Some(functions), true) = (found.methods.get(method), (home, base) != (module, class)) {
                return Some(functions.iter().map(|f| (home, *f)).collect());
            }
            let plain = |path: &&Vec<&str>| {
                matches!(path.as_slice(), ["object" | "property" | "dict" | "list" | "set" | "type"])
                    || matches!(path.as_slice(), [.., "Generic" | "Protocol" | "ABC"])
            };
            if self.bases(home, base).len() + found.bases.iter().filter(plain).count() != found.bases.len() {
                return None;
            }
        }
        // That of `object`.
        Some(Vec::new())
    }

    /// As [`Search::first_method`], for the class around a scope.
    pub(super) fn method_of_own_class(
        &self,
        module: ModuleId,
        scope: ScopeId,
        method: &str,
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        self.first_method((module, self.class_around(module, scope)?), method)
    }

    /// A method of what a local name stands for, if its class is known: that of the object at hand, or of a parameter with an
    /// annotation.
    pub(super) fn method_of_local(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &str,
        method: &str,
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        if let "self" | "cls" = name {
            return self.method_of_own_class(module, scope, method);
        }
        let file = self.world.names.file(module);
        let owner = file.owner(name, scope)?;
        let (ScopeKind::Function(function), [binding]) =
            (file.scope(owner).kind, file.scope(owner).bindings[name].as_slice())
        else {
            return None;
        };
        let found = file.function(function);
        let (_, class) = found.types.iter().find(|(param, _)| *param == name && binding.what == Bound::Parameter)?;
        let Object::Attribute { module: home, name, rest } =
            self.world.trace_reference(module, found.parent, class).object
        else {
            return None;
        };
        let [only] = self.world.names.file(home).at_run_time(name) else { return None };
        let Bound::Class(class) = only.what else { return None };
        let is_protocol = |path: &Vec<&str>| path.last() == Some(&"Protocol");
        let real = rest.is_empty() && !self.world.names.file(home).class(class).bases.iter().any(is_protocol);
        real.then(|| self.method_of((home, class), method)).flatten()
    }

    fn instances_are_loose(&mut self, class: ClassKey) {
        if self.classes.used_by_itself.insert(class) {
            let below = self.classes.below.get(&class).cloned().unwrap_or_default();
            below.into_iter().for_each(|m| self.loosen(m));
        }
    }

    /// An attribute of this name is read or set.
    pub(super) fn descriptors_run(&mut self, name: &'p str) {
        for class in self.classes.held.get(name).cloned().unwrap_or_default() {
            self.descriptor_runs(class);
        }
    }

    fn descriptor_runs(&mut self, class: ClassKey) {
        self.run_special(class, is_descriptor);
    }

    /// A class and all that it inherits from, in the order in which attributes are looked up.
    pub(super) fn linear(&self, class: ClassKey) -> Order {
        if let Some(known) = self.classes.orders.borrow().get(&class) {
            return known.clone();
        }
        let mut order = Vec::new();
        self.add_to_order(class, &mut Vec::new(), &mut order);
        let order: Order = order.into();
        self.classes.orders.borrow_mut().insert(class, order.clone());
        order
    }

    fn add_to_order(&self, class: ClassKey, below: &mut Vec<ClassKey>, order: &mut Vec<ClassKey>) {
        if below.contains(&class) {
            return;
        }
        below.push(class);
        // A class that several inherit from comes behind them all.
        order.retain(|c| *c != class);
        order.push(class);
        for base in self.bases(class.0, class.1) {
            self.add_to_order(base, below, order);
        }
        below.pop();
    }

    pub(super) fn bases(&self, module: ModuleId, class: ClassId) -> Vec<ClassKey> {
        let paths = &self.world.names.file(module).class(class).bases;
        paths.iter().filter_map(|path| self.class_of(module, class, path)).collect()
    }

    pub(super) fn class_of(&self, module: ModuleId, near: ClassId, path: &[&'p str]) -> Option<ClassKey> {
        self.class_named(module, self.world.names.file(module).class(near).parent, path)
    }

    /// The class of the project that a dotted name stands for.
    pub(super) fn class_named(&self, module: ModuleId, scope: ScopeId, path: &[&'p str]) -> Option<ClassKey> {
        let first = path.first()?;
        let file = self.world.names.file(module);
        if let Some(owner) = file.owner(first, scope)
            && !matches!(file.scope(owner).kind, ScopeKind::Module)
        {
            return None;
        }
        // An import may bind the name, too: `try: from x import C`, `except …: class C`.
        let own =
            file.at_run_time(first).iter().find_map(|b| if let Bound::Class(c) = b.what { Some(c) } else { None });
        if let (Some(class), 1) = (own, path.len()) {
            return Some((module, class));
        }
        let Object::Attribute { module: home, name, rest } = self.world.trace(module, scope, first, &path[1..]).object
        else {
            return None;
        };
        if !rest.is_empty() {
            return None;
        }
        self.world.names.file(home).at_run_time(name).iter().find_map(|b| match b.what {
            Bound::Class(class) => Some((home, class)),
            _ => None,
        })
    }
}
