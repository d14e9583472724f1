//! Classes: what their definition runs, what making an instance runs, and what is found in them.

use super::arguments::Given;
use super::call::DEPTH;
use super::run::{Level, Raised, Run, Stop};
use super::state::{Object, Space};

/// Names under which a class keeps what it was made of.
const BASES: [&str; 8] =
    ["<base 0>", "<base 1>", "<base 2>", "<base 3>", "<base 4>", "<base 5>", "<base 6>", "<base 7>"];
const METACLASS: &str = "<metaclass>";

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// Makes an instance of a class.
    pub fn make(&mut self, class: Space, given: &Given<'p>) -> Result<Object<'p>, Raised> {
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
