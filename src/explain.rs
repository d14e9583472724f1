//! The pages of `cyclefix explain`: what the words of a report mean. They are Markdown under `rewrites/`, one a word.

use include_dir::{Dir, include_dir};

static WORDS: Dir = include_dir!("$CARGO_MANIFEST_DIR/rewrites/explain");

/// The pages of strategies stand beside their cases.
const STRATEGIES: [(&str, &str); 5] = [
    ("unused-import", include_str!("../rewrites/unused-import/page.md")),
    ("direct-import", include_str!("../rewrites/direct-import/page.md")),
    ("extract-utility-module", include_str!("../rewrites/extract-utility-module/page.md")),
    ("defer-import", include_str!("../rewrites/defer-import/page.md")),
    ("merge-modules", include_str!("../rewrites/merge-modules/page.md")),
];

/// What kinds of words there are: a folder, and what to call them.
const GROUPS: [(&str, &str); 4] = [
    ("forms", "Forms of strategies"),
    ("levels", "Levels"),
    ("words", "Words of reports"),
    ("reasons", "Reasons of refusals"),
];

/// Words less alike than this are not taken for each other.
const ALIKE: f64 = 0.5;

/// What is said of one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub id: &'static str,
    /// Markdown.
    pub text: &'static str,
}

impl Page {
    /// Its first sentence.
    pub fn summary(&self) -> String {
        let paragraph = self.text.split("\n\n").nth(1).unwrap_or_default();
        let line = paragraph.lines().collect::<Vec<_>>().join(" ");
        line.find(". ").map_or(line.as_str(), |end| &line[..=end]).to_owned()
    }
}

/// All pages by group, each group with its title.
pub fn groups() -> Vec<(&'static str, Vec<Page>)> {
    let strategies = STRATEGIES.iter().map(|(id, text)| Page { id, text }).collect();
    let words = GROUPS.iter().map(|(folder, title)| (*title, pages(folder)));
    [("Strategies", strategies)].into_iter().chain(words).collect()
}

/// The page of a word.
pub fn page(id: &str) -> Option<Page> {
    groups().into_iter().flat_map(|(_, pages)| pages).find(|page| page.id == id)
}

/// The word that is most like one that has no page.
pub fn nearest(id: &str) -> Option<&'static str> {
    let words = groups().into_iter().flat_map(|(_, pages)| pages).map(|page| page.id);
    let scored = words.map(|word| (strsim::normalized_damerau_levenshtein(&id.to_lowercase(), word), word));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

fn pages(folder: &str) -> Vec<Page> {
    let files = WORDS.get_dir(folder).into_iter().flat_map(Dir::files);
    let mut pages: Vec<Page> = files
        .filter_map(|file| Some(Page { id: file.path().file_stem()?.to_str()?, text: file.contents_utf8()? }))
        .collect();
    pages.sort_by_key(|page| page.id);
    pages
}
