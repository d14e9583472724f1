//! What has to move together: statements of a module's top level, closed over all that they need of the module.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::import_use::Obstacle;
use super::movable::stands_anywhere;
use super::{Context, Cycle, Reason, standing};
use crate::graph::counts;
use crate::names::evaluated::{self, Evaluated};
use crate::names::scope::{AnnotationOwner, MODULE};
use crate::names::{Bound, Moment, Role, Use};
use crate::outcome::Kind;
use crate::project::{ModuleId, ancestors};
use crate::syntax::Span;
use crate::syntax::ast::{Ast, ExprKind, Stmt, StmtKind};
use crate::syntax::imports::Place;

/// More statements than this are no longer a part of their module.
const MOST: usize = 40;
/// What makes variables of types.
const VARIABLES: [&str; 3] = ["TypeVar", "ParamSpec", "TypeVarTuple"];

/// The top level of a module: which statement binds which name and uses what.
pub struct Sheet<'x, 'p> {
    pub module: ModuleId,
    pub ast: Arc<Ast<'p>>,
    /// Statements that bind a name, by name.
    binders: BTreeMap<&'p str, BTreeSet<usize>>,
    /// Uses by statement.
    pub uses: Vec<Vec<&'x Use<'p>>>,
}

/// Statements that can move, and what they need where they go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure<'p> {
    /// Indices into the statements of the module.
    pub statements: BTreeSet<usize>,
    /// The names that they bind.
    pub names: BTreeSet<&'p str>,
    /// Names of the module's scope that they read.
    pub reads: BTreeSet<&'p str>,
    /// Imports of the module that they need, by site.
    pub imports: BTreeSet<usize>,
    /// Imports that only type checkers need.
    pub typed: BTreeSet<usize>,
    /// Names of the module itself that only type checkers need.
    pub back: BTreeSet<&'p str>,
}

/// Where the statements go: the dotted name of the module, and the cycle that it must not lead into.
pub struct Destination<'c> {
    pub name: String,
    pub cycle: &'c Cycle,
}

impl<'x, 'p> Sheet<'x, 'p> {
    pub fn new(ctx: &'x Context<'_, 'p>, module: ModuleId) -> Self {
        let file = ctx.world.names.file(module);
        let text = ctx.project().text(module);
        let ast = ctx.world.names.ast(module);
        let at = |start: usize| {
            let index = ast.body.partition_point(|s| s.span.start <= start).checked_sub(1)?;
            // A comment with a type stands behind its statement.
            let span = ast.body[index].span;
            let line_end = text[span.end..].find(['\n', '\r']).map_or(text.len(), |n| span.end + n);
            (start < span.end.max(line_end)).then_some(index)
        };
        let mut binders: BTreeMap<&'p str, BTreeSet<usize>> = BTreeMap::new();
        for (name, bindings) in &file.scope(MODULE).bindings {
            let found = bindings.iter().filter(|b| !b.from_inside).filter_map(|b| at(b.span.start));
            binders.entry(name).or_default().extend(found);
        }
        let mut uses = vec![Vec::new(); ast.body.len()];
        for used in &file.uses {
            if let Some(index) = at(used.span.start) {
                uses[index].push(used);
            }
        }
        Self { module, ast, binders, uses }
    }

    pub fn statement(&self, index: usize) -> &Stmt<'p> {
        &self.ast.body[index]
    }

    /// The statements that bind a name.
    pub fn binders(&self, name: &str) -> impl Iterator<Item = usize> {
        self.binders.get(name).into_iter().flatten().copied()
    }

    /// The names that a statement binds.
    fn binds(&self, index: usize) -> impl Iterator<Item = &'p str> {
        self.binders.iter().filter(move |(_, all)| all.contains(&index)).map(|(name, _)| *name)
    }

    /// Uses that stand outside of some statements.
    pub fn staying<'s>(&'s self, moved: &'s BTreeSet<usize>) -> impl Iterator<Item = &'x Use<'p>> {
        self.uses
            .iter()
            .enumerate()
            .filter(|(index, _)| !moved.contains(index))
            .flat_map(|(_, all)| all.iter().copied())
    }
}

