//! Submodules of the standard library that a module uses without importing them: `import logging`, `logging.handlers.…`. They
//! are there as long as somebody else imports them.

use std::collections::BTreeMap;

use super::import_use::Obstacle;
use super::{Context, Reason};
use crate::outcome::Kind;
use crate::project::ModuleId;
use crate::syntax::Span;
use crate::syntax::imports::ImportSite;

/// Packages of the standard library that do not load all of their submodules (CPython 3.8 to 3.14).
const PACKAGES: [&str; 16] = [
    "concurrent",
    "ctypes",
    "curses",
    "dbm",
    "distutils",
    "email",
    "html",
    "http",
    "importlib",
    "logging",
    "tkinter",
    "unittest",
    "urllib",
    "wsgiref",
    "xml",
    "xmlrpc",
];

/// Uses of submodules that their file does not import, by package and submodule.
pub type Borrowed<'p> = BTreeMap<(&'p str, &'p str), Vec<(ModuleId, Span)>>;

/// A use of a submodule that nothing would load any more.
pub fn obstacle(ctx: &Context, lost: &[ModuleId], loaded: &dyn Fn(ModuleId) -> Vec<ModuleId>) -> Option<Obstacle> {
    let borrowed = ctx.borrowed();
    if borrowed.is_empty() {
        return None;
    }
    for module in lost {
        for part in ctx.world.graph.files[module.index()].sites.iter().filter_map(part) {
            for (user, at) in borrowed.get(&part).into_iter().flatten() {
                let had = ctx.world.graph.loads(*user).contains(module);
                if had && !loaded(*user).into_iter().any(|other| imports(ctx, other, part)) {
                    let (package, name) = part;
                    let by = &ctx.project().module(*module).name;
                    let message = format!("`{package}.{name}` is used here and loaded by `{by}` alone");
                    return Some(Obstacle::new(Reason::SubmoduleAccess, (*user, *at), message));
                }
            }
        }
    }
    None
}

/// The submodule of such a package that an import loads with its module.
fn part<'p>(site: &ImportSite<'p>) -> Option<(&'p str, &'p str)> {
    if site.kind != Kind::Eager || site.level > 0 {
        return None;
    }
    let mut names = site.module.split('.');
    let package = names.next().filter(|name| PACKAGES.contains(name))?;
    Some((package, names.next().or(site.name)?))
}

fn imports(ctx: &Context, module: ModuleId, wanted: (&str, &str)) -> bool {
    ctx.world.graph.files[module.index()].sites.iter().filter_map(part).any(|part| part == wanted)
}

/// All such uses.
pub fn all<'p>(ctx: &Context<'_, 'p>) -> Borrowed<'p> {
    let mut out = Borrowed::new();
    let modules = ctx.world.graph.files.iter().enumerate().map(|(index, file)| (ModuleId(index as u32), file));
    for (user, file) in modules {
        let own =
            |site: &&ImportSite<'p>| site.name.is_none() && !site.star && site.asname.is_none() && site.level == 0;
        let packages: Vec<&str> = file.sites.iter().filter(own).filter_map(|s| s.module.split('.').next()).collect();
        if !packages.iter().any(|package| PACKAGES.contains(package)) {
            continue;
        }
        for used in &ctx.world.names.file(user).uses {
            if let (true, Some(first)) = (packages.contains(&used.name), used.attributes.first())
                && PACKAGES.contains(&used.name)
                && !imports(ctx, user, (used.name, first.text))
            {
                out.entry((used.name, first.text)).or_default().push((user, used.span));
            }
        }
    }
    out
}
