//! What comes of running the user's command, before and after a rewrite: by test where it is pytest or unittest, else by exit
//! code.

use std::collections::{BTreeMap, BTreeSet};

use super::{Failure, Item};

/// Lines of output that tell why a command failed.
const LAST: usize = 5;

/// So many failing tests that were not named before are set aside; more of them have other names in each run.
const NEWCOMERS: usize = 20;

/// One run of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// `None` if it was ended by a signal.
    pub exit: Option<i32>,
    /// What it printed.
    pub output: String,
    pub tests: Option<Tests>,
}

/// The tests of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tests {
    pub passed: BTreeSet<String>,
    /// Those that were skipped, or failed as they were expected to.
    pub skipped: BTreeSet<String>,
    /// With what was said of each.
    pub failed: BTreeMap<String, String>,
    /// How many ran, where those that passed are not named.
    pub unnamed: usize,
    /// Whether the run was told to stop before all of them were run.
    pub is_cut: bool,
    /// Whether it came to its end, as far as the tests tell.
    pub is_finished: bool,
}

impl Ran {
    /// `pytest` is what the plugin wrote down, empty if there was no pytest.
    pub fn new(exit: Option<i32>, output: String, pytest: &str) -> Self {
        let tests = by_pytest(pytest).or_else(|| by_unittest(&output));
        Self { exit, output, tests }
    }

    pub fn is_fine(&self) -> bool {
        self.exit == Some(0)
    }

    /// Whether something can be held against it: it passed, or its tests tell which of them did.
    pub fn is_measure(&self) -> bool {
        self.is_fine() || self.tests.as_ref().is_some_and(|t| !t.passed.is_empty() || t.unnamed > t.failed_of_unnamed())
    }

    /// How it ended, and what it printed last: the error of a traceback, if there is one.
    pub fn ending(&self) -> String {
        let how = self.exit.map_or("it was ended by a signal".to_owned(), |code| format!("exit code {code}"));
        let lines: Vec<&str> = self.output.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let first = error(&lines).unwrap_or(lines.len().saturating_sub(LAST));
        let last = lines[first..lines.len().min(first + LAST)].join("\n");
        if last.is_empty() { how } else { format!("{how}: {last}") }
    }

    /// What did not fail before and does now, but for what is set `aside`.
    pub fn worse(&self, before: &Ran, aside: &BTreeSet<Item>) -> Option<Failure> {
        let is_aside = aside.contains(&Item::Command);
        let broken = || Failure { item: Item::Command, message: format!("the command fails: {}", self.ending()) };
        let (Some(tests), Some(was)) = (&self.tests, &before.tests) else {
            return (!self.is_fine() && !is_aside).then(broken);
        };
        let aside = Aside::new(aside, was);
        // What fails explains what is no longer run, not the other way round.
        let mut known = tests.failed.keys().chain(&was.passed);
        if let Some(test) = known.find(|id| was.lets_down(tests, id) && !aside.has(id)) {
            let why = tests.failed.get(test).cloned().unwrap_or_else(|| self.why_gone(before));
            return Some(Failure { item: Item::Test(test.clone()), message: format!("test `{test}` fails: {why}") });
        }
        if is_aside {
            return None;
        }
        if tests.unnamed < was.unnamed {
            let message = format!("the command runs {} tests, {} before", tests.unnamed, was.unnamed);
            return Some(Failure { item: Item::Command, message });
        }
        // A test that fails and was set aside explains the exit code; what failed before does not, if that was 0.
        let explained = tests.failed.keys().any(|id| was.lets_down(tests, id));
        (before.is_fine() && !self.is_fine() && !explained).then(broken)
    }

    /// Why tests are missing: the error that ended the run, if one did.
    fn why_gone(&self, before: &Ran) -> String {
        match self.is_fine() || self.exit == before.exit {
            true => "it is no longer run".to_owned(),
            false => format!("it is no longer run: {}", self.ending()),
        }
    }

    /// Whether an item that did not fail before fails.
    pub fn fails(&self, item: &Item, before: &Ran) -> bool {
        match (item, &self.tests, &before.tests) {
            (Item::Test(id), Some(tests), Some(was)) => was.lets_down(tests, id),
            (Item::Test(_), None, _) => !self.is_fine(),
            _ => matches!(self.worse(before, &BTreeSet::new()), Some(failure) if failure.item == Item::Command),
        }
    }
}

/// The tests that are set aside.
struct Aside<'a> {
    items: &'a BTreeSet<Item>,
    /// The functions of those that had no name before: the id of a test may hold a random number.
    kin: BTreeSet<&'a str>,
    newcomers: usize,
    was: &'a Tests,
}

impl<'a> Aside<'a> {
    fn new(items: &'a BTreeSet<Item>, was: &'a Tests) -> Self {
        let tests = items.iter().filter_map(|item| if let Item::Test(id) = item { Some(id) } else { None });
        let new: Vec<&str> = tests.filter(|id| !was.names(id)).map(|id| function(id)).collect();
        Self { items, newcomers: new.len(), kin: new.into_iter().collect(), was }
    }

    fn has(&self, id: &str) -> bool {
        let is_new = || !self.was.names(id);
        self.items.contains(&Item::Test(id.to_owned()))
            || (self.newcomers > NEWCOMERS || self.kin.contains(function(id))) && is_new()
    }
}

/// The id of a test without its parameters, or those of a subtest.
fn function(id: &str) -> &str {
    let end = id.find('[').into_iter().chain(id.find(") ").map(|at| at + 1)).min();
    &id[..end.unwrap_or(id.len())]
}

