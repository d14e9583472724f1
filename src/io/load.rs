//! Reading projects from the disk: which project a path belongs to, which of its files count, and their text.
//! The whole project is read, as code anywhere in it may use a name; only what lies under a named path is writable.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::config::{self, Config, Located};
use super::decode::decode;
use super::setting::nearest;
use super::walk::{Found, Walk, globs, is_extension, is_manifest};
use crate::project::{Listing, Project, Settings, Skipped, SourceFile, layout};

/// Files that make a folder the root of a project.
pub(super) const MARKERS: [&str; 4] = ["pyproject.toml", "setup.py", "setup.cfg", "cyclefix.toml"];

/// Folders of copies of other people's code.
pub(super) const VENDORED: [&str; 9] =
    ["_third_party", "_vendor", "_vendored", "extern", "externals", "third_party", "thirdparty", "vendor", "vendored"];

/// Folders of tests and documents.
const TESTS: [&str; 5] = ["doc", "docs", "test", "testing", "tests"];

/// Folders inside of those with files that are read, not imported: their cycles may be there on purpose.
const READ_BY_TESTS: [&str; 7] = ["data", "fixtures", "input", "inputs", "test_data", "test-data", "testdata"];

/// How to load.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Globs of files and folders to leave out, besides those in the settings.
    pub exclude: Vec<String>,
    /// Folders that modules are named from, instead of those in the settings.
    pub source_roots: Vec<String>,
    /// Threads; `None`: one a core.
    pub jobs: Option<usize>,
    /// A settings file instead of the project's own.
    pub config: Option<PathBuf>,
    /// The folder that source roots may also be relative to; empty: the working directory.
    pub here: PathBuf,
}

/// A project as it lies on the disk.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Absolute, without symbolic links.
    pub root: PathBuf,
    pub project: Project,
    /// What the user named of it; absolute, without symbolic links.
    pub paths: Vec<PathBuf>,
    /// Where its settings come from, if it has any.
    pub settings_file: Option<PathBuf>,
    /// Globs of what was left out.
    pub exclude: Vec<String>,
}

/// Why nothing could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("no such file or folder: {}", path.display())]
    Missing { path: PathBuf, hint: Option<String> },
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("not a Python file: {}", path.display())]
    NotPython { path: PathBuf },
    #[error("not UTF-8, so that it is no list of paths: {}", path.display())]
    NotText { path: PathBuf },
    #[error("{}:{line}: {message}", file.display())]
    Setting { file: PathBuf, line: usize, message: String, hint: Option<String> },
    #[error("cannot exclude `{glob}`: {message}")]
    Exclude { glob: String, message: String },
    #[error("source root `{root}` is no folder of {}", project.display())]
    SourceRoot { root: String, project: PathBuf },
    #[error("cannot start {jobs} threads: {message}")]
    Jobs { jobs: usize, message: String },
}

