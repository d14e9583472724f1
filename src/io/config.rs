//! Settings from files: `[tool.cyclefix]` of pyproject.toml or cyclefix.toml, and what the project tells other tools
//! about its Python versions and its style.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::load::LoadError;
use super::setting::{self, Keys, nearest};
use super::walk::globs;
use crate::io::isort::import_style;
use crate::project::manifest::{code_positions, get, ini_section, literal_prefix, strings};
use crate::project::pattern::ImportPattern;
use crate::project::settings::{Level, Policy, Settings, Version};
use crate::project::{Listing, Skipped};
use crate::strategy::{self, cost};

/// What the configuration of a project says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub settings: Settings,
    pub source_roots: Vec<Located>,
    pub exclude: Vec<String>,
    /// Where they come from; `None` if the project has none.
    pub file: Option<PathBuf>,
    /// The line of a `[tool.cyclefix]` in pyproject.toml that plays no part, as there is a cyclefix.toml.
    unread: Option<usize>,
    /// Whether the target version was set, so that nothing has to be concluded.
    has_target: bool,
}

/// A value and its line, 1-based.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub text: String,
    pub line: usize,
}

/// `[tool.cyclefix]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Table {
    source_roots: Vec<Spanned<String>>,
    exclude: Vec<Spanned<String>>,
    level: Level,
    strategy: Vec<Spanned<String>>,
    policy: Policy,
    costs: BTreeMap<Spanned<String>, Spanned<i64>>,
    keep: Vec<Spanned<String>>,
    cut: Vec<Spanned<String>>,
    ignore: Vec<Spanned<String>>,
    target_version: Option<Spanned<String>>,
    unsafe_fixes: bool,
    public: Vec<String>,
    runtime_evaluated_base_classes: Vec<String>,
    runtime_evaluated_decorators: Vec<String>,
}

