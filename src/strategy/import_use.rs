//! What one import is used for, and whether it may leave its place at all: the common ground of the strategies that move
//! or remove single imports.

use std::collections::BTreeSet;

use super::{Context, ImportId, Reason, compiled, writable};
use crate::graph::Edge;
use crate::names::evaluated::{self, Evaluated};
use crate::names::scope::{AnnotationOwner, Binding, FunctionId, MODULE};
use crate::names::users::{How, is_public};
use crate::names::{Bound, FileNames, Moment, Object, Role, Use, is_private, words};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::imports::{ImportSite, Place};

/// A reason with its place and words.
#[derive(Clone, Debug)]
pub struct Obstacle {
    pub reason: Reason,
    pub message: String,
    pub at: (ModuleId, Span),
}

impl Obstacle {
    pub fn new(reason: Reason, at: (ModuleId, Span), message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), at }
    }
}

/// What the names of one import are used for.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Outermost functions that use it when they are called.
    pub functions: BTreeSet<FunctionId>,
    /// Annotations that have to become strings if the name is bound for type checkers alone.
    pub quotes: Vec<Span>,
    /// Whether annotations or strings that stand for types use it.
    pub types: bool,
    /// An annotation that might be evaluated all the same.
    pub doubt: Option<String>,
    /// A use that no moved import can serve.
    pub blocked: Option<Obstacle>,
}

impl Uses {
    pub fn none(&self) -> bool {
        self.functions.is_empty() && !self.types && self.blocked.is_none()
    }
}

/// The uses of the module's own scope that this import serves.
fn served<'x, 'p>(ctx: &'x Context<'_, 'p>, id: ImportId, site: &ImportSite<'p>) -> Vec<&'x Use<'p>> {
    let file = ctx.world.names.file(id.module);
    let Some(bound) = site.bound() else { return Vec::new() };
    let below: Vec<&str> = match (site.name, site.asname) {
        (None, None) => site.module.split('.').skip(1).collect(),
        _ => Vec::new(),
    };
    file.uses
        .iter()
        .filter(|u| u.name == bound && u.owner == Some(MODULE))
        .filter(|u| u.attributes.iter().map(|a| a.text).take(below.len()).eq(below.iter().copied()) || u.role_is_text())
        .collect()
}

impl Use<'_> {
    fn role_is_text(&self) -> bool {
        matches!(self.role, Role::Quoted(_))
    }
}

/// What annotations of variables of a class may be that make them no fields (`_is_type` of CPython's `dataclasses`).
const TOLD_APART: [&str; 3] = ["ClassVar", "InitVar", "KW_ONLY"];

