//! File system, git and processes: the only modules that touch them.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod baseline;
pub mod branch;
mod config;
mod decode;
pub mod discover;
mod family;
pub mod git;
mod isort;
mod journal;
pub mod load;
#[cfg(target_os = "linux")]
mod orphans;
pub mod replace;
pub mod snapshot;
pub mod owners;
pub mod patches;
pub mod process;
pub mod python;
pub mod scratch;
mod setting;
pub mod site;
pub mod state;
mod walk;
pub mod write;
