//! The loop of `--verify` without Python: what a trial says is traced to a fix, or set aside.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[allow(dead_code)]
mod harness {
    pub mod case;
}

use std::collections::BTreeSet;
use std::convert::Infallible;

use cyclefix::io::load::{LoadOptions, Loaded, load};
use cyclefix::outcome::FileChange;
use cyclefix::plan::{Solved, Touched, Veto, solve_without};
use cyclefix::proof::command::Ran;
use cyclefix::proof::import::{Excuses, Imported};
use cyclefix::proof::{Failure, Item, Proved, Trial, prove};
use harness::case::{Case, write};
use proptest::prelude::*;

/// Pairs of modules, each a cycle of its own that one fix dissolves.
fn pairs(count: usize) -> Loaded {
    let pair = |n: usize| {
        format!(
            "#- shop{n}.py\nfrom stock{n} import count\n\n\ndef price():\n    return count()\n#- stock{n}.py\nimport shop{n}\n\n\
             PRICE = shop{n}.price\n\n\ndef count():\n    return 1\n"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &Case::parse("pairs", &(0..count).map(pair).collect::<String>()).files);
    let paths = [folder.path().to_owned()];
    let defer = |settings: &mut cyclefix::project::Settings| settings.strategies = vec!["defer-import".to_owned()];
    load(&paths, &LoadOptions::default(), &defer).unwrap().remove(0)
}

/// Fails where it is told to; `chance` is how often it does so of itself.
struct Fake {
    bad: BTreeSet<String>,
    chance: usize,
    runs: usize,
    aside: Vec<Failure>,
}

impl Fake {
    fn found(&self, changes: &[FileChange]) -> Option<Failure> {
        let bad = changes.iter().find(|change| self.bad.contains(&change.path))?;
        let item = Item::Test(bad.path.clone());
        let known = self.aside.iter().any(|failure| failure.item == item);
        (!known).then(|| Failure { item, message: format!("{} is bad", bad.path) })
    }
}

impl Trial for Fake {
    type Error = Infallible;

    fn run(&mut self, _: &Solved, changes: &[FileChange]) -> Result<Option<Failure>, Infallible> {
        self.runs += 1;
        if self.chance > 0 {
            self.chance -= 1;
            return Ok(Some(Failure { item: Item::Command, message: "by chance".to_owned() }));
        }
        Ok(self.found(changes))
    }

    fn fails(&mut self, failed: &Failure, _: &[Touched], changes: &[FileChange]) -> Result<bool, Infallible> {
        self.runs += 1;
        Ok(changes.iter().any(|change| Item::Test(change.path.clone()) == failed.item))
    }

    fn set_aside(&mut self, failure: Failure) {
        self.aside.push(failure);
    }

    fn is_steady(&self) -> bool {
        self.aside.is_empty()
    }

    fn vetoed(&mut self, _: &Veto) {}
}

/// A test that fails every other time, whatever is run; it is compared with a run in which it passed.
struct Coin {
    state: u64,
    is_aside: bool,
}

impl Coin {
    fn falls(&mut self) -> bool {
        // Knuth's MMIX generator, of which the high bits are the good ones
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 63 == 1
    }
}

impl Trial for Coin {
    type Error = Infallible;

    fn run(&mut self, _: &Solved, _: &[FileChange]) -> Result<Option<Failure>, Infallible> {
        let fails = !self.is_aside && self.falls();
        Ok(fails.then(|| Failure { item: Item::Command, message: "by chance".to_owned() }))
    }

    fn fails(&mut self, _: &Failure, _: &[Touched], _: &[FileChange]) -> Result<bool, Infallible> {
        Ok(self.falls())
    }

    fn set_aside(&mut self, _: Failure) {
        self.is_aside = true;
    }

    fn is_steady(&self) -> bool {
        !self.is_aside
    }

    fn vetoed(&mut self, _: &Veto) {}
}

fn proved(loaded: &Loaded, fake: &mut Fake) -> Proved {
    let plan = |vetoes: &[Veto]| solve_without(&loaded.project, vetoes, &|_| {});
    let Ok(proved) = prove(&loaded.project, &plan, fake);
    proved
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_guilty_go_and_the_innocent_stay(count in 1usize..8, guilty in proptest::collection::btree_set(0usize..8, 0..4)) {
        let loaded = pairs(count);
        let bad: BTreeSet<String> = guilty.iter().filter(|n| **n < count).map(|n| format!("shop{n}.py")).collect();
        let mut fake = Fake { bad: bad.clone(), chance: 0, runs: 0, aside: Vec::new() };
        let found = proved(&loaded, &mut fake);
        let changed: BTreeSet<String> = found.solved.outcome.changes.iter().map(|c| c.path.clone()).collect();
        let wanted: BTreeSet<String> = (0..count).map(|n| format!("shop{n}.py")).filter(|path| !bad.contains(path)).collect();
        prop_assert_eq!(changed, wanted);
        let said: BTreeSet<String> = found.vetoes.iter().map(|v| v.message.clone()).collect();
        prop_assert_eq!(said, bad.iter().map(|path| format!("{path} is bad")).collect());
        // One run a plan, and for each guilty fix three times the two ends and the steps of a bisection.
        prop_assert!(fake.runs <= 1 + bad.len() * (1 + 6 + 3), "{}", fake.runs);
    }
}

#[test]
fn what_fails_by_chance_is_set_aside() {
    let loaded = pairs(2);
    let mut fake = Fake { bad: BTreeSet::new(), chance: 1, runs: 0, aside: Vec::new() };
    let found = proved(&loaded, &mut fake);
    assert_eq!((found.solved.outcome.changes.len(), found.vetoes.len()), (2, 0));
    assert_eq!(fake.aside, [Failure { item: Item::Command, message: "by chance".to_owned() }]);
}

#[test]
fn a_fix_is_rarely_blamed_for_chance() {
    let loaded = pairs(1);
    const RUNS: usize = 1000;
    let mut blamed = 0;
    let mut coin = Coin { state: 1, is_aside: false };
    for _ in 0..RUNS {
        coin.is_aside = false;
        // A test that failed before is not looked at.
        if coin.falls() {
            continue;
        }
        let plan = |vetoes: &[Veto]| solve_without(&loaded.project, vetoes, &|_| {});
        let Ok(found) = prove(&loaded.project, &plan, &mut coin);
        blamed += found.vetoes.len();
    }
    // 0.4 % are to be expected.
    assert!(blamed * 100 < RUNS, "{blamed} of {RUNS}");
}

#[test]
fn parts_of_a_plan_lead_from_nothing_to_all() {
    let loaded = pairs(3);
    let solved = solve_without(&loaded.project, &[], &|_| {});
    assert_eq!(solved.len(), 3);
    let sizes: Vec<usize> = (0..=3).map(|count| solved.changes(&loaded.project, count).unwrap().len()).collect();
    assert_eq!(sizes, [0, 1, 2, 3]);
    let texts = |changes: &[FileChange]| changes.iter().map(|c| (c.path.clone(), c.after.clone())).collect::<Vec<_>>();
    assert_eq!(texts(&solved.changes(&loaded.project, 3).unwrap()), texts(&solved.outcome.changes));
}

const PYTEST: &str = "started\t\t\npassed\tt.py::a\t\nfailed\tt.py::b\tassert 1 == 2\npassed\tt.py::c\t\nfailed\tt.py::c\tteardown\nskipped\tt.py::d\t\nfinished\t\t\n";

#[test]
fn pytest_is_read_by_test() {
    let ran = |pytest: &str, exit| Ran::new(Some(exit), String::new(), pytest);
    let before = ran(PYTEST, 1);
    let tests = before.tests.clone().unwrap();
    assert_eq!(tests.passed.iter().collect::<Vec<_>>(), ["t.py::a"]);
    assert_eq!(tests.failed.keys().collect::<Vec<_>>(), ["t.py::b", "t.py::c"]);
    let none = BTreeSet::new();
    assert_eq!(before.worse(&before, &none), None);
    let gone = ran("started\t\t\nskipped\tt.py::a\t\n", 0);
    assert_eq!(gone.worse(&before, &none).unwrap().message, "test `t.py::a` fails: it is no longer run");
    assert!(gone.fails(&Item::Test("t.py::a".into()), &before) && !gone.fails(&Item::Test("t.py::b".into()), &before));
    let broken = ran("started\t\t\nfailed\tt.py\tImportError: x\n", 2);
    assert_eq!(broken.worse(&before, &none).unwrap().message, "test `t.py` fails: ImportError: x");
    // What did not fail before, be it skipped or not there, may not fail; what it is in failed, or the run ended before it.
    let fails = |id: &str| ran(&format!("started\t\t\npassed\tt.py::a\t\nfailed\t{id}\tx\n"), 1).worse(&before, &none);
    for id in ["t.py::d", "t.py::new"] {
        assert_eq!(fails(id).unwrap().message, format!("test `{id}` fails: x"));
    }
    for id in ["t.py::b", "t.py::b::inner"] {
        assert_eq!(fails(id), None);
    }
    let killed = ran("started\t\t\npassed\tt.py::a\t\n", 139);
    assert_eq!(ran("started\t\t\npassed\tt.py::a\t\nfailed\tt.py::b\tx\n", 1).worse(&killed, &none), None);
    // The run ends before a test is run.
    let crash = ran("started\t\t\n", 3).worse(&before, &none).unwrap();
    assert_eq!(crash.message, "test `t.py::a` fails: it is no longer run: exit code 3");
    // Names that differ from run to run are set aside once.
    let aside = BTreeSet::from([Item::Test("t.py::n[0.1]".to_owned())]);
    let renamed =
        |id: &str| ran(&format!("started\t\t\npassed\tt.py::a\t\nfailed\t{id}\tx\n"), 1).worse(&before, &aside);
    assert!(renamed("t.py::n[0.2]").is_none() && renamed("t.py::m[0.2]").is_some());
    let aside = (0..=20).map(|n| Item::Test(format!("t.py::n{n}"))).collect();
    assert!(fails("t.py::n21").is_some());
    assert_eq!(ran("started\t\t\npassed\tt.py::a\t\nfailed\tt.py::n21\tx\n", 1).worse(&before, &aside), None);
    // It did not even start: usage, or a configuration that fails.
    assert!(ran("", 4).worse(&before, &none).unwrap().message.contains("exit code 4"));
    let fine = ran("started\t\t\npassed\tt.py::a\t\n", 0);
    assert_eq!(fine.worse(&before, &none), None);
    // All tests pass, and the command does not: coverage, warnings.
    assert!(ran("started\t\t\npassed\tt.py::a\t\n", 1).worse(&fine, &none).unwrap().item == Item::Command);
}

#[test]
fn unittest_is_read_by_what_it_prints() {
    let rule = |c: &str| c.repeat(70);
    let failed = |kind: &str, id: &str, why: &str| {
        format!(
            "{}\n{kind}: {id}\n{}\nTraceback (most recent call last):\n  File \"t.py\", line 2\n{why}\n\n",
            rule("="),
            rule("-")
        )
    };
    let output =
        |blocks: &str, ran: usize, end: &str| format!("{blocks}{}\nRan {ran} tests in 0.01s\n\n{end}\n", rule("-"));
    let ran = |text: String, exit| Ran::new(Some(exit), text, "");
    let old = failed("FAIL", "test_b (t.T)", "AssertionError: 1 != 2");
    let before = ran(output(&old, 3, "FAILED (failures=1)"), 1);
    let none = BTreeSet::new();
    assert_eq!(before.worse(&before, &none), None);
    assert!(before.is_measure() && before.tests.as_ref().unwrap().unnamed == 3);
    let both = format!("{old}{}", failed("ERROR", "test_a (t.T)", "ImportError: gone"));
    let worse = ran(output(&both, 3, "FAILED (failures=1, errors=1)"), 1).worse(&before, &none).unwrap();
    assert_eq!(
        (worse.item, worse.message),
        (Item::Test("test_a (t.T)".into()), "test `test_a (t.T)` fails: ImportError: gone".into())
    );
    let fewer = ran(output("", 2, "OK"), 0).worse(&before, &none).unwrap();
    assert_eq!((fewer.item, fewer.message), (Item::Command, "the command runs 2 tests, 3 before".into()));
}

#[test]
fn the_error_of_a_traceback_is_what_a_command_says() {
    let lines: String = (0..20).map(|n| format!("    frame {n}\n")).collect();
    let text = format!("collected\nTraceback (most recent call last):\n{lines}ValueError: no shop\n");
    assert_eq!(Ran::new(Some(1), text, "").ending(), "exit code 1: ValueError: no shop");
    let text = "one\n\ntwo\n".to_owned();
    assert_eq!(Ran::new(Some(3), text, "").ending(), "exit code 3: one\ntwo");
}

#[test]
fn imports_are_held_against_those_before() {
    let mut touched = Touched {
        module: "shop".into(),
        path: "shop.py".into(),
        root: String::new(),
        private: ["count", "exported"].map(String::from).into(),
        is_freed: false,
        is_new: false,
    };
    let excuses = Excuses { errors: ["ImportError: known".to_owned()].into(), own: ["shop".to_owned()].into() };
    let fine = |names: &str| Imported::parse(&format!("file shop.py\n{names}end \n")).unwrap();
    let failed = |facts: &str| Imported::parse(&format!("error {facts}\nend \n")).unwrap();
    let before = fine("name price\nname count\nname exported\nexport exported\n");
    let circular = failed("ImportError: no\nat shop.py:3");
    let says = |now: &Imported, before: Option<&Imported>, touched: &Touched| now.worse(before, touched, &excuses);
    assert_eq!(
        says(&fine("name price\nname exported\n"), Some(&before), &touched),
        None,
        "an import for itself may go"
    );
    assert_eq!(says(&fine("name price\n"), Some(&before), &touched).unwrap(), "`shop` no longer has `exported`");
    assert_eq!(says(&fine("name exported\n"), Some(&before), &touched).unwrap(), "`shop` no longer has `price`");
    assert_eq!(says(&circular, Some(&before), &touched).unwrap(), "`import shop` fails: ImportError: no (shop.py:3)");
    assert!(says(&failed("ImportError: known"), Some(&before), &touched).is_some(), "it was fine before");
    assert_eq!(Imported::parse("name price\n"), None, "the interpreter did not come to its end");

    // What failed before may fail, if in the same way or for what is not there.
    assert_eq!(says(&failed("ImportError: other"), Some(&circular), &touched), None, "it is still in a cycle");
    touched.is_freed = true;
    let other = says(&failed("ImportError: other"), Some(&circular), &touched).unwrap();
    assert_eq!(other, "`import shop` fails: ImportError: other; before: ImportError: no");
    assert!(says(&failed("KeyError: 1"), Some(&circular), &touched).is_some());
    assert_eq!(says(&failed("ImportError: known"), Some(&circular), &touched), None);
    let lacks = |name: &str| failed(&format!("ModuleNotFoundError: x\nmissing {name}"));
    for before in [Some(&circular), None] {
        assert_eq!(says(&lacks("numpy.linalg"), before, &touched), None);
        assert!(says(&lacks("shop.gone"), before, &touched).is_some());
        assert_eq!(says(&before_fine(), before, &touched), None);
    }
}

fn before_fine() -> Imported {
    Imported::parse("end \n").unwrap()
}
