//! The one text that two modules become.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::import_use::Obstacle;
use super::super::{Context, Reason};
use super::body::{Body, Item};
use super::exports::header_end;
use super::names::Names;
use super::order::Order;
use super::{Both, Pair, Side};
use crate::edit::{Edit, TextEdit};
use crate::rewrite::lines::{Layout, next_line};
use crate::rewrite::{self, Intent, RewriteError};
use crate::syntax::Span;

pub fn merged<'p>(
    ctx: &Context<'_, 'p>,
    pair: Pair,
    bodies: &Both<Body<'p>>,
    names: &Names<'p>,
    imports: BTreeSet<Intent>,
    order: &Order,
) -> Result<String, Obstacle> {
    let mut wanted = imports;
    wanted.extend(replaced(names, Side::Home));
    let failed = |error: RewriteError| Obstacle::new(Reason::Form, (pair.home, Span::default()), error.to_string());
    let mut edits =
        rewrite::edits(ctx.project(), pair.home, ctx.world.names.ast(pair.home), &wanted).map_err(failed)?;
    let mut moved: BTreeSet<Intent> = names.sites.emptied.iter().map(|site| Intent::Remove { site: *site }).collect();
    moved.extend(replaced(names, Side::Emptied));
    let moved =
        rewrite::edits(ctx.project(), pair.emptied, ctx.world.names.ast(pair.emptied), &moved).map_err(failed)?;
    for slot in &order.slots {
        let mut run = lines(&bodies.emptied, names, &moved, slot.run.clone());
        if slot.run.end == bodies.emptied.items.len() {
            run.push_str(&trailer(&bodies.emptied));
        }
        if let Some(edit) = insertion(&bodies.home, &bodies.emptied, slot.before, slot.run.clone(), &run) {
            edits.add(edit).map_err(|e| failed(e.into()))?;
        }
    }
    Ok(edits.apply(bodies.home.text))
}

fn replaced<'n>(names: &'n Names, side: Side) -> impl Iterator<Item = Intent> + 'n {
    names.edits.of(side).iter().map(|(span, text)| Intent::Replace { span: *span, text: text.clone() })
}

/// The lines of some statements of the emptied module, without those that the other has as well.
fn lines(body: &Body, names: &Names, edits: &TextEdit, run: Range<usize>) -> String {
    let mut out = String::new();
    for item in &body.items[run] {
        let lead = lead_of(body, item);
        let dropped = names.twins.contains(&item.span);
        let (from, to) = (lead, if dropped { item.start } else { item.end });
        out.push_str(&piece(body.text, edits, from..to));
    }
    out.trim_matches(['\n', '\r']).to_owned()
}

/// Comments behind the last statement of a file.
fn trailer(body: &Body) -> String {
    let end = body.ast.body.last().map_or(0, |s| next_line(body.text, s.span.end));
    let rest = body.text[end..].trim_end();
    if rest.trim().is_empty() { String::new() } else { format!("{}{rest}", Layout::of(body.text).newline) }
}

/// Where the comments above an item begin, the file's own head left out.
fn lead_of(body: &Body, item: &Item) -> usize {
    if item.lead == 0 { header_end(body) } else { item.lead }
}

/// A part of a text with the edits that lie in it.
fn piece(text: &str, edits: &TextEdit, range: Range<usize>) -> String {
    let mut out = String::new();
    let mut at = range.start;
    for edit in edits.edits().iter().filter(|e| range.start <= e.range.start && e.range.end <= range.end) {
        out.push_str(&text[at..edit.range.start]);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(&text[at..range.end]);
    out
}

/// Puts a run before an item of the other module, or at the end; two blank lines stand around definitions.
fn insertion(home: &Body, emptied: &Body, before: Option<usize>, run: Range<usize>, text: &str) -> Option<Edit> {
    if text.is_empty() {
        return None;
    }
    let newline = Layout::of(home.text).newline;
    let blank = |count: usize| newline.repeat(count);
    let ends = |body: &Body, item: Option<usize>| item.and_then(|i| body.items.get(i)).is_some_and(|i| i.is_definition);
    let first = ends(emptied, Some(run.start));
    let last = ends(emptied, run.end.checked_sub(1));
    match before {
        Some(at) => {
            let item = &home.items[at];
            let gap = if last || item.is_definition { 3 } else { 2 };
            Some(Edit::insert(item.start, format!("{text}{}", blank(gap))))
        }
        None => {
            let end = home.text.trim_end_matches(['\n', '\r', ' ', '\t']).len();
            let above = ends(home, home.items.len().checked_sub(1));
            let gap = if first || above || home.items.is_empty() { 3 } else { 2 };
            Some(Edit::replace(end..home.text.len(), format!("{}{text}{newline}", blank(gap))))
        }
    }
}
