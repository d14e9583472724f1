//! The state of an abstract interpreter: what is loaded, and what is bound where. Every change is on record, so that what
//! was done on one way can be taken back and joined with another.

mod delta;
mod object;
mod settling;

use std::cell::{Cell as Shared, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

pub use delta::Delta;
pub use object::{Defined, Object, Text, Wrapper};
pub use settling::Snapshot;

use super::held::{Held, Kept};
use super::run::{Mark, NAMESPACES};
use super::settled::{Cells, Settled, Trial};
use crate::project::{ModuleId, ModuleSet};

/// A namespace: that of a module, by its id, or one that came when a class or function ran.
pub type Space = u32;

/// Whether a module is in `sys.modules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Absent,
    Running,
    Done,
    /// Done on some of the ways that lead here.
    Maybe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell<'p> {
    pub object: Object<'p>,
    /// False: bound on some of the ways that lead here.
    pub sure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key<'p> {
    Name(Space, &'p str),
    Module(ModuleId),
}

#[derive(Clone, Copy, Debug)]
enum Change<'p> {
    Name(Space, &'p str, Option<Cell<'p>>),
    Status(ModuleId, Status),
    /// The namespaces of a module were empty, and hold now what it leaves.
    Filled(ModuleId),
}

/// What something depended on when it was run: what it looked up outside itself, and what that was.
pub type Reads<'p> = Vec<Read<'p>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Read<'p> {
    Name(Space, &'p str, Option<Cell<'p>>),
    /// How many names there were.
    Names(Space, usize),
    Status(ModuleId, Status),
    /// More than is worth keeping.
    Much,
}

/// What is looked up, after which it is no longer kept.
const MUCH: usize = 256;

/// Where something began that is watched for what it depends on and changes.
#[derive(Clone, Copy)]
pub struct Watch {
    reads: usize,
    changes: usize,
    spaces: usize,
}

#[derive(Clone, Debug)]
struct Names<'p> {
    cells: Cells<'p>,
    outer: Option<Space>,
    is_class: bool,
}

#[derive(Debug)]
pub struct State<'p> {
    spaces: Vec<Names<'p>>,
    status: Vec<Status>,
    changes: Vec<Change<'p>>,
    pub kept: Kept<'p>,
    reads: RefCell<Reads<'p>>,
    /// How many things are watched.
    watches: Shared<usize>,
    /// By module: what it leaves, if that is always the same.
    settled: Vec<Option<Arc<Settled<'p>>>>,
    /// Modules that were loaded before anything was tried, and what was changed since.
    there: ModuleSet,
    tried: Vec<Change<'p>>,
    pub trial: Option<Trial<'p>>,
}

impl<'p> State<'p> {
    pub fn new(modules: usize) -> Self {
        let names = || Names { cells: FxHashMap::default(), outer: None, is_class: false };
        Self {
            spaces: std::iter::repeat_with(names).take(NAMESPACES * modules).collect(),
            status: vec![Status::Absent; modules],
            changes: Vec::new(),
            kept: Kept::default(),
            reads: RefCell::default(),
            watches: Shared::new(0),
            settled: vec![None; modules],
            there: ModuleSet::default(),
            tried: Vec::new(),
            trial: None,
        }
    }

