//! The reports: JSON against its schema, the diff against `git apply`, the text by its bounds.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use cyclefix::outcome::*;
use cyclefix::project::Skipped;
use cyclefix::project::settings::Level;
use cyclefix::report::text::View;
use cyclefix::report::{diff, json, outcome, text};
use serde_json::{Value, json};

fn import(from: &str, to: &str, text: &str) -> ImportEntry {
    ImportEntry {
        from: from.into(),
        to: to.into(),
        kind: Kind::Eager,
        implicit: false,
        binding: Some(Binding::Early),
        file: format!("{from}.py"),
        line: 2,
        column: 1,
        names: vec!["f".into()],
        span: text.find("from").unwrap()..text.len() - 1,
    }
}

/// A component of `size` modules with a loop through the first `length` of them.
fn cycle(size: usize, length: usize, status: Status) -> CycleEntry {
    let modules: Vec<String> = (0..size).map(|n| format!("m{n}")).collect();
    let text = source(0);
    let shortest_loop: Vec<_> = (0..length).map(|n| import(&modules[n], &modules[(n + 1) % length], &text)).collect();
    let fix = |n: usize| FixEntry {
        strategy: "defer-import".into(),
        form: (n > 0).then(|| "function".into()),
        safety: if n % 7 == 6 { Safety::Unsafe } else { Safety::Safe },
        title: format!("defer `from m1 import f` into `m0.g{n}`"),
        removes: vec![shortest_loop[0].clone()],
        files: vec!["m0.py".into()],
        applied: n % 7 != 6,
    };
    let refusal = |n: usize| RefusalEntry {
        strategy: "defer-import".into(),
        reason: ["used-at-import", "star-import", "side-effects"][n % 3].into(),
        message: format!("`f` is called while `m{n}` is imported"),
        file: format!("m{n}.py"),
        line: n + 1,
        import: (format!("m{n}"), "f".into()),
    };
    CycleEntry {
        id: format!("c{size}"),
        level: Level::Eager,
        imports: shortest_loop.clone(),
        after: vec![],
        crashes: vec![
            crash("m0", Certainty::Fails, 2),
            crash("m1", Certainty::Fails, 2),
            crash("m2", Certainty::May, size),
        ],
        status,
        fixes: (0..size / 2).map(fix).collect(),
        plan: (size > 2).then_some(PlanEntry { exact: size < 9, cost: 90, bound: 90 - size as u64 / 9 }),
        pairs_removed: 1,
        pairs_hidden: size / 2,
        baseline: None,
        joined: vec![],
        united: vec![],
        refusals: (0..size).map(refusal).collect(),
        shortest_loop,
        modules,
    }
}

fn crash(entry: &str, certainty: Certainty, length: usize) -> CrashEntry {
    let frame = |n: usize| FrameEntry {
        module: format!("m{n}"),
        function: (n % 3 == 2).then(|| format!("f{n}")),
        file: format!("m{n}.py"),
        line: n + 1,
        statement: format!("from m{} import f", n + 1),
    };
    CrashEntry {
        entry: entry.into(),
        certainty,
        error: "ImportError: x".into(),
        file: "m1.py".into(),
        line: 2,
        chain: (0..length).map(frame).collect(),
    }
}

fn source(n: usize) -> String {
    format!("import os\nfrom m{n} import f\n")
}

fn project(cycles: Vec<CycleEntry>, changes: Vec<FileChange>) -> ProjectOutcome {
    let left: Vec<_> = cycles.iter().filter(|c| c.status == Status::Refused).collect();
    ProjectOutcome {
        members: Vec::new(),
        root: ".".into(),
        source_roots: vec![String::new()],
        modules: 123,
        imports: 456,
        skipped: vec![
            Skipped { file: "x.py".into(), line: None, reason: "not UTF-8".into() },
            Skipped { file: "y.py".into(), line: Some(3), reason: "syntax error".into() },
        ],
        modules_in_cycles_after: left.iter().map(|c| c.modules.len()).sum(),
        cycles_after: left.len(),
        left: left.iter().map(|c| c.modules.clone()).collect(),
        prefix: String::new(),
        excerpts: (0..300).map(|n| (format!("m{n}.py"), Arc::from(source(0)))).collect(),
        cycles,
        hoist: None,
        verification: None,
        changes,
    }
}

fn change(path: &str, before: Option<&str>, after: Option<&str>) -> FileChange {
    FileChange { path: path.into(), before: before.map(Arc::from), after: after.map(Arc::from) }
}

fn sample() -> Outcome {
    let changes = vec![change("m0.py", Some("a\nb\n"), Some("a\nc\nd\n")), change("n.py", None, Some("x\n"))];
    let cycles = vec![cycle(2, 2, Status::Planned), cycle(277, 12, Status::Refused), cycle(3, 3, Status::Found)];
    outcome(Level::Eager, vec![project(cycles, changes)], 0.25)
}

#[test]
fn a_crash_is_shown_as_a_traceback() {
    let text = plain(&sample(), View::Full);
    let head = "\
  crash: m0, m1 cannot be imported first
    >>> import m0
    Traceback (most recent call last):
      File \"m0.py\", line 1, in <module>
        from m1 import f
      File \"m1.py\", line 2, in <module>
        from m2 import f
    ImportError: x
  may crash: m2, if imported first
";
    assert!(text.contains(head), "{text}");
    assert!(text.contains("      [267 more statements]\n"), "{text}");
    let (loop_line, crash) = (text.find("m0 -> m1 -> m0").unwrap(), text.find("crash: m0").unwrap());
    assert_eq!(text[loop_line..crash].lines().count(), 2, "{text}");
}

