//! The pages of `cyclefix explain`: every word of a report has one, no page is left over, and their examples run.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[allow(dead_code)]
mod harness {
    pub mod case;
}

use std::collections::BTreeSet;
use std::process::Command;

use cyclefix::explain::{Page, groups, nearest, page};
use cyclefix::project::settings::Level;
use cyclefix::strategy;
use harness::case::{Case, cyclefix, write};
use rayon::prelude::*;
use serde_json::Value;

fn group(title: &str) -> Vec<Page> {
    groups().into_iter().find(|(known, _)| *known == title).unwrap().1
}

fn ids(title: &str) -> BTreeSet<String> {
    group(title).into_iter().map(|page| page.id.to_owned()).collect()
}

/// The ids that the source gives reasons.
fn reasons() -> BTreeSet<String> {
    let source = include_str!("../src/strategy/reason.rs");
    let found = source.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next());
    found.map(str::to_owned).collect()
}

/// The words of the report that a schema lists: of a status, a level, a kind and so on.
fn words(schema: &Value, out: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("enum", Value::Array(all)) => out.extend(all.iter().map(|w| w.as_str().unwrap().to_owned())),
                    _ => words(value, out),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|value| words(value, out)),
        _ => {}
    }
}

#[test]
fn every_word_of_a_report_has_a_page_and_no_page_is_left_over() {
    assert_eq!(ids("Strategies"), strategy::names().into_iter().map(str::to_owned).collect());
    assert_eq!(ids("Levels"), Level::ALL.into_iter().map(|level| level.as_str().to_owned()).collect());
    let all = reasons();
    assert!(all.len() > 30);
    assert_eq!(ids("Reasons of refusals"), all);
    let forms = strategy::cost::TABLE.iter().filter_map(|(key, _)| Some(key.split_once('/')?.1.to_owned()));
    assert_eq!(ids("Forms of strategies"), forms.collect());
    // What the JSON report may hold besides, and what the reports for people name.
    let mut known = BTreeSet::new();
    words(&serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap(), &mut known);
    let known: BTreeSet<String> = known.into_iter().filter(|word| !ids("Levels").contains(word)).collect();
    let known: BTreeSet<String> = known.into_iter().filter(|word| !ids("Forms of strategies").contains(word)).collect();
    let named = ["cycle", "crash", "skipped", "implicit", "hoist", "removed", "hidden"].map(str::to_owned);
    assert_eq!(ids("Words of reports"), known.into_iter().chain(named).collect());
}

#[test]
fn a_page_has_what_is_promised() {
    let mut seen = BTreeSet::new();
    for page in groups().into_iter().flat_map(|(_, pages)| pages) {
        assert!(seen.insert(page.id), "{} has two pages", page.id);
        assert!(page.text.starts_with(&format!("# {}\n\n", page.id)), "{}", page.id);
        assert!(page.summary().len() > 20 && page.summary().ends_with('.'), "{}: {}", page.id, page.summary());
    }
    for page in group("Reasons of refusals") {
        for part in ["\n## Example\n", "\nRefused:\n", "\nNot refused for this:\n", "\n## How to get past it\n"] {
            assert!(page.text.contains(part), "{} lacks {part:?}", page.id);
        }
    }
}

/// The text of the fenced blocks of one language.
fn blocks(page: &Page, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.text.split(&fence).skip(1).map(|rest| expanded(&rest[..rest.find("```").unwrap()])).collect()
}

/// A line that ends in `# for @ from 0 to 9` stands for ten.
fn expanded(block: &str) -> String {
    let mut out = String::new();
    for line in block.lines() {
        match line.split_once("  # for @ from ").and_then(|(code, range)| Some((code, range.split_once(" to ")?))) {
            Some((code, (first, last))) => {
                let numbers = first.parse::<u32>().unwrap()..=last.parse().unwrap();
                numbers.for_each(|n| out.push_str(&format!("{}\n", code.replace('@', &n.to_string()))));
            }
            None => out.push_str(&format!("{line}\n")),
        }
    }
    out
}

