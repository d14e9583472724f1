//! What stays of the emptied module: its head, and a re-export of every name that anyone asks of it.

use std::collections::BTreeSet;

use super::super::import_use::Obstacle;
use super::super::{Context, Reason};
use super::body::Body;
use super::names::Names;
use super::standing::used_outside;
use super::{Both, Pair, Side};
use crate::names::scope::{Binding, MODULE};
use crate::names::users::is_public;
use crate::names::{Bound, Moment};
use crate::rewrite::lines::{Layout, line_start, next_line};
use crate::rewrite::{self, ImportText};

/// The names that the emptied module passes on: as it calls them, and as the other does.
#[derive(Clone, Debug, Default)]
pub struct Exports<'p> {
    pub public: Vec<(&'p str, String)>,
    /// Names that only the project asks for.
    pub used: Vec<(&'p str, String)>,
}

pub fn of<'p>(
    ctx: &Context<'_, 'p>,
    pair: Pair,
    bodies: &Both<Body<'p>>,
    names: &Names<'p>,
) -> Result<Exports<'p>, Obstacle> {
    let module = pair.emptied;
    let file = ctx.world.names.file(module);
    let mut out = Exports::default();
    if let (Some((item, _)), true) = (&bodies.emptied.exports, file.exports.more) {
        return Err(Obstacle::new(Reason::Form, (module, item.span), "`__all__` is no plain list"));
    }
    let listed: BTreeSet<&str> = file.exports.names.iter().copied().collect();
    for (name, bindings) in &file.scope(MODULE).bindings {
        let bindings: Vec<&Binding> = bindings.iter().filter(|b| b.what != Bound::Declared).collect();
        let Some(first) = bindings.first().filter(|_| *name != "__all__") else { continue };
        let is_twin = |b: &&Binding| names.twins.iter().any(|t| t.contains(b.span));
        if name.starts_with("__") && name.ends_with("__") && !bindings.iter().all(is_twin) {
            let message = format!("`{name}` tells something of the module that it stands in");
            return Err(Obstacle::new(Reason::PlaceDependent, (module, first.span), message));
        }
        let own = bindings.iter().any(|b| !matches!(b.what, Bound::Import(_)));
        let is_public = listed.contains(name)
            || listed.is_empty() && own && (!name.starts_with('_') || name.ends_with("__"))
            || !own && is_public(ctx.world, module, name);
        let used = used_outside(ctx, pair, module, name);
        let kept = is_public || used.is_some() || own && !name.starts_with('_');
        if !kept {
            continue;
        }
        let at = (module, first.span);
        if bindings.iter().all(|b| b.moment == Moment::Never) {
            let message = format!("`{name}` is bound for type checkers alone, and used from here");
            return Err(Obstacle::new(Reason::UsedElsewhere, used.unwrap_or(at), message));
        }
        let Some(new) = names.final_name(ctx, pair, Side::Emptied, name) else {
            let message = format!("`{name}` is used from here, but would no longer exist");
            return Err(Obstacle::new(Reason::UsedElsewhere, used.unwrap_or(at), message));
        };
        if let Some(inside) = bindings.iter().find(|b| b.from_inside) {
            let message = format!("`{name}` is bound anew at run time, which a re-export does not see");
            return Err(Obstacle::new(Reason::ReboundState, (module, inside.span), message));
        }
        if is_public { out.public.push((name, new)) } else { out.used.push((name, new)) }
    }
    let known = |name: &&str| out.public.iter().any(|(n, _)| n == name);
    if let Some(missing) = listed.iter().find(|n| !known(n)) {
        let at = bodies.emptied.exports.as_ref().map_or_else(Default::default, |(item, _)| item.span);
        let message = format!("`__all__` lists `{missing}`, which the module does not bind");
        return Err(Obstacle::new(Reason::Form, (module, at), message));
    }
    Ok(out)
}

/// The new text of the emptied module.
pub fn text(ctx: &Context, pair: Pair, bodies: &Both<Body>, exports: &Exports) -> String {
    let body = &bodies.emptied;
    let layout = Layout::of(body.text);
    let newline = layout.newline;
    let mut out = head(ctx, pair, body, newline);
    let from = source(ctx, pair);
    // Without a list of what is public, an import as itself says so (PEP 484).
    let lists = !exports.public.is_empty();
    let import = |name: &str, new: &str, listed: bool| ImportText {
        module: from.clone(),
        name: Some(if listed && name == new { new.to_owned() } else { format!("{new} as {name}") }),
        alias: None,
        comment: None,
        above: Vec::new(),
    };
    let public = exports.public.iter().map(|(name, new)| import(name, new, true));
    let used = exports.used.iter().map(|(name, new)| import(name, new, false));
    let imports: Vec<ImportText> = public.chain(used).collect();
    if imports.is_empty() {
        return out;
    }
    out.push_str(newline);
    out.push_str(&rewrite::import_block(ctx.project(), body.text, imports));
    if lists {
        let list = match &body.exports {
            Some((item, _)) => item.span.of(body.text).to_owned(),
            None => list(ctx, &layout, exports),
        };
        out.push_str(&format!("{newline}{list}{newline}"));
    }
    out
}

fn list(ctx: &Context, layout: &Layout, exports: &Exports) -> String {
    let quote = if layout.single_quotes { '\'' } else { '"' };
    let mut names: Vec<&str> = exports.public.iter().map(|(name, _)| *name).collect();
    names.sort_by_key(|name| rewrite::name_key(name));
    let names: Vec<String> = names.into_iter().map(|n| format!("{quote}{n}{quote}")).collect();
    let line = format!("__all__ = [{}]", names.join(", "));
    if line.chars().count() <= ctx.project().settings.line_length {
        return line;
    }
    let (newline, indent) = (layout.newline, &layout.indent);
    let lines: String = names.iter().map(|n| format!("{indent}{n},{newline}")).collect();
    format!("__all__ = [{newline}{lines}]")
}

/// Comments at the top and the docstring; a docstring is made where there is none.
fn head(ctx: &Context, pair: Pair, body: &Body, newline: &str) -> String {
    let text = body.text;
    if let Some(docstring) = body.docstring {
        let kept = &text[..next_line(text, docstring.end)];
        return if kept.ends_with(['\n', '\r']) { kept.to_owned() } else { format!("{kept}{newline}") };
    }
    let comments = &text[..header_end(body)];
    let home = &ctx.project().module(pair.home).name;
    format!("{comments}\"\"\"Passes on names that have moved to `{home}`.\"\"\"{newline}")
}

/// Where the comments end that speak of the file, not of its first definition.
pub fn header_end(body: &Body) -> usize {
    let text = body.text;
    let Some(first) = body.ast.body.first() else { return text.len() };
    match body.items.first() {
        // A comment right above the first definition goes with it.
        Some(item) if item.span == first.span => item.start,
        _ => line_start(text, first.span.start),
    }
}

/// How the emptied module names the other.
fn source(ctx: &Context, pair: Pair) -> String {
    let project = ctx.project();
    let (home, emptied) = (project.module(pair.home), project.module(pair.emptied));
    let relative = ctx.world.graph.files[pair.emptied.index()].sites.iter().any(|s| s.level > 0);
    if relative && home.package() == emptied.package() {
        return format!(".{}", home.name.rsplit('.').next().unwrap_or_default());
    }
    home.name.clone()
}
