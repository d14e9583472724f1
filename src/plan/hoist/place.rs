//! Which imports inside functions may move to the top of their module: those that stand there for no other reason than a cycle.

use std::collections::BTreeMap;

use crate::graph::Graph;
use crate::names::effects::{class_of, lineage};
use crate::names::scope::{FunctionId, MODULE, Scope, ScopeKind};
use crate::names::{Bound, Moment, Object};
use crate::outcome::{Kind, Safety};
use crate::project::ModuleId;
use crate::rewrite::lines::{line_end, line_start, next_line};
use crate::rewrite::{ImportText, Intent};
use crate::strategy::{Added, Context, Fix, ImportId, Reason, Refusal, not_writable};
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};
use crate::syntax::imports::{ImportSite, Place};

/// Name in reports.
pub const HOIST: &str = "hoist";

/// Why an import stays.
type Obstacle = (Reason, String);

fn obstacle<T>(reason: Reason, message: impl Into<String>) -> Result<T, Obstacle> {
    Err((reason, message.into()))
}

pub fn refusal(ctx: &Context, import: ImportId, (reason, message): Obstacle) -> Refusal {
    let at = (import.module, ctx.world.graph.site(import.module, import.site).at);
    Refusal { strategy: HOIST, import, reason, message, at }
}

/// The imports of modules of the project inside functions, those of one module that bind the same name together.
pub fn groups<'g>(graph: &'g Graph, module: ModuleId) -> BTreeMap<&'g str, Vec<ImportId>> {
    let mut out: BTreeMap<&str, Vec<ImportId>> = BTreeMap::new();
    for (site, found) in graph.files[module.index()].sites.iter().enumerate() {
        let ours = graph.targets[module.index()][site].is_some_and(|t| t.module != module);
        let late = found.place == Place::Function && found.kind == Kind::Deferred;
        if let Some(name) = found.bound().filter(|_| ours && late) {
            out.entry(name).or_default().push(ImportId { module, site });
        }
    }
    out
}

/// The fix that moves all imports of a group, if they import the same and nothing speaks for their place.
pub fn movable(ctx: &Context, name: &str, imports: &[ImportId]) -> Result<Fix, Obstacle> {
    let graph = ctx.world.graph;
    let module = imports[0].module;
    module_may_change(ctx, module)?;
    let site = |id: &ImportId| graph.site(module, id.site);
    let source = |id: &ImportId| (site(id).level, site(id).module, site(id).name, site(id).asname);
    let first = site(&imports[0]);
    if first.name.is_none() && first.asname.is_none() && first.module.contains('.') {
        return obstacle(Reason::NameCollision, format!("other imports may bind `{name}`, too"));
    }
    if imports.iter().any(|id| source(id) != source(&imports[0])) {
        return obstacle(Reason::NameCollision, format!("functions import different things as `{name}`"));
    }
    name_is_free(ctx, module, name)?;
    let target = steady(ctx, imports[0])?;
    if is_collected(ctx, imports[0]) {
        return obstacle(Reason::PublicName, format!("`{name}` of this module would be taken for a test of it"));
    }
    let ast = ctx.world.names.ast(module);
    let mut intents = vec![(module, Intent::Import(text(first)))];
    for id in imports {
        if !in_function_body(&ast.body, site(id).stmt) {
            return obstacle(Reason::ConditionalImport, "it does not stand directly in the body of a plain function");
        }
        plain_scope(ctx, name, *id)?;
        let comments = comments(ctx, module, site(id).stmt)?;
        intents.extend(comments.map(|comments| (module, Intent::Uncomment { comments })));
        intents.push((module, Intent::Remove { site: id.site }));
    }
    let here = &ctx.project().module(module).name;
    Ok(Fix {
        strategy: HOIST,
        form: None,
        title: format!("move the import of `{}` to the top of `{here}`", first.shown()),
        safety: Safety::Safe,
        doubt: None,
        removes: imports.to_vec(),
        adds: graph.edges_to(module, target).into_iter().map(|to| Added::always(module, to)).collect(),
        intents,
        creates: Vec::new(),
        cost: 0,
    })
}

fn text(site: &ImportSite) -> ImportText {
    let renamed = |name: &str| match site.asname {
        Some(asname) => format!("{name} as {asname}"),
        None => name.to_owned(),
    };
    ImportText {
        module: format!("{}{}", ".".repeat(site.level), site.module),
        name: site.name.map(renamed),
        alias: if site.name.is_none() { site.asname.map(str::to_owned) } else { None },
        comment: None,
        above: Vec::new(),
    }
}

