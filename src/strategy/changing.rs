//! Objects that code changes in place: who reads one finds another at another time.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use crate::names::effects::method_changes;
use crate::names::methods::READING;
use crate::names::scope::{MODULE, Reference};
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::project::ModuleId;

/// Whether code changes the object in place that a name of a module is bound to. Of a class, it is the attribute that counts.
pub fn is_changed(ctx: &Context, home: ModuleId, name: &str, attribute: Option<&str>) -> bool {
    Changing { ctx, home, name }.is_changed(attribute)
}

/// Where a module may change the object in place that a name stands for.
#[derive(Debug, Default)]
pub struct MayChange {
    /// The module's uses that may, by place, and how many of their attributes lead to the object.
    uses: Vec<(usize, usize)>,
    /// E.g. `from m import options`, then `options |= …`.
    grows: bool,
}

/// What a module may change in place, by the module and name that it is bound to.
pub fn may_change(ctx: &Context, user: ModuleId) -> BTreeMap<ModuleId, BTreeMap<String, MayChange>> {
    let file = ctx.world.names.file(user);
    let mut out: BTreeMap<ModuleId, BTreeMap<String, MayChange>> = BTreeMap::new();
    let may = |used: &Use| match (used.role, used.attributes.last()) {
        (Role::Store | Role::Delete, _) => true,
        (Role::Called, Some(last)) => !READING.contains(&last.text),
        _ => false,
    };
    for (index, used) in file.uses.iter().enumerate().filter(|(_, used)| may(used)) {
        if let Object::Attribute { module, name, rest } = ctx.world.trace_use(user, used).object {
            let found = out.entry(module).or_default().entry(name.to_owned()).or_default();
            found.uses.push((index, used.attributes.len() - rest.len()));
        }
    }
    let module_level = file.scope(MODULE).bindings.values();
    for bindings in module_level.filter(|all| all.iter().any(|b| b.what == Bound::Value)) {
        for binding in bindings {
            if let Bound::Import(site) = binding.what
                && let Object::Attribute { module, name, .. } = ctx.world.site_object(user, site)
                && module != user
            {
                out.entry(module).or_default().entry(name.to_owned()).or_default().grows = true;
            }
        }
    }
    out
}

/// A name of a module, and what changes the object that it is bound to.
struct Changing<'c, 'x, 'p> {
    ctx: &'x Context<'c, 'p>,
    home: ModuleId,
    name: &'x str,
}

impl Changing<'_, '_, '_> {
    /// Whether code changes it: not only the module's own body.
    fn is_changed(&self, attribute: Option<&str>) -> bool {
        let bindings = self.ctx.world.names.file(self.home).bindings(self.name);
        let is_value = bindings.iter().all(|b| b.what == Bound::Value);
        if !is_value && attribute.is_none() {
            return false;
        }
        let changes = |used: &Use, rest: &[&str]| match (used.role, rest.last()) {
            (Role::Store | Role::Delete, last) => is_value || last.copied() == attribute,
            (Role::Called, Some(last)) if is_value && !READING.contains(last) => {
                method_changes(self.ctx.world, self.home, self.name, rest).unwrap_or(true)
            }
            _ => false,
        };
        is_value && self.has_method_of_its_own_name()
            || self.users().into_iter().any(|user| {
                let may_change = self.ctx.may_change(user);
                let found = may_change.get(&self.home).and_then(|names| names.get(self.name));
                let elsewhere = |used: &Use| user != self.home || used.moment != Moment::Import;
                let uses = &self.ctx.world.names.file(user).uses;
                found.is_some_and(|found| {
                    is_value && found.grows
                        || found.uses.iter().any(|&(index, behind)| {
                            let used = &uses[index];
                            let rest: Vec<&str> = used.attributes[behind..].iter().map(|a| a.text).collect();
                            elsewhere(used) && changes(used, &rest)
                        })
                })
            })
    }

    /// E.g. `push = items.append`, for others to call.
    fn has_method_of_its_own_name(&self) -> bool {
        let changes = |from: &Reference| {
            from.name == self.name && from.attributes.last().is_some_and(|method| !READING.contains(method))
        };
        let all = self.ctx.world.names.file(self.home).scope(MODULE).bindings.iter();
        let mut aliases = all.filter(|(_, all)| all.iter().any(|b| b.from.iter().any(changes)));
        aliases.any(|(alias, _)| self.ctx.users.uses(self.home, alias).next().is_some())
    }

    /// The module and all that take the name, from whomever; tests aside, which put back what they change.
    fn users(&self) -> BTreeSet<ModuleId> {
        let mut users = BTreeSet::from([self.home]);
        let mut todo = vec![self.home];
        while let Some(module) = todo.pop() {
            let all = self.ctx.users.of(module).stars.iter().map(|(user, _)| *user);
            let all = all.chain(self.ctx.users.uses(module, self.name).map(|u| u.user));
            todo.extend(all.filter(|u| !self.ctx.project().module(*u).is_among_tests() && users.insert(*u)));
        }
        users
    }
}
