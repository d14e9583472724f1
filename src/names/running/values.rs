//! Values on their way: what is handed to functions, kept under names, or made by other functions.

use super::classes::ClassKey;
use super::*;
use crate::names::evaluated::is_stdlib;
use crate::names::methods::{is_data, is_special};
use crate::names::scope::{Argument, Binding, By, Gift};

/// A value that may be called later, and where it was handed on.
#[derive(Clone)]
pub(super) struct Handed<'p> {
    pub module: ModuleId,
    pub what: What<'p>,
    pub here: (ModuleId, Span),
    pub then: Then,
}

/// What becomes of what a function gives that something is handed to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The function decorates it: it takes its name.
    Named,
    /// This function gives it in turn.
    Returned(FunctionId),
    Anything,
}

#[derive(Clone)]
pub(super) enum What<'p> {
    Name {
        scope: ScopeId,
        name: &'p str,
        attributes: Vec<&'p str>,
    },
    Lambda(FunctionId),
    /// What an access by a computed name gives; its index in the file.
    AnyAttribute(usize),
}

/// Values in the variables of modules and under the names of attributes; of which object an attribute is does not matter.
#[derive(Default)]
pub(super) struct Kept<'p> {
    /// What is called or goes on.
    taken: Shelf<'p, Handed<'p>>,
    /// What is looked at in any way.
    touched: Shelf<'p, ClassKey>,
    /// What is read of an object: a property calls what it was made from.
    pub properties: HashMap<&'p str, Vec<Handed<'p>>>,
    /// Special methods that functions set on what they are handed, until an instance of such a class is made.
    special: Vec<Handed<'p>>,
    special_run: bool,
}

/// A variable of a module, or an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'p> {
    Variable(ModuleId, &'p str),
    Attribute(&'p str),
    /// The keys of a collection of this name.
    Keys(&'p str),
    /// What is registered with a function of `functools.singledispatch`.
    Dispatched(ModuleId, FunctionId, &'p str),
    /// A special method of what a function was handed.
    Special(&'p str),
}

impl<'p> Key<'p> {
    fn name(self) -> &'p str {
        let (Self::Variable(_, name)
        | Self::Attribute(name)
        | Self::Keys(name)
        | Self::Dispatched(_, _, name)
        | Self::Special(name)) = self;
        name
    }
}

/// Values that wait until something opens what they are kept under. An attribute may be a variable of a module whose object goes
/// around.
struct Shelf<'p, V> {
    open: HashSet<Key<'p>>,
    waiting: HashMap<&'p str, Vec<(Key<'p>, V)>>,
    around: HashSet<ModuleId>,
}

impl<V> Default for Shelf<'_, V> {
    fn default() -> Self {
        Self { open: HashSet::new(), waiting: HashMap::new(), around: HashSet::new() }
    }
}

impl<'p, V> Shelf<'p, V> {
    /// Whether opening an attribute opens this, too.
    fn is_attribute(around: &HashSet<ModuleId>, key: Key<'p>) -> bool {
        match key {
            Key::Variable(module, _) => around.contains(&module),
            Key::Attribute(_) => true,
            Key::Keys(_) | Key::Dispatched(..) | Key::Special(_) => false,
        }
    }

    /// Gives the value back if it cannot wait.
    fn put(&mut self, key: Key<'p>, value: V) -> Option<V> {
        let attribute = Key::Attribute(key.name());
        let open = Self::is_attribute(&self.around, key) && self.open.contains(&attribute);
        if open || self.open.contains(&key) {
            return Some(value);
        }
        self.waiting.entry(key.name()).or_default().push((key, value));
        None
    }

    fn open(&mut self, key: Key<'p>) -> Vec<V> {
        let Some(waiting) = self.open.insert(key).then(|| self.waiting.get_mut(key.name())).flatten() else {
            return Vec::new();
        };
        let any = matches!(key, Key::Attribute(_));
        let opens = |other: Key<'p>| other == key || any && Self::is_attribute(&self.around, other);
        waiting.extract_if(.., |(other, _)| opens(*other)).map(|(_, value)| value).collect()
    }

    /// The object of a module goes around: its variables may be read as attributes.
    fn goes_around(&mut self, module: ModuleId) -> Vec<V> {
        if !self.around.insert(module) {
            return Vec::new();
        }
        let open = &self.open;
        let opens = |key: &Key<'p>| matches!(key, Key::Variable(of, name) if *of == module && open.contains(&Key::Attribute(name)));
        let found = self.waiting.values_mut().flat_map(|all| all.extract_if(.., |(key, _)| opens(key)));
        found.map(|(_, value)| value).collect()
    }
}