/// A module whose text and names are plain enough: no package, whose names are public; no test, whose imports are part of it.
fn module_may_change(ctx: &Context, module: ModuleId) -> Result<(), Obstacle> {
    let this = ctx.project().module(module);
    let users = ctx.users.of(module);
    not_writable(ctx, module).map_or(Ok(()), Err)?;
    if this.is_package || this.is_among_tests() {
        return obstacle(Reason::PublicName, "names of packages are public, and imports are part of a test");
    }
    if ctx.world.names.file(module).dynamic.is_some()
        || users.read_unnamed().next().is_some()
        || !users.stars.is_empty()
    {
        return obstacle(Reason::DynamicNames, "names of the module are read by string or all at once");
    }
    if users.patched_somehow.is_some() {
        return obstacle(Reason::PatchedName, "names of the module are replaced from outside");
    }
    if users.reloaded.is_some() {
        return obstacle(Reason::ReloadedModule, "the module is reloaded");
    }
    Ok(())
}

/// Whether the module's own scope can bind the name, and no other scope gives it another meaning for a reader.
fn name_is_free(ctx: &Context, module: ModuleId, name: &str) -> Result<(), Obstacle> {
    let file = ctx.world.names.file(module);
    let clashes = |scope: &Scope| {
        let other = |b: &crate::names::scope::Binding| !matches!(b.what, Bound::Import(_));
        // A method of that name is no name that its body sees.
        let method = matches!(scope.kind, ScopeKind::Class(_))
            && scope.bindings.get(name).is_some_and(|all| all.iter().all(|b| matches!(b.what, Bound::Function(_))));
        !method && (scope.globals.contains(name) || scope.bindings.get(name).is_some_and(|all| all.iter().any(other)))
    };
    let in_class =
        |u: &crate::names::Use| u.owner.is_none_or(|owner| matches!(file.scope(owner).kind, ScopeKind::Class(_)));
    if file.scope(MODULE).bindings.contains_key(name)
        || file.scopes.iter().any(clashes)
        || file.uses.iter().any(|u| u.name == name && in_class(u))
    {
        return obstacle(Reason::NameCollision, format!("`{name}` has another meaning elsewhere in the module"));
    }
    if ctx.users.replaced(module, name).is_some() {
        return obstacle(Reason::PatchedName, format!("`{name}` of this module is replaced from outside"));
    }
    Ok(())
}

/// Whether a statement stands directly in the body of a function that is called as it is.
fn in_function_body(block: &[Stmt], stmt: Span) -> bool {
    block.iter().filter(|s| s.span.contains(stmt)).any(|outer| match &outer.kind {
        StmtKind::Function(function) => {
            let special = matches!(function.name.text, "__getattr__" | "__dir__" | "__del__");
            let here = function.body.iter().any(|s| s.span == stmt);
            !special && (here || in_function_body(&function.body, stmt))
        }
        StmtKind::Class(class) => in_function_body(&class.body, stmt),
        _ => false,
    })
}

/// Whether the import is all that binds the name in its function, and the name would be the module's there.
fn plain_scope(ctx: &Context, name: &str, id: ImportId) -> Result<(), Obstacle> {
    let file = ctx.world.names.file(id.module);
    let holds =
        |s: &Scope| s.bindings.get(name).is_some_and(|all| all.iter().any(|b| b.what == Bound::Import(id.site)));
    let scope = file.scopes.iter().find(|s| holds(s));
    let function = scope.and_then(|s| if let ScopeKind::Function(f) = s.kind { Some((s, f)) } else { None });
    let Some((scope, function)) = function else {
        return obstacle(Reason::ConditionalImport, "it does not stand directly in the body of a plain function");
    };
    let alone = scope.bindings[name].iter().all(|b| matches!(b.what, Bound::Import(_)) && !b.from_inside);
    // Methods do not see the names of their class.
    let mut parent = scope.parent;
    while let Some(ScopeKind::Class(_)) = parent.map(|p| file.scope(p).kind) {
        parent = parent.and_then(|p| file.scope(p).parent);
    }
    let hidden = parent.is_some_and(|parent| file.owner(name, parent).is_some());
    if !alone || hidden {
        return obstacle(Reason::ReboundName, format!("`{name}` is bound more than once around it"));
    }
    if let Some(attribute) = code_taken(ctx, id.module, function) {
        return obstacle(
            Reason::DynamicNames,
            format!("`{attribute}` of the function may run without the module's names"),
        );
    }
    if file.function(function).dynamic {
        return obstacle(Reason::DynamicNames, "the function reads its names by string");
    }
    Ok(())
}

