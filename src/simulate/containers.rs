//! Displays, what is taken out of them, and the methods of lists and dictionaries.

use std::sync::Arc;

use super::arguments::Given;
use super::held::{Held, Shape};
use super::run::{Raised, Run};
use super::state::Object;
use crate::names::body::{Value, What};

/// Under which a list or dictionary that has a name keeps what it holds.
pub const CONTENTS: &str = "<contents>";

/// Functions of Python's own that give what they take, in any order.
const SAME_PARTS: [&str; 7] = ["list", "tuple", "set", "frozenset", "sorted", "iter", "deque"];

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    /// What something holds, and whether it holds just that.
    pub fn contents(&self, object: Object<'p>) -> Option<(Arc<Held<'p>>, bool)> {
        let (id, sure) = match object {
            Object::Held(id) => (id, true),
            Object::Open(space) => match self.state.get(space, CONTENTS)?.object {
                Object::Held(id) => (id, false),
                _ => return None,
            },
            _ => return None,
        };
        let held = self.state.kept.get(id);
        let sure = sure && !held.open;
        Some((held, sure))
    }

    /// A list, tuple or set.
    pub fn sequence(&mut self, items: &'w [Value<'p>]) -> Result<Object<'p>, Raised> {
        let mut parts = Vec::with_capacity(items.len());
        let mut open = false;
        for item in items {
            match &item.what {
                What::Starred(spread) => {
                    let spread = self.evaluate(spread)?;
                    match self.contents(spread) {
                        Some((held, sure)) => {
                            open |= !sure;
                            parts.extend(held.members());
                        }
                        None => open = true,
                    }
                }
                _ => parts.push(self.evaluate(item)?),
            }
        }
        Ok(self.state.held(parts, open))
    }

    pub fn dict(&mut self, pairs: &'w [(Option<Value<'p>>, Value<'p>)]) -> Result<Object<'p>, Raised> {
        let mut dict = Held { shape: Shape::Dict, open: false, parts: Vec::with_capacity(pairs.len()) };
        for (key, value) in pairs {
            match key {
                Some(key) => {
                    let key = self.evaluate(key)?;
                    dict.parts.push((key, self.evaluate(value)?));
                }
                None => {
                    let spread = self.evaluate(value)?;
                    match self.contents(spread) {
                        Some((held, sure)) => {
                            dict.open |= !sure;
                            dict.parts.extend(held.parts.iter().copied());
                        }
                        None => dict.open = true,
                    }
                }
            }
        }
        Ok(self.state.kept.keep(dict))
    }

    /// What has a name may be changed by whoever knows it, save a tuple.
    pub fn opened(&mut self, value: &Value<'p>, object: Object<'p>) -> Object<'p> {
        if !matches!(object, Object::Held(_)) || matches!(value.what, What::Tuple(_)) {
            return object;
        }
        let space = self.state.open(self.space(), false);
        self.state.bind(space, CONTENTS, object);
        Object::Open(space)
    }

    /// `object[index]` of what holds something.
    pub fn item(&mut self, (held, sure): &(Arc<Held<'p>>, bool), index: Object<'p>) -> Object<'p> {
        let unknown = (!sure).then_some(Object::Any);
        match held.at(index) {
            Some(found) => self.state.kept.choice(std::iter::once(found).chain(unknown)),
            None => self.state.kept.choice(held.values().chain(unknown)),
        }
    }

    /// Calls a method of a list, set or dictionary, found by `of`; nothing if it is no method that is known.
    pub fn method_of_held(
        &mut self,
        of: &'w Value<'p>,
        object: Object<'p>,
        method: &str,
        given: &Given<'p>,
    ) -> Result<Option<Object<'p>>, Raised> {
        let Some(contents) = self.contents(object) else { return Ok(None) };
        let (held, sure) = &contents;
        let added = match (method, given.plain.as_slice()) {
            ("append" | "add" | "appendleft", [part]) | ("insert", [_, part]) => vec![(Object::Any, *part)],
            ("setdefault", [key, part]) => vec![(*key, *part)],
            ("extend" | "update", [more]) => self.contents(*more).map_or_else(Vec::new, |(more, _)| more.parts.clone()),
            ("get", [index, default @ ..]) => {
                let found = self.item(&contents, *index);
                let default = default.first().copied().unwrap_or(Object::None);
                let is_there = *sure && held.at(*index).is_some();
                return Ok(Some(if is_there { found } else { self.state.kept.choice([default, found]) }));
            }
            ("pop" | "popleft" | "popitem", given) => {
                let index = given.first().copied().unwrap_or(Object::Any);
                let found = self.item(&contents, index);
                self.loosen(Some(of), object);
                return Ok(Some(self.state.kept.choice(given.get(1).copied().into_iter().chain([found]))));
            }
            ("clear" | "remove" | "discard" | "sort" | "reverse", _) => {
                self.loosen(Some(of), object);
                Vec::new()
            }
            ("values", []) => return Ok(Some(self.state.held(held.values().collect(), !sure))),
            ("keys" | "copy", []) if held.shape == Shape::Sequence || method == "keys" => {
                return Ok(Some(self.state.held(held.members(), !sure)));
            }
            ("copy", []) => return Ok(Some(self.state.kept.keep(held.known_as(*sure)))),
            ("items", []) if held.shape == Shape::Dict => {
                let pairs = held.parts.iter().map(|(key, value)| self.state.held(vec![*key, *value], false)).collect();
                return Ok(Some(self.state.held(pairs, !sure)));
            }
            _ => return Ok(None),
        };
        self.grow(Some(of), object, added);
        let gives_back = method == "setdefault";
        Ok(Some(if gives_back { self.state.kept.choice([given.plain[1], Object::Any]) } else { Object::None }))
    }

    /// Adds to what something holds.
    pub fn grow(&mut self, of: Option<&'w Value<'p>>, object: Object<'p>, added: Vec<(Object<'p>, Object<'p>)>) {
        let Some((held, _)) = self.contents(object) else { return };
        let new: Vec<_> = added.into_iter().filter(|part| !part.1.is_plain() && !held.parts.contains(part)).collect();
        if !new.is_empty() {
            let parts = held.parts.iter().copied().chain(new).collect();
            let grown = self.state.kept.keep(Held { shape: held.shape, open: true, parts });
            self.hold(of, object, grown);
        } else {
            self.loosen(of, object);
        }
    }

    /// What something holds is no longer sure.
    fn loosen(&mut self, of: Option<&'w Value<'p>>, object: Object<'p>) {
        if let Some((held, true)) = self.contents(object) {
            let loose = self.state.kept.keep(held.known_as(false));
            self.hold(of, object, loose);
        }
    }

    fn hold(&mut self, of: Option<&'w Value<'p>>, object: Object<'p>, held: Object<'p>) {
        match (object, of.map(|of| &of.what)) {
            (Object::Open(space), _) => self.state.bind(space, CONTENTS, held),
            // An argument that was written on the spot: its parameter is the only name that it has.
            (_, Some(What::Name(name))) => {
                if let Some(space) = self.state.owner(self.space(), name) {
                    self.state.bind(space, name, held);
                }
            }
            _ => {}
        }
    }

    /// What a function of Python's own gives for what it takes.
    pub fn same_parts(&mut self, name: &str, plain: &[Object<'p>]) -> Option<Object<'p>> {
        let (held, sure) = self.contents(*plain.first()?)?;
        match name {
            "enumerate" => {
                let pairs =
                    held.members().into_iter().map(|part| self.state.held(vec![Object::Any, part], false)).collect();
                Some(self.state.held(pairs, !sure))
            }
            name if plain.len() == 1 && SAME_PARTS.contains(&name) => Some(self.state.held(held.members(), !sure)),
            "dict" if plain.len() == 1 => Some(self.state.kept.keep(held.known_as(sure))),
            _ => None,
        }
    }

    /// Whether two objects are the same, if that is known.
    pub fn same(&self, one: Object<'p>, other: Object<'p>) -> Option<bool> {
        use Object::{Any, Choice, Held, Instance, Open};
        match (one, other) {
            (Instance(_) | Open(_), Object::None) | (Object::None, Instance(_) | Open(_)) => Some(false),
            (Any | Instance(_) | Choice(_) | Open(_), _) | (_, Any | Instance(_) | Choice(_) | Open(_)) => None,
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
