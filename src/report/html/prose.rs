//! Sentences with code in them, as plans and refusals have it: between backticks.

use std::borrow::Borrow;

use crate::report::words;

pub type Prose = Vec<Piece>;

pub struct Piece {
    pub is_code: bool,
    pub text: String,
}

/// Without a closing mark, no mark opens code.
pub fn prose(text: &str) -> Prose {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![Piece { is_code: false, text: text.to_owned() }];
    }
    let piece = |(index, part): (usize, &&str)| Piece { is_code: index % 2 == 1, text: (*part).to_owned() };
    parts.iter().enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}

/// As [`words::count`], of what a template hands over.
pub fn count(n: impl Borrow<usize>, what: &str) -> String {
    words::count(*n.borrow(), what)
}

/// As [`words::plural`], of what a template hands over.
pub fn plural(n: impl Borrow<usize>, what: &str) -> String {
    words::plural(*n.borrow(), what)
}
