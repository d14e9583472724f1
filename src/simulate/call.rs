//! Calls of functions and classes while something is imported, and what decorators give.

use super::arguments::Given;
use super::evaluate::{CHANGED, is_own_names};
use super::run::{Level, Raised, Run, Stop};
use super::state::{Defined, Object, Space, Text, Wrapper};
use crate::names::body::{Body, Callable, Value, What};
use crate::project::ModuleId;
use crate::syntax::Span;

/// What holds the parts that a method is called on, and by what it was found.
type Receiver<'w, 'p> = (&'w Value<'p>, Object<'p>);

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
        let (called, of) = self.called(function)?;
        let given = self.given(args)?;
        self.level().at = at;
        let binds = match &function.what {
            What::Attribute(of, method) => {
                is_own_names(of) && matches!(*method, "update" | "setdefault" | "pop" | "clear")
            }
            What::Name(name) => *name == "exec" && called == Object::Any,
            _ => false,
        };
        if binds {
            self.state.bind(self.module().0, CHANGED, Object::Any);
        }
        if let (Some((of, object)), What::Attribute(_, method)) = (of, &function.what)
            && let Some(object) = self.method_of_held(of, object, method, &given)?
        {
            return Ok(object);
        }
        if let (What::Name("isinstance"), [object, _], [_, (_, class)]) = (&function.what, given.plain.as_slice(), args)
            && let What::Name(class) = class.what
            && self.cell("isinstance").is_none()
            && self.cell(class).is_none()
            && let Some(truth) = object.is_built_in(class)
        {
            return Ok(Object::Truth(truth));
        }
        if let What::Name(name) = function.what
            && self.cell(name).is_none()
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
                [Object::Text(path), ..] if name == "import_module" => {
                    if let Some(module) = self.find(path) {
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
    fn called(&mut self, function: &'w Value<'p>) -> Result<(Object<'p>, Option<Receiver<'w, 'p>>), Raised> {
        let What::Attribute(of, name) = &function.what else { return Ok((self.evaluate(function)?, None)) };
        let object = self.evaluate(of)?;
        if self.contents(object).is_some() {
            return Ok((Object::Any, Some((of, object))));
        }
        self.level().at = function.span;
        Ok((self.attribute_of(object, name)?, None))
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

    pub fn invoke(&mut self, defined: Defined, given: Given<'p>) -> Result<Object<'p>, Raised> {
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
                self.may_fail(raised);
                Object::Any
            }
        };
        let object = self.given_back(object, space);
        // What changed something has to do so again.
        if let Some(reads) = reads.filter(|_| !self.is_new(object, space)) {
            self.called.insert(key, (object, reads));
        }
        Ok(object)
    }

    /// A list that a function made is the one that it gives, under another name.
    fn given_back(&mut self, object: Object<'p>, since: Space) -> Object<'p> {
        match object {
            Object::Open(space) if space >= since => match self.contents(object) {
                Some((held, _)) => self.state.kept.keep(held.known_as(false)),
                None => Object::Any,
            },
            object => object,
        }
    }

    /// Whether an object came with a namespace, or later: another call makes another one.
    fn is_new(&self, object: Object<'p>, since: Space) -> bool {
        match object {
            Object::Function(defined) | Object::Partial(defined) | Object::Wrapped(_, defined) => {
                defined.outer >= since
            }
            Object::Method(defined, space) | Object::ClassMethod(defined, space) => {
                defined.outer >= since || space >= since
            }
            Object::Class(space) | Object::Instance(space) | Object::Open(space) => space >= since,
            Object::Held(id) | Object::Choice(id) => self
                .state
                .kept
                .get(id)
                .parts
                .iter()
                .any(|(key, value)| self.is_new(*key, since) || self.is_new(*value, since)),
            _ => false,
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
