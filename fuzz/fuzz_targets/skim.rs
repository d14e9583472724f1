//! The skim never panics, and reads what the tree reads wherever that is valid: `cargo +nightly fuzz run skim`.
#![no_main]

use std::io::Write;
use std::process::{Command, Stdio};

use cyclefix::skim::skim;
use cyclefix::syntax::imports::imports;
use cyclefix::syntax::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some(found) = skim(text) else { return };
    let tree = imports(&parse(text));
    let same = found.sites == tree.sites && found.bound == tree.bound;
    // The grammar takes more than Python does; of such text nothing is ever imported.
    if tree.error.is_none() && !same && is_python(text) {
        assert_eq!(found.sites, tree.sites);
        assert_eq!(found.bound, tree.bound);
    }
});

/// Whether the `python3` of the machine compiles a text.
fn is_python(text: &str) -> bool {
    const COMPILE: &str = "import ast, sys; ast.parse(sys.stdin.buffer.read())";
    let mut python = Command::new("python3");
    python.args(["-W", "ignore", "-c", COMPILE]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = python.spawn().expect("python3 runs");
    let sent = child.stdin.take().expect("it is piped").write_all(text.as_bytes());
    child.wait().is_ok_and(|status| status.success()) && sent.is_ok()
}
