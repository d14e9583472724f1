//! What lists, tuples and dictionaries hold, as far as it is known. What is held is a value. A list or dictionary that has a
//! name is a place that keeps such a value: what was put there may be there still, and nothing is sure.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::state::Object;

/// What something holds, by its number.
pub type HeldId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    Sequence,
    Dict,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Held<'p> {
    pub shape: Shape,
    /// Whether there may be more in it than is known.
    pub open: bool,
    /// With their keys, in a dictionary.
    pub parts: Vec<(Object<'p>, Object<'p>)>,
}

/// Parts of a display that are told apart.
const MOST: usize = 64;

/// Parts that are told apart where none of them is anything that runs or has names.
const MOST_OF_PLAIN: usize = 16;

impl<'p> Held<'p> {
    pub fn sequence(parts: Vec<Object<'p>>, open: bool) -> Self {
        let parts = parts.into_iter().map(|part| (Object::Any, part)).collect();
        Self { shape: Shape::Sequence, open, parts }
    }

    /// The same parts, and whether there are no others for sure.
    pub fn known_as(&self, sure: bool) -> Self {
        Self { open: !sure, ..self.clone() }
    }

    /// Whether it is worth keeping, and not too much.
    fn is_kept(&self) -> bool {
        let most = if self.parts.iter().all(|(_, part)| part.is_plain()) { MOST_OF_PLAIN } else { MOST };
        self.parts.len() <= most
    }

    pub fn values(&self) -> impl Iterator<Item = Object<'p>> {
        self.parts.iter().map(|(_, value)| *value)
    }

    /// What a loop over it gets.
    pub fn members(&self) -> Vec<Object<'p>> {
        match self.shape {
            Shape::Sequence => self.values().collect(),
            Shape::Dict => self.parts.iter().map(|(key, _)| *key).collect(),
        }
    }

    /// What stands at an index or key; nothing where that is not known.
    pub fn at(&self, index: Object<'p>) -> Option<Object<'p>> {
        match (self.shape, index) {
            (Shape::Sequence, Object::Truth(second)) => self.parts.get(usize::from(second)).map(|(_, value)| *value),
            (Shape::Sequence, Object::Number(at)) => {
                usize::try_from(at).ok().and_then(|at| self.parts.get(at)).map(|(_, value)| *value)
            }
            (Shape::Dict, Object::Text(_)) => self.parts.iter().rev().find(|(key, _)| *key == index).map(|(_, v)| *v),
            _ => None,
        }
    }
}

/// All that something holds, each once.
#[derive(Clone, Debug, Default)]
pub struct Kept<'p> {
    all: Vec<Arc<Held<'p>>>,
    known: FxHashMap<Arc<Held<'p>>, HeldId>,
}

impl<'p> Kept<'p> {
    pub fn get(&self, id: HeldId) -> Arc<Held<'p>> {
        Arc::clone(&self.all[id as usize])
    }

    /// Nothing is known of what is too much to keep.
    pub fn keep(&mut self, held: Held<'p>) -> Object<'p> {
        if held.is_kept() { Object::Held(self.number(held)) } else { Object::Any }
    }

    /// What is one of several; those of which nothing is known stand for nothing else.
    pub fn choice(&mut self, objects: impl IntoIterator<Item = Object<'p>>) -> Object<'p> {
        let mut parts: Vec<Object<'p>> = Vec::new();
        for object in objects {
            match object {
                Object::Choice(id) => parts.extend(self.get(id).values()),
                object => parts.push(object),
            }
        }
        let mut seen = Vec::with_capacity(parts.len());
        parts.retain(|part| {
            let is_new = !seen.contains(part);
            seen.push(*part);
            is_new
        });
        match parts.as_slice() {
            [only] => *only,
            parts if parts.iter().all(Object::is_plain) || parts.len() > MOST_OF_PLAIN => Object::Any,
            _ => Object::Choice(self.number(Held::sequence(parts, false))),
        }
    }

    fn number(&mut self, held: Held<'p>) -> HeldId {
        if let Some(id) = self.known.get(&held) {
            return *id;
        }
        let held = Arc::new(held);
        self.all.push(Arc::clone(&held));
        let id = self.all.len() as HeldId - 1;
        self.known.insert(held, id);
        id
    }
}
