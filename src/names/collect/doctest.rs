//! Examples in docstrings that `doctest` would run.

use super::words;

/// The names that the examples of a docstring take from their module. What an earlier example imports is no such name, and
/// neither is what stands in one that is skipped.
pub(super) fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut imported: Vec<&str> = Vec::new();
    for example in examples(text) {
        if example.iter().any(|line| is_skipped(line)) {
            continue;
        }
        for (at, line) in example.iter().enumerate() {
            for statement in line.split(';') {
                // What follows the first line may be the body of a function.
                let bound = if at == 0 { bound(statement) } else { Vec::new() };
                if bound.is_empty() {
                    found.extend(words(statement).map(|(_, word)| word).filter(|word| !imported.contains(word)));
                }
                imported.extend(bound);
            }
        }
    }
    found
}

/// The lines of code of each example.
fn examples(text: &str) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> = Vec::new();
    let mut open = false;
    for line in text.lines().map(str::trim_start) {
        if let Some(code) = line.strip_prefix(">>>") {
            all.push(vec![code]);
            open = true;
        } else if let (Some(code), Some(last), true) = (line.strip_prefix("..."), all.last_mut(), open) {
            last.push(code);
        } else {
            open = false;
        }
    }
    all
}

fn is_skipped(line: &str) -> bool {
    line.rsplit_once('#')
        .and_then(|(_, comment)| comment.trim_start().strip_prefix("doctest:"))
        .is_some_and(|options| options.split([',', ' ']).any(|option| option == "+SKIP"))
}

/// The names that an import on one line binds.
fn bound(statement: &str) -> Vec<&str> {
    let statement = statement.split('#').next().unwrap_or_default().trim();
    let names = match statement.strip_prefix("import ") {
        Some(names) => names,
        None if statement.starts_with("from ") => statement.split_once(" import ").map_or("", |(_, names)| names),
        None => "",
    };
    names.trim_matches(['(', ')']).split(',').map(|name| alias(name.trim())).filter(|name| !name.is_empty()).collect()
}

/// The name that `a.b` or `a as b` binds.
fn alias(name: &str) -> &str {
    match name.split_once(" as ") {
        Some((_, alias)) => alias.trim(),
        None => name.split('.').next().unwrap_or(name),
    }
}