impl Config {
    /// Reads the file that the user named, or cyclefix.toml, or else pyproject.toml of the project.
    ///
    /// Errors: a file that cannot be read or is no TOML, an unknown key, a value of the wrong type.
    pub fn read(root: &Path, named: Option<&Path>) -> Result<Self, LoadError> {
        // A broken pyproject.toml stops the run even where the settings lie elsewhere: the roots depend on it.
        let pyproject = root.join("pyproject.toml");
        let mut unread = None;
        if let Some(text) = optional(&pyproject)? {
            text.parse::<toml::Table>().map_err(|e| syntax_error(&pyproject, &text, &e))?;
            let table = tool_table(&text).map_err(|e| syntax_error(&pyproject, &text, &e))?;
            unread = table.map(|table: Spanned<toml::Value>| line_at(&text, table.span().start));
        }
        let own = root.join("cyclefix.toml");
        let path = match named {
            Some(path) => path.to_owned(),
            None if own.is_file() => own,
            None => pyproject.clone(),
        };
        match optional(&path)? {
            Some(text) => {
                let config = Self::parse(&path, &text)?;
                Ok(Self { unread: unread.filter(|_| named.is_none() && path != pyproject), ..config })
            }
            None if named.is_some() => Err(LoadError::missing(&path, "the working directory")),
            None => Ok(Self::default()),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, LoadError> {
        let fail = |e: toml::de::Error| syntax_error(path, text, &e);
        let check = |keys: &Keys| {
            setting::check(keys).map_err(|wrong| LoadError::Setting {
                file: path.to_owned(),
                line: line_at(text, wrong.at),
                message: wrong.message,
                hint: wrong.hint,
            })
        };
        let (keys, table) = if path.file_name().is_some_and(|name| name == "pyproject.toml") {
            let keys = tool_table(text).map_err(fail)?;
            keys.as_ref().map_or(Ok(()), check)?;
            (keys, tool_table::<Table>(text).map_err(fail)?)
        } else {
            let keys = toml::from_str::<Keys>(text).map_err(fail)?;
            check(&keys)?;
            (Some(keys), Some(toml::from_str::<Table>(text).map_err(fail)?))
        };
        let file = keys.is_some().then(|| path.to_owned());
        let has_target = keys.is_some_and(|keys| keys.keys().any(|key| key.get_ref() == "target-version"));
        let table = table.unwrap_or_default();
        let mut settings = Settings {
            level: table.level,
            strategies: strategies(path, text, table.strategy)?,
            policy: table.policy,
            costs: costs(path, text, &table.costs)?,
            keep: patterns(path, text, &table.keep)?,
            cut: patterns(path, text, &table.cut)?,
            ignore: patterns(path, text, &table.ignore)?,
            unsafe_fixes: table.unsafe_fixes,
            public: table.public,
            runtime_evaluated_base_classes: table.runtime_evaluated_base_classes,
            runtime_evaluated_decorators: table.runtime_evaluated_decorators,
            ..Settings::default()
        };
        if let Some(version) = table.target_version {
            settings.target_version = known_version(version.get_ref()).ok_or_else(|| LoadError::Setting {
                file: path.to_owned(),
                line: line_at(text, version.span().start),
                message: format!("`{}` is no version of Python that cyclefix knows", version.get_ref()),
                hint: Some("give one from 3.6 to 3.20, written as \"3.9\"".to_owned()),
            })?;
        }
        let located =
            |root: Spanned<String>| Located { line: line_at(text, root.span().start), text: root.into_inner() };
        let source_roots = table.source_roots.into_iter().map(located).collect();
        let exclude = excluded(path, text, table.exclude)?;
        Ok(Self { settings, source_roots, exclude, file, unread: None, has_target })
    }

    /// The settings, completed by what the manifests of the project and its tools' own files say.
    pub fn complete(self, root: &Path, listing: &mut Listing) -> Settings {
        let mut settings = self.settings;
        listing.skipped.extend(self.unread.map(|line| Skipped {
            file: "pyproject.toml".to_owned(),
            line: Some(line),
            reason: "[tool.cyclefix] plays no part, as the settings are in cyclefix.toml".to_owned(),
        }));
        for (path, text) in &listing.manifests {
            if path.ends_with(".toml")
                && let Err(error) = text.parse::<toml::Table>()
            {
                let line = error.span().map(|span| line_at(text, span.start));
                let reason = format!("not read: {}", error.message());
                listing.skipped.push(Skipped { file: path.clone(), line, reason });
            }
        }
        if !self.has_target
            && let Some(version) = lowest_python(listing)
        {
            settings.target_version = version;
        }
        Style::read(root, listing).settle(&mut settings);
        settings
    }
}

/// `[tool.cyclefix]` of a pyproject.toml.
fn tool_table<T: DeserializeOwned>(text: &str) -> Result<Option<T>, toml::de::Error> {
    #[derive(Deserialize)]
    struct Tool<T> {
        cyclefix: Option<T>,
    }
    #[derive(Deserialize)]
    struct Document<T> {
        tool: Option<Tool<T>>,
    }
    Ok(toml::from_str::<Document<T>>(text)?.tool.and_then(|tool| tool.cyclefix))
}

/// Globs of what is left out, each one that is one.
fn excluded(path: &Path, text: &str, list: Vec<Spanned<String>>) -> Result<Vec<String>, LoadError> {
    let check = |glob: Spanned<String>| match globs(std::iter::once(glob.get_ref())) {
        Ok(_) => Ok(glob.into_inner()),
        Err(error) => Err(LoadError::Setting {
            file: path.to_owned(),
            line: line_at(text, glob.span().start),
            message: error.to_string(),
            hint: error.hint(),
        }),
    };
    list.into_iter().map(check).collect()
}

/// Names of strategies, each one that there is.
fn strategies(path: &Path, text: &str, list: Vec<Spanned<String>>) -> Result<Vec<String>, LoadError> {
    let known = strategy::names();
    let check = |name: Spanned<String>| {
        if known.contains(&name.get_ref().as_str()) {
            return Ok(name.into_inner());
        }
        Err(LoadError::Setting {
            file: path.to_owned(),
            line: line_at(text, name.span().start),
            message: format!("unknown strategy `{}`", name.get_ref()),
            hint: nearest(name.get_ref(), known.iter().copied()).map(|nearest| format!("did you mean `{nearest}`?")),
        })
    };
    list.into_iter().map(check).collect()
}

/// Costs by strategy or form, each 1 or more.
fn costs(
    path: &Path,
    text: &str,
    table: &BTreeMap<Spanned<String>, Spanned<i64>>,
) -> Result<BTreeMap<String, u64>, LoadError> {
    let fail = |at: usize, message: String, hint: Option<String>| {
        Err(LoadError::Setting { file: path.to_owned(), line: line_at(text, at), message, hint })
    };
    let known = cost::keys();
    let mut in_order: Vec<_> = table.iter().collect();
    in_order.sort_by_key(|(key, _)| key.span().start);
    let mut out = BTreeMap::new();
    for (key, value) in in_order {
        let name = key.get_ref();
        if !known.contains(&name.as_str()) {
            let hint = nearest(name, known.iter().copied()).map(|nearest| format!("did you mean `{nearest}`?"));
            return fail(key.span().start, format!("unknown cost `{name}`"), hint);
        }
        match u64::try_from(*value.get_ref()) {
            Ok(cost @ 1..=DEAREST) => drop(out.insert(name.clone(), cost)),
            _ => {
                let hint = format!("give a whole number from 1 to {DEAREST}");
                return fail(value.span().start, format!("`{}` is no cost", value.get_ref()), Some(hint));
            }
        }
    }
    Ok(out)
}

/// The highest cost that may be set: sums of many stay far from overflow.
const DEAREST: u64 = 1_000_000;

fn patterns(path: &Path, text: &str, list: &[Spanned<String>]) -> Result<Vec<ImportPattern>, LoadError> {
    let parse = |item: &Spanned<String>| {
        ImportPattern::parse(item.get_ref()).map_err(|message| LoadError::Setting {
            file: path.to_owned(),
            line: line_at(text, item.span().start),
            message: format!("`{}` is no pattern of imports: {message}", item.get_ref()),
            hint: Some("write it as \"a.b -> c.*\"".to_owned()),
        })
    };
    list.iter().map(parse).collect()
}

fn optional(path: &Path) -> Result<Option<String>, LoadError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LoadError::Unreadable { path: path.to_owned(), source }),
    }
}

fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> LoadError {
    let line = line_at(text, error.span().map_or(0, |span| span.start));
    let message = error.message().replace('\n', ", ");
    LoadError::Setting { file: path.to_owned(), line, message, hint: None }
}

fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

/// `3.9` or `3.9.1`.
fn parse_version(text: &str) -> Option<Version> {
    let mut parts = text.trim().trim_start_matches('v').split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().filter(|p| *p != "*").map_or(Some(0), |p| p.parse().ok())?;
    Some((major, minor))
}

/// A version that code can be written for.
fn known_version(text: &str) -> Option<Version> {
    parse_version(text).filter(|version| matches!(version, (3, 6..=20)))
}

/// The lower bound of a version specifier (PEP 440, and Poetry's `^` and `||`): the highest of its lower bounds.
fn lower_bound(specifier: &str) -> Option<Version> {
    let bound_of = |clause: &str| {
        let clause = clause.trim();
        let version = clause.trim_start_matches(['>', '=', '~', '^', ' ']);
        if clause.starts_with(['<', '!']) { None } else { parse_version(version) }
    };
    let alternatives = specifier.split("||").flat_map(|a| a.split(" or "));
    alternatives.filter_map(|a| a.split(',').flat_map(split_clauses).filter_map(bound_of).max()).min()
}

/// `>=3.8 <4` without a comma.
fn split_clauses(text: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(text.match_indices(['<', '>', '!', '^']).map(|(at, _)| at).filter(|at| *at > 0))
        .collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &text[start..end])
}

