//! Functions that a compiler takes, which knows no imports inside functions.

use super::Context;
use crate::names::scope::{FunctionId, MODULE, Reference};
use crate::names::{Bound, Object, Role};
use crate::project::ModuleId;

/// Compilers of functions, by the dotted names that begin with them. What only traces a function, as `jax.jit`, runs its imports.
const COMPILERS: [&str; 12] = [
    "cupyx.jit",
    "cython",
    "numba",
    "pyccel",
    "pythran",
    "taichi",
    "tilelang",
    "torch.jit",
    "triton",
    "tvm.script",
    "warp",
    "transonic",
];

/// How many names are followed from a decorator to the compiler behind it.
const DEPTH: usize = 3;

/// The name of what compiles a function, a function in or around it, or the class that it is a method of.
pub fn compiled_by(ctx: &Context, module: ModuleId, function: FunctionId) -> Option<String> {
    let file = ctx.world.names.file(module);
    let mut at = Some(function);
    let around = std::iter::from_fn(|| {
        let id = at?;
        at = file.function(id).outer;
        Some(file.function(id))
    });
    for found in around {
        let class = found.class.map(|class| file.class(class));
        let decorators = found.decorators.iter().chain(class.into_iter().flat_map(|class| &class.decorators));
        let by_decorator = decorators.filter(|path| !path.is_empty()).find_map(|path| {
            compiler(ctx, module, &Reference { name: path[0], attributes: path[1..].to_vec() }, DEPTH)
        });
        // `f = njit(f)`.
        let handed = file.uses.iter().filter(|u| u.role == Role::Argument && u.name == found.name);
        let by_call = || handed.filter_map(|u| u.passed_to()).find_map(|callee| compiler(ctx, module, callee, DEPTH));
        if let Some(compiler) = by_decorator.or_else(by_call) {
            return Some(compiler);
        }
    }
    None
}

/// The compiler that a name of a module stands for, or hands on to: what a variable holds, what a function of the project uses.
fn compiler(ctx: &Context, module: ModuleId, of: &Reference, depth: usize) -> Option<String> {
    ctx.world.traces(module, MODULE, of.name, &of.attributes).into_iter().find_map(|trace| match trace.object {
        Object::External(path) => {
            let is =
                |name: &&str| path.strip_prefix(*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            COMPILERS.iter().any(is).then_some(path)
        }
        Object::Attribute { module: home, name, .. } => {
            let depth = depth.checked_sub(1)?;
            let file = ctx.world.names.file(home);
            file.bindings(name).iter().find_map(|binding| match binding.what {
                Bound::Function(id) => {
                    let span = file.function(id).span;
                    let inside = file.uses.iter().filter(|u| span.contains(u.span));
                    let handed = inside.filter(|u| matches!(u.role, Role::Called | Role::Returned | Role::Decorator));
                    handed.map(|u| u.reference()).find_map(|of| compiler(ctx, home, &of, depth))
                }
                Bound::Value => binding.from.iter().find_map(|of| compiler(ctx, home, of, depth)),
                _ => None,
            })
        }
        _ => None,
    })
}
