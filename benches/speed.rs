//! What the skim, the graph and the planner cost, on a synthetic monorepo: `cargo bench`.
#![allow(clippy::unwrap_used)]

mod monorepo;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cyclefix::graph::Graph;
use cyclefix::plan;
use cyclefix::project::{Listing, Project, Settings, SourceFile, layout};
use cyclefix::skim::skim;
use cyclefix::syntax::imports::imports;
use cyclefix::syntax::parse;
use monorepo::Monorepo;

/// A monorepo as it is once it is read.
fn project(monorepo: Monorepo) -> Project {
    let mut listing = Listing::default();
    for (path, text) in monorepo.files() {
        if path.ends_with(".py") {
            listing.files.push(SourceFile { path, text: Arc::from(text), trouble: None, writable: true });
        } else {
            listing.manifests.insert(path, text);
        }
    }
    listing.files.sort_by(|a, b| a.path.cmp(&b.path));
    let layout = layout::layout(&listing, &[]);
    Project::new(".".to_owned(), listing, Settings::default(), layout)
}

fn texts(c: &mut Criterion) {
    let project = project(Monorepo { files: 200, imports: 8, cycles: 10 });
    let bytes: usize = project.files.iter().map(|file| file.text.len()).sum();
    let mut group = c.benchmark_group("text");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("skim", |b| b.iter(|| project.files.iter().filter_map(|f| skim(&f.text)).count()));
    group.bench_function("tree", |b| {
        b.iter(|| project.files.iter().map(|f| imports(&parse(&f.text)).sites.len()).sum::<usize>());
    });
    group.finish();
}

fn graphs(c: &mut Criterion) {
    let mut group = c.benchmark_group("graph");
    for files in [1_000, 10_000] {
        let project = project(Monorepo { files, imports: 8, cycles: files / 100 });
        group.throughput(Throughput::Elements(files as u64));
        group.bench_function(format!("{files} modules"), |b| b.iter(|| black_box(Graph::skimmed(&project, &|| ()))));
        let graph = Graph::skimmed(&project, &|| ());
        group.bench_function(format!("components of {files} modules"), |b| b.iter(|| graph.components(|_| true)));
    }
    group.finish();
}

fn planner(c: &mut Criterion) {
    let mut group = c.benchmark_group("plan");
    group.sample_size(10);
    for cycles in [0, 10, 100] {
        let project = project(Monorepo { files: 3_000, imports: 8, cycles });
        group.bench_function(format!("{cycles} cycles"), |b| b.iter(|| plan::solve(&project, &|_| ())));
    }
    group.finish();
}

criterion_group!(benches, texts, graphs, planner);
criterion_main!(benches);
