//! What a project is: its files, its source roots and the modules in them. A project is a value; a rewrite gives
//! a new one, and nothing here touches the disk.

mod borrower;
pub mod folders;
pub mod generated;
pub mod layout;
pub mod manifest;
mod module_set;
mod modules;
pub mod pattern;
pub mod resolve;
pub mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use borrower::{Borrowed, Borrower};
use layout::Layout;
pub use module_set::ModuleSet;
pub use modules::{Module, ModuleTree, ancestors, is_identifier};
pub use settings::Settings;

/// A file of the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A module of the project: a `.py` file under a source root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

impl FileId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ModuleId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A file that is not analysed, or not in full, or never rewritten, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    /// Relative to the project's root, with `/`.
    pub file: String,
    /// 1-based line of the trouble, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    pub reason: String,
}

/// One Python file as it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the project's root, with `/`.
    pub path: String,
    /// The text with a byte-order mark, if it had one. Bytes that are not UTF-8 stand here as `?`, one each, so that
    /// offsets are those of the file; `trouble` is set then.
    pub text: Arc<str>,
    /// Set if the file must not be rewritten: what is wrong with it.
    pub trouble: Option<Skipped>,
    /// Whether a rewrite may touch it: it lies under a PATH that the user named.
    pub writable: bool,
}

/// What was read from the disk for one project.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// `.py` files, sorted by path.
    pub files: Vec<SourceFile>,
    /// Paths of `.pyi` files, sorted.
    pub stubs: Vec<String>,
    /// Paths of extension modules, compiled or as Cython's source, sorted.
    pub extensions: Vec<String>,
    /// Cython's sources and scripts without an ending, with their texts, sorted.
    pub others: Vec<(String, Arc<str>)>,
    /// Text of each pyproject.toml, setup.cfg, setup.py and cyclefix.toml found, by relative path.
    pub manifests: BTreeMap<String, String>,
    /// Files and folders that could not be read.
    pub skipped: Vec<Skipped>,
}

/// A project: immutable, cheap to clone with changed files.
#[derive(Clone, Debug)]
pub struct Project {
    /// Where it is, as shown to the user; not used to read anything.
    pub root: String,
    /// The states of a project share the files that stay as they are.
    pub files: Vec<Arc<SourceFile>>,
    pub stubs: Arc<[String]>,
    pub skipped: Vec<Skipped>,
    pub manifests: Arc<BTreeMap<String, String>>,
    pub settings: Settings,
    pub tree: Arc<ModuleTree>,
    pub borrowers: Arc<[Borrower]>,
}

impl Project {
    /// Lays modules over the files.
    pub fn new(root: String, listing: Listing, settings: Settings, layout: Layout) -> Self {
        let tree = Arc::new(ModuleTree::new(&listing, layout));
        let Listing { files, stubs, manifests, skipped, others, extensions: _ } = listing;
        let files = files.into_iter().map(Arc::new).collect();
        let borrowers = others
            .into_iter()
            .map(|(path, text)| Borrower::new(tree.extension(&path).filter(|_| path.ends_with(".pyx")), text))
            .collect();
        let (stubs, manifests) = (stubs.into(), Arc::new(manifests));
        Self { root, files, stubs, skipped, manifests, settings, tree, borrowers }
    }

    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    pub fn module(&self, id: ModuleId) -> &Module {
        &self.tree.modules[id.index()]
    }

    pub fn text(&self, module: ModuleId) -> &str {
        &self.file(self.module(module).file).text
    }

    /// Gives a file another text.
    pub fn rewrite(&mut self, id: FileId, text: Arc<str>) {
        Arc::make_mut(&mut self.files[id.index()]).text = text;
    }

    /// Takes files from another state of the project where they are the same there, so that they are seen to be.
    pub fn share(&mut self, other: &Self) {
        for (own, others) in self.files.iter_mut().zip(&other.files) {
            if !Arc::ptr_eq(own, others) && own.path == others.path && own.text == others.text {
                own.clone_from(others);
            }
        }
    }

    /// Takes in a file that came new.
    pub fn add(&mut self, file: SourceFile) {
        Arc::make_mut(&mut self.tree).add(FileId(self.files.len() as u32), &file);
        self.files.push(Arc::new(file));
    }

    pub fn modules(&self) -> impl Iterator<Item = (ModuleId, &Module)> {
        self.tree.modules.iter().enumerate().map(|(i, m)| (ModuleId(i as u32), m))
    }
}