/// Who gets what is handed to a callee.
pub(super) struct Receivers<'p> {
    pub functions: Vec<(ModuleId, FunctionId)>,
    /// What keeps it.
    pub keepers: Vec<Key<'p>>,
    /// Whether methods get their object as an argument, too: `C.method(object, …)`.
    pub unbound: bool,
    /// How many arguments come before those that are seen: `partial(f, x)`.
    pub shift: usize,
}

impl<'p> Receivers<'p> {
    pub(super) fn functions(functions: Vec<(ModuleId, FunctionId)>) -> Self {
        Self { functions, keepers: Vec::new(), unbound: false, shift: 0 }
    }
}

/// Calls that do not call what they are handed.
const QUIET: [&str; 27] = [
    "functools.partial",
    "functools.wraps",
    "functools.update_wrapper",
    "functools.lru_cache",
    "functools.partialmethod",
    "weakref.ref",
    "weakref.WeakMethod",
    "warnings.warn",
    "collections.namedtuple",
    "contextvars.ContextVar",
    "operator.attrgetter",
    "enum.Enum",
    "dataclasses.field",
    "numpy.vectorize",
    "numpy.frompyfunc",
    "atexit.register",
    "inspect.Signature.from_callable",
    "inspect.getdoc",
    "inspect.getfile",
    "inspect.getfullargspec",
    "inspect.getmodule",
    "inspect.getsource",
    "inspect.isclass",
    "inspect.iscoroutinefunction",
    "inspect.isfunction",
    "inspect.ismethod",
    "inspect.signature",
];

/// Builtins that do not, either; what collections hold is followed by the names that they are made from.
const QUIET_BUILTINS: [&str; 14] = [
    "property",
    "staticmethod",
    "classmethod",
    "setattr",
    "repr",
    "frozenset",
    "set",
    "list",
    "tuple",
    "dict",
    "enumerate",
    "zip",
    "reversed",
    "iter",
];

/// Methods that put what they are handed into a collection.
const PUTTING: [&str; 6] = ["append", "appendleft", "add", "insert", "extend", "update"];

/// How many calls what a function returns is followed through.
const DEPTH: usize = 4;

