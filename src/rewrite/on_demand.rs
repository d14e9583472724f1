//! Prints the `__getattr__` of a module that loads names on demand (PEP 562), with the tables it reads and its `__dir__`; or
//! adds the same to those that the module has.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{Answers, Listing, Own};
use super::import_text::ImportText;
use super::lines::{blank_lines_after, indent_of, line_end, line_start, next_line};
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::names::is_postponement;
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};
use crate::syntax::imports::{ImportSite, Place};

/// What a module loads on demand.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Names, with the module that each comes from as the import spelled it.
    names: BTreeMap<String, String>,
    pub submodules: BTreeSet<String>,
}

impl Tables {
    /// Takes what a site binds; gives the imports that type checkers read in its place.
    pub fn add(&mut self, page: &Page, site: usize, names: &[String], gone: &BTreeSet<Span>) -> Vec<ImportText> {
        let found = ImportText::of(page, site, gone);
        self.names.extend(names.iter().map(|name| (name.clone(), found.module.clone())));
        if page.imports.sites[site].star {
            let named = names.iter().map(|name| ImportText::from(&found.module, name));
            return named.map(|import| ImportText { above: found.above.clone(), ..import }).collect();
        }
        vec![found.for_types()]
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.submodules.is_empty()
    }

    /// What the tables of the module hold.
    fn known(answers: &Answers) -> Self {
        let names = answers.names.as_ref().map(|table| table.holds.clone());
        let submodules = answers.submodules.as_ref().map(|table| table.holds.clone());
        Self { names: names.unwrap_or_default(), submodules: submodules.unwrap_or_default() }
    }

    /// These and those of the module.
    fn joined(&self, known: &Self) -> Self {
        let mut all = known.clone();
        all.names.extend(self.names.clone());
        all.submodules.extend(self.submodules.iter().cloned());
        all
    }

    /// The imports that the functions need.
    pub fn imports(&self, page: &Page) -> Result<Vec<ImportText>, RewriteError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        Ok(importer(page, &Answers::of_page(page)?)?.1.into_iter().collect())
    }

    /// Puts tables and functions at the end of the module, or into the functions that it has.
    pub fn print(&self, page: &mut Page) -> Result<(), RewriteError> {
        if self.is_empty() {
            return Ok(());
        }
        let answers = Answers::of_page(page)?;
        let (import_module, _) = importer(page, &answers)?;
        let value = answers.value().ok_or(RewriteError::Form("all names for a variable of `__getattr__` are taken"))?;
        let known = Tables::known(&answers);
        if !known.is_empty() {
            let old = Code::of(page, &known, &answers, import_module.clone(), value);
            let all = self.joined(&known);
            return add(page, &answers, &old, &Code::of(page, &all, &answers, import_module, value));
        }
        let code = Code::of(page, self, &answers, import_module, value);
        match (&answers.getattr, &answers.dir) {
            (None, None) => append(page, &format!("{}\n\n{}\n\n{}", code.tables(), code.getattr(""), code.dir(""))),
            _ => extend(page, &code, &answers),
        }
    }
}

/// Puts code at the end of the module.
fn append(page: &mut Page, code: &str) -> Result<(), RewriteError> {
    let newline = page.layout.newline;
    let code = code.replace('\n', newline);
    let text = page.text;
    let filled = page.edits.edits().iter().any(|e| e.range.start == text.len());
    let ends = text.is_empty() || filled || text.ends_with(['\n', '\r']);
    let apart = match page.ast.body.last() {
        Some(Stmt { kind: StmtKind::Function(_) | StmtKind::Class(_), .. }) => 2,
        _ => 1,
    };
    let lead = newline.repeat(apart + usize::from(!ends));
    page.add(Edit::insert(text.len(), format!("{lead}{code}")))
}

