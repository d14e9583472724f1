//! What stands against merging two modules, whatever their names are: how they are run, loaded, patched and written.

use std::collections::BTreeSet;

use super::super::import_use::Obstacle;
use super::super::loading::Loading;
use super::super::{Context, Reason, not_writable, settled, standing as place};
use super::names::Names;
use super::{Pair, Side};
use crate::graph::Edge;
use crate::names::Role;
use crate::names::users::{AttributeUse, How};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::ast::{Ast, Stmt, StmtKind};

pub fn check(ctx: &Context, pair: Pair) -> Result<(), Obstacle> {
    for side in Side::BOTH {
        let module = pair.module(side);
        let found = file(ctx, module)
            .or_else(|| script(ctx, module))
            .or_else(|| reflected(ctx, module))
            .or_else(|| patched(ctx, pair, side));
        found.map_or(Ok(()), Err)?;
    }
    let found = by_place(ctx, pair.emptied).or_else(|| style(ctx, pair)).or_else(|| stars(ctx, pair));
    found.map_or(Ok(()), Err)
}

/// What others would see of the modules being loaded in another way.
pub fn loading(ctx: &Context, pair: Pair, names: &Names) -> Result<(), Obstacle> {
    let found = effects(ctx, pair).or_else(|| earlier(ctx, pair)).or_else(|| submodule(ctx, pair));
    let found = found.or_else(|| read_of_package(ctx, pair, names));
    found.map_or(Ok(()), Err)
}

fn first(ctx: &Context, module: ModuleId) -> Span {
    ctx.world.graph.files[module.index()].sites.first().map_or_else(Span::default, |s| s.stmt)
}

fn file(ctx: &Context, module: ModuleId) -> Option<Obstacle> {
    let here = (module, first(ctx, module));
    let this = ctx.project().module(module);
    let source = ctx.project().file(this.file);
    if let Some((reason, message)) = not_writable(ctx, module) {
        return Some(Obstacle::new(reason, here, message));
    }
    if this.is_package {
        return Some(Obstacle::new(Reason::PackageInit, here, format!("`{}` is a package", this.name)));
    }
    let stub = format!("{}i", source.path);
    if ctx.project().stubs.contains(&stub) {
        return Some(Obstacle::new(Reason::Stub, here, format!("`{stub}` lists its names for type checkers")));
    }
    None
}

/// A module that is run by its file or name.
fn script(ctx: &Context, module: ModuleId) -> Option<Obstacle> {
    let this = ctx.project().module(module);
    let text = ctx.project().text(module);
    let last = this.name.rsplit('.').next().unwrap_or_default();
    let ast = ctx.world.names.ast(module);
    let is_main = |s: &&Stmt| match &s.kind {
        StmtKind::If { branches } => {
            branches.iter().filter_map(|b| b.test.as_ref()).any(|t| t.span.of(text).contains("__main__"))
        }
        _ => false,
    };
    if let Some(main) = ast.body.iter().find(is_main) {
        return Some(Obstacle::new(Reason::Script, (module, main.span), format!("`{}` is run as a script", this.name)));
    }
    let here = (module, first(ctx, module));
    if last == "__main__" || text.starts_with("#!") {
        return Some(Obstacle::new(Reason::Script, here, format!("`{}` is run as a script", this.name)));
    }
    if this.is_test() {
        let message = format!("tests of `{}` are known by its path", this.name);
        return Some(Obstacle::new(Reason::Script, here, message));
    }
    let users = ctx.users.of(module);
    if users.uses.iter().any(|u| u.user == module && u.span == Span::default()) {
        let message = format!("the project's manifest names `{}`", this.name);
        return Some(Obstacle::new(Reason::Script, here, message));
    }
    None
}

