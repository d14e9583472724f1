//! Source roots: the folders that modules are named from. What the user and the build files declare comes first;
//! the rest follows from `__init__.py` files and, where folders without one leave it open, from what the project's
//! own imports say.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use rayon::prelude::*;

use super::folders::{Folders, below, is_below, join, name, parent};
use super::manifest;
use super::modules::is_identifier;
use super::{Listing, SourceFile};

/// The source roots of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Folders relative to the project's root, sorted; `""` is the root itself.
    pub roots: Vec<String>,
    /// Those of `roots` that hold only scripts, e.g. `docs` with a `conf.py`: Python puts them on the path when it
    /// runs a script in them, so that code elsewhere does not find their modules.
    pub scripts: Vec<String>,
}

/// The source roots of what was read: `named` by the user, declared by build files, or found. Every `.py` file that
/// can be imported lies below one, and is named from the deepest.
pub fn source_roots(listing: &Listing, named: &[String]) -> Vec<String> {
    layout(listing, named).roots
}

/// As [`source_roots`], and which of them hold scripts.
pub fn layout(listing: &Listing, named: &[String]) -> Layout {
    let folders = Folders::new(listing);
    let mut surveyor = Surveyor::new(listing, &folders, named);
    surveyor.survey()
}

/// Where the modules of one folder are named from.
enum Place<'f> {
    /// A root that somebody declared.
    Declared(String),
    /// The folder that holds the topmost package, or the folder itself where there is none.
    Open { holder: &'f str, package: bool },
}

struct Surveyor<'a> {
    listing: &'a Listing,
    folders: &'a Folders<'a>,
    /// Root by covered folder.
    covered: BTreeMap<String, String>,
    named: BTreeSet<String>,
}

impl<'a> Surveyor<'a> {
    fn new(listing: &'a Listing, folders: &'a Folders<'a>, named: &[String]) -> Self {
        let named: BTreeSet<String> = named.iter().map(|root| join("", root)).collect();
        let mut covered = BTreeMap::new();
        for (path, text) in &listing.manifests {
            if folders.projects().contains(parent(path)) {
                covered.extend(manifest::coverages(path, text, folders).into_iter().map(|c| (c.folder, c.root)));
            }
        }
        covered.extend(named.iter().map(|root| (root.clone(), root.clone())));
        Self { listing, folders, covered, named }
    }

    fn survey(&mut self) -> Layout {
        let implied = self.implied_src();
        self.covered.extend(implied.iter().map(|src| (src.clone(), src.clone())));
        let mut open = self.open_holders();
        let asked: BTreeSet<&str> = open.keys().copied().chain(implied.iter().map(String::as_str)).collect();
        let mut votes = Votes::count(&self.listing.files, self.folders, &asked);
        // e.g. `from src.models import User`: `src` is a part of the name there, not a root.
        let refuted: Vec<&String> =
            implied.iter().filter(|src| votes.winner(src).is_some_and(|w| w != **src)).collect();
        if !refuted.is_empty() {
            refuted.iter().for_each(|src| drop(self.covered.remove(*src)));
            open = self.open_holders();
            votes = Votes::count(&self.listing.files, self.folders, &open.keys().copied().collect());
        }
        self.decide(&open, &votes)
    }

    /// Folders called `src` beside a build file or at the top, which nobody declared.
    fn implied_src(&self) -> Vec<String> {
        let beside: BTreeSet<&str> = self.folders.projects().iter().copied().chain([""]).collect();
        let candidates = beside.into_iter().map(|folder| join(folder, "src"));
        let is_root = |src: &String| {
            self.folders.has_folder(src)
                && !self.folders.is_package(src)
                && !self.folders.projects().contains(src.as_str())
                && matches!(self.place(src), Place::Open { .. })
        };
        candidates.filter(is_root).collect()
    }

