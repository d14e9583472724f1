//! Which folders and modules the files of a project make, by path. Paths are relative to the project's root, with `/`.

use std::collections::{BTreeSet, HashSet};

use super::Listing;
use super::modules::is_identifier;

/// `path` below `folder`, with `.`, `..` and slashes cleaned up; `""` is the project's root.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let path = path.replace('\\', "/");
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What lies where, as far as Python is concerned.
pub struct Folders<'a> {
    /// Folders with a `.py` file at any depth.
    folders: HashSet<&'a str>,
    files: HashSet<&'a str>,
    /// Folders of a project of their own: with a build file, and no package themselves.
    projects: BTreeSet<&'a str>,
}

impl<'a> Folders<'a> {
    pub fn new(listing: &'a Listing) -> Self {
        let files: HashSet<&str> = listing.files.iter().map(|f| f.path.as_str()).collect();
        let mut folders = HashSet::new();
        for file in &listing.files {
            let mut folder = parent(&file.path);
            while folders.insert(folder) && !folder.is_empty() {
                folder = parent(folder);
            }
        }
        folders.insert("");
        let mut found = Self { folders, files, projects: BTreeSet::new() };
        let manifests = listing.manifests.keys().filter(|path| !path.ends_with("cyclefix.toml"));
        found.projects = manifests.map(|path| parent(path)).filter(|f| !found.is_package(f)).collect();
        found
    }

    pub fn projects(&self) -> &BTreeSet<&'a str> {
        &self.projects
    }

    pub fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    /// Whether there is a module or a folder of modules at `path`, which has no `.py` at its end.
    pub fn has_module(&self, path: &str) -> bool {
        self.has_folder(path) || self.files.contains(format!("{path}.py").as_str())
    }

    pub fn is_package(&self, path: &str) -> bool {
        is_identifier(name(path)) && self.files.contains(format!("{path}/__init__.py").as_str())
    }

    /// `folder` and those above it that it could be named from, the nearest first: up to a project's folder, or to
    /// one whose name no import can spell.
    pub fn possible_roots<'f>(&self, folder: &'f str) -> Vec<&'f str> {
        let mut roots = vec![folder];
        let mut at = folder;
        while !at.is_empty() && !self.projects.contains(at) && is_identifier(name(at)) {
            at = parent(at);
            roots.push(at);
        }
        roots
    }
}

/// The folder of a file or folder.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folders that a file or folder stands in, the topmost first, without the root.
pub fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Whether `path` lies in `folder`, at any depth.
pub fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// `path` without the `folder` above it.
pub fn below<'p>(folder: &str, path: &'p str) -> &'p str {
    path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/')
}
