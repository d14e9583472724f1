//! The cases of `rewrites/`: each small project through every action, held against Python and its golden result.
//!
//! `INSTA_UPDATE=always cargo test --test cases` takes new results over into `snapshots/`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stderr)]

mod harness {
    pub mod case;
    pub mod python;
}

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cyclefix::strategy;
use harness::case::{Case, Ran};
use harness::python::Python;
use rayon::prelude::*;

/// Cases that one Python process looks at.
const BATCH: usize = 16;

fn top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Names in a folder, without the ending.
fn names(folder: &Path, ending: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    entries.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

/// All cases by strategy.
fn cases() -> Vec<(&'static str, Case)> {
    let mut out = Vec::new();
    for strategy in strategy::names() {
        let folder = top("rewrites").join(strategy).join("cases");
        let all = names(&folder, ".case");
        let read = |name: &String| without_moves(strategy, Case::read(&folder.join(format!("{name}.case"))));
        out.extend(all.iter().map(|name| (strategy, read(name))));
    }
    out
}

/// Where a case names no strategy, none that moves code comes before the one that it is about.
fn without_moves(strategy: &str, mut case: Case) -> Case {
    let single = ["unused-import", "direct-import", "defer-import"];
    if single.contains(&strategy) && !case.options.iter().any(|o| o == "--strategy") {
        case.options.extend(["--strategy".to_owned(), single.join(",")]);
    }
    case
}

#[test]
fn cases_give_their_golden_results() {
    let cases = cases();
    let all: Vec<(&str, &Case, Ran)> =
        cases.par_iter().map(|(strategy, case)| (*strategy, case, Ran::new(case))).collect();
    let mut troubles: Vec<String> = Vec::new();
    for (strategy, case, ran) in &all {
        troubles.extend(ran.troubles.iter().map(|t| format!("{strategy}/{}: {t}", case.name)));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(top("snapshots").join(strategy));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_description(&case.rule);
        let golden = catch_unwind(AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(case.name.as_str(), ran.golden()))
        }));
        if golden.is_err() {
            troubles.push(format!("{strategy}/{}: not its golden result", case.name));
        }
    }
    match Python::find() {
        None => eprintln!("NO PYTHON 3.9 OR LATER IS FOUND: what the cases do when they run is not tested"),
        Some(python) => {
            let (old, new): (Vec<_>, Vec<_>) = all.iter().partition(|(_, case, _)| case.minor() <= python.minor);
            for (strategy, case, _) in new {
                eprintln!("{strategy}/{} needs Python 3.{}: not run", case.name, case.minor());
            }
            let found: Vec<String> = old
                .par_chunks(BATCH)
                .flat_map_iter(|batch| {
                    let pairs: Vec<(&Case, &Ran)> = batch.iter().map(|(_, case, ran)| (*case, ran)).collect();
                    let troubles = python.compare(&pairs);
                    let named = |((strategy, case, _), found): (&&(&str, &Case, Ran), Vec<String>)| -> Vec<String> {
                        found.into_iter().map(|t| format!("{strategy}/{}: {t}", case.name)).collect()
                    };
                    batch.iter().zip(troubles).flat_map(named).collect::<Vec<_>>()
                })
                .collect();
            troubles.extend(found);
        }
    }
    assert!(troubles.is_empty(), "\n{}\n", troubles.join("\n"));
    for strategy in strategy::names() {
        let page = std::fs::read_to_string(top("rewrites").join(strategy).join("page.md")).unwrap();
        for (_, case, ran) in &all {
            for reason in ran.reasons(strategy) {
                assert!(
                    page.contains(&format!("| `{reason}` |")),
                    "{strategy}/page.md lacks `{reason}` of {}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn registry_pages_cases_and_results_match() {
    let registered: BTreeSet<String> = strategy::names().into_iter().map(str::to_owned).collect();
    let mut folders = registered.clone();
    // The pages of other words.
    folders.insert("explain".to_owned());
    assert_eq!(names(&top("rewrites"), ""), folders);
    assert_eq!(names(&top("snapshots"), ""), registered);
    for strategy in &registered {
        let folder = top("rewrites").join(strategy);
        assert_eq!(names(&folder, ""), BTreeSet::from(["cases".to_owned(), "page.md".to_owned()]), "{strategy}");
        let cases = names(&folder.join("cases"), ".case");
        assert!(!cases.is_empty(), "{strategy}");
        assert_eq!(names(&top("snapshots").join(strategy), ".snap"), cases, "{strategy}");
        assert_eq!(
            names(&top("snapshots").join(strategy), ""),
            names(&top("snapshots").join(strategy), ".snap").iter().map(|n| format!("{n}.snap")).collect(),
            "{strategy}"
        );
    }
}

#[test]
fn every_case_says_what_it_holds() {
    for (strategy, case) in cases() {
        assert!(case.rule.len() > 20 && !case.files.is_empty(), "{strategy}/{}", case.name);
    }
}

/// The text of the fenced blocks of one language.
fn blocks<'t>(page: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| &rest[..rest.find("```").unwrap()]).collect()
}

#[test]
fn the_example_of_each_page_runs() {
    for strategy in strategy::names() {
        let page = std::fs::read_to_string(top("rewrites").join(strategy).join("page.md")).unwrap();
        let (before, after) = (blocks(&page, "text"), blocks(&page, "diff"));
        assert!(!before.is_empty() && before.len() == after.len(), "{strategy}");
        for (before, after) in before.iter().zip(after) {
            let case = without_moves(strategy, Case::parse(strategy, before));
            let ran = Ran::new(&case);
            assert_eq!(ran.troubles, Vec::<String>::new(), "{strategy}");
            assert_eq!(ran.diff, after, "{strategy}");
            if let Some(python) = Python::find() {
                assert_eq!(python.compare(&[(&case, &ran)]), [Vec::<String>::new()], "{strategy}");
            }
        }
    }
}
