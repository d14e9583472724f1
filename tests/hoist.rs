//! `--hoist`: what moves to the top of its module, and what stays in its function.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[allow(dead_code)]
mod harness {
    pub mod case;
    pub mod python;
}

use std::collections::BTreeSet;
use std::process::Command;

use harness::case::{Case, Ran};
use harness::python::Python;
use serde_json::Value;

/// What becomes of a small project, after all that a case is held to.
fn run(files: &str) -> Ran {
    let case = Case::parse("hoist", &format!("#! --hoist\n{files}"));
    let ran = Ran::new(&case);
    assert_eq!(ran.troubles, Vec::<String>::new(), "{files}");
    if let Some(python) = Python::find() {
        assert_eq!(python.compare(&[(&case, &ran)]), [Vec::<String>::new()], "{files}");
    }
    ran
}

fn hoist(ran: &Ran) -> &Value {
    &ran.report["projects"][0]["hoist"]
}

fn reasons(ran: &Ran) -> BTreeSet<&str> {
    let refusals = hoist(ran)["refusals"].as_array().unwrap();
    refusals.iter().map(|r| r["reason"].as_str().unwrap()).collect()
}

const B: &str = "#- b.py
def g():
    return 1
";

#[test]
fn an_import_that_breaks_no_cycle_moves_up() {
    let a = "#- a.py
\"\"\"A.\"\"\"


def f():
    from b import g  # avoid a circular import

    return g()


def h():
    \"\"\"Also.\"\"\"
    from b import g

    return g() + 1


class C:
    def g(self):
        # Circular imports!
        from b import g
        return g()
#- check.py
import a

print(a.f(), a.h(), a.C().g())
";
    let expected = "diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,21 +1,18 @@
 \"\"\"A.\"\"\"
 
+from b import g
+
 
 def f():
-    from b import g  # avoid a circular import
-
     return g()
 
 
 def h():
     \"\"\"Also.\"\"\"
-    from b import g
 
     return g() + 1
 
 
 class C:
     def g(self):
-        # Circular imports!
-        from b import g
         return g()
";
    let ran = run(&format!("{a}{B}"));
    assert_eq!(ran.diff, expected);
    assert_eq!((ran.exit, hoist(&ran)["status"].as_str()), (0, Some("fixed")));
    let fix = &hoist(&ran)["fixes"][0];
    assert_eq!((fix["strategy"].as_str(), fix["removes"].as_array().unwrap().len()), (Some("hoist"), 3));
    let schema: Value = serde_json::from_str(include_str!("../schema/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert_eq!(validator.iter_errors(&ran.report).map(|e| e.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn an_import_joins_those_that_are_there() {
    let files = "#- pkg/__init__.py
#- pkg/a.py
import os

from .b import g


def f():
    from . import c
    from .b import h

    return g, h(), c, os.sep
#- pkg/b.py
def g():
    return 1


def h():
    return 2
#- pkg/c.py
X = 1
#- check.py
import pkg.a

print(pkg.a.f()[1], pkg.a.f()[2].X)
";
    let ran = run(files);
    assert!(ran.diff.contains("+from . import c\n+from .b import g, h\n"), "{}", ran.diff);
    assert!(
        ran.diff.contains(" def f():\n-    from . import c\n-    from .b import h\n-\n     return"),
        "{}",
        ran.diff
    );
}

/// The body of a function, further files, and why the import stays.
const STAY: [(&str, &str, &str); 29] = [
    ("    from c import k\n\n    return k()\n", "#- c.py\nimport a\n\n\ndef k():\n    return a.f\n", "makes-cycle"),
    // A function that runs while its module is imported leads back.
    (
        "    from c import k\n\n    return k\n",
        "#- c.py\ndef k():\n    from a import f\n\n    return f\n\n\nk()\n",
        "makes-cycle",
    ),
    (
        "    try:\n        from b import g\n    except ImportError:\n        return None\n    return g()\n",
        "",
        "conditional-import",
    ),
    ("    if x:\n        from b import g\n\n        return g()\n", "", "conditional-import"),
    ("    for _ in x:\n        from b import g\n    return g\n", "", "conditional-import"),
    ("    from b import g  # lazy\n\n    return g()\n", "", "kept-on-purpose"),
    ("    from b import g  # lazy, breaks a cycle\n\n    return g()\n", "", "kept-on-purpose"),
    ("    from b import g  # noqa: PLC0415\n\n    return g()\n", "", "kept-on-purpose"),
    ("    # Only needed here.\n    from b import g\n\n    return g()\n", "", "kept-on-purpose"),
    ("    from b import g\n\n    g = g or x\n    return g\n", "", "name-collision"),
    ("    from b import g\n\n    return g()\n\n\ng = 3\n", "", "name-collision"),
    ("    from b import g\n\n    return g()\n\n\ndef h(g):\n    return g\n", "", "name-collision"),
    (
        "    from b import g\n\n    return g()\n\n\ndef h():\n    from c import g\n    return g\n",
        "#- c.py\ng = 1\n",
        "name-collision",
    ),
    ("    from b import g as len\n\n    return len()\n\n\nN = len(\"abc\")\n", "", "name-collision"),
    ("    from b import g\n\n    return g, locals()\n", "", "dynamic-names"),
    // A patch of the source is seen by the late import alone.
    (
        "    from b import g\n\n    return g()\n",
        "#- test_a.py\nfrom unittest import mock\n\nimport a\n\n\ndef test_f():\n    with mock.patch(\"b.g\", lambda: 2):\n        a.f()\n",
        "patched-name",
    ),
    (
        "    from b import g\n\n    return g()\n",
        "#- test_a.py\nimport sys\nfrom unittest import mock\n\nimport a\n\n\ndef test_f():\n    with mock.patch.dict(\"sys.modules\", {\"b\": mock.Mock()}):\n        a.f()\n",
        "reloaded-module",
    ),
    (
        "    from s import g\n\n    return g\n",
        "#- s.py\ng = 1\n\n\ndef set_g(x):\n    global g\n    g = x\n",
        "rebound-state",
    ),
    // The source does something when it is loaded, needs what may be missing, or reads what may change.
    ("    from s import g\n\n    return g\n", "#- s.py\nprint(\"loaded\")\ng = 1\n", "import-side-effect"),
    ("    from s import g\n\n    return g\n", "#- s.py\nimport curses\n\ng = curses\n", "import-side-effect"),
    (
        "    from s import g\n\n    return g\n",
        "#- s.py\nimport t\n\ng = 1\n#- t.py\nimport os\n\nD = os.environ.get(\"D\")\n",
        "import-side-effect",
    ),
    ("    from s import g\n\n    return g\n", "#- s.py\nimport sys\n\ng = sys.argv\n", "import-side-effect"),
    (
        "    from s import g\n\n    return g\n",
        "#- s.py\nimport time\n\ng = time.time\nn = time.time()\n",
        "import-side-effect",
    ),
    // What the source takes of another module is set by the program.
    (
        "    from s import g\n\n    return g\n",
        "#- s.py\nfrom t import SIZE\n\n\ndef g():\n    return SIZE\n#- t.py\nSIZE = 1\n#- m.py\nimport t\n\n\ndef main():\n    t.SIZE = 2\n",
        "import-side-effect",
    ),
    // A helper of the tests puts the path together.
    (
        "    from b import g\n\n    return g()\n",
        "#- test_a.py\nfrom unittest import mock\n\nHERE = \"b\"\n\n\ndef patched(path):\n    return mock.patch(HERE + \".\" + path, lambda: 2)\n\n\ndef test_f():\n    with patched(\"g\"):\n        pass\n",
        "patched-name",
    ),
    // The function is run without its module.
    ("    from b import g\n\n    return g()\n\n\nCODE = f.__code__\n", "", "dynamic-names"),
    // It would be collected as a test of the module, too.
    (
        "    from s import Base\n\n    return Base\n",
        "#- s.py\nimport unittest\n\n\nclass Base(unittest.TestCase):\n    pass\n",
        "public-name",
    ),
    // It may not be loaded anyway.
    (
        "    from s import g\n\n    return g\n\n\nif os.environ.get(\"S\"):\n    import s\n",
        "#- s.py\nprint(\"loaded\")\ng = 1\n",
        "import-side-effect",
    ),
    ("    import b; return b.g()\n", "", "statement-form"),
];

#[test]
fn an_import_that_is_late_for_a_reason_stays() {
    for (body, more, reason) in STAY {
        let files = format!("#- a.py\nimport os\n\n\ndef f(x=os.sep):\n{body}{B}{more}");
        let ran = run(&files);
        assert_eq!(ran.diff, "", "{body}{more}");
        assert!(reasons(&ran).contains(reason), "{body}{more}: {:?}", reasons(&ran));
        assert_eq!((ran.exit, hoist(&ran)["status"].as_str()), (0, Some("refused")), "{body}");
    }
}

#[test]
fn imports_of_other_packages_are_left_alone() {
    let files = "#- a.py\ndef f():\n    import json\n    import numpy\n\n    return json, numpy\n";
    let ran = run(files);
    assert_eq!((ran.diff.as_str(), hoist(&ran)["status"].as_str()), ("", Some("found")));
}

#[test]
fn a_module_that_is_loaded_anyway_may_do_something() {
    let files = "#- a.py
import s


def f():
    from s import g

    return g, s
#- s.py
print(\"loaded\")
g = 1
";
    assert!(run(files).diff.contains("+from s import g\n"));
}

#[test]
fn what_a_module_does_keeps_its_order() {
    // `s` would be loaded before what `t` does, and before the module's own call.
    let first = "#- a.py
import u
import z


def f():
    import s

    return s.g, u, z
#- s.py
import os

g = os.environ.get(\"T\")
#- u.py
import os

os.environ[\"T\"] = \"1\"
#- z.py
import s
";
    let second = "#- a.py
import os

os.environ[\"T\"] = \"2\"

import z  # noqa: E402


def f():
    from s import g

    return g, z
#- s.py
import os

g = os.environ.get(\"T\")
#- z.py
import s
";
    let check = "#- check.py\nimport a\n\nprint(a.f()[0])\n";
    for files in [first, second] {
        let ran = run(&format!("{files}{check}"));
        assert_eq!((ran.diff.as_str(), reasons(&ran)), ("", BTreeSet::from(["failed-check"])));
    }
}

#[test]
fn two_imports_that_would_make_a_cycle_do_not_both_move() {
    let files = "#- a.py
def f():
    import b

    return b.g
#- b.py
def g():
    import a

    return a.f
";
    let ran = run(files);
    assert!(ran.diff.contains("+++ b/a.py") && !ran.diff.contains("+++ b/b.py"), "{}", ran.diff);
    assert_eq!(reasons(&ran), BTreeSet::from(["makes-cycle"]));
}

#[test]
fn options_of_the_planner_do_not_go_with_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.py"), "def f():\n    from b import g\n\n    return g\n").unwrap();
    std::fs::write(folder.path().join("b.py"), "def g():\n    return 1\n").unwrap();
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_cyclefix")).args(args).current_dir(folder.path()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    for more in [["--strategy", "defer-import"], ["--policy", "architectural"], ["--level", "runtime"]] {
        let (code, _, err) = run(&["--hoist", more[0], more[1]]);
        assert!(code == 2 && err.contains("'--hoist' cannot be used with"), "{err}");
    }
    // Something could move, and was not written.
    let (code, out, _) = run(&["--hoist"]);
    assert!(code == 1 && out.contains("1 import can move to the top (1 file, +3 -2), 0 stay"), "{out}");
}