/// The smallest closure that holds `names`.
pub fn close<'p>(
    ctx: &Context<'_, 'p>,
    sheet: &Sheet<'_, 'p>,
    names: &BTreeSet<&'p str>,
    destination: &Destination,
) -> Result<Closure<'p>, Obstacle> {
    let mut search = Search { ctx, sheet, destination, out: Closure::default(), todo: names.iter().copied().collect() };
    search.all()?;
    search.type_variables();
    search.without_what_comes_along()?;
    let Closure { names, back, .. } = &mut search.out;
    back.retain(|name| !names.contains(name));
    Ok(search.out)
}

struct Search<'s, 'x, 'c, 'p> {
    ctx: &'s Context<'c, 'p>,
    sheet: &'s Sheet<'x, 'p>,
    destination: &'s Destination<'s>,
    out: Closure<'p>,
    todo: BTreeSet<&'p str>,
}

impl<'p> Search<'_, '_, '_, 'p> {
    fn refuse<T>(&self, reason: Reason, at: Span, message: String) -> Result<T, Obstacle> {
        Err(Obstacle::new(reason, (self.sheet.module, at), message))
    }

    fn all(&mut self) -> Result<(), Obstacle> {
        while let Some(name) = self.todo.pop_first() {
            self.name(name)?;
        }
        Ok(())
    }

    /// Takes type variables along that nothing else uses, where nothing stands against it.
    fn type_variables(&mut self) {
        let names: Vec<&'p str> = self.out.back.iter().copied().collect();
        for name in names {
            if self.out.names.contains(name) || !self.is_own_variable(name) {
                continue;
            }
            let before = self.out.clone();
            self.todo.insert(name);
            if self.all().is_err() {
                self.out = before;
                self.todo.clear();
            }
        }
    }

    /// Whether a name is that of a type variable which only what moves uses.
    fn is_own_variable(&self, name: &str) -> bool {
        let is_variable = |stmt: &Stmt| match &stmt.kind {
            StmtKind::Assign { targets, value } => {
                let called = matches!(&value.kind, ExprKind::Call { func, .. } if func.last_name().is_some_and(|n| VARIABLES.contains(&n)));
                called && targets.len() == 1
            }
            _ => false,
        };
        let binders: Vec<usize> = self.sheet.binders(name).collect();
        let [binder] = binders.as_slice() else { return false };
        let moved = || self.out.statements.iter().chain(&binders).copied().collect::<BTreeSet<usize>>();
        let users = &self.ctx.users;
        is_variable(self.sheet.statement(*binder))
            && stands_anywhere(self.ctx, self.sheet, *binder)
            && !self.sheet.staying(&moved()).any(|u| u.name == name && u.owner == Some(MODULE))
            && users.uses(self.sheet.module, name).next().is_none()
            && users.may_be_read(self.sheet.module, name).is_none()
    }

    fn name(&mut self, name: &'p str) -> Result<(), Obstacle> {
        if !self.out.names.insert(name) {
            return Ok(());
        }
        self.bound_once_and_for_all(name)?;
        let this = self.ctx.project().module(self.sheet.module);
        if self.ctx.project().tree.find(&format!("{}.{name}", this.name), this.root).is_some() {
            let message = format!("`{name}` is a module of the package, too");
            return self.refuse(Reason::ReboundName, Span::default(), message);
        }
        let statements: Vec<usize> = self.sheet.binders(name).collect();
        if statements.is_empty() {
            let message = format!("`{name}` is not bound by a statement of the module");
            return self.refuse(Reason::NoName, Span::default(), message);
        }
        statements.into_iter().try_for_each(|index| self.statement(index, name))
    }

    fn statement(&mut self, index: usize, name: &str) -> Result<(), Obstacle> {
        let stmt = self.sheet.statement(index);
        if !is_movable(stmt) {
            let message = format!("`{name}` is bound by a statement that does more than define something");
            return self.refuse(Reason::Form, stmt.span, message);
        }
        if !self.out.statements.insert(index) {
            return Ok(());
        }
        if self.out.statements.len() > MOST {
            let message = format!("more than {MOST} definitions would have to move together");
            return self.refuse(Reason::LittleGain, stmt.span, message);
        }
        self.todo.extend(self.sheet.binds(index));
        self.imports_inside(stmt.span)?;
        for used in &self.sheet.uses[index] {
            self.need(used)?;
        }
        Ok(())
    }

    /// Imports that stand in what moves are there already, and what they bind for type checkers is nothing to pass on.
    fn without_what_comes_along(&mut self) -> Result<(), Obstacle> {
        let (sheet, moved) = (self.sheet, &self.out.statements);
        let comes_along = |site: &usize| {
            let stmt = self.ctx.world.graph.site(sheet.module, *site).stmt;
            moved.iter().any(|index| sheet.statement(*index).span.contains(stmt))
        };
        self.out.typed.retain(|site| !comes_along(site));
        self.out.imports.retain(|site| !comes_along(site));
        let file = self.ctx.world.names.file(sheet.module);
        let for_types = |name: &str| file.bindings(name).iter().all(|b| b.moment == Moment::Never);
        let own: Vec<&str> = self.out.names.iter().copied().filter(|name| for_types(name)).collect();
        for name in own {
            let here = sheet.staying(moved).find(|u| u.name == name && u.owner == Some(MODULE)).map(|u| u.span);
            let elsewhere = self.ctx.users.uses(sheet.module, name).next().map(|_| file.bindings(name)[0].span);
            if let Some(at) = here.or(elsewhere) {
                let message = format!("`{name}` is bound for type checkers by what would move, and used elsewhere");
                return self.refuse(Reason::Form, at, message);
            }
            self.out.names.remove(name);
        }
        Ok(())
    }

    /// A name that is bound anew at run time, or unbound, lives in one module alone.
    fn bound_once_and_for_all(&self, name: &str) -> Result<(), Obstacle> {
        for binding in self.ctx.world.names.file(self.sheet.module).bindings(name) {
            if binding.from_inside {
                let message = format!("`{name}` is bound anew at run time");
                return self.refuse(Reason::ReboundState, binding.span, message);
            }
            if binding.what == Bound::Deleted {
                return self.refuse(Reason::ReboundName, binding.span, format!("`{name}` is deleted"));
            }
        }
        Ok(())
    }

    fn need(&mut self, used: &Use<'p>) -> Result<(), Obstacle> {
        match used.owner {
            Some(MODULE) => {}
            Some(_) => return Ok(()),
            None => return self.unbound(used),
        }
        let name = used.name;
        let types = self.is_for_types(used);
        let file = self.ctx.world.names.file(self.sheet.module);
        self.bound_once_and_for_all(name)?;
        if !types {
            self.out.reads.insert(name);
        }
        let bindings = file.bindings(name);
        let sites: Vec<usize> =
            bindings.iter().filter_map(|b| if let Bound::Import(site) = b.what { Some(site) } else { None }).collect();
        let plain = |site: &usize| {
            let found = self.ctx.world.graph.site(self.sheet.module, *site);
            found.place == Place::Top || found.place == Place::Block && found.kind == Kind::Type
        };
        if sites.is_empty() || !sites.iter().all(plain) {
            let level = self.ctx.project().settings.level;
            if types && !counts(level, Kind::Type) {
                self.out.back.insert(name);
            } else if !self.out.names.contains(name) {
                self.todo.insert(name);
            }
            return Ok(());
        }
        if sites.len() < bindings.len() {
            let message = format!("`{name}` is imported and bound again");
            return self.refuse(Reason::ReboundName, bindings[0].span, message);
        }
        for site in self.serving(used, sites) {
            self.import(site, used, types)?;
        }
        Ok(())
    }

    /// The imports that a use needs: of `import a.b` and `import a.c`, the one of its own part.
    fn serving(&self, used: &Use, sites: Vec<usize>) -> Vec<usize> {
        let serves = |site: &usize| {
            let found = self.ctx.world.graph.site(self.sheet.module, *site);
            let below = found.module.split('.').skip(1);
            found.name.is_some()
                || found.asname.is_some()
                || below.enumerate().all(|(at, part)| used.attributes.get(at).is_some_and(|a| a.text == part))
        };
        let found: Vec<usize> = sites.iter().copied().filter(serves).collect();
        if found.is_empty() { sites } else { found }
    }

    fn import(&mut self, site: usize, used: &Use, types: bool) -> Result<(), Obstacle> {
        let kind = self.ctx.world.graph.site(self.sheet.module, site).kind;
        let into_cycle = self.leads_into_cycle(site);
        let level = self.ctx.project().settings.level;
        if kind == Kind::Type || types && into_cycle {
            if into_cycle && counts(level, Kind::Type) {
                return self.needs_cycle(used);
            }
            self.out.typed.insert(site);
        } else if into_cycle {
            return self.needs_cycle(used);
        } else {
            self.out.imports.insert(site);
        }
        Ok(())
    }

    fn needs_cycle(&self, used: &Use) -> Result<(), Obstacle> {
        let message = format!("what would move needs `{}`, which comes from the cycle", used.name);
        self.refuse(Reason::NeedsCycle, used.span, message)
    }

    /// Whether the import, made by the destination, would load a module of the cycle.
    fn leads_into_cycle(&self, site: usize) -> bool {
        let graph = self.ctx.world.graph;
        let Some(target) = graph.targets[self.sheet.module.index()][site] else { return false };
        let modules = &self.destination.cycle.modules;
        loaded_with(self.ctx, &self.destination.name, target.module).any(|m| modules.contains(&m))
    }

    /// Imports inside what moves go with it.
    fn imports_inside(&self, span: Span) -> Result<(), Obstacle> {
        let graph = self.ctx.world.graph;
        let level = self.ctx.project().settings.level;
        let package = self.ctx.project().module(self.sheet.module).package();
        for (index, site) in graph.files[self.sheet.module.index()].sites.iter().enumerate() {
            if !span.contains(site.stmt) {
                continue;
            }
            if site.star {
                return self.refuse(Reason::NoName, site.stmt, "`import *` stands in what would move".to_owned());
            }
            if site.level > 0 && package != self.destination.package() {
                let message = "a relative import stands in what would move to another package".to_owned();
                return self.refuse(Reason::Form, site.stmt, message);
            }
            if counts(level, site.kind) && self.leads_into_cycle(index) {
                let message = format!("what would move imports `{}`, which is in the cycle", site.shown());
                return self.refuse(Reason::NeedsCycle, site.stmt, message);
            }
        }
        Ok(())
    }

    /// A name that the module does not bind.
    fn unbound(&mut self, used: &Use<'p>) -> Result<(), Obstacle> {
        if matches!(used.role, Role::Quoted(_)) || used.moment == Moment::Never {
            return Ok(());
        }
        if standing::NAMES.contains(&used.name) {
            let message = format!("`{}` means this very module", used.name);
            return self.refuse(Reason::PlaceDependent, used.span, message);
        }
        // A test may have put it into the module.
        self.out.reads.insert(used.name);
        Ok(())
    }

    /// Whether the use is never evaluated.
    fn is_for_types(&self, used: &Use) -> bool {
        let file = self.ctx.world.names.file(self.sheet.module);
        let (Role::Annotation(id) | Role::Quoted(Some(id))) = used.role else {
            return used.moment == Moment::Never || matches!(used.role, Role::Quoted(None));
        };
        let found = file.annotation(id);
        let postponed = file.postponed || matches!(used.role, Role::Quoted(_)) || found.owner == AnnotationOwner::Local;
        postponed && evaluated::annotation(self.ctx.world, &self.ctx.users, self.sheet.module, id) == Evaluated::No
    }
}

