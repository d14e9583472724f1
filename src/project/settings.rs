//! Settings of a project: what `[tool.cyclefix]` of pyproject.toml or cyclefix.toml says, under the command line.

use std::collections::BTreeMap;

use super::pattern::ImportPattern;

/// A Python version, `(3, 9)`.
pub type Version = (u8, u8);

/// Which cycles count; each level contains the ones before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Cycles of imports that run on import, of which one at least needs a name at once.
    Fragile,
    /// Cycles of imports that run on import.
    #[default]
    Eager,
    /// Also lazy imports and those inside functions.
    Runtime,
    /// Also imports for type checkers alone.
    All,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Fragile, Level::Eager, Level::Runtime, Level::All];

    pub fn as_str(self) -> &'static str {
        match self {
            Level::Fragile => "fragile",
            Level::Eager => "eager",
            Level::Runtime => "runtime",
            Level::All => "all",
        }
    }
}

/// Which fixes a team wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The cheapest, of whatever kind.
    #[default]
    Pragmatic,
    /// Those that make a dependency go; none that only defers or hides it.
    Architectural,
}

impl Policy {
    pub const ALL: [Policy; 2] = [Policy::Pragmatic, Policy::Architectural];

    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Pragmatic => "pragmatic",
            Policy::Architectural => "architectural",
        }
    }
}

/// What the analysis and the planner are told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub level: Level,
    /// Names of the allowed strategies, in order of preference; empty: all.
    pub strategies: Vec<String>,
    pub policy: Policy,
    /// Costs by strategy, or strategy and form, where they are not the defaults.
    pub costs: BTreeMap<String, u64>,
    /// Imports that are never cut.
    pub keep: Vec<ImportPattern>,
    /// Imports that are cut before others.
    pub cut: Vec<ImportPattern>,
    /// Imports that are no part of any cycle.
    pub ignore: Vec<ImportPattern>,
    /// The lowest Python that the code has to run on.
    pub target_version: Version,
    /// Also apply fixes graded unsafe.
    pub unsafe_fixes: bool,
    /// Names that outsiders use: `"pkg.module.name"` or `"pkg.module.*"`.
    pub public: Vec<String>,
    /// Base classes whose annotations are evaluated at run time, by dotted name.
    pub runtime_evaluated_base_classes: Vec<String>,
    /// Decorators that evaluate annotations at run time, by dotted name.
    pub runtime_evaluated_decorators: Vec<String>,
    /// Columns that a line of code may have, as the project's formatter is configured.
    pub line_length: usize,
    /// Whether the project's linter objects to imports inside functions (`PLC0415`).
    pub lints_local_imports: bool,
    /// How imports stand, as isort or ruff is configured.
    pub import_style: ImportStyle,
}

/// What the project's sorter of imports is told beyond its defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportStyle {
    /// Blank lines below a block of imports.
    pub lines_after: Option<usize>,
    /// Whether every name has a statement of its own.
    pub single_names: bool,
    /// Whether `import x` and `from x import y` are sorted together, by module.
    pub by_module: bool,
    /// Whether names that are renamed stand in one statement with others.
    pub joins_renamed: bool,
    /// Whether every file has `from __future__ import annotations`.
    pub requires_annotations: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::Eager,
            strategies: Vec::new(),
            policy: Policy::default(),
            costs: BTreeMap::new(),
            keep: Vec::new(),
            cut: Vec::new(),
            ignore: Vec::new(),
            target_version: (3, 9),
            unsafe_fixes: false,
            public: Vec::new(),
            runtime_evaluated_base_classes: Vec::new(),
            runtime_evaluated_decorators: Vec::new(),
            line_length: 88,
            lints_local_imports: false,
            import_style: ImportStyle::default(),
        }
    }
}
