//! What module an import statement loads.

use std::collections::BTreeSet;

use super::{Module, ModuleId, ModuleTree};

/// What `from <level dots><base>` names for code in `module`; `None` beyond the top package, which is an ImportError.
pub fn absolute(module: &Module, level: usize, base: &str) -> Option<String> {
    if level == 0 {
        return Some(base.to_owned());
    }
    let mut package = module.package();
    if package.is_empty() {
        return None;
    }
    for _ in 1..level {
        package = package.rsplit_once('.')?.0;
    }
    Some(if base.is_empty() { package.to_owned() } else { format!("{package}.{base}") })
}

/// Resolves imports to modules of one project.
pub struct Resolver<'t> {
    pub tree: &'t ModuleTree,
    /// Submodules whose name their package binds to something else, so that `from package import name` is not they.
    pub shadowed: &'t BTreeSet<ModuleId>,
}

/// What an import reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub module: ModuleId,
    /// Whether the imported name is the module itself: `from p import m`.
    pub is_module: bool,
    /// Whether the import names something below the module that is no module of the project, e.g. a compiled extension.
    pub falls_back: bool,
}

impl Resolver<'_> {
    /// The module that an import of `name` from `base` (absolute) loads. What does not exist below a module of the
    /// project falls back to that module.
    pub fn resolve(&self, from: ModuleId, base: &str, name: Option<&str>) -> Option<Target> {
        let root = self.tree.modules[from.index()].root;
        if let Some(name) = name
            && let Some(module) = self.tree.find(&format!("{base}.{name}"), root)
            && (!self.shadowed.contains(&module) || self.tree.modules[from.index()].name == base)
        {
            return Some(Target { module, is_module: true, falls_back: false });
        }
        let mut path = base;
        loop {
            if let Some(module) = self.tree.find(path, root) {
                let falls_back = path != base;
                return Some(Target { module, is_module: name.is_none() && !falls_back, falls_back });
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}