pub fn uses(ctx: &Context, id: ImportId) -> Uses {
    let world = ctx.world;
    let file = world.names.file(id.module);
    let site = world.graph.site(id.module, id.site);
    let mut out = Uses::default();
    for used in served(ctx, id, site) {
        let at = (id.module, used.span);
        match (used.role, used.moment) {
            (Role::Quoted(None), _) | (_, Moment::Never) => out.types = true,
            (Role::Quoted(Some(annotation)) | Role::Annotation(annotation), _) => {
                let found = file.annotation(annotation);
                // Data classes look for these names among those of the module, however the annotation is written.
                let is_told_apart = found.owner != AnnotationOwner::Local && TOLD_APART.contains(&used.name);
                let evaluated = if is_told_apart {
                    Evaluated::Yes
                } else {
                    evaluated::annotation(world, &ctx.users, id.module, annotation)
                };
                match evaluated {
                    Evaluated::Yes => {
                        let message = format!("`{}` stands in an annotation that is evaluated at run time", used.name);
                        out.blocked.get_or_insert(Obstacle::new(Reason::RuntimeAnnotation, at, message));
                    }
                    Evaluated::Possibly => {
                        out.doubt.get_or_insert_with(|| {
                            format!("an unknown decorator or base class may evaluate the annotation of `{}`", used.name)
                        });
                    }
                    Evaluated::Handed => {
                        out.doubt.get_or_insert_with(|| {
                            format!(
                                "code of the project evaluates annotations of what it is handed, perhaps that of `{}`",
                                used.name
                            )
                        });
                    }
                    Evaluated::No => {}
                }
                out.types = true;
                let postponed = file.postponed || ctx.project().settings.target_version >= (3, 14);
                let quoted = matches!(used.role, Role::Quoted(_));
                if !quoted && !postponed && found.owner != AnnotationOwner::Local && !out.quotes.contains(&found.span) {
                    out.quotes.push(found.span);
                    if ctx.users.reads_annotations() {
                        let doubt = || {
                            format!(
                                "code of the project reads annotations, and that of `{}` would be a text",
                                used.name
                            )
                        };
                        out.doubt.get_or_insert_with(doubt);
                    }
                }
            }
            (_, Moment::Import | Moment::Main) => {
                let message = format!("`{}` is needed while the module is imported", shown(used));
                out.blocked.get_or_insert(Obstacle::new(Reason::ImportTimeUse, at, message));
            }
            (_, Moment::Call(function)) => {
                let outermost = file.outermost(function);
                let name = file.function(outermost).name;
                if let Some(running) = runs_at_import(ctx, id.module, function) {
                    let name = file.function(running).name;
                    let message = match name {
                        "" => format!("`{}` is used in a lambda, which may run while modules are imported", used.name),
                        _ => format!("`{}` is used in `{name}`, which may run while modules are imported", used.name),
                    };
                    let cause = ctx.running.because(id.module, running).unwrap_or(at);
                    out.blocked.get_or_insert(Obstacle::new(Reason::RunsAtImport, cause, message));
                } else if file.function(outermost).is_lambda {
                    let message = format!("`{}` is used in a lambda, which cannot hold an import", used.name);
                    out.blocked.get_or_insert(Obstacle::new(Reason::NoPlace, at, message));
                } else if name == "__del__" || is_called_by_finalizer(ctx, id.module, name) {
                    let message = format!("nothing can be imported in `{name}` while the interpreter shuts down");
                    out.blocked.get_or_insert(Obstacle::new(Reason::NoPlace, at, message));
                } else if let Some(compiler) = compiled::compiled_by(ctx, id.module, function) {
                    let message = format!("`{compiler}` compiles `{name}`, which cannot hold an import");
                    out.blocked.get_or_insert(Obstacle::new(Reason::NoPlace, at, message));
                } else if file.function(outermost).class.is_some() && is_mangled(site) {
                    let message = format!("in the class of `{name}`, `{}` would be another name", used.name);
                    out.blocked.get_or_insert(Obstacle::new(Reason::NoPlace, at, message));
                } else if declared_global(file, used) {
                    let message = format!("`{}` is declared global in `{name}`", used.name);
                    out.blocked.get_or_insert(Obstacle::new(Reason::ReboundName, at, message));
                } else if file.function(outermost).dynamic {
                    let message = format!("`{name}` reads its names by string");
                    out.blocked.get_or_insert(Obstacle::new(Reason::DynamicNames, at, message));
                } else {
                    out.functions.insert(outermost);
                }
            }
        }
    }
    // The strings around a part need none of their own.
    let all = out.quotes.clone();
    out.quotes.retain(|q| !all.iter().any(|o| o != q && o.contains(*q)));
    out
}

/// Whether an import says a name that the body of a class would make a private one of the class.
fn is_mangled(site: &ImportSite) -> bool {
    let names = site.module.split('.').chain(site.name).chain(site.asname);
    names.into_iter().any(is_private)
}

/// Whether a scope around the use says `global` of its name.
fn declared_global(file: &FileNames, used: &Use) -> bool {
    let mut at = Some(used.scope);
    while let Some(scope) = at {
        if file.scope(scope).globals.contains(used.name) {
            return true;
        }
        at = file.scope(scope).parent;
    }
    false
}