impl LoadError {
    /// What the user could do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            LoadError::Missing { hint, .. } | LoadError::Setting { hint, .. } => hint.clone(),
            LoadError::Unreadable { .. } => {
                Some("check the permissions of the file and of the folders above it".into())
            }
            LoadError::NotText { .. } => {
                Some("a PATH that is no Python file is a manifest: a path a line; store it as UTF-8".into())
            }
            LoadError::NotPython { .. } => Some("name a folder, or a file that ends in .py".into()),
            LoadError::Exclude { .. } => Some("a glob is written as in .gitignore, e.g. `tests/**/data`".into()),
            LoadError::SourceRoot { .. } => Some("source roots are relative to the root of the project".into()),
            LoadError::Jobs { .. } => Some("name a smaller number with --jobs".into()),
        }
    }

    /// The file or folder that is at fault, and the line in it.
    pub fn place(&self) -> Option<(&Path, Option<usize>)> {
        match self {
            LoadError::Missing { path, .. }
            | LoadError::Unreadable { path, .. }
            | LoadError::NotText { path }
            | LoadError::NotPython { path } => Some((path, None)),
            LoadError::Setting { file, line, .. } => Some((file, Some(*line))),
            LoadError::SourceRoot { project, .. } => Some((project, None)),
            LoadError::Exclude { .. } | LoadError::Jobs { .. } => None,
        }
    }

    /// The same error, met in a copy at `from`, for the original at `to`.
    pub(super) fn moved(mut self, from: &Path, to: &Path) -> Self {
        let path = match &mut self {
            LoadError::Missing { path, .. }
            | LoadError::Unreadable { path, .. }
            | LoadError::NotText { path }
            | LoadError::NotPython { path } => path,
            LoadError::Setting { file, .. } => file,
            LoadError::SourceRoot { project, .. } => project,
            LoadError::Exclude { .. } | LoadError::Jobs { .. } => return self,
        };
        if let Ok(inside) = path.strip_prefix(from) {
            *path = to.join(inside);
        }
        self
    }

    /// For a path that is not there: the hint names its nearest neighbour, or what the path is seen from.
    pub(super) fn missing(path: &Path, seen_from: &str) -> Self {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        let word = path.file_name().unwrap_or_default().to_string_lossy();
        let nearest = nearest(&word, names.iter().map(String::as_str));
        let hint = match nearest {
            Some(name) => format!("did you mean `{}`?", path.with_file_name(name).display()),
            None if !folder.is_dir() => format!("there is no folder {} either", folder.display()),
            None => format!("paths are relative to {seen_from}"),
        };
        LoadError::Missing { path: path.to_owned(), hint: Some(hint) }
    }
}

/// Loads the projects that `paths` lie in, in the order in which they were named; no path is the working directory.
/// `adjust` lays the command line over the settings of each.
///
/// Errors: a path that is not there, cannot be read or is no Python, settings that cannot be read. Single files below that
/// cannot be read are listed in [`Project::skipped`].
pub fn load(
    paths: &[PathBuf],
    options: &LoadOptions,
    adjust: &dyn Fn(&mut Settings),
) -> Result<Vec<Loaded>, LoadError> {
    let threads = threads(options)?;
    let here = [PathBuf::from(".")];
    let mut requests: Vec<Request> = Vec::new();
    for path in if paths.is_empty() { &here } else { paths } {
        let request = Request::new(path)?;
        match requests.iter_mut().find(|r| r.root == request.root) {
            Some(same) => same.join(request),
            None => requests.push(request),
        }
    }
    requests.into_iter().map(|request| request.load_by(options, adjust, &threads)).collect()
}

fn threads(options: &LoadOptions) -> Result<rayon::ThreadPool, LoadError> {
    let jobs = options.jobs.unwrap_or_default();
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    threads.map_err(|e| LoadError::Jobs { jobs, message: e.to_string() })
}

/// A project to load. All paths are absolute and without symbolic links.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    pub root: PathBuf,
    /// Where to look for files: the root, or only the packages that were named.
    pub starts: BTreeSet<PathBuf>,
    /// Folders below these that belong to other projects.
    pub without: BTreeSet<PathBuf>,
    /// What may be written.
    pub paths: Vec<PathBuf>,
}

