//! The state of an abstract interpreter: what is loaded, and what is bound where. Every change is on record, so that what
//! was done on one way can be taken back and joined with another.

use std::cell::{Cell as Shared, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::containers::CONTENTS;
use super::held::{Held, HeldId, Kept};
use super::run::{Mark, NAMESPACES};
use super::settled::{Cells, Settled, Trial};
use crate::project::{ModuleId, ModuleSet};

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
    /// A function taken from an instance, and a class method of a class.
    Method(Defined, Space),
    ClassMethod(Defined, Space),
    /// What a class keeps of a method that is more than a function.
    Wrapped(Wrapper, Defined),
    /// A function of which some arguments are given already.
    Partial(Defined),
    /// A list, tuple, set or dictionary that nobody has changed, by what it holds; one that anybody may change, by the
    /// namespace that keeps what it was given; and one of several objects.
    Held(HeldId),
    Open(Space),
    Choice(HeldId),
    /// What `super()` gives: the class whose method it stands in, and that of the object.
    Super(Space, Space),
    Text(&'p str),
    Truth(bool),
    Number(i64),
    None,
}

impl Object<'_> {
    pub fn is_callable(&self) -> bool {
        use Object::{Class, ClassMethod, Function, Method, Partial, Wrapped};
        matches!(
            self,
            Function(_) | Partial(_) | Class(_) | Method(..) | ClassMethod(..) | Wrapped(Wrapper::StaticMethod, _)
        )
    }

    /// A count.
    pub fn number(count: usize) -> Self {
        match count {
            0 | 1 => Self::Truth(count == 1),
            _ => i64::try_from(count).map_or(Self::Any, Self::Number),
        }
    }

    /// Whether it is an instance of a class of Python's own, by the name of that, if it is known.
    pub fn is_built_in(&self, class: &str) -> Option<bool> {
        let own = match self {
            Self::Text(_) => "str",
            Self::Truth(_) | Self::Number(_) => "int",
            Self::None | Self::Function(_) | Self::Module(_) | Self::Class(_) => "",
            Self::Held(_) | Self::Open(_) => {
                return matches!(class, "str" | "bytes" | "int" | "float" | "bool").then_some(false);
            }
            _ => return None,
        };
        let is_known = matches!(class, "str" | "bytes" | "int" | "float" | "list" | "dict" | "tuple" | "set");
        is_known.then_some(own == class)
    }

    /// Whether it neither runs anything nor has names.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Any | Self::Text(_) | Self::Truth(_) | Self::Number(_) | Self::None)
    }
}

/// What a method was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrapper {
    ClassMethod,
    StaticMethod,
    Property,
}

impl Wrapper {
    /// By the name of the decorator.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "classmethod" => Some(Self::ClassMethod),
            "staticmethod" => Some(Self::StaticMethod),
            "property" | "cached_property" => Some(Self::Property),
            _ => None,
        }
    }
}

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

/// What one way changed: the new values, each key once.
#[derive(Debug, Default)]
pub struct Delta<'p> {
    all: Vec<(Key<'p>, New<'p>)>,
    /// Where each key stands, if there are many.
    known: FxHashMap<Key<'p>, usize>,
}

/// Changes that are looked through faster than they are looked up.
const FEW: usize = 12;

impl<'p> Delta<'p> {
    fn at(&self, key: Key<'p>) -> Option<usize> {
        if self.known.is_empty() {
            self.all.iter().position(|(other, _)| *other == key)
        } else {
            self.known.get(&key).copied()
        }
    }