fn shown(used: &Use) -> String {
    used.attributes.iter().fold(used.name.to_owned(), |all, a| format!("{all}.{}", a.text))
}

/// The function around `function` that may run at import time, if the import would be reached then: the import goes into the
/// outermost one.
fn runs_at_import(ctx: &Context, module: ModuleId, function: FunctionId) -> Option<FunctionId> {
    let outermost = ctx.world.names.file(module).outermost(function);
    ctx.running.may_run(module, outermost).then_some(outermost)
}

/// What stands against rewriting the file of an import at all.
pub fn not_writable(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    let here = (id.module, ctx.world.graph.site(id.module, id.site).at);
    writable::not_writable(ctx, id.module).map(|(reason, message)| Obstacle::new(reason, here, message))
}

/// A name of a package that is a submodule, too: which of them an import gets depends on how far the package has come.
pub fn two_things(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    let (project, world) = (ctx.project(), ctx.world);
    let site = world.graph.site(id.module, id.site);
    // Later on, the package is complete.
    let target = world.graph.targets[id.module.index()][id.site].filter(|_| site.kind == Kind::Eager)?;
    let this = project.module(target.module);
    let (package, name) = match (site.name, site.asname) {
        (Some(name), _) if !target.is_module => (target.module, name),
        (Some(_), _) | (None, Some(_)) => {
            let (package, name) = this.name.rsplit_once('.')?;
            (project.tree.find(package, this.root)?, name)
        }
        (None, None) => return None,
    };
    let submodule = project.tree.find(&format!("{}.{name}", project.module(package).name), this.root)?;
    let other = world.names.file(package).bindings(name).iter().find(|binding| match binding.what {
        Bound::Import(import) => world.site_object(package, import) != Object::Module(submodule),
        Bound::Declared => false,
        _ => true,
    })?;
    // Bound before anything leads to the module that imports it, it is the object for sure.
    let leads = world.graph.edges_of(package).iter().filter(|e| e.kind == Kind::Eager);
    let runs = |to: ModuleId, module: ModuleId| world.graph.run_by(to, &|edge| edge.to == package).contains(&module);
    let leads: Vec<&Edge> = leads.filter(|e| runs(e.to, id.module)).collect();
    let start = |e: &Edge| world.graph.site(package, e.site).at.start;
    // The submodule takes the name when it is loaded first: before the name is bound, that does not show.
    let loading = world.graph.edges_of(package).iter().filter(|e| e.kind == Kind::Eager);
    let loaded = loading.filter(|e| runs(e.to, submodule)).map(start).min();
    let taken_anew = loaded.is_some_and(|at| at > other.span.start && leads.iter().any(|lead| start(lead) >= at));
    if !target.is_module && !taken_anew && leads.iter().all(|e| other.span.start < start(e)) {
        return None;
    }
    let message = format!("`{name}` is a submodule of `{}` and another name in it", project.module(package).name);
    Some(Obstacle::new(Reason::ReboundName, (package, other.span), message))
}

