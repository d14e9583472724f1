//! What runs when a class is made: hooks of what it inherits from, of its metaclass and of its decorators, and what they do with
//! the class.

use super::classes::ClassKey;
use super::receivers::Receivers;
use super::*;
use crate::names::evaluated::is_stdlib;

/// Methods that Python calls with the class alone.
const ASKED_OF_CLASSES: [&str; 2] = ["__class_getitem__", "__subclasshook__"];

/// Methods by which pydantic asks the class of a field how to validate it, when a model is made.
const ASKED_BY_MODELS: [&str; 4] =
    ["__get_validators__", "__modify_schema__", "__get_pydantic_core_schema__", "__get_pydantic_json_schema__"];

/// Methods of a base that run when a class is made from it.
const OF_BASES: [&str; 4] = ["__init_subclass__", "__pydantic_init_subclass__", "__class_getitem__", "__mro_entries__"];

/// Methods of an enumeration that run while its members are made.
const OF_MEMBERS: [&str; 2] = ["_generate_next_value_", "_missing_"];

/// Whether a class of the standard library calls methods that classes below it define, other than special ones.
fn calls_methods(path: &str) -> bool {
    const HARMLESS: [&str; 18] = [
        "abc",
        "typing",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "ipaddress",
        "numbers",
        "pathlib",
        "types",
        "uuid",
        "weakref",
        "unittest",
        "warnings",
    ];
    let (package, name) = (path.split('.').next().unwrap_or_default(), path.rsplit('.').next().unwrap_or_default());
    let is_error = ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
    !HARMLESS.contains(&package) && !is_error
}

/// Where a class goes from the `__new__` that makes it.
enum Onward<'p> {
    Kept(Key<'p>),
    Handed(Receivers<'p>, Place<'p>),
    Anywhere,
}

