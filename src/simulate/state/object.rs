//! What names stand for.

use super::Space;
use crate::project::ModuleId;
use crate::simulate::held::HeldId;

/// What of its file the program was made from that an index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Text {
    /// All of it, or its outline.
    Own,
    /// The function whose `def` stands at this place.
    Function(usize),
}

/// A function as it was defined: with the namespace around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Defined {
    pub module: ModuleId,
    pub text: Text,
    pub index: u32,
    pub outer: Space,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object<'p> {
    /// Not known, or nothing that imports can depend on.
    Any,
    Module(ModuleId),
    /// A folder without an `__init__.py`, by its dotted name.
    Namespace(&'p str),
    Function(Defined),
    /// A class, by the namespace of its body; and an instance of it.
    Class(Space),
    Instance(Space),
    /// A function taken from an instance, and a class method of a class.
    Method(Defined, Space),
    ClassMethod(Defined, Space),
    /// What a class keeps of a method that is more than a function.
    Wrapped(Wrapper, Defined),
    /// A function of which some arguments are given already.
    Partial(Defined),
    /// A list, tuple, set or dictionary that nobody has changed, by what it holds; one that anybody may change, by the
    /// namespace that keeps what it was given; and one of several objects.
    Held(HeldId),
    Open(Space),
    Choice(HeldId),
    /// What `super()` gives: the class whose method it stands in, and that of the object.
    Super(Space, Space),
    Text(&'p str),
    Truth(bool),
    Number(i64),
    None,
}

impl Object<'_> {
    pub fn is_callable(&self) -> bool {
        use Object::{Class, ClassMethod, Function, Method, Partial, Wrapped};
        matches!(
            self,
            Function(_) | Partial(_) | Class(_) | Method(..) | ClassMethod(..) | Wrapped(Wrapper::StaticMethod, _)
        )
    }

    /// A count.
    pub fn number(count: usize) -> Self {
        match count {
            0 | 1 => Self::Truth(count == 1),
            _ => i64::try_from(count).map_or(Self::Any, Self::Number),
        }
    }

    /// Whether it is an instance of a class of Python's own, by the name of that, if it is known.
    pub fn is_built_in(&self, class: &str) -> Option<bool> {
        let own = match self {
            Self::Text(_) => "str",
            Self::Truth(_) | Self::Number(_) => "int",
            Self::None | Self::Function(_) | Self::Module(_) | Self::Class(_) => "",
            Self::Held(_) | Self::Open(_) => {
                return matches!(class, "str" | "bytes" | "int" | "float" | "bool").then_some(false);
            }
            _ => return None,
        };
        let is_known = matches!(class, "str" | "bytes" | "int" | "float" | "list" | "dict" | "tuple" | "set");
        is_known.then_some(own == class)
    }

    /// Whether it neither runs anything nor has names.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Any | Self::Text(_) | Self::Truth(_) | Self::Number(_) | Self::None)
    }
}

/// What a method was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrapper {
    ClassMethod,
    StaticMethod,
    Property,
}

impl Wrapper {
    /// By the name of the decorator.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "classmethod" => Some(Self::ClassMethod),
            "staticmethod" => Some(Self::StaticMethod),
            "property" | "cached_property" => Some(Self::Property),
            _ => None,
        }
    }
}
