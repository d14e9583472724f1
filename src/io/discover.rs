//! The projects of a batch: those below a folder, or those that a manifest lists. Every Python file belongs to one project at
//! most: the innermost that holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::load::{self, LoadError, Request};
use super::walk::{self, Found};

/// What the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A folder: all projects below it.
    Below(PathBuf),
    /// A line of a manifest, or a Python file: the project that it is part of.
    One(PathBuf),
}

impl Named {
    pub fn path(&self) -> &PathBuf {
        match self {
            Named::Below(path) | Named::One(path) => path,
        }
    }

    /// The same, with the path at another place.
    pub fn at(&self, path: PathBuf) -> Self {
        match self {
            Named::Below(_) => Named::Below(path),
            Named::One(_) => Named::One(path),
        }
    }
}

/// A line of a manifest that leads nowhere.
#[derive(Debug, thiserror::Error)]
#[error("{}:{line}: {error}", manifest.display())]
pub struct BadLine {
    pub manifest: PathBuf,
    /// 1-based.
    pub line: usize,
    /// What the line says.
    pub text: String,
    pub error: LoadError,
}

/// What `paths` stand for: a file that is no Python is a manifest, with a path a line, relative to its folder. Blank lines
/// and lines that start with `#` say nothing.
///
/// Errors: a manifest that cannot be read. Its lines that lead nowhere are given beside.
pub fn named(paths: &[PathBuf]) -> Result<(Vec<Named>, Vec<BadLine>), LoadError> {
    let (mut all, mut bad) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_file() {
            all.push(Named::Below(path.clone()));
        } else if load::is_python(path) {
            all.push(Named::One(path.clone()));
        } else {
            let bytes = std::fs::read(path).map_err(|source| LoadError::Unreadable { path: path.clone(), source })?;
            let text = String::from_utf8(bytes).map_err(|_| LoadError::NotText { path: path.clone() })?;
            // Editors of Windows put a byte order mark first.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let folder = path.parent().unwrap_or(Path::new(""));
            for (index, line) in text.lines().enumerate().map(|(index, line)| (index, line.trim())) {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let one = folder.join(line);
                match Request::new(&one) {
                    Ok(_) => all.push(Named::One(one)),
                    Err(error) => {
                        let error = match error {
                            LoadError::Missing { .. } => LoadError::missing(&one, "the folder of the manifest"),
                            error => error,
                        };
                        bad.push(BadLine { manifest: path.clone(), line: index + 1, text: line.to_owned(), error });
                    }
                }
            }
        }
    }
    Ok((all, bad))
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// Sorted by where they start.
    pub projects: Vec<Request>,
    /// Python files below the named folders that are part of no project, sorted.
    pub loose: Vec<PathBuf>,
    /// What below the named folders was passed over, and why, unless a project says so of its own; sorted.
    pub skipped: Vec<(PathBuf, String)>,
}

/// Finds the projects. `exclude` are globs of what is left out, `threads` how many look.
///
/// Errors: a path that is not there or cannot be read, or a glob that is none.
pub fn discover(named: &[Named], exclude: &[String], threads: usize) -> Result<Discovery, LoadError> {
    let mut projects: BTreeMap<BTreeSet<PathBuf>, Request> = BTreeMap::new();
    let (mut loose, mut skipped) = (BTreeSet::new(), BTreeSet::new());
    let mut add = |request: Request| match projects.entry(request.starts.clone()) {
        std::collections::btree_map::Entry::Vacant(free) => drop(free.insert(request)),
        std::collections::btree_map::Entry::Occupied(mut same) => same.get_mut().join(request),
    };
    for one in named {
        let request = Request::new(one.path())?;
        match one {
            Named::Below(path) if path.is_dir() => {
                let folder = request.paths[0].clone();
                let met = walk::walk(&folder, exclude, threads)?;
                let found = Tree::new(&folder, &met).projects(request);
                found.0.into_iter().for_each(&mut add);
                loose.extend(found.1);
                skipped.extend(met.skipped.into_iter().map(|one| (folder.join(one.file), one.reason)));
            }
            _ => add(request),
        }
    }
    let mut projects: Vec<Request> = projects.into_values().collect();
    let starts: BTreeSet<PathBuf> = projects.iter().flat_map(|project| project.starts.clone()).collect();
    for project in &mut projects {
        let inside = |start: &&PathBuf| !project.starts.contains(*start) && holds(&project.starts, start);
        project.without = starts.iter().filter(inside).cloned().collect();
    }
    let skipped = skipped.into_iter().filter(|(path, _)| !holds(&starts, path)).collect();
    Ok(Discovery { projects, loose: loose.into_iter().collect(), skipped })
}

