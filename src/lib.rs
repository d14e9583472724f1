//! cyclefix finds the import cycles of a Python code base and rewrites the code so that they are gone.
//!
//! Data flows one way; everything between `load` and the sinks is a pure function of its arguments, so that
//! check, dry run and apply cannot differ:
//!
//! ```text
//! io::load -> Project -> syntax -> graph -> names -> strategy -> plan -> verify -> [proof] -> Outcome -> report | io::write
//! ```
//!
//! Modules may use only those above them in this list (a test holds that):

pub mod edit;
pub mod project;
pub mod change;
pub mod outcome;
pub mod baseline;
pub mod syntax;
pub mod skim;
pub mod graph;
pub mod names;
pub mod links;
pub mod rewrite;
pub mod simulate;
pub mod strategy;
pub mod verify;
pub mod plan;
pub mod proof;
pub mod report;
pub mod explain;
pub mod io;
pub mod cli;
