//! Whether the file of a module may be rewritten at all.

use super::{Context, Reason};
use crate::project::ModuleId;

/// What stands against rewriting the file of a module, with the words for it.
pub fn not_writable(ctx: &Context, module: ModuleId) -> Option<(Reason, String)> {
    let this = ctx.project().module(module);
    let source = ctx.project().file(this.file);
    let unread = |message: String| Some((Reason::NotWritable, message));
    if let Some(trouble) = &source.trouble {
        unread(trouble.reason.clone())
    } else if !source.writable {
        unread(format!("the file of `{}` lies outside the given paths", this.name))
    } else if ctx.world.graph.files[module.index()].error.is_some() {
        unread(format!("the file of `{}` holds text that could not be parsed", this.name))
    } else if ctx.world.names.file(module).normalised {
        unread(format!("the file of `{}` holds a name that Python may read as another one (NFKC)", this.name))
    } else if ctx.is_generated(module) {
        Some((Reason::GeneratedFile, format!("the file of `{}` says that it is generated", this.name)))
    } else {
        None
    }
}
