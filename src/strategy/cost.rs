//! What fixes cost a reader of the code: one table for all strategies, which settings can overrule. The defaults follow what
//! maintainers do: the dearer a form, the rarer they choose it.

use crate::project::Settings;

/// Cost of a fix by strategy, or by strategy and form.
pub const TABLE: [(&str, u64); 9] = [
    ("unused-import", 10),
    ("direct-import", 15),
    ("defer-import/type-checking", 30),
    ("extract-utility-module/existing-module", 35),
    ("extract-utility-module/new-module", 40),
    ("defer-import/lazy", 40),
    ("defer-import/function", 60),
    ("defer-import/module-getattr", 70),
    ("merge-modules", 90),
];

/// Each further function that repeats an import.
pub const REPEAT: u64 = 15;
/// As many functions are too many to repeat an import: that is more to read than a cycle is worth.
pub const TOO_MANY: usize = 13;
/// Each annotation that has to be quoted.
pub const QUOTE: u64 = 1;
/// Each definition that moves to another module.
pub const DEFINITION: u64 = 3;
/// As many lines that move cost one: they have to be read again.
pub const LINES: u64 = 10;
/// Each name that a `__getattr__` serves.
pub const NAME: u64 = 1;
/// A `__getattr__` that answers for `__all__` as well.
pub const NO_ALL: u64 = 60;
/// Each use that is spelled differently.
pub const USE: u64 = 1;

/// What a fix of the strategy and form costs before its extras.
pub fn base(settings: &Settings, strategy: &str, form: Option<&str>) -> u64 {
    let key = form.map_or_else(|| strategy.to_owned(), |form| format!("{strategy}/{form}"));
    let default = || TABLE.iter().find(|(known, _)| *known == key || *known == strategy).map(|(_, cost)| *cost);
    let own = settings.costs.get(&key).or_else(|| settings.costs.get(strategy)).copied();
    own.or_else(default).unwrap_or(DEAREST)
}

/// For what the table does not know.
const DEAREST: u64 = 90;

/// The keys that settings may give.
pub fn keys() -> Vec<&'static str> {
    let strategies = TABLE.iter().filter_map(|(key, _)| Some(key.split_once('/')?.0));
    let mut all: Vec<&str> = TABLE.iter().map(|(key, _)| *key).chain(strategies).collect();
    all.sort_unstable();
    all.dedup();
    all
}