impl Request {
    /// The project that a path is part of.
    pub fn new(named: &Path) -> Result<Self, LoadError> {
        let path = named.canonicalize().map_err(|source| match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => LoadError::missing(named, "the working directory"),
            _ => LoadError::Unreadable { path: named.to_owned(), source },
        })?;
        if !path.is_dir() && !is_python(&path) {
            return Err(LoadError::NotPython { path: named.to_owned() });
        }
        // What is found below and cannot be read is listed; what was asked for must be there to answer for.
        let opened = if path.is_dir() { path.read_dir().map(drop) } else { File::open(&path).map(drop) };
        opened.map_err(|source| LoadError::Unreadable { path: named.to_owned(), source })?;
        let (root, start) = place(&path);
        Ok(Self { root, starts: BTreeSet::from([start]), without: BTreeSet::new(), paths: vec![path] })
    }

    pub(super) fn join(&mut self, other: Request) {
        self.starts.extend(other.starts);
        self.paths.extend(other.paths.into_iter().filter(|path| !self.paths.contains(path)).collect::<Vec<_>>());
    }

    /// One project of several: the root is the folder that all of theirs are in.
    pub fn merged(requests: &[Self]) -> Option<Self> {
        let (first, others) = requests.split_first()?;
        let mut all = others.iter().cloned().fold(first.clone(), |mut all, other| {
            let shared = |root: &PathBuf| other.root.starts_with(root);
            all.root = all.root.ancestors().map(Path::to_owned).find(shared).unwrap_or(all.root);
            all.without.extend(other.without.iter().cloned());
            all.join(other);
            all
        });
        let starts = &all.starts;
        all.without.retain(|folder| !starts.contains(folder));
        Some(all)
    }

    /// Whether a file or folder is part of the project, as far as its place tells.
    pub fn holds(&self, path: &Path) -> bool {
        let mut above = path.ancestors().map(|at| (self.starts.contains(at), self.without.contains(at)));
        above.find(|(start, without)| *start || *without).is_some_and(|(start, _)| start)
    }

    /// Reads the project as [`load`] does.
    pub fn load(self, options: &LoadOptions, adjust: &dyn Fn(&mut Settings)) -> Result<Loaded, LoadError> {
        self.load_by(options, adjust, &threads(options)?)
    }

    fn load_by(
        self,
        options: &LoadOptions,
        adjust: &dyn Fn(&mut Settings),
        threads: &rayon::ThreadPool,
    ) -> Result<Loaded, LoadError> {
        let config = Config::read(&self.root, options.config.as_deref())?;
        let excluded: Vec<String> = options.exclude.iter().chain(&config.exclude).cloned().collect();
        let exclude = globs(excluded.iter())?;
        let named = self.source_roots(options, &config)?;
        let mut walk = Walk::new(&self.root, &self.paths, exclude, threads.current_num_threads());
        walk.without = Arc::new(self.without);
        let found = walk.run(&self.starts);
        let mut listing = threads.install(|| read(&self.root, &self.paths, found));
        let settings_file = config.file.clone();
        let mut settings = config.complete(&self.root, &mut listing);
        adjust(&mut settings);
        listing.skipped.sort();
        listing.skipped.dedup();
        let layout = threads.install(|| layout::layout(&listing, &named));
        let project = Project::new(shown(&self.root), listing, settings, layout);
        Ok(Loaded { root: self.root, project, paths: self.paths, settings_file, exclude: excluded })
    }
}

impl Request {
    /// Those that the user or the settings name, relative to the root.
    fn source_roots(&self, options: &LoadOptions, config: &Config) -> Result<Vec<String>, LoadError> {
        let found = |root: &str| {
            let lacking = || LoadError::SourceRoot { root: root.to_owned(), project: self.root.clone() };
            config::relative_root(&self.root, &options.here, root).ok_or_else(lacking)
        };
        if !options.source_roots.is_empty() {
            return options.source_roots.iter().map(|root| found(root)).collect();
        }
        let located = |root: &Located| {
            found(&root.text).map_err(|error| match &config.file {
                None => error,
                Some(file) => LoadError::Setting {
                    file: file.clone(),
                    line: root.line,
                    message: error.to_string(),
                    hint: error.hint(),
                },
            })
        };
        config.source_roots.iter().map(located).collect()
    }
}

/// The root of the project that `path` is part of, and where in it to look for files.
fn place(path: &Path) -> (PathBuf, PathBuf) {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    if let Some(root) = marked(folder) {
        return (root.clone(), root);
    }
    // No build file says where the project starts: it is what lies beside the topmost package.
    let mut topmost = None;
    let mut at = folder;
    while let Some(above) = at.parent() {
        match (is_package(at), is_package(above)) {
            (true, _) => topmost = Some(at),
            (false, true) => {}
            (false, false) => break,
        }
        at = above;
    }
    let root = topmost.and_then(Path::parent).unwrap_or(folder).to_owned();
    let start = if root == path || !is_shared(&root) { root.clone() } else { topmost.unwrap_or(path).to_owned() };
    (root, start)
}