/// Whether the name may leave the module's namespace, whatever its uses are.
pub fn obstacle(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    let world = ctx.world;
    let site = world.graph.site(id.module, id.site);
    let file = world.names.file(id.module);
    let here = (id.module, site.at);
    if let Some(found) = not_writable(ctx, id) {
        return Some(found);
    }
    let Some(name) = site.bound() else {
        let message = if site.star { "`import *` binds names that are not listed" } else { "the call binds no name" };
        return Some(Obstacle::new(Reason::NoName, here, message));
    };
    match site.place {
        Place::Top => {}
        Place::Block => {
            let message = "the import stands in a block that says when it applies";
            return Some(Obstacle::new(Reason::ConditionalImport, here, message));
        }
        Place::Class | Place::Function => {
            let message = "the import is not at the top level of the module";
            return Some(Obstacle::new(Reason::ConditionalImport, here, message));
        }
    }
    if let Some(kept) = kept_by_comment(ctx, id).or_else(|| two_things(ctx, id)) {
        return Some(kept);
    }
    let others: Vec<&Binding> = file.bindings(name).iter().filter(|b| !is_binding_of(ctx, b, id)).collect();
    if let Some(other) = others.iter().find(|b| b.moment != Moment::Never || site.name.is_some()) {
        let message = format!("`{name}` is bound more than once");
        return Some(Obstacle::new(Reason::ReboundName, (id.module, other.span), message));
    }
    if let Some(star) = world.star_over(id.module, name, site.stmt) {
        let message = format!("`{name}` may be bound anew by an `import *` behind it");
        return Some(Obstacle::new(Reason::ReboundName, (id.module, star), message));
    }
    if is_public(world, id.module, name) {
        let message = format!("`{name}` is a public name of this module");
        return Some(Obstacle::new(Reason::PublicName, here, message));
    }
    if let Some((user, at)) = ctx.users.replaced(id.module, name) {
        let message = format!("`{}.{name}` is replaced from outside", ctx.project().module(id.module).name);
        return Some(Obstacle::new(Reason::PatchedName, (user, at), message));
    }
    if let Some(other) =
        ctx.users.uses(id.module, name).find(|u| u.how != How::Import(Kind::Type) && u.user != id.module)
    {
        let message = format!("another module uses `{}.{name}`", ctx.project().module(id.module).name);
        return Some(Obstacle::new(Reason::UsedElsewhere, (other.user, other.span), message));
    }
    if ctx.users.uses(id.module, name).any(|u| u.user == id.module && u.span == Span::default()) {
        let message = format!("the project's manifest names `{name}` of this module");
        return Some(Obstacle::new(Reason::PublicName, here, message));
    }
    if let Some(own) = ctx.users.uses(id.module, name).find(|u| u.user == id.module) {
        let message = format!("the module names `{name}` by its own path");
        return Some(Obstacle::new(Reason::DynamicNames, (id.module, own.span), message));
    }
    if let Some((user, at)) = taken_by_star(ctx, id.module, name, &mut BTreeSet::new()) {
        let message = "another module takes all names of this one, and uses this one";
        return Some(Obstacle::new(Reason::UsedElsewhere, (user, at), message));
    }
    if let Some(at) = ctx.users.may_be_read(id.module, name) {
        let message = format!("the module object is handed on, so that `{name}` may be read of it");
        return Some(Obstacle::new(Reason::DynamicNames, at, message));
    }
    if let Some(at) = file.dynamic {
        let message = "the module reads its own names by string";
        return Some(Obstacle::new(Reason::DynamicNames, (id.module, at), message));
    }
    if ctx.users.is_read_somewhere(name) {
        let message = format!("`{name}` is read of a module whose name is computed");
        return Some(Obstacle::new(Reason::DynamicNames, here, message));
    }
    if file.doctest.contains(name) {
        let message = format!("a doctest uses `{name}`");
        return Some(Obstacle::new(Reason::DoctestUse, here, message));
    }
    None
}

/// A module that takes all names of this one by `*`, if it or somebody behind it uses this name from there.
fn taken_by_star(
    ctx: &Context,
    module: ModuleId,
    name: &str,
    seen: &mut BTreeSet<ModuleId>,
) -> Option<(ModuleId, Span)> {
    if !seen.insert(module) || !ctx.world.exports(module, name) {
        return None;
    }
    ctx.users.of(module).stars.iter().copied().find(|(user, at)| {
        let file = ctx.world.names.file(*user);
        let own = |b: &Binding| !b.conditional && b.what != Bound::Declared;
        let (mut behind, mut before) = (false, false);
        for binding in file.bindings(name).iter().filter(|b| own(b)) {
            behind |= binding.span.start > at.start;
            before |= binding.span.start < at.start;
        }
        let used = file.uses.iter().any(|u| u.name == name && u.owner.is_none());
        let listed = file.exports.names.contains(&name);
        // A binding of its own behind it stands for itself, one before it would come back.
        !behind
            && (before
                || used
                || listed
                || ctx.users.uses(*user, name).next().is_some()
                || ctx.users.may_be_read(*user, name).is_some()
                || taken_by_star(ctx, *user, name, seen).is_some())
    })
}