    fn get(&self, key: Key<'p>) -> Option<New<'p>> {
        self.at(key).map(|at| self.all[at].1)
    }

    fn push(&mut self, key: Key<'p>, new: New<'p>) {
        self.all.push((key, new));
        if !self.known.is_empty() {
            self.known.insert(key, self.all.len() - 1);
        } else if self.all.len() > FEW {
            self.known = self.all.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum New<'p> {
    Name(Option<Cell<'p>>),
    Status(Status),
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

/// What several imports begin with.
#[derive(Clone, Debug)]
pub struct Snapshot<'p> {
    spaces: Vec<Names<'p>>,
    status: Vec<Status>,
    kept: Kept<'p>,
    settled: Vec<Option<Arc<Settled<'p>>>>,
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

    pub fn cells(&self, space: Space) -> &Cells<'p> {
        &self.spaces[space as usize].cells
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

    /// The namespaces of a module.
    pub fn namespaces(&self, module: ModuleId) -> [Space; NAMESPACES] {
        std::array::from_fn(|n| (n * self.settled.len() + module.index()) as Space)
    }

    /// Notes that a name of a namespace is read, or all of its names.
    fn looked_into(&self, space: Space, name: Option<&'p str>) {
        let Some(trial) = &self.trial else { return };
        let (modules, space) = (self.settled.len(), space as usize);
        if space < NAMESPACES * modules {
            let module = ModuleId((space % modules) as u32);
            if !self.is_known(module) && !trial.modules.contains(&module) {
                trial.asks(module, name.filter(|_| space < modules));
            }
        }
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

    /// Takes back all changes since a mark, and gives them.
    pub fn take(&mut self, mark: usize) -> Delta<'p> {
        let mut out = Delta::default();
        for change in self.changes.split_off(mark) {
            // What stood there before the first change is what stood there at the mark.
            match change {
                Change::Name(space, name, old) => self.replace(Key::Name(space, name), New::Name(old), &mut out),
                Change::Status(module, old) => self.replace(Key::Module(module), New::Status(old), &mut out),
                Change::Filled(module) => {
                    for (space, name) in self.filled(module) {
                        self.replace(Key::Name(space, name), New::Name(None), &mut out);
                    }
                }
            }
        }
        out
    }

    /// The names that a module found bound when its namespaces were filled, sorted.
    fn filled(&self, module: ModuleId) -> Vec<(Space, &'p str)> {
        let Some(settled) = self.settled(module) else { return Vec::new() };
        let names =
            |(space, cells): (Space, &Cells<'p>)| cells.keys().map(move |name| (space, *name)).collect::<Vec<_>>();
        let mut all: Vec<_> = self.namespaces(module).into_iter().zip(&settled.cells).flat_map(names).collect();
        all.sort_unstable();
        all
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

    /// Sets what was not set yet, and keeps what it was.
    fn replace(&mut self, key: Key<'p>, old: New<'p>, out: &mut Delta<'p>) {
        if out.at(key).is_some() {
            return;
        }
        let new = match (key, old) {
            (Key::Name(space, name), New::Name(cell)) => {
                let cells = &mut self.spaces[space as usize].cells;
                New::Name(match cell {
                    Some(cell) => cells.insert(name, cell),
                    None => cells.remove(name),
                })
            }
            (Key::Module(module), New::Status(value)) => {
                New::Status(std::mem::replace(&mut self.status[module.index()], value))
            }
            (_, value) => value,
        };
        out.push(key, new);
    }

    pub fn apply(&mut self, delta: &Delta<'p>) {
        for (key, new) in &delta.all {
            self.put(*key, *new);
        }
    }

    fn put(&mut self, key: Key<'p>, new: New<'p>) {
        match (key, new) {
            (Key::Name(space, name), New::Name(cell)) => self.set(space, name, cell),
            (Key::Module(module), New::Status(status)) => self.set_status(module, status),
            _ => {}
        }
    }

    fn now(&self, key: Key<'p>) -> New<'p> {
        match key {
            Key::Name(space, name) => New::Name(self.cell(space, name)),
            Key::Module(module) => New::Status(self.status[module.index()]),
        }
    }

    /// Goes on as after one of two ways.
    pub fn join(&mut self, one: &Delta<'p>, other: &Delta<'p>) {
        for (key, value) in &one.all {
            let there = other.get(*key).unwrap_or_else(|| self.now(*key));
            let joined = self.either(*value, there);
            self.put(*key, joined);
        }
        for (key, value) in other.all.iter().filter(|(key, _)| one.get(*key).is_none()) {
            let joined = self.either(self.now(*key), *value);
            self.put(*key, joined);
        }
    }

    fn either(&mut self, one: New<'p>, other: New<'p>) -> New<'p> {
        match (one, other) {
            (New::Status(a), New::Status(b)) => New::Status(if a == b { a } else { Status::Maybe }),
            (New::Name(Some(a)), New::Name(Some(b))) => {
                let object = self.kept.choice([a.object, b.object]);
                New::Name(Some(Cell { object, sure: a.sure && b.sure }))
            }
            (New::Name(Some(cell)), New::Name(None)) | (New::Name(None), New::Name(Some(cell))) => {
                New::Name(Some(Cell { sure: false, ..cell }))
            }
            (one, _) => one,
        }
    }
}
