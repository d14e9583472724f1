//! Expressions.

use super::arguments::Given;
use super::import::REPLACED;
use super::run::{Raised, Run};
use super::state::{Object, Space, Status, Wrapper};
use crate::names::body::{Error, Value, What};
use crate::names::evaluated::is_builtin;
use crate::project::ModuleId;

/// Under which a class or module keeps that its names may have been bound in ways that are not followed.
pub const CHANGED: &str = "<changed>";

/// Builtins of Python 2, which are asked for to tell the two apart.
const GONE: [&str; 9] = ["basestring", "cmp", "execfile", "file", "long", "raw_input", "unichr", "unicode", "xrange"];

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    pub fn evaluate_all(&mut self, values: &'w [Value<'p>]) -> Result<Vec<Object<'p>>, Raised> {
        values.iter().map(|value| self.evaluate(value)).collect()
    }

    pub fn evaluate(&mut self, value: &'w Value<'p>) -> Result<Object<'p>, Raised> {
        Ok(match &value.what {
            What::Opaque => Object::Any,
            What::Text(text) => Object::Text(text),
            What::Truth(truth) => Object::Truth(*truth),
            What::Number(number) => Object::Number(*number),
            What::None => Object::None,
            What::Name("TYPE_CHECKING") | What::Attribute(_, "TYPE_CHECKING") => Object::Truth(false),
            What::Name(name) => {
                self.level().at = value.span;
                self.name(name)?
            }
            What::Attribute(of, name) => {
                let of = self.evaluate(of)?;
                self.level().at = value.span;
                self.attribute_of(of, name)?
            }
            What::Call { function, args } => self.evaluate_call(function, args, value.span)?,
            What::Import(site) => {
                self.level().at = value.span;
                self.import_call(*site)?
            }
            What::Item(of, _) if self.is_this_module(value) => {
                self.evaluate(of)?;
                Object::Module(self.module())
            }
            What::Item(value, index) => {
                let of = self.evaluate(value)?;
                let index = self.evaluate(index)?;
                self.risky = true;
                if let (What::Attribute(_, "modules"), Object::Text(name)) = (&value.what, index)
                    && let Some(module) = self.loaded(name)
                {
                    return Ok(Object::Module(module));
                }
                if let Some(contents) = self.contents(of) {
                    return Ok(self.item(&contents, index));
                }
                match of {
                    Object::Instance(_) => self.special(of, "__getitem__", vec![index])?,
                    Object::Class(class) => match self.member(class, "__class_getitem__") {
                        Some(Object::Function(defined) | Object::Wrapped(_, defined)) => {
                            self.call(Object::ClassMethod(defined, class), Given::plain(vec![index]))?
                        }
                        _ => Object::Any,
                    },
                    _ => Object::Any,
                }
            }
            What::Annotation(value) => {
                // Since 3.14 they are evaluated when somebody asks (PEP 649).
                if self.simulator.world.project().settings.target_version < (3, 14) {
                    self.evaluate(value)?;
                }
                Object::Any
            }
            What::Lambda { function, defaults } => {
                self.evaluate_all(defaults)?;
                Object::Function(self.defined(*function))
            }
            What::Comprehension { waits, clauses, element } => self.comprehension(*waits, clauses, element)?,
            What::Walrus(name, value) => {
                let object = self.evaluate(value)?;
                self.bind_around(name, object);
                object
            }
            What::Not(value) => {
                let object = self.evaluate(value)?;
                self.truth(object).map_or(Object::Any, |truth| Object::Truth(!truth))
            }
            What::Logic(and, values) => self.logic(*and, values)?,
            What::Conditional(parts) => {
                let [value, test, other] = &**parts;
                let test = self.evaluate(test)?;
                match self.truth(test) {
                    Some(true) => self.evaluate(value)?,
                    Some(false) => self.evaluate(other)?,
                    None => {
                        let (one, other) = (self.perhaps_evaluated(value), self.perhaps_evaluated(other));
                        self.state.kept.choice([one, other])
                    }
                }
            }
            What::Same(negated, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                self.same(left, right).map_or(Object::Any, |same| Object::Truth(same != *negated))
            }
            What::In(negated, item, within) => {
                let (item, within) = (self.evaluate(item)?, self.evaluate(within)?);
                let Some((held, true)) = self.contents(within) else { return Ok(Object::Any) };
                let found: Vec<Option<bool>> = held.members().into_iter().map(|other| self.same(item, other)).collect();
                if found.contains(&Some(true)) {
                    Object::Truth(!negated)
                } else if found.iter().all(|same| *same == Some(false)) {
                    Object::Truth(*negated)
                } else {
                    Object::Any
                }
            }
            What::Since(minor) => {
                let (_, lowest) = self.simulator.world.project().settings.target_version;
                if u32::from(lowest) >= *minor { Object::Truth(true) } else { Object::Any }
            }
            What::Tuple(items) | What::List(items) => self.sequence(items)?,
            What::Dict(pairs) => self.dict(pairs)?,
            What::Starred(value) => {
                self.evaluate(value)?;
                Object::Any
            }
            What::Parts(parts) => {
                self.evaluate_all(parts)?;
                Object::Any
            }
        })
    }

    fn name(&mut self, name: &'p str) -> Result<Object<'p>, Raised> {
        let module = self.module();
        if let Some(cell) = self.cell(name) {
            let is_global = cell.object.is_plain() && self.is_changed(module);
            return Ok(if is_global { Object::Any } else { cell.object });
        }
        let watched = self.is_taken(Error::Name);
        if watched && GONE.contains(&name) {
            return Err(Raised { class: Error::Name, failure: None });
        }
        let missed = self.missed(module, name).is_some();
        if !missed && !self.comes_later(module, name) || is_builtin(name) {
            return Ok(Object::Any);
        }
        let raised = self.fail(Error::Name, format!("NameError: name '{name}' is not defined"));
        if missed || !self.is_own_doing(module) {
            return Err(raised);
        }
        // What a module asks for too early by itself is not there in any order. Something may bind it that is not followed.
        if !watched { Ok(Object::Any) } else { Err(Raised { failure: None, ..raised }) }
    }

    /// Whether nothing but the code of a module itself led from its own level to here.
    fn is_own_doing(&self, module: ModuleId) -> bool {
        let mut own = self.levels.iter().rev().take_while(|l| l.module == module);
        own.any(|l| l.is_module())
    }

    pub fn attribute_of(&mut self, object: Object<'p>, name: &'p str) -> Result<Object<'p>, Raised> {
        Ok(match object {
            Object::Module(module) => self.attribute(module, name)?,
            Object::Namespace(path) => {
                let project = self.simulator.world.project();
                let root = project.module(self.module()).root;
                match project.tree.find(&format!("{path}.{name}"), root) {
                    // A folder has it as an attribute once it has run, as a package has.
                    Some(module) if self.state.status(module) == Status::Running => {
                        let error = format!(
                            "AttributeError: cannot access submodule '{name}' of module '{path}' (most likely due to a \
                             circular import)"
                        );
                        return Err(self.fail(Error::Attribute, error));
                    }
                    Some(module) if self.state.status(module) != Status::Absent => Object::Module(module),
                    _ => Object::Any,
                }
            }
            Object::Class(class) | Object::Instance(class) if self.member(class, CHANGED).is_some() => {
                let found = self.member(class, name);
                let found = if let Object::Instance(_) = object {
                    self.of_instance(found, class)?
                } else {
                    found.unwrap_or(Object::Any)
                };
                self.state.kept.choice([found, Object::Any])
            }
            Object::Class(class) => match self.member(class, name) {
                Some(Object::Wrapped(Wrapper::ClassMethod, defined)) => Object::ClassMethod(defined, class),
                Some(Object::Wrapped(Wrapper::StaticMethod, defined)) => Object::Function(defined),
                found => found.unwrap_or(Object::Any),
            },
            Object::Instance(class) => {
                let found = self.member(class, name);
                self.of_instance(found, class)?
            }
            Object::Super(class, this) => {
                let found = self.member_above(class, this, name);
                self.of_instance(found, this)?
            }
            Object::Choice(id) => {
                let one_of: Vec<Object<'p>> = self.state.kept.get(id).values().collect();
                let mut found = Vec::with_capacity(one_of.len());
                for one in one_of {
                    let outcome = self.attribute_of(one, name);
                    found.push(self.or_doubt(outcome));
                }
                self.state.kept.choice(found)
            }
            _ => Object::Any,
        })
    }

    /// What came of something that may not happen.
    pub fn or_doubt(&mut self, outcome: Result<Object<'p>, Raised>) -> Object<'p> {
        outcome.unwrap_or_else(|raised| {
            self.may_fail(raised);
            Object::Any
        })
    }

    /// What an instance of a class gives for what it finds in the class.
    fn of_instance(&mut self, found: Option<Object<'p>>, class: Space) -> Result<Object<'p>, Raised> {
        Ok(match found {
            Some(Object::Function(defined)) => Object::Method(defined, class),
            Some(Object::Wrapped(Wrapper::ClassMethod, defined)) => Object::ClassMethod(defined, class),
            Some(Object::Wrapped(Wrapper::StaticMethod, defined)) => Object::Function(defined),
            Some(Object::Wrapped(Wrapper::Property, defined)) => {
                self.call(Object::Method(defined, class), Given::default())?
            }
            found => found.unwrap_or(Object::Any),
        })
    }

    /// What Python calls by itself on an instance, if its class has it.
    pub fn special(&mut self, object: Object<'p>, name: &'p str, args: Vec<Object<'p>>) -> Result<Object<'p>, Raised> {
        match object {
            Object::Instance(class) => match self.member(class, name) {
                Some(Object::Function(defined)) => self.call(Object::Method(defined, class), Given::plain(args)),
                _ => Ok(Object::Any),
            },
            _ => Ok(Object::Any),
        }
    }

    /// The value of what may not be evaluated: its failure is none that is sure.
    pub fn perhaps_evaluated(&mut self, value: &'w Value<'p>) -> Object<'p> {
        let outcome = self.evaluate(value);
        self.or_doubt(outcome)
    }

    fn logic(&mut self, and: bool, values: &'w [Value<'p>]) -> Result<Object<'p>, Raised> {
        let mut known = true;
        let mut last = Object::Any;
        for value in values {
            let object = if known { self.evaluate(value)? } else { self.perhaps_evaluated(value) };
            match self.truth(object) {
                Some(truth) if truth != and && known => return Ok(object),
                // It is false, whatever comes before.
                Some(false) if and => return Ok(Object::Truth(false)),
                Some(truth) if truth != and => return Ok(Object::Any),
                Some(_) => {}
                None => known = false,
            }
            last = object;
        }
        Ok(if known { last } else { Object::Any })
    }

    /// `sys.modules[__name__]`.
    fn is_this_module(&self, value: &Value) -> bool {
        let What::Item(of, index) = &value.what else { return false };
        matches!(of.what, What::Attribute(_, "modules")) && matches!(index.what, What::Name("__name__"))
    }

    pub fn assign(&mut self, target: &'w Value<'p>, object: Object<'p>) -> Result<(), Raised> {
        match &target.what {
            What::Name(name) => self.bind(name, object),
            What::Tuple(items) | What::List(items) => self.unpack(items, object)?,
            What::Attribute(of, name) => match self.evaluate(of)? {
                Object::Module(module) => self.state.bind(module.0, name, object),
                Object::Class(class) => self.state.bind(class, name, object),
                Object::Instance(class) => self.keep_on_instances(class, name, object),
                _ => {}
            },
            What::Item(..) if self.is_this_module(target) => {
                self.state.bind(self.module().0, REPLACED, object);
            }
            What::Item(of, index) if is_own_names(of) => match self.evaluate(index)? {
                Object::Text(name) => self.state.bind(self.module().0, name, object),
                _ => self.state.bind(self.module().0, CHANGED, Object::Any),
            },
            What::Item(of, index) => {
                let index = self.evaluate(index)?;
                let into = self.evaluate(of)?;
                self.grow(Some(of), into, vec![(index, object)]);
                self.special(into, "__setitem__", vec![index, object])?;
            }
            What::Starred(target) => self.assign(target, Object::Any)?,
            _ => drop(self.evaluate(target)?),
        }
        Ok(())
    }

    /// What the instances of a class have is kept together.
    fn keep_on_instances(&mut self, class: Space, name: &'p str, object: Object<'p>) {
        let object = match self.member(class, name) {
            Some(known) if known == object || known == Object::Any => return,
            // The lists of all instances count as one.
            Some(known @ Object::Open(_)) if let Some((held, _)) = self.contents(object) => {
                return self.grow(None, known, held.parts.clone());
            }
            Some(Object::Choice(_)) => Object::Any,
            Some(known) => self.state.kept.choice([known, object]),
            None if object.is_plain() => return,
            None => object,
        };
        self.state.bind(class, name, object);
    }

    /// `setattr` on a class or an instance of it.
    pub fn set_on(&mut self, object: Object<'p>, name: Object<'p>, value: Object<'p>) {
        match (object, name) {
            (Object::Class(class), Object::Text(name)) => self.state.bind(class, name, value),
            (Object::Instance(class), Object::Text(name)) => self.keep_on_instances(class, name, value),
            // Any of its attributes may be another now.
            (Object::Class(class) | Object::Instance(class), _) => self.state.bind(class, CHANGED, Object::Any),
            _ => {}
        }
    }

    fn unpack(&mut self, targets: &'w [Value<'p>], object: Object<'p>) -> Result<(), Raised> {
        let parts = self.contents(object).filter(|(_, sure)| *sure).map_or_else(Vec::new, |(held, _)| held.members());
        let starred = targets.iter().any(|target| matches!(target.what, What::Starred(_)));
        let known = parts.len() == targets.len() && !starred;
        for (at, target) in targets.iter().enumerate() {
            self.assign(target, if known { parts[at] } else { Object::Any })?;
        }
        Ok(())
    }

    pub fn delete(&mut self, target: &'w Value<'p>) -> Result<(), Raised> {
        match &target.what {
            What::Name(name) => {
                let space = self.binds_in(self.space(), name);
                self.state.set(space, name, None);
            }
            What::Attribute(of, name) => {
                if let Object::Module(module) = self.evaluate(of)? {
                    self.take_away(module, name)?;
                }
            }
            _ => drop(self.evaluate(target)?),
        }
        Ok(())
    }

    /// Whether the names of a module may have been bound in ways that are not followed.
    pub fn is_changed(&self, module: ModuleId) -> bool {
        self.state.get(module.0, CHANGED).is_some()
    }

    /// A module of the project, by its name.
    pub fn find(&self, name: &str) -> Option<ModuleId> {
        let project = self.simulator.world.project();
        project.tree.find(name, project.module(self.module()).root)
    }

    /// A module in `sys.modules`, by its name.
    fn loaded(&self, name: &str) -> Option<ModuleId> {
        let found = self.find(name)?;
        (self.state.status(found) != Status::Absent).then_some(found)
    }

    fn import_call(&mut self, site: usize) -> Result<Object<'p>, Raised> {
        let world = self.simulator.world;
        let module = self.module();
        let found = world.graph.site(module, site);
        let Some(target) = world.graph.targets[module.index()][site] else {
            self.risky = true;
            return Ok(Object::Any);
        };
        self.load(target.module)?;
        // `__import__("a.b")` gives `a`.
        let call = found.stmt.of(world.project().text(module));
        if call.split('(').next().is_some_and(|function| function.ends_with("__import__")) {
            return Ok(self.top(module, found.module));
        }
        Ok(if target.is_module { Object::Module(target.module) } else { Object::Any })
    }
}

/// `globals()` and its like.
pub fn is_own_names(value: &Value) -> bool {
    let What::Call { function, args } = &value.what else { return false };
    args.is_empty() && matches!(function.what, What::Name("globals" | "locals" | "vars"))
}