/// A module that is reloaded, read by string, or handed on as a whole.
fn reflected(ctx: &Context, module: ModuleId) -> Option<Obstacle> {
    let name = &ctx.project().module(module).name;
    let users = ctx.users.of(module);
    if let Some(at) = users.reloaded {
        return Some(Obstacle::new(Reason::ReloadedModule, at, format!("`{name}` is reloaded")));
    }
    if let Some(at) = users.read_unnamed().next() {
        let message = format!("the module object `{name}` is handed on, so that any name of it may be read");
        return Some(Obstacle::new(Reason::DynamicNames, *at, message));
    }
    let file = ctx.world.names.file(module);
    if let Some(at) = file.dynamic {
        return Some(Obstacle::new(Reason::DynamicNames, (module, at), "the module reads its own names by string"));
    }
    for special in ["__getattr__", "__dir__"] {
        if let Some(found) = file.bindings(special).first() {
            let message = format!("`{name}` answers for its names itself");
            return Some(Obstacle::new(Reason::DynamicNames, (module, found.span), message));
        }
    }
    None
}

/// A name that is replaced from outside: what looked it up in one module would look it up in the other.
fn patched(ctx: &Context, pair: Pair, side: Side) -> Option<Obstacle> {
    let module = pair.module(side);
    let users = ctx.users.of(module);
    let path = &ctx.project().module(module).name;
    let emptied = ctx.world.names.file(pair.emptied);
    // What one assigns to a name of the other, `b.x = …`, would be a local variable of its function.
    let counts =
        |u: &AttributeUse| side == Side::Emptied || u.user == pair.emptied || !emptied.bindings(u.name).is_empty();
    let is_item = |u: &AttributeUse| {
        let uses = &ctx.world.names.file(u.user).uses;
        u.user == pair.emptied && uses.iter().any(|used| used.span == u.span && used.item)
    };
    let replaced = users.uses.iter().find(|u| u.how == How::Replaced && counts(u) && !is_item(u));
    if let Some(found) = replaced {
        let message = format!("`{path}.{}` is replaced from outside", found.name);
        return Some(Obstacle::new(Reason::PatchedName, (found.user, found.span), message));
    }
    let message = format!("any name of `{path}` may be replaced from outside");
    users.patched_somehow.map(|at| Obstacle::new(Reason::PatchedName, at, message))
}

/// Code that depends on the module that it stands in.
fn by_place(ctx: &Context, module: ModuleId) -> Option<Obstacle> {
    let file = ctx.world.names.file(module);
    let bare = |u: &&crate::names::Use| {
        place::NAMES.contains(&u.name) && u.owner.is_none() && !matches!(u.role, Role::Quoted(_))
    };
    if let Some(used) = file.uses.iter().find(bare) {
        let message = format!("`{}` depends on the module that it stands in", used.name);
        return Some(Obstacle::new(Reason::PlaceDependent, (module, used.span), message));
    }
    let whole = Span { start: 0, end: ctx.project().text(module).len() };
    if let Some((user, at)) = ctx.users.of(module).fetched.first() {
        let message = format!("`{}` is taken out of `sys.modules` by its name", ctx.project().module(module).name);
        return Some(Obstacle::new(Reason::PlaceDependent, (*user, *at), message));
    }
    if let Some((at, name)) = place::asks_caller(ctx, module, whole) {
        let message = format!("`{name}` looks at the code that calls it");
        return Some(Obstacle::new(Reason::PlaceDependent, (module, at), message));
    }
    if let Some((at, name)) = place::asked_by_base(ctx, module, whole) {
        let message = format!("`{name}` looks at the module of a class that inherits from it");
        return Some(Obstacle::new(Reason::PlaceDependent, at, message));
    }
    if let Some((user, at)) = place::told_by_place(ctx, module) {
        let message = format!("what is defined in `{}` is told by its module", ctx.project().module(module).name);
        return Some(Obstacle::new(Reason::PlaceDependent, (user, at), message));
    }
    let (at, word) = place::word(ctx, module, whole)?;
    let message = format!("`{word}` depends on the module that it stands in");
    Some(Obstacle::new(Reason::PlaceDependent, (module, at), message))
}

