//! What is settled: modules that come to the same each time, and the trials that find them.

use super::*;
use crate::simulate::containers::CONTENTS;
use crate::simulate::held::Held;

/// What several imports begin with.
#[derive(Clone, Debug)]
pub struct Snapshot<'p> {
    spaces: Vec<Names<'p>>,
    status: Vec<Status>,
    kept: Kept<'p>,
    settled: Vec<Option<Arc<Settled<'p>>>>,
}

impl<'p> State<'p> {
    /// The state without what was done since to find what is settled; that stays so.
    pub fn snapshot(mut self) -> Snapshot<'p> {
        self.changes = std::mem::take(&mut self.tried);
        self.undo(0);
        Snapshot { spaces: self.spaces, status: self.status, kept: self.kept, settled: self.settled }
    }

    pub fn from(snapshot: &Snapshot<'p>) -> Self {
        let Snapshot { spaces, status, kept, settled } = snapshot.clone();
        Self { spaces, status, kept, settled, ..Self::new(0) }
    }

    /// Whether a module was loaded before anything was tried, or comes to the same each time.
    pub fn is_known(&self, module: ModuleId) -> bool {
        self.is_there(module) || self.settled(module).is_some()
    }

    pub fn is_there(&self, module: ModuleId) -> bool {
        self.there.contains(&module)
    }

    /// Modules that are loaded by now are so for all that follows.
    pub fn fix(&mut self) {
        let loaded = |(index, status): (usize, &Status)| (*status == Status::Done).then_some(ModuleId(index as u32));
        self.there = self.status.iter().enumerate().filter_map(loaded).collect();
    }

    pub fn settled(&self, module: ModuleId) -> Option<&Arc<Settled<'p>>> {
        self.settled[module.index()].as_ref()
    }

    /// Keeps what a module leaves.
    pub fn settle(&mut self, module: ModuleId, settled: Settled<'p>) {
        self.settled[module.index()] = Some(Arc::new(settled));
    }

    /// What was changed since a mark is taken back with the last of what is tried, save what is in namespaces that came since.
    pub fn keep_changes(&mut self, mark: &Mark) {
        let is_new = |change: &Change| matches!(change, Change::Name(space, ..) if *space as usize >= mark.spaces);
        let changes = self.changes.split_off(mark.changes);
        self.tried.extend(changes.into_iter().filter(|change| !is_new(change)));
    }

    /// Whether all changes since a mark are of some modules, of names that are theirs, of what lists hold, and of namespaces that
    /// came since.
    pub fn changed_only(&self, since: &Mark, modules: &[ModuleId], is_own: &dyn Fn(Space, &str) -> bool) -> bool {
        let is_fine = |change: &Change| match change {
            Change::Name(space, name, _) => {
                let is_list = *name == CONTENTS && !self.is_of_module(*space);
                *space as usize >= since.spaces || is_list || is_own(*space, name)
            }
            Change::Status(module, _) => modules.contains(module),
            Change::Filled(_) => false,
        };
        self.changes[since.changes..].iter().all(is_fine)
    }

    /// What was added since a mark to lists and dictionaries that were there before.
    pub fn added_since(&mut self, mark: &Mark) -> Vec<(Space, Object<'p>)> {
        let mut lists: BTreeMap<Space, Option<Object<'p>>> = BTreeMap::new();
        for change in &self.changes[mark.changes..] {
            if let Change::Name(space, CONTENTS, old) = change
                && (*space as usize) < mark.spaces
            {
                lists.entry(*space).or_insert(old.map(|cell| cell.object));
            }
        }
        let mut out = Vec::with_capacity(lists.len());
        for (space, old) in lists {
            let now = self.cells(space).get(CONTENTS).map(|cell| cell.object);
            let object = match (old, now) {
                (Some(Object::Held(old)), Some(Object::Held(now))) => {
                    let (old, mut now) = (self.kept.get(old), Held::clone(&self.kept.get(now)));
                    now.parts.retain(|part| !old.parts.contains(part));
                    self.kept.keep(now)
                }
                _ => Object::Any,
            };
            out.push((space, object));
        }
        out
    }

    fn is_of_module(&self, space: Space) -> bool {
        (space as usize) < NAMESPACES * self.settled.len()
    }

    /// Puts what a module leaves into its namespaces.
    pub fn fill(&mut self, module: ModuleId, settled: &Settled<'p>) {
        for space in self.namespaces(module) {
            if !self.cells(space).is_empty() {
                self.clear(space);
            }
        }
        for (space, cells) in self.namespaces(module).into_iter().zip(&settled.cells) {
            self.spaces[space as usize].cells.clone_from(cells);
        }
        self.changes.push(Change::Filled(module));
    }

    /// Notes that a name of a namespace is read, or all of its names.
    pub(super) fn looked_into(&self, space: Space, name: Option<&'p str>) {
        let Some(trial) = &self.trial else { return };
        let (modules, space) = (self.settled.len(), space as usize);
        if space < NAMESPACES * modules {
            let module = ModuleId((space % modules) as u32);
            if !self.is_known(module) && !trial.modules.contains(&module) {
                trial.asks(module, name.filter(|_| space < modules));
            }
        }
    }

    /// The names that a module found bound when its namespaces were filled, sorted.
    pub(super) fn filled(&self, module: ModuleId) -> Vec<(Space, &'p str)> {
        let Some(settled) = self.settled(module) else { return Vec::new() };
        let names =
            |(space, cells): (Space, &Cells<'p>)| cells.keys().map(move |name| (space, *name)).collect::<Vec<_>>();
        let mut all: Vec<_> = self.namespaces(module).into_iter().zip(&settled.cells).flat_map(names).collect();
        all.sort_unstable();
        all
    }
}
