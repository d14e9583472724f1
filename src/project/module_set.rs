//! A set of modules as bits: small, quick to ask, and always in the order of the ids.

use super::ModuleId;

const BITS: usize = u64::BITS as usize;

/// A set of the modules of one project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleSet {
    /// Bit `n % 64` of word `n / 64` is that of the module `n`.
    words: Vec<u64>,
}

impl ModuleSet {
    /// An empty set with room for the ids below `modules`.
    pub fn with_capacity(modules: usize) -> Self {
        Self { words: Vec::with_capacity(modules.div_ceil(BITS)) }
    }

    /// Says whether the module is new in the set.
    pub fn insert(&mut self, module: ModuleId) -> bool {
        let (word, bit) = (module.index() / BITS, 1u64 << (module.index() % BITS));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    pub fn contains(&self, module: &ModuleId) -> bool {
        self.words.get(module.index() / BITS).is_some_and(|word| word & 1 << (module.index() % BITS) != 0)
    }

    /// The modules in order.
    pub fn iter(&self) -> impl Iterator<Item = ModuleId> + '_ {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.checked_sub(1)?;
                Some(ModuleId((index * BITS) as u32 + bit))
            })
        })
    }
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
        let mut set: ModuleSet = [130, 0, 63, 64].map(ModuleId).into_iter().collect();
        assert!(set.insert(ModuleId(5)) && !set.insert(ModuleId(64)));
        assert_eq!(set.iter().map(|m| m.0).collect::<Vec<_>>(), [0, 5, 63, 64, 130]);
        assert!(set.contains(&ModuleId(130)) && !set.contains(&ModuleId(131)) && !set.contains(&ModuleId(9999)));
    }
}
