//! What the names of two modules become when they share one text: which are the same, which are renamed, and what each
//! name that one takes from the other is called there.

use std::collections::{BTreeMap, BTreeSet};

use super::super::import_use::Obstacle;
use super::super::{Context, Reason};
use super::body::Body;
use super::standing::used_outside;
use super::{Both, Pair, Side};
use crate::names::scope::{Binding, MODULE};
use crate::names::users::is_public;
use crate::names::{Bound, FileNames, Role, ScopeId, Use, words};
use crate::outcome::Kind;
use crate::syntax::Span;
use crate::syntax::ast::{Expr, ExprKind, StmtKind};
use crate::syntax::imports::{ImportSite, Place};

/// The names of both.
#[derive(Default)]
pub struct Names<'p> {
    /// The imports of each from the other, which go.
    pub sites: Both<BTreeSet<usize>>,
    /// What has to be written otherwise, in either text.
    pub edits: Both<BTreeMap<Span, String>>,
    /// Names of the emptied module that mean something else in the other.
    pub renamed: BTreeMap<&'p str, String>,
    /// Statements of the emptied module that the other has as well.
    pub twins: BTreeSet<Span>,
}

/// How an import of the other module names what it binds.
enum Taken<'p> {
    /// The module itself, behind these attributes: `b` of `import p.b`.
    Module(Vec<&'p str>),
    Attribute(&'p str),
}

pub fn unite<'p>(ctx: &Context<'_, 'p>, pair: Pair, bodies: &Both<Body<'p>>) -> Result<Names<'p>, Obstacle> {
    let mut names = Names::default();
    for side in Side::BOTH {
        *names.sites.of_mut(side) = sites(ctx, pair, side)?;
    }
    let mut unite = Unite { ctx, pair, bodies, names };
    unite.collisions()?;
    unite.captures()?;
    unite.rename()?;
    for side in Side::BOTH {
        for site in unite.names.sites.of(side).clone() {
            unite.follow(side, site)?;
        }
        unite.rest_of_package(side)?;
    }
    Ok(unite.names)
}

/// The imports of the other module.
fn sites(ctx: &Context, pair: Pair, side: Side) -> Result<BTreeSet<usize>, Obstacle> {
    let (module, other) = (pair.module(side), pair.module(side.other()));
    let graph = ctx.world.graph;
    let mut out = BTreeSet::new();
    for (index, site) in graph.files[module.index()].sites.iter().enumerate() {
        if graph.targets[module.index()][index].is_none_or(|t| t.module != other) {
            continue;
        }
        let at = (module, site.at);
        if site.call || site.star {
            return Err(Obstacle::new(Reason::NoName, at, "the import binds no name that could be followed"));
        }
        if site.place == Place::Class || site.place == Place::Block && site.kind != Kind::Type {
            let message = "the import stands in a block that says when it applies";
            return Err(Obstacle::new(Reason::ConditionalImport, at, message));
        }
        out.insert(index);
    }
    Ok(out)
}

impl<'p> Names<'p> {
    /// The statement that defines a name of a module: its side and its name there. Follows names taken from each other.
    pub fn definition(&self, ctx: &Context<'_, 'p>, pair: Pair, side: Side, name: &'p str) -> Option<(Side, &'p str)> {
        let (mut side, mut name) = (side, name);
        for _ in 0..8 {
            let module = pair.module(side);
            let file = ctx.world.names.file(module);
            let mut bindings = file.bindings(name).iter().filter(|b| b.what != Bound::Declared);
            let first = bindings.next()?;
            let Bound::Import(site) = first.what else { return Some((side, name)) };
            if !self.sites.of(side).contains(&site) {
                return Some((side, name));
            }
            name = ctx.world.graph.site(module, site).name?;
            if ctx.world.graph.targets[module.index()][site].is_some_and(|t| t.is_module) {
                return None;
            }
            side = side.other();
        }
        None
    }

    /// What a definition is called in the merged module.
    pub fn called(&self, side: Side, name: &'p str) -> String {
        match (side, self.renamed.get(name)) {
            (Side::Emptied, Some(new)) => new.clone(),
            _ => name.to_owned(),
        }
    }

    /// What a name of a module is called in the merged module.
    pub fn final_name(&self, ctx: &Context<'_, 'p>, pair: Pair, side: Side, name: &'p str) -> Option<String> {
        self.definition(ctx, pair, side, name).map(|(side, name)| self.called(side, name))
    }

