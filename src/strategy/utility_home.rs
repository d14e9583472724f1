//! Where extracted definitions go: an existing module that is plainly their home, or the name of a new one.

use std::collections::BTreeSet;

use super::closure::{Closure, Destination, Sheet, loaded_with};
use super::writable::not_writable;
use super::{Context, Reason, settled};
use crate::names::effects::Place;
use crate::names::evaluated::is_stdlib;
use crate::names::scope::MODULE;
use crate::names::{Bound, Moment, Object};
use crate::project::{Module, ModuleId};
use crate::rewrite::ImportText;
use crate::syntax::ast::StmtKind;

/// The name of a new module beside `source`, from which `user` may import without running more than it does.
pub fn name(ctx: &Context, source: ModuleId, user: ModuleId) -> Result<String, (Reason, String)> {
    let project = ctx.project();
    let (this, importer) = (project.module(source), project.module(user));
    let inside = this.is_package && importer.name.starts_with(&format!("{}.", this.name));
    let (package, last) = match this.name.rsplit_once('.') {
        _ if inside => (this.name.as_str(), ""),
        Some((package, last)) => (package, last),
        None if this.is_package => {
            let message = format!("a module beside the package `{}` would be a new top-level module", this.name);
            return Err((Reason::NoPlace, message));
        }
        None => ("", this.name.as_str()),
    };
    if this.is_test() {
        return Err((Reason::NoPlace, "a module beside tests would be taken for one of them".to_owned()));
    }
    if package.is_empty() && lists_modules(ctx) {
        let message = "a new top-level module would have to be listed in the project's manifest".to_owned();
        return Err((Reason::NoPlace, message));
    }
    if is_scanned(ctx, package, this.root) {
        let message =
            format!("the modules of `{package}` are looked for at run time, and a new one would be among them");
        return Err((Reason::NoPlace, message));
    }
    for ending in ["shared", "common", "base"] {
        let name = if last.is_empty() { format!("_{ending}") } else { format!("{last}_{ending}") };
        let path = if package.is_empty() { name.clone() } else { format!("{package}.{name}") };
        let taken = project.tree.find(&path, this.root).is_some()
            || project.tree.is_namespace(&path)
            || project.tree.is_compiled(&path)
            || package.is_empty() && is_stdlib(&name)
            || binds(ctx, package, this.root, &name);
        if !taken {
            return Ok(path);
        }
    }
    Err((Reason::NoPlace, format!("there is no free name for a module beside `{}`", this.name)))
}

/// Calls that look for modules, for files, and that import what was found.
const LOOKING_FOR_MODULES: [&str; 2] = ["iter_modules(", "walk_packages("];
const LOOKING_FOR_FILES: [&str; 4] = ["listdir(", "glob(", "iterdir(", "scandir("];
const IMPORTING: [&str; 2] = ["import_module(", "__import__("];

/// Whether code of the project looks for the modules of a package, to do something with each: it takes the package's `__path__` or
/// its name, or is the package's own and looks for files.
fn is_scanned(ctx: &Context, package: &str, root: usize) -> bool {
    let project = ctx.project();
    let Some(package_id) = project.tree.find(package, root) else { return false };
    let last = package.rsplit('.').next().unwrap_or(package);
    let names = [format!("{last}.__path__"), format!("\"{package}\""), format!("'{package}'")];
    let has = |text: &str, word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let has_any = |text: &str, words: &[&str]| words.iter().any(|word| has(text, word));
    let own = project.text(package_id);
    let looks = |(id, module): (ModuleId, &Module)| {
        let text = project.text(id);
        // A test that imports all modules does nothing with them.
        has_any(text, &LOOKING_FOR_MODULES)
            && !module.is_test()
            && (id == package_id && has(text, "__path__") || names.iter().any(|name| has(text, name)))
    };
    let by_files =
        has_any(own, &["__file__", "__path__"]) && has_any(own, &LOOKING_FOR_FILES) && has_any(own, &IMPORTING);
    by_files || project.modules().any(looks)
}

/// Whether a manifest lists the modules of the distribution one by one.
fn lists_modules(ctx: &Context) -> bool {
    ctx.project().manifests.values().any(|text| text.contains("py_modules") || text.contains("py-modules"))
}

