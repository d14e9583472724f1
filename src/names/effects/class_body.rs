//! Statements in the body of a class whose names the body itself binds.

use super::code::Run;
use super::objects::is_made;
use super::{Changed, Effect, What, classes, sources_of, touched_by_name};
use crate::names::scope::{Binding, ClassId, FileNames, Reference};
use crate::names::{Bound, World};
use crate::project::ModuleId;
use crate::syntax::Span;

/// What a statement of a class body changes, where the name that it starts from is bound in that body; `None` where it is not.
pub(super) fn touched_in_class(world: World, module: ModuleId, effect: &Effect) -> Option<Changed> {
    let name = effect.what.reference()?;
    let bindings = bound_around(world.names.file(module), effect.span, name.name)?;
    let one = |binding: &Binding| match (&effect.what, binding.what) {
        // `@name.setter` and its like make something of a property.
        (What::Decorator(..), Bound::Function(_)) if !name.attributes.is_empty() => Changed::nothing(),
        (What::Item(_), Bound::Function(_) | Bound::Class(_) | Bound::Import(_)) => Changed::nothing(),
        (What::Store(_), Bound::Function(_) | Bound::Class(_)) => Changed::of(module),
        (What::Decorator(_, calls), Bound::Function(id)) => {
            Run::new(world).function_decorates(module, id, *calls, (module, effect.span))
        }
        (What::Call(_) | What::BoundCall(_) | What::UsedCall(_), Bound::Function(id)) => {
            Run::new(world).function(module, id)
        }
        (What::Base(_), Bound::Class(class)) if name.attributes.is_empty() => {
            classes::class_keeps_track(world, module, name.name, class, 16)
        }
        // A call gives something new, as far as can be seen.
        (What::Grown(_), Bound::Value) if is_made(world, module, binding) => Changed::nothing(),
        // What is added is not what grows.
        (What::Grown(_), Bound::Value) if is_grown(world.project().text(module), binding) => Changed::nothing(),
        (What::Grown(_), Bound::Value) => sources_of(world, module, &binding.from),
        (What::Grown(_), Bound::Function(_) | Bound::Class(_)) => Changed::nothing(),
        (What::Store(_), Bound::Value) => Changed::of(module).and(sources_of(world, module, &binding.from)),
        (What::Call(_), Bound::Value) if !name.attributes.is_empty() => {
            Changed::of(module).and(sources_of(world, module, &binding.from))
        }
        // Another name for something: `handler = Base.handler`.
        (_, Bound::Value) => match binding.from.as_slice() {
            [from] if from.name != name.name => {
                let mut path = from.clone();
                path.attributes.extend(&name.attributes);
                touched_by_name(world, module, &Effect { what: effect.what.with(path), ..effect.clone() })
            }
            _ if matches!(effect.what, What::BoundCall(_) | What::UsedCall(_) | What::Item(_)) => Changed::nothing(),
            _ => Changed::anything(),
        },
        (_, Bound::Declared) => Changed::nothing(),
        _ => Changed::anything(),
    };
    Some(Changed::all(bindings.iter().map(one)))
}

/// Whether a binding is that of `name += …`.
fn is_grown(text: &str, binding: &Binding) -> bool {
    text[binding.span.end..].trim_start().starts_with(['+', '-', '*', '/', '%', '&', '|', '^', '@', '<', '>'])
}

/// The bindings of a name in the innermost class body around a statement.
fn bound_around<'f, 'a>(file: &'f FileNames<'a>, at: Span, name: &str) -> Option<&'f [Binding<'a>]> {
    let around = file.classes.iter().filter(|class| class.span != at && class.span.contains(at));
    let class = around.max_by_key(|class| class.span.start)?;
    let bindings = file.scope(class.scope).bindings.get(name)?;
    // `type: str` alone leaves the name as it is outside.
    bindings.iter().any(|b| b.what != Bound::Declared).then_some(bindings)
}

/// The class that a body binds to a name.
pub(super) fn nested(file: &FileNames, class: ClassId, name: &str) -> Option<ClassId> {
    let bindings = file.scope(file.class(class).scope).bindings.get(name)?;
    bindings.iter().find_map(|b| if let Bound::Class(found) = b.what { Some(found) } else { None })
}

impl<'a> What<'a> {
    /// The dotted name that it starts from.
    pub(super) fn reference(&self) -> Option<&Reference<'a>> {
        match self {
            Self::Call(found) | Self::Decorator(found, _) | Self::Base(found) => found.as_ref(),
            Self::Metaclass(found) | Self::Store(found) | Self::Item(found) => found.as_ref(),
            Self::BoundCall(found) | Self::UsedCall(found) | Self::Grown(found) => Some(found),
            Self::Lambda(_) | Self::Other => None,
        }
    }

    /// The same of another dotted name.
    fn with(&self, name: Reference<'a>) -> Self {
        match self {
            Self::Call(_) => Self::Call(Some(name)),
            Self::Decorator(_, calls) => Self::Decorator(Some(name), *calls),
            Self::Base(_) => Self::Base(Some(name)),
            Self::Metaclass(_) => Self::Metaclass(Some(name)),
            Self::Store(_) => Self::Store(Some(name)),
            Self::Item(_) => Self::Item(Some(name)),
            Self::BoundCall(_) => Self::BoundCall(name),
            Self::UsedCall(_) => Self::UsedCall(name),
            Self::Grown(_) => Self::Grown(name),
            Self::Lambda(_) | Self::Other => self.clone(),
        }
    }
}
