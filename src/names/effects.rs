//! What importing a module does that others can see, beyond binding its own names. Errs on the side of "something".

mod candidates;
mod class_body;
mod classes;
mod code;
mod decorators;
mod handed;
mod hooks;
mod made;
mod objects;
mod outside;

use std::collections::BTreeSet;

pub use candidates::candidates;
use class_body::touched_in_class;
use classes::{base_registers, enum_registers, metaclass_registers};
use code::Run;
use decorators::by_decorator;
use handed::{is_changed_by_call, is_changed_by_namespace, takes_out};
use objects::fills;
pub use objects::{class_of, lineage};
use outside::{changes_outside, gives_shared, keeps_track};

use super::evaluated::is_stdlib;
use super::methods::{MUTATORS, READING};
use super::scope::{Binding, FunctionId, MODULE, NamedAccess, Reference, Role};
use super::{Bound, FileNames, Moment, Object, ScopeId, Use, World, scope};
use crate::project::ModuleId;
use crate::syntax::Span;

/// A statement that may have an effect, before it is known what its names stand for.
#[derive(Clone, Debug)]
pub struct Effect<'a> {
    pub span: Span,
    what: What<'a>,
    /// It stands under `with warnings.catch_warnings():`, which takes back what is done to the filters of warnings.
    filtered: bool,
}