    /// The definition that a use means, if it is one of the two modules'.
    pub fn meant(&self, ctx: &Context<'_, 'p>, pair: Pair, side: Side, used: &Use<'p>) -> Option<(Side, &'p str)> {
        let module = pair.module(side);
        let owner = used.owner?;
        let bindings = ctx.world.names.file(module).scope(owner).bindings.get(used.name)?;
        let site = bindings.iter().find_map(|b| match b.what {
            Bound::Import(site) if self.sites.of(side).contains(&site) => Some(site),
            _ => None,
        });
        match site {
            None => (owner == MODULE).then_some((side, used.name)),
            Some(site) => {
                let name = match taken(ctx, pair, side, site) {
                    Taken::Attribute(name) => name,
                    Taken::Module(path) => used.attributes.get(path.len())?.text,
                };
                self.definition(ctx, pair, side.other(), name)
            }
        }
    }
}

fn taken<'p>(ctx: &Context<'_, 'p>, pair: Pair, side: Side, site: usize) -> Taken<'p> {
    let module = pair.module(side);
    let found = ctx.world.graph.site(module, site);
    let is_module = ctx.world.graph.targets[module.index()][site].is_some_and(|t| t.is_module);
    match (found.name, found.asname) {
        (Some(name), _) if !is_module => Taken::Attribute(name),
        (None, None) => Taken::Module(found.module.split('.').skip(1).collect()),
        _ => Taken::Module(Vec::new()),
    }
}

struct Unite<'u, 'c, 'p> {
    ctx: &'u Context<'c, 'p>,
    pair: Pair,
    bodies: &'u Both<Body<'p>>,
    names: Names<'p>,
}

