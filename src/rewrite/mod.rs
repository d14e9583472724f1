//! From what should change in a file to its text edits. Fixes state intents; all intents of one file are printed
//! together, so that fixes of one plan share a statement, a block or a function without colliding.

pub mod answers;
mod block;
mod comments;
mod head;
mod import_text;
pub mod lines;
mod local;
pub mod moving;
mod on_demand;
mod remove;
mod spacing;
mod type_checking;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::change::{Change, NewFile};
use crate::edit::{Conflict, Edit, TextEdit};
use crate::project::{ModuleId, Project};
use crate::syntax::ast::Ast;
use crate::syntax::imports::{FileImports, imports};
use crate::syntax::{Span, parse};
pub use import_text::{ImportText, name_key};
use lines::Layout;
use on_demand::Tables;

/// One thing that should become of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// The import of one name goes from where it stands. The site is an index into the file's imports.
    Remove { site: usize },
    /// Comment lines right above an import that goes do so as well.
    Uncomment { comments: Span },
    /// The import of one name is for type checkers too: it stands under TYPE_CHECKING.
    ForTypes { site: usize },
    /// The import of one name stands at the head of the function with this span.
    Local { site: usize, function: Span },
    /// The import becomes lazy (PEP 810).
    Lazy { site: usize },
    /// An annotation becomes a string.
    Quote { span: Span },
    /// What the import binds is loaded by the module's `__getattr__` (PEP 562): `names`, which a star import brings, or the one
    /// name; and these submodules, which are no longer loaded with the package.
    OnDemand { site: usize, names: Vec<String>, submodules: Vec<String> },
    /// An import joins those at the head of the module.
    Import(ImportText),
    /// An import joins those under TYPE_CHECKING.
    ImportForTypes(ImportText),
    /// The import of one name is replaced by another where it stands.
    Reimport { site: usize, import: ImportText },
    /// Text is replaced: an expression, or a definition.
    Replace { span: Span, text: String },
    /// A statement of the module's top level goes, with its comments.
    Take { statement: Span },
    /// Definitions stand at the end of the module.
    Append { text: String },
    /// The whole file gets a new text; nothing else may be wanted of it.
    Whole { text: String },
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

/// Intents as they were printed.
pub struct Printed {
    pub intents: Intents,
    pub change: Change,
}

/// Prints all intents as one change. What is the same as was `printed` before for the same project is taken from there; `tree`
/// gives the syntax tree of a module.
///
/// Errors: the module whose intents cannot be printed, and why.
pub fn change<'p>(
    project: &'p Project,
    intents: &Intents,
    printed: Option<&Printed>,
    tree: &(dyn Fn(ModuleId) -> Arc<Ast<'p>> + Sync),
) -> Result<Change, (ModuleId, RewriteError)> {
    // Where other files come new, imports may sort in another way.
    let printed = printed.filter(|printed| printed.intents.files == intents.files);
    let mut change = Change { files: intents.files.iter().cloned().collect(), ..Change::default() };
    // Imports of modules that come new sort with those of the project.
    let with_new = (!change.files.is_empty()).then(|| change.apply(project));
    let project = with_new.as_ref().unwrap_or(project);
    let print = |(module, wanted): (&ModuleId, &BTreeSet<Intent>)| {
        let file = project.module(*module).file;
        let same = printed.filter(|printed| printed.intents.modules.get(module) == Some(wanted));
        let edit = match same.and_then(|printed| printed.change.edits.get(&file)) {
            Some(edit) => edit.clone(),
            None => edits(project, *module, tree(*module), wanted).map_err(|e| (*module, e))?,
        };
        Ok((file, edit))
    };
    let printed: Vec<Result<_, _>> = intents.modules.par_iter().map(print).collect();
    change.edits = printed.into_iter().collect::<Result<_, _>>()?;
    Ok(change)
}

/// A file that is being rewritten.
pub struct Page<'p> {
    project: &'p Project,
    text: &'p str,
    /// Whether it is a package's `__init__`.
    is_package: bool,
    ast: Arc<Ast<'p>>,
    imports: FileImports<'p>,
    layout: Layout,
    edits: TextEdit,
}

impl<'p> Page<'p> {
    /// `ast` is that of the module.
    fn of(project: &'p Project, module: ModuleId, ast: Arc<Ast<'p>>) -> Self {
        let text = project.text(module);
        let imports = imports(&ast);
        let is_package = project.module(module).is_package;
        let layout = Layout::of(text).styled(&project.settings.import_style);
        Self { project, text, is_package, layout, ast, imports, edits: TextEdit::default() }
    }

    fn add(&mut self, edit: Edit) -> Result<(), RewriteError> {
        Ok(self.edits.add(edit)?)
    }
}

