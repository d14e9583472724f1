//! Source roots.
