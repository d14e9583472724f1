//! extract-utility-module: what one module takes from another moves to a module that both import, with all that it needs; the
//! old module passes it on, so that its names stay where they were.

use std::collections::{BTreeMap, BTreeSet};

use super::closure::{Closure, Destination, Sheet, close};
use super::direct_import::relative_to;
use super::import_use::{Obstacle, bound_anew, kept_by_comment, not_writable, obstacle, silenced};
use super::loading::{Instead, load_obstacle};
use super::movable::{self, module_obstacle};
use super::utility_home;
use super::{Added, Context, Cycle, Fix, ImportId, Proposals, Reason, Refusal, Strategy, cost, setting};
use crate::names::scope::{MODULE, Moment};
use crate::names::users::is_public;
use crate::outcome::{Kind, Safety};
use crate::project::ModuleId;
use crate::project::resolve::absolute;
use crate::rewrite::{ImportText, Intent, moving};
use crate::syntax::Span;
use crate::syntax::ast::StmtKind;
use crate::syntax::imports::Place;

pub const STRATEGY: Strategy = Strategy { name: "extract-utility-module", propose };

fn propose(ctx: &Context, cycle: &Cycle) -> Proposals {
    let mut out = Proposals::default();
    let mut arcs: BTreeMap<(ModuleId, ModuleId), BTreeSet<(bool, ImportId)>> = BTreeMap::new();
    for edge in &cycle.edges {
        let id = ImportId { module: edge.from, site: edge.site };
        arcs.entry((edge.to, edge.from)).or_default().insert((edge.implicit, id));
    }
    let mut known: Option<(Sheet, Option<Obstacle>)> = None;
    for ((source, user), imports) in &arcs {
        if known.as_ref().is_none_or(|(sheet, _)| sheet.module != *source) {
            known = Some((Sheet::new(ctx, *source), module_obstacle(ctx, *source)));
        }
        let Some((sheet, blocked)) = &known else { continue };
        let ids: Vec<ImportId> = imports.iter().map(|(_, id)| *id).collect();
        let arc = Arc { cycle, sheet, user: *user, ids };
        let implicit = imports.iter().find(|(implicit, _)| *implicit).map(|(_, id)| arc.package_runs(ctx, *id));
        let found = match implicit.or_else(|| blocked.clone()) {
            Some(found) => Err(found),
            None => extract(ctx, &arc),
        };
        match found {
            Ok(fix) => out.fixes.push(fix),
            Err(Obstacle { reason, message, at }) => out.refusals.extend(arc.ids.iter().map(|import| Refusal {
                strategy: STRATEGY.name,
                import: *import,
                reason,
                message: message.clone(),
                at,
            })),
        }
    }
    out
}

/// The imports of one module by another.
struct Arc<'s, 'x, 'p> {
    cycle: &'s Cycle,
    /// Of the module that is imported.
    sheet: &'s Sheet<'x, 'p>,
    user: ModuleId,
    ids: Vec<ImportId>,
}

impl Arc<'_, '_, '_> {
    fn package_runs(&self, ctx: &Context, id: ImportId) -> Obstacle {
        let package = &ctx.project().module(self.sheet.module).name;
        let message = format!("the package `{package}` runs whatever is imported from below it");
        Obstacle::new(Reason::NeedsCycle, (id.module, ctx.world.graph.site(id.module, id.site).at), message)
    }
}

/// The names that the imports take; all of them have to be names of definitions.
fn wanted<'p>(ctx: &Context<'_, 'p>, arc: &Arc) -> Result<BTreeSet<&'p str>, Obstacle> {
    let graph = ctx.world.graph;
    let mut out = BTreeSet::new();
    for id in &arc.ids {
        let site = graph.site(id.module, id.site);
        let at = (id.module, site.at);
        if let Some(found) = not_writable(ctx, *id).or_else(|| kept_by_comment(ctx, *id)) {
            return Err(found);
        }
        let is_module = graph.targets[id.module.index()][id.site].is_some_and(|t| t.is_module);
        let Some(name) = site.name.filter(|_| !is_module) else {
            let message = "the module itself is imported, not names of it";
            return Err(Obstacle::new(Reason::NoName, at, message));
        };
        if !matches!(site.place, Place::Top | Place::Function) {
            let message = "the import stands in a block that says when it applies";
            return Err(Obstacle::new(Reason::ConditionalImport, at, message));
        }
        out.insert(name);
    }
    Ok(out)
}

