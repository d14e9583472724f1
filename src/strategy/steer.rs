//! How owners steer single imports: by comments on them, `# cyclefix: keep` and `# cyclefix: ignore`, and by the settings
//! `keep`, `cut` and `ignore`; and by the policy, which rules out fixes that only hide a dependency.

use super::{Context, Fix, HIDING, ImportId, Proposals, Reason, Refusal, not_writable};
use crate::graph::{Edge, Graph};
use crate::project::pattern::ImportPattern;
use crate::project::settings::Policy;
use crate::syntax::imports::ImportSite;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Keep,
    Ignore,
}

/// Whether an edge is no part of any cycle.
pub fn is_ignored(graph: &Graph, edge: &Edge) -> bool {
    let patterns = &graph.project.settings.ignore;
    let import = ImportId { module: edge.from, site: edge.site };
    let target = graph.targets[edge.from.index()][edge.site].map(|t| t.module);
    has_directive(graph, import, Directive::Ignore)
        || matches(graph, patterns, edge)
        || target.is_some_and(|to| matches(graph, patterns, &Edge { to, ..*edge }))
}

/// Whether an import is never cut.
fn is_kept(graph: &Graph, import: ImportId) -> bool {
    has_directive(graph, import, Directive::Keep) || listed(graph, &graph.project.settings.keep, import)
}

/// Whether an import is to be cut before others.
pub fn is_cut(graph: &Graph, import: ImportId) -> bool {
    listed(graph, &graph.project.settings.cut, import)
}

fn listed(graph: &Graph, patterns: &[ImportPattern], import: ImportId) -> bool {
    let edges = || graph.edges_of(import.module).iter().filter(|e| e.site == import.site);
    !patterns.is_empty() && edges().any(|e| matches(graph, patterns, e))
}

fn matches(graph: &Graph, patterns: &[ImportPattern], edge: &Edge) -> bool {
    let name = |module| graph.project.module(module).name.as_str();
    patterns.iter().any(|p| p.matches(name(edge.from), name(edge.to)))
}

/// Whether a comment says so on the first or last line of the statement, or on the name's own.
fn has_directive(graph: &Graph, import: ImportId, wanted: Directive) -> bool {
    let text = graph.project.text(import.module);
    let ImportSite { stmt, at, .. } = graph.site(import.module, import.site);
    [stmt.start, at.start, stmt.end].into_iter().any(|place| {
        let start = text[..place].rfind(['\n', '\r']).map_or(0, |n| n + 1).max(stmt.start);
        let end = text[place..].find(['\n', '\r']).map_or(text.len(), |n| place + n);
        text[start..end].split('#').skip(1).filter_map(directive).any(|found| found == wanted)
    })
}

/// E.g. `cyclefix: keep, since the order matters`.
fn directive(comment: &str) -> Option<Directive> {
    let rest = comment.trim_start().strip_prefix("cyclefix:")?;
    match rest.split(|c: char| !c.is_ascii_alphabetic()).find(|w| !w.is_empty())? {
        "keep" => Some(Directive::Keep),
        "ignore" => Some(Directive::Ignore),
        _ => None,
    }
}

/// Takes from the proposals of a strategy what owner and policy rule out, and says so.
pub fn steered(ctx: &Context, strategy: &'static str, found: Proposals) -> Proposals {
    let graph = ctx.world.graph;
    let mut out = Proposals::default();
    let ruled_out = ctx.project().settings.policy == Policy::Architectural && HIDING.contains(&strategy);
    let refusal = |import: ImportId, reason: Reason, message: String| {
        let at = (import.module, graph.site(import.module, import.site).at);
        Refusal { strategy, import, reason, message, at }
    };
    let kept = |import| refusal(import, Reason::KeptByOwner, "its owner says that the import stays".to_owned());
    for refused in found.refusals {
        // The comment that keeps an import also reads as one that says why it is there.
        match refused.reason {
            Reason::KeptOnPurpose if is_kept(graph, refused.import) => out.refusals.push(kept(refused.import)),
            _ if ruled_out => {}
            _ => out.refusals.push(refused),
        }
    }
    for fix in found.fixes {
        let fixed = || fix.intents.iter().map(|(module, _)| *module);
        if let Some(import) = fix.removes.iter().find(|i| is_kept(graph, **i)) {
            out.refusals.push(kept(*import));
        } else if let Some((reason, message)) = fixed().find_map(|module| not_writable(ctx, module)) {
            out.refusals.push(refusal(fix.removes[0], reason, message));
        } else if ruled_out {
            out.refusals.push(refusal(fix.removes[0], Reason::AgainstPolicy, against_policy(&fix)));
        } else {
            out.fixes.push(fix);
        }
    }
    out
}

fn against_policy(fix: &Fix) -> String {
    let form = fix.form.map_or(String::new(), |form| format!(" ({form})"));
    format!("the import could be deferred{form}, which the policy `architectural` rules out")
}

#[cfg(test)]
mod tests {
    use super::{Directive, directive};

    #[test]
    fn directives_are_read_from_comments() {
        assert_eq!(directive(" cyclefix: keep"), Some(Directive::Keep));
        assert_eq!(directive("cyclefix:ignore, see the guide"), Some(Directive::Ignore));
        assert_eq!(directive(" cyclefix: keeper"), None);
        assert_eq!(directive(" noqa"), None);
    }
}
