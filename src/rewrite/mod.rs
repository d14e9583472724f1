//! From what should change in a file to its text edits. Fixes state intents; all intents of one file are printed
//! together, so that fixes of one plan share a statement, a block or a function without colliding.

mod import_text;
mod lines;
mod local;
mod on_demand;
mod remove;
mod type_checking;

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Change, NewFile};
use crate::edit::{Conflict, Edit, TextEdit};
use crate::project::{ModuleId, Project};
use crate::syntax::ast::Ast;
use crate::syntax::imports::{FileImports, imports};
use crate::syntax::{Span, parse};
pub use import_text::ImportText;
use lines::Layout;
use on_demand::Tables;

/// One thing that should become of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// The import of one name goes from where it stands. The site is an index into the file's imports.
    Remove { site: usize },
    /// The import of one name is for type checkers too: it stands under TYPE_CHECKING.
    ForTypes { site: usize },
    /// The import of one name stands at the head of the function with this span.
    Local { site: usize, function: Span },
    /// The import becomes lazy (PEP 810).
    Lazy { site: usize },
    /// An annotation becomes a string.
    Quote { span: Span },
    /// What the import binds is loaded by the module's `__getattr__` (PEP 562): `names`, which a star import brings, or the one
    /// name; and these submodules, which are no longer loaded with the package. `exports` goes into a new `__all__`.
    OnDemand { site: usize, names: Vec<String>, submodules: Vec<String>, exports: Vec<String> },
}

/// What a plan wants of a project: intents by module, and the files that come new.
#[derive(Clone, Debug, Default)]
pub struct Intents {
    pub modules: BTreeMap<ModuleId, BTreeSet<Intent>>,
    pub files: BTreeSet<NewFile>,
}

/// Why intents cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    #[error(transparent)]
    Conflict(#[from] Conflict),
    #[error("the statement cannot be taken apart: {0}")]
    Form(&'static str),
}

/// Prints all intents as one change.
///
/// Errors: the module whose intents cannot be printed, and why.
pub fn change(project: &Project, intents: &Intents) -> Result<Change, (ModuleId, RewriteError)> {
    let mut change = Change::default();
    for (module, wanted) in &intents.modules {
        let file = project.module(*module).file;
        let edit = edit(project, *module, wanted).map_err(|e| (*module, e))?;
        change.edits.insert(file, edit);
    }
    change.files.extend(intents.files.iter().cloned());
    Ok(change)
}

/// A file that is being rewritten.
pub struct Page<'p> {
    project: &'p Project,
    text: &'p str,
    /// Whether it is a package's `__init__`.
    is_package: bool,
    ast: Ast<'p>,
    imports: FileImports<'p>,
    layout: Layout,
    edits: TextEdit,
}

impl Page<'_> {
    fn add(&mut self, edit: Edit) -> Result<(), RewriteError> {
        Ok(self.edits.add(edit)?)
    }
}

fn edit(project: &Project, module: ModuleId, wanted: &BTreeSet<Intent>) -> Result<TextEdit, RewriteError> {
    let text = project.text(module);
    let ast = parse(text);
    let imports = imports(&ast);
    let is_package = project.module(module).is_package;
    let mut page =
        Page { project, text, is_package, layout: Layout::of(text), ast, imports, edits: TextEdit::default() };
    let removed: BTreeSet<usize> = wanted
        .iter()
        .filter_map(|i| match i {
            Intent::Remove { site } => Some(*site),
            _ => None,
        })
        .collect();
    let gone = remove::statements_going(&page, &removed);
    let mut typed = Vec::new();
    let mut local: BTreeMap<Span, Vec<ImportText>> = BTreeMap::new();
    let mut lazy = BTreeSet::new();
    let mut tables = Tables::default();
    for intent in wanted {
        match intent {
            Intent::Remove { .. } => {}
            Intent::ForTypes { site } => typed.push(ImportText::of(&page, *site, &gone)),
            Intent::Local { site, function } => {
                local.entry(*function).or_default().push(ImportText::of(&page, *site, &gone));
            }
            Intent::Lazy { site } => drop(lazy.insert(*site)),
            Intent::OnDemand { site, names, submodules, exports } => {
                typed.extend(tables.add(&page, *site, names, &gone));
                tables.submodules.extend(submodules.iter().cloned());
                tables.exports.extend(exports.iter().cloned());
            }
            Intent::Quote { span } => quote(&mut page, *span)?,
        }
    }
    let more = tables.imports(&page)?;
    let anchor = type_checking::add(&mut page, typed, more, &gone)?;
    tables.print(&mut page)?;
    for (function, imports) in local {
        local::add(&mut page, function, imports)?;
    }
    make_lazy(&mut page, &lazy)?;
    remove::remove(&mut page, &removed, anchor)?;
    Ok(page.edits)
}

/// Turns an annotation into a string of itself.
fn quote(page: &mut Page, span: Span) -> Result<(), RewriteError> {
    let text = span.of(page.text);
    if text.contains(['\n', '\\', '#']) {
        return Err(RewriteError::Form("the annotation spans lines"));
    }
    let mark = match (text.contains('"'), text.contains('\'')) {
        (false, _) if !page.layout.single_quotes || text.contains('\'') => '"',
        (true, true) => return Err(RewriteError::Form("the annotation holds quotes of both kinds")),
        _ => '\'',
    };
    page.add(Edit::insert(span.start, mark))?;
    page.add(Edit::insert(span.end, mark))
}

fn make_lazy(page: &mut Page, sites: &BTreeSet<usize>) -> Result<(), RewriteError> {
    let statements: BTreeSet<Span> = sites.iter().map(|s| page.imports.sites[*s].stmt).collect();
    for stmt in statements {
        let all = page.imports.sites.iter().enumerate().filter(|(_, s)| s.stmt == stmt);
        if all.clone().any(|(index, _)| !sites.contains(&index)) {
            return Err(RewriteError::Form("only some of its names can be lazy"));
        }
        page.add(Edit::insert(stmt.start, "lazy "))?;
    }
    Ok(())
}