/// Moves the names that the imports take.
fn extract<'p>(ctx: &Context<'_, 'p>, arc: &Arc<'_, '_, 'p>) -> Result<Fix, Obstacle> {
    let sheet = arc.sheet;
    let names = wanted(ctx, arc)?;
    let name = utility_home::name(ctx, sheet.module, arc.user)
        .map_err(|(reason, message)| Obstacle::new(reason, (sheet.module, Span::default()), message))?;
    let destination = Destination { name, cycle: arc.cycle };
    let closure = close(ctx, sheet, &names, &destination)?;
    let bindings = |name: &&str| ctx.world.names.file(sheet.module).bindings(name);
    if let Some((name, at)) = closure.names.iter().find_map(|n| Some((n, bound_anew(bindings(n))?))) {
        let message = format!("`{name}` is bound more than once");
        return Err(Obstacle::new(Reason::ReboundName, (sheet.module, at), message));
    }
    if let Some(name) = closure.names.iter().find(|n| n.starts_with("__") && n.ends_with("__")) {
        let message = format!("`{name}` is read of the module that it stands in");
        return Err(Obstacle::new(Reason::PlaceDependent, (sheet.module, Span::default()), message));
    }
    // What a function looks up when it runs: the importer's by its import, one that moves by the name alone.
    let is_package = ctx.project().module(sheet.module).is_package;
    let looked_up = |name: &&&str| {
        let mut sites = arc.ids.iter().map(|id| ctx.world.graph.site(id.module, id.site));
        let mut uses = closure.statements.iter().flat_map(|index| &sheet.uses[*index]);
        sites.any(|site| site.place == Place::Function && site.name == Some(**name))
            || is_package && uses.any(|used| used.name == **name && used.moment != Moment::Import)
    };
    let mut looked_up = closure.names.iter().filter(looked_up);
    if let Some(found) = looked_up.find_map(|n| setting::obstacle(ctx, (sheet.module, n), (sheet.module, n))) {
        return Err(found);
    }
    if let Some(found) = movable::obstacle(ctx, sheet, &closure) {
        return Err(found);
    }
    let project = ctx.project();
    let instead: Vec<ModuleId> = closure
        .imports
        .iter()
        .filter_map(|site| ctx.world.graph.targets[sheet.module.index()][*site].map(|t| t.module))
        .collect();
    let instead = Instead { modules: &instead, moved_from: Some(sheet.module), respelled: false };
    if let Some(found) = arc.ids.iter().find_map(|id| load_obstacle(ctx, *id, instead)) {
        return Err(found);
    }
    let home = utility_home::existing(ctx, &destination, arc.user, sheet, &closure);
    let extraction = Extraction { ctx, arc, closure: &closure, names: &names };
    let statements = extraction.spans();
    let form =
        |e: crate::rewrite::RewriteError| Obstacle::new(Reason::Form, (sheet.module, statements[0]), e.to_string());
    match home {
        Some(module) => {
            let text = moving::text(project, &sheet.ast, sheet.module, &statements).map_err(form)?;
            Ok(extraction.to_existing(module, text))
        }
        None => {
            let new = moving::NewModule {
                of: sheet.module,
                docstring: &extraction.docstring(),
                imports: extraction.imports(&destination.name, None),
                typed: extraction.typed(&destination.name),
                statements: &statements,
            };
            let text = moving::print(project, &sheet.ast, new).map_err(form)?;
            Ok(extraction.to_new(&destination.name, text))
        }
    }
}

/// Whether two imports differ in their comments at most.
fn binds_the_same(one: &ImportText, two: &ImportText) -> bool {
    (&one.module, &one.name, &one.alias) == (&two.module, &two.name, &two.alias)
}

/// A closure on its way to another module.
struct Extraction<'s, 'c, 'x, 'p> {
    ctx: &'s Context<'c, 'p>,
    arc: &'s Arc<'s, 'x, 'p>,
    closure: &'s Closure<'p>,
    /// What the other module takes.
    names: &'s BTreeSet<&'p str>,
}