fn holds(folders: &BTreeSet<PathBuf>, path: &Path) -> bool {
    path.ancestors().any(|above| folders.contains(above))
}

/// What a walk below a folder met.
struct Tree<'f> {
    folder: &'f Path,
    found: &'f Found,
    /// Folders with a build file that are no packages, and those that one package was installed to.
    projects: BTreeSet<&'f Path>,
    /// Folders that several packages were installed to.
    environments: BTreeSet<&'f Path>,
}

impl<'f> Tree<'f> {
    fn new(folder: &'f Path, found: &'f Found) -> Self {
        let mut installed: BTreeMap<&Path, usize> = BTreeMap::new();
        for info in found.folders.iter().filter(|f| f.extension().is_some_and(|e| e == "dist-info")) {
            *installed.entry(info.parent().unwrap_or(folder)).or_default() += 1;
        }
        let mut tree = Self { folder, found, projects: BTreeSet::new(), environments: BTreeSet::new() };
        let manifests = found.files.keys().filter(|path| walk::is_manifest(path)).filter_map(|path| path.parent());
        tree.projects = manifests.filter(|at| !tree.is_package(at)).collect();
        for (at, count) in installed {
            if count == 1 {
                tree.projects.insert(at)
            } else {
                tree.environments.insert(at)
            };
        }
        tree
    }

    fn is_package(&self, folder: &Path) -> bool {
        self.found.files.contains_key(&folder.join("__init__.py"))
    }

    /// The projects, and the files that are part of none. `around` is what the folder itself is part of.
    fn projects(&self, around: Request) -> (Vec<Request>, Vec<PathBuf>) {
        let is_inside = around.root != self.folder;
        let around =
            Some(around).filter(|it| is_inside && (walk::has_marker(&it.root) || self.is_package(self.folder)));
        let (mut own, mut loose, mut in_around) = (BTreeSet::new(), Vec::new(), false);
        for file in self.found.files.keys().filter(|path| load::is_python(path)) {
            match self.place(file, around.is_none()) {
                Some(place) => drop(own.insert(place)),
                None if around.is_some() => in_around = true,
                None => loose.push(file.clone()),
            }
        }
        let own = own.into_iter().map(|(root, start)| Request {
            root: root.to_owned(),
            paths: vec![start.clone()],
            starts: BTreeSet::from([start]),
            without: BTreeSet::new(),
        });
        (around.filter(|_| in_around).into_iter().chain(own).collect(), loose)
    }

    /// The root of the project that a file below the folder is part of, and where in it to look for files.
    fn place(&self, file: &'f Path, bare: bool) -> Option<(&'f Path, PathBuf)> {
        let mut topmost = None;
        for at in file.ancestors().skip(1).take_while(|at| at.starts_with(self.folder)) {
            if self.projects.contains(at) {
                return Some((at, at.to_owned()));
            }
            if self.environments.contains(at) {
                let first = file.strip_prefix(at).ok()?.iter().next()?;
                return Some((at, at.join(first)));
            }
            if self.is_package(at) {
                topmost = Some(at);
            }
        }
        let top = topmost.filter(|_| bare)?;
        Some((top.parent()?, top.to_owned()))
    }
}
