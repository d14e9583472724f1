//! Modules by dotted name, per source root.

use std::collections::HashMap;

use super::layout::Layout;
use super::{FileId, ModuleId, SourceFile};

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

    /// The names of all packages above the module, the topmost first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        ancestors(&self.name)
    }
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
    /// Sorted by name, then by path.
    pub modules: Vec<Module>,
    /// Whether each root holds only scripts, whose modules code elsewhere does not find.
    scripts: Vec<bool>,
    by_name: HashMap<String, Vec<ModuleId>>,
    by_file: HashMap<FileId, ModuleId>,
}

impl ModuleTree {
    /// A file belongs to the deepest root above it; a path that is no dotted name is no module.
    pub fn new(files: &[SourceFile], layout: Layout) -> Self {
        let Layout { roots, scripts } = layout;
        let scripts: Vec<bool> = roots.iter().map(|root| scripts.contains(root)).collect();
        let mut modules = Vec::with_capacity(files.len());
        let root_index: HashMap<&str, usize> = roots.iter().enumerate().map(|(i, r)| (r.as_str(), i)).collect();
        let packages: std::collections::HashSet<&str> =
            files.iter().filter_map(|f| f.path.strip_suffix("/__init__.py")).collect();
        for (index, file) in files.iter().enumerate() {
            let Some(stem) = file.path.strip_suffix(".py") else { continue };
            // A package hides a module of the same name.
            if packages.contains(stem) {
                continue;
            }
            let mut folder = stem.rsplit_once('/').map_or("", |(folder, _)| folder);
            let root = loop {
                if let Some(root) = root_index.get(folder) {
                    break Some(*root);
                }
                match folder.rsplit_once('/') {
                    Some((up, _)) => folder = up,
                    None if folder.is_empty() => break None,
                    None => folder = "",
                }
            };
            let Some(root) = root else { continue };
            let inside = if roots[root].is_empty() { stem } else { &stem[roots[root].len() + 1..] };
            let (inside, is_package) = match inside.strip_suffix("/__init__") {
                Some(package) => (package, true),
                None => (inside, false),
            };
            if !inside.split('/').all(is_identifier) || inside == "__init__" {
                continue;
            }
            modules.push(Module { name: inside.replace('/', "."), file: FileId(index as u32), root, is_package });
        }
        modules.sort_by(|a, b| (&a.name, &files[a.file.index()].path).cmp(&(&b.name, &files[b.file.index()].path)));
        let mut by_name: HashMap<String, Vec<ModuleId>> = HashMap::with_capacity(modules.len());
        let mut by_file = HashMap::with_capacity(modules.len());
        for (index, module) in modules.iter().enumerate() {
            by_name.entry(module.name.clone()).or_default().push(ModuleId(index as u32));
            by_file.insert(module.file, ModuleId(index as u32));
        }
        Self { roots, modules, scripts, by_name, by_file }
    }

    /// The roots that the modules were named from.
    pub fn layout(&self) -> Layout {
        let scripts = self.roots.iter().zip(&self.scripts).filter(|(_, s)| **s).map(|(r, _)| r.clone()).collect();
        Layout { roots: self.roots.clone(), scripts }
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

    /// Whether modules stand below this name though it is none itself.
    pub fn is_namespace(&self, name: &str) -> bool {
        let at = self.modules.partition_point(|m| m.name.as_str() < name);
        self.modules.get(at).is_some_and(|m| m.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
    }

    pub fn of_file(&self, file: FileId) -> Option<ModuleId> {
        self.by_file.get(&file).copied()
    }
}

/// Whether `text` could be a name in Python: not a keyword check, as folders named like one cannot be imported anyway.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
}