/// What the project's own manifests require; where they say nothing, the lowest that any manifest below does.
fn lowest_python(listing: &Listing) -> Option<Version> {
    let required = |path: &str, text: &str| match path.rsplit('/').next() {
        Some("pyproject.toml") => pyproject_python(text),
        Some("setup.cfg") => {
            let options = ini_section(text, "options");
            options.iter().find(|(key, _)| key == "python_requires").and_then(|(_, v)| lower_bound(v))
        }
        Some("setup.py") => code_positions(text, "python_requires")
            .find_map(|at| lower_bound(literal_prefix(text[at..].trim_start().strip_prefix('=')?)?)),
        _ => None,
    };
    ["pyproject.toml", "setup.cfg", "setup.py"]
        .iter()
        .find_map(|name| required(name, listing.manifests.get(*name)?))
        .or_else(|| listing.manifests.iter().filter_map(|(path, text)| required(path, text)).min())
}

fn pyproject_python(text: &str) -> Option<Version> {
    let manifest = toml::Value::Table(text.parse().ok()?);
    let places = [&["project", "requires-python"][..], &["tool", "poetry", "dependencies", "python"]];
    places.iter().find_map(|keys| lower_bound(get(&manifest, keys)?.as_str()?))
}

/// What the files of formatters and linters at the project's root say.
struct Style {
    /// `[tool]` of pyproject.toml.
    tool: Option<toml::Value>,
    /// ruff.toml, .ruff.toml or `[tool.ruff]`.
    ruff: Option<toml::Value>,
    /// max-line-length of flake8's files, the first that has one.
    flake8: Option<usize>,
}

impl Style {
    fn read(root: &Path, listing: &Listing) -> Self {
        let parse = |text: &str| text.parse().ok().map(toml::Value::Table);
        let read = |name: &str| std::fs::read_to_string(root.join(name)).ok();
        let manifest = |name: &str| listing.manifests.get(name).cloned();
        let tool = manifest("pyproject.toml").and_then(|text| parse(&text)?.get("tool").cloned());
        let own = [".ruff.toml", "ruff.toml"].iter().find_map(|name| parse(&read(name)?));
        let ruff = own.or_else(|| tool.as_ref()?.get("ruff").cloned());
        let texts = [manifest("setup.cfg"), read(".flake8"), read("tox.ini")];
        let flake8 = texts.iter().flatten().find_map(|text| {
            let sections = ["flake8", "pycodestyle"].map(|section| ini_section(text, section));
            let key = sections.iter().flatten().find(|(key, _)| key.replace('_', "-") == "max-line-length")?;
            key.1.parse().ok()
        });
        Self { tool, ruff, flake8 }
    }

    fn settle(&self, settings: &mut Settings) {
        let integer =
            |value: Option<&toml::Value>| value?.as_integer()?.try_into().ok().filter(|length: &usize| *length > 0);
        let tool = |keys: &[&str]| integer(get(self.tool.as_ref()?, keys));
        let ruff = || integer(self.ruff.as_ref()?.get("line-length"));
        let configured = tool(&["black", "line-length"]).or_else(ruff).or_else(|| tool(&["isort", "line_length"]));
        if let Some(length) = configured.or(self.flake8) {
            settings.line_length = length;
        }
        settings.import_style = import_style(self.tool.as_ref(), self.ruff.as_ref());
        let Some(ruff) = &self.ruff else { return };
        let lint = ruff.get("lint").unwrap_or(ruff);
        for (key, names) in [
            ("runtime-evaluated-base-classes", &mut settings.runtime_evaluated_base_classes),
            ("runtime-evaluated-decorators", &mut settings.runtime_evaluated_decorators),
        ] {
            for name in strings(get(lint, &["flake8-type-checking", key])) {
                if !names.iter().any(|n| n == name) {
                    names.push(name.to_owned());
                }
            }
        }
        settings.lints_local_imports |= lints_local_imports(ruff);
    }
}

