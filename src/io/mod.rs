//! File system, git and processes.
#![allow(clippy::disallowed_methods)] // The wall that clippy.toml builds around the file system has its gate here.

pub mod config;
pub mod decode;
pub mod load;