#[derive(Clone, Debug)]
enum What<'a> {
    /// A call whose result is thrown away.
    Call(Option<Reference<'a>>),
    /// A call whose result is bound: an effect only if the project's own code registers something.
    BoundCall(Reference<'a>),
    /// A call whose result is used at once: `with Lock(): …`.
    UsedCall(Reference<'a>),
    /// With how many calls of the dotted name make it, 1 for `@f(…)`, if that is all that does.
    Decorator(Option<Reference<'a>>, Option<usize>),
    Base(Option<Reference<'a>>),
    Metaclass(Option<Reference<'a>>),
    /// Assigns to an attribute or item of something.
    Store(Option<Reference<'a>>),
    /// Asks for an item of something.
    Item(Option<Reference<'a>>),
    /// A lambda that is handed to a call, which may call it.
    Lambda(Span),
    /// `name += …`, which changes what the name stands for if that is an object of another module.
    Grown(Reference<'a>),
    /// Deletes, raises, prints, and what else has no name.
    Other,
}

/// Whose state a statement may change, beyond names that it binds.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    places: BTreeSet<Place>,
}

/// Whose state is changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Module(ModuleId),
    /// What a function of a module sets up the first time that anybody calls it.
    Once(ModuleId, FunctionId),
    /// A package from outside of the project, by its name.
    Package(String),
    /// Something of which nothing is known.
    Anything,
}

/// A function that sets something up the first time that anybody calls it.
pub type SetUp = (ModuleId, FunctionId);

impl Place {
    /// The module of the project whose state it is.
    pub fn module(&self) -> Option<ModuleId> {
        match self {
            Self::Module(module) | Self::Once(module, _) => Some(*module),
            Self::Package(_) | Self::Anything => None,
        }
    }
}

impl Changed {
    fn nothing() -> Self {
        Self::default()
    }

    fn at(place: Place) -> Self {
        Self { places: BTreeSet::from([place]) }
    }

    fn anything() -> Self {
        Self::at(Place::Anything)
    }

    fn of(module: ModuleId) -> Self {
        Self::at(Place::Module(module))
    }

    fn anything_if(unknown: bool) -> Self {
        if unknown { Self::anything() } else { Self::nothing() }
    }

    /// What stands behind a dotted name from outside, if that changes.
    fn outside_if(path: &str, changes: bool) -> Self {
        if changes {
            Self::at(Place::Package(path.split('.').next().unwrap_or_default().to_owned()))
        } else {
            Self::nothing()
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.places.extend(other.places);
        self
    }

    fn all(parts: impl IntoIterator<Item = Changed>) -> Self {
        parts.into_iter().fold(Self::nothing(), Self::and)
    }

    /// Whether it changes nothing at all.
    pub fn is_nothing(&self) -> bool {
        self.places.is_empty()
    }

    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.iter()
    }

    /// Whether it changes something other than what is `unseen`.
    pub fn shows(&self, unseen: &dyn Fn(&Place) -> bool) -> bool {
        !self.places.iter().all(unseen)
    }

    /// The same, where what it does to a module is what a function of that sets up.
    fn once(self, module: ModuleId, function: FunctionId) -> Self {
        let once = |place| if place == Place::Module(module) { Place::Once(module, function) } else { place };
        Self { places: self.places.into_iter().map(once).collect() }
    }
}

/// The statements of a module's body that change something, and whose state that is.
pub fn effects(world: World, module: ModuleId) -> Vec<(Span, Changed)> {
    let file = world.names.file(module);
    let statements = world.names.effects(module).iter().map(|e| (e.span, touched(world, module, e)));
    let uses = file.uses.iter().filter(|u| u.moment == Moment::Import).map(|u| (u.span, by_use(world, module, u)));
    let accesses = file.accesses.iter().filter(|access| access.moment == Moment::Import);
    let accesses = accesses.map(|access| (access.span, by_access(world, module, access)));
    let enums = file.classes.iter().filter(|class| class.outer.is_none());
    let enums = enums.map(|class| (class.span, enum_registers(world, module, class)));
    let mut all: Vec<(Span, Changed)> =
        statements.chain(uses).chain(accesses).chain(enums).filter(|(_, c)| !c.is_nothing()).collect();
    all.sort_by_key(|(span, _)| span.start);
    all
}

/// Whether calling a method changes something, the object that a name of a module is bound to above all; `None` where its class
/// is not known.
pub fn method_changes(world: World, module: ModuleId, name: &str, method: &[&str]) -> Option<bool> {
    Run::new(world).method(module, name, method).map(|changed| !changed.is_nothing())
}

/// What a use does by itself, whatever the statement around it does.
fn by_use<'p>(world: World<'_, 'p>, module: ModuleId, used: &Use<'p>) -> Changed {
    if matches!(used.role, Role::Annotation(_) | Role::Quoted(_)) || used.owner.is_some_and(|o| o != MODULE) {
        return Changed::nothing();
    }
    let attributes: Vec<&str> = used.attributes.iter().map(|a| a.text).collect();
    Changed::all(world.traces(module, MODULE, used.name, &attributes).into_iter().map(|trace| match trace.object {
        // `isinstance(x, C)` asks nothing of the class.
        Object::Attribute { module: home, name, .. } if used.role == Role::Inspected && is_class(world, home, name) => {
            Changed::nothing()
        }
        Object::Attribute { module: home, name, rest } => {
            let mut run = Run::new(world);
            let changed = run.used(home, name, rest.first().copied());
            match used.role {
                _ if home != module && (is_changed(world, module, used) || takes_out(world, home, name, used)) => {
                    changed.and(Changed::of(home))
                }
                Role::Argument if home == module && is_changed_by_call(used) => {
                    changed.and(state(world, module, &used.reference()))
                }
                Role::Argument
                    if home != module && rest.is_empty() && may_be_filled(world, module, used, home, name) =>
                {
                    changed.and(Changed::of(home))
                }
                Role::Argument => changed.and(run.handed(module, used)),
                _ => changed,
            }
        }
        _ => Changed::nothing(),
    }))
}

/// Whether an object of another module is handed to code of the project, which may put something into it.
fn may_be_filled(world: World, module: ModuleId, used: &Use, home: ModuleId, name: &str) -> bool {
    let bindings = world.names.file(home).bindings(name);
    let text = world.project().text(home);
    let is_display = |b: &Binding| {
        let value = text[b.span.end..].trim_start().trim_start_matches('=');
        b.builtin && value.trim_start().starts_with(['{', '['])
    };
    let is_object = |b: &Binding| match b.what {
        Bound::Class(_) => true,
        Bound::Value => is_display(b) || b.call.is_some(),
        _ => false,
    };
    let filled = |to: &Reference| match world.trace_reference(module, MODULE, to).object {
        Object::Attribute { module: maker, name, rest } => rest.is_empty() && fills(world, maker, name),
        _ => false,
    };
    bindings.iter().any(is_object) && used.passed_to().is_some_and(filled)
}

/// Whether the call that it is handed to changes it.
fn is_changed(world: World, module: ModuleId, used: &Use) -> bool {
    used.role == Role::Argument
        && (is_changed_by_call(used) || is_changed_by_namespace(world.project().text(module), used))
}

/// Whether a statement calls a function of the standard library that works on the list which it is handed, and does no more:
/// that the list is changed counts where it is used.
fn works_in_place(world: World, module: ModuleId, at: Span, call: &Reference) -> bool {
    let Object::External(path) = world.trace_reference(module, MODULE, call).object else { return false };
    let mut uses = world.names.file(module).uses.iter().filter(|used| at.contains(used.span));
    ["bisect.insort", "heapq.heap"].iter().any(|start| path.starts_with(start))
        && uses.any(|used| {
            let first = used.argument.as_deref().is_some_and(|a| a.place == scope::Place::Position(0));
            used.role == Role::Argument && first && used.passed_to() == Some(call) && is_changed_by_call(used)
        })
}

/// Whether a statement silences the logger that a module has for itself, `logging.getLogger(__name__)`, as libraries do.
fn is_silenced(world: World, module: ModuleId, at: Span, call: &Reference) -> bool {
    let this = world.project().module(module);
    if this.is_package || call.attributes != ["addHandler"] {
        return false;
    }
    let text = world.project().text(module);
    let handed = at.of(text).split_once('(').map_or("", |(_, arguments)| arguments.trim());
    let file = world.names.file(module);
    let own = |b: &Binding| {
        let call = b.call.as_ref().map(|call| world.trace_reference(module, MODULE, call).object);
        let value = text[b.span.end..].lines().next().unwrap_or_default();
        call == Some(Object::External("logging.getLogger".to_owned())) && value.trim_end().ends_with("(__name__)")
    };
    handed.ends_with("NullHandler())")
        && file.uses.iter().filter(|used| at.contains(used.span) && used.role == Role::Called).any(|used| {
            let made = world.trace_use(module, used).object;
            made == Object::External("logging.NullHandler".to_owned())
        })
        && file.bindings(call.name).iter().all(own)
}

/// What reading or setting an attribute by its name changes: `setattr(x, "n", v)`, `getattr(x, "append")(v)`.
fn by_access(world: World, module: ModuleId, access: &NamedAccess) -> Changed {
    if sets_attribute(world.project().text(module), access) {
        return state(world, module, &access.module);
    }
    let mutates = !access.replaces && !access.asks && access.name.is_some_and(|name| MUTATORS.contains(&name));
    match world.trace_reference(module, access.scope, &access.module).object {
        Object::Attribute { module: home, name, .. } if mutates && !is_code(world, home, name) => Changed::of(home),
        _ => Changed::nothing(),
    }
}

/// Whether an access is that of the builtin `setattr` or `delattr`.
fn sets_attribute(text: &str, access: &NamedAccess) -> bool {
    let before = text[..access.span.start].trim_end().strip_suffix('(').unwrap_or_default().trim_end();
    let callee = ["setattr", "delattr"].iter().find_map(|name| before.strip_suffix(name));
    access.replaces && callee.is_some_and(|rest| !rest.ends_with(|c: char| c == '.' || c == '_' || c.is_alphanumeric()))
}

/// The first statement inside a span that changes more than what it stands beside: a registration in the module itself
/// counts, an item of its own collection does not.
pub fn within(world: World, module: ModuleId, span: Span) -> Option<Span> {
    let mut inside = world.names.effects(module).iter().filter(|e| span.contains(e.span));
    let own = |what: &What, m: ModuleId| m == module && matches!(what, What::Store(_) | What::Call(_));
    let shows = |e: &&Effect| touched(world, module, e).shows(&|place| place.module().is_some_and(|m| own(&e.what, m)));
    inside.find(shows).map(|e| e.span)
}

fn touched(world: World, module: ModuleId, effect: &Effect) -> Changed {
    let is_filter = |name: &Reference| match world.trace_reference(module, MODULE, name).object {
        Object::External(path) => path.starts_with("warnings."),
        _ => false,
    };
    if effect.filtered && effect.what.reference().is_some_and(is_filter) {
        return Changed::nothing();
    }
    touched_in_class(world, module, effect).unwrap_or_else(|| touched_by_name(world, module, effect))
}

/// As [`touched`], for names that mean what they do at module level.
fn touched_by_name(world: World, module: ModuleId, effect: &Effect) -> Changed {
    match &effect.what {
        What::Other | What::Call(None) | What::Decorator(None, _) | What::Store(None) => Changed::anything(),
        What::Base(None) | What::Metaclass(None) => Changed::anything(),
        What::Call(Some(call)) if !call.attributes.is_empty() && is_own(world, module, call) => {
            let alone = is_silenced(world, module, effect.span, call);
            if alone { Changed::nothing() } else { state(world, module, call) }
        }
        What::Call(Some(call)) if works_in_place(world, module, effect.span, call) => Changed::nothing(),
        What::Call(Some(call)) => by_call(world, module, call, effect.span.of(world.project().text(module))),
        What::Store(Some(target)) => state(world, module, target),
        What::Item(value) => value.as_ref().map_or_else(Changed::nothing, |value| by_item(world, module, value)),
        What::Lambda(span) => {
            let functions = world.names.file(module).functions.iter().enumerate();
            let found = functions.filter(|(_, function)| function.is_lambda && function.span == *span);
            Changed::all(found.map(|(index, _)| Run::new(world).function(module, FunctionId(index as u32))))
        }
        What::Grown(name) => match world.trace_reference(module, MODULE, name).object {
            Object::Attribute { module: home, .. } if home != module => Changed::of(home),
            // What grows may be that of another module, by `import *`.
            _ if world.exports_by_star(module, name.name) => Changed::anything(),
            _ => sources(world, module, name),
        },
        What::BoundCall(call) => by_bound_call(world, module, call, false),
        What::UsedCall(call) => by_bound_call(world, module, call, true),
        What::Decorator(Some(decorator), calls) => by_decorator(world, module, effect.span, decorator, *calls),
        What::Base(Some(base)) => base_registers(world, module, base, 16),
        What::Metaclass(Some(metaclass)) => metaclass_registers(world, module, &metaclass.path(), 16),
    }
}

/// What asking for an item changes: a `defaultdict` makes what it does not hold.
fn by_item(world: World, module: ModuleId, value: &Reference) -> Changed {
    let Object::Attribute { module: home, name, rest } = world.trace_reference(module, MODULE, value).object else {
        return Changed::nothing();
    };
    let makes = |from: &Reference| {
        let made = world.trace_reference(home, MODULE, from).object;
        matches!(made, Object::External(path) if path == "collections.defaultdict")
    };
    let mut bindings = world.names.file(home).bindings(name).iter();
    let grows = home != module && rest.is_empty() && bindings.any(|b| b.from.first().is_some_and(makes));
    if grows { Changed::of(home) } else { Changed::nothing() }
}

/// What a call does whose result goes on, or is used at once.
fn by_bound_call(world: World, module: ModuleId, call: &Reference, at_once: bool) -> Changed {
    let mut run = Run::new(world);
    match world.trace_reference(module, MODULE, call).object {
        Object::Attribute { module: home, name, rest } if rest.is_empty() => {
            if at_once {
                run.called_at_once(home, name)
            } else {
                run.called(home, name)
            }
        }
        Object::Attribute { module: home, name, rest } => match run.method(home, name, &rest) {
            Some(changed) => changed,
            // A method of an instance made here and now, which is inherited from outside.
            None if is_class(world, home, name) => run.called(home, name),
            // A method of an object that another module owns, e.g. `task = app.task(f)`.
            None if home != module && !(is_literal(world, home, name) && reads(&rest)) => Changed::of(home),
            None => Changed::nothing(),
        },
        Object::External(path) => {
            let registers = || keeps_track(&path) && path.contains(".register");
            Changed::outside_if(&path, if is_stdlib(&path) { changes_outside(&path) } else { registers() })
        }
        _ => Changed::nothing(),
    }
}

/// Whose state an object is that a dotted name of the module's own scope stands for.
fn state(world: World, module: ModuleId, reference: &Reference) -> Changed {
    if is_own(world, module, reference) {
        return Changed::of(module).and(sources(world, module, reference)).and(returned(world, module, reference.name));
    }
    match world.trace_reference(module, MODULE, reference).object {
        Object::Attribute { module: home, .. } | Object::Module(home) if home != module => Changed::of(home),
        Object::External(path) => Changed::outside_if(&path, true),
        _ => Changed::anything(),
    }
}

/// Whose state the objects are that a name of the module's own may have been made of.
fn sources(world: World, module: ModuleId, reference: &Reference) -> Changed {
    let bindings = world.names.file(module).bindings(reference.name);
    Changed::all(bindings.iter().map(|b| sources_of(world, module, &b.from)))
}

fn sources_of(world: World, module: ModuleId, from: &[Reference]) -> Changed {
    Changed::all(from.iter().map(|from| match world.trace_reference(module, MODULE, from).object {
        Object::Attribute { module: home, name, .. } if home != module && !is_code(world, home, name) => {
            Changed::of(home)
        }
        Object::Module(home) => Changed::of(home),
        Object::External(path) => Changed::outside_if(&path, gives_shared(&path)),
        _ => Changed::nothing(),
    }))
}

/// Whose state what a function of the module returns may be, if that is an object of another module.
fn returned(world: World, module: ModuleId, name: &str) -> Changed {
    let file = world.names.file(module);
    let functions = file.bindings(name).iter().filter_map(|b| match b.what {
        Bound::Function(id) => Some(id),
        _ => None,
    });
    Changed::all(functions.flat_map(|id| {
        let uses = file.uses.iter().filter(move |u| u.role == Role::Returned && file.runs_in(id, u.moment));
        uses.map(|used| match world.trace_use(module, used).object {
            Object::Attribute { module: home, name, .. } if home != module && !is_code(world, home, name) => {
                Changed::of(home)
            }
            _ => Changed::nothing(),
        })
    }))
}

/// Whether a name stands for a function or class: calling it gives something new.
fn is_code(world: World, module: ModuleId, name: &str) -> bool {
    let bindings = world.names.file(module).bindings(name);
    !bindings.is_empty() && bindings.iter().all(|b| matches!(b.what, Bound::Class(_) | Bound::Function(_)))
}

/// Whether an object is one that the module made itself.
fn is_own(world: World, module: ModuleId, reference: &Reference) -> bool {
    let bindings = world.names.file(module).bindings(reference.name);
    bindings.iter().all(|b| !matches!(b.what, Bound::Import(_)))
        && (!bindings.is_empty() || reference.name.starts_with("__"))
}

/// What a call does whose result is thrown away.
fn by_call(world: World, module: ModuleId, call: &Reference, text: &str) -> Changed {
    match world.trace_reference(module, MODULE, call).object {
        Object::External(path) => {
            // Other handlers than that write what is logged.
            let keeps_silent = path == "logging.getLogger.addHandler" && text.contains("NullHandler");
            let harmless = keeps_silent || path == "typing.cast";
            Changed::outside_if(&path, !harmless)
        }
        Object::Attribute { module: home, name, rest } if rest.is_empty() && is_function(world, home, name) => {
            Run::new(world).called(home, name)
        }
        Object::Attribute { module: home, name, rest } if rest.is_empty() && home == module => {
            by_alias(world, module, name).unwrap_or_else(Changed::anything)
        }
        Object::Unknown => Changed::anything_if(
            !call.attributes.is_empty() || !matches!(call.name, "isinstance" | "hasattr" | "super"),
        ),
        _ => Changed::anything(),
    }
}

/// What calling a method of an object of the module by another name does: `add = table.add`.
fn by_alias(world: World, module: ModuleId, name: &str) -> Option<Changed> {
    let bindings = world.names.file(module).bindings(name).iter();
    let from = bindings.flat_map(|b| if b.what == Bound::Value { b.from.as_slice() } else { &[] });
    let all = from.map(|from| match world.trace_reference(module, MODULE, from).object {
        Object::Attribute { module: home, name, rest } if home == module => {
            Run::new(world).method(home, name, &rest).map(|changed| changed.and(Changed::of(module)))
        }
        _ => None,
    });
    let all: Option<Vec<Changed>> = all.collect();
    all.filter(|all| !all.is_empty()).map(Changed::all)
}

/// Whether a name is a parameter whose object comes from the caller: `**options` is made anew for each call.
fn is_parameter(file: &FileNames, text: &str, scope: ScopeId, name: &str) -> bool {
    let handed = |b: &Binding| b.what == Bound::Parameter && !text[..b.span.start].ends_with("**");
    file.scope(scope).bindings.get(name).is_some_and(|all| all.iter().any(handed))
}

/// Whether a name is bound to dictionaries, lists, sets and strings that are written out.
fn is_literal(world: World, module: ModuleId, name: &str) -> bool {
    let text = world.project().text(module);
    let written_out = |b: &Binding| {
        let value = text[b.span.end..].trim_start();
        let value = if value.starts_with(':') {
            value.split_once('=').map(|(_, value)| value)
        } else {
            value.strip_prefix('=')
        };
        b.what == Bound::Value && value.is_some_and(|v| v.trim_start().starts_with(['{', '[', '"', '\'']))
    };
    let bindings = world.names.file(module).bindings(name);
    !bindings.is_empty() && bindings.iter().all(written_out)
}

/// Whether it is a method that leaves what it is called on as it is.
fn reads(rest: &[&str]) -> bool {
    matches!(rest, [method] if READING.contains(method))
}

fn is_class(world: World, module: ModuleId, name: &str) -> bool {
    let bindings = world.names.file(module).bindings(name);
    !bindings.is_empty() && bindings.iter().all(|b| matches!(b.what, Bound::Class(_)))
}

fn is_function(world: World, module: ModuleId, name: &str) -> bool {
    world.names.file(module).bindings(name).iter().all(|b| matches!(b.what, Bound::Function(_)))
}
