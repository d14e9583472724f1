//! `cyclefix explain`: prints the page of a word, or all words.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use termimad::MadSkin;

use crate::explain::{groups, nearest, page};

/// Columns that a page is laid out for, if the terminal has them.
const WIDTH: u16 = 100;

#[derive(Debug, thiserror::Error)]
#[error("there is no page on `{id}`")]
pub struct NoPage {
    id: String,
}

impl NoPage {
    pub fn hint(&self) -> Option<String> {
        Some(match nearest(&self.id) {
            Some(word) => format!("did you mean `{word}`? `cyclefix explain` lists all pages"),
            None => "`cyclefix explain` lists all pages; a folder of that name is `./explain`".into(),
        })
    }
}

/// The Markdown to print.
pub fn text(id: Option<&str>) -> Result<String, NoPage> {
    match id {
        Some(id) => page(id).map(|page| page.text.to_owned()).ok_or_else(|| NoPage { id: id.to_owned() }),
        None => Ok(list()),
    }
}

fn list() -> String {
    let mut out = String::from("# cyclefix explain ID\n");
    for (title, pages) in groups() {
        out.push_str(&format!("\n## {title}\n\n"));
        for page in pages {
            out.push_str(&format!("- `{}`: {}\n", page.id, page.summary()));
        }
    }
    out
}

/// Prints Markdown: laid out for a terminal with colours, else as it is.
pub fn print(markdown: &str) -> io::Result<()> {
    let out = io::stdout();
    if AutoStream::choice(&out) == ColorChoice::Never {
        return out.lock().write_all(markdown.as_bytes());
    }
    let width = termimad::terminal_size().0.clamp(20, WIDTH);
    let skin = MadSkin::default();
    write!(out.lock(), "{}", skin.text(markdown, Some(usize::from(width))))
}
