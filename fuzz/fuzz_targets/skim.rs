//! The skim never panics, and reads what the tree reads wherever that is valid: `cargo +nightly fuzz run skim`.
#![no_main]

use cyclefix::skim::skim;
use cyclefix::syntax::imports::imports;
use cyclefix::syntax::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Some(found) = skim(text) else { return };
    let tree = imports(&parse(text));
    if tree.error.is_none() {
        assert_eq!(found.sites, tree.sites);
        assert_eq!(found.bound, tree.bound);
    }
});