impl Extraction<'_, '_, '_, '_> {
    fn source(&self) -> ModuleId {
        self.arc.sheet.module
    }

    fn spans(&self) -> Vec<Span> {
        self.closure.statements.iter().map(|index| self.arc.sheet.statement(*index).span).collect()
    }

    /// What it costs that so much moves.
    fn extra(&self) -> u64 {
        let text = self.ctx.project().text(self.source());
        let lines: usize = self.spans().iter().map(|span| span.of(text).lines().count()).sum();
        cost::DEFINITION * self.closure.statements.len() as u64 + lines as u64 / cost::LINES
    }

    fn to_new(&self, name: &str, text: String) -> Fix {
        let project = self.ctx.project();
        let source = project.module(self.source());
        let folder = &project.tree.roots[source.root];
        let lead = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let path = format!("{lead}{}.py", name.replace('.', "/"));
        let user = &project.module(self.arc.user).name;
        Fix {
            strategy: STRATEGY.name,
            form: Some("new-module"),
            title: format!("move {} from `{}` to the new module `{name}`, for `{user}`", self.title(), source.name),
            safety: Safety::Safe,
            doubt: None,
            removes: self.arc.ids.clone(),
            adds: self.packages(name),
            intents: self.intents(name),
            creates: vec![crate::change::NewFile { path, text }],
            cost: cost::base(&project.settings, STRATEGY.name, Some("new-module")) + self.extra(),
        }
    }

    fn to_existing(&self, module: ModuleId, text: String) -> Fix {
        let project = self.ctx.project();
        let graph = self.ctx.world.graph;
        let name = &project.module(module).name;
        let mut intents = self.intents(name);
        intents.push((module, Intent::Append { text }));
        let known = utility_home::imported(self.ctx, module);
        let news = self.imports(name, Some(module)).into_iter().filter(|i| !known.iter().any(|k| binds_the_same(k, i)));
        intents.extend(news.map(|import| (module, Intent::Import(import))));
        let mut adds = self.packages(name);
        adds.extend([self.arc.user, self.source()].map(|user| Added::always(user, module)));
        for site in self.needed(Some(module)) {
            let target = graph.targets[self.source().index()][site];
            adds.extend(
                target.into_iter().flat_map(|t| graph.edges_to(module, t.module)).map(|to| Added::always(module, to)),
            );
        }
        let user = &project.module(self.arc.user).name;
        Fix {
            strategy: STRATEGY.name,
            form: Some("existing-module"),
            title: format!(
                "move {} from `{}` to `{name}`, for `{user}`",
                self.title(),
                project.module(self.source()).name
            ),
            safety: Safety::Safe,
            doubt: None,
            removes: self.arc.ids.clone(),
            adds,
            intents,
            creates: Vec::new(),
            cost: cost::base(&project.settings, STRATEGY.name, Some("existing-module")) + self.extra(),
        }
    }

    /// The packages that the importers still run for the sake of what they import now.
    fn packages(&self, name: &str) -> Vec<Added> {
        let project = self.ctx.project();
        let root = project.module(self.source()).root;
        let above = |user: ModuleId| {
            let this = &project.module(user).name;
            let below = |package: &str| *this == package || this.starts_with(&format!("{package}."));
            let packages = crate::project::ancestors(name).filter(move |p| !below(p));
            packages
                .filter_map(move |p| project.tree.find(p, root))
                .map(move |to| Added::always(user, to))
                .collect::<Vec<_>>()
        };
        [self.arc.user, self.source()].into_iter().flat_map(above).collect()
    }

    /// What changes in the two modules.
    fn intents(&self, name: &str) -> Vec<(ModuleId, Intent)> {
        let source = self.source();
        let mut out: Vec<(ModuleId, Intent)> =
            self.spans().into_iter().map(|statement| (source, Intent::Take { statement })).collect();
        let here = self.spelled(source, name, self.is_relative(source));
        for moved in self.closure.names.iter().filter(|n| self.is_kept(n)) {
            let shown = if self.is_explicit(moved) { format!("{moved} as {moved}") } else { (*moved).to_owned() };
            out.push((source, Intent::Import(ImportText::from(&*here, shown))));
        }
        out.extend(self.idle_imports().into_iter().map(|site| (source, Intent::Remove { site })));
        for id in &self.arc.ids {
            let site = self.ctx.world.graph.site(id.module, id.site);
            let module = self.spelled(id.module, name, site.level > 0);
            let (Some(taken), asname) = (site.name, site.asname) else { continue };
            let shown = asname.map_or_else(|| taken.to_owned(), |other| format!("{taken} as {other}"));
            let import = ImportText::from(module, shown);
            out.push((id.module, Intent::Reimport { site: id.site, import }));
        }
        out
    }

