//! Settings: variables of a package that the code of its users may assign, `package.api_key = …`. Nothing in the project tells
//! which they are; what looks like one is looked up where it was, and when it was.

use super::import_use::Obstacle;
use super::{Context, Reason};
use crate::names::Bound;
use crate::names::scope::Binding;
use crate::project::ModuleId;

/// What stands against reading a name early or elsewhere that `seen` has for its users, and `home` binds.
pub fn obstacle(ctx: &Context, (seen, shown): (ModuleId, &str), (home, name): (ModuleId, &str)) -> Option<Obstacle> {
    let project = ctx.project();
    let path = &project.module(seen).name;
    if path.split('.').chain([shown, name]).any(|part| part.starts_with('_')) {
        return None;
    }
    let bindings = ctx.world.names.file(home).bindings(name);
    let text = project.text(home);
    let first = bindings.first()?;
    bindings.iter().all(|binding| is_to_be_set(binding, text)).then(|| {
        let message = format!("`{path}.{shown}` is looked up when the code runs: whoever uses the package may set it");
        Obstacle::new(Reason::PatchedName, (home, first.span), message)
    })
}

/// Whether a variable is bound to a value that says little by itself: nothing, yes or no; a text or number, if the name is not
/// that of a constant.
fn is_to_be_set(binding: &Binding, text: &str) -> bool {
    let name = binding.span.of(text);
    let after = text.get(binding.span.end..).unwrap_or_default();
    let line = after.lines().next().unwrap_or_default();
    let Some((annotation, value)) = line.split_once('=').filter(|_| binding.what == Bound::Value) else { return false };
    if !annotation.trim().is_empty() && !annotation.trim_start().starts_with(':') {
        return false;
    }
    let value = value.split('#').next().unwrap_or_default().trim();
    let is_plain = value.starts_with(['"', '\'']) || value.parse::<f64>().is_ok();
    matches!(value, "None" | "True" | "False") || is_plain && name.chars().any(char::is_lowercase)
}
