//! A plan with the steps that led to it, so that what goes wrong when it runs can be traced to the fix that caused it.

use std::collections::BTreeSet;
use std::sync::Arc;

use elsa::FrozenVec;

use super::{ImportKey, intents, key, report};
use crate::names::scope::MODULE;
use crate::names::users::{is_internal, is_public};
use crate::names::{Bound, World};
use crate::outcome::{FileChange, ProjectOutcome};
use crate::project::{ModuleId, Project};
use crate::rewrite;
use crate::strategy::{Context, Fix};
use crate::syntax::parse;

/// A fix that is not taken again, because what it makes did not stand when Python ran it.
#[derive(Clone, Debug)]
pub struct Veto {
    pub strategy: &'static str,
    pub form: Option<&'static str>,
    /// What the fix would have done.
    pub title: String,
    /// What Python said.
    pub message: String,
    imports: Vec<ImportKey>,
}

impl Veto {
    /// Whether a fix is the one that failed, or does the same to one of its imports.
    pub(super) fn meets(&self, ctx: &Context, fix: &Fix) -> bool {
        let same = fix.strategy == self.strategy && fix.form == self.form;
        same && fix.removes.iter().any(|import| self.imports.contains(&key(ctx.world.graph, *import)))
    }
}

/// Fixes that were accepted together.
pub(super) struct Round {
    /// The state that they were made for, as an index; `None` is the project as it was.
    pub before: Option<usize>,
    pub fixes: Vec<(Fix, Vec<ImportKey>)>,
}

/// A module that a plan touches: it changes, or is part of a cycle that the plan works on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touched {
    pub module: String,
    /// Its file, relative to the project's root, with `/`.
    pub path: String,
    /// The source root that it is named from, relative to the project's root.
    pub root: String,
    /// Names that it only imports for itself: a fix may take them away.
    pub private: BTreeSet<String>,
    /// Whether it is in no cycle any more, so that none can be why it fails.
    pub is_freed: bool,
    /// Whether it comes with the plan.
    pub is_new: bool,
}

/// The outcome of a plan and its steps.
pub struct Solved {
    pub outcome: ProjectOutcome,
    pub touched: Vec<Touched>,
    pub(super) states: FrozenVec<Box<Project>>,
    pub(super) rounds: Vec<Round>,
}

impl Solved {
    /// An outcome for which nothing was planned.
    pub fn of(outcome: ProjectOutcome) -> Self {
        Self { outcome, touched: Vec::new(), states: FrozenVec::new(), rounds: Vec::new() }
    }

    /// The number of fixes that were accepted.
    pub fn len(&self) -> usize {
        self.rounds.iter().map(|round| round.fixes.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.rounds.is_empty()
    }

    /// What changes if only the first `count` fixes are made; `None` if these alone cannot be printed.
    pub fn changes(&self, project: &Project, count: usize) -> Option<Vec<FileChange>> {
        let mut left = count;
        let mut rounds = self.rounds.iter();
        let round = loop {
            match rounds.next() {
                None => return Some(self.outcome.changes.clone()),
                Some(round) if left < round.fixes.len() => break round,
                Some(round) => left -= round.fixes.len(),
            }
        };
        let before = round.before.and_then(|index| self.states.get(index)).unwrap_or(project);
        let intents = intents(round.fixes[..left].iter().map(|(fix, _)| fix));
        let tree = |module| Arc::new(parse(before.text(module)));
        let change = rewrite::change(before, &intents, None, &tree).ok()?;
        Some(report::changes(project, &change.apply(before)))
    }

    /// Forbids one of the accepted fixes, counted from 0.
    pub fn veto(&self, index: usize, message: String) -> Option<Veto> {
        let (fix, imports) = self.rounds.iter().flat_map(|round| &round.fixes).nth(index)?;
        let (title, imports) = (fix.title.clone(), imports.clone());
        Some(Veto { strategy: fix.strategy, form: fix.form, title, message, imports })
    }
}

/// The modules to look at when a plan is run: those of `changed` files, and of `cycles`; `left` are those in cycles after it.
pub(super) fn touched(
    world: World,
    after: &Project,
    changes: &[FileChange],
    cycles: &BTreeSet<ModuleId>,
    left: &BTreeSet<ModuleId>,
) -> Vec<Touched> {
    let changed: BTreeSet<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    let known = world.project().tree.modules.len();
    let looked_at = after
        .modules()
        .filter(|(id, module)| cycles.contains(id) || changed.contains(after.file(module.file).path.as_str()));
    let entry = |(id, module): (ModuleId, &crate::project::Module)| Touched {
        module: module.name.clone(),
        path: after.file(module.file).path.clone(),
        root: after.tree.roots[module.root].clone(),
        private: if id.index() < known { private(world, id) } else { BTreeSet::new() },
        is_freed: !left.contains(&id),
        is_new: id.index() >= known,
    };
    looked_at.map(entry).collect()
}

/// Names that outsiders have no business with: those that a module binds by nothing but imports, and submodules of an internal
/// package that it does not bind itself.
fn private(world: World, module: ModuleId) -> BTreeSet<String> {
    let file = world.names.file(module);
    let bindings = file.scope(MODULE).bindings.iter();
    let imported = bindings.filter(|(_, all)| all.iter().all(|b| matches!(b.what, Bound::Import(_) | Bound::Declared)));
    let imported = imported.map(|(name, _)| (*name).to_owned()).filter(|name| !is_public(world, module, name));
    let package = &world.project().module(module).name;
    let internal = world.project().modules().filter_map(|(id, below)| {
        let name = below.name.strip_prefix(package.as_str())?.strip_prefix('.')?;
        let is_loose = !name.contains('.') && file.bindings(name).is_empty() && is_internal(world, id);
        is_loose.then(|| name.to_owned())
    });
    imported.chain(internal).collect()
}