/// Adds to the tables that there are, and to the functions that read them.
fn add(page: &mut Page, answers: &Answers, old: &Code, new: &Code) -> Result<(), RewriteError> {
    let (text, newline) = (page.text, page.layout.newline);
    let form = RewriteError::Form("its tables of what is loaded on demand are written in another way");
    let (Some(own), Some(_)) = (&answers.getattr, &answers.dir) else { return Err(form) };
    let start = line_start(text, own.first.start);
    let indent = indent_of(text, own.first.start);
    let look_up = |code: &Code| code.look_up(&own.parameter, indent).replace('\n', newline);
    let print = |table: String| table.trim_end().replace('\n', newline);
    let tables = [
        (answers.names.as_ref().map(|t| t.statement), print(old.names()), print(new.names())),
        (answers.submodules.as_ref().map(|t| t.statement), print(old.submodules()), print(new.submodules())),
    ];
    let as_printed = tables.iter().all(|(at, old, _)| at.is_none_or(|at| at.of(text) == old));
    if !as_printed || !text[start..].starts_with(&look_up(old)) {
        return Err(form);
    }
    let beside = tables.iter().find_map(|(at, ..)| *at);
    for (at, old, new) in &tables {
        match (at, beside) {
            (Some(at), _) if old != new => page.add(Edit::replace(at.range(), new.clone()))?,
            (None, Some(beside)) if !new.is_empty() => {
                page.add(Edit::insert(next_line(text, beside.end), format!("{new}{newline}")))?;
            }
            _ => {}
        }
    }
    let (before, after) = (look_up(old), look_up(new));
    if before != after {
        page.add(Edit::replace(start..start + before.len(), after))?;
    }
    let more: Vec<&str> = new.tables_there().filter(|name| !old.tables_there().any(|other| other == *name)).collect();
    match answers.listing {
        Some(listing) if !more.is_empty() => list(page, &more, listing),
        _ => Ok(()),
    }
}

/// Adds to the functions that there are, and puts the one that is missing behind the other.
fn extend(page: &mut Page, code: &Code, answers: &Answers) -> Result<(), RewriteError> {
    let first = match (&answers.getattr, &answers.dir) {
        (Some(own), Some(dir)) if answers.listing.is_some() && dir.def.start < own.def.start => dir,
        (Some(own), _) | (None, Some(own)) => own,
        (None, None) => return Ok(()),
    };
    let text = page.text;
    let newline = page.layout.newline;
    let above = page.ast.body.iter().rev().find(|other| other.span.end <= first.statement.start);
    let (at, tables) = match above.and_then(|above| behind_variable(text, above)) {
        Some(at) => (at, format!("\n{}", code.tables())),
        None => {
            let start = line_start(text, first.statement.start);
            let floor = above.map_or(0, |above| above.span.end);
            (above_comments(text, start, floor), format!("{}\n\n", code.tables()))
        }
    };
    page.add(Edit::insert(at, tables.replace('\n', newline)))?;
    match (&answers.getattr, &answers.dir) {
        (Some(own), None) => behind(page, own, &code.dir(indent_of(text, own.def.start)))?,
        (None, Some(dir)) => behind(page, dir, &code.getattr(indent_of(text, dir.def.start)))?,
        _ => {}
    }
    if let Some(own) = &answers.getattr {
        let at = above_comments(text, line_start(text, own.first.start), own.head);
        let airy = own.airy || at < line_start(text, own.first.start);
        let look_up = code.look_up(&own.parameter, indent_of(text, own.first.start));
        let look_up = if airy { format!("{look_up}\n") } else { look_up };
        page.add(Edit::insert(at, look_up.replace('\n', newline)))?;
    }
    match answers.listing {
        Some(listing) => list(page, &code.tables_there().collect::<Vec<_>>(), listing),
        None => Ok(()),
    }
}

/// Where more variables can stand behind a statement that sets one.
fn behind_variable(text: &str, stmt: &Stmt) -> Option<usize> {
    let sets = matches!(stmt.kind, StmtKind::Assign { .. } | StmtKind::AnnAssign { .. } | StmtKind::AugAssign { .. });
    let at = next_line(text, stmt.span.end);
    (sets && !blank_lines_after(text, at).is_empty()).then_some(at)
}

/// Puts a function behind another one.
fn behind(page: &mut Page, own: &Own, function: &str) -> Result<(), RewriteError> {
    let newline = page.layout.newline;
    let at = line_end(page.text, own.def.end);
    // In a block, one line parts functions.
    let apart = if own.statement == own.def { 3 } else { 2 };
    let function = function.trim_end_matches('\n').replace('\n', newline);
    page.add(Edit::insert(at, format!("{}{function}", newline.repeat(apart))))
}

/// Adds the tables to what a `__dir__` returns.
fn list(page: &mut Page, tables: &[&str], listing: Listing) -> Result<(), RewriteError> {
    let more = listed(tables);
    let (span, before, after) = match listing {
        Listing::Sorted(names) => (names, "{*".to_owned(), format!("{more}}}")),
        Listing::Plain(names) => (names, "sorted({*".to_owned(), format!("{more}}})")),
        Listing::Union(sets) => (sets, String::new(), united(tables)),
        Listing::SortedDisplay(display) => return join(page, tables, display, ("{", "}")),
        Listing::Display(display) => return join(page, tables, display, ("sorted({", "})")),
    };
    page.add(Edit::insert(span.start, before))?;
    page.add(Edit::insert(span.end, after))
}

