//! A synthetic monorepo: as many files, imports and cycles as are asked for, the same on every run. Modules import only those
//! with lower numbers, but for the cycles, each of two neighbours that use each other in functions.

use std::fmt::Write;

/// Modules of one package.
const PACKAGE: usize = 20;

/// What a monorepo is made of.
#[derive(Clone, Copy, Debug)]
pub struct Monorepo {
    /// Modules, `__init__.py` aside.
    pub files: usize,
    /// Imports of each module, as far as there are modules before it.
    pub imports: usize,
    /// Pairs of modules that import each other.
    pub cycles: usize,
}

impl Monorepo {
    /// Path and text of every file.
    pub fn files(self) -> impl Iterator<Item = (String, String)> {
        let packages = self.files.div_ceil(PACKAGE);
        let heads = (0..packages).map(|package| (format!("mono/p{package}/__init__.py"), String::new()));
        let top = [("mono/__init__.py".to_owned(), String::new()), ("pyproject.toml".to_owned(), MANIFEST.to_owned())];
        let modules = (0..self.files).map(move |n| (format!("{}.py", name(n).replace('.', "/")), self.text(n)));
        top.into_iter().chain(heads).chain(modules)
    }

    /// The module that a module forms a cycle with, if it does.
    fn partner(self, n: usize) -> Option<usize> {
        let apart = self.files.checked_div(self.cycles)?.max(2);
        let (cycle, place) = (n / apart, n % apart);
        let partner = match place {
            0 => n + 1,
            1 => n - 1,
            _ => return None,
        };
        (cycle < self.cycles && partner < self.files).then_some(partner)
    }

    fn text(self, n: usize) -> String {
        let mut text =
            format!("\"\"\"Module {n}: what import {n} would say.\"\"\"\nfrom __future__ import annotations\n\n");
        text.push_str("import json\nfrom typing import TYPE_CHECKING\n\n");
        let mut taken: Vec<usize> = (0..self.imports).filter(|_| n > 0).map(|i| mixed(n, i) % n.max(1)).collect();
        taken.extend(self.partner(n));
        taken.sort_unstable();
        taken.dedup();
        for other in &taken {
            let _never_fails = writeln!(text, "from {} import work_{other}, LIMIT_{other}", name(*other));
        }
        text.push_str("\nif TYPE_CHECKING:\n    from collections.abc import Iterable\n\n");
        let _never_fails =
            writeln!(text, "LIMIT_{n} = {}\nTEXT = f\"{{LIMIT_{n}:>8}} of {{json.dumps({{}})}}\"\n", n % 97);
        let _never_fails = write!(
            text,
            "\nclass Keeper{n}:\n    \"\"\"Keeps.\"\"\"\n\n    def __init__(self):\n        self.kept = []\n"
        );
        for method in 0..8 {
            let _never_fails = write!(
                text,
                "\n    def step_{method}(self, items: Iterable[int]) -> list[int]:\n        # Each step adds what the one \
                 before it left.\n        found = [item + {method} for item in items if item % {} == 0]\n        if not \
                 found and len(self.kept) > 0:\n            return self.kept[-1:]\n        self.kept.extend(found)\n        \
                 return found\n",
                method + 2
            );
        }
        let _never_fails =
            write!(text, "\n\ndef work_{n}(value: int) -> int:\n    \"\"\"Works.\"\"\"\n    total = value\n");
        for other in &taken {
            let _never_fails =
                writeln!(text, "    if value > LIMIT_{other}:\n        total += work_{other}(value - 1)");
        }
        text.push_str("    return total\n");
        text
    }
}

const MANIFEST: &str = "[project]\nname = \"mono\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n";

fn name(n: usize) -> String {
    format!("mono.p{}.m{n}", n / PACKAGE)
}

/// A number that looks like chance (the multiplier of Knuth's MMIX).
fn mixed(n: usize, i: usize) -> usize {
    let seed = (n as u64) << 8 | i as u64;
    let mixed = (seed ^ seed >> 3).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (mixed >> 33) as usize
}