    /// The folders that modules could be named from or through, and whether each holds a package.
    fn open_holders(&self) -> BTreeMap<&'a str, bool> {
        let mut holders = BTreeMap::new();
        for folder in self.file_folders() {
            if let Place::Open { holder, package } = self.place(folder) {
                *holders.entry(holder).or_default() |= package;
            }
        }
        holders
    }

    fn file_folders(&self) -> BTreeSet<&'a str> {
        self.listing.files.iter().map(|f| parent(&f.path)).collect()
    }

    fn place<'f>(&self, folder: &'f str) -> Place<'f> {
        let mut at = folder;
        let mut topmost = None;
        let mut own_project = false;
        loop {
            if let Some(root) = self.covered.get(at).filter(|root| !own_project || self.named.contains(*root)) {
                return Place::Declared(root.clone());
            }
            if !own_project && self.folders.is_package(at) {
                topmost = Some(at);
            }
            own_project |= self.folders.projects().contains(at);
            if at.is_empty() || !is_identifier(name(at)) {
                let holder = topmost.map_or(folder, parent);
                return Place::Open { holder, package: topmost.is_some() };
            }
            at = parent(at);
        }
    }

    fn decide(&self, open: &BTreeMap<&str, bool>, votes: &Votes) -> Layout {
        let mut decided: BTreeMap<&str, &str> = BTreeMap::new();
        let mut shared: BTreeSet<String> = self.named.clone();
        let mut scripts: BTreeSet<String> = BTreeSet::new();
        let relative = self.relative_levels(open);
        // A folder comes before those in it, so that these can follow it.
        for (holder, has_package) in open {
            let possible = self.folders.possible_roots(holder);
            let root = votes.winner(holder).unwrap_or_else(|| {
                let level = relative.get(holder).copied().unwrap_or_default().min(possible.len() - 1);
                let above = possible[level];
                if level > 0 { decided.get(above).copied().unwrap_or(above) } else { above }
            });
            decided.insert(holder, root);
            let is_project = root.is_empty() || self.folders.projects().contains(root);
            if *has_package || is_project || root != *holder {
                shared.insert(root.to_owned());
            } else {
                scripts.insert(root.to_owned());
            }
        }
        for folder in self.file_folders() {
            if let Place::Declared(root) = self.place(folder) {
                shared.insert(root);
            }
        }
        scripts.retain(|root| !shared.contains(root));
        let roots = shared.iter().chain(&scripts).cloned().collect::<BTreeSet<_>>().into_iter().collect();
        Layout { roots, scripts: scripts.into_iter().collect() }
    }

    /// How many folders up the relative imports of the files in each of `holders` reach.
    fn relative_levels(&self, holders: &BTreeMap<&str, bool>) -> BTreeMap<&'a str, usize> {
        let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
        for file in &self.listing.files {
            let folder = parent(&file.path);
            if !folder.is_empty() && holders.contains_key(folder) {
                let level = relative_level(&file.text);
                levels.entry(folder).and_modify(|l| *l = level.max(*l)).or_insert(level);
            }
        }
        levels
    }
}

/// What the project's own imports say about folders without `__init__.py`: e.g. for `google/cloud/foo`,
/// `from google.cloud.foo import x` is a vote to name what lies in `google/cloud` from the folder above `google`.
#[derive(Default)]
struct Votes<'a> {
    /// Per folder and root, the imports that fit.
    counts: BTreeMap<&'a str, BTreeMap<&'a str, usize>>,
}

impl<'a> Votes<'a> {
    fn count(files: &[SourceFile], folders: &Folders, asked: &BTreeSet<&'a str>) -> Self {
        let mut by_first: BTreeMap<&str, Vec<(&'a str, &'a str)>> = BTreeMap::new();
        for &folder in asked {
            for root in folders.possible_roots(folder).into_iter().skip(1) {
                let first = below(root, folder).split('/').next().unwrap_or_default();
                by_first.entry(first).or_default().push((folder, root));
            }
        }
        let patterns: Vec<String> =
            by_first.keys().flat_map(|first| [format!("from {first}"), format!("import {first}")]).collect();
        let mut votes = Self::default();
        let Some(finder) = AhoCorasick::new(&patterns).ok().filter(|_| !patterns.is_empty()) else { return votes };
        let fitting: Vec<Vec<(&str, &str)>> = files
            .par_iter()
            .map(|file| {
                let mut fitting = Vec::new();
                // Overlapping, as one pattern may be the start of another.
                let hits: BTreeSet<usize> =
                    finder.find_overlapping_iter(file.text.as_ref()).map(|hit| hit.start()).collect();
                for import in hits.into_iter().filter_map(|at| Import::at(&file.text, at)) {
                    let first = import.module.split('.').next().unwrap_or_default();
                    let candidates = by_first.get(first).into_iter().flatten();
                    fitting.extend(
                        candidates
                            .filter(|(folder, root)| is_below(&file.path, root) && import.fits(root, folder, folders)),
                    );
                }
                fitting
            })
            .collect();
        for (folder, root) in fitting.into_iter().flatten() {
            *votes.counts.entry(folder).or_default().entry(root).or_default() += 1;
        }
        votes.count_own(files, folders);
        votes
    }