impl<'p> Unite<'_, '_, 'p> {
    fn file(&self, side: Side) -> &FileNames<'p> {
        self.ctx.world.names.file(self.pair.module(side))
    }

    fn site(&self, side: Side, site: usize) -> &ImportSite<'p> {
        self.ctx.world.graph.site(self.pair.module(side), site)
    }

    /// What a module binds itself, not by an import of the other.
    fn own(&self, side: Side) -> BTreeMap<&'p str, Vec<Binding<'p>>> {
        let mine = |b: &&Binding| match b.what {
            Bound::Import(site) => !self.names.sites.of(side).contains(&site),
            what => what != Bound::Declared,
        };
        let all = self.file(side).scope(MODULE).bindings.iter();
        let own = all.map(|(name, all)| (*name, all.iter().filter(mine).cloned().collect::<Vec<_>>()));
        own.filter(|(name, all)| !all.is_empty() && *name != "__all__").collect()
    }

    /// Names that both bind: the same thing, a private name that can be renamed, or a reason to refuse.
    fn collisions(&mut self) -> Result<(), Obstacle> {
        let (home, emptied) = (self.own(Side::Home), self.own(Side::Emptied));
        for (name, theirs) in &emptied {
            let Some(ours) = home.get(name) else { continue };
            if self.same_imports(ours, theirs) {
                continue;
            }
            if let Some(twin) = self.twin(ours, theirs) {
                self.names.twins.insert(twin);
                continue;
            }
            if *name == "_" && self.is_thrown_away(name) {
                continue;
            }
            let plain = |b: &Binding| !matches!(b.what, Bound::Import(_) | Bound::Deleted) && !b.from_inside;
            if name.starts_with('_') && !name.starts_with("__") && theirs.iter().all(plain) {
                let new = self.free_name(name);
                self.names.renamed.insert(name, new);
                continue;
            }
            let message = format!("both modules bind `{name}`, to different things");
            let at = (self.pair.emptied, theirs[0].span);
            return Err(Obstacle::new(Reason::NameCollision, at, message));
        }
        Ok(())
    }

    /// Whether nobody reads a name of either module: e.g. of functions that a decorator takes.
    fn is_thrown_away(&self, name: &str) -> bool {
        Side::BOTH.iter().all(|side| {
            let module = self.pair.module(*side);
            let read = |used: &Use| used.name == name && used.owner == Some(MODULE);
            !self.ctx.world.names.file(module).uses.iter().any(read)
                && self.ctx.users.uses(module, name).next().is_none()
        })
    }

    /// Whether both import the same by the name, each once.
    fn same_imports(&self, ours: &[Binding], theirs: &[Binding]) -> bool {
        let key = |side: Side, binding: &Binding| match binding.what {
            Bound::Import(site) => {
                let module = self.ctx.project().module(self.pair.module(side));
                let site = self.site(side, site);
                let base = crate::project::resolve::absolute(module, site.level, site.module)?;
                let placed = site.place == Place::Top || site.kind == Kind::Type;
                let plain = site.name.is_none() && site.asname.is_none();
                let base = if plain { base.split('.').next().unwrap_or_default().to_owned() } else { base };
                placed.then_some((base, site.name, site.asname.filter(|a| Some(*a) != site.name)))
            }
            _ => None,
        };
        let first = key(Side::Home, &ours[0]);
        first.is_some()
            && ours.iter().all(|b| key(Side::Home, b) == first)
            && theirs.iter().all(|b| key(Side::Emptied, b) == first)
    }

    /// The statement of the emptied module that binds the name, if the other has the same and its value cannot tell.
    fn twin(&self, ours: &[Binding], theirs: &[Binding]) -> Option<Span> {
        let (home, emptied) = (&self.bodies.home, &self.bodies.emptied);
        let item = |body: &Body<'p>, bindings: &[Binding]| {
            let at = body.item_at(bindings[0].span)?;
            let item = &body.items[at];
            bindings.iter().all(|b| item.span.contains(b.span)).then(|| item.clone())
        };
        let (ours, theirs) = (item(home, ours)?, item(emptied, theirs)?);
        if ours.span.of(home.text) != theirs.span.of(emptied.text) {
            return None;
        }
        let harmless = match &emptied.stmt(&theirs)?.kind {
            StmtKind::Assign { targets, value } => targets.iter().all(|t| t.as_name().is_some()) && is_constant(value),
            // e.g. an optional dependency; the names in it are held against those of the other one by one.
            StmtKind::Try { .. } | StmtKind::If { .. } => true,
            _ => false,
        };
        harmless.then_some(theirs.span)
    }

    fn free_name(&self, name: &str) -> String {
        let module = &self.ctx.project().module(self.pair.emptied).name;
        let last = module.rsplit('.').next().unwrap_or_default().trim_start_matches('_').to_lowercase();
        let taken: BTreeSet<&str> =
            Side::BOTH.iter().flat_map(|s| words(self.bodies.of(*s).text)).map(|w| w.1).collect();
        let mut new = format!("_{last}{name}");
        while taken.contains(new.as_str()) {
            new.push('_');
        }
        new
    }

    /// Builtins and unbound names of one module that the other binds.
    fn captures(&self) -> Result<(), Obstacle> {
        for side in Side::BOTH {
            let other = self.own(side.other());
            let hidden = |u: &&Use| {
                u.owner.is_none()
                    && !matches!(u.role, Role::Quoted(_))
                    && other.contains_key(u.name)
                    && !(side == Side::Home && self.names.renamed.contains_key(u.name))
            };
            if let Some(used) = self.file(side).uses.iter().find(hidden) {
                let message = format!("`{}` would no longer be the builtin", used.name);
                let at = (self.pair.module(side), used.span);
                return Err(Obstacle::new(Reason::NameCollision, at, message));
            }
        }
        Ok(())
    }

    /// Writes the new names of what is renamed.
    fn rename(&mut self) -> Result<(), Obstacle> {
        for (name, new) in self.names.renamed.clone() {
            let spans: Vec<(Span, ScopeId)> = {
                let file = self.file(Side::Emptied);
                let uses = file.uses_of(name).map(|u| (u.span, u.scope));
                file.bindings(name).iter().map(|b| (b.span, MODULE)).chain(uses).collect()
            };
            for (span, _) in spans {
                self.write(Side::Emptied, span, &new)?;
            }
        }
        Ok(())
    }

    /// Notes that a name is written otherwise.
    fn write(&mut self, side: Side, span: Span, new: &str) -> Result<(), Obstacle> {
        let twice = self.file(side).uses.iter().filter(|u| u.span == span).map(|u| u.owner).collect::<Vec<_>>();
        if twice.windows(2).any(|w| w[0] != w[1]) {
            let message = format!("a class body binds `{}` as well", span.of(self.bodies.of(side).text));
            return Err(Obstacle::new(Reason::NameCollision, (self.pair.module(side), span), message));
        }
        let text = self.bodies.of(side).text;
        if is_shown_as_written(&text[span.end..]) {
            let message = format!("a text shows `{}` as it is written", span.of(text));
            return Err(Obstacle::new(Reason::Form, (self.pair.module(side), span), message));
        }
        self.names.edits.of_mut(side).insert(span, new.to_owned());
        Ok(())
    }

    /// What becomes of the uses of an import of the other module.
    fn follow(&mut self, side: Side, site: usize) -> Result<(), Obstacle> {
        let module = self.pair.module(side);
        let (bound, at) = {
            let found = self.site(side, site);
            let Some(bound) = found.bound() else { return Ok(()) };
            (bound, (module, found.at))
        };
        let scope = self.scope_of(side, site, bound)?;
        let uses: Vec<Use<'p>> =
            self.file(side).uses.iter().filter(|u| u.name == bound && u.owner == Some(scope)).cloned().collect();
        let from = taken(self.ctx, self.pair, side, site);
        if let Taken::Attribute(name) = from {
            self.steady(side, name, at)?;
            let new = self.lookup(side, name, at)?;
            if scope == MODULE && new != bound {
                self.kept_for_others(side, bound)?;
            }
            if scope != MODULE {
                let parent = self.file(side).scope(scope).parent.unwrap_or(MODULE);
                self.free_in(side, parent, &new, at.1)?;
            }
            for used in uses.iter().filter(|_| new != bound) {
                self.free_in(side, used.scope, &new, used.span)?;
                self.write(side, used.span, &new)?;
            }
            return Ok(());
        }
        let Taken::Module(path) = from else { return Ok(()) };
        self.unquoted(side, bound, scope)?;
        if path.is_empty() && scope == MODULE {
            self.kept_for_others(side, bound)?;
        }
        for used in &uses {
            if !used.attributes.iter().map(|a| a.text).take(path.len()).eq(path.iter().copied()) {
                continue;
            }
            let Some(attribute) = used.attributes.get(path.len()) else {
                let message = "the module is used as a whole";
                let reason = if matches!(used.role, Role::Quoted(_)) { Reason::Form } else { Reason::DynamicNames };
                return Err(Obstacle::new(reason, (module, used.span), message));
            };
            let new = self.lookup(side, attribute.text, (module, used.span))?;
            self.free_in(side, used.scope, &new, used.span)?;
            self.write(side, Span { start: used.span.start, end: attribute.span.end }, &new)?;
        }
        Ok(())
    }

    /// The module's name in a string or comment: a type in quotes would name nothing any more.
    fn unquoted(&self, side: Side, bound: &str, scope: ScopeId) -> Result<(), Obstacle> {
        let text = self.bodies.of(side).text;
        let file = self.file(side);
        let code = |at: usize| file.uses.iter().any(|u| u.span.start == at && !matches!(u.role, Role::Quoted(_)));
        let import = |at: usize| {
            let sites = &self.ctx.world.graph.files[self.pair.module(side).index()].sites;
            sites.iter().any(|s| s.stmt.range().contains(&at))
        };
        let mut found = words(text).filter(|(at, word)| *word == bound && text[at + word.len()..].starts_with('.'));
        match found.find(|(at, _)| scope == MODULE && !code(*at) && !import(*at)) {
            Some((start, word)) => {
                let message = format!("a string or comment names `{word}`, which would be gone");
                let at = Span { start, end: start + word.len() };
                Err(Obstacle::new(Reason::Form, (self.pair.module(side), at), message))
            }
            None => Ok(()),
        }
    }

    /// The scope that an import binds its name in, if nothing else does.
    fn scope_of(&self, side: Side, site: usize, bound: &str) -> Result<ScopeId, Obstacle> {
        let file = self.file(side);
        let at = (self.pair.module(side), self.site(side, site).at);
        let holds = |b: &Binding| b.what == Bound::Import(site);
        let scope = file.scopes.iter().position(|s| s.bindings.get(bound).is_some_and(|all| all.iter().any(holds)));
        let scope = scope.ok_or_else(|| Obstacle::new(Reason::Form, at, "the import binds no name"))?;
        let plain = |s: &ImportSite| s.name.is_none() && s.asname.is_none() && s.module.contains('.');
        let same = |b: &Binding| match b.what {
            Bound::Import(other) => {
                let (one, two) = (self.site(side, site), self.site(side, other));
                plain(one) && two.name.is_none() && two.asname.is_none()
                    || self.names.sites.of(side).contains(&other) && (one.name, one.asname) == (two.name, two.asname)
            }
            what => what == Bound::Declared,
        };
        let bindings = &file.scopes[scope].bindings[bound];
        match bindings.iter().find(|b| !same(b) || b.from_inside) {
            Some(other) => {
                let message = format!("`{bound}` is bound more than once");
                Err(Obstacle::new(Reason::ReboundName, (at.0, other.span), message))
            }
            None => Ok(ScopeId(scope as u32)),
        }
    }

    /// A name that is taken by value has to keep its value.
    fn steady(&self, side: Side, name: &'p str, at: (crate::project::ModuleId, Span)) -> Result<(), Obstacle> {
        let other = side.other();
        let bindings: Vec<&Binding> =
            self.file(other).bindings(name).iter().filter(|b| b.what != Bound::Declared).collect();
        if let Some(inside) = bindings.iter().find(|b| b.from_inside) {
            let message = format!("`{name}` is bound anew at run time, which its import does not see");
            return Err(Obstacle::new(Reason::ReboundState, (self.pair.module(other), inside.span), message));
        }
        let body = self.bodies.of(other);
        let items: BTreeSet<Option<usize>> = bindings.iter().map(|b| body.item_at(b.span)).collect();
        if bindings.len() > 1 && items.len() > 1 {
            return Err(Obstacle::new(Reason::ReboundName, at, format!("`{name}` is bound more than once")));
        }
        Ok(())
    }

    fn lookup(&self, side: Side, name: &'p str, at: (crate::project::ModuleId, Span)) -> Result<String, Obstacle> {
        self.names.final_name(self.ctx, self.pair, side.other(), name).ok_or_else(|| {
            let message = format!("`{name}` is no name that the other module binds itself");
            Obstacle::new(Reason::DynamicNames, at, message)
        })
    }

    /// A name of the module's own scope that goes must not be missed.
    fn kept_for_others(&self, side: Side, name: &str) -> Result<(), Obstacle> {
        let module = self.pair.module(side);
        if let Some(at) = used_outside(self.ctx, self.pair, module, name) {
            let message = format!("another module uses `{}.{name}`", self.ctx.project().module(module).name);
            return Err(Obstacle::new(Reason::UsedElsewhere, at, message));
        }
        if is_public(self.ctx.world, module, name) {
            let at = (module, self.file(side).bindings(name).first().map_or_else(Span::default, |b| b.span));
            return Err(Obstacle::new(Reason::PublicName, at, format!("`{name}` is a public name of this module")));
        }
        Ok(())
    }

    /// Whether a name, read in a scope, is the module's own once the imports of the other are gone.
    fn free_in(&self, side: Side, mut scope: ScopeId, name: &str, at: Span) -> Result<(), Obstacle> {
        let file = self.file(side);
        let goes = |b: &Binding| matches!(b.what, Bound::Import(site) if self.names.sites.of(side).contains(&site));
        while let Some(owner) = file.owner(name, scope).filter(|owner| *owner != MODULE) {
            if !file.scope(owner).bindings[name].iter().all(goes) {
                let message = format!("a local name hides `{name}` here");
                return Err(Obstacle::new(Reason::NameCollision, (self.pair.module(side), at), message));
            }
            scope = file.scope(owner).parent.unwrap_or(MODULE);
        }
        Ok(())
    }

    /// `import p.b` binds `p`: what else is read of it needs another import.
    fn rest_of_package(&self, side: Side) -> Result<(), Obstacle> {
        let module = self.pair.module(side);
        for site in self.names.sites.of(side) {
            let found = self.site(side, *site);
            let (None, None, Some(top)) = (found.name, found.asname, found.bound()) else { continue };
            let written = self.names.edits.of(side);
            let left = self
                .file(side)
                .uses_of(top)
                .find(|u| !written.keys().any(|w| w.contains(u.span)) && !matches!(u.role, Role::Quoted(_)));
            let others = self.file(side).bindings(top).iter().any(|b| match b.what {
                Bound::Import(other) => !self.names.sites.of(side).contains(&other),
                _ => true,
            });
            if let (Some(used), false) = (left, others) {
                let message = format!("`{top}` is used for more than the module");
                return Err(Obstacle::new(Reason::SubmoduleAccess, (module, used.span), message));
            }
        }
        Ok(())
    }
}

/// Whether what stands before the rest of a text is part of an expression that is shown with its value: `f"{x=}"`. Nowhere else does
/// a lone `=` stand before what ends a field.
fn is_shown_as_written(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    let field = &line[..line.find('}').map_or(0, |end| end + 1)];
    let is_lone = |at: usize| {
        !field[..at].ends_with(['=', '!', '<', '>', ':']) && field[at + 1..].trim_start().starts_with(['}', '!', ':'])
    };
    field.match_indices('=').any(|(at, _)| is_lone(at))
}

/// Values of which two are as good as one.
fn is_constant(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Constant(_) | ExprKind::Str(_) => true,
        ExprKind::Call { func, .. } => {
            matches!(func.last_name(), Some("TypeVar" | "ParamSpec" | "TypeVarTuple" | "getLogger" | "compile"))
        }
        _ => false,
    }
}
