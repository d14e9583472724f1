//! Objects that code changes in place: who reads one finds another at another time.

use std::collections::BTreeSet;

use super::Context;
use crate::names::effects::method_changes;
use crate::names::methods::READING;
use crate::names::scope::{Binding, MODULE, Reference};
use crate::names::{Bound, Moment, Object, Role, Use};
use crate::project::ModuleId;

/// Whether code changes the object in place that a name of a module is bound to. Of a class, it is the attribute that counts.
pub fn is_changed(ctx: &Context, home: ModuleId, name: &str, attribute: Option<&str>) -> bool {
    Changing { ctx, home, name }.is_changed(attribute)
}

/// A name of a module, and what changes the object that it is bound to.
struct Changing<'c, 'x, 'p> {
    ctx: &'x Context<'c, 'p>,
    home: ModuleId,
    name: &'x str,
}

impl<'p> Changing<'_, '_, 'p> {
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
                let elsewhere = |used: &&Use| user != self.home || used.moment != Moment::Import;
                let uses = self.ctx.world.names.file(user).uses.iter().filter(elsewhere);
                is_value && self.grows_in(user)
                    || uses.into_iter().any(|used| self.reached(user, used).is_some_and(|rest| changes(used, &rest)))
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

    /// E.g. `from m import options`, then `options |= …`.
    fn grows_in(&self, user: ModuleId) -> bool {
        let is_it = |binding: &Binding| match binding.what {
            Bound::Import(site) => matches!(
                self.ctx.world.site_object(user, site),
                Object::Attribute { module, name, .. } if (module, name) == (self.home, self.name)
            ),
            _ => false,
        };
        let mut all = self.ctx.world.names.file(user).scope(MODULE).bindings.values();
        user != self.home && all.any(|all| all.iter().any(|b| b.what == Bound::Value) && all.iter().any(is_it))
    }

    /// What stands behind the name in a use of it.
    fn reached<'u>(&self, user: ModuleId, used: &'u Use<'p>) -> Option<Vec<&'u str>> {
        match self.ctx.world.trace_use(user, used).object {
            Object::Attribute { module, name, rest } if (module, name) == (self.home, self.name) => {
                let behind = used.attributes.len() - rest.len();
                Some(used.attributes[behind..].iter().map(|a| a.text).collect())
            }
            _ => None,
        }
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
