//! What build files say about where modules lie: pyproject.toml, setup.cfg and setup.py. Each answer comes from one
//! manifest and is relative to the folder it lies in; a setting that cannot be read says nothing.

use super::folders::{Folders, join};
use super::modules::is_identifier;

/// A folder of which all modules are named from `root`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub folder: String,
    pub root: String,
}

/// The coverages that the manifest at `path` declares.
pub fn coverages(path: &str, text: &str, folders: &Folders) -> Vec<Coverage> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let mut found = Declared { folder, folders, coverages: Vec::new() };
    match name {
        "pyproject.toml" => found.pyproject(text),
        "setup.cfg" => found.setup_cfg(text),
        "setup.py" => found.setup_py(text),
        _ => {}
    }
    found.coverages
}

struct Declared<'a> {
    /// Where the manifest lies.
    folder: &'a str,
    folders: &'a Folders<'a>,
    coverages: Vec<Coverage>,
}

impl Declared<'_> {
    /// `path` is put on `sys.path`, e.g. `where = ["src"]`. The manifest's own folder says nothing new: scripts and
    /// tests lie there as well.
    fn root(&mut self, path: &str) {
        let root = join(self.folder, path);
        if root != self.folder && self.folders.has_folder(&root) {
            self.coverages.push(Coverage { folder: root.clone(), root });
        }
    }

    /// The package at `path` is imported by the last `depth` components of its path, e.g. `packages = ["src/foo"]`.
    fn package(&mut self, path: &str, depth: usize) {
        let path = join(self.folder, path);
        let inside = path.strip_prefix(self.folder).unwrap_or(&path).trim_start_matches('/');
        let count = inside.split('/').count();
        if inside.is_empty() || depth == 0 || depth > count {
            return;
        }
        let above: Vec<&str> = inside.split('/').take(count - depth).collect();
        self.package_in(&above.join("/"), inside.split('/').nth(count - depth).unwrap_or_default());
    }

    /// The top-level package `name` lies in `root`.
    fn package_in(&mut self, root: &str, name: &str) {
        let root_path = join(self.folder, root);
        let folder = join(&root_path, name);
        if root_path != self.folder {
            if self.folders.has_module(&folder) {
                self.root(root);
            }
        } else if self.folders.has_folder(&folder) {
            self.coverages.push(Coverage { folder, root: root_path });
        }
    }

    /// The top-level package of the dotted `name` lies in the first of `roots` that has it.
    fn module(&mut self, name: &str, roots: &[&str]) {
        let path = name.replace('.', "/");
        if let Some(root) = roots.iter().find(|r| self.folders.has_module(&join(&join(self.folder, r), &path))) {
            self.package_in(root, path.split('/').next().unwrap_or_default());
        }
    }

    /// `package_dir`: `{"": "src"}` is a root; `{"a.b": "lib/a/b"}` too if the path ends as the name does.
    fn package_dir(&mut self, name: &str, path: &str) {
        let path = join("", path);
        if name.is_empty() {
            self.root(&path);
        } else if path == name.replace('.', "/") || path.ends_with(&format!("/{}", name.replace('.', "/"))) {
            self.package(&path, name.split('.').count());
        }
    }

    /// `include` of a package finder: `google*` or `google.*` names all below `google`.
    fn pattern(&mut self, roots: &[&str], pattern: &str) {
        let top: String = pattern.chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect();
        if is_identifier(&top) {
            roots.iter().for_each(|root| self.package_in(root, &top));
        }
    }

    fn pyproject(&mut self, text: &str) {
        let Ok(manifest) = text.parse::<toml::Table>() else { return };
        let Some(tool) = manifest.get("tool") else {
            return self.uv_build(&manifest, None);
        };
        self.setuptools(tool);
        self.poetry(tool);
        self.hatch(tool);
        for keys in [&["pdm", "build", "package-dir"][..], &["pdm", "package-dir"], &["maturin", "python-source"]] {
            strings(get(tool, keys)).into_iter().for_each(|path| self.root(path));
        }
        for path in strings(get(tool, &["scikit-build", "wheel", "packages"])) {
            self.package(path, 1);
        }
        let flit = get(tool, &["flit", "module", "name"]).or_else(|| get(tool, &["flit", "metadata", "module"]));
        strings(flit).into_iter().for_each(|name| self.module(name, &["", "src"]));
        self.uv_build(&manifest, get(tool, &["uv", "build-backend"]));
    }

    fn setuptools(&mut self, tool: &toml::Value) {
        if let Some(dirs) = get(tool, &["setuptools", "package-dir"]).and_then(toml::Value::as_table) {
            for (name, path) in dirs {
                self.package_dir(name, path.as_str().unwrap_or_default());
            }
        }
        let find = get(tool, &["setuptools", "packages", "find"]);
        let roots = strings(find.and_then(|f| f.get("where")));
        roots.iter().for_each(|root| self.root(root));
        let roots = if roots.is_empty() { vec![""] } else { roots };
        for pattern in strings(find.and_then(|f| f.get("include"))) {
            self.pattern(&roots, pattern);
        }
        for name in strings(get(tool, &["setuptools", "packages"])) {
            self.module(name, &[""]);
        }
    }

    fn poetry(&mut self, tool: &toml::Value) {
        let packages = get(tool, &["poetry", "packages"]).and_then(toml::Value::as_array);
        for package in packages.into_iter().flatten() {
            let include = package.get("include").and_then(toml::Value::as_str).unwrap_or_default();
            match package.get("from").and_then(toml::Value::as_str) {
                Some(from) => self.root(from),
                None => self.package_in("", include.split('/').next().unwrap_or_default()),
            }
        }
    }

    fn hatch(&mut self, tool: &toml::Value) {
        let Some(build) = get(tool, &["hatch", "build"]) else { return };
        let targets = build.get("targets").and_then(toml::Value::as_table);
        let targets = targets.into_iter().flatten().filter(|(name, _)| *name != "sdist").map(|(_, target)| target);
        for target in std::iter::once(build).chain(targets) {
            let sources = target.get("sources");
            for source in strings(sources) {
                self.root(source);
            }
            for (path, name) in sources.and_then(toml::Value::as_table).into_iter().flatten() {
                self.package_dir(&name.as_str().unwrap_or_default().replace('/', "."), path);
            }
            for path in strings(target.get("packages")) {
                self.package(path, 1);
            }
            for path in strings(target.get("dev-mode-dirs")) {
                self.root(path);
            }
        }
    }

    fn uv_build(&mut self, manifest: &toml::Table, backend: Option<&toml::Value>) {
        let named = manifest.get("build-system").and_then(|b| b.get("build-backend")).and_then(toml::Value::as_str);
        if backend.is_none() && named != Some("uv_build") {
            return;
        }
        let root = backend.and_then(|b| b.get("module-root")).and_then(toml::Value::as_str).unwrap_or("src");
        self.root(root);
        for name in strings(backend.and_then(|b| b.get("module-name"))) {
            self.module(name, &[root]);
        }
    }

    fn setup_cfg(&mut self, text: &str) {
        let options = ini_section(text, "options");
        for (key, value) in &options {
            if matches!(key.as_str(), "package_dir" | "package-dir") {
                for line in value.split(['\n', ',']) {
                    if let Some((name, path)) = line.split_once('=') {
                        self.package_dir(name.trim(), path.trim());
                    }
                }
            }
        }
        let find = ini_section(text, "options.packages.find");
        let root = find.iter().find(|(key, _)| key == "where").map_or("", |(_, value)| value.trim());
        self.root(root);
        for (_, value) in find.iter().filter(|(key, _)| key == "include") {
            for pattern in value.split(['\n', ',']) {
                self.pattern(&[root], pattern.trim());
            }
        }
    }

    fn setup_py(&mut self, text: &str) {
        for at in code_positions(text, "package_dir") {
            let rest = text[at..].trim_start();
            let Some(rest) = rest.strip_prefix('=').map(str::trim_start) else { continue };
            let Some(inside) = rest.strip_prefix('{').and_then(|r| r.split_once('}')).map(|(inside, _)| inside) else {
                continue;
            };
            for pair in inside.split(',') {
                if let Some((Some(name), Some(path))) = pair.split_once(':').map(|(n, p)| (literal(n), literal(p))) {
                    self.package_dir(name, path);
                }
            }
        }
        for finder in ["find_packages", "find_namespace_packages"] {
            for at in code_positions(text, finder) {
                let Some(inside) = text[at..].trim_start().strip_prefix('(').and_then(|r| r.split_once(')')) else {
                    continue;
                };
                self.finder(inside.0);
            }
        }
    }

    /// The arguments of `find_packages(...)`.
    fn finder(&mut self, arguments: &str) {
        let after = |keyword: &str| {
            let at = code_positions(arguments, keyword).next()?;
            arguments[at..].trim_start().strip_prefix('=').map(str::trim_start)
        };
        let root = after("where").and_then(literal_prefix).or_else(|| literal_prefix(arguments)).unwrap_or("");
        self.root(root);
        if let Some(list) = after("include").and_then(|a| a.strip_prefix(['[', '('])) {
            for pattern in list.split(']').next().unwrap_or_default().split(',').filter_map(literal) {
                self.pattern(&[root], pattern);
            }
        }
    }
}

