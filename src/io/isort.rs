//! How the project has its imports sorted and set apart: what isort and ruff are told.

use crate::project::manifest::{get, strings};
use crate::project::settings::ImportStyle;

/// Reads `[tool.isort]`, and ruff's settings of the same kind, which go first. `tool` is `[tool]` of pyproject.toml.
pub fn import_style(tool: Option<&toml::Value>, ruff: Option<&toml::Value>) -> ImportStyle {
    let ruff_isort = ruff.and_then(|ruff| get(ruff, &["lint", "isort"]).or_else(|| ruff.get("isort")));
    let isort = tool.and_then(|tool| tool.get("isort"));
    // Both names of a setting: ruff's and isort's.
    let find = |names: [&str; 2]| {
        let ruff = ruff_isort.and_then(|table| table.get(names[0]));
        ruff.or_else(|| names.iter().find_map(|name| isort?.get(*name)))
    };
    let is_set = |names| find(names).and_then(toml::Value::as_bool).unwrap_or_default();
    let required = find(["required-imports", "add_imports"]);
    let required = strings(required).into_iter().chain(required.and_then(toml::Value::as_str));
    ImportStyle {
        lines_after: find(["lines-after-imports", "lines_after_imports"])
            .and_then(toml::Value::as_integer)
            .and_then(|lines| lines.try_into().ok()),
        single_names: is_set(["force-single-line", "force_single_line"]),
        by_module: is_set(["force-sort-within-sections", "force_sort_within_sections"]),
        joins_renamed: is_set(["combine-as-imports", "combine_as_imports"]),
        requires_annotations: required.into_iter().any(|line| line.trim() == "from __future__ import annotations"),
    }
}

#[cfg(test)]
mod tests {
    use super::import_style;
    use crate::project::settings::ImportStyle;

    #[test]
    fn isort_and_ruff_say_how_imports_stand() {
        let value = |text: &str| toml::Value::Table(text.parse().unwrap());
        let tool = value("[isort]\nforce_single_line = true\nlines_after_imports = 2\nadd_imports = ['import os']");
        let ruff = value(
            "[lint.isort]\nlines-after-imports = 1\nforce-sort-within-sections = true\n\
             required-imports = ['from __future__ import annotations']",
        );
        let both = import_style(Some(&tool), Some(&ruff));
        assert_eq!((both.lines_after, both.single_names, both.by_module), (Some(1), true, true));
        assert!(both.requires_annotations && !both.joins_renamed);
        assert_eq!(import_style(Some(&tool), None).lines_after, Some(2));
        let unset = value("[lint.isort]\nlines-after-imports = -1");
        assert_eq!(import_style(None, Some(&unset)), ImportStyle::default());
    }
}
