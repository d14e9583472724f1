//! What shows where code stands: names and words that mean its own module, and code elsewhere that tells definitions by
//! their module.

use memchr::memmem::find;

use super::Context;
use crate::names::effects::{class_of, lineage};
use crate::names::scope::{Binding, ByModule, ClassId, MODULE};
use crate::names::{Bound, Object, Role};
use crate::project::ModuleId;
use crate::syntax::Span;

/// Names that a module has without binding them, and that say which module it is.
pub const NAMES: [&str; 11] = [
    "__name__",
    "__file__",
    "__package__",
    "__path__",
    "__spec__",
    "__loader__",
    "__doc__",
    "__cached__",
    "__builtins__",
    "__all__",
    "__dict__",
];

/// Words of code that finds its module by a frame, a class, a function or a path.
const WORDS: [&str; 16] = [
    "__module__",
    "__globals__",
    "__qualname__",
    "_getframe",
    "currentframe",
    "getmodule",
    "getsourcefile",
    "extract_stack",
    "stacklevel",
    "warn(",
    ".stack()",
    "globals()",
    "findCaller",
    "get_data",
    "resource_filename",
    "sys.modules",
];

/// The first such word in a span of a module.
pub fn word(ctx: &Context, module: ModuleId, span: Span) -> Option<(Span, &'static str)> {
    let text = span.of(ctx.project().text(module));
    WORDS.iter().find_map(|word| {
        let start = span.start + text.find(word)?;
        Some((Span { start, end: start + word.len() }, *word))
    })
}

/// A function of the project that is used inside a span and reads the frame of its caller.
pub fn asks_caller<'c>(ctx: &'c Context, module: ModuleId, span: Span) -> Option<(Span, &'c str)> {
    let uses = ctx.world.names.file(module).uses.iter().filter(|u| span.contains(u.span));
    uses.into_iter().find_map(|used| {
        let Object::Attribute { module: home, name, .. } = ctx.world.trace_use(module, used).object else {
            return None;
        };
        let file = ctx.world.names.file(home);
        let asks = |b: &Binding| match b.what {
            Bound::Function(id) => {
                let text = file.function(id).span.of(ctx.project().text(home));
                ["_getframe", "currentframe", ".stack()"].iter().any(|w| text.contains(w))
            }
            _ => false,
        };
        file.bindings(name).iter().any(asks).then_some((used.span, name))
    })
}

/// A decorator of the project on what stands in a span, that reads where its function or class is defined. What it only passes
/// on to another (`wrapper.__module__ = f.__module__`) is none.
pub fn asked_by_decorator<'p>(
    ctx: &Context<'_, 'p>,
    module: ModuleId,
    span: Span,
) -> Option<((ModuleId, Span), &'p str)> {
    let world = ctx.world;
    let file = world.names.file(module);
    let decorators = file.uses.iter().filter(|u| u.role == Role::Decorator && span.contains(u.span));
    decorators.into_iter().find_map(|used| {
        let Object::Attribute { module: home, name, rest } = world.trace_use(module, used).object else { return None };
        if !rest.is_empty() {
            return None;
        }
        let found = world.names.file(home);
        let (name, bindings) = found.scope(MODULE).bindings.get_key_value(name)?;
        bindings.iter().find_map(|binding| {
            let Bound::Function(id) = binding.what else { return None };
            let span = found.function(id).span;
            let at = asks_of_class(ctx, home, span)?;
            Some(((home, at), *name))
        })
    })
}

/// Where a span of a module asks for the module of something, other than to set that of another thing.
fn asks_of_class(ctx: &Context, home: ModuleId, span: Span) -> Option<Span> {
    let text = span.of(ctx.project().text(home));
    let mut start = span.start;
    text.split_inclusive('\n').find_map(|line| {
        let begins = start;
        start += line.len();
        if line.contains(".__module__ = ") {
            return None;
        }
        OF_CLASS.iter().find_map(|word| {
            let start = begins + line.find(word)?;
            Some(Span { start, end: start + word.len() })
        })
    })
}

/// Words by which a method finds the module of the class that it is called on.
const OF_CLASS: [&str; 4] = ["__module__", "getmodule(", "getfile(", "getsourcefile("];

/// Methods that give what people read.
const SHOWING: [&str; 2] = ["__repr__", "__str__"];

