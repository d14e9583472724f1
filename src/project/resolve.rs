//! Resolving imports.