/// What cyclefix prints on a project that a page shows.
fn output(text: &str, more: &[&str]) -> String {
    let (case, folder) = (Case::parse("page", text), tempfile::tempdir().unwrap());
    write(folder.path(), &case.files);
    String::from_utf8(cyclefix(folder.path(), &case.options, more).stdout).unwrap()
}

fn report(text: &str) -> Value {
    serde_json::from_str(&output(text, &["--dry-run", "--format", "json"])).unwrap()
}

fn refused(report: &Value) -> BTreeSet<String> {
    let project = &report["projects"][0];
    let cycles = project["cycles"].as_array().unwrap().iter().chain(project.get("hoist"));
    let all = cycles.flat_map(|c| c["refusals"].as_array().unwrap());
    all.map(|r| r["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_examples_of_reasons_are_refused_and_the_ways_out_are_not() {
    // What fails only when it is run is held by tests/verify.rs.
    let pages = group("Reasons of refusals").into_iter().filter(|page| page.id != "failed-verification");
    let wrong: Vec<String> = pages
        .collect::<Vec<_>>()
        .par_iter()
        .filter_map(|page| {
            let examples = blocks(page, "text");
            let [before, after] = [0, 1].map(|n| refused(&report(&examples[n])));
            let right = before.contains(page.id) && !after.contains(page.id);
            (!right).then(|| format!("{}: {before:?}, {after:?}", page.id))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_examples_of_forms_give_the_diffs_they_show() {
    let hoist = page("hoist").unwrap();
    for page in group("Forms of strategies").into_iter().chain([hoist]) {
        let (before, after) = (blocks(&page, "text"), blocks(&page, "diff"));
        assert!(before.len() == 1 && after.len() == 1, "{}", page.id);
        assert_eq!(output(&before[0], &["--dry-run"]), after[0], "{}", page.id);
        let shown = report(&before[0]);
        let fixes =
            shown["projects"][0]["cycles"].as_array().unwrap().iter().flat_map(|c| c["fixes"].as_array().unwrap());
        assert!(page.id == "hoist" || fixes.into_iter().any(|f| f["form"] == page.id), "{}", page.id);
    }
}

#[test]
fn the_examples_of_levels_are_cycles_of_that_level() {
    for page in group("Levels") {
        let shown = report(&blocks(&page, "text")[0]);
        assert_eq!(shown["projects"][0]["cycles"][0]["level"], page.id, "{}", page.id);
    }
}

#[test]
fn explain_prints_pages_lists_them_and_knows_the_nearest() {
    let run = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_cyclefix")).args(args).output().unwrap();
    let shown = run(&["explain", "import-side-effect"]);
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), page("import-side-effect").unwrap().text);
    let list = String::from_utf8(run(&["explain"]).stdout).unwrap();
    for page in groups().into_iter().flat_map(|(_, pages)| pages) {
        assert!(list.contains(&format!("- `{}`: ", page.id)), "{}", page.id);
    }
    let wrong = run(&["explain", "import-sideeffect"]);
    assert_eq!(wrong.status.code(), Some(2));
    let stderr = String::from_utf8(wrong.stderr).unwrap();
    assert!(stderr.contains("hint: did you mean `import-side-effect`?"), "{stderr}");
    assert_eq!((nearest("Deferimport"), nearest("xyzzyq")), (Some("defer-import"), None));
    let coloured = run(&["explain", "eager", "--color", "always"]).stdout;
    assert!(coloured.contains(&0x1b), "{}", String::from_utf8_lossy(&coloured));
}

#[test]
fn a_folder_named_explain_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("explain"), &Case::parse("p", "#- a.py\nimport b\n#- b.py\nimport a\n").files);
    let run =
        |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_cyclefix")).current_dir(&folder).args(args).output().unwrap();
    for args in [&["./explain"][..], &["explain/"], &["--check", "explain"], &["./explain", "explain"]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("cycle 1 of 1"), "{args:?}");
    }
    assert!(String::from_utf8(run(&["--help"]).stdout).unwrap().contains("./explain"));
}
