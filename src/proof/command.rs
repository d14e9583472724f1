//! What comes of running the user's command, before and after a rewrite: by test where it is pytest or unittest, else by exit
//! code.

use std::collections::{BTreeMap, BTreeSet};

use super::{Failure, Item};

/// Lines of output that tell why a command failed.
const LAST: usize = 5;

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

    /// What passed before and does not now, but for what is set `aside`.
    pub fn worse(&self, before: &Ran, aside: &BTreeSet<Item>) -> Option<Failure> {
        if let (Some(tests), Some(was)) = (&self.tests, &before.tests) {
            let fails = |id: &String| was.passes(id) && tests.fails(id);
            // What fails explains what is no longer run, not the other way round.
            let mut known = tests.failed.keys().chain(&was.passed);
            let test = known.find(|id| fails(id) && !aside.contains(&Item::Test((*id).clone())));
            if let Some(test) = test {
                let why = tests.failed.get(test).map_or("it is no longer run", String::as_str);
                return Some(Failure {
                    item: Item::Test(test.clone()),
                    message: format!("test `{test}` fails: {why}"),
                });
            }
            // Known failures explain the exit code; so does one that was set aside.
            if tests.unnamed >= was.unnamed && (!before.is_fine() || !tests.failed.is_empty() || self.is_fine()) {
                return None;
            }
            if aside.contains(&Item::Command) {
                return None;
            }
            let message = match tests.unnamed < was.unnamed {
                true => format!("the command runs {} tests, {} before", tests.unnamed, was.unnamed),
                false => format!("the command fails: {}", self.ending()),
            };
            return Some(Failure { item: Item::Command, message });
        }
        let broke = !self.is_fine() && !aside.contains(&Item::Command);
        broke.then(|| Failure { item: Item::Command, message: format!("the command fails: {}", self.ending()) })
    }

    /// Whether an item that passed before fails.
    pub fn fails(&self, item: &Item, before: &Ran) -> bool {
        match (item, &self.tests, &before.tests) {
            (Item::Test(id), Some(tests), Some(was)) => was.passes(id) && tests.fails(id),
            (Item::Test(_), None, _) => !self.is_fine(),
            _ => matches!(self.worse(before, &BTreeSet::new()), Some(failure) if failure.item == Item::Command),
        }
    }
}

/// The tests that failed, or were not there, in one of two runs of the same text and passed in the other.
pub fn by_chance<'a>(one: &'a Ran, other: &'a Ran) -> Vec<&'a String> {
    let (Some(one), Some(other)) = (&one.tests, &other.tests) else { return Vec::new() };
    let differs = |id: &&String, one: &Tests, other: &Tests| one.passes(id) && other.failed.contains_key(*id);
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
            "stopped" => tests.is_cut = true,
            "finished" => tests.is_finished = true,
            "failed" => drop(tests.failed.entry(id).or_insert_with(|| why.to_owned())),
            _ => {}
        }
    }
    tests.passed.retain(|id| !tests.failed.contains_key(id));
    (!text.is_empty()).then_some(tests)
}

/// What unittest prints: `Ran 12 tests in 0.1s`, and a paragraph for each that fails.
fn by_unittest(output: &str) -> Option<Tests> {
    let rule = |line: &str, c: char| line.len() >= 70 && line.chars().all(|x| x == c);
    let mut tests = Tests::default();
    let mut ran = None;
    let lines: Vec<&str> = output.lines().map(str::trim_end).collect();
    for (at, line) in lines.iter().enumerate() {
        let count = line.strip_prefix("Ran ").and_then(|rest| rest.split_once(" test")?.0.parse::<usize>().ok());
        ran = count.map(|n| ran.unwrap_or(0) + n).or(ran);
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
