//! What variables, attributes and collections keep until something takes it from there.

use super::classes::ClassKey;
use super::*;
use crate::names::methods::{is_data, is_dunder};

/// A value that may be called later, and where it was handed on.
#[derive(Clone)]
pub(super) struct Handed<'p> {
    pub module: ModuleId,
    pub what: What<'p>,
    pub here: (ModuleId, Span),
    pub then: Then,
}

/// What becomes of what a function gives that something is handed to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The function decorates it: it takes its name.
    Named,
    /// This function gives it in turn.
    Returned(FunctionId),
    Anything,
}

#[derive(Clone)]
pub(super) enum What<'p> {
    Name {
        scope: ScopeId,
        name: &'p str,
        attributes: Vec<&'p str>,
    },
    Lambda(FunctionId),
    /// What an access by a computed name gives; its index in the file.
    AnyAttribute(usize),
}

/// Values in the variables of modules and under the names of attributes; of which object an attribute is does not matter.
#[derive(Default)]
pub(super) struct Kept<'p> {
    /// What is called or goes on.
    taken: Shelf<'p, Handed<'p>>,
    /// What is looked at in any way.
    touched: Shelf<'p, ClassKey>,
    /// Instances that variables hold, and other names of those.
    instances: HashMap<Key<'p>, Vec<ClassKey>>,
    names: HashMap<Key<'p>, Vec<Key<'p>>>,
    /// What is read of an object: a property calls what it was made from.
    pub properties: HashMap<&'p str, Vec<Handed<'p>>>,
    /// Special methods that functions set on what they are handed, until an instance of such a class is made.
    special: Vec<Handed<'p>>,
    special_run: bool,
}

/// A variable of a module, or an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'p> {
    Variable(ModuleId, &'p str),
    Attribute(&'p str),
    /// The keys of a collection of this name.
    Keys(&'p str),
    /// What is registered with a function of `functools.singledispatch`.
    Dispatched(ModuleId, FunctionId, &'p str),
    /// A special method of what a function was handed.
    Special(&'p str),
}

impl<'p> Key<'p> {
    pub(super) fn name(self) -> &'p str {
        let (Self::Variable(_, name)
        | Self::Attribute(name)
        | Self::Keys(name)
        | Self::Dispatched(_, _, name)
        | Self::Special(name)) = self;
        name
    }
}

/// Values that wait until something opens what they are kept under. An attribute may be a variable of a module whose object goes
/// around.
struct Shelf<'p, V> {
    open: HashSet<Key<'p>>,
    /// Names of the variables among these.
    open_variables: HashSet<&'p str>,
    waiting: HashMap<&'p str, Vec<(Key<'p>, V)>>,
    around: HashSet<ModuleId>,
}

impl<V> Default for Shelf<'_, V> {
    fn default() -> Self {
        Self { open: HashSet::new(), open_variables: HashSet::new(), waiting: HashMap::new(), around: HashSet::new() }
    }
}

impl<'p, V> Shelf<'p, V> {
    /// Whether opening an attribute opens this, too.
    fn is_attribute(around: &HashSet<ModuleId>, key: Key<'p>) -> bool {
        match key {
            Key::Variable(module, _) => around.contains(&module),
            Key::Attribute(_) => true,
            Key::Keys(_) | Key::Dispatched(..) | Key::Special(_) => false,
        }
    }

    /// Gives the value back if it cannot wait.
    fn put(&mut self, key: Key<'p>, value: V) -> Option<V> {
        let attribute = Key::Attribute(key.name());
        let open = Self::is_attribute(&self.around, key) && self.open.contains(&attribute);
        // An attribute may be that of a module.
        let of_module = key == attribute && self.open_variables.contains(key.name());
        if open || of_module || self.open.contains(&key) {
            return Some(value);
        }
        self.waiting.entry(key.name()).or_default().push((key, value));
        None
    }