/// Two files that are written in different ways.
fn style(ctx: &Context, pair: Pair) -> Option<Obstacle> {
    let (home, emptied) = (ctx.project().text(pair.home), ctx.project().text(pair.emptied));
    let at = (pair.emptied, first(ctx, pair.emptied));
    let differ =
        |what: &str| Some(Obstacle::new(Reason::DifferentStyle, at, format!("the two files differ in {what}")));
    let ast = |module| ctx.world.names.ast(module);
    if futures(&ast(pair.home)) != futures(&ast(pair.emptied)) {
        return differ("their `__future__` imports");
    }
    let ends = |text: &str| (text.contains("\r\n"), text.replace("\r\n", "").contains('\r'));
    if ends(home) != ends(emptied) {
        return differ("their line ends");
    }
    let tabs = |text: &str| text.lines().any(|l| l.starts_with('\t'));
    let indent = |text: &str| crate::rewrite::lines::Layout::of(text).indent;
    let indents = |text: &str| text.lines().any(|l| l.starts_with([' ', '\t']));
    if tabs(home) != tabs(emptied) || indents(home) && indents(emptied) && indent(home) != indent(emptied) {
        return differ("their indentation");
    }
    // A word for a tool that speaks of the whole file.
    let tools = ["flake8:", "ruff:", "pylint:", "mypy:", "pyright:", "isort:", "fmt:", "yapf:", "type:", "noqa"];
    let speaks = |line: &&str| line.starts_with('#') && tools.iter().any(|t| line.contains(t));
    let all = |text: &'_ str| -> BTreeSet<String> { text.lines().filter(speaks).map(str::to_owned).collect() };
    // What holds for the lines up to another word would hold for lines of both.
    let switches =
        |text: &str| text.lines().filter(speaks).any(|line| line.contains("fmt: o") || line.contains("yapf:"));
    if switches(emptied) || !all(emptied).is_subset(&all(home)) {
        return differ("what they tell linters");
    }
    None
}

fn futures(ast: &Ast) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for stmt in &ast.body {
        if let StmtKind::Import(import) = &stmt.kind
            && import.from.is_some_and(|f| f.module == "__future__" && f.level == 0)
        {
            out.extend(import.names.iter().map(|a| a.name.to_owned()));
        }
    }
    out
}

/// `import *`, of the two or in them.
fn stars(ctx: &Context, pair: Pair) -> Option<Obstacle> {
    for side in Side::BOTH {
        let module = pair.module(side);
        let sites = &ctx.world.graph.files[module.index()].sites;
        if let Some(star) = sites.iter().find(|s| s.star) {
            return Some(Obstacle::new(
                Reason::NoName,
                (module, star.stmt),
                "`import *` binds names that are not listed",
            ));
        }
    }
    let (home, emptied) = (&ctx.users.of(pair.home).stars, &ctx.users.of(pair.emptied).stars);
    if let Some(at) = emptied.first()
        && ctx.world.names.file(pair.emptied).exports.names.is_empty()
    {
        return Some(Obstacle::new(Reason::NoName, *at, "`import *` takes names that the module does not list"));
    }
    // Without a list, the names that come new would be taken as well.
    if ctx.world.names.file(pair.home).exports.is_plain() {
        return None;
    }
    let new = home.iter().find(|(user, _)| !emptied.iter().any(|(other, _)| other == user));
    new.map(|at| Obstacle::new(Reason::NoName, *at, "`import *` would take the names of both modules"))
}