    fn spelled(&self, user: ModuleId, name: &str, relative: bool) -> String {
        let package = self.ctx.project().module(user).package();
        if relative { relative_to(package, name) } else { name.to_owned() }
    }

    /// Whether a module imports its neighbours by dots.
    fn is_relative(&self, module: ModuleId) -> bool {
        let sites = &self.ctx.world.graph.files[module.index()].sites;
        let targets = &self.ctx.world.graph.targets[module.index()];
        let own = sites.iter().zip(targets).filter(|(_, t)| t.is_some()).map(|(s, _)| s.level > 0);
        let (dotted, plain): (Vec<bool>, Vec<bool>) = own.partition(|dots| *dots);
        !self.ctx.project().module(module).package().is_empty() && dotted.len() > plain.len()
    }

    /// Whether the old module still has the name: all but private ones that nobody else uses.
    fn is_kept(&self, name: &str) -> bool {
        let used_here = self.used_here(name);
        let elsewhere = self.ctx.users.uses(self.source(), name).any(|u| !self.is_repointed(u.user, u.span));
        let listed = self.ctx.world.names.file(self.source()).exports.names.contains(&name);
        let looked_at = self.ctx.users.may_be_read(self.source(), name).is_some();
        let package = self.ctx.project().module(self.source()).is_package;
        package || !name.starts_with('_') || used_here || elsewhere || listed || looked_at
    }

    fn is_repointed(&self, user: ModuleId, at: Span) -> bool {
        self.arc.ids.iter().any(|id| id.module == user && self.ctx.world.graph.site(id.module, id.site).at == at)
    }

    fn used_here(&self, name: &str) -> bool {
        self.arc.sheet.staying(&self.closure.statements).any(|u| u.name == name && u.owner == Some(MODULE))
    }

    /// Whether the re-export has to be told from an import that is used or forgotten.
    fn is_explicit(&self, name: &str) -> bool {
        let listed = self.ctx.world.names.file(self.source()).exports.names.contains(&name);
        let elsewhere = self.ctx.users.uses(self.source(), name).any(|u| !self.is_repointed(u.user, u.span));
        !listed && (elsewhere || !self.used_here(name))
    }

    /// Imports of the old module that only what moves uses.
    fn idle_imports(&self) -> Vec<usize> {
        let idle = |site: &&usize| {
            let id = ImportId { module: self.source(), site: **site };
            let bound = self.ctx.world.graph.site(id.module, id.site).bound();
            let used = bound.is_none_or(|name| self.used_here(name));
            !used && obstacle(self.ctx, id).is_none()
        };
        let idle_types = |site: &&usize| self.is_idle_type(**site);
        let typed = self.closure.typed.iter().filter(idle_types);
        self.closure.imports.iter().filter(idle).chain(typed).copied().collect()
    }

    /// Whether an import for type checkers alone is for what moves alone.
    fn is_idle_type(&self, site: usize) -> bool {
        let world = self.ctx.world;
        let id = ImportId { module: self.source(), site };
        let found = world.graph.site(id.module, site);
        let Some(name) = found.bound().filter(|_| found.kind == Kind::Type) else { return false };
        let known = self.is_known_outside(name) || is_public(world, id.module, name);
        let kept = kept_by_comment(self.ctx, id).or_else(|| silenced(self.ctx, id)).is_some();
        let alone = world.names.file(id.module).bindings(name).len() == 1;
        alone && !known && !kept && !self.used_here(name)
    }

    /// Whether another module takes the name from the old one, or may.
    fn is_known_outside(&self, name: &str) -> bool {
        let users = &self.ctx.users;
        let listed = self.ctx.world.names.file(self.source()).exports.names.contains(&name);
        listed || users.uses(self.source(), name).next().is_some() || users.may_be_read(self.source(), name).is_some()
    }

