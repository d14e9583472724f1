//! The skim and the tree agree: on the standard library of the Python that is found, and on all cases.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use cyclefix::skim::{function, outline, skim};
use cyclefix::syntax::ast::{Stmt, StmtKind};
use cyclefix::syntax::imports::imports;
use cyclefix::syntax::{parse, parse_outline, parse_part};
use rayon::prelude::*;

fn python_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && name != "site-packages" && !path.is_symlink() {
            python_files(&path, out);
        } else if name.ends_with(".py") {
            out.push(path);
        }
    }
}

/// Holds both readings of one text together; says whether the skim was sure.
fn agree(text: &str, name: &str) -> bool {
    outlines(text, name);
    let tree = imports(&parse(text));
    let Some(found) = skim(text) else { return false };
    if tree.error.is_some() {
        return true;
    }
    assert_eq!(format!("{:#?}", found.sites), format!("{:#?}", tree.sites), "{name}");
    assert_eq!(found.bound, tree.bound, "{name}");
    true
}

/// Holds the outline of a text against the whole: outside functions, the same statements stand at the same places.
fn outlines(text: &str, name: &str) {
    let (tree, Some(outline)) = (parse(text), outline(text)) else { return };
    if tree.error.is_some() {
        return;
    }
    let outlined = parse_outline(text, &outline);
    assert_eq!(outlined.error, None, "{name}");
    let (mut whole, mut left) = (Vec::new(), Vec::new());
    statements(&tree.body, &mut whole);
    statements(&outlined.body, &mut left);
    assert_eq!(left, whole, "{name}");
    functions(text, &tree.body, name);
}

/// Holds each function outside others, read by itself, against what the whole text has there.
fn functions(text: &str, body: &[Stmt], name: &str) {
    for stmt in body {
        let StmtKind::Function(whole) = &stmt.kind else {
            stmt.blocks().into_iter().for_each(|block| functions(text, block, name));
            continue;
        };
        let def =
            memchr::memmem::rfind(&text.as_bytes()[..whole.name.span.start], b"def").expect("a function has a def");
        let line = text[..def].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let def = line + text[line..].find(|c: char| !c.is_whitespace() && c != '\u{feff}').expect("a line with a def");
        let own = parse_part(text, function(text, def).unwrap_or_else(|| panic!("{name}: {def}")));
        assert_eq!(own.error, None, "{name}: {def}");
        let [Stmt { kind: StmtKind::Function(own), .. }] = own.body.as_slice() else { panic!("{name}: {def}") };
        assert_eq!(format!("{:?}", own.body), format!("{:?}", whole.body), "{name}: {def}");
    }
}

/// Where the statements outside functions begin, and of what kind each is.
fn statements(body: &[Stmt], out: &mut Vec<(usize, &'static str)>) {
    for stmt in body {
        let kind = match stmt.kind {
            StmtKind::Function(_) => "function",
            StmtKind::Class(_) => "class",
            StmtKind::Import(_) => "import",
            StmtKind::Assign { .. } | StmtKind::AnnAssign { .. } | StmtKind::AugAssign { .. } => "assignment",
            _ => "other",
        };
        out.push((stmt.span.start, kind));
        if !matches!(stmt.kind, StmtKind::Function(_)) {
            stmt.blocks().into_iter().for_each(|block| statements(block, out));
        }
    }
}

/// The standard library of the Python that runs as `python3`.
fn own_library() -> Option<PathBuf> {
    let script = "import sysconfig; print(sysconfig.get_path('stdlib'))";
    let done = std::process::Command::new("python3").args(["-c", script]).output().ok()?;
    Some(PathBuf::from(String::from_utf8_lossy(&done.stdout).trim())).filter(|folder| folder.is_dir())
}

/// The standard libraries of Python 3.8 and later that pyenv installed.
fn libraries() -> Vec<PathBuf> {
    let Some(home) = std::env::home_dir() else { return Vec::new() };
    let versions = std::fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten().flatten();
    let folders = versions.flat_map(|version| std::fs::read_dir(version.path().join("lib")).into_iter().flatten());
    let is_new = |folder: &PathBuf| {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let minor = name.strip_prefix("python3.").and_then(|minor| minor.parse::<u32>().ok());
        minor.is_some_and(|minor| minor >= 8)
    };
    let mut found: Vec<PathBuf> = folders.flatten().map(|entry| entry.path()).filter(is_new).collect();
    found.sort();
    found
}

/// Holds both readings of every `step`th file of a folder together; most files must be skimmed.
fn agree_below(folder: &Path, step: usize) {
    let mut files = Vec::new();
    python_files(folder, &mut files);
    files.sort();
    let some: Vec<PathBuf> = files.into_iter().step_by(step).collect();
    let skimmed =
        |path: &&PathBuf| std::fs::read_to_string(path).is_ok_and(|text| agree(&text, &path.display().to_string()));
    let sure = some.par_iter().filter(skimmed).count();
    assert!(sure * 4 > some.len() * 3, "only {sure} of {} files were skimmed below {}", some.len(), folder.display());
}

#[test]
fn on_the_standard_library() {
    let Some(library) = own_library() else {
        eprintln!("skipped: no python3 found");
        return;
    };
    // Every third file is enough for each run of the tests.
    agree_below(&library, 3);
}

/// All files, which takes minutes without optimisation: `cargo test --release --test skim -- --ignored`.
#[test]
#[ignore = "takes long"]
fn on_all_standard_libraries() {
    let libraries = libraries();
    if libraries.is_empty() {
        eprintln!("skipped: no Python versions below ~/.pyenv/versions");
    }
    libraries.iter().for_each(|library| agree_below(library, 1));
}

/// What is left of a text in its outline, a body being an `0`.
fn left(text: &str) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for cut in outline(text).expect("it is plain").cuts {
        out += &text[from..cut.range.start];
        if cut.body.is_some() {
            out += "0\n";
        }
        from = cut.range.end;
    }
    out + &text[from..]
}