/// The text edits that intents for one module, of which this is the syntax tree, come to.
///
/// Errors: what cannot be printed, or not together.
pub fn edits<'p>(
    project: &'p Project,
    module: ModuleId,
    ast: Arc<Ast<'p>>,
    wanted: &BTreeSet<Intent>,
) -> Result<TextEdit, RewriteError> {
    let mut page = Page::of(project, module, ast);
    if let Some(Intent::Whole { text: new }) = wanted.iter().find(|i| matches!(i, Intent::Whole { .. })) {
        if wanted.len() > 1 {
            return Err(RewriteError::Form("its file is written anew by another fix"));
        }
        return Ok(spacing::spaced(&page, spacing::by_lines(page.text, new)));
    }
    let guards = remove::empty_guards(&page, &plainly_removed(wanted));
    let removed: BTreeSet<usize> = wanted
        .iter()
        .filter_map(|i| match i {
            Intent::Remove { site } | Intent::Reimport { site, .. } => Some(*site),
            _ => None,
        })
        .chain(remove::guard_import(&page, &guards))
        .collect();
    let gone = remove::statements_going(&page, &removed);
    let mut typed = Vec::new();
    let mut new = Vec::new();
    let mut instead: BTreeMap<usize, ImportText> = BTreeMap::new();
    let mut local: BTreeMap<Span, Vec<ImportText>> = BTreeMap::new();
    let mut told: BTreeMap<Span, Span> = BTreeMap::new();
    let mut lazy = BTreeSet::new();
    let mut tables = Tables::default();
    let mut taken = BTreeSet::new();
    let mut uncommented = BTreeSet::new();
    for intent in wanted {
        match intent {
            Intent::Remove { .. } | Intent::Whole { .. } => {}
            Intent::Uncomment { comments } => drop(uncommented.insert(*comments)),
            Intent::ForTypes { site } => typed.push(ImportText::of(&page, *site, &gone).for_types()),
            Intent::Local { site, function } => {
                let import = ImportText::of(&page, *site, &gone).in_function();
                let first = *told.entry(page.imports.sites[*site].stmt).or_insert(*function);
                let import = if first == *function { import } else { import.repeated() };
                local.entry(*function).or_default().push(import);
            }
            Intent::Lazy { site } => drop(lazy.insert(*site)),
            Intent::OnDemand { site, names, submodules } => {
                typed.extend(tables.add(&page, *site, names, &gone));
                tables.submodules.extend(submodules.iter().cloned());
            }
            Intent::Quote { span } => quote(&mut page, *span)?,
            Intent::Import(import) => new.push(import.clone()),
            Intent::ImportForTypes(import) => typed.push(import.clone()),
            Intent::Reimport { site, import } => {
                let ImportText { comment, above, .. } = ImportText::of(&page, *site, &gone);
                instead.insert(*site, ImportText { comment, above, ..import.clone() });
            }
            Intent::Take { statement } => drop(taken.insert(*statement)),
            Intent::Append { text } => moving::append(&mut page, text)?,
            Intent::Replace { span, text } => page.add(Edit::replace(span.range(), text.clone()))?,
        }
    }
    let in_place = head::replace(&mut page, instead, &gone)?;
    head::add(&mut page, new, &gone)?;
    let standard = tables.imports(&page)?;
    let anchor = type_checking::add(&mut page, typed, standard, &gone)?;
    tables.print(&mut page)?;
    for (function, imports) in local {
        local::add(&mut page, function, imports, &removed)?;
    }
    make_lazy(&mut page, &lazy)?;
    moving::take(&mut page, &taken)?;
    let removed = removed.into_iter().filter(|s| !in_place.contains(&page.imports.sites[*s].stmt)).collect();
    remove::remove(&mut page, &removed, &guards, &uncommented, anchor)?;
    let edits = std::mem::take(&mut page.edits);
    Ok(spacing::spaced(&page, edits))
}

/// The imports that go without another in their place; none, if some come for type checkers.
fn plainly_removed(wanted: &BTreeSet<Intent>) -> BTreeSet<usize> {
    if wanted.iter().any(|i| matches!(i, Intent::ForTypes { .. } | Intent::ImportForTypes(_) | Intent::OnDemand { .. }))
    {
        return BTreeSet::new();
    }
    let removed = wanted.iter().filter_map(|i| if let Intent::Remove { site } = i { Some(*site) } else { None });
    removed.collect()
}

/// Prints imports as the block of a module that is laid out `like` another text.
pub fn import_block(project: &Project, like: &str, imports: Vec<ImportText>) -> String {
    let ast = Arc::new(parse(""));
    let none = self::imports(&ast);
    let layout = Layout::of(like).styled(&project.settings.import_style);
    let page = Page { project, text: "", is_package: false, layout, ast, imports: none, edits: TextEdit::default() };
    let newline = page.layout.newline;
    let mut out = String::new();
    for (_, statement) in ImportText::print(&page, imports, "") {
        out.push_str(&format!("{statement}{newline}"));
    }
    out
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