/// Whether a package has an attribute of this name already.
fn binds(ctx: &Context, package: &str, root: usize, name: &str) -> bool {
    ctx.project().tree.find(package, root).is_some_and(|p| !ctx.world.names.file(p).bindings(name).is_empty())
}

/// What a module of some name is the home of.
fn takes(name: &str, kinds: &BTreeSet<&str>) -> bool {
    let only = |allowed: &[&str]| kinds.iter().all(|k| allowed.contains(k));
    match name.trim_start_matches('_') {
        "exceptions" | "errors" | "exc" | "exception" | "error" => only(&["exception"]),
        "constants" | "const" | "consts" | "defaults" => only(&["constant"]),
        "types" | "typing" => only(&["type"]),
        "utils" | "util" | "helpers" | "common" | "utilities" => only(&["function", "constant"]),
        _ => false,
    }
}

/// A module beside `source` that is the home of such definitions, holds some already, and may be imported by both.
pub fn existing(
    ctx: &Context,
    destination: &Destination,
    user: ModuleId,
    sheet: &Sheet,
    closure: &Closure,
) -> Option<ModuleId> {
    let project = ctx.project();
    let source = project.module(sheet.module);
    let home_package = destination.name.rsplit_once('.').map_or("", |(package, _)| package);
    let members: BTreeSet<ModuleId> = destination.cycle.modules.iter().copied().collect();
    if !closure.typed.is_empty() || !closure.back.is_empty() {
        return None;
    }
    let kinds = kinds(sheet, closure.statements.iter().copied());
    let fits = |module: ModuleId| {
        let this = project.module(module);
        let last = this.name.rsplit_once('.').map_or(this.name.as_str(), |(_, last)| last);
        let shared = this.name.strip_suffix("_shared") == Some(&source.name) || source.is_package && last == "_shared";
        let beside = this.root == source.root && !this.is_package;
        beside
            && (shared || takes(last, &kinds))
            && module != user
            && may_take(ctx, module, sheet, closure)
            && is_seen_by_name(ctx, module)
            && ctx.world.graph.loads(module).iter().all(|m| !members.contains(&m) || is_above(ctx, m, module))
            && [user, sheet.module].iter().all(|from| {
                let name = &project.module(*from).name;
                loaded_with(ctx, name, module).all(|m| m == module || !members.contains(&m))
            })
    };
    let fits = |module: ModuleId| {
        let is_loaded_alike = || [user, sheet.module].iter().all(|u| settled::shows_earlier(ctx, *u, module).is_none());
        fits(module) && is_loaded_alike()
    };
    let mut all = project.tree.children(home_package).iter().copied().filter(|m| !members.contains(m));
    all.find(|m| fits(*m))
}

fn is_above(ctx: &Context, package: ModuleId, module: ModuleId) -> bool {
    let package = &ctx.project().module(package).name;
    ctx.project().module(module).ancestors().any(|p| p == package)
}

/// Whether nobody sees which names a module has but who names them: they are not listed, taken by a star, or given by the module
/// itself, and the module is the one that stands in `sys.modules`. Nor does it do anything for others when it is imported.
fn is_seen_by_name(ctx: &Context, module: ModuleId) -> bool {
    let file = ctx.world.names.file(module);
    let users = ctx.users.of(module);
    let replaces_itself = |path: &str| path == "sys.modules" || path.starts_with("sys.modules.");
    let own = |place: &Place| place.module() == Some(module);
    users.stars.is_empty()
        && ctx.effect(module, &own).is_none()
        && users.read_unnamed().next().is_none()
        && file.bindings("__getattr__").is_empty()
        && !file.uses.iter().any(|used| match ctx.world.trace_use(module, used).object {
            Object::External(path) => replaces_itself(&path),
            _ => false,
        })
}