#[test]
fn heads_of_functions_are_left_out_where_nothing_depends_on_them() {
    let idle = [
        ("def f(a, *b, c=1, d=-2.5e3, **e):", "def f():"),
        ("async def f(a='x', b=None, /, c=(), d=[], e={}):", "async def f():"),
        ("def f(\n    a,\n    b=True,\n):", "def f():"),
    ];
    let postponed = [
        ("def f(a: x.Y = 1, b: 'Z' = None) -> x.Y[int, None]:", "def f():"),
        ("def f(a: list[x | \"y\"], *b: *Ts) -> None:", "def f():"),
    ];
    let of_use = [
        "def f(a=x):",
        "def f(a=x.y, b=1):",
        "def f(a=g()):",
        "def f(a=-x1):",
        "def f(a=1 + x):",
        "def f(a='x'.y):",
        "def f(a=None or x):",
        "def f(a=lambda: x):",
        "def f(a=[x]):",
        "def f(a,  # b\n    c):",
        "def f[T: x](a):",
    ];
    let annotated = ["def f(a: x):", "def f() -> x:", "def f() -> x:  # :", "def f(a: x = 1) -> y:"];
    let future = "from __future__ import annotations\n";
    let body = "\n    return a\n";
    for (head, less) in idle {
        assert_eq!(left(&format!("{head}{body}")), format!("{less}\n    0\n"));
    }
    for (head, less) in idle.into_iter().chain(postponed) {
        assert_eq!(left(&format!("{future}{head}{body}")), format!("{future}{less}\n    0\n"));
    }
    for head in of_use.into_iter().chain(annotated) {
        assert_eq!(left(&format!("{head}{body}")), format!("{head}\n    0\n"));
    }
    for head in of_use.into_iter().chain(["def f() -> x:  # :", "def f(a: x = y):", "def f(a: x = y) -> z:"]) {
        assert_eq!(left(&format!("{future}{head}{body}")), format!("{future}{head}\n    0\n"));
    }
    let long = "class C:\n    \"\"\"long\n    text\"\"\"\n    # why\n    a = b\n";
    assert_eq!(left(long), "class C:\n    \"\"\"\"\"\"\n\n    a = b\n");
    let joined = "\"\"\"a\"\"\" + f(\"\"\"b\"\"\")\n";
    assert_eq!(left(joined), joined);
}

