//! What functions give back, and what that runs.

use super::kept::{Handed, Then, What};
use super::receivers::{Receivers, function_of};
use super::*;
use crate::names::scope::Gift;

/// How many calls what a function returns is followed through.
const DEPTH: usize = 4;

impl<'p> Search<'_, 'p> {
    /// The functions that a function returns, if it returns nothing else.
    pub(super) fn given(&self, module: ModuleId, function: FunctionId) -> Option<Vec<(ModuleId, FunctionId)>> {
        self.given_within(module, function, DEPTH)
    }

    fn given_within(
        &self,
        module: ModuleId,
        function: FunctionId,
        depth: usize,
    ) -> Option<Vec<(ModuleId, FunctionId)>> {
        let file = self.world.names.file(module);
        let found = file.function(function);
        let named = |name| match file.scope(found.scope).bindings.get(name) {
            Some(own) => own.iter().map(|b| function_of(b, module)).collect::<Option<Vec<_>>>(),
            None => self.functions_named(module, found.scope, name, &[]).filter(|all| !all.is_empty()),
        };
        let mut all = Vec::new();
        for gift in found.gives.as_ref()? {
            match gift {
                Gift::Lambda => {
                    let inside = self.inside(module, function).into_iter();
                    all.extend(inside.filter(|inner| file.function(*inner).is_lambda).map(|inner| (module, inner)));
                }
                Gift::Name(name) => all.extend(named(name)?),
                Gift::Result(name, only) => {
                    let of_own = |name: &&str| found.params.contains(name);
                    for (home, called) in named(name)? {
                        if only.as_ref().is_some_and(of_own) && self.gives_parameters(home, called) {
                            continue;
                        }
                        all.extend(self.given_within(home, called, depth.checked_sub(1)?)?);
                    }
                }
            }
        }
        all.iter().all(|function| self.is_plain(*function)).then_some(all)
    }

    /// Whether a function gives back nothing but what it is handed.
    fn gives_parameters(&self, module: ModuleId, function: FunctionId) -> bool {
        let found = self.world.names.file(module).function(function);
        let own = |gift: &Gift| matches!(gift, Gift::Name(name) if found.params.contains(name));
        found.gives.as_ref().is_some_and(|gifts| gifts.iter().all(own))
    }

    /// Whether a function is what its name stands for.
    fn is_plain(&self, (module, function): (ModuleId, FunctionId)) -> bool {
        self.world.names.file(module).function(function).is_plain()
    }

    /// Whether a decorator is a function of the project that gives a function in turn, so that reading the method runs nothing.
    pub(super) fn gives_functions(&self, module: ModuleId, scope: ScopeId, path: &[&'p str], by_call: bool) -> bool {
        let Some((name, attributes)) = path.split_first() else { return false };
        let made = self.functions_named(module, scope, name, attributes).unwrap_or_default();
        // What it is handed it may give back as it is.
        let plain = |(home, function): (ModuleId, FunctionId)| {
            let file = self.world.names.file(home);
            let found = file.function(function);
            let gives_function = |gift: &Gift| match gift {
                Gift::Lambda => true,
                Gift::Result(..) => false,
                Gift::Name(name) => file.scope(found.scope).bindings.get(name).is_some_and(|all| {
                    all.iter()
                        .all(|b| b.what == Bound::Parameter || function_of(b, home).is_some_and(|f| self.is_plain(f)))
                }),
            };
            found.gives.as_ref().is_some_and(|gifts| gifts.iter().all(gives_function))
                || self.given(home, function).is_some()
        };
        let found = made.iter().all(|&(home, function)| match by_call {
            true => self.given(home, function).is_some_and(|inner| inner.into_iter().all(plain)),
            false => plain((home, function)),
        });
        !made.is_empty() && found
    }

    /// A function returns one of its own parameters: what decorates with it leaves what it decorates as it is. What other calls
    /// give may be called.
    pub(super) fn returns_parameter(&mut self, module: ModuleId, used: &Use<'p>) -> bool {
        let Moment::Call(by) = used.moment else { return false };
        used.attributes.is_empty() && self.returns_name(module, used.scope, used.name, by)
    }

    fn returns_name(&mut self, module: ModuleId, scope: ScopeId, name: &'p str, by: FunctionId) -> bool {
        let file = self.world.names.file(module);
        let Some(owner) = file.owner(name, scope) else { return false };
        let (ScopeKind::Function(function), [Binding { what: Bound::Parameter, .. }]) =
            (file.scope(owner).kind, file.scope(owner).bindings[name].as_slice())
        else {
            return false;
        };
        if by != function {
            return false;
        }
        let param = (module, function, name);
        if self.returned.insert(param) && !self.callers.contains(&param) {
            for value in self.handed.get(&param).cloned().unwrap_or_default() {
                self.hand_back(&value);
            }
        }
        true
    }

    /// A function gives back what it was handed.
    pub(super) fn hand_back(&mut self, value: &Handed<'p>) {
        match (value.then, &value.what) {
            (Then::Named, _) => {}
            (Then::Returned(by), What::Name { scope, name, attributes }) if attributes.is_empty() => {
                if !self.returns_name(value.module, *scope, name, by) {
                    self.hand(value);
                }
            }
            _ => self.hand(value),
        }
    }

    /// Code in `scope` calls or hands on a parameter, of the function around it or of one further out. What is only returned
    /// and uses it then is as good as the parameter: who calls it calls that.
    pub(super) fn uses_parameter(&mut self, module: ModuleId, scope: ScopeId, owner: ScopeId, param: &'p str) {
        match self.nested(module, scope, owner) {
            Some(nested) if self.world.names.file(module).is_only_returned(owner, nested) => {
                let ScopeKind::Function(function) = self.world.names.file(module).scope(owner).kind else { return };
                if !self.returns_name(module, owner, param, function) {
                    self.calls_parameter(module, owner, param);
                }
            }
            _ => self.calls_parameter(module, owner, param),
        }
    }

    /// The outermost function around `scope` that stands in the function whose scope is `owner`.
    fn nested(&self, module: ModuleId, scope: ScopeId, owner: ScopeId) -> Option<FunctionId> {
        let file = self.world.names.file(module);
        let (mut at, mut found) = (scope, None);
        while at != owner {
            if let ScopeKind::Function(function) = file.scope(at).kind {
                found = Some(function);
            }
            at = file.scope(at).parent?;
        }
        found
    }

    /// What a function of the project gave is called, or holds such: once, as in `@f(…)` and `f(…)(…)`, or `ever` after.
    pub(super) fn result_of(
        &mut self,
        module: ModuleId,
        scope: ScopeId,
        name: &'p str,
        attributes: &[&'p str],
        ever: bool,
    ) {
        match (self.functions_named(module, scope, name, attributes), attributes.last()) {
            (Some(found), _) => found.into_iter().for_each(|function| self.result_is_called(function, ever)),
            // A method of some object.
            (None, Some(method)) => {
                if self.results_by_name.insert((method, ever)) {
                    self.classes.live(method).into_iter().for_each(|function| self.result_is_called(function, ever));
                }
            }
            (None, None) => {}
        }
    }

    /// What a function returned is called: the functions in it may run.
    fn result_is_called(&mut self, (module, function): (ModuleId, FunctionId), ever: bool) {
        if ever && !self.results.insert((module, function)) {
            return;
        }
        for inner in self.inside(module, function) {
            self.run(module, inner);
            if ever {
                self.result_is_called((module, inner), true);
            }
        }
    }

    /// What is done with the results of all methods of a name is done with that of one more.
    pub(super) fn result_by_name(&mut self, name: &'p str, function: (ModuleId, FunctionId)) {
        for ever in [false, true] {
            if self.results_by_name.contains(&(name, ever)) {
                self.result_is_called(function, ever);
            }
        }
        for (place, value) in self.handed_to_results.get(name).cloned().unwrap_or_default() {
            self.hand_to_result(function, place, value);
        }
    }

    /// What a function returns gets an argument.
    pub(super) fn hand_to_result(
        &mut self,
        (module, function): (ModuleId, FunctionId),
        place: Place<'p>,
        value: Handed<'p>,
    ) {
        match self.given(module, function) {
            Some(functions) => self.hand_to(Receivers::functions(functions), place, value),
            None => self.hand(&value),
        }
    }

    /// Functions that stand directly in a function.
    fn inside(&self, module: ModuleId, function: FunctionId) -> Vec<FunctionId> {
        let functions = self.world.names.file(module).functions.iter().enumerate();
        functions.filter(|(_, f)| f.outer == Some(function)).map(|(index, _)| FunctionId(index as u32)).collect()
    }
}