impl Destination<'_> {
    /// The package that its relative imports start from.
    pub fn package(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(package, _)| package)
    }
}

/// What runs when code in a module of the name `user` imports `target`: it and the packages above it.
pub fn loaded_with(ctx: &Context, user: &str, target: ModuleId) -> impl Iterator<Item = ModuleId> {
    let project = ctx.project();
    let this = project.module(target);
    let above_user: Vec<String> = ancestors(user).map(str::to_owned).collect();
    let packages = this.ancestors().filter(move |name| !above_user.iter().any(|a| a == name));
    packages.filter_map(|name| project.tree.find(name, this.root)).chain([target])
}

/// Whether a statement only defines something, so that it can stand in another module.
fn is_movable(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Function(_) | StmtKind::Class(_) | StmtKind::TypeAlias { .. } => true,
        StmtKind::Assign { targets, .. } => targets.iter().all(|t| t.as_name().is_some()),
        StmtKind::AnnAssign { target, .. } => target.as_name().is_some(),
        StmtKind::If { .. } | StmtKind::Try { .. } => {
            let inside = |s: &Stmt| is_movable(s) || matches!(s.kind, StmtKind::Import(_) | StmtKind::Pass);
            stmt.blocks().into_iter().flatten().all(inside)
        }
        _ => false,
    }
}
