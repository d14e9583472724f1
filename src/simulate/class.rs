//! Classes: what their definition runs, what making an instance runs, and what is found in them.

use std::sync::Arc;

use super::arguments::Given;
use super::held::Held;
use super::run::{Level, Raised, Run, Stop};
use super::state::{Object, Space};

/// Under which a class keeps the classes that are asked for what it has, and its metaclass.
const ORDER: &str = "<order>";
const METACLASS: &str = "<metaclass>";

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// Makes an instance of a class.
    pub fn make(&mut self, class: Space, given: &Given<'p>) -> Result<Object<'p>, Raised> {
        if let Some(Object::Class(meta)) = self.member(class, METACLASS)
            && let Some(Object::Function(call)) = self.member(meta, "__call__")
        {
            let made = self.invoke(call, given.after(Object::Class(class)))?;
            if made != Object::Any {
                return Ok(made);
            }
        }
        if let Some(Object::Function(new) | Object::Wrapped(_, new)) = self.member(class, "__new__") {
            let made = self.invoke(new, given.after(Object::Class(class)))?;
            if !matches!(made, Object::Any | Object::Choice(_)) && made != Object::Instance(class) {
                return Ok(made);
            }
        }
        match (self.member(class, "__init__"), self.member(class, "__post_init__")) {
            (Some(Object::Function(initializer)), _) => {
                self.invoke(initializer, given.after(Object::Instance(class)))?;
            }
            // A data class calls it, unless it is told not to.
            (None, Some(Object::Function(initializer))) => {
                let outcome = self.invoke(initializer, Given::at_least(vec![Object::Instance(class)]));
                self.or_doubt(outcome);
            }
            _ => {}
        }
        Ok(Object::Instance(class))
    }

    /// Runs the body of a class and what its bases do when they are extended.
    pub fn create_class(&mut self, index: u32) -> Result<(&'p str, Object<'p>), Raised> {
        let module = self.module();
        let text = self.text();
        let class = &self.program(module, text).classes[index as usize];
        let bases = self.evaluate_all(&class.bases)?;
        let metaclass = class.metaclass.as_ref().map(|m| self.evaluate(m)).transpose()?;
        let space = self.state.open(self.space(), true);
        if !bases.is_empty() {
            let order = self.merged(space, &bases);
            let order = self.state.held(order, false);
            self.state.bind(space, ORDER, order);
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
        for (name, object) in self.state.instances(space) {
            self.special(object, "__set_name__", vec![Object::Class(space), Object::Text(name)])?;
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

    /// What a class or one of those that it extends binds.
    pub fn member(&self, class: Space, name: &'p str) -> Option<Object<'p>> {
        if let Some(cell) = self.state.get(class, name) {
            return Some(cell.object);
        }
        self.member_above(class, class, name)
    }

    /// What comes after a class in the order of those that the class of an object extends.
    pub fn member_above(&self, class: Space, this: Space, name: &'p str) -> Option<Object<'p>> {
        let is_in = |order: &Arc<Held<'p>>| order.values().any(|other| other == Object::Class(class));
        let order = self.order(this).filter(is_in).or_else(|| self.order(class))?;
        let after = order.values().skip_while(|other| *other != Object::Class(class)).skip(1);
        let mut found = after.filter_map(|other| match other {
            Object::Class(other) => self.state.get(other, name),
            _ => None,
        });
        found.next().map(|cell| cell.object)
    }

    /// The classes that are asked for what a class has, itself the first; nothing if it extends none.
    fn order(&self, class: Space) -> Option<Arc<Held<'p>>> {
        match self.state.get(class, ORDER)?.object {
            Object::Held(id) => Some(self.state.kept.get(id)),
            _ => None,
        }
    }

    /// The order of a new class (C3, `mro_implementation` of CPython).
    fn merged(&self, class: Space, bases: &[Object<'p>]) -> Vec<Object<'p>> {
        let of = |base: &Object<'p>| match base {
            Object::Class(space) => {
                Some(self.order(*space).map_or_else(|| vec![*base], |order| order.values().collect()))
            }
            _ => None,
        };
        let mut lists: Vec<Vec<Object<'p>>> = bases.iter().filter_map(of).collect();
        lists.push(lists.iter().map(|list| list[0]).collect());
        let mut out = vec![Object::Class(class)];
        loop {
            lists.retain(|list| !list.is_empty());
            let mut heads = lists.iter().map(|list| list[0]);
            let is_free = |head: &Object| lists.iter().all(|list| !list[1..].contains(head));
            // Where there is no such order, Python refuses the class.
            let Some(next) = heads.clone().find(is_free).or_else(|| heads.next()) else { return out };
            out.push(next);
            lists.iter_mut().for_each(|list| list.retain(|other| *other != next));
        }
    }
}
