//! The reasons of refusals: stable ids that reports carry.

/// Why a fix is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The name is needed while the module itself is imported.
    ImportTimeUse,
    /// The name is used in a function that may run while something is imported.
    RunsAtImport,
    /// Something evaluates the annotation at run time.
    RuntimeAnnotation,
    /// Outsiders may use the name of this module.
    PublicName,
    /// Another module of the project takes the name from this one.
    UsedElsewhere,
    /// The name is replaced from outside, by a patch or an assignment.
    PatchedName,
    /// What is imported is bound anew at run time.
    ReboundState,
    /// The module binds the name more than once.
    ReboundName,
    /// The module or function reads its names by string.
    DynamicNames,
    /// A doctest uses the name.
    DoctestUse,
    /// The import stands in a `try`, an `if`, a class or a function, which says when it applies.
    ConditionalImport,
    /// A star import or an importing call, which binds no name that could be followed.
    NoName,
    /// Importing the target does something that others can see.
    ImportSideEffect,
    /// The target would no longer be loaded with its package, whose attribute it is.
    SubmoduleAccess,
    /// The name is used, so that its import cannot simply go.
    Used,
    /// What would move depends on where it stands.
    PlaceDependent,
    /// The module is reloaded, which runs its definitions again.
    ReloadedModule,
    /// What would move needs something that stays in the cycle.
    NeedsCycle,
    /// At the top of its module, the import would be part of a cycle.
    MakesCycle,
    /// A stub file describes the module.
    Stub,
    /// The module is run as a script.
    Script,
    /// The name that would be bound stands for something else there.
    NameCollision,
    /// Two modules are tied together by others as well, or no two import each other.
    TiedElsewhere,
    /// The two modules are too large to be one.
    TooLarge,
    /// A package's `__init__` is not merged with a module.
    PackageInit,
    /// The two files are written in different ways.
    DifferentStyle,
    /// Definitions need each other while they are made: no order serves them.
    Inherent,
    /// A deferred import is still one at the level asked for.
    StillCounts,
    /// A comment says that the import is there on purpose.
    KeptOnPurpose,
    /// Without `__all__`, `from module import *` would no longer give the name.
    StarNames,
    /// The lowest Python is too old for the form.
    TargetVersion,
    /// A comment of the owner, or a setting, says that the import is never cut.
    KeptByOwner,
    /// The policy rules out fixes that only defer an import.
    AgainstPolicy,
    /// The use stands in a place where no import can stand before it.
    NoPlace,
    /// The file is not rewritten: it lies outside the given paths, or is not read in full.
    NotWritable,
    /// The file says that a program writes it.
    GeneratedFile,
    /// The statement is written in a way that cannot be taken apart.
    Form,
    /// The cycle cannot go whole, and the part that can is not worth the imports that would move.
    LittleGain,
    /// Applied, it made the project worse.
    FailedCheck,
    /// Run by Python, it failed (`--verify`).
    FailedVerification,
}

impl Reason {
    pub fn id(self) -> &'static str {
        match self {
            Reason::ImportTimeUse => "import-time-use",
            Reason::RunsAtImport => "runs-at-import",
            Reason::RuntimeAnnotation => "runtime-annotation",
            Reason::PublicName => "public-name",
            Reason::UsedElsewhere => "used-elsewhere",
            Reason::PatchedName => "patched-name",
            Reason::ReboundState => "rebound-state",
            Reason::ReboundName => "rebound-name",
            Reason::DynamicNames => "dynamic-names",
            Reason::DoctestUse => "doctest-use",
            Reason::ConditionalImport => "conditional-import",
            Reason::NoName => "no-name",
            Reason::ImportSideEffect => "import-side-effect",
            Reason::SubmoduleAccess => "submodule-access",
            Reason::Used => "name-is-used",
            Reason::PlaceDependent => "place-dependent",
            Reason::ReloadedModule => "reloaded-module",
            Reason::NeedsCycle => "needs-cycle",
            Reason::MakesCycle => "makes-cycle",
            Reason::Stub => "stub",
            Reason::Script => "script",
            Reason::NameCollision => "name-collision",
            Reason::TiedElsewhere => "tied-elsewhere",
            Reason::TooLarge => "too-large",
            Reason::PackageInit => "package-init",
            Reason::DifferentStyle => "different-style",
            Reason::Inherent => "inherent",
            Reason::StillCounts => "still-counts",
            Reason::KeptOnPurpose => "kept-on-purpose",
            Reason::StarNames => "star-names",
            Reason::TargetVersion => "target-version",
            Reason::KeptByOwner => "kept-by-owner",
            Reason::AgainstPolicy => "against-policy",
            Reason::NoPlace => "no-place",
            Reason::NotWritable => "not-writable",
            Reason::GeneratedFile => "generated-file",
            Reason::Form => "statement-form",
            Reason::LittleGain => "little-gain",
            Reason::FailedCheck => "failed-check",
            Reason::FailedVerification => "failed-verification",
        }
    }
}