    pub fn cells(&self, space: Space) -> &Cells<'p> {
        &self.spaces[space as usize].cells
    }

    /// The namespaces of a module.
    pub fn namespaces(&self, module: ModuleId) -> [Space; NAMESPACES] {
        std::array::from_fn(|n| (n * self.settled.len() + module.index()) as Space)
    }

    pub fn watch(&self) -> Watch {
        self.watches.set(self.watches.get() + 1);
        Watch { reads: self.reads.borrow().len(), changes: self.changes.len(), spaces: self.spaces.len() }
    }

    /// What was read since; nothing if something was changed that was there before.
    pub fn watched(&self, since: Watch) -> Option<Reads<'p>> {
        self.watches.set(self.watches.get() - 1);
        let is_outer = |space: Space| (space as usize) < since.spaces;
        let changed = |change: &Change| match change {
            Change::Name(space, ..) => is_outer(*space),
            Change::Status(..) | Change::Filled(_) => true,
        };
        let quiet = self.changes.len() >= since.changes && !self.changes[since.changes..].iter().any(changed);
        let outer = |read: &Read| match read {
            Read::Name(space, ..) | Read::Names(space, _) => is_outer(*space),
            Read::Status(..) | Read::Much => true,
        };
        let mut reads = self.reads.borrow_mut();
        let found: FxHashSet<Read<'p>> = reads.drain(since.reads..).filter(outer).take(MUCH).collect();
        let much = found.len() == MUCH || found.contains(&Read::Much);
        // Whoever watches from further out reads this, too.
        if self.watches.get() > 0 && reads.last() != Some(&Read::Much) {
            if much {
                reads.push(Read::Much);
            } else {
                reads.extend(&found);
            }
        }
        (quiet && !much).then(|| found.into_iter().collect())
    }

    /// Whether all that was read is the same now, which counts as reading it.
    pub fn still(&self, reads: &Reads<'p>) -> bool {
        reads.iter().all(|read| match *read {
            Read::Name(space, name, cell) => self.get(space, name) == cell,
            Read::Names(space, count) => self.count(space) == count,
            Read::Status(module, status) => self.status(module) == status,
            Read::Much => false,
        })
    }

    fn read(&self, read: Read<'p>) {
        if self.watches.get() > 0 {
            self.reads.borrow_mut().push(read);
        }
    }

    pub fn open(&mut self, outer: Space, is_class: bool) -> Space {
        self.spaces.push(Names { cells: FxHashMap::default(), outer: Some(outer), is_class });
        self.spaces.len() as Space - 1
    }

    /// The class whose body is right around a namespace.
    pub fn class_around(&self, space: Space) -> Option<Space> {
        self.spaces[space as usize].outer.filter(|outer| self.spaces[*outer as usize].is_class)
    }

    pub fn status(&self, module: ModuleId) -> Status {
        let status = self.status[module.index()];
        self.read(Read::Status(module, status));
        status
    }

    pub fn set_status(&mut self, module: ModuleId, status: Status) {
        let old = std::mem::replace(&mut self.status[module.index()], status);
        self.changes.push(Change::Status(module, old));
    }

    pub fn get(&self, space: Space, name: &'p str) -> Option<Cell<'p>> {
        self.looked_into(space, Some(name));
        let cell = self.cell(space, name);
        self.read(Read::Name(space, name, cell));
        cell
    }

    fn cell(&self, space: Space, name: &str) -> Option<Cell<'p>> {
        self.spaces[space as usize].cells.get(name).copied()
    }

    /// The object that a name stands for in code of a namespace; the bodies of classes around it do not show.
    pub fn find(&self, space: Space, name: &'p str) -> Option<Cell<'p>> {
        let mut at = space;
        loop {
            let names = &self.spaces[at as usize];
            if (at == space || !names.is_class)
                && let Some(cell) = self.get(at, name)
            {
                return Some(cell);
            }
            at = names.outer?;
        }
    }

    /// The namespace in which code of another finds a name.
    pub fn owner(&self, space: Space, name: &str) -> Option<Space> {
        let mut at = space;
        loop {
            self.looked_into(at, None);
            let names = &self.spaces[at as usize];
            if (at == space || !names.is_class) && names.cells.contains_key(name) {
                return Some(at);
            }
            at = names.outer?;
        }
    }

    pub fn owner_around(&self, space: Space, name: &str) -> Option<Space> {
        self.owner(self.spaces[space as usize].outer?, name)
    }

    pub fn held(&mut self, parts: Vec<Object<'p>>, open: bool) -> Object<'p> {
        self.kept.keep(Held::sequence(parts, open))
    }

    pub fn bind(&mut self, space: Space, name: &'p str, object: Object<'p>) {
        self.set(space, name, Some(Cell { object, sure: true }));
    }

    pub fn set(&mut self, space: Space, name: &'p str, cell: Option<Cell<'p>>) {
        let cells = &mut self.spaces[space as usize].cells;
        let old = match cell {
            Some(cell) => cells.insert(name, cell),
            None => cells.remove(name),
        };
        if old != cell {
            self.changes.push(Change::Name(space, name, old));
        }
    }

    /// The instances that have a name in a namespace, sorted by that.
    pub fn instances(&self, space: Space) -> Vec<(&'p str, Object<'p>)> {
        let cells = self.spaces[space as usize].cells.iter().map(|(name, cell)| (*name, cell.object));
        let mut all: Vec<_> = cells.filter(|(_, object)| matches!(object, Object::Instance(_))).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    /// The names of a namespace, sorted.
    pub fn names(&self, space: Space) -> Vec<(&'p str, Cell<'p>)> {
        let mut all: Vec<_> = self.spaces[space as usize].cells.iter().map(|(n, c)| (*n, *c)).collect();
        self.count(space);
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    fn count(&self, space: Space) -> usize {
        self.looked_into(space, None);
        let count = self.spaces[space as usize].cells.len();
        self.read(Read::Names(space, count));
        count
    }

    pub fn clear(&mut self, space: Space) {
        for (name, _) in self.names(space) {
            self.set(space, name, None);
        }
    }

    pub fn mark(&self) -> usize {
        self.changes.len()
    }

    /// How many namespaces there are, for [`State::forget`].
    pub fn spaces(&self) -> usize {
        self.spaces.len()
    }

    /// Drops namespaces that came since; nothing may refer to them any more.
    pub fn forget(&mut self, spaces: usize) {
        self.spaces.truncate(spaces);
    }

    /// Takes back all changes since a mark.
    pub fn undo(&mut self, mark: usize) {
        while self.changes.len() > mark {
            match self.changes.pop() {
                Some(Change::Name(space, name, Some(old))) => {
                    self.spaces[space as usize].cells.insert(name, old);
                }
                Some(Change::Name(space, name, None)) => {
                    self.spaces[space as usize].cells.remove(name);
                }
                Some(Change::Status(module, old)) => self.status[module.index()] = old,
                Some(Change::Filled(module)) => {
                    for space in self.namespaces(module) {
                        self.spaces[space as usize].cells.clear();
                    }
                }
                None => {}
            }
        }
    }

    /// Forgets the values, other than modules, functions and the like, that were bound since a mark; whether there were any.
    pub fn blur(&mut self, mark: usize) -> bool {
        let plain = |cell: &Cell| cell.object.is_plain() && cell.object != Object::Any;
        let mut changed = self.changed_names(mark);
        changed.retain(|(space, name)| self.cell(*space, name).is_some_and(|cell| plain(&cell)));
        for (space, name) in &changed {
            if let Some(cell) = self.cell(*space, name) {
                self.set(*space, name, Some(Cell { object: Object::Any, ..cell }));
            }
        }
        !changed.is_empty()
    }

    /// The names that were bound or deleted since a mark.
    fn changed_names(&self, mark: usize) -> Vec<(Space, &'p str)> {
        let names = |change: &Change<'p>| match change {
            Change::Name(space, name, _) => vec![(*space, *name)],
            Change::Status(..) => Vec::new(),
            Change::Filled(module) => self.filled(*module),
        };
        self.changes[mark..].iter().flat_map(names).collect()
    }
}