/// The tests that failed, or were not there, in one of two runs of the same text and did not fail in the other.
pub fn by_chance<'a>(one: &'a Ran, other: &'a Ran) -> Vec<&'a String> {
    let (Some(one), Some(other)) = (&one.tests, &other.tests) else { return Vec::new() };
    let differs = |id: &&String, one: &Tests, other: &Tests| {
        (one.passes(id) || one.skipped.contains(*id)) && other.failed.contains_key(*id)
    };
    let first = one.failed.keys().filter(|id| differs(id, other, one));
    let second = other.failed.keys().filter(|id| differs(id, one, other));
    let is_whole = one.is_finished && other.is_finished && !one.is_cut && !other.is_cut;
    // e.g. the id of a test that holds a random number
    let gone = one
        .passed
        .symmetric_difference(&other.passed)
        .filter(|id| is_whole && !one.failed.contains_key(*id) && !other.failed.contains_key(*id));
    first.chain(second).chain(gone).collect()
}

/// The line that names the error of the last traceback.
fn error(lines: &[&str]) -> Option<usize> {
    let traceback = lines.iter().rposition(|line| line.starts_with("Traceback (most recent call last)"))?;
    let behind = lines[traceback + 1..].iter().position(|line| !line.starts_with([' ', '\t']))?;
    Some(traceback + 1 + behind)
}

impl Tests {
    /// How many of those that unittest counts failed: a subtest is not counted, nor is what prepares a class or module.
    fn failed_of_unnamed(&self) -> usize {
        let test = |id: &'_ String| id.split(") ").next().unwrap_or_default().trim_end_matches(')').to_owned();
        let prepares = |id: &&String| ["setUp", "tearDown"].iter().any(|name| id.starts_with(name));
        self.failed.keys().filter(|id| !prepares(id)).map(test).collect::<BTreeSet<String>>().len()
    }

    fn passes(&self, id: &String) -> bool {
        // unittest names only those that fail.
        self.passed.contains(id) || self.unnamed > 0 && !self.failed.contains_key(id)
    }

    /// Whether the run tells what becomes of a test by this id.
    fn names(&self, id: &str) -> bool {
        self.passed.contains(id) || self.skipped.contains(id) || self.failed.contains_key(id)
    }

    /// Whether a test failed, or was not come to: what it is in did not load, or the run ended early.
    fn left_out(&self, id: &str) -> bool {
        let mut above = id.match_indices(['/', ':']).map(|(at, _)| &id[..at]);
        let is_early = self.unnamed == 0 && (self.is_cut || !self.is_finished);
        self.failed.contains_key(id)
            || above.any(|above| self.failed.contains_key(above))
            || is_early && !self.names(id)
    }

    /// Whether a test fails `now` that did not in this run, be it that it was skipped or not there.
    fn lets_down(&self, now: &Tests, id: &String) -> bool {
        self.passes(id) && now.fails(id) || now.failed.contains_key(id) && !self.left_out(id)
    }

    /// What is not run fails, too, unless the run was told to stop.
    fn fails(&self, id: &String) -> bool {
        self.failed.contains_key(id) || !self.is_cut && !self.passes(id)
    }
}

/// An id without the addresses of objects, which differ from run to run.
fn steady(id: &str) -> String {
    let mut parts = id.split(" at 0x");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |id, part| id + " at 0x" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
}

/// Lines `outcome<tab>id<tab>message` of the plugin. A test fails if one of its phases does.
fn by_pytest(text: &str) -> Option<Tests> {
    let mut tests = Tests::default();
    for line in text.lines() {
        let mut parts = line.splitn(3, '\t');
        let (outcome, id, why) = (parts.next()?, steady(parts.next()?), parts.next().unwrap_or_default());
        match outcome {
            "passed" => drop(tests.passed.insert(id)),
            "skipped" => drop(tests.skipped.insert(id)),
            "stopped" => tests.is_cut = true,
            "finished" => tests.is_finished = true,
            "failed" => drop(tests.failed.entry(id).or_insert_with(|| why.to_owned())),
            _ => {}
        }
    }
    tests.passed.retain(|id| !tests.failed.contains_key(id));
    tests.skipped.retain(|id| !tests.failed.contains_key(id));
    (!text.is_empty()).then_some(tests)
}

/// How unittest names a test that was expected to fail, from Python 3.11 on.
const UNEXPECTED: &str = "UNEXPECTED SUCCESS: ";

/// What unittest prints: `Ran 12 tests in 0.1s`, and a paragraph for each that fails.
fn by_unittest(output: &str) -> Option<Tests> {
    let rule = |line: &str, c: char| line.len() >= 70 && line.chars().all(|x| x == c);
    let mut tests = Tests::default();
    let mut ran = None;
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    for (at, line) in lines.iter().enumerate() {
        let count = line.strip_prefix("Ran ").and_then(|rest| rest.split_once(" test")?.0.parse::<usize>().ok());
        ran = count.map(|n| ran.unwrap_or(0) + n).or(ran);
        // These stand one below the other.
        let is_listed = |above: &str| rule(above, '=') || above.starts_with(UNEXPECTED);
        if let Some(id) = line.strip_prefix(UNEXPECTED).filter(|_| at > 0 && is_listed(lines[at - 1])) {
            tests.failed.insert(steady(id), "it passes, and is expected to fail".to_owned());
        }
        let id = line.strip_prefix("ERROR: ").or_else(|| line.strip_prefix("FAIL: "));
        if let Some(id) = id.filter(|_| at > 0 && rule(lines[at - 1], '=')) {
            let paragraph = lines[at + 1..].iter().skip_while(|l| !rule(l, '-')).skip(1);
            let paragraph = paragraph.take_while(|l| !rule(l, '=') && !rule(l, '-')).filter(|l| !l.is_empty());
            tests.failed.insert(steady(id), paragraph.last().unwrap_or(&"").trim().to_owned());
        }
    }
    tests.unnamed = ran?;
    Some(tests)
}