/// The nearest folder with a build file, or the top of the repository. In a package, a `setup.py` is but a module.
fn marked(folder: &Path) -> Option<PathBuf> {
    for at in folder.ancestors() {
        if at != folder && is_shared(at) {
            break;
        }
        let has_marker = MARKERS.iter().any(|marker| at.join(marker).is_file());
        let is_repository = at.join(".git").exists();
        if is_repository || has_marker && !is_package(at) {
            return Some(at.to_owned());
        }
    }
    None
}

pub(super) fn is_package(folder: &Path) -> bool {
    folder.join("__init__.py").is_file()
}

pub(super) fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

/// Folders that hold many unrelated things, so that a stray build file in one tells nothing.
fn is_shared(folder: &Path) -> bool {
    let home = std::env::home_dir().and_then(|home| home.canonicalize().ok());
    let temporary = std::env::temp_dir().canonicalize().ok();
    folder.parent().is_none()
        || home.as_deref() == Some(folder)
        || temporary.as_deref() == Some(folder)
        || folder.file_name().is_some_and(|name| name == "site-packages" || name == "dist-packages")
}

/// The root as it is shown: relative to the working directory if it lies there.
pub fn shown(root: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let relative = here.ok().and_then(|here| root.strip_prefix(here).ok().map(Path::to_owned));
    match relative {
        Some(path) if path.as_os_str().is_empty() => ".".to_owned(),
        Some(path) => slashes(&path),
        None => slashes(root),
    }
}

pub(super) fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

/// `path` relative to `root`, with `/`.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    slashes(path.strip_prefix(root).unwrap_or(path))
}

/// Reads all that was found, in parallel.
fn read(root: &Path, paths: &[PathBuf], found: Found) -> Listing {
    let mut listing = Listing { skipped: found.skipped, ..Listing::default() };
    let files: Vec<(PathBuf, bool)> = found.files.into_iter().collect();
    let contents: Vec<(String, Contents)> = files
        .par_iter()
        .map_init(Vec::new, |buffer, (path, is_link)| {
            (relative(root, path), read_file(path, buffer, !is_link && is_writable(path, paths)))
        })
        .collect();
    for ((path, _), (name, contents)) in files.iter().zip(contents) {
        match contents {
            Contents::Stub => listing.stubs.push(name),
            Contents::Extension => listing.extensions.push(name),
            Contents::Source(text) => {
                listing.others.push((name.clone(), text));
                listing.extensions.push(name);
            }
            Contents::Script(text) => listing.others.push((name, text)),
            Contents::Nothing => {}
            Contents::Unreadable(reason) => listing.skipped.push(Skipped { file: name, line: None, reason }),
            Contents::Text { text, trouble, writable } => {
                if is_manifest(path) {
                    listing.manifests.insert(name.clone(), text.to_string());
                }
                if !is_python(path) {
                    continue;
                }
                let trouble = trouble.map(|(line, reason)| Skipped { file: name.clone(), line: Some(line), reason });
                listing.skipped.extend(trouble.clone());
                listing.files.push(SourceFile { path: name, text, trouble, writable });
            }
        }
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    listing.stubs.sort();
    listing.extensions.sort();
    listing.others.sort();
    listing
}

enum Contents {
    Stub,
    Extension,
    /// Cython's, of an extension module.
    Source(Arc<str>),
    /// A script without an ending.
    Script(Arc<str>),
    Nothing,
    Unreadable(String),
    Text {
        text: Arc<str>,
        trouble: Option<(usize, String)>,
        writable: bool,
    },
}

/// Reads a file by way of a buffer that keeps its room for the next one.
fn read_file(path: &Path, buffer: &mut Vec<u8>, writable: bool) -> Contents {
    if path.extension().is_some_and(|extension| extension == "pyi") {
        return Contents::Stub;
    }
    let is_source = path.extension().is_some_and(|extension| extension == "pyx");
    if is_extension(path) && !is_source {
        return Contents::Extension;
    }
    let may_be_script = path.extension().is_none();
    if may_be_script && !is_for_python(path) {
        return Contents::Nothing;
    }
    if path.to_str().is_none() {
        return Contents::Unreadable("its name is not UTF-8".to_owned());
    }
    buffer.clear();
    match File::open(path).and_then(|mut file| file.read_to_end(buffer)) {
        Ok(_) => {
            let (text, trouble) = decode(buffer);
            if is_source {
                return Contents::Source(text);
            }
            if may_be_script {
                return Contents::Script(text);
            }
            Contents::Text { text, trouble, writable }
        }
        Err(error) => Contents::Unreadable(format!("cannot read: {error}")),
    }
}

/// Whether the first line of a script names Python.
fn is_for_python(path: &Path) -> bool {
    let mut first = [0; 64];
    let length = File::open(path).and_then(|mut file| file.read(&mut first)).unwrap_or_default();
    let line = first[..length].split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"#!") && memchr::memmem::find(line, b"python").is_some()
}

