//! Modules by dotted name, per source root.

use rustc_hash::{FxHashMap, FxHashSet};

use super::layout::Layout;
use super::{FileId, Listing, ModuleId, SourceFile};

/// One module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Dotted name, as an import would spell it.
    pub name: String,
    pub file: FileId,
    /// Index into [`ModuleTree::roots`].
    pub root: usize,
    /// Whether the file is an `__init__.py`.
    pub is_package: bool,
}

impl Module {
    /// The package that relative imports start from.
    pub fn package(&self) -> &str {
        if self.is_package { &self.name } else { self.name.rsplit_once('.').map_or("", |(package, _)| package) }
    }

    /// Whether it is a test, by its own name.
    pub fn is_test(&self) -> bool {
        is_test(self.name.rsplit_once('.').map_or(self.name.as_str(), |(_, last)| last))
    }

    /// Whether it is a test or stands among tests.
    pub fn is_among_tests(&self) -> bool {
        self.name.split('.').any(is_test)
    }

    /// The names of all packages above the module, the topmost first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        ancestors(&self.name)
    }
}

/// Whether pytest and unittest, or those who read the code, know a module or package of this name as tests.
fn is_test(part: &str) -> bool {
    matches!(part, "test" | "tests" | "testing" | "conftest")
        || part.starts_with("test_")
        || part.ends_with("_test")
        || part.ends_with("_tests")
}

/// The dotted names above `name`, the topmost first.
pub fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(at, _)| &name[..at])
}

/// All modules of a project, and the names that reach them.
#[derive(Clone, Debug)]
pub struct ModuleTree {
    /// Folders relative to the project's root; `""` is the root itself.
    pub roots: Vec<String>,
    /// Sorted by name, then by path; modules that came by a change stand behind, so that the ids of the others stay.
    pub modules: Vec<Module>,
    /// Whether each root holds only scripts, whose modules code elsewhere does not find.
    scripts: Vec<bool>,
    by_name: FxHashMap<String, Vec<ModuleId>>,
    by_file: FxHashMap<FileId, ModuleId>,
    /// Modules directly below a name, by names that stand above modules, themselves modules or not; `""` has what is below none.
    children: FxHashMap<String, Vec<ModuleId>>,
    by_root: FxHashMap<String, usize>,
    /// Dotted names of modules that are no `.py` file: compiled ones, and those that only a stub tells of.
    compiled: FxHashSet<String>,
}

impl ModuleTree {
    /// All modules among the files.
    pub fn new(listing: &Listing, layout: Layout) -> Self {
        let files = &listing.files;
        let Layout { roots, scripts } = layout;
        let by_root: FxHashMap<String, usize> = roots.iter().enumerate().map(|(i, r)| (r.clone(), i)).collect();
        let scripts: Vec<bool> = roots.iter().map(|root| scripts.contains(root)).collect();
        let packages: FxHashSet<&str> = files.iter().filter_map(|f| f.path.strip_suffix("/__init__.py")).collect();
        // A package hides a module of the same name.
        let hidden = |file: &SourceFile| file.path.strip_suffix(".py").is_some_and(|stem| packages.contains(stem));
        let visible = files.iter().enumerate().filter(|(_, file)| !hidden(file));
        let mut modules: Vec<Module> =
            visible.filter_map(|(index, file)| module(&by_root, FileId(index as u32), file)).collect();
        modules.sort_by(|a, b| (&a.name, &files[a.file.index()].path).cmp(&(&b.name, &files[b.file.index()].path)));
        let mut tree = Self {
            roots,
            modules: Vec::with_capacity(modules.len()),
            scripts,
            by_name: FxHashMap::default(),
            by_file: FxHashMap::default(),
            children: FxHashMap::default(),
            by_root,
            compiled: FxHashSet::default(),
        };
        modules.into_iter().for_each(|module| tree.push(module));
        let others = listing.extensions.iter().chain(&listing.stubs).filter_map(|path| tree.extension(path));
        tree.compiled = others.filter(|name| !tree.by_name.contains_key(name)).collect();
        tree
    }

    /// The dotted name of the extension module at a path, which may be its source.
    pub fn extension(&self, path: &str) -> Option<String> {
        let folder = path.rfind('/').map_or(0, |slash| slash + 1);
        let stem = &path[..folder + path[folder..].find('.')?];
        dotted(&self.by_root, stem).map(|(_, name, _)| name)
    }

