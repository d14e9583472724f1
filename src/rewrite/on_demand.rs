//! Prints the `__getattr__` of a module that loads names on demand (PEP 562), with the tables it reads and its `__dir__`.

use std::collections::{BTreeMap, BTreeSet};

use super::import_text::ImportText;
use super::{Page, RewriteError};
use crate::edit::Edit;
use crate::names::is_postponement;
use crate::syntax::Span;
use crate::syntax::ast::{Stmt, StmtKind};

/// What a module loads on demand.
#[derive(Debug, Default)]
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
        vec![found]
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.submodules.is_empty()
    }

    /// The imports that the functions need.
    pub fn imports(&self, page: &Page) -> Result<Vec<ImportText>, RewriteError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let bound = page.imports.bound.iter().rev().find(|(name, _)| *name == "importlib");
        match bound.map(|(_, site)| site.map(|s| &page.imports.sites[s])) {
            None => Ok(vec![ImportText::plain("importlib")]),
            Some(Some(site)) if site.name.is_none() && site.asname.is_none() => Ok(Vec::new()),
            Some(_) => Err(RewriteError::Form("`importlib` is something else here")),
        }
    }

    /// Puts tables and functions at the end of the module.
    pub fn print(&self, page: &mut Page) -> Result<(), RewriteError> {
        if self.is_empty() {
            return Ok(());
        }
        let code = self.code(page).replace('\n', page.layout.newline);
        let text = page.text;
        let newline = page.layout.newline;
        let filled = page.edits.edits().iter().any(|e| e.range.start == text.len());
        let ends = text.is_empty() || filled || text.ends_with(['\n', '\r']);
        let apart = match page.ast.body.last() {
            Some(Stmt { kind: StmtKind::Function(_) | StmtKind::Class(_), .. }) => 2,
            _ => 1,
        };
        let lead = newline.repeat(apart + usize::from(!ends));
        page.add(Edit::insert(text.len(), format!("{lead}{code}")))
    }

    fn code(&self, page: &Page) -> String {
        let quote = if page.layout.single_quotes { '\'' } else { '"' };
        let step = page.layout.indent.as_str();
        let anchor = if page.is_package { "__name__" } else { "__package__" };
        let quoted = |text: &str| format!("{quote}{text}{quote}");
        let lines = |items: &mut dyn Iterator<Item = String>| -> String {
            items.map(|item| format!("{step}{item},\n")).collect()
        };
        let mut out = String::new();
        let mut tables = Vec::new();
        let mut body = String::new();
        if !self.names.is_empty() {
            let items = &mut self.names.iter().map(|(name, module)| format!("{}: {}", quoted(name), quoted(module)));
            out.push_str(&format!("_LAZY = {{\n{}}}\n", lines(items)));
            tables.push("_LAZY");
            let relative = self.names.values().any(|module| module.starts_with('.'));
            let anchor = if relative { format!(", {anchor}") } else { String::new() };
            body.push_str(&format!(
                "{step}if name in _LAZY:\n\
                 {step}{step}value = getattr(importlib.import_module(_LAZY[name]{anchor}), name)\n\
                 {step}{step}globals()[name] = value\n\
                 {step}{step}return value\n"
            ));
        }
        if !self.submodules.is_empty() {
            let all: Vec<String> = self.submodules.iter().map(|name| quoted(name)).collect();
            let line = format!("_SUBMODULES = {{{}}}\n", all.join(", "));
            if line.chars().count() <= page.project.settings.line_length + 1 {
                out.push_str(&line);
            } else {
                out.push_str(&format!("_SUBMODULES = {{\n{}}}\n", lines(&mut all.into_iter())));
            }
            tables.push("_SUBMODULES");
            body.push_str(&format!(
                "{step}if name in _SUBMODULES:\n{step}{step}return importlib.import_module(f{quote}.{{name}}{quote}, __name__)\n"
            ));
        }
        let postponed = page.ast.body.iter().any(is_postponement);
        let plain = postponed || page.project.settings.target_version >= (3, 9);
        let list = if plain { "list[str]".to_owned() } else { quoted("list[str]") };
        let tables: String = tables.iter().map(|table| format!(", *{table}")).collect();
        out.push_str(&format!(
            "\n\ndef __getattr__(name: str) -> object:\n{body}\
             {step}raise AttributeError(f{quote}module {{__name__!r}} has no attribute {{name!r}}{quote})\n\
             \n\n\
             def __dir__() -> {list}:\n{step}return sorted({{*globals(){tables}}})\n"
        ));
        out
    }
}
