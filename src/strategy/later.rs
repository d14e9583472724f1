//! What may be different when a module is loaded later than now: what it reads while it is loaded and others may change.

use std::collections::BTreeSet;

use super::loading::loaded_later;
use super::movable::READING;
use super::{Context, ImportId};
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::project::ModuleId;

/// Names of the standard library, and all below them, that are another thing at another time.
const CHANGING: [&str; 6] = ["os.environ", "os.environb", "sys.argv", "sys.path", "sys.modules", "sys.meta_path"];

/// Functions of the standard library, and all below them, that give another thing at another time.
const ASKING: [&str; 26] = [
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "getpass.getuser",
    "glob.glob",
    "io.open",
    "locale.getlocale",
    "os.getcwd",
    "os.getenv",
    "os.getpid",
    "os.listdir",
    "os.path.exists",
    "os.path.isdir",
    "os.path.isfile",
    "os.scandir",
    "os.stat",
    "os.urandom",
    "pathlib.Path.cwd",
    "random",
    "secrets",
    "tempfile",
    "time",
    "uuid.uuid1",
    "uuid.uuid4",
    "shutil.which",
];

/// Why it may show that an import does not run where it stands: a module that is then loaded later reads what may change.
pub fn doubt(ctx: &Context, id: ImportId) -> Option<String> {
    loaded_later(ctx, id)
        .into_iter()
        .find_map(|module| {
            let read = ctx.reads_what_changes(module)?;
            let name = &ctx.project().module(module).name;
            Some(format!("`{name}` reads `{read}` when it is loaded, which may be another by then"))
        })
        .or_else(|| asked_half_way(ctx, id))
}

/// A module that the target loads, and that asks one which leads to it what it holds so far: that depends on who comes first.
fn asked_half_way(ctx: &Context, id: ImportId) -> Option<String> {
    let target = ctx.world.graph.targets[id.module.index()][id.site]?.module;
    ctx.world.graph.loads(target).iter().find_map(|module| {
        let asked = ctx.asks_half_way(module)?;
        let name = |module: ModuleId| &ctx.project().module(module).name;
        Some(format!("`{}` asks `{}`, when it is loaded, what that holds so far", name(module), name(asked)))
    })
}

/// The first module that a module asks while it is loaded what it holds, and that leads to it.
pub fn asks_half_way(ctx: &Context, module: ModuleId) -> Option<ModuleId> {
    let asks = |used: &&Use| {
        let to = |used: &Use| used.passed_to.as_ref().map_or("", |to| to.name).to_owned();
        let asks = used.role == Role::Inspected
            || used.role == Role::Argument && matches!(to(used).as_str(), "dir" | "vars" | "getattr" | "hasattr");
        used.moment == Moment::Import && asks
    };
    let uses = ctx.world.names.file(module).uses.iter().filter(asks);
    let asked = uses.filter_map(|used| match ctx.world.trace_use(module, used).object {
        Object::Module(asked) if asked != module => Some(asked),
        _ => None,
    });
    asked.into_iter().find(|asked| ctx.world.graph.loads(*asked).contains(&module))
}

/// What a module reads while it is loaded that may be another thing later.
pub fn read(ctx: &Context, module: ModuleId) -> Option<String> {
    // Tests replace names for a while, and put them back.
    let is_test = |user: ModuleId| ctx.project().module(user).is_among_tests();
    let file = ctx.world.names.file(module);
    let at_import = file.uses.iter().filter(|u| u.moment == Moment::Import);
    at_import.into_iter().find_map(|used| {
        let called = matches!(used.role, Role::Called | Role::Decorator);
        match ctx.world.trace_use(module, used).object {
            Object::External(path) => {
                let is_of =
                    |name: &&&str| path.strip_prefix(**name).is_some_and(|r| r.is_empty() || r.starts_with('.'));
                let changes = CHANGING.iter().find(is_of);
                changes.or_else(|| ASKING.iter().filter(|_| called).find(is_of)).map(|_| path.clone())
            }
            Object::Unknown if called && used.owner.is_none() && used.name == "open" => Some("open".to_owned()),
            Object::Attribute { module: home, name, .. } if home != module => {
                let rebound = ctx.world.names.file(home).bindings(name).iter().any(|b| b.from_inside);
                let replaced = || ctx.users.replaced(home, name).is_some_and(|(user, _)| !is_test(user));
                (rebound || replaced() || is_changed(ctx, home, name))
                    .then(|| format!("{}.{name}", ctx.project().module(home).name))
            }
            _ => None,
        }
    })
}

/// Whether code changes the object in place that a name of a module is bound to: not only the module's own body.
fn is_changed<'p>(ctx: &Context<'_, 'p>, home: ModuleId, name: &str) -> bool {
    let bindings = ctx.world.names.file(home).bindings(name);
    if !bindings.iter().all(|b| b.what == Bound::Value) {
        return false;
    }
    let changes = |used: &Use| match used.role {
        Role::Store | Role::Delete => true,
        Role::Called => used.attributes.last().is_some_and(|a| !READING.contains(&a.text)),
        _ => false,
    };
    let of_it = |user: ModuleId, used: &Use<'p>| match ctx.world.trace_use(user, used).object {
        Object::Attribute { module, name: other, .. } => module == home && other == name,
        _ => false,
    };
    let mut users = BTreeSet::from([home]);
    let mut todo = vec![home];
    while let Some(module) = todo.pop() {
        // Who takes the name may pass it on.
        let all = ctx.users.of(module).stars.iter().map(|(user, _)| *user);
        let all = all.chain(ctx.users.uses(module, name).map(|u| u.user));
        todo.extend(all.filter(|user| !ctx.project().module(*user).is_among_tests() && users.insert(*user)));
    }
    users.into_iter().any(|user| {
        let counts = |used: &&Use| user != home || used.moment != Moment::Import;
        ctx.world.names.file(user).uses.iter().filter(counts).any(|used| changes(used) && of_it(user, used))
    })
}
