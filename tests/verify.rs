//! `--verify` by the built binary: what Python says counts, what fails is traced and left out, and nothing stays behind.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stderr)]

#[allow(dead_code)]
mod harness {
    pub mod case;
}

use std::path::PathBuf;
use std::process::{Command, Output};

use harness::case::{Case, Tree, read, write};
use serde_json::Value;

/// An interpreter; where there is none, the tests say that they prove nothing.
fn python() -> Option<PathBuf> {
    let script = "import sys; assert sys.version_info >= (3, 6); print(sys.executable)";
    let found = Command::new("python3").args(["-c", script]).output().ok().filter(|output| output.status.success());
    if found.is_none() {
        eprintln!("NO PYTHON IS FOUND: --verify is not tested");
    }
    Some(PathBuf::from(String::from_utf8(found?.stdout).unwrap().trim()))
}

/// A project in a folder, and a folder for temporary files, in which nothing may stay.
struct Bench {
    project: tempfile::TempDir,
    scratch: tempfile::TempDir,
    python: PathBuf,
}

impl Bench {
    fn new(text: &str) -> Option<Self> {
        let python = python()?;
        let (project, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(project.path(), &Case::parse("bench", text).files);
        Some(Self { project, scratch, python })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cyclefix"));
        command.current_dir(self.project.path()).env("TMPDIR", self.scratch.path()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.args(args).arg("--python").arg(&self.python).args(["--jobs", "2"]);
        if !args.contains(&"--format") {
            command.args(["--format", "json"]);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        assert_eq!(read(self.scratch.path()), Tree::new(), "the scratch copies are gone");
        output
    }

    /// Runs and gives exit code and report.
    fn report(&self, args: &[&str]) -> (i32, Value) {
        let output = self.run(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{text}"));
        (output.status.code().unwrap(), report)
    }

    fn tree(&self) -> Tree {
        read(self.project.path())
    }

    fn write(&self, files: &Tree) {
        write(self.project.path(), files);
    }

    fn git(&self, args: &[&str]) {
        let output = Command::new("git").current_dir(self.project.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}");
    }

    fn commit(&self) {
        self.git(&["init", "-q"]);
        self.git(&["add", "."]);
        self.git(&["-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", "c", "--no-verify"]);
    }
}

fn refusals(report: &Value) -> Vec<(&str, &str)> {
    let cycles = report["projects"][0]["cycles"].as_array().unwrap().iter();
    let all = cycles.flat_map(|c| c["refusals"].as_array().unwrap());
    all.map(|r| (r["reason"].as_str().unwrap(), r["message"].as_str().unwrap())).collect()
}

/// Asserts that the run was refused, and gives what it said.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr.clone()).unwrap()
}

const SHOP: &str = "\
#- shop.py
from stock import count


def price():
    return count()
#- stock.py
def count():
    return 1


import shop

NAME = shop.__name__
";

const DEFER: [&str; 5] = ["--apply", "--allow-dirty", "--strategy", "defer-import", "--verify"];

#[test]
fn what_stands_is_written() {
    let Some(bench) = Bench::new(SHOP) else { return };
    let (exit, report) = bench.report(&DEFER);
    assert_eq!(exit, 0);
    let ran = &report["projects"][0]["verification"];
    assert_eq!(
        (&ran["modules"], &ran["unproved"], &ran["refused"]),
        (&2.into(), &Value::Array(vec![]), &Value::Array(vec![]))
    );
    assert!(bench.tree()["shop.py"].windows(9).any(|w| w == b"    from "), "{:?}", bench.tree());
}

#[test]
fn every_sabotage_is_caught_and_the_tree_stays_as_it_was() {
    let faults = [
        ("raise LookupError('sabotage')", "LookupError: sabotage (shop.py:"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("def broken(:", "SyntaxError"),
        ("del price", "no longer has `price`"),
        ("import sys; sys.exit('sabotage')", "SystemExit: sabotage"),
        ("import os; os._exit(7)", "the interpreter ends with exit status: 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "SIGTERM"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ];
    let Some(bench) = Bench::new(SHOP) else { return };
    bench.commit();
    let before = bench.tree();
    for (code, message) in faults {
        let sabotage = format!("shop.py={code}");
        let (exit, report) = bench.report(&[&DEFER[..], &["--sabotage", &sabotage]].concat());
        assert_eq!(exit, 1, "{code}");
        assert!(bench.tree() == before, "{code}: the tree, .git included, is as it was");
        let all = refusals(&report);
        assert!(
            all.iter().any(|(reason, m)| *reason == "failed-verification" && m.contains(message)),
            "{code}: {all:?}"
        );
        let left_out = &report["projects"][0]["verification"]["refused"];
        assert!(left_out[0]["message"].as_str().unwrap().contains(message), "{left_out}");
        assert_eq!(left_out[0]["form"], "function");
    }
}

/// The import may take ten times as long as before, but not less than ten seconds: here five times, all in all.
#[test]
fn an_import_that_hangs_is_given_up_soon() {
    let Some(bench) = Bench::new(SHOP) else { return };
    let start = std::time::Instant::now();
    let hang = ["--sabotage", "shop.py=import time; time.sleep(1000)"];
    let (_, report) = bench.report(&[&DRY[..], &hang].concat());
    let left_out = &report["projects"][0]["verification"]["refused"];
    assert!(left_out[0]["message"].as_str().unwrap().contains("it takes more than 10 s"), "{left_out}");
    assert!(start.elapsed().as_secs() < 100, "{:?}", start.elapsed());
}

/// A cycle that crashes from each side: what it said before is no excuse for what is wrong now.
#[test]
fn sabotage_of_what_crashed_before_is_caught() {
    let text = "#- shop.py\nfrom stock import count\n\n\ndef price():\n    return count()\n#- stock.py\nfrom shop import price\n\n\
                PRICE = price\n\n\ndef count():\n    return 1\n";
    let Some(bench) = Bench::new(text) else { return };
    let before = bench.tree();
    for code in ["raise LookupError('sabotage')", "from stock import nothing_of_that_name", "import stock.gone"] {
        for file in ["shop.py", "stock.py"] {
            let sabotage = format!("{file}={code}");
            let (_, report) = bench.report(&[&DEFER[..], &["--sabotage", &sabotage]].concat());
            let changed: Vec<String> =
                bench.tree().into_iter().filter(|(p, b)| before[p] != *b).map(|(p, _)| p).collect();
            assert!(!changed.contains(&file.to_owned()), "{sabotage}: {report}");
            bench.write(&before);
        }
    }
}

#[test]
fn the_fix_that_fails_is_found_among_others() {
    let pairs: String =
        (0..5).map(|n| SHOP.replace("shop", &format!("shop{n}")).replace("stock", &format!("stock{n}"))).collect();
    let Some(bench) = Bench::new(&pairs) else { return };
    let before = bench.tree();
    let (exit, report) =
        bench.report(&[&DEFER[..], &["--sabotage", "shop3.py=raise LookupError('sabotage')"]].concat());
    assert_eq!(exit, 1);
    let after = bench.tree();
    let changed: Vec<&String> = before.keys().filter(|path| before[*path] != after[*path]).collect();
    assert_eq!(changed, ["shop0.py", "shop1.py", "shop2.py", "shop4.py"]);
    let failed: Vec<_> = refusals(&report).into_iter().filter(|(reason, _)| *reason == "failed-verification").collect();
    assert!(failed.len() == 1 && failed[0].1.contains("`count` in `shop3`"), "{failed:?}");
}

#[test]
fn the_next_choice_is_tried() {
    let text = "\
#- shop.py
import stock


class SoldOut(Exception):
    pass


def order():
    return stock.take()
#- stock.py
from shop import SoldOut


def take():
    raise SoldOut
";
    let Some(bench) = Bench::new(text) else { return };
    let args = ["--apply", "--allow-dirty", "--strategy", "extract-utility-module,defer-import", "--verify"];
    let (exit, report) = bench.report(&[&args[..], &["--sabotage", "shop_shared.py=raise LookupError"]].concat());
    assert_eq!(exit, 0, "{report}");
    assert_eq!(bench.tree().into_keys().collect::<Vec<_>>(), ["shop.py", "stock.py"]);
    let applied = &report["projects"][0]["cycles"][0]["fixes"][0];
    assert_eq!((&applied["strategy"], &applied["applied"]), (&"defer-import".into(), &true.into()), "{report}");
    assert_eq!(report["projects"][0]["verification"]["refused"][0]["strategy"], "extract-utility-module");
}

#[test]
fn a_command_decides_by_its_exit_code() {
    let Some(bench) = Bench::new(SHOP) else { return };
    let before = bench.tree();
    let has_count = format!("'{}' -c \"import shop; shop.count\"", bench.python.display());
    let (exit, report) = bench.report(&[&DEFER[..], &[&has_count]].concat());
    assert_eq!((exit, bench.tree() == before), (1, true));
    let all = refusals(&report);
    assert!(all.iter().any(|(_, m)| m.contains("has no attribute 'count'")), "{all:?}");

    let stderr = refused(&bench.run(&[&DEFER[..], &["exit 3"]].concat()));
    assert!(stderr.contains("before anything is changed and after: exit code 3\nhint: "), "{stderr}");
    assert!(bench.tree() == before);

    let fine = format!("'{}' -c \"import shop; assert shop.price() == 1\"", bench.python.display());
    let (exit, report) = bench.report(&[&DEFER[..], &[&fine]].concat());
    assert_eq!((exit, &report["projects"][0]["verification"]["command"]["by_test"]), (0, &false.into()));
}

const TESTS: &str = "\
#- test_shop.py
import subprocess
import sys
import unittest

import shop


class Shop(unittest.TestCase):
    def test_price(self):
        self.assertEqual(shop.price(), 1)

    def test_that_fails(self):
        self.fail('as ever')

    def test_names(self):
        code = 'import shop as s; s.' + NAME
        self.assertEqual(subprocess.call([sys.executable, '-c', code]), 0)
";

#[test]
fn unittest_is_compared_test_by_test() {
    let tests = TESTS.replace("NAME", "'price'");
    let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
    let command = format!("'{}' -m unittest", bench.python.display());
    let (exit, report) = bench.report(&[&DEFER[..], &[&command]].concat());
    assert_eq!(exit, 0, "what failed before may fail: {report}");
    let ran = &report["projects"][0]["verification"]["command"];
    assert_eq!((&ran["by_test"], &ran["tests"], &ran["failed_before"]), (&true.into(), &3.into(), &1.into()));

    let tests = TESTS.replace("NAME", "'co' + 'unt'");
    let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
    let (exit, report) = bench.report(&[&DEFER[..], &[&command]].concat());
    assert_eq!(exit, 1);
    let all = refusals(&report);
    assert!(all.iter().any(|(_, m)| m.contains("test_names") && m.contains("AssertionError")), "{all:?}");
}

fn has_pytest(bench: &Bench) -> bool {
    let has = Command::new(&bench.python).args(["-m", "pytest", "--version"]).output().unwrap().status.success();
    if !has {
        eprintln!("{} HAS NO PYTEST: it is not tested with --verify", bench.python.display());
    }
    has
}

#[test]
fn subtests_and_fixtures_of_classes_are_no_tests() {
    let tests = "\
#- test_shop.py
import unittest

import shop


class Shop(unittest.TestCase):
    def test_price(self):
        self.assertEqual(shop.price(), 1)

    def test_parts(self):
        for part in range(3):
            with self.subTest(part=part, of=object()):
                self.fail('as ever')


class Never(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise ValueError('as ever')

    def test(self):
        pass
";
    let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
    assert_proved(&bench, &[&DRY[..], &[&format!("'{}' -m unittest", bench.python.display())]].concat());
}

#[test]
fn what_stands_for_a_module_may_answer_with_any_error() {
    let does = [
        "import sys\n\n\nclass Odd:\n    __name__ = 'shop'\n\n    def __getattr__(self, name):\n        raise KeyError(name)\n\n\n\
         sys.modules[__name__] = Odd()",
        "import builtins\nimport os\n\nbuiltins.open = os._exit = None",
        "import os\n\nos.umask(0o777)\nos.chdir('/')\nos.closerange(0, 100)",
    ];
    for does in does {
        let Some(bench) = Bench::new(&shop_that(does)) else { return };
        assert_proved(&bench, &DRY);
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_not_read() {
    let Some(bench) = Bench::new(&format!("{SHOP}#- secret\nx\n")) else { return };
    let secret = bench.project.path().join("secret");
    assert!(Command::new("chmod").arg("0").arg(&secret).status().unwrap().success());
    if std::fs::read(&secret).is_ok() {
        return eprintln!("THIS USER MAY READ EVERYTHING: files that may not be read are not tested with --verify");
    }
    assert_proved(&bench, &[&DRY[..], &["test -e secret && ! cat secret"]].concat());
}

#[test]
fn pytest_is_compared_test_by_test() {
    let tests = TESTS.replace("NAME", "'co' + 'unt'");
    let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
    if !has_pytest(&bench) {
        return;
    }
    // The first test that fails does not keep the others from being compared.
    for options in ["-q", "-q -x", "-q --maxfail=1"] {
        let command = format!("'{}' -m pytest {options} -p no:cacheprovider", bench.python.display());
        let (exit, report) = bench.report(&[&DEFER[..], &[&command]].concat());
        assert_eq!(exit, 1);
        let ran = &report["projects"][0]["verification"]["command"];
        assert_eq!(
            (&ran["by_test"], &ran["tests"], &ran["failed_before"]),
            (&true.into(), &3.into(), &1.into()),
            "{report}"
        );
        let all = refusals(&report);
        assert!(
            all.iter().any(|(_, m)| m.contains("test_shop.py::Shop::test_names") && m.contains("AssertionError")),
            "{all:?}"
        );
    }
}

/// Before the rewrite, `GONE` is 0, and after it 1.
const GONE: &str = "\
import subprocess
import sys
import unittest

GONE = subprocess.call([sys.executable, '-c', 'import shop as s; s.' + 'co' + 'unt'], stderr=subprocess.DEVNULL)
";

/// Asserts that the fix is left out, for this reason.
fn assert_left_out(bench: &Bench, command: &str, why: &str) {
    let before = bench.tree();
    let (exit, report) = bench.report(&[&DEFER[..], &[command]].concat());
    let ran = &report["projects"][0]["verification"];
    assert_eq!((exit, &ran["unsteady"]), (1, &Value::Array(vec![])), "{why}: {ran}");
    assert!(ran["refused"][0]["message"].as_str().is_some_and(|m| m.contains(why)), "{why}: {ran}");
    assert!(bench.tree() == before, "{why}");
}

#[test]
fn pytest_counts_failures_of_tests_that_did_not_pass_before() {
    let cases = [
        (
            "@pytest.mark.xfail(strict=True)\ndef test_strict():\n    assert GONE",
            "test_shop.py::test_strict` fails: [XPASS(strict)]",
        ),
        (
            "def test_skipped():\n    if not GONE:\n        pytest.skip()\n    raise KeyError('later')",
            "test_shop.py::test_skipped` fails: KeyError: 'later'",
        ),
        (
            "if GONE:\n    def test_new():\n        assert 0, 'new'",
            "test_shop.py::test_new` fails: AssertionError: new",
        ),
    ];
    for (test, why) in cases {
        // That something fails as ever, and the exit code with it, is no excuse.
        for known in ["", "def test_known():\n    assert False\n"] {
            let tests =
                format!("#- test_shop.py\nimport pytest\n{GONE}\n{known}\ndef test_fine():\n    pass\n\n{test}\n");
            let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
            if !has_pytest(&bench) {
                return;
            }
            assert_left_out(&bench, &format!("'{}' -m pytest -q -p no:cacheprovider", bench.python.display()), why);
        }
    }
}

#[test]
fn unittest_counts_failures_of_tests_that_did_not_pass_before() {
    let cases = [
        ("    @unittest.expectedFailure\n    def test_strict(self):\n        assert GONE", ""),
        (
            "    def test_skipped(self):\n        if not GONE:\n            self.skipTest('')\n        raise KeyError('later')",
            "KeyError: 'later'",
        ),
        ("    if GONE:\n        def test_new(self):\n            assert 0, 'new'", "AssertionError: new"),
    ];
    for (test, why) in cases {
        for known in ["", "    def test_known(self):\n        assert False\n"] {
            let tests = format!(
                "#- test_shop.py\n{GONE}\nclass Shop(unittest.TestCase):\n{known}\n    def test_fine(self):\n        pass\n\n{test}\n"
            );
            let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
            // Before Python 3.11, an exit code alone tells of unexpected successes.
            let names = "import sys; sys.exit(sys.version_info < (3, 11))";
            let names = Command::new(&bench.python).args(["-c", names]).status().unwrap().success();
            if names || !why.is_empty() || known.is_empty() {
                assert_left_out(&bench, &format!("'{}' -m unittest", bench.python.display()), why);
            }
        }
    }
}

#[test]
fn a_crash_while_tests_are_collected_is_said() {
    let crashes = [
        ("if GONE:\n    raise KeyError('collected')\n", "KeyError: 'collected'"),
        (
            "import os\nif GONE:\n    print('last words', flush=True)\n    os._exit(3)\n",
            "it is no longer run: exit code 3",
        ),
        ("if GONE:\n    pytest.exit('given up')\n", "given up"),
    ];
    for (crash, why) in crashes {
        let tests = format!("#- test_shop.py\nimport pytest\n{GONE}\n{crash}\n\ndef test_fine():\n    pass\n");
        let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
        if !has_pytest(&bench) {
            return;
        }
        assert_left_out(&bench, &format!("'{}' -m pytest -q -p no:cacheprovider", bench.python.display()), why);
    }
}

#[test]
fn where_no_fix_stands_nothing_is_called_verified() {
    let Some(bench) = Bench::new(SHOP) else { return };
    let page = bench.scratch.path().with_extension("html").display().to_string();
    let sabotage = "shop.py=raise LookupError('\u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}5mend')";
    let mut command =
        bench.command(&[&DEFER[..], &["--sabotage", sabotage, "--format", "text", "--html", &page]].concat());
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(said.contains("nothing is verified: no fix stands") && said.contains("left out: "), "{said}");
    assert!(!said.contains("verified by") && said.contains("LookupError: red"), "{said}");
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    let html = std::fs::read_to_string(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    assert!(html.contains("Nothing is verified: no fix stands") && !html.contains("imported 0 modules"));
}

/// The exit code of the command is more than that of its tests.
#[test]
fn a_command_that_no_longer_succeeds_needs_no_test_to_blame() {
    let known = "def test_known():\n    assert False\n\n\ndef test_fine():\n    pass\n";
    for known in ["def test_fine():\n    pass\n", known] {
        let Some(bench) = Bench::new(&format!("{SHOP}#- test_shop.py\n{known}#- gone.py\n{GONE}\nsys.exit(GONE)\n"))
        else {
            return;
        };
        if !has_pytest(&bench) {
            return;
        }
        let python = bench.python.display();
        let command = format!("'{python}' -m pytest -q -p no:cacheprovider; '{python}' gone.py");
        assert_left_out(&bench, &command, "the command fails: exit code 1");
    }
}

/// What failed before may fail, by whatever name: a file that could not be collected, and random numbers in ids.
#[test]
fn what_failed_before_by_another_name_is_no_new_failure() {
    let files = [
        ("if not GONE:\n    raise ImportError\n\n\ndef test_hidden():\n    assert False\n", 0),
        ("import random\n\n\n@pytest.mark.parametrize('n', [random.random()])\ndef test_n(n):\n    assert n < 0\n", 1),
    ];
    for (file, aside) in files {
        let tests =
            format!("#- test_fine.py\ndef test_fine():\n    pass\n#- test_other.py\nimport pytest\n{GONE}\n{file}");
        let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
        if !has_pytest(&bench) {
            return;
        }
        let command =
            format!("'{}' -m pytest -q -p no:cacheprovider --continue-on-collection-errors", bench.python.display());
        let (_, report) = bench.report(&[&DRY[..], &[&command]].concat());
        let ran = &report["projects"][0]["verification"];
        assert_eq!((&ran["refused"], &report["summary"]["fixed"]), (&Value::Array(vec![]), &1.into()), "{ran}");
        assert_eq!(ran["unsteady"].as_array().unwrap().len(), aside, "{ran}");
    }
}

#[test]
fn what_a_test_runs_by_pytest_is_its_own_business() {
    let tests = "\
#- inner.py
def test_one():
    assert False


def test_two():
    assert False
#- test_shop.py
import subprocess
import sys


def test_inner():
    ran = subprocess.run([sys.executable, '-m', 'pytest', '-x', 'inner.py'], stdout=subprocess.PIPE)
    assert b'1 failed' in ran.stdout
";
    let Some(bench) = Bench::new(&format!("{SHOP}{tests}")) else { return };
    if !has_pytest(&bench) {
        return;
    }
    for (options, by_test) in [("", true), ("-E ", false), ("-I ", false)] {
        let command = format!("'{}' {options}-m pytest -q -p no:cacheprovider", bench.python.display());
        let (exit, report) = bench.report(&[&DRY[..], &[&command]].concat());
        let ran = &report["projects"][0]["verification"]["command"];
        // A Python that takes no plugin from the environment has an exit code.
        let tests = usize::from(by_test);
        assert_eq!((exit, &ran["by_test"], &ran["tests"]), (1, &by_test.into(), &tests.into()), "{report}");
        assert_eq!((&ran["failed_before"], &report["summary"]["fixed"]), (&0.into(), &1.into()), "{report}");
    }
}

/// Tests that pass or fail as `outcomes` says, run by run: the runs are counted in a file beside the copies.
const CHANCE: &str = "\
#- test_shop.py
import os
import unittest

import shop


class Shop(unittest.TestCase):
    def test_price(self):
        self.assertEqual(shop.price(), 1)

    def chance(self, outcomes):
        counter = os.environ['CHANCE'] + outcomes
        with open(counter, 'a+') as runs:
            runs.seek(0)
            run = len(runs.read())
            runs.write('.')
        self.assertEqual(outcomes[run % len(outcomes)], 'P')

";

#[test]
fn what_fails_by_chance_is_blamed_on_nothing() {
    // Before, after, before, after and so on.
    for (outcomes, aside) in
        [(&["PFPFPFFP"][..], 1), (&["PFPFPFPPP"], 1), (&["PFPFF", "PFPPF", "PPPFP"], 3), (&["FPFP"], 0), (&["PPF"], 0)]
    {
        let tests: String = (0..)
            .zip(outcomes)
            .map(|(n, o)| format!("    def test_chance{n}(self):\n        self.chance('{o}')\n\n"))
            .collect();
        let Some(bench) = Bench::new(&format!("{SHOP}{CHANCE}{tests}")) else { return };
        let counters = tempfile::tempdir().unwrap();
        let command = format!("'{}' -m unittest", bench.python.display());
        let mut run = bench.command(&[&DRY[..], &[&command]].concat());
        let output = run.env("CHANCE", counters.path().join("runs-")).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ran = &report["projects"][0]["verification"];
        assert_eq!((&ran["refused"], &report["summary"]["fixed"]), (&Value::Array(vec![]), &1.into()), "{ran}");
        assert_eq!(ran["unsteady"].as_array().unwrap().len(), aside, "{outcomes:?} {ran}");
        let told = String::from_utf8_lossy(&output.stderr).matches("but not each time").count();
        assert_eq!(told, aside, "{outcomes:?}");
    }
}

#[test]
fn what_git_ignores_in_a_package_is_there_and_git_answers() {
    let text = "#- pkg/__init__.py\nfrom pkg import _version\n#- pkg/shop.py\nfrom pkg.stock import count\n\n\ndef price():\n    \
                return count()\n#- pkg/stock.py\ndef count():\n    return 1\n\n\nimport pkg.shop\n\nNAME = pkg.shop.__name__\n\
                #- .gitignore\n_version.py\nbig/\n";
    let Some(bench) = Bench::new(text) else { return };
    bench.commit();
    std::fs::write(bench.project.path().join("pkg/_version.py"), "VERSION = 1\n").unwrap();
    std::fs::create_dir(bench.project.path().join("big")).unwrap();
    std::fs::write(bench.project.path().join("big/data"), "x").unwrap();
    let before = bench.tree();
    let command = "git log --oneline -1 && test -z \"$(git status --porcelain pkg/stock.py)\" && test ! -e big";
    let (exit, report) = bench.report(&["--dry-run", "--strategy", "defer-import", "--verify", command]);
    assert_eq!((exit, bench.tree() == before), (1, true), "{report}");
    let ran = &report["projects"][0]["verification"];
    assert_eq!((&ran["modules"], &ran["unproved"]), (&2.into(), &Value::Array(vec![])), "{report}");
    assert_eq!(report["summary"]["fixed"], 1);
}

#[test]
fn git_answers_in_a_shallow_clone_as_the_clone_is_set_up() {
    let Some(bench) = Bench::new(SHOP) else { return };
    bench.commit();
    for _ in 0..2 {
        bench.git(&["-c", "user.name=n", "-c", "user.email=e@e", "commit", "-qm", "c", "--allow-empty", "--no-verify"]);
    }
    let lender = format!("file://{}", bench.project.path().display());
    let clone = Bench { project: tempfile::tempdir().unwrap(), ..Bench::new(SHOP).unwrap() };
    std::fs::remove_dir_all(clone.project.path()).unwrap();
    std::fs::create_dir(clone.project.path()).unwrap();
    clone.git(&["clone", "-q", "-c", "core.autocrlf=true", "--depth", "2", &lender, "."]);
    clone.git(&["tag", "v1", "HEAD~1"]);
    let command = "git log -2 && git describe --tags && test $(git rev-list HEAD | wc -l) = 2 && \
                   git remote get-url origin && test -z \"$(git status --porcelain stock.py)\" && git ls-files --eol | grep w/crlf";
    let (exit, report) = clone.report(&[&DRY[..], &[command]].concat());
    assert_eq!((exit, &report["summary"]["fixed"]), (1, &1.into()), "{report}");
}

#[cfg(unix)]
#[test]
fn a_link_within_the_project_leads_into_the_copy() {
    let Some(bench) = Bench::new(SHOP) else { return };
    let data = bench.project.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("f"), "as it was\n").unwrap();
    std::os::unix::fs::symlink(&data, bench.project.path().join("link")).unwrap();
    let changes = "test -f link/f && echo changed > link/f";
    let (_, report) = bench.report(&["--dry-run", "--strategy", "defer-import", "--verify", changes]);
    assert_eq!(refusals(&report), vec![]);
    assert_eq!(std::fs::read_to_string(data.join("f")).unwrap(), "as it was\n");
}

/// Even if it is not rewritten: another text was proved.
#[test]
fn a_file_that_changes_meanwhile_stops_the_run() {
    for (does, file) in [
        ("echo 'N = 2' > AT/other.py", "other.py"),
        ("echo > AT/new.py", "new.py"),
        ("mkdir AT/once || rm -f AT/other.py", "other.py"),
    ] {
        let Some(bench) = Bench::new(&format!("{SHOP}#- other.py\nN = 1\n#- data\n1\n")) else { return };
        let before = bench.tree();
        let at = bench.project.path().display().to_string();
        let stderr = refused(&bench.run(&[&DEFER[..], &[&does.replace("AT", &at)]].concat()));
        assert!(stderr.contains(&format!("{file}` was changed while cyclefix was running\nhint: no file")), "{stderr}");
        assert!(bench.tree()["shop.py"] == before["shop.py"], "nothing is written");
        // What is no Python is none of its business.
        let fine = format!("touch '{at}/data'");
        assert_eq!(bench.report(&[&DEFER[..], &[&fine]].concat()).0, 0);
    }
}

#[test]
fn what_proves_nothing_is_no_proof() {
    let text = SHOP
        .replace("from stock", "import nothing_of_that_name\nfrom stock")
        .replace("import shop", "import nothing_of_that_name, shop");
    let Some(bench) = Bench::new(&text) else { return };
    let before = bench.tree();
    let stderr = refused(&bench.run(&DEFER));
    assert!(stderr.contains("none of the modules") && stderr.contains("nothing_of_that_name"), "{stderr}");
    assert!(stderr.contains("--python PATH"), "{stderr}");
    assert!(bench.tree() == before);
}

#[test]
fn bad_wishes_are_refused() {
    let Some(bench) = Bench::new(SHOP) else { return };
    let check = refused(&bench.run(&["--verify"]));
    assert!(check.contains("--verify needs --dry-run or --apply"), "{check}");
    assert!(refused(&bench.run(&["--check", "--verify"])).contains("--verify needs --dry-run or --apply"));
    let path = refused(&bench.run(&["--apply", "--verify", "."]));
    assert!(path.contains("`.` is a path\nhint: "), "{path}");
    let cyclefix = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_cyclefix")).current_dir(bench.project.path()).args(args).output()
    };
    let none = refused(&cyclefix(&["--dry-run", "--verify", "--python", "no/such/python"]).unwrap());
    assert!(none.contains("no/such/python` is no Python") && none.contains("\nhint: --python"), "{none}");
    for (script, why) in [
        ("printf '/usr/bin/python\\n2\\n7\\n18\\n\\n'", "python2.7` is Python 2.7.18"),
        ("echo 'no version is set' >&2; echo 'set one' >&2; exit 127", "is no Python: no version is set"),
    ] {
        bench.write(&Tree::from([("python2.7".into(), format!("#!/bin/sh\n{script}\n").into())]));
        let path = bench.project.path().join("python2.7");
        assert!(Command::new("chmod").arg("+x").arg(&path).status().unwrap().success());
        let told = refused(&cyclefix(&["--dry-run", "--verify", "--python", "./python2.7"]).unwrap());
        assert!(told.contains(why), "{told}");
    }
    let alone = refused(&cyclefix(&["--dry-run", "--python", "python3"]).unwrap());
    assert!(alone.contains("--verify"), "{alone}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_clears_up() {
    let text = SHOP.replace("from stock import count", "import time\n\nfrom stock import count\n\ntime.sleep(50)");
    let Some(bench) = Bench::new(&text) else { return };
    let before = bench.tree();
    let mut command = bench.command(&DEFER);
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let started = || read(bench.scratch.path()).keys().any(|path| path.ends_with("/said"));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(40);
    while !started() && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let start = std::time::Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed().as_secs() < 20);
    let stderr = refused(&output);
    assert!(stderr.contains("interrupted\nhint: nothing was changed"), "{stderr}");
    assert_eq!(read(bench.scratch.path()), Tree::new());
    assert!(bench.tree() == before);
}

/// A project whose module `shop` does something when it is imported.
fn shop_that(does: &str) -> String {
    SHOP.replacen("from stock", &format!("{does}\n\nfrom stock"), 1)
}

/// Asserts that all modules were imported, before and after, and none failed.
fn assert_proved(bench: &Bench, args: &[&str]) {
    let (exit, report) = bench.report(args);
    let ran = &report["projects"][0]["verification"];
    let nothing = Value::Array(vec![]);
    assert_eq!((exit, &ran["modules"]), (1, &2.into()), "{ran}");
    assert_eq!((&ran["unproved"], &ran["unsteady"], &ran["refused"]), (&nothing, &nothing, &nothing), "{ran}");
}

const DRY: [&str; 5] = ["--dry-run", "--allow-dirty", "--strategy", "defer-import", "--verify"];

#[test]
fn each_import_finds_the_project_as_it_is() {
    let port = format!(
        "import socket\nimport time\n\nport = socket.socket()\nport.bind(('127.0.0.1', {}))\ntime.sleep(0.3)",
        20_000 + std::process::id() % 20_000
    );
    let effects = [
        port.as_str(),
        "open('app.lock', 'x').close()",
        "import os\n\nos.makedirs('cache/deep')",
        "hits = open('hits', 'r+')\nassert hits.read() == '0'\nhits.seek(0)\nhits.write('1')\nhits.close()",
        "import os\n\nassert os.path.exists('hits')\nos.remove('hits')",
        "import os\n\nassert os.path.isfile('hits')\nos.remove('hits')\nos.mkdir('hits')\nopen('hits/one', 'x').close()",
        "import os\nimport time\n\nos.mkdir('app.lock')\ntime.sleep(0.3)\nos.rmdir('app.lock')",
        "import sqlite3\n\ndb = sqlite3.connect('state.db')\ndb.execute('create table t (n)')\ndb.commit()",
        "import os\n\nopen('later.py', 'x').close()\nimport later",
        "import os\n\nos.mkdir('sealed')\nopen('sealed/f', 'x').close()\nos.chmod('sealed', 0o500)",
        "import os\n\nassert os.stat('data').st_mode & 0o777 != 0o500\nos.chmod('data', 0o500)",
    ];
    for does in effects {
        let Some(bench) = Bench::new(&format!("{}#- hits\n0\n#- data/f\n", shop_that(does))) else { return };
        bench.write(&Tree::from([("hits".into(), "0".into())]));
        assert_proved(&bench, &DRY);
    }
}

#[test]
fn what_pythonpath_has_of_the_project_is_that_of_the_copy() {
    let does = "import os\n\nimport helper\n\nassert helper.HERE.startswith(os.getcwd() + os.sep), helper.HERE";
    let files = format!("{}#- tools/helper.py\nimport os\n\nHERE = os.path.realpath(__file__)\n", shop_that(does));
    let Some(bench) = Bench::new(&files) else { return };
    let mut command = bench.command(&[&DRY[..], &[&format!("'{}' -c 'import shop'", bench.python.display())]].concat());
    let output = command.env("PYTHONPATH", bench.project.path().join("tools")).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["projects"][0]["verification"]["unproved"], Value::Array(vec![]), "{report}");
    assert_eq!((output.status.code(), &report["summary"]["fixed"]), (Some(1), &1.into()), "{report}");
}

#[cfg(unix)]
#[test]
fn a_script_that_is_rewritten_may_still_be_run() {
    let Some(bench) = Bench::new(&shop_that("#!/usr/bin/env python3")) else { return };
    assert!(Command::new("chmod").arg("+x").arg(bench.project.path().join("shop.py")).status().unwrap().success());
    assert_proved(&bench, &[&DRY[..], &["./shop.py --now"]].concat());
}

/// Processes that have `word` in their command line.
#[cfg(target_os = "linux")]
fn processes(word: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(format!("{:?} {}", entry.file_name(), String::from_utf8_lossy(&line).replace('\0', " ")))
    });
    lines.filter(|line| line.contains(word)).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_that_was_started_is_left() {
    let word = format!("600{}", std::process::id());
    let starts = format!(
        "import subprocess\n\nsubprocess.Popen(['sleep', '{word}.1'], start_new_session=True)\n\
         subprocess.call('(setsid CLEAR sleep {word}.2 &) & setsid sh -c \"sleep {word}.3 & sleep {word}.4; true\" & true', shell=True)"
    );
    let Some(bench) = Bench::new(&shop_that(&starts.replace("CLEAR ", ""))) else { return };
    let command = format!("(setsid sleep {word}.5 &) & (setsid CLEAR sh -c 'sleep {word}.6 & sleep {word}.7; true' &)");
    // What the shell that becomes cyclefix has started is none of its business.
    let own = format!("(setsid sleep {word}.8 &) & sleep {word}.9 & exec \"$0\" \"$@\"");
    let inner = bench.command(&[&DRY[..], &[&command.replace("CLEAR ", "")]].concat());
    let mut outer = Command::new("sh");
    outer.args(["-c", &own]).arg(inner.get_program()).args(inner.get_args()).current_dir(bench.project.path());
    outer.env("TMPDIR", bench.scratch.path()).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    assert_eq!(outer.status().unwrap().code(), Some(1));
    let left = processes(&word);
    for process in &left {
        let id = process.split('"').nth(1).unwrap();
        Command::new("kill").arg(id).status().unwrap();
    }
    let is_own = |line: &String| line.contains(&format!("{word}.8")) || line.contains(&format!("{word}.9"));
    assert!(left.len() == 2 && left.iter().all(is_own), "{left:?}");

    // Without such, even what hides its mark is known.
    bench.write(&Case::parse("bench", &shop_that(&starts.replace("CLEAR", "env -i"))).files);
    let (exit, _) = bench.report(&[&DRY[..], &[&command.replace("CLEAR", "env -i")]].concat());
    assert_eq!((exit, processes(&word)), (1, vec![]));
}

#[test]
fn the_page_on_failed_verification_tells_the_truth() {
    let page = cyclefix::explain::page("failed-verification").unwrap().text;
    let line = page.lines().find_map(|line| line.strip_prefix("    cyclefix ")).unwrap();
    let (options, command) = line.split_once(" --verify ").unwrap();
    let options: Vec<&str> = options.split(' ').chain(["--verify", command.trim_matches('"')]).collect();
    let projects: Vec<&str> = page.split("```text\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let fails = |project: &str| {
        let bench = Bench::new(project)?;
        let (_, report) = bench.report(&options);
        Some(refusals(&report).iter().any(|(reason, _)| *reason == "failed-verification"))
    };
    let Some(first) = fails(projects[0]) else { return };
    assert_eq!((first, fails(projects[1])), (true, Some(false)));
}