    /// The imports that the destination needs, by site: not those of its own names.
    fn needed(&self, home: Option<ModuleId>) -> impl Iterator<Item = usize> {
        let own = move |site: &usize| home.is_some_and(|h| utility_home::is_from(self.ctx, self.source(), *site, h));
        self.closure.imports.iter().copied().filter(move |site| !own(site))
    }

    fn imports(&self, name: &str, home: Option<ModuleId>) -> Vec<ImportText> {
        let file = self.ctx.world.names.file(self.source());
        let mut out = self.repeated(self.needed(home), name);
        let has_annotations = file.annotations.iter().any(|a| self.spans().iter().any(|s| s.contains(a.span)));
        let is_required = home.is_none() && self.ctx.project().settings.import_style.requires_annotations;
        if file.postponed && (has_annotations || is_required) {
            out.push(ImportText::from("__future__", "annotations"));
        }
        out
    }

    fn typed(&self, name: &str) -> Vec<ImportText> {
        let mut out = self.repeated(self.closure.typed.iter().copied(), name);
        let source = &self.ctx.project().module(self.source()).name;
        let package = name.rsplit_once('.').map_or("", |(package, _)| package);
        let from = if self.is_relative(self.source()) { relative_to(package, source) } else { source.clone() };
        out.extend(self.closure.back.iter().map(|name| ImportText::from(&*from, *name)));
        out
    }

    /// Imports of the old module as the one of this name has them.
    fn repeated(&self, sites: impl Iterator<Item = usize>, name: &str) -> Vec<ImportText> {
        let (project, sheet) = (self.ctx.project(), self.arc.sheet);
        let source = project.module(self.source());
        let package = name.rsplit_once('.').map_or("", |(package, _)| package);
        let sites: Vec<usize> = sites.collect();
        let leaving: BTreeSet<usize> = self.idle_imports().into_iter().collect();
        let imports = moving::imports(project, &sheet.ast, sheet.module, &sites, &leaving);
        let spelled = |(site, import): (&usize, ImportText)| {
            let found = self.ctx.world.graph.site(sheet.module, *site);
            match absolute(source, found.level, found.module) {
                Some(path) if found.level > 0 && package != source.package() => {
                    ImportText { module: relative_to(package, &path), ..import }
                }
                _ => import,
            }
        };
        sites.iter().zip(imports).map(spelled).collect()
    }

    /// What moves, for people.
    fn title(&self) -> String {
        let mut names: Vec<&str> = self.names.iter().copied().collect();
        names.extend(self.closure.names.iter().filter(|n| !self.names.contains(*n)));
        let shown = match names.as_slice() {
            [one] => format!("`{one}`"),
            [one, two] => format!("`{one}` and `{two}`"),
            [one, two, rest @ ..] => format!("`{one}`, `{two}` and {} more", rest.len()),
            [] => String::new(),
        };
        let classes =
            self.closure.statements.iter().any(|i| matches!(self.arc.sheet.statement(*i).kind, StmtKind::Class(_)));
        if classes { format!("{shown} (whose `__module__` changes)") } else { shown }
    }

    /// One line that says what the new module holds.
    fn docstring(&self) -> String {
        let kinds: BTreeSet<&str> =
            self.closure.statements.iter().map(|index| utility_home::kind(self.arc.sheet, *index)).collect();
        let kind = match kinds.iter().copied().collect::<Vec<_>>().as_slice() {
            [one] => *one,
            _ => "definition",
        };
        let several = self.closure.names.len() > 1;
        let what = match (kind, several) {
            ("exception", false) => "An exception".to_owned(),
            ("definition", _) => "Definitions".to_owned(),
            (one, false) => format!("A {one}"),
            ("class", true) => "Classes".to_owned(),
            (one, true) => format!("{}{}s", one[..1].to_uppercase(), &one[1..]),
        };
        let last = |m: ModuleId| self.ctx.project().module(m).name.rsplit('.').next().unwrap_or_default().to_owned();
        format!("{what} shared by {} and {}.", last(self.source()), last(self.arc.user))
    }
}
