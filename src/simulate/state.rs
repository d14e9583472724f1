//! The state of an abstract interpreter: what is loaded, and what is bound where. Every change is on record, so that what
//! was done on one way can be taken back and joined with another.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::project::ModuleId;

/// A namespace: that of a module, by its id, or one that came when a class or function ran.
pub type Space = u32;

/// What of its file the program was made from that an index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Text {
    /// All of it, or its outline.
    Own,
    /// The function whose `def` stands at this place.
    Function(usize),
}

/// A function as it was defined: with the namespace around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Defined {
    pub module: ModuleId,
    pub text: Text,
    pub index: u32,
    pub outer: Space,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Object<'p> {
    /// Not known, or nothing that imports can depend on.
    Any,
    Module(ModuleId),
    /// A folder without an `__init__.py`, by its dotted name.
    Namespace(&'p str),
    Function(Defined),
    /// A class, by the namespace of its body; and an instance of it.
    Class(Space),
    Instance(Space),
    /// A function taken from an instance or class.
    Method(Defined, Space),
    Text(&'p str),
    Truth(bool),
    None,
}

/// Whether a module is in `sys.modules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Absent,
    Running,
    Done,
    /// Done on some of the ways that lead here.
    Maybe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'p> {
    pub object: Object<'p>,
    /// False: bound on some of the ways that lead here.
    pub sure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key<'p> {
    Name(Space, &'p str),
    Module(ModuleId),
}

#[derive(Clone, Copy, Debug)]
enum Change<'p> {
    Name(Space, &'p str, Option<Cell<'p>>),
    Status(ModuleId, Status),
}

/// What one way changed: the new values.
pub type Delta<'p> = BTreeMap<DeltaKey<'p>, New<'p>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeltaKey<'p>(Key<'p>);

#[derive(Clone, Copy, Debug)]
pub enum New<'p> {
    Name(Option<Cell<'p>>),
    Status(Status),
}

#[derive(Debug)]
struct Names<'p> {
    cells: FxHashMap<&'p str, Cell<'p>>,
    outer: Option<Space>,
    is_class: bool,
}

#[derive(Debug)]
pub struct State<'p> {
    spaces: Vec<Names<'p>>,
    status: Vec<Status>,
    changes: Vec<Change<'p>>,
}

impl<'p> State<'p> {
    pub fn new(modules: usize) -> Self {
        let names = || Names { cells: FxHashMap::default(), outer: None, is_class: false };
        Self {
            spaces: std::iter::repeat_with(names).take(modules).collect(),
            status: vec![Status::Absent; modules],
            changes: Vec::new(),
        }
    }

    pub fn open(&mut self, outer: Space, is_class: bool) -> Space {
        self.spaces.push(Names { cells: FxHashMap::default(), outer: Some(outer), is_class });
        self.spaces.len() as Space - 1
    }

    pub fn status(&self, module: ModuleId) -> Status {
        self.status[module.index()]
    }

    pub fn set_status(&mut self, module: ModuleId, status: Status) {
        let old = std::mem::replace(&mut self.status[module.index()], status);
        self.changes.push(Change::Status(module, old));
    }

    pub fn get(&self, space: Space, name: &str) -> Option<Cell<'p>> {
        self.spaces[space as usize].cells.get(name).copied()
    }

    /// The object that a name stands for in code of a namespace; the bodies of classes around it do not show.
    pub fn find(&self, space: Space, name: &str) -> Option<Cell<'p>> {
        let mut at = space;
        loop {
            let names = &self.spaces[at as usize];
            if (at == space || !names.is_class)
                && let Some(cell) = names.cells.get(name)
            {
                return Some(*cell);
            }
            at = names.outer?;
        }
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

    /// The names of a namespace, sorted.
    pub fn names(&self, space: Space) -> Vec<(&'p str, Cell<'p>)> {
        let mut all: Vec<_> = self.spaces[space as usize].cells.iter().map(|(n, c)| (*n, *c)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
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
                None => {}
            }
        }
    }

    /// Takes back all changes since a mark, and gives them.
    pub fn take(&mut self, mark: usize) -> Delta<'p> {
        let mut out = Delta::new();
        for change in &self.changes[mark..] {
            let (key, new) = match change {
                Change::Name(space, name, _) => (Key::Name(*space, name), New::Name(self.get(*space, name))),
                Change::Status(module, _) => (Key::Module(*module), New::Status(self.status(*module))),
            };
            out.insert(DeltaKey(key), new);
        }
        self.undo(mark);
        out
    }

    pub fn apply(&mut self, delta: &Delta<'p>) {
        for (key, new) in delta {
            self.put(*key, *new);
        }
    }

    fn put(&mut self, key: DeltaKey<'p>, new: New<'p>) {
        match (key.0, new) {
            (Key::Name(space, name), New::Name(cell)) => self.set(space, name, cell),
            (Key::Module(module), New::Status(status)) => self.set_status(module, status),
            _ => {}
        }
    }

    fn now(&self, key: DeltaKey<'p>) -> New<'p> {
        match key.0 {
            Key::Name(space, name) => New::Name(self.get(space, name)),
            Key::Module(module) => New::Status(self.status(module)),
        }
    }

    /// Goes on as after one of two ways.
    pub fn join(&mut self, one: &Delta<'p>, other: &Delta<'p>) {
        let keys: Vec<DeltaKey<'p>> = one.keys().chain(other.keys()).copied().collect();
        let mut joined = Vec::with_capacity(keys.len());
        for key in keys {
            let now = self.now(key);
            let value = |delta: &Delta<'p>| delta.get(&key).copied().unwrap_or(now);
            joined.push((key, either(value(one), value(other))));
        }
        joined.into_iter().for_each(|(key, new)| self.put(key, new));
    }
}

fn either<'p>(one: New<'p>, other: New<'p>) -> New<'p> {
    match (one, other) {
        (New::Status(a), New::Status(b)) => New::Status(if a == b { a } else { Status::Maybe }),
        (New::Name(Some(a)), New::Name(Some(b))) => New::Name(Some(Cell {
            object: if a.object == b.object { a.object } else { Object::Any },
            sure: a.sure && b.sure,
        })),
        (New::Name(Some(cell)), New::Name(None)) | (New::Name(None), New::Name(Some(cell))) => {
            New::Name(Some(Cell { sure: false, ..cell }))
        }
        (one, _) => one,
    }
}
