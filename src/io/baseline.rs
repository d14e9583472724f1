//! The baseline file: read as a whole, replaced as a whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::replace::replace;
use crate::baseline::{Baseline, VERSION};
use crate::project::settings::Level;

#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    #[error("no such baseline: {}", .0.display())]
    Missing(PathBuf),
    #[error("cannot {action} the baseline {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{}:{line}: no baseline: {message}", path.display())]
    Form { path: PathBuf, line: usize, message: String },
    #[error("{} is of version {version}, and this cyclefix knows {VERSION}", path.display())]
    Version { path: PathBuf, version: u32 },
    #[error("{} lists cycles of the level `{}`, and this run looks for `{}`", path.display(), known.as_str(), now.as_str())]
    Level { path: PathBuf, known: Level, now: Level },
}

impl BaselineError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            BaselineError::Missing(_) => "--update-baseline makes it".into(),
            BaselineError::Io { .. } => "check that the file and its folder can be read and written".into(),
            BaselineError::Form { .. } => {
                "repair it, e.g. after a merge; or delete it and make it anew with --update-baseline".into()
            }
            BaselineError::Version { .. } => "use a newer cyclefix".into(),
            BaselineError::Level { known, .. } => {
                format!("say --level {}, or make it anew with --update-baseline", known.as_str())
            }
        })
    }
}

/// Reads a baseline; `None` if there is none.
pub fn read(path: &Path) -> Result<Option<Baseline>, BaselineError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(BaselineError::Io { action: "read", path: path.to_owned(), source }),
    };
    // A newer version may have other fields, so it is looked at first.
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    if let Ok(Versioned { version }) = serde_json::from_slice(&text)
        && version != VERSION
    {
        return Err(BaselineError::Version { path: path.to_owned(), version });
    }
    let baseline = serde_json::from_slice(&text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default().to_owned();
        BaselineError::Form { path: path.to_owned(), line: error.line(), message }
    });
    baseline.map(Some)
}

/// Writes a baseline in the place of the old one.
pub fn write(path: &Path, baseline: &Baseline) -> Result<(), BaselineError> {
    let mut text = serde_json::to_vec_pretty(baseline).expect("a baseline is plain strings");
    text.push(b'\n');
    replace(path, &text).map_err(|source| BaselineError::Io { action: "write", path: path.to_owned(), source })
}

/// The key of a project: the path of its root, seen from the folder of the baseline.
pub fn key(baseline: &Path, root: &str) -> String {
    let absolute = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or(path.to_owned());
    let folder = baseline.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, root) = (absolute(folder), absolute(Path::new(root)));
    let shared = folder.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = root.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}
