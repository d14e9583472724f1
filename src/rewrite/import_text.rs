//! An import statement as it is printed, and where it sorts among others.

use std::collections::BTreeSet;

use super::Page;
use super::comments::{attached, comment_of, for_types, in_function, is_read_by_tools, silences, without_place};
use crate::names::evaluated::is_stdlib;
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};

/// One import of one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportText {
    /// The module with its leading dots; of `import a.b`, the dotted name.
    pub module: String,
    /// `name` or `name as other`; `None` for `import a.b`, whose `as` stands in `alias`.
    pub name: Option<String>,
    pub alias: Option<String>,
    /// A comment that goes with it, with its `#`.
    pub comment: Option<String>,
    /// Comment lines that stand above it and speak of it alone.
    pub above: Vec<String>,
}

/// Sections as isort and ruff know them, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Future,
    Standard,
    ThirdParty,
    FirstParty,
    Local,
}

/// Where an import stands among others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    pub section: Section,
    from: bool,
    /// More dots come first.
    closeness: usize,
    module: String,
    /// `from`, where that decides among imports of one module alone.
    from_later: bool,
    /// The name, where each has a statement of its own.
    name: Option<(u8, String)>,
}

/// Where a statement stands among others, by its module and the first of its names.
type Place = (SortKey, Option<(u8, String)>);

impl SortKey {
    pub fn module_name(&self) -> &str {
        &self.module
    }
}

impl ImportText {
    /// `import module`.
    pub fn plain(module: impl Into<String>) -> Self {
        Self { module: module.into(), name: None, alias: None, comment: None, above: Vec::new() }
    }

    /// `from module import name`.
    pub fn from(module: impl Into<String>, name: impl Into<String>) -> Self {
        Self { module: module.into(), name: Some(name.into()), alias: None, comment: None, above: Vec::new() }
    }

    /// The import of a site, with its comments if its whole statement is among those `going`.
    pub fn of(page: &Page, site: usize, going: &BTreeSet<Span>) -> Self {
        let site = &page.imports.sites[site];
        let above = if going.contains(&site.stmt) { attached(page, site.stmt, going) } else { None };
        let above =
            above.map_or_else(Vec::new, |range| page.text[range].lines().map(|line| line.trim().to_owned()).collect());
        let dots = ".".repeat(site.level);
        let rename = |name: &str| match site.asname {
            Some(asname) => format!("{name} as {asname}"),
            None => name.to_owned(),
        };
        Self {
            module: format!("{dots}{}", site.module),
            name: site.name.map(rename),
            alias: if site.name.is_none() { site.asname.map(str::to_owned) } else { None },
            comment: comment_of(page, site),
            above,
        }
    }

    /// The import as it stands under TYPE_CHECKING.
    pub fn for_types(self) -> Self {
        let comment = self.comment.as_deref().and_then(without_place);
        Self { comment, above: for_types(self.above), ..self }
    }

    /// The import as it stands in a function.
    pub fn in_function(self) -> Self {
        let comment = self.comment.as_deref().and_then(without_place);
        Self { comment, above: in_function(self.above), ..self }
    }

    /// The same import once more: words for readers stand at the first alone.
    pub fn repeated(mut self) -> Self {
        self.above.clear();
        self.comment = self.comment.filter(|comment| is_read_by_tools(comment));
        self
    }

    pub fn key(&self, page: &Page) -> SortKey {
        key(page, &self.module, self.name.as_deref())
    }

