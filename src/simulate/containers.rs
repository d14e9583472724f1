//! Displays, what is taken out of them, and the methods of lists and dictionaries.

use super::arguments::Given;
use super::held::{Held, HeldId, Shape};
use super::run::{Raised, Run};
use super::state::Object;
use crate::names::body::{Value, What};

/// Functions of Python's own that give what they take, in the same order or another.
const SAME_PARTS: [&str; 8] = ["list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "deque"];

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// A list, tuple or set.
    pub fn sequence(&mut self, items: &'w [Value<'p>]) -> Result<Object<'p>, Raised> {
        let mut parts = Vec::with_capacity(items.len());
        let mut open = false;
        for item in items {
            match &item.what {
                What::Starred(spread) => match self.evaluate(spread)? {
                    Object::Held(id) => {
                        let held = self.state.kept.get(id);
                        open |= held.open;
                        parts.extend(held.members());
                    }
                    _ => open = true,
                },
                _ => parts.push(self.evaluate(item)?),
            }
        }
        Ok(self.state.held(parts, open))
    }

    pub fn dict(&mut self, pairs: &'w [(Option<Value<'p>>, Value<'p>)]) -> Result<Object<'p>, Raised> {
        let mut held = Held { shape: Shape::Dict, open: false, parts: Vec::with_capacity(pairs.len()) };
        for (key, value) in pairs {
            match key {
                Some(key) => {
                    let key = self.evaluate(key)?;
                    held.parts.push((key, self.evaluate(value)?));
                }
                None => match self.evaluate(value)? {
                    Object::Held(id) => {
                        let spread = self.state.kept.get(id);
                        held.open |= spread.open;
                        held.parts.extend(spread.parts.iter().copied());
                    }
                    _ => held.open = true,
                },
            }
        }
        Ok(self.state.kept.keep(held))
    }

    /// What is bound to a name may be given more by code that is not followed.
    pub fn opened(&mut self, value: &Value<'p>, object: Object<'p>) -> Object<'p> {
        match object {
            Object::Held(id) if !matches!(value.what, What::Tuple(_)) => {
                let held = self.state.kept.get(id);
                if held.open { object } else { self.state.kept.keep(Held { open: true, ..(*held).clone() }) }
            }
            object => object,
        }
    }

    /// `held[index]`.
    pub fn item(&mut self, id: HeldId, index: Object<'p>) -> Object<'p> {
        let held = self.state.kept.get(id);
        held.at(index).unwrap_or_else(|| {
            let unknown = held.open.then_some(Object::Any);
            self.state.kept.choice(held.values().chain(unknown))
        })
    }

    /// Calls a method of what `of` evaluates to; nothing if it is no method that is known.
    pub fn method_of_held(
        &mut self,
        of: &'w Value<'p>,
        id: HeldId,
        method: &str,
        given: &Given<'p>,
    ) -> Result<Option<Object<'p>>, Raised> {
        let held = self.state.kept.get(id);
        let dict = held.shape == Shape::Dict;
        let added = match (method, given.plain.as_slice()) {
            ("append" | "add" | "appendleft", [part]) | ("insert", [_, part]) => vec![(Object::Any, *part)],
            ("setdefault", [key, part]) => vec![(*key, *part)],
            ("extend" | "update", [Object::Held(more)]) => self.state.kept.get(*more).parts.clone(),
            ("get" | "pop" | "popleft", [index, default @ ..]) => {
                let default = default.first().copied().or(Some(Object::None).filter(|_| method == "get"));
                let found = held.at(*index);
                return Ok(Some(found.unwrap_or_else(|| {
                    let found = self.item(id, *index);
                    self.state.kept.choice(default.into_iter().chain([found]))
                })));
            }
            ("pop" | "popleft", []) => return Ok(Some(self.item(id, Object::Any))),
            ("values", []) => return Ok(Some(self.state.held(held.values().collect(), held.open))),
            ("keys", []) => return Ok(Some(self.state.held(held.members(), held.open))),
            ("items", []) if dict => {
                let pairs = held.parts.iter().map(|(key, value)| self.state.held(vec![*key, *value], false)).collect();
                return Ok(Some(self.state.held(pairs, held.open)));
            }
            ("copy", []) => return Ok(Some(Object::Held(id))),
            _ => return Ok(None),
        };
        self.grow(of, id, added)?;
        let gives_back = method == "setdefault";
        Ok(Some(if gives_back { given.plain[1] } else { Object::None }))
    }

    /// Adds to what a name or attribute stands for.
    pub fn grow(&mut self, of: &'w Value<'p>, id: HeldId, added: Vec<(Object<'p>, Object<'p>)>) -> Result<(), Raised> {
        let held = self.state.kept.get(id);
        let new: Vec<_> = added.into_iter().filter(|part| !part.1.is_plain() && !held.parts.contains(part)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let parts = held.parts.iter().copied().chain(new).collect();
        let grown = self.state.kept.keep(Held { shape: held.shape, open: true, parts });
        match &of.what {
            What::Name(name) => {
                if let Some(space) = self.state.owner(self.space(), name) {
                    self.state.bind(space, name, grown);
                }
                Ok(())
            }
            What::Attribute(..) => self.assign(of, grown),
            _ => Ok(()),
        }
    }

    /// What a function of Python's own gives for what it takes.
    pub fn same_parts(&mut self, name: &str, plain: &[Object<'p>]) -> Option<Object<'p>> {
        match (name, plain) {
            ("enumerate", [Object::Held(id), ..]) => {
                let held = self.state.kept.get(*id);
                let pairs =
                    held.members().into_iter().map(|part| self.state.held(vec![Object::Any, part], false)).collect();
                Some(self.state.held(pairs, held.open))
            }
            (name, [Object::Held(id)]) if SAME_PARTS.contains(&name) => {
                let held = self.state.kept.get(*id);
                Some(self.state.held(held.members(), held.open))
            }
            ("dict", [same @ Object::Held(_)]) => Some(*same),
            _ => None,
        }
    }

    /// Whether two objects are the same, if that is known.
    pub fn same(&self, one: Object<'p>, other: Object<'p>) -> Option<bool> {
        use Object::{Any, Choice, Held, Instance};
        match (one, other) {
            (Instance(_), Object::None) | (Object::None, Instance(_)) => Some(false),
            (Any | Instance(_) | Choice(_), _) | (_, Any | Instance(_) | Choice(_)) => None,
            (Held(one), Held(other)) => {
                let (one, other) = (self.state.kept.get(one), self.state.kept.get(other));
                if one.open || other.open || one.shape != other.shape {
                    return None;
                }
                if one.parts.len() != other.parts.len() {
                    return Some(false);
                }
                let mut all = Some(true);
                for ((key, value), (other_key, other_value)) in one.parts.iter().zip(&other.parts) {
                    let keys = if *key == Any && *other_key == Any { Some(true) } else { self.same(*key, *other_key) };
                    match (keys, self.same(*value, *other_value)) {
                        (Some(false), _) | (_, Some(false)) => return Some(false),
                        (Some(true), Some(true)) => {}
                        _ => all = None,
                    }
                }
                all
            }
            (one, other) => Some(one == other),
        }
    }
}