#[test]
fn on_forms_that_are_easy_to_get_wrong() {
    let forms = [
        "import a, b.c as d\nfrom . import e\nfrom ..f import (g, # h\n    i as j,\n)\n",
        "if TYPE_CHECKING:\n    import a\nelse:\n    import b\n",
        "if not TYPE_CHECKING:\n    import a\nelif x:\n    import b\nelse:\n    import c\n",
        "if typing.TYPE_CHECKING:\n  import a\nelif t:\n  import b\n",
        "try:\n    import a\nexcept ImportError:\n    a = None\nelse:\n    import b\n",
        "def f():\n    \"\"\"import x\n    \"\"\"\n    import a\nclass C:\n    import b\n    def g(self): return '''\nimport c'''\nimport d\n",
        "x = f'{a[\"import b\"]}'\nimport c\n",
        "x = f'{a:{b}}' 'import d' \\\n  'e'\nimport c\n",
        "from a import b; import c\n",
        "if x: import a\n",
        "\u{feff}import a\r\nfrom b import c\r\n",
        "x = (\nimport_ if\n1 else 2)\nimport a  # c\n",
        "if __name__ == '__main__':\n    import a\n",
        "for x in y:\n    pass\nelse:\n    import a\n",
        "match = 1\nmatch x:\n    case 1:\n        import a\n",
        "async def f():\n    import a\nasync with x:\n    import b\n",
        "lazy import a\nlazy from b import c\nlazy = 1\n",
        "if x == 0:\n    import a\nelif 0:\n    import b\n",
        "from a import *\nimport b\n\x0cimport c\n",
        "a = b = 1\nc: int = 2\nd = e == f\n",
        "a = b.c = d = 1\ne.f = g = 2\nh, i = j = 3\nk = l=m = 4\nn = lambda o=1: o\np = q = r == s\nt += 1\n",
        "(\n); a = lambda: 1\nb; c = 2\nd = 3; e\ndef f(): g; h = 4\n",
        "if not x[0] and (y == 0 or z(False)):\n    import a\nelif x and (0):\n    import b\n",
        "if (x and\n    0):\n    import a\nif not (False):\n    import b\nelse:\n    import c\n",
        "if x or 0 and y:\n    import a\nif a.b(0) and 0.5:\n    import b\nif 0 == x:\n    import c\n",
        "with open(x) as y, \\\n        z:\n    import a\n",
        "if (a and\n    TYPE_CHECKING):\n    import b\n",
        "import a \\\n    as b\n",
        "if x:\n    pass\n# c\nelse:\n    import a\n",
        "class A: pass\nimport b\nlambda: 1\nimport c\n",
        "import a  # b\rimport c\rlazy import d\r\nE = \\\r0\n",
        "if x is not False:\n    import a\nelif x and not False:\n    import b\n",
        "if (x  # 1\n    and y):\n    import a\nif (x and False  # z\n    ):\n    import b\nif x == '#':\n    import c\n",
        "a = import_module(name)\nb = importlib.import_module(names[1], package)\nimport c\n",
        "a = import_module('b')\nc = __import__(\n  'd')\ne = import_module (name='f')\n",
        "a = (import_module  # b\n  ('c'))\nd = (import_module\n('e'))\nf = import_module(r'g')\n",
        "def f():\n    # c\n\n    é = 1\n  # d\n    return é\nclass A:\n\tdef g(self):\n\t\treturn '''\\\nx'''\n\n\tdef h(self): pass\nx = 1\n",
        "@f(lambda: 0)\ndef g(a=lambda: 1,\n      b=2) -> c:\n    def h():\n        pass\n    yield\nif g:\n    async def i():\n        0\nelse:\n    def j(): return 1\n",
        "if a := b(import_c): d(); import_e = 1\nif f: x.important()\nif g: import h\n",
        "if not False: f()\nelse:\n    import a\nif 0: f()\nelse:\n    import b\n",
        "if not TYPE_CHECKING: f()\nelif x: g()\nelse:\n    a = 1\n",
        "if x or TYPE_CHECKING:\n    f()\nelif y:\n    def g(): import a\nelse:\n    h(a=1)\nimport b\n",
        "def f():\n    if x and (not TYPE_CHECKING):  # 0\n        a = 1\n    elif y:\n        class B: c = 1\n    import d\n",
        "def f():\n    if x is TYPE_CHECKING:\n        def g():\n            import a\n    else: b = 0 if 1 else 2\n",
        "if (x  # False\n    ):\n    a.b(0)\nelif y:\n    c.d = 1\nelse:\n    e = 1\n",
        "a = import_module(f'b{c}')\nd = import_module(F\"e\", g)\nh = import_module(rb'i')\nimport j\n",
        "import_module(f'{a}')\nimport_module(rf'b.{c}', d)\nimport e\n",
        "import_module(f'{{a')\n",
        "import_module(f'a' '{b}')\n",
        "a = import_module(u'b')\nc = import_module(*d)\ne = import_module()\nf = import_module('g' + h)\n",
        "def f(): a = {b: c for b in [0]}; d = lambda: {'e': 1}[g]\n\tif x: y = 1\nimport h\n",
        "x = [\t1 ,\x0c 2 ]  \nif x :\t\n\tpass \x0c\nimport a\t\n",
    ];
    for form in forms {
        agree(form, form);
    }
}

#[test]
fn a_carriage_return_alone_ends_a_line() {
    let text = "import a  # b\rimport c\rif x:\r    import d\r\nimport e";
    let tree = imports(&parse(text));
    let modules: Vec<&str> = tree.sites.iter().map(|site| site.module).collect();
    assert_eq!((modules, tree.error), (vec!["a", "c", "d", "e"], None));
    assert!(agree(text, text));
}

#[test]
fn only_plain_assignments_are_chained() {
    for text in ["a = b: c\n", "a: int = b = 1\n", "a = b += 1\n", "a += b = 1\n", "a = b = c: int = 1\n"] {
        assert!(parse(text).error.is_some(), "{text}");
    }
    assert!(parse("a = b = 1\nc: int = 2\nd += 3\n").error.is_none());
}