fn is_binding_of(ctx: &Context, binding: &Binding, id: ImportId) -> bool {
    let Bound::Import(other) = binding.what else { return false };
    if other == id.site {
        return true;
    }
    // `import a.b` and `import a.c` bind the same package, each for its own part.
    let (this, other) = (ctx.world.graph.site(id.module, id.site), ctx.world.graph.site(id.module, other));
    let plain = |s: &ImportSite| s.name.is_none() && s.asname.is_none() && s.module.contains('.');
    plain(this) && other.name.is_none() && other.asname.is_none()
}

/// Whether a `__del__` of the module speaks of a function of this name.
fn is_called_by_finalizer(ctx: &Context, module: ModuleId, name: &str) -> bool {
    let text = ctx.project().text(module);
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    let finalizers = ctx.world.names.file(module).functions.iter().filter(|function| function.name == "__del__");
    let mut words = finalizers.flat_map(|function| function.span.of(text).split(|c| !is_word(c)));
    words.any(|word| word == name)
}

/// Words of comments that say an import is there for others.
const PURPOSES: [&str; 9] =
    ["side effect", "side-effect", "regist", "keep", "re-export", "reexport", "backward", "not remove", "n't remove"];

/// Those of a comment above.
const PURPOSES_ABOVE: [&str; 19] = [
    "side effect",
    "side-effect",
    "re-export",
    "reexport",
    "backward",
    "old import path",
    "not remove",
    "n't remove",
    "not delete",
    "n't delete",
    "get registered",
    "gets registered",
    "are registered",
    "is registered",
    "to register",
    "hook up",
    "must be imported",
    "be imported before",
    "import is required",
];

/// A comment that says that the import is there for others.
pub fn kept_by_comment(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    purpose(ctx, id, &PURPOSES).or_else(|| kept_by_comment_above(ctx, id))
}

/// The same of the lines above, which may speak of more than one import.
fn kept_by_comment_above(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    let site = ctx.world.graph.site(id.module, id.site);
    let text = ctx.project().text(id.module);
    let above = text[..site.stmt.start].lines().rev();
    // The last is what stands before the statement on its own line.
    let above = above.skip(usize::from(!text[..site.stmt.start].ends_with(['\n', '\r'])));
    let comments: Vec<&str> = above.map(str::trim).take_while(|line| line.starts_with('#')).collect();
    // A longer one speaks of more than the import.
    if comments.len() > 3 {
        return None;
    }
    let comment = comments.iter().rev().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join(" ");
    let lower = comment.to_lowercase();
    // What only speaks of the cycle says nothing of others.
    let of_cycle = lower.contains("circular") || lower.contains("cycl");
    let keeps = !of_cycle && PURPOSES_ABOVE.iter().any(|words| lower.contains(words));
    let message = format!("the comment above keeps it: # {comment}");
    keeps.then(|| Obstacle::new(Reason::KeptOnPurpose, (id.module, site.at), message))
}

