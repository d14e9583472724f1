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
    // Where the terminal does not tell its size, it is taken to be as wide as most.
    let width = Some(termimad::terminal_size().0).filter(|columns| *columns > 1).unwrap_or(80).min(WIDTH);
    write!(out.lock(), "{}", MadSkin::default().text(&unwrapped(markdown), Some(usize::from(width))))
}

/// Each paragraph and each item of a list on one line, as the renderer wants them.
fn unwrapped(markdown: &str) -> String {
    let mut out = String::new();
    let (mut in_code, mut open) = (false, false);
    for line in markdown.lines() {
        let is_fence = line.starts_with("```");
        let stands_alone = in_code || is_fence || line.is_empty() || line.starts_with(['#', '|']);
        let continues = open && !stands_alone && !line.starts_with("- ");
        out.push_str(match (out.is_empty(), continues) {
            (true, _) => "",
            (false, true) => " ",
            (false, false) => "\n",
        });
        out.push_str(if continues { line.trim_start() } else { line });
        open = continues || !stands_alone && !line.starts_with("    ");
        in_code ^= is_fence;
    }
    out + "\n"
}
