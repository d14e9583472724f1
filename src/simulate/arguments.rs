//! What a call hands over, and what the parameters of a function become by it.

use super::held::{Held, Shape};
use super::run::{Raised, Run};
use super::state::{Object, Space};
use crate::names::body::{Callable, Param, Value, What};

/// What a call hands over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Given<'p> {
    pub plain: Vec<Object<'p>>,
    pub named: Vec<(&'p str, Object<'p>)>,
    /// Whether there may be more than is known.
    pub more: bool,
}

impl<'p> Given<'p> {
    pub fn plain(plain: Vec<Object<'p>>) -> Self {
        Self { plain, ..Self::default() }
    }

    /// These first, and nobody knows what else.
    pub fn at_least(plain: Vec<Object<'p>>) -> Self {
        Self { plain, more: true, ..Self::default() }
    }

    /// The same, whatever the numbers and texts are.
    pub fn forgotten(mut self) -> Self {
        let all = self.plain.iter_mut().chain(self.named.iter_mut().map(|(_, object)| object));
        all.filter(|object| object.is_plain()).for_each(|object| *object = Object::Any);
        self
    }

    /// With an object before all others.
    pub fn after(&self, first: Object<'p>) -> Self {
        let plain = std::iter::once(first).chain(self.plain.iter().copied()).collect();
        Self { plain, ..self.clone() }
    }
}

impl<'s, 'w: 's, 'p: 'w> Run<'s, 'w, 'p> {
    pub fn given(&mut self, args: &'w [(Option<&'p str>, Value<'p>)]) -> Result<Given<'p>, Raised> {
        let mut given = Given::default();
        for (keyword, value) in args {
            match (keyword, &value.what) {
                (Some(keyword), _) => given.named.push((*keyword, self.evaluate(value)?)),
                (None, What::Starred(spread)) => {
                    let spread = self.evaluate(spread)?;
                    match self.contents(spread) {
                        Some((held, true)) => spread_out(&held, &mut given),
                        _ => given.more = true,
                    }
                }
                (None, _) => {
                    let object = self.evaluate(value)?;
                    // Nobody knows at which place it comes.
                    given.plain.push(if given.more { Object::Any } else { object });
                }
            }
        }
        Ok(given)
    }

    /// Binds the parameters of a function.
    pub fn hand_over(&mut self, callable: &'w Callable<'p>, given: &Given<'p>, space: Space) {
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

    /// What a parameter is that nothing is given for. The name may have stood for something else where the function was
    /// defined.
    fn default_of(&mut self, default: &Value<'p>, space: Space) -> Object<'p> {
        match &default.what {
            What::Text(text) => Object::Text(text),
            What::Truth(truth) => Object::Truth(*truth),
            What::Number(number) => Object::Number(*number),
            What::None => Object::None,
            What::Name(name) => {
                let now = self.state.find(space, name).map(|cell| cell.object);
                self.state.kept.choice(now.into_iter().chain([Object::Any]))
            }
            _ => Object::Any,
        }
    }
}

fn spread_out<'p>(held: &Held<'p>, given: &mut Given<'p>) {
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