/// Whether the user named the file or a folder above it, and it is no vendored copy or input of tests inside of what was named.
fn is_writable(path: &Path, paths: &[PathBuf]) -> bool {
    paths.iter().filter_map(|named| path.strip_prefix(named).ok()).any(|inside| {
        let folders = inside.parent().into_iter().flat_map(Path::components);
        let folders: Vec<&str> = folders.filter_map(|part| part.as_os_str().to_str()).collect();
        let tests = folders.iter().position(|name| TESTS.contains(name)).unwrap_or(folders.len());
        !folders.iter().any(|name| VENDORED.contains(name))
            && !folders[tests..].iter().any(|name| READ_BY_TESTS.contains(name))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A tree on the disk, with a folder above it so that `..` is no temporary folder.
    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[(&str, &[u8])]) -> Self {
            let tree = Tree(tempfile::tempdir().unwrap());
            for (path, bytes) in files {
                let path = tree.path(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            tree
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join("top").join(path)
        }

        fn load(&self, paths: &[&str]) -> Loaded {
            self.load_with(paths, &LoadOptions::default())
        }

        fn load_with(&self, paths: &[&str], options: &LoadOptions) -> Loaded {
            let paths: Vec<PathBuf> = paths.iter().map(|path| self.path(path)).collect();
            let mut loaded = load(&paths, options, &|_| {}).unwrap();
            assert_eq!(loaded.len(), 1);
            loaded.remove(0)
        }
    }

    fn files(loaded: &Loaded) -> Vec<&str> {
        loaded.project.files.iter().map(|f| f.path.as_str()).collect()
    }

    fn writable(loaded: &Loaded) -> Vec<&str> {
        loaded.project.files.iter().filter(|f| f.writable).map(|f| f.path.as_str()).collect()
    }

    #[test]
    fn only_what_is_named_is_writable() {
        let tree =
            Tree::new(&[("pyproject.toml", b""), ("p/__init__.py", b""), ("p/q/a.py", b""), ("p/_vendor/v.py", b"")]);
        let loaded = tree.load(&["p/q"]);
        assert_eq!(loaded.root, tree.path("").canonicalize().unwrap());
        assert_eq!(files(&loaded), ["p/__init__.py", "p/_vendor/v.py", "p/q/a.py"]);
        assert_eq!(writable(&loaded), ["p/q/a.py"]);
        assert_eq!(writable(&tree.load(&["p", "p/q/a.py"])), ["p/__init__.py", "p/q/a.py"]);
        assert_eq!(writable(&tree.load(&["p/_vendor"])), ["p/_vendor/v.py"]);
    }

    #[test]
    fn the_root_is_marked_or_lies_above_the_topmost_package() {
        let tree =
            Tree::new(&[("a/__init__.py", b""), ("a/b/__init__.py", b""), ("a/b/ns/c.py", b""), ("d/e.py", b"")]);
        for path in ["a", "a/b", "a/b/ns", "a/b/ns/c.py"] {
            assert_eq!(tree.load(&[path]).root, tree.path("").canonicalize().unwrap(), "{path}");
        }
        assert_eq!(tree.load(&["d"]).root, tree.path("d"));
        let old = Tree::new(&[("setup.py", b""), ("a/__init__.py", b""), ("a/setup.py", b""), ("a/b.py", b"")]);
        assert_eq!(old.load(&["a"]).root, old.path("").canonicalize().unwrap());
        let two = Tree::new(&[("a/pyproject.toml", b""), ("a/x.py", b""), ("b/setup.cfg", b""), ("b/y.py", b"")]);
        assert_eq!(files(&two.load(&[""])), ["a/x.py", "b/y.py"]);
        assert_eq!(load(&[two.path("a"), two.path("b")], &LoadOptions::default(), &|_| {}).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_code_of_the_project_is_left_out() {
        let tree = Tree::new(&[
            (".git/HEAD", b""),
            (".gitignore", b"gen/\n"),
            ("pyproject.toml", b""),
            ("p/__init__.py", b""),
            ("p/build/__init__.py", b""),
            ("p/t.pyi", b""),
            ("build/lib/p/__init__.py", b""),
            ("dist/x.py", b""),
            ("env/pyvenv.cfg", b""),
            ("env/lib/x.py", b""),
            ("conda/conda-meta/history", b""),
            ("conda/x.py", b""),
            ("gen/x.py", b""),
            ("node_modules/x.py", b""),
            (".tox/x.py", b""),
            ("third_party/x.py", b""),
            ("p.egg-info/x.py", b""),
            ("tests/x.py", b""),
        ]);
        assert_eq!(files(&tree.load(&[""])), ["p/__init__.py", "p/build/__init__.py", "tests/x.py"]);
        assert_eq!(*tree.load(&[""]).project.stubs, ["p/t.pyi"]);
        assert_eq!(writable(&tree.load(&["gen"])), ["gen/x.py"]);
        assert_eq!(writable(&tree.load(&["build/lib/p/__init__.py"])), ["build/lib/p/__init__.py"]);
        for glob in ["tests", "tests/", "./tests/*", "te*", "**/tests/**"] {
            let options = LoadOptions { exclude: vec![glob.to_owned()], ..LoadOptions::default() };
            assert_eq!(files(&tree.load_with(&[""], &options)), ["p/__init__.py", "p/build/__init__.py"], "{glob}");
        }
    }

    #[test]
    fn text_is_kept_and_trouble_is_listed() {
        let tree = Tree::new(&[("a.py", b"\xef\xbb\xbfx = 1\r\n"), ("b.py", b"# coding: latin-1\n# \xe9\n")]);
        let loaded = tree.load(&[""]);
        assert_eq!(&*loaded.project.files[0].text, "\u{feff}x = 1\r\n");
        let trouble = loaded.project.files[1].trouble.as_ref().unwrap();
        assert_eq!((trouble.file.as_str(), trouble.line), ("b.py", Some(2)));
        assert_eq!(trouble.reason, "encoding latin-1 is analysed as ASCII and never rewritten");
        assert_eq!(loaded.project.skipped, std::slice::from_ref(trouble));
    }

    #[test]
    fn an_empty_tree_is_a_project_without_modules() {
        let tree = Tree::new(&[("readme.txt", b"")]);
        assert!(tree.load(&[""]).project.tree.modules.is_empty());
    }

    #[test]
    fn settings_that_play_no_part_are_said() {
        let tree = Tree::new(&[
            ("pyproject.toml", b"[project]\n\n[tool.cyclefix]\nlevel = 'all'\n"),
            ("cyclefix.toml", b"level = 'fragile'\n"),
            ("a.py", b""),
        ]);
        let loaded = tree.load(&[""]);
        assert_eq!(loaded.project.settings.level.as_str(), "fragile");
        let said = loaded.project.skipped.iter().map(|s| (s.file.as_str(), s.line, s.reason.as_str()));
        let reason = "[tool.cyclefix] plays no part, as the settings are in cyclefix.toml";
        assert_eq!(said.collect::<Vec<_>>(), [("pyproject.toml", Some(3), reason)]);
        let config = Some(tree.path("cyclefix.toml"));
        let named = tree.load_with(&[""], &LoadOptions { config, ..LoadOptions::default() });
        assert_eq!(named.project.skipped, []);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_out_of_the_project_or_in_circles() {
        use std::os::unix::fs::symlink;
        let tree = Tree::new(&[("pyproject.toml", b""), ("a/x.py", b""), ("../outside/y.py", b"")]);
        symlink(tree.path(""), tree.path("a/circle")).unwrap();
        symlink(tree.path("../outside"), tree.path("a/out")).unwrap();
        symlink(tree.path("a/x.py"), tree.path("a/z.py")).unwrap();
        symlink(tree.path("nowhere"), tree.path("a/broken.py")).unwrap();
        let loaded = tree.load(&[""]);
        assert_eq!((files(&loaded), writable(&loaded)), (vec!["a/x.py", "a/z.py"], vec!["a/x.py"]));
        let skipped: Vec<&str> = loaded.project.skipped.iter().map(|s| s.file.as_str()).collect();
        assert_eq!(skipped, ["a/circle", "a/out"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_read_is_listed() {
        use std::os::unix::fs::PermissionsExt;
        let tree = Tree::new(&[("a.py", b""), ("b.py", b"")]);
        std::fs::set_permissions(tree.path("a.py"), std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read(tree.path("a.py")).is_ok() {
            return; // The superuser reads everything.
        }
        let loaded = tree.load(&[""]);
        assert_eq!(files(&loaded), ["b.py"]);
        assert_eq!(loaded.project.skipped[0].file, "a.py");
    }

    #[test]
    fn errors_name_the_path() {
        let tree =
            Tree::new(&[("pyproject.toml", b"[tool.cyclefix]\nexlude = []\n"), ("a.txt", b""), ("pkg/a.py", b"")]);
        let error = |path: &str| load(&[tree.path(path)], &LoadOptions::default(), &|_| {}).unwrap_err();
        let missing = error("pgk");
        assert_eq!(missing.to_string(), format!("no such file or folder: {}", tree.path("pgk").display()));
        assert_eq!(missing.hint(), Some(format!("did you mean `{}`?", tree.path("pkg").display())));
        assert!(error("a.txt").to_string().starts_with("not a Python file: "));
        assert!(error("pkg").to_string().ends_with("pyproject.toml:2: unknown setting `exlude`"));
        let roots = Tree::new(&[("pyproject.toml", b"[tool.cyclefix]\nsource-roots = [\n '.',\n 'nope',\n]\n")]);
        let error = load(&[roots.path("")], &LoadOptions::default(), &|_| {}).unwrap_err();
        assert!(error.to_string().contains("pyproject.toml:4: source root `nope` is no folder of "), "{error}");
        let broken = Tree::new(&[("pyproject.toml", b""), ("n/pyproject.toml", b"\n[x\n"), ("n/a.py", b"")]);
        let skipped = broken.load(&[""]).project.skipped;
        assert_eq!((skipped[0].file.as_str(), skipped[0].line), ("n/pyproject.toml", Some(2)));
        let error = load(&[broken.path("n")], &LoadOptions::default(), &|_| {}).unwrap_err();
        assert!(error.to_string().contains("pyproject.toml:2: "), "{error}");
    }
}
