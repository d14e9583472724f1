//! Reads files when somebody asks for their names: their outlines first, and the bodies of functions when these are called.

use std::sync::{Arc, Mutex};

use elsa::sync::FrozenMap;

use super::FileFacts;
use super::body::{self, Body};
use crate::graph::Graph;
use crate::project::{ModuleId, Project};
use crate::skim::{function, outline};
use crate::syntax::imports::{FileImports, imports};
use crate::syntax::{parse, parse_outline, parse_part};

pub struct Reader<'p> {
    project: &'p Project,
    /// The imports that each file has to have.
    expected: Vec<Arc<FileImports<'p>>>,
    /// Functions by their place.
    called: FrozenMap<(ModuleId, usize), Box<Body<'p>>>,
    /// Files that turned out to have other imports, or to be no Python.
    others: Mutex<Vec<(ModuleId, Arc<FileImports<'p>>)>>,
}

impl<'p> Reader<'p> {
    pub fn new(graph: &Graph<'p>) -> Self {
        let (called, others) = (FrozenMap::new(), Mutex::default());
        Self { project: graph.project, expected: graph.files.clone(), called, others }
    }

    /// What an import of a module can come to, but for what its functions do; nothing if it has other imports.
    pub fn read(&self, module: ModuleId) -> Option<FileFacts<'p>> {
        let text = self.project.text(module);
        let expected = &self.expected[module.index()];
        if let Some(outline) = outline(text) {
            let ast = parse_outline(text, &outline);
            if ast.error.is_none() {
                return Some(FileFacts::without_effects(&ast, expected));
            }
        }
        let ast = parse(text);
        let imports = imports(&ast);
        if imports == **expected {
            return Some(FileFacts::without_effects(&ast, expected));
        }
        let mut others = self.others.lock().expect("no thread panics while it notes a file");
        others.push((module, Arc::new(imports)));
        None
    }

    /// What the function at a place does.
    pub fn read_function(&self, module: ModuleId, def: usize, postponed: bool) -> &Body<'p> {
        if let Some(known) = self.called.get(&(module, def)) {
            return known;
        }
        let text = self.project.text(module);
        let read = || {
            let ast = parse_part(text, function(text, def)?);
            Some(body::body(&ast, &self.expected[module.index()], postponed))
        };
        self.called.insert((module, def), Box::new(read().unwrap_or_default()))
    }

    /// The files that have other imports than the graph that they were read for, with these.
    pub fn into_others(self) -> Vec<(ModuleId, Arc<FileImports<'p>>)> {
        self.others.into_inner().expect("no thread panics while it notes a file")
    }
}
