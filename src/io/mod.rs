//! File system, git and processes: the only modules that touch them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod config;
mod decode;
pub mod git;
mod journal;
pub mod load;
pub mod process;
pub mod python;
pub mod scratch;
pub mod write;
