//! What functions of Python's own do with modules, classes, objects and lists.

use super::arguments::Given;
use super::run::{Raised, Run};
use super::state::Object;

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
    /// What functions of Python's own give that look into modules, classes and lists.
    pub fn built_in(&mut self, name: &str, given: &Given<'p>) -> Result<Option<Object<'p>>, Raised> {
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
            ("len", [object]) => {
                self.contents(*object).filter(|(_, sure)| *sure).map(|(held, _)| Object::number(held.parts.len()))
            }
            ("setattr", [object @ (Object::Class(_) | Object::Instance(_)), name, value]) => {
                self.set_on(*object, *name, *value);
                None
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
}
