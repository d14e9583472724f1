//! Calls of functions and classes while something is imported, and what the definition of a class runs.

use super::run::{Level, Raised, Run, Stop};
use super::state::{Defined, Object, Space, Text, Wrapper};
use crate::names::body::{Body, Callable, Value, What};
use crate::project::ModuleId;
use crate::syntax::Span;

/// Names under which a class keeps what it was made of.
const BASES: [&str; 8] =
    ["<base 0>", "<base 1>", "<base 2>", "<base 3>", "<base 4>", "<base 5>", "<base 6>", "<base 7>"];
const METACLASS: &str = "<metaclass>";

/// Calls within calls that are followed.
const DEPTH: usize = 32;

/// Decorators from outside that give what they take, or something that calls it when it is called.
const TRANSPARENT: [&str; 12] = [
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
    "unique",
];

/// Functions of Python's own that call what they are handed.
const CALLING: [&str; 8] = ["filter", "map", "max", "min", "reduce", "sort", "sorted", "starmap"];

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
        let called = self.evaluate(function)?;
        let (mut plain, mut named) = (Vec::new(), Vec::new());
        for (keyword, value) in args {
            let object = self.evaluate(value)?;
            match keyword {
                Some(keyword) => named.push((*keyword, object)),
                None => plain.push(object),
            }
        }
        self.level().at = at;
        match (&function.what, plain.as_slice()) {
            (What::Name("getattr"), [Object::Module(module), Object::Text(name)]) => {
                return self.attribute(*module, name);
            }
            (What::Name("hasattr"), [Object::Module(module), Object::Text(name)]) => {
                return Ok(self.has(*module, name).map_or(Object::Any, Object::Truth));
            }
            (What::Name("super"), []) => return Ok(self.above_here().unwrap_or(Object::Any)),
            (What::Name("super"), [Object::Class(class), Object::Instance(this) | Object::Class(this)]) => {
                return Ok(Object::Super(*class, *this));
            }
            _ => {}
        }
        if called == Object::Any
            && let Some(name) = last_name(function)
        {
            match plain.as_slice() {
                [Object::Function(defined)] if let Some(wrapper) = Wrapper::of(name) => {
                    return Ok(Object::Wrapped(wrapper, *defined));
                }
                // What `wraps(f)` gives takes another function.
                [only]
                    if only.is_callable()
                        && (TRANSPARENT.contains(&name) || name == "partial")
                        && (name != "wraps" || matches!(function.what, What::Call { .. })) =>
                {
                    return Ok(*only);
                }
                _ if CALLING.contains(&name) => self.may_be_called(plain.iter().chain(named.iter().map(|(_, o)| o))),
                _ => {}
            }
        }
        self.call(called, plain, &named)
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
    fn may_be_called<'o>(&mut self, objects: impl Iterator<Item = &'o Object<'p>>)
    where
        'p: 'o,
    {
        for object in objects.filter(|object| object.is_callable()) {
            if let Err(raised) = self.call(*object, Vec::new(), &[]) {
                self.doubts.extend(raised.failure.is_some().then_some(raised));
            }
        }
    }

    pub fn call(
        &mut self,
        called: Object<'p>,
        args: Vec<Object<'p>>,
        named: &[(&'p str, Object<'p>)],
    ) -> Result<Object<'p>, Raised> {
        match called {
            Object::Function(defined) | Object::Wrapped(_, defined) => self.invoke(defined, args, named),
            Object::ClassMethod(defined, this) => {
                let args = std::iter::once(Object::Class(this)).chain(args).collect();
                self.invoke(defined, args, named)
            }
            Object::Method(defined, this) => {
                let args = std::iter::once(Object::Instance(this)).chain(args).collect();
                self.invoke(defined, args, named)
            }
            Object::Class(class) => {
                if let Some(Object::Class(meta)) = self.member(class, METACLASS)
                    && let Some(Object::Function(call)) = self.member(meta, "__call__")
                {
                    self.invoke(call, vec![Object::Class(class)], named)?;
                }
                if let Some(Object::Function(new) | Object::Wrapped(_, new)) = self.member(class, "__new__") {
                    self.invoke(new, std::iter::once(Object::Class(class)).chain(args.clone()).collect(), named)?;
                }
                let initializer = self.member(class, "__init__").or_else(|| self.member(class, "__post_init__"));
                if let Some(Object::Function(initializer)) = initializer {
                    let args = std::iter::once(Object::Instance(class)).chain(args).collect();
                    self.invoke(initializer, args, named)?;
                }
                Ok(Object::Instance(class))
            }
            Object::Instance(class) => {
                self.risky = true;
                match self.member(class, "__call__") {
                    Some(Object::Function(call)) => {
                        let args = std::iter::once(called).chain(args).collect();
                        self.invoke(call, args, named)
                    }
                    _ => Ok(Object::Any),
                }
            }
            _ => {
                self.risky = true;
                Ok(Object::Any)
            }
        }
    }

    fn invoke(
        &mut self,
        defined: Defined,
        args: Vec<Object<'p>>,
        named: &[(&'p str, Object<'p>)],
    ) -> Result<Object<'p>, Raised> {
        self.risky = true;
        let Some((callable, text)) = self.callable(defined).filter(|(callable, _)| !callable.block.is_empty()) else {
            return Ok(Object::Any);
        };
        let calls = self.levels.iter().filter(|l| l.called.is_some());
        let again = |l: &Level| l.module == defined.module && l.called == Some(callable.at);
        let spent = self.spent.get(&(defined.module, callable.at)).copied().unwrap_or_default();
        let enough = self.steps > super::run::STEPS || spent > super::run::STEPS_OF_ONE;
        if enough || self.levels.iter().any(again) || calls.count() >= DEPTH {
            return Ok(Object::Any);
        }
        let mut key = args.clone();
        for (name, object) in named {
            key.extend([Object::Text(name), *object]);
        }
        if let Some((known, reads)) = self.called.get(&(defined, key.clone()))
            && self.state.still(reads)
        {
            return Ok(*known);
        }
        let watch = self.state.watch();
        let space = self.state.open(defined.outer, false);
        for (at, name) in callable.params.iter().enumerate() {
            let given = named.iter().find(|(n, _)| n == name).map(|(_, object)| *object);
            let object = given.or_else(|| args.get(at).copied()).unwrap_or(Object::Any);
            self.state.bind(space, name, object);
        }
        let before = self.steps;
        let outcome = self.body(defined, (callable, text), space);
        *self.spent.entry((defined.module, callable.at)).or_default() += self.steps - before;
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
            self.called.insert((defined, key), (object, reads));
        }
        Ok(object)
    }

    /// Runs a function; the flag says whether it may have been left on another way.
    fn body(
        &mut self,
        defined: Defined,
        (callable, text): (&'w Callable<'p>, Text),
        space: Space,
    ) -> Result<(Object<'p>, bool), (Raised, bool)> {
        let level = Level::new(defined.module, Some(callable.name), text, space);
        self.levels.push(Level { called: Some(callable.at), globals: &callable.globals, ..level });
        let outcome = self.block(&callable.block);
        let left = self.levels.pop().is_some_and(|l| l.left);
        match outcome {
            Ok(()) | Err(Stop::Leave) => Ok((Object::None, left)),
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
                        _ => Object::Any,
                    }
                }
                given => self.call(given, vec![object], &[])?,
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
        self.levels.push(Level::new(module, Some(class.name), text, space));
        let outcome = self.block(&class.block);
        self.levels.pop();
        if let Err(Stop::Raise(raised)) = outcome {
            return Err(raised);
        }
        if let Some(Object::Class(meta)) = self.member(space, METACLASS) {
            for name in ["__new__", "__init__"] {
                if let Some(Object::Function(hook)) = self.member(meta, name) {
                    let extends = Object::Truth(!bases.is_empty());
                    let args = vec![Object::Class(space), Object::Text(class.name), extends, Object::Any];
                    self.invoke(hook, args, &[])?;
                }
            }
        }
        let hooks = bases.iter().filter_map(|base| match base {
            Object::Class(base) => self.member(*base, "__init_subclass__"),
            _ => None,
        });
        if let Some(Object::Function(hook) | Object::Wrapped(_, hook)) = hooks.into_iter().next() {
            self.invoke(hook, vec![Object::Class(space)], &[])?;
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

fn last_name<'p>(value: &Value<'p>) -> Option<&'p str> {
    match &value.what {
        What::Name(name) | What::Attribute(_, name) => Some(name),
        What::Call { function, .. } => last_name(function),
        _ => None,
    }
}