/// Whether definitions fit into a module: its names are its own, and it evaluates annotations as theirs does.
fn may_take(ctx: &Context, module: ModuleId, sheet: &Sheet, closure: &Closure) -> bool {
    let file = ctx.world.names.file(module);
    let source = ctx.project().file(ctx.project().module(module).file);
    let imports = &ctx.world.graph.files[module.index()];
    let plain = not_writable(ctx, module).is_none()
        && file.exports.is_empty()
        && !imports.sites.iter().any(|s| s.star)
        && file.dynamic.is_none()
        && file.postponed == ctx.world.names.file(sheet.module).postponed
        && file.uses.iter().all(|u| u.moment != Moment::Main)
        && ctx.users.of(module).reloaded.is_none()
        && ctx.users.of(module).patched_somehow.is_none()
        && !ctx.project().stubs.iter().any(|s| s.strip_suffix('i') == Some(&source.path));
    let known = imported(ctx, module);
    let graph = ctx.world.graph;
    let free =
        |name: &str| file.bindings(name).is_empty() && !file.uses.iter().any(|u| u.name == name && u.owner.is_none());
    let own = file.scope(MODULE).bindings.values().flatten().any(|b| !matches!(b.what, Bound::Import(_)));
    // What it has to import may not import it.
    let loads_it = |site: &usize| {
        let target = graph.targets[sheet.module.index()][*site];
        target.is_some_and(|t| graph.loads(t.module).contains(&module))
    };
    let has = |site: &usize| is_from(ctx, sheet.module, *site, module);
    let bound = |site: &usize| graph.site(sheet.module, *site).bound();
    // What nothing binds where it comes from is a builtin.
    let means_the_same =
        |name: &str| !ctx.world.names.file(sheet.module).bindings(name).is_empty() || file.bindings(name).is_empty();
    let comes_unseen = |site: &usize| settled::shows_import(ctx, module, (sheet.module, *site)).is_none();
    let same = |site: &usize| {
        let found = graph.site(sheet.module, *site);
        known.iter().any(|k| {
            k.module == format!("{}{}", ".".repeat(found.level), found.module)
                && k.name.as_deref() == found.name
                && k.alias.as_deref() == found.asname
        })
    };
    plain
        && own
        && closure.names.iter().all(|n| free(n))
        && closure.reads.iter().all(|n| ctx.users.replaced(module, n).is_none() && means_the_same(n))
        && closure
            .imports
            .iter()
            .all(|s| has(s) || !loads_it(s) && (same(s) || bound(s).is_some_and(free) && comes_unseen(s)))
}

/// Whether an import takes a name of `home` as it is called there.
pub fn is_from(ctx: &Context, user: ModuleId, site: usize, home: ModuleId) -> bool {
    let found = ctx.world.graph.site(user, site);
    let target = ctx.world.graph.targets[user.index()][site];
    found.asname.is_none() && found.name.is_some() && target.is_some_and(|t| t.module == home && !t.is_module)
}

/// The imports at the head of a module.
pub fn imported(ctx: &Context, module: ModuleId) -> Vec<ImportText> {
    let sites = ctx.world.graph.files[module.index()].sites.iter();
    let top = sites.filter(|s| s.place == crate::syntax::imports::Place::Top && !s.star && !s.call);
    top.map(|s| ImportText {
        module: format!("{}{}", ".".repeat(s.level), s.module),
        name: s.name.map(|n| s.asname.map_or_else(|| n.to_owned(), |other| format!("{n} as {other}"))),
        alias: if s.name.is_none() { s.asname.map(str::to_owned) } else { None },
        comment: None,
        above: Vec::new(),
    })
    .collect()
}

/// What kinds of definitions statements are.
fn kinds(sheet: &Sheet, statements: impl Iterator<Item = usize>) -> BTreeSet<&'static str> {
    statements.map(|index| kind(sheet, index)).collect()
}

/// What a statement defines, in a word.
pub fn kind(sheet: &Sheet, index: usize) -> &'static str {
    let is_error = |name: &str| ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
    match &sheet.statement(index).kind {
        StmtKind::Function(_) => "function",
        StmtKind::Class(class) => {
            let by_base = class.args.iter().any(|a| a.value.last_name().is_some_and(is_error));
            if is_error(class.name.text) || by_base { "exception" } else { "class" }
        }
        StmtKind::TypeAlias { .. } => "type",
        StmtKind::Assign { targets, value } => {
            let names = targets.iter().filter_map(|t| t.as_name());
            let constant = names.flat_map(str::chars).all(|c| !c.is_lowercase());
            let alias = matches!(value.last_name(), Some("TypeVar" | "NewType" | "Union" | "Optional" | "Callable"));
            match (alias, constant) {
                (true, _) => "type",
                (_, true) => "constant",
                _ => "definition",
            }
        }
        StmtKind::AnnAssign { .. } => "constant",
        _ => "definition",
    }
}