/// The value at a path of keys.
pub fn get<'v>(value: &'v toml::Value, keys: &[&str]) -> Option<&'v toml::Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}

/// A string, or the strings of an array.
pub fn strings(value: Option<&toml::Value>) -> Vec<&str> {
    match value {
        Some(toml::Value::String(text)) => vec![text],
        Some(toml::Value::Array(items)) => items.iter().filter_map(toml::Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Keys and values of a section, continuation lines joined by `\n`. Keys are in lower case.
pub fn ini_section(text: &str, section: &str) -> Vec<(String, String)> {
    let mut inside = false;
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') {
            inside = content.trim_matches(['[', ']']).trim() == section;
        } else if inside && line.starts_with([' ', '\t']) {
            if let Some((_, value)) = entries.last_mut() {
                value.push('\n');
                value.push_str(content);
            }
        } else if inside && let Some((key, value)) = content.split_once(['=', ':']) {
            entries.push((key.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    entries
}

/// Where `word` ends in Python `text`, as a whole word outside of comments.
pub fn code_positions<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_word = |c: char| c == '_' || c.is_alphanumeric();
    text.match_indices(word).filter_map(move |(at, _)| {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let end = at + word.len();
        let whole = !text[..at].ends_with(is_word) && !text[end..].starts_with(is_word);
        (whole && !line.contains('#')).then_some(end)
    })
}

/// The content of `text` if it is one plain string literal.
fn literal(text: &str) -> Option<&str> {
    let text = text.trim();
    let inside = literal_prefix(text)?;
    (inside.len() + 2 == text.len()).then_some(inside)
}

/// The content of the string literal that `text` starts with.
pub fn literal_prefix(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text[1..].split_once(quote).map(|(inside, _)| inside)
}
