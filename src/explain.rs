//! What the words of a report mean.