/// Adds the tables to a display, which gets other brackets.
fn join(page: &mut Page, tables: &[&str], display: Span, brackets: (&str, &str)) -> Result<(), RewriteError> {
    let inside = Span { start: display.start + 1, end: display.end - 1 };
    let text = inside.of(page.text);
    let items = text.trim_end().trim_end_matches(',').trim_end();
    let end = inside.start + items.len();
    let last = items.lines().last().unwrap_or_default();
    // Items with lines of their own stay so.
    let apart = if text.starts_with(['\n', '\r']) {
        format!("{}{}", page.layout.newline, &last[..last.len() - last.trim_start().len()])
    } else {
        " ".to_owned()
    };
    page.add(Edit::replace(display.start..inside.start, brackets.0))?;
    page.add(Edit::insert(end, listed(tables).replace(", ", &format!(",{apart}"))))?;
    page.add(Edit::replace(inside.end..display.end, brackets.1))
}

/// The start of the comment lines right above a line, or that of the line; nothing before `floor` is one.
fn above_comments(text: &str, mut start: usize, floor: usize) -> usize {
    while start > 0 {
        let above = line_start(text, text[..start].trim_end_matches(['\n', '\r']).len());
        let is_adjacent = next_line(text, above) == start;
        if !is_adjacent || above < floor || !text[above..start].trim_start().starts_with('#') {
            break;
        }
        start = above;
    }
    start
}

/// How the file calls `import_module` in its `__getattr__`, and the import that it needs for that.
fn importer(page: &Page, answers: &Answers) -> Result<(String, Option<ImportText>), RewriteError> {
    let imports = &page.imports;
    let before = answers.getattr.as_ref().map_or(usize::MAX, |own| own.def.start);
    let site = |name: &str| -> Option<&ImportSite> {
        let all: Vec<_> = imports.bound.iter().filter(|(bound, _)| *bound == name).collect();
        let site = |(_, site): &&(&str, Option<usize>)| site.map(|s| &imports.sites[s]);
        let fits = |s: &ImportSite| s.place == Place::Top && s.stmt.start < before && !answers.is_deleted(name);
        if all.iter().all(|b| site(b).is_some_and(|s| fits(s) && gives_import_module(s).is_some())) {
            all.last().and_then(site)
        } else {
            None
        }
    };
    let names: BTreeSet<&str> = imports.bound.iter().map(|(name, _)| *name).collect();
    let found = names.iter().filter(|name| !answers.is_local(name)).find_map(|name| gives_import_module(site(name)?));
    if let Some(found) = found {
        return Ok((found, None));
    }
    let is_free = |name: &str| !names.contains(name) && !answers.is_local(name) && !answers.is_deleted(name);
    if is_free("importlib") {
        Ok(("importlib.import_module".to_owned(), Some(ImportText::plain("importlib"))))
    } else if is_free("import_module") {
        Ok(("import_module".to_owned(), Some(ImportText::from("importlib", "import_module"))))
    } else {
        Err(RewriteError::Form("`importlib` is something else here"))
    }
}

/// How what an import binds gives `import_module`.
fn gives_import_module(site: &ImportSite) -> Option<String> {
    match (site.module, site.name) {
        _ if site.level > 0 || site.star || site.call => None,
        ("importlib", Some("import_module")) => site.bound().map(str::to_owned),
        ("importlib", None) => site.bound().map(|name| format!("{name}.import_module")),
        (below, None) if below.starts_with("importlib.") && site.asname.is_none() => {
            Some("importlib.import_module".to_owned())
        }
        _ => None,
    }
}

/// The parts of the code that loads names on demand.
struct Code<'t> {
    tables: &'t Tables,
    quote: char,
    step: String,
    line_length: usize,
    /// What relative names are relative to.
    anchor: &'static str,
    import_module: String,
    value: &'static str,
    /// Whether `__getattr__` is asked what `import *` gives, as no `__all__` says it.
    gives_all: bool,
    /// What stands behind the names of the functions: annotations, unless they would mean something else.
    getattr: &'static str,
    dir: String,
}