    /// Takes a file in that came new, if it is a module.
    pub fn add(&mut self, id: FileId, file: &SourceFile) {
        if let Some(module) = module(&self.by_root, id, file) {
            self.push(module);
        }
    }

    fn push(&mut self, module: Module) {
        let id = ModuleId(self.modules.len() as u32);
        self.by_name.entry(module.name.clone()).or_default().push(id);
        self.by_file.insert(module.file, id);
        let package = module.name.rsplit_once('.').map_or("", |(package, _)| package);
        match self.children.get_mut(package) {
            Some(children) => children.push(id),
            None => {
                for name in ancestors(package) {
                    self.children.entry(name.to_owned()).or_default();
                }
                self.children.insert(package.to_owned(), vec![id]);
            }
        }
        self.modules.push(module);
    }

    /// The module of this name as code in `root` would find it: its own root first, then the others in order. Only
    /// scripts find what lies in folders of scripts.
    pub fn find(&self, name: &str, root: usize) -> Option<ModuleId> {
        let found = self.by_name.get(name)?;
        let root_of = |id: &ModuleId| self.modules[id.index()].root;
        let own = found.iter().find(|id| root_of(id) == root);
        own.or_else(|| {
            found.iter().filter(|id| !self.scripts[root_of(id)] || self.scripts[root]).min_by_key(|id| root_of(id))
        })
        .copied()
    }

    /// Whether a module of this name is there though no `.py` file is: an extension module.
    pub fn is_compiled(&self, name: &str) -> bool {
        self.compiled.contains(name)
    }

    /// The packages above a module that have an `__init__`, as its code would find them, the topmost first: they run before it.
    pub fn above(&self, module: ModuleId) -> impl Iterator<Item = ModuleId> {
        let this = &self.modules[module.index()];
        this.ancestors().filter_map(|name| self.find(name, this.root))
    }

    /// The folders in which code of a root finds its modules, in the order of [`find`](Self::find); for no root in particular,
    /// those whose modules all code finds.
    pub fn search_path(&self, root: Option<&str>) -> Vec<&str> {
        let own = self.roots.iter().position(|r| Some(r.as_str()) == root);
        let from_scripts = own.is_some_and(|own| self.scripts[own]);
        let others =
            (0..self.roots.len()).filter(|other| Some(*other) != own && (from_scripts || !self.scripts[*other]));
        own.into_iter().chain(others).map(|index| self.roots[index].as_str()).collect()
    }

    /// The modules directly below a name, sorted; for `""` those whose names have one part.
    pub fn children(&self, name: &str) -> &[ModuleId] {
        self.children.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether modules stand below this name though it is none itself.
    pub fn is_namespace(&self, name: &str) -> bool {
        !name.is_empty() && self.children.contains_key(name) && !self.by_name.contains_key(name)
    }

    pub fn of_file(&self, file: FileId) -> Option<ModuleId> {
        self.by_file.get(&file).copied()
    }
}

/// The module that a file is.
fn module(roots: &FxHashMap<String, usize>, id: FileId, file: &SourceFile) -> Option<Module> {
    let (root, name, is_package) = dotted(roots, file.path.strip_suffix(".py")?)?;
    Some(Module { name, file: id, root, is_package })
}

/// The root, the dotted name and whether it is a package of the module at a path without its ending: it belongs to the
/// deepest root above it; a path that is no dotted name is no module.
fn dotted(roots: &FxHashMap<String, usize>, stem: &str) -> Option<(usize, String, bool)> {
    let mut folder = stem.rsplit_once('/').map_or("", |(folder, _)| folder);
    let root = loop {
        if let Some(root) = roots.get(folder) {
            break *root;
        }
        match folder.rsplit_once('/') {
            Some((up, _)) => folder = up,
            None if folder.is_empty() => return None,
            None => folder = "",
        }
    };
    let inside = if folder.is_empty() { stem } else { &stem[folder.len() + 1..] };
    let (inside, is_package) = match inside.strip_suffix("/__init__") {
        Some(package) => (package, true),
        None => (inside, false),
    };
    if !inside.split('/').all(is_identifier) || inside == "__init__" {
        return None;
    }
    Some((root, inside.replace('/', "."), is_package))
}

/// Whether `text` could be a name in Python: not a keyword check, as folders named like one cannot be imported anyway.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
}
