//! What may be different when a module is loaded later than now: what it reads while it is loaded and others may change.

mod outside;

use std::collections::BTreeSet;

pub use outside::changes_loggers;
use outside::{is_asked_of_the_moment, is_object_of_the_moment};

use super::loading::loaded_later;
use super::{Context, ImportId};
use crate::names::effects::{Place, SetUp};
use crate::names::scope::{FunctionId, MODULE};
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::project::ModuleId;
use crate::syntax::Span;

/// Why it may show that an import does not run where it stands: a module that is then loaded later reads what may change.
pub fn doubt(ctx: &Context, id: ImportId) -> Option<String> {
    loaded_later(ctx, id)
        .into_iter()
        .find_map(|module| {
            let reads = ctx.reads(module);
            // What is set up once is the same whoever asks first.
            let what = &reads.iter().find(|read| !matches!(read.place, Some(Place::Once(..))))?.what;
            let name = &ctx.project().module(module).name;
            Some(format!("`{name}` reads `{what}` when it is loaded, which may be another by then"))
        })
        .or_else(|| asked_half_way(ctx, id))
}

/// A module that the target loads, and that asks one which leads to it what it holds so far: that depends on who comes first.
fn asked_half_way(ctx: &Context, id: ImportId) -> Option<String> {
    let target = ctx.world.graph.targets[id.module.index()][id.site]?.module;
    let name = |module: ModuleId| &ctx.project().module(module).name;
    ctx.world.graph.loads(target).iter().find_map(|module| {
        let asked = ctx.asks_half_way(module)?;
        Some(format!("`{}` asks `{}`, when it is loaded, what that holds so far", name(module), name(asked)))
    })
}

/// The first module that a module asks while it is loaded what it holds, and whose own imports lead there.
pub fn asks_half_way(ctx: &Context, module: ModuleId) -> Option<ModuleId> {
    let graph = ctx.world.graph;
    let asks = |used: &&Use| {
        let to = used.passed_to().map_or("", |to| to.name);
        let asks = used.role == Role::Inspected
            || used.role == Role::Argument && matches!(to, "dir" | "vars" | "getattr" | "hasattr");
        used.moment == Moment::Import && asks
    };
    let uses = ctx.world.names.file(module).uses.iter().filter(asks);
    let mut asked = uses.filter_map(|used| match ctx.world.trace_use(module, used).object {
        Object::Module(asked) if asked != module => Some(asked),
        _ => None,
    });
    asked.find(|asked| {
        // The packages above it run before it does, not while it does.
        let above: BTreeSet<ModuleId> = ctx.project().tree.above(*asked).collect();
        graph.run_by(*asked, &|edge| above.contains(&edge.to)).contains(&module)
    })
}

/// Something that a module reads while it is loaded and that may be another thing later.
#[derive(Clone, Debug)]
pub struct Read {
    /// The use in the module's body that reads it, or calls what does.
    pub at: Span,
    /// Whose state it is, if it is that of a module of the project.
    pub place: Option<Place>,
    pub what: String,
}

/// What a module reads while it is loaded that may be another thing later.
pub fn reads(ctx: &Context, module: ModuleId) -> Vec<Read> {
    let mut reading = Reading { ctx, loaded: module, seen: BTreeSet::new(), once: None, found: Vec::new() };
    for used in ctx.world.names.file(module).uses.iter().filter(|u| u.moment == Moment::Import) {
        reading.by(module, used, used.span);
    }
    reading.found
}

/// Follows what is read while a module is loaded, each function that runs once.
struct Reading<'c, 'x, 'p> {
    ctx: &'x Context<'c, 'p>,
    loaded: ModuleId,
    seen: BTreeSet<(ModuleId, FunctionId, Option<SetUp>)>,
    /// What is followed runs the first time alone that this function is called.
    once: Option<SetUp>,
    found: Vec<Read>,
}

impl Reading<'_, '_, '_> {
    /// What a use reads that runs because of the code `at` a place of the module.
    fn by(&mut self, module: ModuleId, used: &Use, at: Span) {
        let called = matches!(used.role, Role::Called | Role::Decorator);
        let attributes: Vec<&str> = used.attributes.iter().map(|a| a.text).collect();
        if attributes.last() == Some(&"__subclasses__") {
            self.found.push(Read { at, place: None, what: format!("{}.__subclasses__", used.name) });
            return;
        }
        match self.ctx.world.trace(module, used.scope, used.name, &attributes).object {
            Object::External(what) if self.is_of_the_moment(module, used, &what) => {
                self.found.push(Read { at, place: None, what });
            }
            Object::Unknown if called && used.owner.is_none() && is_installed(used.name) => {
                self.found.push(Read { at, place: None, what: used.name.to_owned() });
            }
            Object::Attribute { module: home, name, rest } => {
                if home != self.loaded && self.may_differ(home, name, rest.first().copied()) {
                    let what = format!("{}.{name}", self.ctx.project().module(home).name);
                    let once = self.once.filter(|(module, _)| *module == home);
                    let place = once.map_or(Place::Module(home), |(module, function)| Place::Once(module, function));
                    self.found.push(Read { at, place: Some(place), what });
                }
                if is_object_of_the_moment(self.ctx.world, home, name, &rest, used.role) {
                    let what = [name].iter().chain(&rest).copied().collect::<Vec<_>>().join(".");
                    self.found.push(Read { at, place: None, what });
                }
                if !called || !rest.is_empty() {
                    return;
                }
                let file = self.ctx.world.names.file(home);
                for binding in file.bindings(name) {
                    // Another name for such a function: `_ = gettext.gettext`.
                    if let (Bound::Value, [from], true) = (binding.what, binding.from.as_slice(), binding.plain)
                        && let Object::External(what) = self.ctx.world.trace_reference(home, MODULE, from).object
                        && self.is_of_the_moment(module, used, &what)
                    {
                        self.found.push(Read { at, place: None, what });
                    }
                    let Bound::Function(id) = binding.what else { continue };
                    let outer = self.once;
                    if file.function(id).works_once {
                        self.once = outer.or(Some((home, id)));
                    }
                    if self.seen.insert((home, id, self.once)) {
                        let uses = file.uses.iter().filter(|u| u.moment == Moment::Call(id));
                        uses.for_each(|used| self.by(home, used, at));
                    }
                    self.once = outer;
                }
            }
            _ => {}
        }
    }

    /// Whether what a name from outside gives by this use is another thing at another time.
    fn is_of_the_moment(&self, module: ModuleId, used: &Use, path: &str) -> bool {
        let logger = path == "logging.getLogger" && used.role == Role::Called;
        is_asked_of_the_moment(self.ctx.world, module, used, path) || logger && self.ctx.changes_loggers()
    }

    /// Whether the value of a name of another module may be another one later. Tests replace names for a while, and put them back.
    fn may_differ(&self, home: ModuleId, name: &str, attribute: Option<&str>) -> bool {
        let ctx = self.ctx;
        let rebound = ctx.world.names.file(home).bindings(name).iter().any(|b| b.from_inside);
        let replaced = ctx.users.replaced(home, name);
        rebound
            || replaced.is_some_and(|(user, _)| !ctx.project().module(user).is_among_tests())
            || ctx.is_changed(home, name, attribute)
    }
}

/// Whether a builtin gives another thing at another time: `gettext.install` makes `_` one.
fn is_installed(name: &str) -> bool {
    matches!(name, "open" | "_" | "ngettext")
}