impl<'t> Code<'t> {
    fn of(page: &Page, tables: &'t Tables, answers: &Answers, import_module: String, value: &'static str) -> Self {
        let quote = if page.layout.single_quotes { '\'' } else { '"' };
        let postponed = page.ast.body.iter().any(is_postponement);
        let plain = postponed || page.project.settings.target_version >= (3, 9);
        Self {
            tables,
            quote,
            step: page.layout.indent.clone(),
            line_length: page.project.settings.line_length,
            anchor: if page.is_package { "__name__" } else { "__package__" },
            import_module,
            value,
            gives_all: !answers.has_all,
            getattr: if answers.means(&["object", "str"]) { "(name: str) -> object" } else { "(name)" },
            dir: match answers.means(&["list", "str"]) {
                true if plain => "() -> list[str]".to_owned(),
                true => format!("() -> {quote}list[str]{quote}"),
                false => "()".to_owned(),
            },
        }
    }

    fn quoted(&self, text: &str) -> String {
        format!("{0}{text}{0}", self.quote)
    }

    /// The tables, each line with its end.
    fn tables(&self) -> String {
        self.names() + &self.submodules()
    }

    fn lines(&self, items: impl Iterator<Item = String>) -> String {
        items.map(|item| format!("{}{item},\n", self.step)).collect()
    }

    /// The table of names, if there are some.
    fn names(&self) -> String {
        if self.tables.names.is_empty() {
            return String::new();
        }
        let pairs = self.tables.names.iter();
        let lines = self.lines(pairs.map(|(name, module)| format!("{}: {}", self.quoted(name), self.quoted(module))));
        format!("_LAZY = {{\n{lines}}}\n")
    }

    /// The table of submodules, if there are some.
    fn submodules(&self) -> String {
        if self.tables.submodules.is_empty() {
            return String::new();
        }
        let all: Vec<String> = self.tables.submodules.iter().map(|name| self.quoted(name)).collect();
        let line = format!("_SUBMODULES = {{{}}}\n", all.join(", "));
        if line.chars().count() <= self.line_length + 1 {
            return line;
        }
        format!("_SUBMODULES = {{\n{}}}\n", self.lines(all.into_iter()))
    }

    /// Loads the name that the parameter gives, if it is one of the tables.
    fn look_up(&self, parameter: &str, indent: &str) -> String {
        let Self { step, quote, import_module, value, anchor, .. } = self;
        let mut out = String::new();
        if !self.tables.names.is_empty() {
            let relative = self.tables.names.values().any(|module| module.starts_with('.'));
            let anchor = if relative { format!(", {anchor}") } else { String::new() };
            out.push_str(&format!(
                "{indent}if {parameter} in _LAZY:\n\
                 {indent}{step}{value} = getattr({import_module}(_LAZY[{parameter}]{anchor}), {parameter})\n\
                 {indent}{step}globals()[{parameter}] = {value}\n\
                 {indent}{step}return {value}\n"
            ));
        }
        if !self.tables.submodules.is_empty() {
            out.push_str(&format!(
                "{indent}if {parameter} in _SUBMODULES:\n\
                 {indent}{step}return {import_module}(f{quote}.{{{parameter}}}{quote}, __name__)\n"
            ));
        }
        if self.gives_all {
            out.push_str(&format!(
                "{indent}if {parameter} == {quote}__all__{quote}:  # what `import *` gives\n\
                 {indent}{step}return [public for public in __dir__() if not public.startswith({quote}_{quote})]\n"
            ));
        }
        out
    }

    fn getattr(&self, indent: &str) -> String {
        let Self { step, quote, .. } = self;
        let look_up = self.look_up("name", &format!("{indent}{step}"));
        format!(
            "{indent}def __getattr__{}:\n{look_up}\
             {indent}{step}raise AttributeError(f{quote}module {{__name__!r}} has no attribute {{name!r}}{quote})\n",
            self.getattr
        )
    }

    fn dir(&self, indent: &str) -> String {
        let Self { step, dir, .. } = self;
        format!(
            "{indent}def __dir__{dir}:\n{indent}{step}return sorted({{*globals(){}}})\n",
            listed(&self.tables_there().collect::<Vec<_>>())
        )
    }

    /// The names of the tables that hold something.
    fn tables_there(&self) -> impl Iterator<Item = &'static str> {
        let names = (!self.tables.names.is_empty()).then_some("_LAZY");
        names.into_iter().chain((!self.tables.submodules.is_empty()).then_some("_SUBMODULES"))
    }
}

/// Tables as they join others in a display.
fn listed(tables: &[&str]) -> String {
    tables.iter().map(|table| format!(", *{table}")).collect()
}

/// Tables as they join a set.
fn united(tables: &[&str]) -> String {
    let set = |table: &&str| if *table == "_LAZY" { " | _LAZY.keys()".to_owned() } else { format!(" | {table}") };
    tables.iter().map(set).collect()
}