    fn open(&mut self, key: Key<'p>) -> Vec<V> {
        if let Key::Variable(..) = key {
            self.open_variables.insert(key.name());
        }
        let Some(waiting) = self.open.insert(key).then(|| self.waiting.get_mut(key.name())).flatten() else {
            return Vec::new();
        };
        let any = matches!(key, Key::Attribute(_));
        let of_module = matches!(key, Key::Variable(..));
        let opens = |other: Key<'p>| {
            other == key
                || any && Self::is_attribute(&self.around, other)
                || of_module && matches!(other, Key::Attribute(_))
        };
        waiting.extract_if(.., |(other, _)| opens(*other)).map(|(_, value)| value).collect()
    }

    /// The object of a module goes around: its variables may be read as attributes.
    fn goes_around(&mut self, module: ModuleId) -> Vec<V> {
        if !self.around.insert(module) {
            return Vec::new();
        }
        let open = &self.open;
        let opens = |key: &Key<'p>| matches!(key, Key::Variable(of, name) if *of == module && open.contains(&Key::Attribute(name)));
        let found = self.waiting.values_mut().flat_map(|all| all.extract_if(.., |(key, _)| opens(key)));
        found.map(|(_, value)| value).collect()
    }
}

impl<'p> Search<'_, 'p> {
    /// A variable or attribute now holds the value.
    pub(super) fn keep(&mut self, key: Key<'p>, value: Handed<'p>) {
        if let Key::Special(_) = key
            && !self.kept.special_run
        {
            self.kept.special.push(value);
        } else if is_dunder(key.name()) && !is_data(key.name()) {
            self.hand(&value);
        } else if let Some(value) = self.kept.taken.put(key, value) {
            self.hand(&value);
        }
    }

    /// An instance is made of a class whose special methods a function may have set.
    pub(super) fn special_methods_run(&mut self) {
        self.kept.special_run = true;
        for value in std::mem::take(&mut self.kept.special) {
            self.hand(&value);
        }
    }

    /// What it holds is called, or goes on to where it may be.
    pub(super) fn taken(&mut self, key: Key<'p>) {
        for value in self.kept.taken.open(key) {
            self.hand(&value);
        }
    }

    /// It now holds an instance, to which nothing else leads.
    pub(super) fn keep_instance(&mut self, key: Key<'p>, class: ClassKey) {
        let known = self.kept.instances.entry(key).or_default();
        if !known.contains(&class) {
            known.push(class);
            for other in self.kept.names.get(&key).cloned().unwrap_or_default() {
                self.keep_instance(other, class);
            }
            if let Some(class) = self.kept.touched.put(key, class) {
                self.loosen(class);
            }
        }
    }

    /// What a variable holds has another name.
    pub(super) fn also_known_as(&mut self, key: Key<'p>, other: Key<'p>) {
        let names = self.kept.names.entry(key).or_default();
        if !names.contains(&other) {
            names.push(other);
            for class in self.kept.instances.get(&key).cloned().unwrap_or_default() {
                self.keep_instance(other, class);
            }
        }
    }

    /// What it holds is used as a whole: operators may be applied to it here or elsewhere.
    pub(super) fn touched(&mut self, key: Key<'p>) {
        for class in self.kept.touched.open(key) {
            self.loosen(class);
        }
    }

    /// The object of a module is used as a whole.
    pub(super) fn module_goes_around(&mut self, module: ModuleId) {
        for value in self.kept.taken.goes_around(module) {
            self.hand(&value);
        }
        for class in self.kept.touched.goes_around(module) {
            self.loosen(class);
        }
    }

    /// A property of this name calls the value when it is read.
    pub(super) fn property(&mut self, name: &'p str, value: Handed<'p>) {
        if self.is_read(name) {
            self.hand(&value);
        } else {
            self.kept.properties.entry(name).or_default().push(value);
        }
    }

    pub(super) fn properties_run(&mut self, name: &'p str) {
        for value in self.kept.properties.remove(name).unwrap_or_default() {
            self.hand(&value);
        }
    }
}