fn plain(outcome: &Outcome, view: View) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    text::write(&mut out, outcome, view).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

#[test]
fn json_fits_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut bytes = Vec::new();
    json::write(&mut bytes, &sample()).unwrap();
    assert!(bytes.ends_with(b"}\n"));
    let good: Value = serde_json::from_slice(&bytes).unwrap();
    let errors: Vec<String> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(good["summary"]["left"], 1);
    assert_eq!(good["summary"]["lines_added"], 3);

    let bad: [(&str, Value); 8] = [
        ("/version", json!(2)),
        ("/level", json!("eagre")),
        ("/summary/cycles", json!(-1)),
        ("/projects/0/cycles/0/status", json!("done")),
        ("/projects/0/cycles/0/loop/0/line", json!(0)),
        ("/projects/0/cycles/0/modules", json!(["a"])),
        ("/projects/0/cycles/0/refusals/0/reason", json!("Not An Id")),
        ("/projects/0/skipped/0", json!({"file": "x", "reason": "y", "why": "unknown key"})),
    ];
    for (at, value) in bad {
        let mut report = good.clone();
        *report.pointer_mut(at).unwrap() = value;
        assert!(!validator.is_valid(&report), "{at}");
    }
    let mut report = good.clone();
    report.as_object_mut().unwrap().remove("summary");
    assert!(!validator.is_valid(&report));
}

#[test]
fn text_is_bounded_and_complete() {
    let report = plain(&sample(), View::Full);
    assert!(report.lines().count() < 200, "{report}");
    for part in [
        "cycle 1 of 3: 2 modules (eager) [c2]",
        "  m0 -> m1 -> m0\n",
        "m0.py:2:1",
        "from m0 import f",
        "`m0` needs `f` of `m1`",
        "cycle 2 of 3: 277 modules",
        "m0 -> m1 -> m2 -> m3 -> m4 -> m5 -> (6 more) -> m0",
        "and 265 more",
        "can be dissolved by 1 fix:",
        "only with --unsafe-fixes",
        "used-at-import, 93 times:",
        "m0.py:1: `f` is called while `m0` is imported",
        "3 cycles, 282 modules; 1 can be dissolved (2 files, +3 -1), 1 is left",
    ] {
        assert!(report.contains(part), "{part}\n{report}");
    }
    assert!(plain(&sample(), View::Planned).lines().count() < 70);
    assert!(plain(&sample(), View::Done).lines().count() < 70);
}

#[test]
fn text_without_cycles_is_one_line() {
    let none = outcome(Level::Eager, vec![project(vec![], vec![])], 0.0);
    assert_eq!(plain(&none, View::Full), "no import cycles in 123 modules\n");
}

#[test]
fn text_survives_odd_places() {
    let mut odd = cycle(2, 2, Status::Found);
    odd.shortest_loop[0].span = 5..9999;
    odd.shortest_loop[1].file = "gone\u{1b}[31m.py".into();
    let mut project = project(vec![odd, CycleEntry { shortest_loop: vec![], ..cycle(2, 2, Status::Found) }], vec![]);
    project.excerpts.insert("m0.py".into(), Arc::from("é"));
    let report = plain(&outcome(Level::Eager, vec![project], 0.0), View::Full);
    assert!(report.contains("m0.py:2:1"), "{report}");
}

#[test]
fn git_applies_the_diff() {
    let numbered: String = (1..40).map(|n| format!("line {n}\n")).collect();
    let changes = vec![
        change("bom.py", Some("\u{feff}import a\n"), Some("\u{feff}import b\n")),
        change("crlf.py", Some("a\r\nb\r\nc\r\n"), Some("a\r\nB\r\nc\r\n")),
        change("cr alone.py", Some("a\rb\nc\n"), Some("a\rb\nd\n")),
        change("emptied.py", Some("a\n"), Some("")),
        change("filled.py", Some(""), Some("a\n")),
        change("gone.py", Some("a\nb\n"), None),
        change("gone_empty.py", Some(""), None),
        change("long.py", Some(&numbered), Some(&numbered.replace("line 7\n", "").replace("line 30", "LINE"))),
        change("mixed.py", Some("a\r\nb\n"), Some("a\r\nb\nc")),
        change("new.py", None, Some("x\ny")),
        change("new_empty.py", None, Some("")),
        change("no_end.py", Some("a\nb"), Some("b\nb")),
        change("no_end_added.py", Some("a"), Some("a\n")),
        change("pkg/quo\"te\\\t.py", Some("a\n"), Some("b\n")),
        change("pkg/ünï.py", Some("é\n"), Some("ü\n")),
        change("same.py", Some("a\n"), Some("a\n")),
    ];
    for prefix in ["", "sub/my dir"] {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join(prefix);
        git(top.path(), &["init", "-q"], b"");
        for change in &changes {
            let file = root.join(&change.path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            if let Some(text) = &change.before {
                std::fs::write(file, text.as_bytes()).unwrap();
            }
        }
        let mut patch = Vec::new();
        diff::write(&mut patch, prefix, &changes).unwrap();
        assert!(!String::from_utf8_lossy(&patch).contains("same.py"));
        // From a folder below the top, git takes the same paths.
        git(&root, &["apply", "--whitespace=nowarn", "-"], &patch);
        for change in &changes {
            let now = std::fs::read_to_string(root.join(&change.path)).ok();
            assert_eq!(now.as_deref(), change.after.as_deref(), "{}", change.path);
        }
    }
}

fn git(dir: &Path, args: &[&str], input: &[u8]) {
    let mut child = Command::new("git").args(args).current_dir(dir).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    assert!(child.wait().unwrap().success(), "{}", String::from_utf8_lossy(input));
}
