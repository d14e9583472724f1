//! What one way changed: taken back, made again, and joined with what another way did.

use super::*;

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

impl<'p> State<'p> {
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
