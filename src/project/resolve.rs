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
    pub shadowed: &'t Shadowed,
}

/// Submodules whose name their package binds to something else, so that `from package import name` is not they.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadowed {
    pub modules: BTreeSet<ModuleId>,
    /// Dotted names of compiled ones.
    pub compiled: BTreeSet<String>,
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
    /// project falls back to that module; not so where `from` stands in that package: then it ran before, and all that
    /// the import loads is what no `.py` file of the project holds.
    pub fn resolve(&self, from: ModuleId, base: &str, name: Option<&str>) -> Option<Target> {
        let this = &self.tree.modules[from.index()];
        if let Some(name) = name {
            let path = format!("{base}.{name}");
            if let Some(module) = self.tree.find(&path, this.root)
                && (!self.shadowed.modules.contains(&module) || this.name == base)
            {
                return Some(Target { module, is_module: true, falls_back: false });
            }
            if self.tree.is_compiled(&path) && !self.shadowed.compiled.contains(&path) {
                return self.resolve(from, &path, None);
            }
        }
        let mut path = base;
        loop {
            if let Some(module) = self.tree.find(path, this.root) {
                let falls_back = path != base;
                let ran_before = falls_back && is_at_or_below(&this.name, path);
                let target = Target { module, is_module: name.is_none() && !falls_back, falls_back };
                return (!ran_before).then_some(target);
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}

/// Whether `module` is `package` or below it.
pub fn is_at_or_below(module: &str, package: &str) -> bool {
    module.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
