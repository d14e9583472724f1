//! stand-in
#![allow(clippy::unwrap_used)]
use std::path::PathBuf;
use crate::project::{Listing, Project, Settings, SourceFile};
pub struct LoadOptions { pub exclude: Vec<String>, pub source_roots: Vec<String>, pub jobs: Option<usize>, pub config: Option<PathBuf> }
pub struct Loaded { pub root: PathBuf, pub project: Project, pub paths: Vec<PathBuf> }
#[derive(Debug, thiserror::Error)]
#[error("no such file or folder: `{0}`")]
pub struct LoadError(String);
impl LoadError { pub fn hint(&self) -> Option<String> { Some("name a folder or a .py file".into()) } }
pub fn load(paths: &[PathBuf], _options: &LoadOptions, adjust: &dyn Fn(&mut Settings)) -> Result<Vec<Loaded>, LoadError> {
    paths.iter().map(|p| {
        let root = p.canonicalize().map_err(|_| LoadError(p.display().to_string()))?;
        let mut settings = Settings::default();
        adjust(&mut settings);
        let mut files = Vec::new();
        let mut todo = vec![root.clone()];
        while let Some(d) = todo.pop() {
            for e in std::fs::read_dir(&d).unwrap() {
                let p = e.unwrap().path();
                if p.is_dir() { todo.push(p); continue; }
                let name = p.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                if name.ends_with(".py") && let Ok(text) = std::fs::read_to_string(&p) { files.push(SourceFile { path: name, text: text.into(), trouble: None, writable: true }); }
            }
        }
        let mut roots = vec![String::new()];
        for r in ["src", "lib"] { if root.join(r).is_dir() { roots.insert(0, r.into()); } }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let project = Project::new(p.display().to_string(), Listing { files, ..Default::default() }, settings, roots);
        Ok(Loaded { root, project, paths: vec![] })
    }).collect()
}
