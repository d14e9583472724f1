//! SARIF 2.1.0 (OASIS), for code scanning: a result for each cycle, with its loop as a code flow and the rewrite as
//! a fix. Columns count characters.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use similar::{DiffOp, TextDiff};

use super::{is_dissolved, words};
use crate::outcome::{BatchEntry, CycleEntry, FileChange, ImportEntry, Outcome, ProjectOutcome, Standing};
use crate::project::settings::Level;

/// Refusals that a result spells out.
const REFUSALS: usize = 3;

pub fn write(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &log(outcome))?;
    out.write_all(b"\n")
}

fn log(outcome: &Outcome) -> Value {
    let results: Vec<Value> = outcome.projects.iter().flat_map(of_project).collect();
    let version = outcome.tool.trim_start_matches("cyclefix ");
    let rules = Level::ALL.map(rule);
    let failures: Vec<Value> = outcome.batch.iter().flat_map(failures).collect();
    let skipped = outcome.projects.iter().flat_map(skipped);
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "cyclefix", "version": version, "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": failures.is_empty(),
                "toolExecutionNotifications": failures.iter().cloned().chain(skipped).collect::<Vec<Value>>(),
            }],
            "results": results,
        }],
    })
}

/// The rule of the cycles that are there from a level on.
fn rule(level: Level) -> Value {
    let (severity, short, full) = match level {
        Level::Fragile => (
            "error",
            "Import cycle that works or fails by what is imported first",
            "These modules import each other while they are imported themselves, and one at least needs a name of another at \
             once. Whether that works depends on which module is imported first.",
        ),
        Level::Eager => (
            "warning",
            "Import cycle while modules are imported",
            "These modules import each other while they are imported themselves. None needs a name of another at once, so that \
             it works until one does.",
        ),
        Level::Runtime => (
            "note",
            "Import cycle by way of functions",
            "These modules import each other, some of them by imports that run later, inside functions.",
        ),
        Level::All => (
            "note",
            "Import cycle for type checkers",
            "These modules import each other, some of them only under `if TYPE_CHECKING:`.",
        ),
    };
    json!({
        "id": rule_id(level),
        "name": words::camel(rule_id(level)),
        "shortDescription": {"text": short},
        "fullDescription": {"text": full},
        "help": {"text": format!("{full} `cyclefix --dry-run` shows the rewrite that dissolves the cycle.")},
        "defaultConfiguration": {"level": severity},
        "properties": {"tags": ["imports", "maintainability"]},
    })
}

fn rule_id(level: Level) -> &'static str {
    match level {
        Level::Fragile => "fragile-import-cycle",
        Level::Eager => "eager-import-cycle",
        Level::Runtime => "runtime-import-cycle",
        Level::All => "type-import-cycle",
    }
}

fn of_project(project: &ProjectOutcome) -> Vec<Value> {
    // A file has one new text: what several cycles change is part of the first one's fix.
    let mut given = BTreeSet::new();
    project.cycles.iter().map(|cycle| result(project, cycle, &mut given)).collect()
}

fn result<'p>(project: &'p ProjectOutcome, cycle: &'p CycleEntry, given: &mut BTreeSet<&'p str>) -> Value {
    let mut result = Map::new();
    let index = Level::ALL.iter().position(|level| *level == cycle.level);
    let places: Vec<Value> = cycle.shortest_loop.iter().map(|import| location(project, import)).collect();
    result.insert("ruleId".into(), json!(rule_id(cycle.level)));
    result.insert("ruleIndex".into(), json!(index));
    result.insert("message".into(), json!({"text": message(cycle)}));
    result.insert("partialFingerprints".into(), json!({"cyclefixModules/v1": cycle.id}));
    if let Some(first) = places.first() {
        let mut first = first.clone();
        if let Some(first) = first.as_object_mut() {
            first.remove("message");
        }
        result.insert("locations".into(), json!([first]));
        let steps: Vec<Value> = places.iter().map(|place| json!({"location": place})).collect();
        result.insert("codeFlows".into(), json!([{"threadFlows": [{"locations": steps}]}]));
        let related = places.iter().skip(1).enumerate().map(|(index, place)| {
            let mut place = place.clone();
            place["id"] = json!(index + 1);
            place
        });
        result.insert("relatedLocations".into(), Value::Array(related.collect()));
    }
    if let Some(standing) = cycle.baseline {
        let state = if standing == Standing::Known { "unchanged" } else { "new" };
        result.insert("baselineState".into(), json!(state));
    }
    if let Some(fix) = fix(project, cycle, given) {
        result.insert("fixes".into(), json!([fix]));
    }
    result.insert("properties".into(), json!({"modules": cycle.modules, "status": cycle.status}));
    Value::Object(result)
}