/// Who takes the code of a function, or of one around it, may run it elsewhere: `marshal.dumps(job.__code__)`.
fn code_taken(ctx: &Context, module: ModuleId, function: FunctionId) -> Option<&'static str> {
    const TAKING: [&str; 3] = ["__code__", "func_code", "getsource"];
    let file = ctx.world.names.file(module);
    let mut around = Some(function);
    let mut names = Vec::new();
    while let Some(id) = around {
        names.push(file.function(id).name);
        around = file.function(id).outer;
    }
    ctx.project().modules().map(|(user, _)| user).find_map(|user| {
        let text = ctx.project().text(user).as_bytes();
        let taking = TAKING.into_iter().find(|word| memchr::memmem::find(text, word.as_bytes()).is_some())?;
        let takes = |used: &&crate::names::Use| {
            let of_it = used.attributes.iter().any(|a| TAKING.contains(&a.text));
            let handed = used.passed_to().is_some_and(|to| to.path().last().is_some_and(|last| TAKING.contains(last)));
            let named = std::iter::once(used.name).chain(used.attributes.iter().map(|a| a.text));
            (of_it || handed) && named.into_iter().any(|part| names.contains(&part))
        };
        ctx.world.names.file(user).uses.iter().any(|used| takes(&used)).then_some(taking)
    })
}

/// Whether a name of a module would be collected as a test: a class of tests is one wherever it is bound.
fn is_collected(ctx: &Context, id: ImportId) -> bool {
    let found = ctx.world.graph.site(id.module, id.site);
    let target = ctx.world.graph.targets[id.module.index()][id.site];
    let (Some(name), Some(target)) = (found.name, target.filter(|target| !target.is_module)) else { return false };
    let Some((home, class)) = class_of(ctx.world, target.module, &[name]) else { return false };
    lineage(ctx.world, home, class).into_iter().any(|(home, class)| {
        let bases = ctx.world.names.file(home).class(class).bases.iter();
        bases.filter_map(|path| path.split_first()).any(|(first, rest)| {
            matches!(ctx.world.trace(home, MODULE, first, rest).object,
                Object::External(path) if path.ends_with("TestCase"))
        })
    })
}

/// Whether code patches what a path names that it is handed, and a text that may be part of such a path ends with the name.
fn is_patched_by_parts(ctx: &Context, name: &str) -> bool {
    let files = || ctx.project().modules().map(|(id, _)| ctx.world.names.file(id));
    files().any(|file| file.patches)
        && files().any(|file| file.paths.iter().any(|path| path.text.rsplit(['.', ':']).next() == Some(name)))
}

/// Words of comments that speak of a cycle.
const CYCLES: [&str; 4] = ["circular", "cycle", "cyclic", "circle"];
/// Words of comments that say an import is late on purpose, or that a tool reads.
const PURPOSES: [&str; 20] = [
    "lazy",
    "lazily",
    "optional",
    "slow",
    "heavy",
    "defer",
    "delay",
    "startup",
    "start-up",
    "expensive",
    "perf",
    "fast",
    "noqa",
    "isort",
    "pylint",
    "type:",
    "fmt:",
    "ruff",
    "pragma",
    "cyclefix",
];

