//! `--show-settings`: what a run would go by, as a cyclefix.toml that says the same.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::io::load::Loaded;
use crate::project::pattern::ImportPattern;
use crate::strategy::{self, cost};

/// The JSON schema of the settings, for editors.
pub const SCHEMA: &str = include_str!("../../schema/settings.schema.json");

/// All settings, with the names that the file has for them.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Shown<'s> {
    source_roots: Vec<&'s str>,
    exclude: &'s [String],
    level: &'s str,
    strategy: Vec<&'s str>,
    policy: &'s str,
    keep: Vec<&'s str>,
    cut: Vec<&'s str>,
    ignore: Vec<&'s str>,
    target_version: String,
    unsafe_fixes: bool,
    public: &'s [String],
    runtime_evaluated_base_classes: &'s [String],
    runtime_evaluated_decorators: &'s [String],
    costs: BTreeMap<&'s str, u64>,
}

pub fn write(out: &mut dyn Write, loaded: &[Loaded]) -> io::Result<()> {
    for (index, loaded) in loaded.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        one(out, loaded)?;
    }
    Ok(())
}

fn one(out: &mut dyn Write, loaded: &Loaded) -> io::Result<()> {
    let (project, settings) = (&loaded.project, &loaded.project.settings);
    let file = loaded.settings_file.as_ref().map_or("none".to_owned(), |file| file.display().to_string());
    writeln!(out, "# project: {}\n# settings file: {file}", loaded.root.display())?;
    let patterns = |patterns: &'_ [ImportPattern]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    let (keep, cut, ignore): (Vec<String>, Vec<String>, Vec<String>) =
        (patterns(&settings.keep), patterns(&settings.cut), patterns(&settings.ignore));
    let all = cost::TABLE.iter().map(|(key, _)| {
        let (strategy, form) = key.split_once('/').map_or((*key, None), |(strategy, form)| (strategy, Some(form)));
        (*key, cost::base(settings, strategy, form))
    });
    let shown = Shown {
        source_roots: project.tree.roots.iter().map(|root| if root.is_empty() { "." } else { root.as_str() }).collect(),
        exclude: &loaded.exclude,
        level: settings.level.as_str(),
        strategy: match settings.strategies.is_empty() {
            true => strategy::names(),
            false => settings.strategies.iter().map(String::as_str).collect(),
        },
        policy: settings.policy.as_str(),
        keep: keep.iter().map(String::as_str).collect(),
        cut: cut.iter().map(String::as_str).collect(),
        ignore: ignore.iter().map(String::as_str).collect(),
        target_version: format!("{}.{}", settings.target_version.0, settings.target_version.1),
        unsafe_fixes: settings.unsafe_fixes,
        public: &settings.public,
        runtime_evaluated_base_classes: &settings.runtime_evaluated_base_classes,
        runtime_evaluated_decorators: &settings.runtime_evaluated_decorators,
        costs: all.collect(),
    };
    let text = toml::to_string(&shown).map_err(io::Error::other)?;
    write!(out, "{text}")?;
    let lints = if settings.lints_local_imports { "marked `# noqa: PLC0415`" } else { "not marked" };
    writeln!(
        out,
        "\n# from other tools' settings: {} columns a line; imports inside functions are {lints}",
        settings.line_length
    )
}
