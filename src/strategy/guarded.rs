//! Imports whose failure is expected: what they load has to fail when they run, not later.

use super::import_use::Obstacle;
use super::{Context, Reason};
use crate::graph::Edge;
use crate::names::evaluated::is_stdlib;
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::project::resolve::Target;
use crate::syntax::Span;
use crate::syntax::ast::{Handler, Stmt, StmtKind};
use crate::syntax::imports::Place;

/// Errors that an import raises when something is not installed, and those above them.
const CAUGHT: [&str; 4] = ["ImportError", "ModuleNotFoundError", "Exception", "BaseException"];

/// An import of a module of the project for which the code is ready to go on without it.
#[derive(Clone, Copy, Debug)]
pub struct Guarded {
    by: ModuleId,
    site: usize,
    target: ModuleId,
}

/// A module that may fail to load for want of a package from elsewhere, and that a guarded import would no longer load.
pub fn obstacle(ctx: &Context, lost: &[ModuleId], loses: &dyn Fn(ModuleId, ModuleId) -> bool) -> Option<Obstacle> {
    let all = ctx.guarded();
    if all.is_empty() {
        return None;
    }
    let risky = lost.iter().copied().filter_map(|module| Some((module, needs(ctx, module)?)));
    risky.into_iter().find_map(|(module, package)| {
        // What its module or the packages above load in any case has to be there.
        let anyway = |guard: &Guarded| {
            let guarded = |edge: &Edge| edge.from == guard.by && edge.site == guard.site;
            let above = ctx.project().tree.above(guard.by);
            above.chain([guard.by]).any(|by| ctx.world.graph.run_by(by, &guarded).contains(&module))
        };
        let guard = all.iter().find(|guard| loses(guard.target, module) && !anyway(guard))?;
        let (name, target) = (&ctx.project().module(module).name, &ctx.project().module(guard.target).name);
        let message =
            format!("`{name}` needs `{package}`: without it `{target}` cannot be imported, and here that is caught");
        Some(Obstacle::new(
            Reason::ImportSideEffect,
            (guard.by, ctx.world.graph.site(guard.by, guard.site).at),
            message,
        ))
    })
}

/// A package from elsewhere without which a module cannot be imported.
fn needs<'p>(ctx: &Context<'_, 'p>, module: ModuleId) -> Option<&'p str> {
    let graph = ctx.world.graph;
    let mut sites = graph.files[module.index()].sites.iter().zip(&graph.targets[module.index()]);
    let (site, _) = sites.find(|(site, target)| {
        let known = || is_stdlib(site.module) || is_internal(ctx, site.module);
        target.is_none() && site.kind == Kind::Eager && site.place == Place::Top && site.level == 0 && !known()
    })?;
    site.module.split('.').next()
}

/// Whether a dotted name begins with a package of the project, e.g. that of a compiled module.
fn is_internal(ctx: &Context, path: &str) -> bool {
    let top = path.split('.').next().unwrap_or_default();
    ctx.project().tree.modules.iter().any(|module| module.name == top)
}

/// All such imports.
pub fn all(ctx: &Context) -> Vec<Guarded> {
    let (graph, project) = (ctx.world.graph, ctx.project());
    let mut out = Vec::new();
    for by in (0..project.tree.modules.len()).map(|index| ModuleId(index as u32)) {
        let sites = graph.files[by.index()].sites.iter().zip(&graph.targets[by.index()]).enumerate();
        let inner = sites.filter(|(_, (site, _))| site.place != Place::Top && !matches!(site.kind, Kind::Type));
        // Scripts, tests and documents do without the whole package.
        let top = |module: ModuleId| project.module(module).name.split('.').next();
        let within = |target: &Target| top(by) == top(target.module);
        let inner = inner.filter_map(|(index, (site, target))| Some((index, site.stmt, (*target)?)));
        let mut inner = inner.filter(|(_, _, target)| within(target)).peekable();
        let text = project.text(by);
        if inner.peek().is_none() || !text.contains("except") && !text.contains("suppress") {
            continue;
        }
        let mut guards = Vec::new();
        guards_in(&ctx.world.names.ast(by).body, &mut guards);
        let guarded = inner.filter(|(_, stmt, _)| guards.iter().any(|guard: &Span| guard.contains(*stmt)));
        out.extend(guarded.map(|(site, _, target)| Guarded { by, site, target: target.module }));
    }
    out
}

/// The code that is ready for an import to fail, in functions, too.
fn guards_in(body: &[Stmt], out: &mut Vec<Span>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Try { body, handlers, .. } if handlers.iter().any(catches) => {
                out.extend(body.iter().map(|stmt| stmt.span));
            }
            StmtKind::With { items, body } if items.iter().any(|item| suppresses(&item.context)) => {
                out.extend(body.iter().map(|stmt| stmt.span));
            }
            StmtKind::Function(function) => guards_in(&function.body, out),
            StmtKind::Class(class) => guards_in(&class.body, out),
            _ => {}
        }
        stmt.blocks().into_iter().for_each(|block| guards_in(block, out));
    }
}

fn catches(handler: &Handler) -> bool {
    handler.types.is_empty()
        || handler.types.iter().any(|kind| {
            let mut found = kind.last_name().is_some_and(|name| CAUGHT.contains(&name));
            kind.parts(&mut |part| found |= part.last_name().is_some_and(|name| CAUGHT.contains(&name)));
            found
        })
}

/// `suppress(ImportError)`
fn suppresses(context: &crate::syntax::ast::Expr) -> bool {
    let crate::syntax::ast::ExprKind::Call { func, args } = &context.kind else { return false };
    func.last_name() == Some("suppress")
        && args.iter().any(|arg| arg.value.last_name().is_some_and(|name| CAUGHT.contains(&name)))
}
