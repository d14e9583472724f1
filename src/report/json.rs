//! The JSON report: one document, whose form `schema/report.schema.json` fixes.

use std::io::{self, Write};

use crate::outcome::Outcome;

pub fn write(out: &mut dyn Write, outcome: &Outcome) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, outcome)?;
    out.write_all(b"\n")
}