/// A class that what inherits from it, or is made by it, is asked by for its module: a base or a metaclass of a class inside a
/// span. What only shows the module is none.
pub fn asked_by_base<'p>(ctx: &Context<'_, 'p>, module: ModuleId, span: Span) -> Option<((ModuleId, Span), &'p str)> {
    let world = ctx.world;
    let moves =
        |home: ModuleId, class: ClassId| home == module && span.contains(world.names.file(home).class(class).span);
    let ids = (0..world.names.file(module).classes.len()).map(|id| ClassId(id as u32));
    let above =
        ids.filter(|id| moves(module, *id)).flat_map(|id| lineage(world, module, id)).flat_map(|(home, base)| {
            let maker = world.names.file(home).class(base).metaclass.as_ref();
            let maker = maker.and_then(|path| class_of(world, home, path));
            std::iter::once((home, base)).chain(maker.into_iter().flat_map(|(home, id)| lineage(world, home, id)))
        });
    above.filter(|(home, class)| !moves(*home, *class)).find_map(|(home, id)| {
        let file = world.names.file(home);
        let class = file.class(id);
        let methods = class.methods.iter().filter(|(name, _)| !SHOWING.contains(name)).flat_map(|(_, ids)| ids);
        let span = methods.map(|id| file.function(*id).span).find_map(|span| {
            let text = span.of(ctx.project().text(home));
            OF_CLASS.iter().find_map(|word| {
                let start = span.start + text.find(word)?;
                Some(Span { start, end: start + word.len() })
            })
        })?;
        Some(((home, span), class.name))
    })
}

/// Where the project tells the definitions of a module by where they stand: `c.__module__ == "m"`, `getmodule(f)` in the
/// module itself.
pub fn told_by_place(ctx: &Context, module: ModuleId) -> Option<(ModuleId, Span)> {
    let name = &ctx.project().module(module).name;
    let package = &name[..name.rfind('.').map_or(0, |dot| dot + 1)];
    let quoted = ['"', '\''].map(|quote| [format!("{quote}{name}{quote}"), format!("{quote}{name}.")]).concat();
    ctx.world.names.telling_by_module().iter().find_map(|user| {
        let text = ctx.project().text(*user).as_bytes();
        let meant = |by: &&ByModule| match by.literal {
            // What moves stays in the package.
            Some(literal) => name.starts_with(literal) && literal.len() > package.len(),
            None => by.own && *user == module || quoted.iter().any(|q| find(text, q.as_bytes()).is_some()),
        };
        let file = ctx.world.names.file(*user);
        let by = file.told_by_module.iter().find(meant).map(|by| by.span);
        let by_end = || file.told_by_end.iter().find(|(end, _)| name.ends_with(end)).map(|(_, span)| *span);
        // e.g. `TABLES[f"{t.__module__}.{t.__qualname__}"]`, where a key of the table names the module.
        let named = || file.reads_place.filter(|_| *user != module && names_definition(ctx, module, text));
        // e.g. `sys.modules[type(x).__module__].NAME`: what stays behind is looked for where the definition stands.
        let left_behind = || {
            let mut reads = file.read_where_defined.iter();
            reads.find(|(read, _)| !ctx.world.names.file(module).bindings(read).is_empty()).map(|(_, span)| *span)
        };
        Some((*user, by.or_else(by_end).or_else(named).or_else(left_behind)?))
    })
}

/// A text of the project that names a definition with its module, as it is or in a pattern, e.g. what a test expects of a traceback.
pub fn shown_in_text(ctx: &Context, module: ModuleId, name: &str) -> Option<(ModuleId, Span)> {
    let home = &ctx.project().module(module).name;
    let pattern = home.replace('.', "\\.");
    let all = [format!("{home}.{name}"), format!("{pattern}\\.{name}"), format!("{pattern}\\.)?{name}")];
    let finders = all.map(|text| (memchr::memmem::Finder::new(text.as_bytes()).into_owned(), text.len()));
    let users = (0..ctx.project().tree.modules.len()).map(|index| ModuleId(index as u32));
    users.into_iter().find_map(|user| {
        let text = ctx.project().text(user);
        let is_shown = |at: usize, length: usize| {
            let before = text[..at].rsplit(['\n', '\r']).next().unwrap_or_default();
            let ends = !text[at + length..].starts_with(|c: char| c == '_' || c.is_alphanumeric());
            let in_quotes = before.matches(['"', '\'']).count() % 2 == 1;
            ends && (in_quotes || before.trim().is_empty() && text[at + length..].starts_with(':'))
        };
        finders.iter().find_map(|(finder, length)| {
            let at = finder.find_iter(text.as_bytes()).find(|at| is_shown(*at, *length))?;
            Some((user, Span { start: at, end: at + length }))
        })
    })
}

/// Whether a text names a module in quotes, or a definition of it.
fn names_definition(ctx: &Context, module: ModuleId, text: &[u8]) -> bool {
    let name = ctx.project().module(module).name.as_bytes();
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    memchr::memmem::find_iter(text, name).any(|at| {
        let behind = &text[at + name.len()..];
        if !at.checked_sub(1).is_some_and(|before| is_quote(&text[before])) {
            return false;
        }
        let Some(rest) = behind.strip_prefix(b".") else { return behind.first().is_some_and(is_quote) };
        let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        let definition = std::str::from_utf8(&rest[..end]).unwrap_or_default();
        !ctx.world.names.file(module).bindings(definition).is_empty()
    })
}
