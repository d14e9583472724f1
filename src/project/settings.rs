//! Settings of a project: what `[tool.cyclefix]` of pyproject.toml or cyclefix.toml says, under the command line.

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

/// What the analysis and the planner are told.
#[derive(Clone, Debug)]
pub struct Settings {
    pub level: Level,
    /// Names of the allowed strategies, in order of preference; empty: all.
    pub strategies: Vec<String>,
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: Level::Eager,
            strategies: Vec::new(),
            target_version: (3, 9),
            unsafe_fixes: false,
            public: Vec::new(),
            runtime_evaluated_base_classes: Vec::new(),
            runtime_evaluated_decorators: Vec::new(),
            line_length: 88,
            lints_local_imports: false,
        }
    }
}
