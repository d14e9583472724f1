//! The imports of the emptied module, as the other takes them over: each joins those at its head, unless it is there
//! already.

use std::collections::BTreeSet;

use super::super::import_use::Obstacle;
use super::super::{Context, Reason};
use super::body::{Body, Item};
use super::names::Names;
use super::{Both, Pair, Side};
use crate::outcome::Kind;
use crate::project::resolve::absolute;
use crate::rewrite::lines::line_end;
use crate::rewrite::{ImportText, Intent};
use crate::syntax::Span;
use crate::syntax::imports::{ImportSite, Place};

/// What becomes of the imports in the text of the module that takes the other in.
pub fn unite<'p>(
    ctx: &Context<'_, 'p>,
    pair: Pair,
    bodies: &Both<Body<'p>>,
    names: &Names<'p>,
) -> Result<BTreeSet<Intent>, Obstacle> {
    let unite = Unite { ctx, pair, bodies, names };
    let mut out: BTreeSet<Intent> = names.sites.home.iter().map(|site| Intent::Remove { site: *site }).collect();
    for item in &bodies.emptied.imports {
        unite.comments(item)?;
    }
    let sites = &ctx.world.graph.files[pair.emptied.index()].sites;
    for (index, site) in sites.iter().enumerate().filter(|(i, _)| !names.sites.emptied.contains(i)) {
        let head = bodies.emptied.imports.iter().find(|i| i.span.contains(site.stmt));
        match head {
            Some(item) => out.extend(unite.taken_over(index, site, item)?),
            None => unite.stays_inside(site)?,
        }
    }
    Ok(out)
}

struct Unite<'u, 'c, 'p> {
    ctx: &'u Context<'c, 'p>,
    pair: Pair,
    bodies: &'u Both<Body<'p>>,
    names: &'u Names<'p>,
}

impl Unite<'_, '_, '_> {
    fn refuse(&self, reason: Reason, at: Span, message: &str) -> Obstacle {
        Obstacle::new(reason, (self.pair.emptied, at), message)
    }

    /// What an import binds, and from where.
    fn key<'s>(&self, side: Side, site: &ImportSite<'s>) -> (Option<String>, Option<&'s str>, Option<&'s str>) {
        let module = self.ctx.project().module(self.pair.module(side));
        (absolute(module, site.level, site.module), site.name, site.asname.filter(|a| Some(*a) != site.name))
    }

    fn taken_over(&self, index: usize, site: &ImportSite, item: &Item) -> Result<Vec<Intent>, Obstacle> {
        let first = self.bodies.emptied.items.first().map_or(usize::MAX, |i| i.span.start);
        let of_project = self.ctx.world.graph.targets[self.pair.emptied.index()][index].is_some();
        if site.stmt.start > first && of_project {
            return Err(self.refuse(Reason::Form, site.stmt, "an import stands between definitions"));
        }
        if site.kind == Kind::Lazy {
            return Err(self.refuse(Reason::Form, site.stmt, "a lazy import is not moved"));
        }
        let sites = &self.ctx.world.graph.files[self.pair.home.index()].sites;
        let key = self.key(Side::Emptied, site);
        let level = |s: &ImportSite| s.place == Place::Top || s.kind == Kind::Type && s.place == Place::Block;
        let same = sites.iter().position(|s| level(s) && !s.star && !s.call && self.key(Side::Home, s) == key);
        let import = self.text(site, item)?;
        let Some(same) = same else {
            return Ok(vec![if site.kind == Kind::Type {
                Intent::ImportForTypes(import)
            } else {
                Intent::Import(import)
            }]);
        };
        let ours = &sites[same];
        let head = self.bodies.home.items.first().map_or(usize::MAX, |i| i.span.start);
        match (ours.kind, site.kind) {
            (Kind::Type, Kind::Eager) => Ok(vec![Intent::Import(import), Intent::Remove { site: same }]),
            (Kind::Eager, _) if ours.stmt.start > head => {
                Err(self.refuse(Reason::Form, site.stmt, "the other module has the import behind its definitions"))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The import as the other module writes it.
    fn text(&self, site: &ImportSite, item: &Item) -> Result<ImportText, Obstacle> {
        let project = self.ctx.project();
        let (home, emptied) = (project.module(self.pair.home), project.module(self.pair.emptied));
        let module = if site.level == 0 || home.package() == emptied.package() {
            format!("{}{}", ".".repeat(site.level), site.module)
        } else {
            let beyond = || self.refuse(Reason::Form, site.stmt, "the import leads beyond the top package");
            absolute(emptied, site.level, site.module).ok_or_else(beyond)?
        };
        let renamed = |name: &str| match site.asname {
            Some(asname) => format!("{name} as {asname}"),
            None => name.to_owned(),
        };
        let alone = site.stmt == item.span;
        Ok(ImportText {
            module,
            name: site.name.map(renamed),
            alias: if site.name.is_none() { site.asname.map(str::to_owned) } else { None },
            comment: if alone { self.behind(site.stmt).map(str::to_owned) } else { None },
            above: Vec::new(),
        })
    }

    /// The comment behind a statement.
    fn behind(&self, stmt: Span) -> Option<&str> {
        let text = self.bodies.emptied.text;
        let rest = text[stmt.end..line_end(text, stmt.end)].trim();
        rest.starts_with('#').then_some(rest)
    }

    /// Comments among the imports: they go with an import of the other module, and stay with a single name; what else they
    /// speak of is not known.
    fn comments(&self, item: &Item) -> Result<(), Obstacle> {
        let text = self.bodies.emptied.text;
        let sites = &self.ctx.world.graph.files[self.pair.emptied.index()].sites;
        let of_item: Vec<usize> =
            sites.iter().enumerate().filter(|(_, s)| item.span.contains(s.stmt)).map(|(i, _)| i).collect();
        let goes = of_item.iter().all(|i| self.names.sites.emptied.contains(i));
        let above = &text[item.lead..item.start];
        let attached = &text[item.start..item.span.start];
        let is_first = item.lead == 0;
        let unclear = !is_first && above.contains('#') || !is_first && !goes && attached.contains('#');
        let inside = item.span.of(text).contains('#') && !goes;
        let behind = self.behind(item.span).is_some() && !goes && of_item.len() != 1;
        if unclear || inside || behind {
            return Err(self.refuse(Reason::Form, item.span, "a comment among the imports has no other place"));
        }
        Ok(())
    }

    /// Whether an import inside of a definition still means the same, and one in a block is there in both.
    fn stays_inside(&self, site: &ImportSite) -> Result<(), Obstacle> {
        let twin = self.names.twins.iter().any(|t| t.contains(site.stmt));
        if site.place == Place::Block && !site.call && !twin {
            let message = "an import stands in a block that says when it applies";
            return Err(self.refuse(Reason::ConditionalImport, site.stmt, message));
        }
        let project = self.ctx.project();
        let same_package = project.module(self.pair.home).package() == project.module(self.pair.emptied).package();
        if site.level > 0 && !same_package {
            return Err(self.refuse(Reason::Form, site.stmt, "a relative import inside of a definition"));
        }
        Ok(())
    }
}