    /// Votes for the folders themselves, where there are any others.
    fn count_own(&mut self, files: &[SourceFile], folders: &Folders) {
        for (folder, counts) in &mut self.counts {
            let inside = files.par_iter().filter(|file| is_below(&file.path, folder));
            let own =
                inside.map(|file| imports(&file.text).filter(|i| i.names_module_in(folder, folders)).count()).sum();
            counts.insert(folder, own);
        }
    }

    /// The root with the most votes; a tie goes to the folder itself, or else to the uppermost.
    fn winner(&self, folder: &str) -> Option<&'a str> {
        let counts = self.counts.get(folder)?;
        let best = counts.iter().max_by_key(|(root, count)| (**count, **root == folder, usize::MAX - root.len()));
        best.map(|(root, _)| *root)
    }
}

/// An absolute import statement, as far as one line tells.
struct Import<'t> {
    /// The dotted name after `from` or `import`.
    module: &'t str,
    /// What stands behind `import` in a `from` statement.
    names: &'t str,
}

impl<'t> Import<'t> {
    /// The statement that starts at `at`, if nothing but space stands before it in its line.
    fn at(text: &'t str, at: usize) -> Option<Self> {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        if !text[start..at].trim_start_matches('\u{feff}').trim().is_empty() {
            return None;
        }
        let (is_from, rest) = match text[at..].strip_prefix("from ") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text[at..].strip_prefix("import ")?.trim_start()),
        };
        let end = rest.find(|c: char| c != '.' && c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        let (module, rest) = rest.split_at(end);
        if module.is_empty() || module.starts_with('.') {
            return None;
        }
        let names = if is_from { rest.trim_start().strip_prefix("import")?.trim_start() } else { "" };
        let end = if names.starts_with('(') { names.find(')') } else { names.find(['\n', '#', ';']) };
        Some(Self { module, names: &names[..end.unwrap_or(names.len())] })
    }

    /// Whether it loads something below `folder` when modules are named from `root`.
    fn fits(&self, root: &str, folder: &str, folders: &Folders) -> bool {
        let path = join(root, &self.module.replace('.', "/"));
        if path == folder {
            return self
                .names
                .split(|c: char| c != '_' && !c.is_alphanumeric())
                .any(|name| !name.is_empty() && folders.has_module(&join(folder, name)));
        }
        is_below(&path, folder) && folders.has_module(&path)
    }

    /// Whether it loads a module of `folder` when modules are named from there.
    fn names_module_in(&self, folder: &str, folders: &Folders) -> bool {
        folders.has_module(&join(folder, &self.module.replace('.', "/")))
    }
}

/// The absolute imports of a file, by a look at its lines.
fn imports(text: &str) -> impl Iterator<Item = Import<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let at = start + line.len() - line.trim_start_matches(['\u{feff}', ' ', '\t']).len();
        start += line.len();
        Import::at(text, at)
    })
}