/// The comment lines above an import that speak of a cycle, which go with it; one that gives another reason keeps the import.
fn comments(ctx: &Context, module: ModuleId, stmt: Span) -> Result<Option<Span>, Obstacle> {
    let text = ctx.project().text(module);
    let start = line_start(text, stmt.start);
    let behind = text[stmt.end..line_end(text, stmt.end)].trim();
    if !text[start..stmt.start].trim().is_empty() || !(behind.is_empty() || behind.starts_with('#')) {
        return obstacle(Reason::Form, "it shares its line with other code");
    }
    let mut top = start;
    while top > 0 {
        let line = line_start(text, text[..top].trim_end_matches(['\n', '\r']).len());
        let is_comment = text[line..top].trim_start().starts_with('#') && !text[line..top].trim_end().is_empty();
        // A blank line sets a comment apart.
        if !is_comment || next_line(text, line) != top {
            break;
        }
        top = line;
    }
    let above = text[top..start].trim();
    let of_cycle = |comment: &str| {
        let words = comment.to_lowercase();
        CYCLES.iter().any(|w| words.contains(w)) && !PURPOSES.iter().any(|w| words.contains(w))
    };
    for comment in [behind, above].into_iter().filter(|c| !c.is_empty()) {
        if !of_cycle(comment) {
            return obstacle(Reason::KeptOnPurpose, "a comment says why it stands there");
        }
    }
    if stmt.of(text).contains('#') {
        return obstacle(Reason::KeptOnPurpose, "there is a comment in it");
    }
    let below = text[next_line(text, stmt.end)..].trim_start_matches([' ', '\t']);
    if !above.is_empty() && (below.starts_with("from ") || below.starts_with("import ")) {
        return obstacle(Reason::KeptOnPurpose, "the comment above speaks of several imports");
    }
    Ok((top < start).then_some(Span { start: top, end: start }))
}

/// Whether what is imported is the same whenever it is looked up; gives the module that it loads.
fn steady(ctx: &Context, id: ImportId) -> Result<ModuleId, Obstacle> {
    let graph = ctx.world.graph;
    let found = graph.site(id.module, id.site);
    let reloaded = |m: ModuleId| ctx.users.of(m).reloaded.is_some() || exchanged(ctx, m);
    let Some(target) = graph.targets[id.module.index()][id.site].filter(|_| !found.star && !found.call) else {
        return obstacle(Reason::NoName, "it binds no name that could be followed");
    };
    if reloaded(target.module) {
        return obstacle(Reason::ReloadedModule, "what it imports is reloaded or exchanged in `sys.modules`");
    }
    let Some(name) = found.name.filter(|_| !target.is_module) else {
        let changed = found.name.is_some_and(|name| is_replaced(ctx, id.module, target.module, name));
        return match target.is_module && !changed {
            true => Ok(target.module),
            false => obstacle(Reason::PatchedName, "the module is replaced as an attribute of its package"),
        };
    };
    let bindings = ctx.world.names.file(target.module).bindings(name);
    let plain = |b: &crate::names::scope::Binding| !b.from_inside && b.moment == Moment::Import;
    if bindings.is_empty() || !bindings.iter().all(|b| plain(b) && b.what != Bound::Deleted) {
        return obstacle(Reason::ReboundState, format!("`{name}` may stand for something else later"));
    }
    let home = match ctx.world.attribute(target.module, name) {
        Object::Attribute { module, name, .. } => Some((module, name)),
        _ => None,
    };
    for (home, name) in [Some((target.module, name)), home].into_iter().flatten() {
        let path = format!("{}.{name}", ctx.project().module(home).name);
        if ctx.world.names.file(home).bindings(name).iter().any(|b| b.from_inside) {
            return obstacle(Reason::ReboundState, format!("`{path}` is bound anew at run time"));
        }
        if ctx.users.replaced(home, name).is_some() {
            return obstacle(
                Reason::PatchedName,
                format!("`{path}` is replaced from outside, which a late import sees"),
            );
        }
        if is_patched_by_parts(ctx, name) {
            return obstacle(Reason::PatchedName, format!("`{path}` may be replaced by a path that is put together"));
        }
        if reloaded(home) {
            return obstacle(Reason::ReloadedModule, "what it imports is reloaded or exchanged in `sys.modules`");
        }
    }
    Ok(target.module)
}

/// Whether a submodule is replaced as an attribute of its package.
fn is_replaced(ctx: &Context, user: ModuleId, module: ModuleId, name: &str) -> bool {
    let this = ctx.project().module(module);
    let package = this.name.rsplit_once('.').map_or("", |(package, _)| package);
    let found = ctx.project().tree.find(package, ctx.project().module(user).root);
    found.is_some_and(|package| ctx.users.replaced(package, name).is_some())
}

/// Whether some file speaks of `sys.modules` and of the module by its name, as tests do that put another in its place.
fn exchanged(ctx: &Context, module: ModuleId) -> bool {
    let name = &ctx.project().module(module).name;
    let quoted = [format!("\"{name}\""), format!("'{name}'")];
    let speaks = |text: &str| text.contains("sys.modules") && quoted.iter().any(|q| text.contains(q.as_str()));
    ctx.project().files.iter().any(|f| speaks(&f.text))
}
