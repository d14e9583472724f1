//! A set of modules as bits: small, quick to ask, and always in the order of the ids.

use super::ModuleId;

const BITS: usize = u64::BITS as usize;

/// A set of the modules of one project. It takes room for those between its first and its last one.
#[derive(Clone, Debug, Default)]
pub struct ModuleSet {
    /// What comes before it holds no module.
    first: usize,
    /// Bit `n % 64` of word `n / 64`, counted from the first, is that of the module `n`.
    words: Vec<u64>,
}

impl ModuleSet {
    /// Says whether the module is new in the set.
    pub fn insert(&mut self, module: ModuleId) -> bool {
        let (word, bit) = (module.index() / BITS, 1u64 << (module.index() % BITS));
        if self.words.is_empty() {
            self.first = word;
        } else if word < self.first {
            self.words.splice(..0, std::iter::repeat_n(0, self.first - word));
            self.first = word;
        }
        let word = word - self.first;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    pub fn contains(&self, module: &ModuleId) -> bool {
        let word = (module.index() / BITS).checked_sub(self.first).and_then(|word| self.words.get(word));
        word.is_some_and(|word| word & 1 << (module.index() % BITS) != 0)
    }

    /// The modules in order.
    pub fn iter(&self) -> impl Iterator<Item = ModuleId> + '_ {
        (self.first..).zip(&self.words).flat_map(|(index, word)| modules(index, *word))
    }

    /// The modules that another set holds as well, in order.
    pub fn common<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = ModuleId> + 's {
        let (one, two) = if self.first < other.first { (self, other) } else { (other, self) };
        let both = one.words.iter().skip(two.first - one.first).zip(&two.words);
        (two.first..).zip(both).flat_map(|(index, (one, two))| modules(index, one & two))
    }
}

/// The modules of one word.
fn modules(index: usize, word: u64) -> impl Iterator<Item = ModuleId> {
    let mut left = word;
    std::iter::from_fn(move || {
        let bit = left.trailing_zeros();
        left &= left.checked_sub(1)?;
        Some(ModuleId((index * BITS) as u32 + bit))
    })
}

impl Extend<ModuleId> for ModuleSet {
    fn extend<I: IntoIterator<Item = ModuleId>>(&mut self, modules: I) {
        for module in modules {
            self.insert(module);
        }
    }
}

impl FromIterator<ModuleId> for ModuleSet {
    fn from_iter<I: IntoIterator<Item = ModuleId>>(modules: I) -> Self {
        let mut set = Self::default();
        set.extend(modules);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_went_in_in_order() {
        let mut set: ModuleSet = [200, 330, 263, 264].map(ModuleId).into_iter().collect();
        assert!(set.insert(ModuleId(5)) && !set.insert(ModuleId(264)));
        assert_eq!(set.iter().map(|m| m.0).collect::<Vec<_>>(), [5, 200, 263, 264, 330]);
        assert!(set.contains(&ModuleId(330)) && !set.contains(&ModuleId(331)) && !set.contains(&ModuleId(9999)));
        let other: ModuleSet = [0, 263, 329, 330, 700].map(ModuleId).into_iter().collect();
        assert_eq!(set.common(&other).map(|m| m.0).collect::<Vec<_>>(), [263, 330]);
        assert_eq!(other.common(&set).map(|m| m.0).collect::<Vec<_>>(), [263, 330]);
        assert_eq!(set.common(&ModuleSet::default()).count(), 0);
        let late: ModuleSet = [ModuleId(640)].into_iter().collect();
        assert!(!late.contains(&ModuleId(0)) && !late.contains(&ModuleId(639)) && late.contains(&ModuleId(640)));
    }
}
