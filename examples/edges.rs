//! Prints the import graph below one source root as JSON, for comparing it with another reading of the same tree:
//! `cargo run --release --example edges -- ROOT`.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;

use cyclefix::graph::Graph;
use cyclefix::project::layout::Layout;
use cyclefix::project::{Listing, Project, Settings, SourceFile};
use cyclefix::syntax::Lines;

fn walk(folder: &Path, root: &Path, files: &mut Vec<SourceFile>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, root, files)?;
        } else if path.extension().is_some_and(|e| e == "py")
            && let Ok(text) = std::fs::read_to_string(&path)
            && let Ok(inside) = path.strip_prefix(root)
        {
            let path = inside.to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text: text.into(), trouble: None, writable: true });
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let mut listing = Listing::default();
    walk(Path::new(&root), Path::new(&root), &mut listing.files)?;
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    let project =
        Project::new(root, listing, Settings::default(), Layout { roots: vec![String::new()], scripts: Vec::new() });
    let graph = Graph::parsed(&project);
    let mut rows: BTreeMap<(String, String, String, bool), Vec<usize>> = BTreeMap::new();
    for edge in &graph.edges {
        let site = graph.site(edge.from, edge.site);
        let line = Lines::new(project.text(edge.from)).line(site.stmt.start);
        let kind = if site.call { "call".to_owned() } else { format!("{:?}", edge.kind).to_lowercase() };
        let key = (project.module(edge.from).name.clone(), project.module(edge.to).name.clone(), kind, edge.implicit);
        rows.entry(key).or_default().push(line);
    }
    let rows: Vec<_> = rows
        .into_iter()
        .map(|((a, b, c, d), mut lines)| {
            lines.sort_unstable();
            lines.dedup();
            (a, b, c, d, lines)
        })
        .collect();
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}
