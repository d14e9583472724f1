//! File system, git and processes.