/// A comment that keeps an import: on its own line, or on the first or last of its statement.
fn purpose(ctx: &Context, id: ImportId, words: &[&str]) -> Option<Obstacle> {
    let site = ctx.world.graph.site(id.module, id.site);
    let text = ctx.project().text(id.module);
    [site.stmt.start, site.at.end, site.stmt.end].into_iter().find_map(|at| {
        let end = text[at..].find(['\n', '\r']).map_or(text.len(), |n| at + n);
        let comment = text[at..end].split_once('#')?.1.trim();
        let keeps = words.iter().any(|w| comment.to_lowercase().contains(w));
        let message = format!("its comment keeps it: # {comment}");
        keeps.then(|| Obstacle::new(Reason::KeptOnPurpose, (id.module, site.at), message))
    })
}

/// A comment that silences a linter about an import which nothing uses: it is there on purpose.
pub fn silenced(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    purpose(ctx, id, &["f401", "unused-import", "noqa", "noinspection", "pyflakes"])
}

/// A comment that silences a linter about an import which only annotations use: it is there at run time on purpose.
pub fn wanted_at_run_time(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    purpose(ctx, id, &["tc001", "tc002", "tc003", "tch001", "tch002", "tch003"])
}

/// What stands against importing the target later, at a call, than now.
pub fn later_obstacle(ctx: &Context, id: ImportId) -> Option<Obstacle> {
    let world = ctx.world;
    let site = world.graph.site(id.module, id.site);
    let target = world.graph.targets[id.module.index()][id.site]?;
    let name = site.name?;
    if target.is_module {
        return None;
    }
    // The name as its module sees it: a local import would see a replaced value, where the module's own reference did not.
    replaced_at_home(ctx, target.module, name)
}

/// Whether a module's attribute is replaced there, or where it is defined, at run time.
pub fn replaced_at_home(ctx: &Context, target: ModuleId, name: &str) -> Option<Obstacle> {
    let world = ctx.world;
    let homes = match world.attribute(target, name) {
        Object::Attribute { module, name, .. } => vec![(target, name), (module, name)],
        _ => vec![(target, name)],
    };
    for (home, name) in homes {
        let path = format!("{}.{name}", ctx.project().module(home).name);
        if let Some(at) = ctx.users.replaced(home, name) {
            return Some(Obstacle::new(Reason::PatchedName, at, format!("`{path}` is replaced from outside")));
        }
        if let Some(at) = bound_anew(world.names.file(home).bindings(name)) {
            return Some(Obstacle::new(
                Reason::ReboundState,
                (home, at),
                format!("`{path}` is bound anew at run time"),
            ));
        }
    }
    None
}

/// Where a name of a module stands for something else than it did at first: it is bound by a function, deleted, or assigned
/// twice.
pub fn bound_anew(bindings: &[Binding]) -> Option<Span> {
    let elsewhere = bindings.iter().find(|b| b.from_inside || b.what == Bound::Deleted);
    let mut plain = bindings.iter().filter(|b| !b.conditional && matches!(b.what, Bound::Value | Bound::Import(_)));
    plain.next();
    let again = plain.next().filter(|b| b.moment == Moment::Import);
    elsewhere.or(again).map(|b| b.span)
}

/// Whether the target, its package or the re-exporting module is reloaded: a name bound once and one looked up at each call
/// then differ.
pub fn reload_doubt(ctx: &Context, id: ImportId) -> Option<String> {
    let target = ctx.world.graph.targets[id.module.index()][id.site]?;
    let reloaded = |m: ModuleId| ctx.users.of(m).reloaded.is_some();
    let name = &ctx.project().module(target.module).name;
    if reloaded(target.module) || reloaded(id.module) {
        return Some(format!("`{name}` is reloaded: the import would see its new names at the next call"));
    }
    None
}

/// Whether the name occurs anywhere in the module's text but in this import: in strings or comments that no analysis
/// follows.
pub fn occurs(ctx: &Context, id: ImportId) -> bool {
    let text = ctx.project().text(id.module);
    let site = ctx.world.graph.site(id.module, id.site);
    let Some(name) = site.bound() else { return true };
    words(&text[..site.stmt.start]).chain(words(&text[site.stmt.end..])).any(|(_, word)| word == name)
}
