//! Calls of functions and classes while something is imported, and what the definition of a class runs.

use super::held::{Held, HeldId, Shape};
use super::run::{Given, Level, Raised, Run, Stop};
use super::state::{Defined, Object, Space, Text, Wrapper};
use crate::names::body::{Body, Callable, Param, Value, What};
use crate::project::ModuleId;
use crate::syntax::Span;

/// Names under which a class keeps what it was made of.
const BASES: [&str; 8] =
    ["<base 0>", "<base 1>", "<base 2>", "<base 3>", "<base 4>", "<base 5>", "<base 6>", "<base 7>"];
const METACLASS: &str = "<metaclass>";

/// Calls within calls that are followed.
const DEPTH: usize = 32;

/// Decorators from outside that give what they take, or something that calls it when it is called.
const TRANSPARENT: [&str; 13] = [
    "abstractmethod",
    "wraps",
    "lru_cache",
    "cache",
    "contextmanager",
    "overload",
    "override",
    "final",
    "dataclass",
    "total_ordering",
    "runtime_checkable",
    "singledispatch",
    "unique",
];

/// Functions of Python's own that call what they are handed.
const CALLING: [&str; 8] = ["filter", "map", "max", "min", "reduce", "sort", "sorted", "starmap"];

/// Functions of Python's own that ask an object by one of its methods.
const ASKING: [(&str, &str); 14] = [
    ("bool", "__bool__"),
    ("dict", "__iter__"),
    ("enumerate", "__iter__"),
    ("frozenset", "__iter__"),
    ("hash", "__hash__"),
    ("iter", "__iter__"),
    ("len", "__len__"),
    ("list", "__iter__"),
    ("next", "__next__"),
    ("repr", "__repr__"),
    ("set", "__iter__"),
    ("sorted", "__iter__"),
    ("str", "__str__"),
    ("tuple", "__iter__"),
];

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// A function with its body, and what that was made from; nothing if it cannot be read.
    pub fn callable(&self, defined: Defined) -> Option<(&'w Callable<'p>, Text)> {
        let found = &self.program(defined.module, defined.text).functions[defined.index as usize];
        if !found.left_out {
            return Some((found, defined.text));
        }
        let text = Text::Function(found.at);
        let function = self.program(defined.module, text).functions.iter().find(|function| function.at == found.at);
        function.map(|function| (function, text))
    }

    /// What a module does, and what the functions do that are in the text.
    pub fn program(&self, module: ModuleId, text: Text) -> &'w Body<'p> {
        let names = self.simulator.world.names;
        match text {
            Text::Own => names.body(module),
            Text::Function(def) => names.function(module, def),
        }
    }

    pub fn evaluate_call(
        &mut self,
        function: &'w Value<'p>,
        args: &'w [(Option<&'p str>, Value<'p>)],
        at: Span,
    ) -> Result<Object<'p>, Raised> {
        let (called, of) = self.called(function)?;
        let given = self.given(args)?;
        self.level().at = at;
        if let (Some((of, id)), What::Attribute(_, method)) = (of, &function.what)
            && let Some(object) = self.method_of_held(of, id, method, &given)?
        {
            return Ok(object);
        }
        if let (What::Name("isinstance"), [object, _], [_, (_, class)]) = (&function.what, given.plain.as_slice(), args)
            && let What::Name(class) = class.what
            && let Some(truth) = object.is_built_in(class)
        {
            return Ok(Object::Truth(truth));
        }
        if let What::Name(name) = function.what
            && let Some(object) = self.built_in(name, &given)?
        {
            return Ok(object);
        }
        if called == Object::Any
            && let Some(name) = last_name(function)
        {
            let partial = |defined| Ok(Object::Partial(defined));
            match given.plain.as_slice() {
                [Object::Function(defined), ..] if name == "partial" && !is_call(function) => return partial(*defined),
                [Object::Function(defined)] if let Some(wrapper) = Wrapper::of(name) => {
                    return Ok(Object::Wrapped(wrapper, *defined));
                }
                // What `wraps(f)` gives takes another function.
                [only]
                    if only.is_callable() && TRANSPARENT.contains(&name) && (name != "wraps" || is_call(function)) =>
                {
                    return Ok(*only);
                }
                [Object::Text(name), ..] if last_name(function) == Some("import_module") => {
                    if let Some(module) = self.find(name) {
                        self.load(module)?;
                        return Ok(Object::Module(module));
                    }
                }
                _ if CALLING.contains(&name) => {
                    let handed = given.plain.iter().chain(given.named.iter().map(|(_, object)| object));
                    self.may_be_called(handed.copied());
                }
                _ => {}
            }
        }
        self.call(called, given)
    }

    /// What is called; and what holds the parts whose method it is.
    fn called(&mut self, function: &'w Value<'p>) -> Result<(Object<'p>, Option<(&'w Value<'p>, HeldId)>), Raised> {
        let What::Attribute(of, name) = &function.what else { return Ok((self.evaluate(function)?, None)) };
        let object = self.evaluate(of)?;
        if let Object::Held(id) = object {
            return Ok((Object::Any, Some((of, id))));
        }
        self.level().at = function.span;
        Ok((self.attribute_of(object, name)?, None))
    }

    fn given(&mut self, args: &'w [(Option<&'p str>, Value<'p>)]) -> Result<Given<'p>, Raised> {
        let mut given = Given::default();
        for (keyword, value) in args {
            match (keyword, &value.what) {
                (Some(keyword), _) => given.named.push((*keyword, self.evaluate(value)?)),
                (None, What::Starred(spread)) => match self.evaluate(spread)? {
                    Object::Held(id) => self.spread(id, &mut given),
                    _ => given.more = true,
                },
                (None, _) => {
                    let object = self.evaluate(value)?;
                    // Nobody knows at which place it comes.
                    given.plain.push(if given.more { Object::Any } else { object });
                }
            }
        }
        Ok(given)
    }

    fn spread(&self, id: HeldId, given: &mut Given<'p>) {
        let held = self.state.kept.get(id);
        given.more |= held.open;
        match held.shape {
            Shape::Sequence => given.plain.extend(held.values()),
            Shape::Dict => {
                for (key, value) in &held.parts {
                    match key {
                        Object::Text(key) => given.named.push((key, *value)),
                        _ => given.more = true,
                    }
                }
            }
        }
    }

    /// What functions of Python's own give that look into modules, classes and lists.
    fn built_in(&mut self, name: &str, given: &Given<'p>) -> Result<Option<Object<'p>>, Raised> {
        Ok(match (name, given.plain.as_slice()) {
            ("getattr", [Object::Module(module), Object::Text(name)]) => Some(self.attribute(*module, name)?),
            ("getattr", [object @ (Object::Module(_) | Object::Class(_)), Object::Text(name), default]) => {
                let has = match object {
                    Object::Module(module) => self.has(*module, name),
                    _ => Some(true),
                };
                match has {
                    Some(true) => Some(self.attribute_of(*object, name)?),
                    Some(false) => Some(*default),
                    None => None,
                }
            }
            ("hasattr", [Object::Module(module), Object::Text(name)]) => {
                Some(self.has(*module, name).map_or(Object::Any, Object::Truth))
            }
            ("setattr", [Object::Module(module), Object::Text(name), object]) => {
                self.state.bind(module.0, name, *object);
                None
            }
            ("delattr", [Object::Module(module), Object::Text(name)]) => {
                self.take_away(*module, name)?;
                None
            }
            (name, [object @ Object::Instance(_), ..])
                if let Some((_, asked)) = ASKING.iter().find(|a| a.0 == name) =>
            {
                self.special(*object, asked, Vec::new())?;
                None
            }
            ("super", []) => Some(self.above_here().unwrap_or(Object::Any)),
            ("super", [Object::Class(class), Object::Instance(this) | Object::Class(this)]) => {
                Some(Object::Super(*class, *this))
            }
            ("len", [Object::Held(id)]) => {
                let held = self.state.kept.get(*id);
                (!held.open).then(|| Object::number(held.parts.len()))
            }
            (name, plain) if given.named.is_empty() => self.same_parts(name, plain),
            _ => None,
        })
    }

    /// What `super()` stands for in the method that is being run.
    fn above_here(&self) -> Option<Object<'p>> {
        let class = self.state.class_around(self.space())?;
        let this = ["self", "cls"].into_iter().find_map(|name| match self.cell(name)?.object {
            Object::Instance(this) | Object::Class(this) => Some(this),
            _ => None,
        });
        Some(Object::Super(class, this.unwrap_or(class)))
    }

    /// Runs what was handed to something that calls it, if there is anything to call it with.
    fn may_be_called(&mut self, objects: impl Iterator<Item = Object<'p>>) {
        for object in objects.filter(Object::is_callable) {
            let outcome = self.call(object, Given::at_least(Vec::new()));
            self.or_doubt(outcome);
        }
    }

    pub fn call(&mut self, called: Object<'p>, given: Given<'p>) -> Result<Object<'p>, Raised> {
        match called {
            Object::Function(defined) | Object::Wrapped(_, defined) => self.invoke(defined, given),
            Object::Partial(defined) => self.invoke(defined, Given::at_least(Vec::new())),
            Object::ClassMethod(defined, this) => self.invoke(defined, given.after(Object::Class(this))),
            Object::Method(defined, this) => self.invoke(defined, given.after(Object::Instance(this))),
            Object::Class(class) => self.make(class, &given),
            Object::Instance(class) => {
                self.risky = true;
                match self.member(class, "__call__") {
                    Some(Object::Function(call)) => self.invoke(call, given.after(called)),
                    _ => Ok(Object::Any),
                }
            }
            Object::Choice(id) => {
                let one_of: Vec<Object<'p>> = self.state.kept.get(id).values().collect();
                let mut found = Vec::with_capacity(one_of.len());
                for one in one_of {
                    let outcome = self.call(one, given.clone());
                    found.push(self.or_doubt(outcome));
                }
                Ok(self.state.kept.choice(found))
            }
            _ => {
                self.risky = true;
                Ok(Object::Any)
            }
        }
    }

    /// Makes an instance of a class.
    fn make(&mut self, class: Space, given: &Given<'p>) -> Result<Object<'p>, Raised> {
        if let Some(Object::Class(meta)) = self.member(class, METACLASS)
            && let Some(Object::Function(call)) = self.member(meta, "__call__")
        {
            self.invoke(call, given.after(Object::Class(class)))?;
        }
        if let Some(Object::Function(new) | Object::Wrapped(_, new)) = self.member(class, "__new__") {
            self.invoke(new, given.after(Object::Class(class)))?;
        }
        let initializer = self.member(class, "__init__").or_else(|| self.member(class, "__post_init__"));
        if let Some(Object::Function(initializer)) = initializer {
            self.invoke(initializer, given.after(Object::Instance(class)))?;
        }
        Ok(Object::Instance(class))
    }

    fn invoke(&mut self, defined: Defined, given: Given<'p>) -> Result<Object<'p>, Raised> {
        self.risky = true;
        let Some((callable, text)) = self.callable(defined).filter(|(callable, _)| !callable.block.is_empty()) else {
            return Ok(Object::Any);
        };
        let calls = self.levels.iter().filter(|l| l.called.is_some());
        let again = |l: &Level| l.module == defined.module && l.called == Some(callable.at);
        let around = self.levels.iter().filter(|l| again(l)).count();
        if self.is_enough() || around > 1 || calls.count() >= DEPTH {
            return Ok(Object::Any);
        }
        // The first time that it calls itself stands for all others.
        let given = if around == 0 { given } else { given.forgotten() };
        let key = (defined, given);
        if let Some((known, reads)) = self.called.get(&key)
            && self.state.still(reads)
        {
            return Ok(*known);
        }
        let watch = self.state.watch();
        let space = self.state.open(defined.outer, false);
        self.hand_over(callable, &key.1, space);
        let outcome = self.body(defined, (callable, text), space);
        let reads = self.state.watched(watch);
        let object = match outcome {
            Ok((object, false)) => object,
            Ok((_, true)) => Object::Any,
            Err((raised, false)) => return Err(raised),
            // On another way it gave something before it came to this.
            Err((raised, true)) => {
                self.doubts.extend(raised.failure.is_some().then_some(raised));
                Object::Any
            }
        };
        // What changed something has to do so again.
        if let Some(reads) = reads {
            self.called.insert(key, (object, reads));
        }
        Ok(object)
    }

    /// Binds the parameters of a function.
    fn hand_over(&mut self, callable: &'w Callable<'p>, given: &Given<'p>, space: Space) {
        let mut taken = 0;
        let is_named = |name: &str| {
            let one = |param: &Param| matches!(param, Param::One(own, _) if *own == name);
            callable.params.iter().any(one)
        };
        for param in &callable.params {
            let (name, object) = match param {
                Param::One(name, default) => {
                    let plain = given.plain.get(taken).copied();
                    taken += 1;
                    let named = given.named.iter().find(|(other, _)| other == name).map(|(_, object)| *object);
                    let omitted =
                        || default.as_ref().filter(|_| !given.more).map(|default| self.default_of(default, space));
                    (name, named.or(plain).or_else(omitted).unwrap_or(Object::Any))
                }
                Param::Rest(name) => {
                    let rest = given.plain.get(taken..).unwrap_or_default().to_vec();
                    // What comes after it is given by name.
                    taken = given.plain.len();
                    (name, self.state.held(rest, given.more))
                }
                Param::Keywords(name) => {
                    let rest = given.named.iter().filter(|(name, _)| !is_named(name));
                    let parts = rest.map(|(name, object)| (Object::Text(name), *object)).collect();
                    (name, self.state.kept.keep(Held { shape: Shape::Dict, open: given.more, parts }))
                }
            };
            self.state.bind(space, name, object);
        }
    }

    /// What a parameter is that nothing is given for. The function may have been defined where a name stood for
    /// something else, of which nothing is known.
    fn default_of(&self, default: &Value<'p>, space: Space) -> Object<'p> {
        match &default.what {
            What::Text(text) => Object::Text(text),
            What::Truth(truth) => Object::Truth(*truth),
            What::Number(number) => Object::Number(*number),
            What::None => Object::None,
            What::Name(name) => self.state.find(space, name).map_or(Object::Any, |cell| cell.object),
            _ => Object::Any,
        }
    }

    /// Runs a function; the flag says whether it may have been left on another way.
    fn body(
        &mut self,
        defined: Defined,
        (callable, text): (&'w Callable<'p>, Text),
        space: Space,
    ) -> Result<(Object<'p>, bool), (Raised, bool)> {
        let level = Level::new(defined.module, Some(callable.name), text, space);
        let level = Level { globals: &callable.globals, nonlocals: &callable.nonlocals, ..level };
        self.levels.push(Level { called: Some(callable.at), begun: self.steps, ..level });
        let outcome = self.block(&callable.block);
        let left = self.levels.pop().is_some_and(|l| l.left);
        match outcome {
            Ok(()) | Err(Stop::Leave(_)) => Ok((Object::None, left)),
            Err(Stop::Return(object)) => Ok((object, left)),
            Err(Stop::Raise(raised)) => Err((raised, left)),
        }
    }

    /// What is bound after decorators took a function or class, the last first.
    pub fn decorated(
        &mut self,
        decorators: &'w [Value<'p>],
        given: Vec<Object<'p>>,
        mut object: Object<'p>,
    ) -> Result<Object<'p>, Raised> {
        for (decorator, given) in decorators.iter().zip(given).rev() {
            self.level().at = decorator.span;
            object = match given {
                Object::Any => {
                    let name = last_name(decorator).unwrap_or_default();
                    match (&decorator.what, object) {
                        (_, Object::Function(defined)) if let Some(wrapper) = Wrapper::of(name) => {
                            Object::Wrapped(wrapper, defined)
                        }
                        // The property is the one that was there.
                        (What::Attribute(of, "setter" | "deleter"), _) => self.evaluate(of)?,
                        (_, object) if TRANSPARENT.contains(&name) => object,
                        (_, Object::Class(_)) => object,
                        // It may well call what it takes when it is called itself.
                        _ => self.state.kept.choice([object, Object::Any]),
                    }
                }
                given => self.call(given, Given::plain(vec![object]))?,
            };
        }
        Ok(object)
    }

    /// Runs the body of a class and what its bases do when they are extended.
    pub fn create_class(&mut self, index: u32) -> Result<(&'p str, Object<'p>), Raised> {
        let module = self.module();
        let text = self.text();
        let class = &self.program(module, text).classes[index as usize];
        let bases = self.evaluate_all(&class.bases)?;
        let metaclass = class.metaclass.as_ref().map(|m| self.evaluate(m)).transpose()?;
        let space = self.state.open(self.space(), true);
        for (name, base) in BASES.iter().zip(&bases) {
            self.state.bind(space, name, *base);
        }
        if let Some(metaclass) = metaclass {
            self.state.bind(space, METACLASS, metaclass);
        }
        let mut named = Vec::with_capacity(class.keywords.len());
        for (keyword, value) in &class.keywords {
            named.push((*keyword, self.evaluate(value)?));
        }
        self.levels.push(Level::new(module, Some(class.name), text, space));
        let outcome = self.block(&class.block);
        self.levels.pop();
        if let Err(Stop::Raise(raised)) = outcome {
            return Err(raised);
        }
        for (name, cell) in self.state.names(space) {
            if !BASES.contains(&name) && matches!(cell.object, Object::Instance(_)) {
                self.special(cell.object, "__set_name__", vec![Object::Class(space), Object::Text(name)])?;
            }
        }
        if let Some(Object::Class(meta)) = self.member(space, METACLASS) {
            for name in ["__new__", "__init__"] {
                if let Some(Object::Function(hook)) = self.member(meta, name) {
                    let extends = self.state.held(bases.clone(), false);
                    let plain = vec![Object::Class(space), Object::Text(class.name), extends, Object::Any];
                    self.invoke(hook, Given { plain, named: named.clone(), more: false })?;
                }
            }
        }
        let hooks = bases.iter().filter_map(|base| match base {
            Object::Class(base) => self.member(*base, "__init_subclass__"),
            _ => None,
        });
        if let Some(Object::Function(hook) | Object::Wrapped(_, hook)) = hooks.into_iter().next() {
            self.invoke(hook, Given { plain: vec![Object::Class(space)], named, more: false })?;
        }
        Ok((class.name, Object::Class(space)))
    }

    /// What a class or one of its bases binds.
    pub fn member(&self, class: Space, name: &'p str) -> Option<Object<'p>> {
        self.member_within(class, name, DEPTH)
    }

    fn member_within(&self, class: Space, name: &'p str, depth: usize) -> Option<Object<'p>> {
        if let Some(cell) = self.state.get(class, name) {
            return Some(cell.object);
        }
        self.member_above_within(class, name, depth)
    }

    /// What the bases of a class bind.
    pub fn member_above(&self, class: Space, name: &'p str) -> Option<Object<'p>> {
        self.member_above_within(class, name, DEPTH)
    }

    fn member_above_within(&self, class: Space, name: &'p str, depth: usize) -> Option<Object<'p>> {
        if depth == 0 {
            return None;
        }
        BASES.iter().map_while(|base| self.state.get(class, base)).find_map(|base| match base.object {
            Object::Class(base) if base != class => self.member_within(base, name, depth - 1),
            _ => None,
        })
    }
}

fn is_call(value: &Value) -> bool {
    matches!(value.what, What::Call { .. })
}

fn last_name<'p>(value: &Value<'p>) -> Option<&'p str> {
    match &value.what {
        What::Name(name) | What::Attribute(_, name) => Some(name),
        What::Call { function, .. } => last_name(function),
        _ => None,
    }
}
