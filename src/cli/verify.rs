//! `--verify`: tries plans by running them in copies of the project, with the project's own Python.

mod runs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::progress::Progress;
use crate::io::load::Loaded;
use crate::io::process::catch_interrupts;
use crate::io::scratch::Tree;
use crate::outcome::FileChange;
use crate::plan::{Solved, Veto};
use crate::proof::{self, Proved};
use runs::Runs;

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("--verify needs --dry-run or --apply: a check rewrites nothing that could be run")]
    Check,
    #[error("--verify takes a command, and `{0}` is a path")]
    Path(String),
    #[error("`{module}` is taken from {}, not from the project: what is rewritten would not be what is run", file.display())]
    Elsewhere { module: String, file: PathBuf, python: PathBuf },
    #[error("`{}` imports none of the modules, before or after: {error}", python.display())]
    NothingProved { python: PathBuf, error: String },
    #[error("`{command}` fails, before anything is changed and after: {ending}")]
    CommandFails { command: String, ending: String },
}

impl VerifyError {
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            VerifyError::Check => "add one of them, e.g. cyclefix --dry-run --verify".into(),
            VerifyError::Path(path) => {
                format!("name paths first: cyclefix --apply {path} --verify; or name a command: --verify \"pytest -q\"")
            }
            VerifyError::Elsewhere { python, .. } => format!(
                "name the folder that its imports start from with --source-root, or a Python in which the project is not \
                 installed otherwise than `pip install -e` does; this one is `{}`",
                python.display()
            ),
            VerifyError::NothingProved { .. } => {
                "--python PATH names an interpreter that has what the project needs, e.g. .venv/bin/python".into()
            }
            VerifyError::CommandFails { .. } => {
                "give a command that succeeds, or one of pytest or unittest in which some test passes: then tests are \
                 compared one by one"
                    .into()
            }
        })
    }
}

/// What the user wants to have run.
pub struct Wish<'a> {
    pub command: Option<&'a str>,
    pub python: Option<&'a Path>,
    pub jobs: usize,
}

/// Plans a project until the plan stands, and gives what was copied of it to be run, if anything was. `alter` is what becomes of planned changes on their way to the disk.
pub fn prove(
    loaded: &Loaded,
    wish: &Wish,
    progress: &Progress,
    plan: &dyn Fn(&[Veto]) -> Solved,
    alter: &(dyn Fn(Vec<FileChange>) -> Vec<FileChange> + Sync),
    warn: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<(Solved, Option<Arc<Tree>>)> {
    catch_interrupts();
    let mut trial = Runs::new(loaded, wish, progress, alter, warn)?;
    let Proved { mut solved, vetoes } = proof::prove(&loaded.project, plan, &mut trial)?;
    let tree = trial.tree();
    solved.outcome.verification = trial.entry(&solved.touched, vetoes);
    Ok((solved, tree))
}