    /// Prints imports as statements, those of one module together, sorted; without indentation, one entry a statement, which
    /// may hold line ends where it would be too long.
    pub fn print(page: &Page, mut imports: Vec<ImportText>, indent: &str) -> Vec<(SortKey, String)> {
        imports.sort();
        imports.dedup();
        // Names that are renamed, unless the file has it otherwise, and those with a comment get a statement of their own, as
        // isort and ruff have it.
        let joins = |name: &String| page.layout.joins_renamed || !name.contains(' ');
        let joinable = |comment: &String| silences(comment);
        let plain = |i: &ImportText| i.comment.iter().all(joinable) && i.name.as_ref().is_some_and(joins);
        imports.sort_by_key(|i| (i.module.clone(), !plain(i), i.comment.clone()));
        let mut out: Vec<(Place, String, String)> = Vec::new();
        let mut rest = imports.as_slice();
        while let Some(first) = rest.first() {
            let joins = |i: &&ImportText| {
                plain(i) && i.module == first.module && i.above == first.above && i.comment == first.comment
            };
            let same = if page.layout.single_names { 1 } else { rest.iter().take_while(joins).count().max(1) };
            let (now, later) = rest.split_at(same);
            rest = later;
            let mut text = String::new();
            for line in &first.above {
                text.push_str(&format!("{line}{}{indent}", page.layout.newline));
            }
            let name = now.iter().filter_map(|i| i.name.as_deref().map(name_key)).min();
            out.push(((first.key(page), name), statement(page, now, indent), text));
        }
        out.sort();
        // Words above a statement whose names come from several modules now stand above the first.
        let mut told = BTreeSet::new();
        let mut once = |above: String| if told.insert(above.clone()) { above } else { String::new() };
        out.into_iter().map(|((key, _), statement, above)| (key, once(above) + &statement)).collect()
    }
}

fn statement(page: &Page, imports: &[ImportText], indent: &str) -> String {
    let first = &imports[0];
    let comment = first.comment.as_ref().map_or_else(String::new, |comment| format!("  {comment}"));
    if first.name.is_none() {
        return match &first.alias {
            Some(alias) => format!("import {} as {alias}{comment}", first.module),
            None => format!("import {}{comment}", first.module),
        };
    }
    let mut names: Vec<&str> = imports.iter().filter_map(|i| i.name.as_deref()).collect();
    names.sort_by_key(|n| name_key(n));
    let line = format!("from {} import {}", first.module, names.join(", "));
    if indent.chars().count() + line.chars().count() <= page.project.settings.line_length {
        return line + &comment;
    }
    let newline = page.layout.newline;
    let step = &page.layout.indent;
    // What silences a tool does so for all names from the first line.
    let (head, note) = if imports.len() > 1 { (comment.as_str(), "") } else { ("", comment.as_str()) };
    let mut out = format!("from {} import ({head}", first.module);
    for name in names {
        out.push_str(&format!("{newline}{indent}{step}{name},{note}"));
    }
    out.push_str(&format!("{newline}{indent})"));
    out
}

/// Constants first, then classes, then the rest, as isort and ruff order names by default.
pub fn name_key(name: &str) -> (u8, String) {
    let plain = name.split(' ').next().unwrap_or(name);
    let kind = if plain.len() > 1 && plain.chars().all(|c| !c.is_lowercase()) {
        0
    } else if plain.starts_with(char::is_uppercase) {
        1
    } else {
        2
    };
    (kind, name.to_lowercase())
}

/// The sort key of an import statement of the file; `None` for anything else.
pub fn stmt_key(page: &Page, stmt: &Stmt) -> Option<SortKey> {
    let StmtKind::Import(import) = &stmt.kind else { return None };
    Some(match import.from {
        Some(from) => {
            let first = import.names.first().map_or("", |alias| alias.name);
            key(page, &format!("{}{}", ".".repeat(from.level), from.module), Some(first))
        }
        None => key(page, import.names.first()?.name, None),
    })
}

/// The sort key of an import from a module; `name` is the first that is taken `from` it.
fn key(page: &Page, module: &str, name: Option<&str>) -> SortKey {
    let bare = module.trim_start_matches('.');
    let level = module.len() - bare.len();
    let top = bare.split('.').next().unwrap_or_default();
    let section = if level > 0 {
        Section::Local
    } else if top == "__future__" {
        Section::Future
    } else if (0..page.project.tree.roots.len()).any(|r| page.project.tree.find(top, r).is_some())
        || page.project.tree.is_namespace(top)
    {
        Section::FirstParty
    } else if is_stdlib(top) {
        Section::Standard
    } else {
        Section::ThirdParty
    };
    let by_module = page.project.settings.import_style.by_module;
    SortKey {
        section,
        from: name.is_some() && !by_module,
        closeness: usize::MAX - level,
        module: bare.to_lowercase(),
        from_later: name.is_some() && by_module,
        name: name.filter(|_| page.layout.single_names).map(name_key),
    }
}