/// Whether ruff is told to check PLC0415: of `select` and `ignore` the more specific prefix wins, as in ruff.
fn lints_local_imports(ruff: &toml::Value) -> bool {
    let longest = |keys: [&str; 2]| {
        let tables = [ruff.get("lint"), Some(ruff)];
        let rules = tables.into_iter().flatten().flat_map(|t| keys.map(|key| strings(t.get(key)))).flatten();
        rules.filter_map(prefix_length).max()
    };
    longest(["select", "extend-select"]) > longest(["ignore", "extend-ignore"])
}

/// How much of PLC0415 the selector `rule` spells, if it covers it.
fn prefix_length(rule: &str) -> Option<usize> {
    if rule == "ALL" {
        return Some(0);
    }
    (rule.starts_with("PL") && "PLC0415".starts_with(rule)).then_some(rule.len())
}

/// `root` as a source root relative to the project: a folder below it, or below `here`.
pub fn relative_root(project: &Path, here: &Path, root: &str) -> Option<String> {
    let inside = [project.join(root), here.join(root)].into_iter().filter(|path| path.is_dir());
    let mut found = inside.filter_map(|path| {
        let path = path.canonicalize().ok()?;
        Some(path.strip_prefix(project).ok()?.to_string_lossy().replace('\\', "/"))
    });
    found.next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, LoadError> {
        Config::parse(Path::new("pyproject.toml"), text)
    }

    fn complete(files: &[(&str, &str)]) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let mut listing = Listing::default();
        for (path, text) in files {
            std::fs::write(folder.path().join(path.replace('/', "-")), text).unwrap();
            listing.manifests.insert((*path).to_owned(), (*text).to_owned());
        }
        Config::default().complete(folder.path(), &mut listing)
    }

    #[test]
    fn every_key_is_read() {
        let config = parse(
            "[tool.cyclefix]\nsource-roots = ['a']\nexclude = ['b']\nlevel = 'runtime'\nstrategy = ['direct-import']\n\
             target-version = '3.12'\nunsafe-fixes = true\npublic = ['p.*']\nruntime-evaluated-base-classes = ['c']\n\
             runtime-evaluated-decorators = ['d']\npolicy = 'architectural'\nkeep = ['a -> b']\ncut = ['a.* -> **']\n\
             ignore = []\n[tool.cyclefix.costs]\n'defer-import/lazy' = 7\nmerge-modules = 1",
        );
        let config = config.unwrap();
        let roots = vec![Located { text: "a".to_owned(), line: 2 }];
        assert_eq!((config.source_roots, config.exclude), (roots, vec!["b".to_owned()]));
        assert_eq!((config.settings.level, config.settings.target_version), (Level::Runtime, (3, 12)));
        assert_eq!((config.settings.policy, config.settings.keep.len()), (Policy::Architectural, 1));
        assert!(config.settings.cut[0].matches("a.b", "c.d") && config.settings.ignore.is_empty());
        let costs: Vec<(&str, u64)> = config.settings.costs.iter().map(|(key, cost)| (key.as_str(), *cost)).collect();
        assert_eq!(costs, [("defer-import/lazy", 7), ("merge-modules", 1)]);
        assert!(config.settings.unsafe_fixes && config.settings.strategies == ["direct-import"]);
        assert!(parse("[tool.other]\nx = 1").is_ok() && parse("").is_ok());
    }

    #[test]
    fn errors_name_file_line_and_the_nearest_key() {
        let message = |text: &str| {
            let error = parse(text).unwrap_err();
            (error.to_string(), error.hint().unwrap_or_default())
        };
        let unknown = ("pyproject.toml:2: unknown setting `source_root`".into(), "did you mean `source-roots`?".into());
        assert_eq!(message("[tool.cyclefix]\nsource_root = ['a']\n"), unknown);
        for (text, said, hint) in [
            ("level = 'egaer'", "`level` cannot be `\"egaer\"`", "did you mean `eager`?"),
            (
                "level = 'most'",
                "`level` cannot be `\"most\"`",
                "give one of \"fragile\", \"eager\", \"runtime\", \"all\"",
            ),
            ("level = 3", "`level` cannot be `3`", "give one of \"fragile\", \"eager\", \"runtime\", \"all\""),
            ("policy = 'arch'", "`policy` cannot be `\"arch\"`", "did you mean `architectural`?"),
            ("public = 'a'", "`public` cannot be `\"a\"`", "give a list of texts, e.g. [\"a\", \"b\"]"),
            ("keep = [1]", "`keep` cannot be `[1]`", "give a list of texts, e.g. [\"a\", \"b\"]"),
            ("unsafe-fixes = 'no'", "`unsafe-fixes` cannot be `\"no\"`", "give true or false"),
            ("costs = 4", "`costs` cannot be `4`", "give a table of whole numbers, e.g. costs.merge-modules = 300"),
            (
                "costs.merge-modules = 'x'",
                "`costs.merge-modules` cannot be `\"x\"`",
                "give a table of whole numbers, e.g. costs.merge-modules = 300",
            ),
            (
                "target-version = 3.9",
                "`target-version` cannot be `3.9`",
                "give a version of Python from 3.6 to 3.20, written as \"3.9\"",
            ),
            (
                "exclude = [\n '[a']",
                "cannot exclude `[a`: ",
                "a glob is written as in .gitignore, e.g. `tests/**/data`",
            ),
            ("baseline = 'c.json'", "unknown setting `baseline`", ""),
            ("zzzzqqq = 1", "unknown setting `zzzzqqq`", ""),
        ] {
            let (error, way_out) = message(&format!("[tool.cyclefix]\n\n{text}\n"));
            let line = if text.starts_with("exclude") { 4 } else { 3 };
            assert!(error.starts_with(&format!("pyproject.toml:{line}: {said}")), "{error}");
            assert_eq!(way_out, hint, "{error}");
        }
        let nested = Config::parse(Path::new("cyclefix.toml"), "[tool.cyclefix]\nlevel = 'all'\n").unwrap_err();
        assert_eq!(nested.to_string(), "cyclefix.toml:1: unknown setting `tool`");
        assert!(nested.hint().unwrap().contains("leave out `[tool.cyclefix]`"));
        for version in ["new", "2.7", "3.5", "4.0", "3"] {
            let text = format!("[tool.cyclefix]\ntarget-version = '{version}'\n");
            assert!(message(&text).0.starts_with(&format!("pyproject.toml:2: `{version}` is no version")), "{version}");
        }
        let strategy = message("[tool.cyclefix]\nstrategy = [\n  'direct-import',\n  'defer_imports'\n]\n");
        let said = ("pyproject.toml:4: unknown strategy `defer_imports`".into(), "did you mean `defer-import`?".into());
        assert_eq!(strategy, said);
        let cost =
            ("pyproject.toml:2: unknown cost `defer-import/lasy`".into(), "did you mean `defer-import/lazy`?".into());
        assert_eq!(message("[tool.cyclefix.costs]\n'defer-import/lasy' = 3"), cost);
        assert!(message("[tool.cyclefix.costs]\nunused-import = 0").0.starts_with("pyproject.toml:2: `0` is no cost"));
        assert!(
            message("[tool.cyclefix]\nkeep = [\n  'a -> b',\n  'a',\n]").0.starts_with("pyproject.toml:4: `a` is no")
        );
        assert!(message("[tool\n").0.starts_with("pyproject.toml:1: "));
    }

    /// The schema for editors and the reader of the file know the same.
    #[test]
    fn the_schema_knows_what_is_read() {
        let schema: serde_json::Value =
            serde_json::from_str(include_str!("../../schema/settings.schema.json")).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let keys =
            |at: &str| -> Vec<String> { schema.pointer(at).unwrap().as_object().unwrap().keys().cloned().collect() };
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        assert_eq!(sorted(keys("/properties")), sorted(setting::names().map(str::to_owned).to_vec()));
        let costs = cost::keys().into_iter().map(str::to_owned).collect();
        assert_eq!(sorted(keys("/properties/costs/properties")), sorted(costs));
        let values = |at: &str| schema.pointer(at).unwrap().clone();
        assert_eq!(values("/properties/strategy/items/enum"), serde_json::json!(strategy::names()));
        assert_eq!(values("/properties/level/enum"), serde_json::json!(Level::ALL.map(Level::as_str)));
        assert_eq!(values("/properties/policy/enum"), serde_json::json!(Policy::ALL.map(Policy::as_str)));
        assert_eq!(values("/$defs/cost/maximum"), serde_json::json!(DEAREST));

        let validator = jsonschema::validator_for(&schema).unwrap();
        for (text, good) in [
            ("level = 'all'\ntarget-version = '3.12'\nkeep = ['a -> b.*']\ncosts.merge-modules = 3", true),
            ("levle = 'all'", false),
            ("level = 'most'", false),
            ("target-version = '2.7'", false),
            ("target-version = '3.20'", true),
            ("target-version = '3.21'", false),
            ("target-version = 3.9", false),
            ("keep = ['a']", false),
            ("strategy = ['defer']", false),
            ("costs.merge-modules = 0", false),
            ("unsafe-fixes = 'no'", false),
        ] {
            let value: toml::Value = toml::from_str(text).unwrap();
            assert_eq!(validator.is_valid(&serde_json::to_value(value).unwrap()), good, "{text}");
            assert_eq!(Config::parse(Path::new("cyclefix.toml"), text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn lower_bounds() {
        for (specifier, version) in [
            (">=3.8,<4", Some((3, 8))),
            (">= 3.10", Some((3, 10))),
            ("<4,>=3.7.1", Some((3, 7))),
            (">=3.8 <4", Some((3, 8))),
            ("^3.9", Some((3, 9))),
            ("~=3.9.2", Some((3, 9))),
            ("==3.11.*", Some((3, 11))),
            (">=2.7, !=3.0.*, !=3.1.*", Some((2, 7))),
            ("~2.7 || ^3.6", Some((2, 7))),
            (">=3", Some((3, 0))),
            ("3.12", Some((3, 12))),
            ("<4", None),
            ("*", None),
        ] {
            assert_eq!(lower_bound(specifier), version, "{specifier}");
        }
    }

    #[test]
    fn the_target_follows_the_manifests() {
        for (path, text) in [
            ("pyproject.toml", "[project]\nrequires-python = '>=3.10'"),
            ("pyproject.toml", "[tool.poetry.dependencies]\npython = '^3.10'"),
            ("setup.cfg", "[options]\npython_requires = >=3.10\n"),
            ("setup.py", "setup(python_requires='>=3.10')"),
            ("a/pyproject.toml", "[project]\nrequires-python = '>=3.10'"),
        ] {
            assert_eq!(complete(&[(path, text)]).target_version, (3, 10), "{text}");
        }
        assert_eq!(complete(&[]).target_version, (3, 9));
    }

    #[test]
    fn style_follows_the_other_tools() {
        let toml = "[tool.ruff]\nline-length = 100\n[tool.ruff.lint]\nextend-select = ['PLC']\n\
                    [tool.ruff.lint.flake8-type-checking]\nruntime-evaluated-base-classes = ['pydantic.BaseModel']";
        let settings = complete(&[("pyproject.toml", toml), ("setup.cfg", "[flake8]\nmax-line-length = 120\n")]);
        assert_eq!((settings.line_length, settings.lints_local_imports), (100, true));
        assert_eq!(settings.runtime_evaluated_base_classes, ["pydantic.BaseModel"]);
        assert_eq!(complete(&[("tox.ini", "[flake8]\nmax_line_length = 120\n")]).line_length, 120);
        let lints = |text: &str| complete(&[("ruff.toml", text)]).lints_local_imports;
        assert!(lints("lint.select = ['ALL']") && lints("lint.select = ['PLC0415']\nlint.ignore = ['PLC']"));
        assert!(!lints("lint.select = ['ALL']\nlint.ignore = ['PLC0415']") && !lints("lint.select = ['E', 'PLW']"));
    }
}