/// In words. Brackets are escaped: SARIF takes `[x](1)` for a link.
fn message(cycle: &CycleEntry) -> String {
    let mut text = format!("Import cycle of {} modules: {}.", cycle.modules.len(), words::shortest_loop(cycle));
    if !cycle.united.is_empty() {
        text.push_str(&format!(" Joins the known cycles {}.", words::united(cycle, &str::to_owned)));
    }
    if !cycle.joined.is_empty() {
        text.push_str(&format!(" New in a known cycle: {}.", cycle.joined.join(", ")));
    }
    if let Some(crash) = cycle.crashes.first() {
        text.push_str(&format!(
            " `import {}` {} if it comes first: {}.",
            crash.entry,
            words::fails(crash),
            crash.error
        ));
    }
    let fixes: Vec<&str> = cycle.fixes.iter().filter(|fix| fix.applied).map(|fix| fix.title.as_str()).collect();
    match (is_dissolved(cycle), fixes.is_empty()) {
        (true, _) => text.push_str(&format!(" Dissolved by: {}.", fixes.join("; "))),
        (false, false) => text.push_str(&format!(" Made smaller by: {}.", fixes.join("; "))),
        (false, true) => {
            let why: Vec<String> =
                cycle.refusals.iter().take(REFUSALS).map(|r| format!("{} ({})", r.message, r.reason)).collect();
            if !why.is_empty() {
                text.push_str(&format!(" Not rewritten: {}.", why.join("; ")));
            }
        }
    }
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn location(project: &ProjectOutcome, import: &ImportEntry) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": artifact(project, &import.file),
            "region": {"startLine": import.line, "startColumn": import.column},
        },
        "logicalLocations": [{"fullyQualifiedName": import.from, "kind": "module"}],
        "message": {"text": format!("`{}` imports `{}` ({})", import.from, import.to, words::kind(import))},
    })
}

fn artifact(project: &ProjectOutcome, file: &str) -> Value {
    json!({"uri": words::uri(&words::path(project, file)), "uriBaseId": "%SRCROOT%"})
}

/// The texts that dissolve a cycle as replacements. SARIF cannot say that a file comes new or goes: then there is none.
fn fix<'p>(project: &'p ProjectOutcome, cycle: &'p CycleEntry, given: &mut BTreeSet<&'p str>) -> Option<Value> {
    let fixes: Vec<_> = cycle.fixes.iter().filter(|fix| fix.applied).collect();
    let files: BTreeSet<&str> = fixes.iter().flat_map(|fix| &fix.files).map(String::as_str).collect();
    let changes: Vec<&FileChange> =
        project.changes.iter().filter(|change| files.contains(change.path.as_str())).collect();
    if changes.is_empty()
        || changes.iter().any(|change| change.before.is_none() || change.after.is_none())
        || changes.iter().any(|change| given.contains(change.path.as_str()))
    {
        return None;
    }
    given.extend(changes.iter().map(|change| change.path.as_str()));
    let titles: Vec<&str> = fixes.iter().map(|fix| fix.title.as_str()).collect();
    let changes: Vec<Value> = changes
        .iter()
        .map(
            |change| json!({"artifactLocation": artifact(project, &change.path), "replacements": replacements(change)}),
        )
        .collect();
    Some(json!({"description": {"text": titles.join("; ")}, "artifactChanges": changes}))
}

/// The changed lines of a file. A byte order mark is no character of the text to SARIF.
fn replacements(change: &FileChange) -> Vec<Value> {
    let text = |text: &Option<std::sync::Arc<str>>| {
        text.as_deref().unwrap_or_default().trim_start_matches('\u{feff}').to_owned()
    };
    let (before, after) = (text(&change.before), text(&change.after));
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let diff = TextDiff::from_slices(&old, &new);
    let changed = diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    changed
        .map(|op| {
            let (from, to) = (position(&old, op.old_range().start), position(&old, op.old_range().end));
            json!({
                "deletedRegion": {"startLine": from.0, "startColumn": from.1, "endLine": to.0, "endColumn": to.1},
                "insertedContent": {"text": new[op.new_range()].concat()},
            })
        })
        .collect()
}

/// Line and column in front of a line; behind the last one, the end of the text.
fn position(lines: &[&str], line: usize) -> (usize, usize) {
    match lines.last() {
        Some(last) if line == lines.len() && !last.ends_with('\n') => (line, last.chars().count() + 1),
        _ => (line + 1, 1),
    }
}

/// Projects that could not be run, and those that an interrupt kept from being run.
fn failures(batch: &BatchEntry) -> Vec<Value> {
    let failed = batch.failed.iter().map(|failed| {
        let hint = failed.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
        let text = format!("{} failed: {}{hint}", failed.members.join(" + "), failed.from_top());
        let mut notification = json!({"level": "error", "message": {"text": text}});
        if let Some(at) = &failed.at {
            let mut place = json!({"artifactLocation": {"uri": words::uri(&at.file), "uriBaseId": "%SRCROOT%"}});
            if let Some(line) = at.line {
                place["region"] = json!({"startLine": line});
            }
            notification["locations"] = json!([{"physicalLocation": place}]);
        }
        notification
    });
    let stopped = batch.stopped.iter().map(|project| format!("{project} was not run: interrupted"));
    failed.chain(stopped.map(|text| json!({"level": "error", "message": {"text": text}}))).collect()
}

fn skipped(project: &ProjectOutcome) -> Vec<Value> {
    let of_one = |skipped: &crate::project::Skipped| {
        let mut place = json!({"artifactLocation": artifact(project, &skipped.file)});
        if let Some(line) = skipped.line {
            place["region"] = json!({"startLine": line});
        }
        json!({
            "level": "warning",
            "message": {"text": skipped.reason},
            "locations": [{"physicalLocation": place}],
        })
    };
    project.skipped.iter().map(of_one).collect()
}