/// What others can see of the import of the two, whose order would change.
fn effects(ctx: &Context, pair: Pair) -> Option<Obstacle> {
    let name = |m: ModuleId| &ctx.project().module(m).name;
    if let Some(at) = ctx.effect(pair.emptied, &|_| false) {
        let message = format!("importing `{}` does something that others can see", name(pair.emptied));
        return Some(Obstacle::new(Reason::ImportSideEffect, (pair.emptied, at), message));
    }
    if let Some(at) = ctx.effect(pair.home, &|_| false)
        && let Some(read) = ctx.reads(pair.emptied).first()
    {
        let (emptied, what, home) = (name(pair.emptied), &read.what, name(pair.home));
        let message = format!("`{emptied}` reads `{what}`, and `{home}` does something first");
        return Some(Obstacle::new(Reason::ImportSideEffect, (pair.home, at), message));
    }
    let graph = ctx.world.graph;
    let between = |e: &Edge| pair.has(e.from) && pair.has(e.to);
    let home = graph.loaded_by(pair.home, &between);
    let emptied = graph.loaded_by(pair.emptied, &between);
    let mut moved = emptied.iter().filter(|m| !home.contains(m) && *m != pair.emptied);
    let (moved, at) = moved.find_map(|m| Some((m, ctx.effect(m, &|_| false)?)))?;
    let other = home.iter().find(|m| ctx.effect(*m, &|_| false).is_some())?;
    let message =
        format!("the imports of `{}` and `{}`, which others can see, would change order", name(moved), name(other));
    Some(Obstacle::new(Reason::ImportSideEffect, (moved, at), message))
}

/// What shows that one is loaded with the other, which loads it later today, or not at all.
fn earlier(ctx: &Context, pair: Pair) -> Option<Obstacle> {
    let name = |m: ModuleId| &ctx.project().module(m).name;
    let (home, emptied) = (name(pair.home), name(pair.emptied));
    let eager = |e: &Edge| e.to == pair.home && e.kind == Kind::Eager;
    if !ctx.world.graph.edges_of(pair.emptied).iter().any(eager) {
        let message = format!("`{emptied}` imports `{home}` in functions alone, and would need it at once");
        return Some(Obstacle::new(Reason::ConditionalImport, (pair.emptied, first(ctx, pair.emptied)), message));
    }
    let (module, at) = settled::shows_earlier(ctx, pair.home, pair.emptied)?;
    let message = match module == pair.emptied {
        true => format!("`{emptied}`, which `{home}` does not load today, does more than define something"),
        false => format!("`{emptied}`, which `{home}` does not load today, loads `{}`", name(module)),
    };
    Some(Obstacle::new(Reason::ImportSideEffect, (module, at), message))
}

/// A package whose attribute the emptied module is, if that were no longer loaded with what loads it now.
fn submodule(ctx: &Context, pair: Pair) -> Option<Obstacle> {
    let cut = |e: &Edge| e.from == pair.home && e.to == pair.emptied;
    let here = (pair.home, first(ctx, pair.home));
    Loading::without(ctx.world.graph, pair.home, cut).submodule_obstacle(
        ctx,
        pair.emptied,
        &|user| pair.has(user),
        here,
    )
}

/// Where the emptied module is read as an attribute of its package, if only an import that goes loads it for that: one in a
/// function, or by another name.
fn read_of_package(ctx: &Context, pair: Pair, names: &Names) -> Option<Obstacle> {
    let project = ctx.project();
    let this = project.module(pair.emptied);
    let (package, name) = this.name.rsplit_once('.')?;
    let package = project.tree.find(package, this.root)?;
    let goes = |e: &Edge| e.from == pair.home && e.to == pair.emptied;
    let is_written = |user: ModuleId, at: Span| {
        Side::BOTH.iter().any(|s| pair.module(*s) == user && names.edits.of(*s).keys().any(|w| w.contains(at)))
    };
    let reads = |u: &&AttributeUse| {
        let entry = if u.user == pair.emptied { pair.home } else { u.user };
        matches!(u.how, How::Attribute(_) | How::Text)
            && !is_written(u.user, u.span)
            && !ctx.world.graph.loaded_by(entry, &goes).contains(&pair.emptied)
    };
    let used = ctx.users.uses(package, name).find(reads)?;
    let message = format!("`{}` is used as an attribute, and no import would load it any more", this.name);
    Some(Obstacle::new(Reason::SubmoduleAccess, (used.user, used.span), message))
}

/// Whether anything outside of the two uses a name of one of them.
pub fn used_outside(ctx: &Context, pair: Pair, module: ModuleId, name: &str) -> Option<(ModuleId, Span)> {
    ctx.users.uses(module, name).find(|u| !pair.has(u.user)).map(|u| (u.user, u.span))
}