/// The most dots that an import of the file starts with.
fn relative_level(text: &str) -> usize {
    let dots = |at: usize| {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text[at..].trim_start_matches("from ");
        let module = rest.trim_start_matches('.');
        let is_import = text[start..at].trim().is_empty() && module.contains("import");
        if is_import { rest.len() - module.len() } else { 0 }
    };
    memchr::memmem::find_iter(text.as_bytes(), "from .").map(dots).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// A project of `(path, text)`; build files become manifests, and setup.py a module as well.
    fn listing(files: &[(&str, &str)]) -> Listing {
        let mut listing = Listing::default();
        for (path, text) in files {
            if ["pyproject.toml", "setup.cfg", "setup.py"].contains(&name(path)) {
                listing.manifests.insert((*path).to_owned(), (*text).to_owned());
            }
            if path.ends_with(".py") {
                let text = Arc::from(*text);
                listing.files.push(SourceFile { path: (*path).to_owned(), text, trouble: None, writable: true });
            }
        }
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], named: &[&str], expected: &[&str]) {
        let named: Vec<String> = named.iter().map(|n| (*n).to_owned()).collect();
        assert_eq!(source_roots(&listing(files), &named), expected, "{files:?}");
    }

    /// A namespace package `ns` in `folder`, so that only a declaration tells its root.
    #[track_caller]
    fn declared(manifest: &str, text: &str, folder: &str) {
        let module = join(folder, "ns/pkg/__init__.py");
        check(&[(manifest, text), (&module, "")], &[], &[folder]);
    }

    #[test]
    fn build_backends() {
        let py = "pyproject.toml";
        declared(py, "[tool.setuptools]\npackage-dir = {\"\" = \"lib\"}", "lib");
        declared(py, "[tool.setuptools]\npackage-dir = {\"ns.pkg\" = \"lib/ns/pkg\"}", "lib");
        declared(py, "[tool.setuptools]\npackages = [\"ns.pkg\"]", "");
        declared(py, "[tool.setuptools.packages.find]\nwhere = [\"lib\"]", "lib");
        declared(py, "[tool.setuptools.packages.find]\ninclude = [\"ns*\"]", "");
        declared(py, "[tool.poetry]\npackages = [{include = \"ns\", from = \"lib\"}]", "lib");
        declared(py, "[tool.poetry]\npackages = [{include = \"ns/pkg\"}]", "");
        declared(py, "[tool.hatch.build.targets.wheel]\npackages = [\"lib/ns\"]", "lib");
        declared(py, "[tool.hatch.build.targets.wheel]\npackages = [\"ns\"]", "");
        declared(py, "[tool.hatch.build.targets.wheel]\nsources = [\"lib\"]", "lib");
        declared(py, "[tool.hatch.build.targets.wheel.sources]\n\"lib/ns\" = \"ns\"", "lib");
        declared(py, "[tool.hatch.build]\ndev-mode-dirs = [\"lib\"]", "lib");
        declared(py, "[tool.flit.module]\nname = \"ns.pkg\"", "");
        declared(py, "[tool.flit.module]\nname = \"ns.pkg\"", "src");
        declared(py, "[tool.pdm.build]\npackage-dir = \"lib\"", "lib");
        declared(py, "[tool.uv.build-backend]\nmodule-root = \"lib\"", "lib");
        declared(py, "[tool.uv.build-backend]\nmodule-root = \"\"\nmodule-name = \"ns.pkg\"", "");
        declared(py, "[build-system]\nbuild-backend = \"uv_build\"", "src");
        declared(py, "[tool.maturin]\npython-source = \"python\"", "python");
        declared(py, "[tool.scikit-build]\nwheel.packages = [\"python/ns\"]", "python");
        declared("setup.cfg", "[options]\npackage_dir =\n    = lib\n", "lib");
        declared("setup.cfg", "[options]\npackage_dir = =lib\n", "lib");
        declared("setup.cfg", "[options.packages.find]\nwhere = lib\n", "lib");
        declared("sub/pyproject.toml", "[tool.pdm.build]\npackage-dir = \"lib\"", "sub/lib");
    }

    #[test]
    fn setup_py_is_searched_as_text() {
        for text in [
            "setup(package_dir={\"\": \"lib\"})",
            "setup(package_dir = {'': 'lib'})",
            "setup(packages=find_packages('lib'))",
            "setup(packages=find_packages(where=\"lib\"))",
            "setup(packages=find_namespace_packages(exclude=['x'], where=\"lib\"))",
        ] {
            check(&[("setup.py", text), ("lib/ns/pkg/__init__.py", "")], &[], &["", "lib"]);
        }
        let text = "# find_packages('lib')\nsetup(packages=find_namespace_packages(include=['ns.*']))";
        check(&[("setup.py", text), ("ns/pkg/__init__.py", "")], &[], &[""]);
    }

    #[test]
    fn what_is_not_declared() {
        let none: &[&str] = &[];
        check(&[], &[], none);
        check(&[("pkg/__init__.py", ""), ("pkg/sub/__init__.py", "")], &[], &[""]);
        check(&[("pkg/__init__.py", ""), ("pkg/management/commands/run.py", "")], &[], &[""]);
        check(&[("src/pkg/__init__.py", ""), ("pyproject.toml", "")], &[], &["src"]);
        check(&[("src/ns/pkg/__init__.py", "")], &[], &["src"]);
        check(&[("src/__init__.py", ""), ("src/a.py", "")], &[], &[""]);
        check(&[("src/models/user.py", "from src.models.base import B"), ("src/models/base.py", "")], &[], &[""]);
        check(&[("src/models/user.py", "from models.base import B"), ("src/models/base.py", "")], &[], &["src"]);
        check(&[("pkg/__init__.py", ""), ("tests/test_x.py", ""), ("docs/conf.py", "")], &[], &["", "docs", "tests"]);
        check(&[("pkg/__init__.py", ""), ("tests/__init__.py", ""), ("tests/test_x.py", "")], &[], &[""]);
        check(
            &[("pkg/__init__.py", ""), ("tests/__init__.py", ""), ("tests/test-a/x.py", "")],
            &[],
            &["", "tests/test-a"],
        );
        check(&[("a.py", ""), ("my-scripts/b.py", "")], &[], &["", "my-scripts"]);
    }

    #[test]
    fn imports_tell_where_namespace_packages_start() {
        let deep = "google/cloud/foo/__init__.py";
        check(&[(deep, ""), ("google/cloud/foo/a.py", "")], &[], &["google/cloud"]);
        check(&[(deep, ""), ("google/cloud/foo/a.py", "from google.cloud.foo import b")], &[], &[""]);
        check(&[(deep, ""), ("google/cloud/foo/a.py", "from google.cloud import foo")], &[], &[""]);
        check(&[(deep, ""), ("google/cloud/foo/a.py", "'''\n>>> import google.cloud.foo")], &[], &["google/cloud"]);
        check(&[("app/main.py", "from app.models.user import U"), ("app/models/user.py", "")], &[], &[""]);
        check(&[("app/main.py", "from models.user import U"), ("app/models/user.py", "")], &[], &["app"]);
        check(
            &[("app/main.py", "from .models.user import U"), ("app/models/user.py", "from ..main import x")],
            &[],
            &[""],
        );
        // One import fits both ways: the folder of the topmost package stays.
        check(&[("core/core/__init__.py", "import core.core"), ("core/core/core.py", "")], &[], &["core"]);
    }

    #[test]
    fn a_monorepo_has_roots_per_project() {
        check(
            &[
                ("pyproject.toml", ""),
                ("tools/run.py", ""),
                ("libs/a/pyproject.toml", "[tool.poetry]\npackages = [{include = \"a\"}]"),
                ("libs/a/a/__init__.py", "from b import c"),
                ("libs/a/tests/test_a.py", ""),
                ("libs/b/setup.cfg", ""),
                ("libs/b/src/b/__init__.py", ""),
            ],
            &[],
            &["libs/a", "libs/a/tests", "libs/b/src", "tools"],
        );
    }

    #[test]
    fn named_roots_come_first() {
        check(&[("app/a.py", ""), ("app/b/c.py", "")], &["./app/"], &["app"]);
        check(&[("app/a.py", ""), ("docs/conf.py", "")], &["."], &[""]);
        check(&[("app/a.py", ""), ("docs/conf.py", "")], &["app"], &["app", "docs"]);
    }

    #[test]
    fn folders_of_scripts_are_told_apart() {
        let found = layout(&listing(&[("pkg/__init__.py", ""), ("docs/conf.py", ""), ("setup.py", "")]), &[]);
        assert_eq!((found.roots, found.scripts), (vec![String::new(), "docs".to_owned()], vec!["docs".to_owned()]));
    }
}