impl<'p> Search<'_, 'p> {
    /// What a keeper stands for; `None` for names of functions.
    pub(super) fn key(&self, module: ModuleId, scope: ScopeId, keeper: Keeper<'p>) -> Option<Key<'p>> {
        match keeper {
            Keeper::Variable(name) => Some(Key::Variable(module, name)),
            Keeper::Attribute(name) => Some(Key::Attribute(name)),
            Keeper::Special(name, of) => {
                let file = self.world.names.file(module);
                let owner = file.owner(of, scope).filter(|owner| *owner != MODULE);
                let bindings = owner.map(|owner| &file.scope(owner).bindings[of]);
                let handed = bindings.is_some_and(|all| all.iter().all(|b| b.what == Bound::Parameter));
                Some(if handed { Key::Special(name) } else { Key::Attribute(name) })
            }
            Keeper::Item(name) => self.variable(module, scope, name),
            Keeper::ItemKey(name) => Some(Key::Keys(name)),
            Keeper::Local => None,
        }
    }

    /// The variable of a module that a name stands for.
    pub(super) fn variable(&self, module: ModuleId, scope: ScopeId, name: &'p str) -> Option<Key<'p>> {
        let file = self.world.names.file(module);
        if file.owner(name, scope).is_some_and(|owner| owner != MODULE && !self.is_import(module, owner, name)) {
            return None;
        }
        let Object::Attribute { module: home, name, rest } = self.world.trace(module, scope, name, &[]).object else {
            return None;
        };
        let (name, _) = self.world.names.file(home).scope(MODULE).bindings.get_key_value(name)?;
        rest.is_empty().then_some(Key::Variable(home, name))
    }

    fn is_import(&self, module: ModuleId, owner: ScopeId, name: &str) -> bool {
        let bindings = &self.world.names.file(module).scope(owner).bindings[name];
        bindings.iter().all(|b| matches!(b.what, Bound::Import(_)))
    }

    /// The collection that a method puts its argument into: `REGISTRY.append`, `self.hooks.add`.
    pub(super) fn collection(&self, module: ModuleId, scope: ScopeId, callee: &Reference<'p>) -> Option<Key<'p>> {
        match callee.attributes.as_slice() {
            [method] if PUTTING.contains(method) => self.variable(module, scope, callee.name),
            [.., attribute, method] if PUTTING.contains(method) => Some(Key::Attribute(attribute)),
            _ => None,
        }
    }

    pub(super) fn lambda(&mut self, module: ModuleId, lambda: FunctionId) {
        let file = self.world.names.file(module);
        let found = file.function(lambda);
        self.here = (module, found.span);
        let value = Handed { module, what: What::Lambda(lambda), here: self.here, then: Then::Anything };
        let argument = found.argument.as_ref();
        match (found.kept.and_then(|keeper| self.key(module, found.parent, keeper)), argument) {
            (Some(key), Some(argument)) if argument.callee.path() == ["property"] => {
                self.property(key.name(), value);
            }
            (Some(key), _) => self.keep(key, value),
            (None, Some(argument)) => match self.receivers_of_argument(module, found.parent, argument) {
                Some(receivers) => self.hand_to(receivers, argument.place, value),
                None => self.run(module, lambda),
            },
            // It may be called by whatever it goes to.
            (None, None) => self.run(module, lambda),
        }
    }

    pub(super) fn hand_to(&mut self, receivers: Receivers<'p>, place: Place<'p>, value: Handed<'p>) {
        for keeper in receivers.keepers {
            self.keep(keeper, value.clone());
        }
        let place = match place {
            Place::Position(index) => Place::Position(index + receivers.shift),
            other => other,
        };
        for (module, function) in receivers.functions {
            for param in self.params(module, function, place, receivers.unbound) {
                self.hand_to_param((module, function), param, value.clone());
            }
        }
    }

    /// Hands something to a method of an object, whatever class below that of `own` it is of.
    pub(super) fn hand_to_methods(
        &mut self,
        name: &'p str,
        own: Vec<(ModuleId, FunctionId)>,
        place: Place<'p>,
        value: Handed<'p>,
    ) {
        let mut functions = self.classes.live(name);
        functions.extend(own);
        self.hand_to(Receivers::functions(functions), place, value.clone());
        self.handed_to_methods.entry(name).or_default().push((place, value));
    }

    /// The parameters that an argument may become.
    fn params(&self, module: ModuleId, function: FunctionId, place: Place<'p>, unbound: bool) -> Vec<&'p str> {
        let found = self.world.names.file(module).function(function);
        let is = |decorator: &str| found.decorators.iter().any(|path| path.as_slice() == [decorator]);
        let has_object = found.class.is_some() && !is("staticmethod") && (!unbound || is("classmethod"));
        match place {
            Place::Position(index) => {
                let index = index + usize::from(has_object);
                let star = found.stars.first().filter(|star| index >= **star);
                found.params.get(*star.unwrap_or(&index)).into_iter().copied().collect()
            }
            Place::Keyword(name) if found.params.contains(&name) => vec![name],
            Place::Keyword(_) => found.stars.iter().map(|star| found.params[*star]).collect(),
            Place::Unknown => found.params.clone(),
        }
    }

    /// A variable or attribute now holds the value.
    pub(super) fn keep(&mut self, key: Key<'p>, value: Handed<'p>) {
        if let Key::Special(_) = key
            && !self.kept.special_run
        {
            self.kept.special.push(value);
        } else if is_special(key.name()) && !is_data(key.name()) {
            self.hand(&value);
        } else if let Some(value) = self.kept.taken.put(key, value) {
            self.hand(&value);
        }
    }

    /// An instance is made of a class whose special methods a function may have set.
    pub(super) fn special_methods_run(&mut self) {
        self.kept.special_run = true;
        for value in std::mem::take(&mut self.kept.special) {
            self.hand(&value);
        }
    }

    /// What it holds is called, or goes on to where it may be.
    pub(super) fn taken(&mut self, key: Key<'p>) {
        for value in self.kept.taken.open(key) {
            self.hand(&value);
        }
    }

    /// It now holds an instance, to which nothing else leads.
    pub(super) fn keep_instance(&mut self, key: Key<'p>, class: ClassKey) {
        if let Some(class) = self.kept.touched.put(key, class) {
            self.loosen(class);
        }
    }

    /// What it holds is used as a whole: operators may be applied to it here or elsewhere.
    pub(super) fn touched(&mut self, key: Key<'p>) {
        for class in self.kept.touched.open(key) {
            self.loosen(class);
        }
    }

    /// The object of a module is used as a whole.
    pub(super) fn module_goes_around(&mut self, module: ModuleId) {
        for value in self.kept.taken.goes_around(module) {
            self.hand(&value);
        }
        for class in self.kept.touched.goes_around(module) {
            self.loosen(class);
        }
    }

    /// A property of this name calls the value when it is read.
    pub(super) fn property(&mut self, name: &'p str, value: Handed<'p>) {
        if self.is_read(name) {
            self.hand(&value);
        } else {
            self.kept.properties.entry(name).or_default().push(value);
        }
    }

    pub(super) fn properties_run(&mut self, name: &'p str) {
        for value in self.kept.properties.remove(name).unwrap_or_default() {
            self.hand(&value);
        }
    }

    pub(super) fn hand(&mut self, value: &Handed<'p>) {
        let here = std::mem::replace(&mut self.here, value.here);
        let keeps = self.keeps.take();
        match &value.what {
            What::Name { scope, name, attributes } => {
                self.reach(value.module, *scope, name, attributes, Role::Argument);
            }
            What::Lambda(lambda) => self.run(value.module, *lambda),
            What::AnyAttribute(index) => self.any_is_called(value.module, *index),
        }
        (self.here, self.keeps) = (here, keeps);
    }

    /// The functions that get an argument, if that can only be functions of the project, or nothing that calls it.
    pub(super) fn receivers_of_argument(
        &self,
        module: ModuleId,
        scope: ScopeId,
        argument: &Argument<'p>,
    ) -> Option<Receivers<'p>> {
        if argument.by == By::Item {
            return None;
        }
        if argument.by != By::Result {
            return self.receivers(module, scope, &argument.callee);
        }
        // `f(…)(x)` does with `x` what a decorator does.
        if self.is_from_outside(module, scope, &argument.callee) {
            return Some(Receivers::functions(Vec::new()));
        }
        if let Some(class) = self.class_named(module, scope, &argument.callee.path()) {
            return self.called_on(class);
        }
        let made = self.functions_named(module, scope, argument.callee.name, &argument.callee.attributes)?;
        let mut functions = Vec::new();
        for (home, function) in &made {
            functions.extend(self.given(*home, *function)?);
        }
        (!made.is_empty()).then(|| Receivers::functions(functions))
    }

    /// What a call of an instance gets to, if the class makes nothing else.
    fn called_on(&self, class: ClassKey) -> Option<Receivers<'p>> {
        let found = self.method_of(class, "__call__").filter(|_| !self.makes_others(class))?;
        Some(Receivers::functions(found))
    }

    /// What gets the arguments of a call of a variable that something of the project made.
    pub(super) fn called_on_made(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &Reference<'p>,
    ) -> Option<Receivers<'p>> {
        let Object::Attribute { module: home, name, rest } = self.world.trace_reference(module, scope, name).object
        else {
            return None;
        };
        let ([Binding { what: Bound::Value, call: Some(call), .. }], []) =
            (self.world.names.file(home).bindings(name), rest.as_slice())
        else {
            return None;
        };
        if let Some(class) = self.class_called(home, call) {
            return self.called_on(class);
        }
        let mut functions = Vec::new();
        for (home, function) in self.functions_named(home, MODULE, call.name, &call.attributes)? {
            functions.extend(self.given(home, function)?);
        }
        (!functions.is_empty()).then(|| Receivers::functions(functions))
    }

    /// The functions that a function returns, if it returns nothing else.
    fn given(&self, module: ModuleId, function: FunctionId) -> Option<Vec<(ModuleId, FunctionId)>> {
        self.given_within(module, function, DEPTH)
    }

    fn given_within(
        &self,
        module: ModuleId,
        function: FunctionId,
        depth: usize,
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        let file = self.world.names.file(module);
        let found = file.function(function);
        let named = |name| match file.scope(found.scope).bindings.get(name) {
            Some(own) => own.iter().map(|b| function_of(b, module)).collect::<Option<Vec<_>>>(),
            None => self.functions_named(module, found.scope, name, &[]).filter(|all| !all.is_empty()),
        };
        let mut all = Vec::new();
        for gift in found.gives.as_ref()? {
            match gift {
                Gift::Lambda => {
                    let inside = self.inside(module, function).into_iter();
                    all.extend(inside.filter(|inner| file.function(*inner).is_lambda).map(|inner| (module, inner)));
                }
                Gift::Name(name) => all.extend(named(name)?),
                Gift::Result(name, only) => {
                    let of_own = |name: &&str| found.params.contains(name);
                    for (home, called) in named(name)? {
                        if only.as_ref().is_some_and(of_own) && self.gives_parameters(home, called) {
                            continue;
                        }
                        all.extend(self.given_within(home, called, depth.checked_sub(1)?)?);
                    }
                }
            }
        }
        all.iter().all(|function| self.is_plain(*function)).then_some(all)
    }

    /// Whether a function gives back nothing but what it is handed.
    fn gives_parameters(&self, module: ModuleId, function: FunctionId) -> bool {
        let found = self.world.names.file(module).function(function);
        let own = |gift: &Gift| matches!(gift, Gift::Name(name) if found.params.contains(name));
        found.gives.as_ref().is_some_and(|gifts| gifts.iter().all(own))
    }

    /// Whether a function is what its name stands for.
    fn is_plain(&self, (module, function): (ModuleId, FunctionId)) -> bool {
        let found = self.world.names.file(module).function(function);
        found.decorators.iter().all(|path| path.last() == Some(&"wraps"))
    }

    /// Whether a dotted name stands for something of a package from outside, or for a method of what such a package made.
    /// Decorators from there do not call what they decorate.
    fn is_from_outside(&self, module: ModuleId, scope: ScopeId, name: &Reference<'p>) -> bool {
        let outside = |object: &Object| match object {
            Object::External(path) => !is_stdlib(path) || QUIET.contains(&path.as_str()) && path != "functools.partial",
            _ => false,
        };
        match self.world.trace_reference(module, scope, name).object {
            Object::Attribute { module: home, name, rest } if !rest.is_empty() => {
                let bindings = self.world.names.file(home).bindings(name);
                let made = |call: &Reference<'p>| outside(&self.world.trace_reference(home, MODULE, call).object);
                !bindings.is_empty() && bindings.iter().all(|b| b.call.as_ref().is_some_and(made))
            }
            object => outside(&object),
        }
    }

    /// Whether a decorator is a function of the project that gives a function in turn, so that reading the method runs nothing.
    pub(super) fn gives_functions(&self, module: ModuleId, scope: ScopeId, path: &[&'p str], by_call: bool) -> bool {
        let Some((name, attributes)) = path.split_first() else { return false };
        let made = self.functions_named(module, scope, name, attributes).unwrap_or_default();
        // What it is handed it may give back as it is.
        let plain = |(home, function): (ModuleId, FunctionId)| {
            let file = self.world.names.file(home);
            let found = file.function(function);
            let gives_function = |gift: &Gift| match gift {
                Gift::Lambda => true,
                Gift::Result(..) => false,
                Gift::Name(name) => file.scope(found.scope).bindings.get(name).is_some_and(|all| {
                    all.iter()
                        .all(|b| b.what == Bound::Parameter || function_of(b, home).is_some_and(|f| self.is_plain(f)))
                }),
            };
            found.gives.as_ref().is_some_and(|gifts| gifts.iter().all(gives_function))
                || self.given(home, function).is_some()
        };
        let found = made.iter().all(|&(home, function)| match by_call {
            true => self.given(home, function).is_some_and(|inner| inner.into_iter().all(plain)),
            false => plain((home, function)),
        });
        !made.is_empty() && found
    }

    /// The functions that a callee stands for, if it can only be functions of the project, or nothing that calls.
    pub(super) fn receivers(&self, module: ModuleId, scope: ScopeId, callee: &Reference<'p>) -> Option<Receivers<'p>> {
        let quiet = |quiet: bool| quiet.then(|| Receivers::functions(Vec::new()));
        if let ("super", [method]) = (callee.name, callee.attributes.as_slice()) {
            return self.method_above(module, scope, method).map(Receivers::functions);
        }
        let file = self.world.names.file(module);
        if let (Some(owner), []) = (file.owner(callee.name, scope), callee.attributes.as_slice())
            && matches!(file.scope(owner).kind, ScopeKind::Function(_))
        {
            let functions = file.scope(owner).bindings[callee.name].iter().map(|b| function_of(b, module));
            if let Some(functions) = functions.collect::<Option<Vec<_>>>() {
                return Some(Receivers::functions(functions));
            }
        }
        match self.world.trace_reference(module, scope, callee).object {
            Object::Attribute { module: home, name, rest } => {
                let bindings = self.world.names.file(home).bindings(name);
                let mut all = Receivers::functions(Vec::new());
                for binding in bindings {
                    let found = self.receivers_of(home, binding, &rest)?;
                    if all.shift != found.shift && !all.functions.is_empty() {
                        return None;
                    }
                    all.functions.extend(found.functions);
                    all.keepers.extend(found.keepers);
                    all.unbound |= found.unbound;
                    all.shift = found.shift;
                }
                (!bindings.is_empty()).then_some(all)
            }
            Object::External(path) => quiet(
                path.starts_with("typing.") || path.starts_with("typing_extensions.") || QUIET.contains(&path.as_str()),
            ),
            Object::Unknown => quiet(
                callee.attributes.is_empty()
                    && QUIET_BUILTINS.contains(&callee.name)
                    && self.world.names.file(module).owner(callee.name, scope).is_none(),
            ),
            Object::Module(_) => None,
        }
    }

    /// What is registered with a function, if it dispatches by the class of its argument.
    pub(super) fn dispatched(&self, module: ModuleId, function: FunctionId) -> Option<Key<'p>> {
        let found = self.world.names.file(module).function(function);
        let dispatches = |path: &Vec<&str>| matches!(path.last(), Some(&"singledispatch" | &"singledispatchmethod"));
        found.decorators.iter().any(dispatches).then_some(Key::Dispatched(module, function, found.name))
    }

    fn receivers_of(&self, home: ModuleId, binding: &Binding<'p>, rest: &[&str]) -> Option<Receivers<'p>> {
        match (binding.what, rest) {
            (Bound::Function(function), []) => Some(Receivers::functions(vec![(home, function)])),
            // `@f.register` of `functools.singledispatch`.
            (Bound::Function(function), ["register"]) => {
                let keepers = vec![self.dispatched(home, function)?];
                Some(Receivers { keepers, ..Receivers::functions(Vec::new()) })
            }
            (Bound::Class(class), []) => self.initializers(home, class),
            (Bound::Class(class), [method]) => {
                let functions = self.method_of((home, class), method)?;
                Some(Receivers { unbound: true, ..Receivers::functions(functions) })
            }
            // `register = registry.register`
            (Bound::Value, []) if binding.plain => {
                let of = binding.from.first()?;
                match self.world.trace_reference(home, MODULE, of).object {
                    Object::External(_) => self.receivers(home, MODULE, of),
                    Object::Attribute { module: home, name, rest } if !rest.is_empty() => {
                        let [only] = self.world.names.file(home).bindings(name) else { return None };
                        self.receivers_of(home, only, &rest)
                    }
                    _ => None,
                }
            }
            (Bound::Value, []) => {
                let path = |of: &Reference<'p>| match self.world.trace_reference(home, MODULE, of).object {
                    Object::External(path) => Some(path),
                    _ => None,
                };
                let made = binding.call.as_ref().and_then(path)?;
                let of = binding.from.iter().find(|from| path(from).as_deref() != Some("functools.partial"))?;
                let found = (made == "functools.partial").then(|| self.receivers(home, MODULE, of)).flatten()?;
                Some(Receivers { shift: found.shift + binding.positional?.checked_sub(1)?, ..found })
            }
            (Bound::Value, [method]) => {
                let class = self.class_called(home, binding.call.as_ref()?)?;
                self.method_of(class, method).map(Receivers::functions)
            }
            _ => None,
        }
    }

    /// The class of the project that is called to make a value.
    pub(super) fn class_called(&self, module: ModuleId, call: &Reference<'p>) -> Option<ClassKey> {
        let Object::Attribute { module: home, name, rest } = self.world.trace_reference(module, MODULE, call).object
        else {
            return None;
        };
        match self.world.names.file(home).bindings(name) {
            [Binding { what: Bound::Class(class), .. }] if rest.is_empty() => Some((home, *class)),
            _ => None,
        }
    }

    /// A function returns one of its own parameters: what decorates with it leaves what it decorates as it is. What other calls
    /// give may be called.
    pub(super) fn returns_parameter(&mut self, module: ModuleId, used: &Use<'p>) -> bool {
        let Moment::Call(by) = used.moment else { return false };
        used.attributes.is_empty() && self.returns_name(module, used.scope, used.name, by)
    }

    fn returns_name(&mut self, module: ModuleId, scope: ScopeId, name: &'p str, by: FunctionId) -> bool {
        let file = self.world.names.file(module);
        let Some(owner) = file.owner(name, scope) else { return false };
        let (ScopeKind::Function(function), [Binding { what: Bound::Parameter, .. }]) =
            (file.scope(owner).kind, file.scope(owner).bindings[name].as_slice())
        else {
            return false;
        };
        if by != function {
            return false;
        }
        let param = (module, function, name);
        if self.returned.insert(param) && !self.callers.contains(&param) {
            for value in self.handed.get(&param).cloned().unwrap_or_default() {
                self.hand_back(&value);
            }
        }
        true
    }

    /// A function gives back what it was handed.
    pub(super) fn hand_back(&mut self, value: &Handed<'p>) {
        match (value.then, &value.what) {
            (Then::Named, _) => {}
            (Then::Returned(by), What::Name { scope, name, attributes }) if attributes.is_empty() => {
                if !self.returns_name(value.module, *scope, name, by) {
                    self.hand(value);
                }
            }
            _ => self.hand(value),
        }
    }

    /// Code in `scope` calls or hands on a parameter, of the function around it or of one further out. What is only returned
    /// and uses it then is as good as the parameter: who calls it calls that.
    pub(super) fn uses_parameter(&mut self, module: ModuleId, scope: ScopeId, owner: ScopeId, param: &'p str) {
        match self.nested(module, scope, owner) {
            Some(nested) if self.is_only_returned(module, owner, nested) => {
                let ScopeKind::Function(function) = self.world.names.file(module).scope(owner).kind else { return };
                if !self.returns_name(module, owner, param, function) {
                    self.calls_parameter(module, owner, param);
                }
            }
            _ => self.calls_parameter(module, owner, param),
        }
    }

    /// The outermost function around `scope` that stands in the function whose scope is `owner`.
    fn nested(&self, module: ModuleId, scope: ScopeId, owner: ScopeId) -> Option<FunctionId> {
        let file = self.world.names.file(module);
        let (mut at, mut found) = (scope, None);
        while at != owner {
            if let ScopeKind::Function(function) = file.scope(at).kind {
                found = Some(function);
            }
            at = file.scope(at).parent?;
        }
        found
    }

    /// Whether a function that stands in another is used for nothing but to be returned.
    fn is_only_returned(&self, module: ModuleId, owner: ScopeId, nested: FunctionId) -> bool {
        let file = self.world.names.file(module);
        let found = file.function(nested);
        let passes_on =
            |callee: &Reference| matches!(callee.path().last(), Some(&"wraps" | &"update_wrapper" | &"cast"));
        let returned = |used: &Use| match (used.role, &used.argument) {
            (Role::Returned, _) | (Role::Store, _) => true,
            (Role::Argument, Some(argument)) => argument.returned && passes_on(&argument.callee),
            _ => false,
        };
        let uses = || file.uses.iter().filter(|used| used.owner == Some(owner) && used.name == found.name);
        let is_alone = matches!(file.scope(owner).bindings.get(found.name), Some(all) if all.len() == 1);
        let wrapped = found.decorators.iter().all(|path| path.last() == Some(&"wraps"));
        !found.is_lambda && found.parent == owner && is_alone && wrapped && uses().all(returned)
    }

    /// A function calls or hands on one of its parameters.
    pub(super) fn calls_parameter(&mut self, module: ModuleId, owner: ScopeId, param: &'p str) {
        let ScopeKind::Function(function) = self.world.names.file(module).scope(owner).kind else { return };
        if self.callers.insert((module, function, param)) {
            let keeps = self.keeps.take();
            let found = self.world.names.file(module).function(function);
            for default in &found.defaults {
                self.reach(module, found.parent, default.name, &default.attributes, Role::Called);
            }
            for value in self.handed.remove(&(module, function, param)).unwrap_or_default() {
                self.hand(&value);
            }
            self.keeps = keeps;
        }
    }

    /// What a variable holds is called. `plainly`: only what it is another name for.
    pub(super) fn values_are_called(&mut self, module: ModuleId, scope: ScopeId, name: &'p str, plainly: bool) {
        if self.followed.insert((module, scope, name, plainly)) {
            let bindings = self.world.names.file(module).scope(scope).bindings[name].iter();
            bindings.filter(|b| b.plain || !plainly).for_each(|b| self.value_is_called(module, scope, b));
        }
    }

    /// What was bound to a variable is called: what it was made from may be, too.
    fn value_is_called(&mut self, module: ModuleId, scope: ScopeId, binding: &Binding<'p>) {
        let keeps = self.keeps.take();
        if let Some(call) = &binding.call
            && self.receivers(module, scope, call).is_some_and(|r| !(r.functions.is_empty() && r.keepers.is_empty()))
        {
            // A function or class of the project: what they are handed is followed by what they do with it.
            self.result_of(module, scope, call);
        } else {
            for reference in &binding.from {
                self.reach(module, scope, reference.name, &reference.attributes, Role::Called);
                self.result_of(module, scope, reference);
            }
        }
        self.keeps = keeps;
    }

    /// The value is what a function of the project gave, or holds such: what it returned may run.
    pub(super) fn result_of(&mut self, module: ModuleId, scope: ScopeId, reference: &Reference<'p>) {
        match self.functions_named(module, scope, reference.name, &reference.attributes) {
            Some(found) => found.into_iter().for_each(|function| self.result_is_called(function)),
            None => {
                if let Some(method) = reference.attributes.last() {
                    self.result_of_method(method, true);
                }
            }
        }
    }

    /// What a function returned is called: the functions in it may run.
    fn result_is_called(&mut self, (module, function): (ModuleId, FunctionId)) {
        if !self.results.insert((module, function)) {
            return;
        }
        for inner in self.inside(module, function) {
            self.run(module, inner);
            self.result_is_called((module, inner));
        }
    }

    /// What a function returned is called, once: `@f(…)`, `f(…)(…)`.
    pub(super) fn result_is_called_once(
        &mut self,
        module: ModuleId,
        scope: ScopeId,
        name: &'p str,
        attributes: &[&'p str],
    ) {
        match self.functions_named(module, scope, name, attributes) {
            Some(found) => found.into_iter().for_each(|function| self.functions_inside_run(function)),
            None => {
                if let Some(method) = attributes.last() {
                    self.result_of_method(method, false);
                }
            }
        }
    }

    fn functions_inside_run(&mut self, (module, function): (ModuleId, FunctionId)) {
        self.inside(module, function).into_iter().for_each(|inner| self.run(module, inner));
    }

    /// What a method of some object returned is called, once or `ever` after.
    fn result_of_method(&mut self, name: &'p str, ever: bool) {
        if self.results_by_name.insert((name, ever)) {
            self.classes.live(name).into_iter().for_each(|function| self.result_by_name(name, function));
        }
    }

    /// The same for one method that the object may have.
    pub(super) fn result_by_name(&mut self, name: &'p str, function: (ModuleId, FunctionId)) {
        if self.results_by_name.contains(&(name, false)) {
            self.functions_inside_run(function);
        }
        if self.results_by_name.contains(&(name, true)) {
            self.result_is_called(function);
        }
        for (place, value) in self.handed_to_results.get(name).cloned().unwrap_or_default() {
            self.hand_to_result(function, place, value);
        }
    }

    /// What a function returns gets an argument.
    pub(super) fn hand_to_result(
        &mut self,
        (module, function): (ModuleId, FunctionId),
        place: Place<'p>,
        value: Handed<'p>,
    ) {
        match self.given(module, function) {
            Some(functions) => self.hand_to(Receivers::functions(functions), place, value),
            None => self.hand(&value),
        }
    }

    /// Functions that stand directly in a function.
    fn inside(&self, module: ModuleId, function: FunctionId) -> Vec<FunctionId> {
        let functions = self.world.names.file(module).functions.iter().enumerate();
        functions.filter(|(_, f)| f.outer == Some(function)).map(|(index, _)| FunctionId(index as u32)).collect()
    }

    /// The functions of the project that a dotted name stands for. `None`: it cannot be told.
    pub(super) fn functions_named(
        &self,
        module: ModuleId,
        scope: ScopeId,
        name: &'p str,
        attributes: &[&'p str],
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        let file = self.world.names.file(module);
        if let Some(owner) = file.owner(name, scope).filter(|owner| *owner != MODULE)
            && !self.is_import(module, owner, name)
        {
            return match attributes {
                [] => Some(file.scope(owner).bindings[name].iter().filter_map(|b| function_of(b, module)).collect()),
                [method] => self.method_of_local(module, scope, name, method),
                _ => None,
            };
        }
        match self.world.trace(module, scope, name, attributes).object {
            Object::Attribute { module: home, name, rest } => {
                let mut found = Vec::new();
                for binding in self.world.names.file(home).bindings(name) {
                    match (function_of(binding, home), rest.as_slice()) {
                        (Some(function), []) => found.push(function),
                        (None, []) if !binding.plain || matches!(binding.what, Bound::Class(_)) => {}
                        _ => found.extend(self.receivers_of(home, binding, &rest)?.functions),
                    }
                }
                Some(found)
            }
            Object::External(_) | Object::Module(_) => Some(Vec::new()),
            Object::Unknown => None,
        }
    }
}

fn function_of(binding: &Binding, home: ModuleId) -> Option<(ModuleId, FunctionId)> {
    match binding.what {
        Bound::Function(function) => Some((home, function)),
        _ => None,
    }
}