impl<'p> Search<'_, 'p> {
    /// Making a class runs hooks of its bases, of its metaclass, and of the descriptors in its body.
    pub(super) fn class_is_created(&mut self, module: ModuleId, class: ClassId) {
        self.class_is_decorated(module, class);
        for (home, base) in self.bases(module, class) {
            self.class_is_extended(home, base);
        }
        self.own_metaclass_runs(module, class);
        self.methods_run(module, class, &ASKED_OF_CLASSES);
        if self.has_models {
            self.methods_run(module, class, &ASKED_BY_MODELS);
        }
        self.hooks_get_class((module, class));
        self.classes.created.push((module, class));
        if self.is_among_subclasses((module, class)) {
            self.class_is_instantiated(module, class);
        }
        if self.is_enumeration((module, class)) {
            self.here = (module, self.world.names.file(module).class(class).span);
            self.class_is_instantiated(module, class);
            // A loop over the class gives all members.
            let file = self.world.names.file(module);
            for name in file.scope(file.class(class).scope).bindings.keys() {
                self.taken(Key::Attribute(name));
            }
            for (home, base) in self.linear((module, class)).iter() {
                self.methods_run(*home, *base, &OF_MEMBERS);
            }
        }
    }

    /// A class is asked for those that inherit from it, which may then be called.
    pub(super) fn subclasses_are_asked(&mut self, module: ModuleId, scope: ScopeId, of: &Reference<'p>) {
        let classes = self.classes_behind(module, scope, of, 3);
        let created = self.classes.created.clone();
        if classes.is_empty() && !std::mem::replace(&mut self.classes.all_asked_for_subclasses, true) {
            for below in created.iter().filter(|below| self.linear(**below).len() > 1).copied().collect::<Vec<_>>() {
                self.class_is_instantiated(below.0, below.1);
            }
        }
        for class in classes {
            if self.classes.asked_for_subclasses.insert(class) {
                for below in &created {
                    if self.linear(*below)[1..].contains(&class) {
                        self.class_is_instantiated(below.0, below.1);
                    }
                }
            }
        }
    }

    fn is_among_subclasses(&self, class: ClassKey) -> bool {
        let above = &self.linear(class)[1..];
        self.classes.all_asked_for_subclasses && !above.is_empty()
            || above.iter().any(|base| self.classes.asked_for_subclasses.contains(base))
    }

    /// An instance exists of a class that inherits from one of the standard library, which may call any of its methods.
    pub(super) fn library_has_instance(&mut self, class: ClassKey) {
        let order = self.linear(class);
        if order
            .iter()
            .any(|class| self.extends(*class, |path| !path.starts_with("typing") && !path.starts_with("abc.")))
        {
            // What it inherits may apply operators to it.
            self.loosen(class);
        }
        if !order.iter().any(|class| self.extends(*class, calls_methods)) {
            return;
        }
        for (home, base) in order.iter() {
            for (name, functions) in &self.world.names.file(*home).class(*base).methods {
                if !name.starts_with("__") {
                    functions.iter().for_each(|function| self.run(*home, *function));
                }
            }
        }
    }

    /// Whether a class of the standard library is among the bases that `which` takes.
    fn extends(&self, (module, class): ClassKey, which: fn(&str) -> bool) -> bool {
        let found = self.world.names.file(module).class(class);
        found.bases.iter().any(|path| {
            let Some((first, rest)) = path.split_first() else { return false };
            match self.world.trace(module, found.parent, first, rest).object {
                Object::External(path) => is_stdlib(&path) && which(&path),
                _ => false,
            }
        })
    }

    fn methods_run(&mut self, module: ModuleId, class: ClassId, names: &[&str]) {
        let methods = &self.world.names.file(module).class(class).methods;
        for function in names.iter().filter_map(|name| methods.get(name)).flatten() {
            self.run(module, *function);
        }
    }

    /// Whether the members of a class are made with it.
    fn is_enumeration(&self, class: ClassKey) -> bool {
        let is = |path: &Vec<&str>| {
            matches!(path.last(), Some(&"Enum" | &"IntEnum" | &"StrEnum" | &"ReprEnum" | &"Flag" | &"IntFlag"))
        };
        self.linear(class).iter().any(|(home, base)| self.world.names.file(*home).class(*base).bases.iter().any(is))
    }

    /// `__init_subclass__` and the metaclass get the new class, and may call it, keep it or hand it on.
    fn hooks_get_class(&mut self, class: ClassKey) {
        let order = self.linear(class);
        let mut hooks = Vec::new();
        let mut metaclasses = Vec::new();
        for (at, &(home, base)) in order.iter().enumerate() {
            let file = self.world.names.file(home);
            let found = file.class(base);
            let extended = found.methods.get("__init_subclass__").filter(|_| at > 0);
            hooks.extend(extended.into_iter().flatten().map(|f| (home, *f)));
            let metaclass = found.metaclass.as_ref().and_then(|path| self.class_of(home, base, path));
            metaclasses.extend(metaclass.iter().flat_map(|metaclass| self.linear(*metaclass).to_vec()));
        }
        let mut onwards = Vec::new();
        for (home, metaclass) in &metaclasses {
            for (name, functions) in &self.world.names.file(*home).class(*metaclass).methods {
                if *name == "__new__" {
                    onwards.extend(functions.iter().flat_map(|f| self.what_it_does_with_the_class(*home, *f)));
                } else if *name != "__prepare__" {
                    hooks.extend(functions.iter().map(|f| (*home, *f)));
                }
            }
        }
        if hooks.is_empty() && metaclasses.is_empty() {
            return;
        }
        let (module, id) = class;
        let found = self.world.names.file(module).class(id);
        self.here = (module, found.span);
        for &(home, base) in order.iter() {
            self.class_methods_are_live(home, base);
        }
        let value = Handed { then: Then::Anything, ..self.defined(module, found.parent, found.name, found.span) };
        for (home, hook) in hooks {
            if let Some(first) = self.world.names.file(home).function(hook).params.first() {
                self.hand_to_param((home, hook), first, value.clone());
            }
        }
        for onward in onwards {
            match onward {
                Onward::Kept(key) => self.keep(key, value.clone()),
                Onward::Handed(receivers, place) => self.hand_to(receivers, place, value.clone()),
                Onward::Anywhere => self.class_is_instantiated(module, id),
            }
        }
    }

    /// What a `__new__` does with what it returns.
    fn what_it_does_with_the_class(&self, module: ModuleId, function: FunctionId) -> Vec<Onward<'p>> {
        let file = self.world.names.file(module);
        let scope = file.function(function).scope;
        let own = || file.uses.iter().filter(move |used| used.owner == Some(scope) && used.attributes.is_empty());
        let returned: BTreeSet<&str> = own().filter(|u| u.role == Role::Returned).map(|u| u.name).collect();
        let made = own().filter(|used| {
            returned.contains(used.name) && file.scope(scope).bindings[used.name].iter().any(|b| b.what == Bound::Value)
        });
        let onward = |used: &Use<'p>| match (used.role, used.kept) {
            (Role::Argument, _) => {
                let argument = used.argument.as_ref();
                let receivers = argument.and_then(|to| self.receivers_of_argument(module, used.scope, to));
                Some(receivers.zip(argument).map_or(Onward::Anywhere, |(r, to)| Onward::Handed(r, to.place)))
            }
            (Role::Called, _) => Some(Onward::Anywhere),
            (Role::Load, Some(keeper)) => {
                Some(self.key(module, used.scope, keeper).map_or(Onward::Anywhere, Onward::Kept))
            }
            _ => None,
        };
        made.filter_map(onward).collect()
    }

    fn own_metaclass_runs(&mut self, module: ModuleId, class: ClassId) {
        let metaclass = self.world.names.file(module).class(class).metaclass.as_ref();
        if let Some((home, metaclass)) = metaclass.and_then(|path| self.class_of(module, class, path)) {
            self.metaclass_runs(home, metaclass);
        }
    }

    pub(super) fn metaclass_runs(&mut self, module: ModuleId, class: ClassId) {
        if !self.classes.metaclasses.insert((module, class)) {
            return;
        }
        let methods: Vec<FunctionId> =
            self.world.names.file(module).class(class).methods.values().flatten().copied().collect();
        methods.into_iter().for_each(|m| self.run(module, m));
        for (home, base) in self.bases(module, class) {
            self.metaclass_runs(home, base);
        }
    }

    pub(super) fn class_is_extended(&mut self, module: ModuleId, class: ClassId) {
        if !self.classes.extended.insert((module, class)) {
            return;
        }
        self.methods_run(module, class, &OF_BASES);
        self.own_metaclass_runs(module, class);
        for (home, base) in self.bases(module, class) {
            self.class_is_extended(home, base);
        }
    }
}
