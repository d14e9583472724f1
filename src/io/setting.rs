//! The settings that there are, and what each may be. What is wrong is said in words of the setting, not of TOML.

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use crate::project::settings::{Level, Policy};

/// What a setting may be.
#[derive(Clone, Copy)]
enum Form {
    Level,
    Policy,
    Version,
    Texts,
    Switch,
    Costs,
}

const SETTINGS: [(&str, Form); 14] = [
    ("source-roots", Form::Texts),
    ("exclude", Form::Texts),
    ("level", Form::Level),
    ("strategy", Form::Texts),
    ("policy", Form::Policy),
    ("costs", Form::Costs),
    ("keep", Form::Texts),
    ("cut", Form::Texts),
    ("ignore", Form::Texts),
    ("target-version", Form::Version),
    ("unsafe-fixes", Form::Switch),
    ("public", Form::Texts),
    ("runtime-evaluated-base-classes", Form::Texts),
    ("runtime-evaluated-decorators", Form::Texts),
];

/// Characters of a value that an error quotes.
const QUOTED: usize = 40;
/// How similar a word has to be to what it may be meant for, from 0 to 1.
const NEAR: f64 = 0.6;
/// Letters from which on a word may be the start of another.
const START: usize = 3;

/// The table as it is written.
pub(super) type Keys = BTreeMap<Spanned<String>, Spanned<Value>>;

/// What is wrong with a setting.
pub(super) struct Wrong {
    /// Where in the text.
    pub at: usize,
    pub message: String,
    pub hint: Option<String>,
}

impl Form {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Level | Self::Policy => value.as_str().is_some_and(|name| self.names().contains(&name)),
            Self::Version => value.is_str(),
            Self::Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_str)),
            Self::Switch => value.is_bool(),
            Self::Costs => value.as_table().is_some_and(|costs| costs.values().all(Value::is_integer)),
        }
    }

    /// The values that there are, where they have names.
    fn names(self) -> Vec<&'static str> {
        match self {
            Self::Level => Level::ALL.map(Level::as_str).to_vec(),
            Self::Policy => Policy::ALL.map(Policy::as_str).to_vec(),
            Self::Version | Self::Texts | Self::Switch | Self::Costs => Vec::new(),
        }
    }

    fn hint(self, value: &Value) -> String {
        let names = self.names();
        match self {
            Self::Level | Self::Policy => match value.as_str().and_then(|word| nearest(word, names.iter().copied())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("give one of \"{}\"", names.join("\", \"")),
            },
            Self::Version => "give a version of Python from 3.6 to 3.20, written as \"3.9\"".into(),
            Self::Texts => "give a list of texts, e.g. [\"a\", \"b\"]".into(),
            Self::Switch => "give true or false".into(),
            Self::Costs => "give a table of whole numbers, e.g. costs.merge-modules = 300".into(),
        }
    }
}

/// The first in the file that is no setting or has no value of one, as people fix errors from the top.
pub(super) fn check(keys: &Keys) -> Result<(), Wrong> {
    let wrong = keys.iter().filter_map(|(key, value)| wrong(key, value));
    wrong.min_by_key(|wrong| wrong.at).map_or(Ok(()), Err)
}

fn wrong(key: &Spanned<String>, value: &Spanned<Value>) -> Option<Wrong> {
    let name = key.get_ref().as_str();
    let Some((_, form)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
        let hint = match name {
            "tool" => Some("cyclefix.toml has the settings without a table: leave out `[tool.cyclefix]`".to_owned()),
            _ => nearest(name, names().into_iter()).map(|nearest| format!("did you mean `{nearest}`?")),
        };
        return Some(Wrong { at: key.span().start, message: format!("unknown setting `{name}`"), hint });
    };
    if form.fits(value.get_ref()) {
        return None;
    }
    let hint = Some(form.hint(value.get_ref()));
    let (what, value) = match value.get_ref().as_table().filter(|_| matches!(form, Form::Costs)) {
        Some(costs) => {
            let (cost, value) = costs.iter().find(|(_, cost)| !cost.is_integer())?;
            (format!("{name}.{cost}"), value)
        }
        None => (name.to_owned(), value.get_ref()),
    };
    Some(Wrong { at: key.span().start, message: format!("`{what}` cannot be {}", quoted(value)), hint })
}

fn quoted(value: &Value) -> String {
    let text = value.to_string();
    match value {
        Value::Table(_) => "a table".to_owned(),
        _ if text.chars().count() > QUOTED || text.contains('\n') => format!("this {}", value.type_str()),
        _ => format!("`{text}`"),
    }
}

/// The names of all settings.
pub(super) fn names() -> [&'static str; SETTINGS.len()] {
    SETTINGS.map(|(name, _)| name)
}

/// The one of `known` that a word is likely to be meant for.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.replace('_', "-");
    let similarity = |known: &str| match word.len() >= START && known.starts_with(&word) {
        true => 1.0,
        false => strsim::normalized_damerau_levenshtein(&word, known),
    };
    let near = known.map(|known| (similarity(known), known)).filter(|(similarity, _)| *similarity > NEAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}
