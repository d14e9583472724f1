//! What several formats say in the same words: loops, kinds of imports, paths.

use crate::outcome::{Binding, Certainty, CrashEntry, CycleEntry, ImportEntry, Kind, ProjectOutcome};

/// Modules of a loop that are spelled out.
const LOOP: usize = 8;

/// E.g. `a -> b -> a`; of a long one the first modules and how many follow.
pub fn shortest_loop(cycle: &CycleEntry) -> String {
    shortest_loop_of(cycle, LOOP, &str::to_owned)
}

/// As [`shortest_loop`], with `limit` modules spelled out, each as `shown` gives its name.
pub fn shortest_loop_of(cycle: &CycleEntry, limit: usize, shown: &dyn Fn(&str) -> String) -> String {
    let from = cycle.shortest_loop.iter().map(|import| import.from.as_str());
    let looped = cycle.shortest_loop.len();
    let (names, all): (Vec<&str>, usize) = match looped {
        0 => (cycle.modules.iter().map(String::as_str).collect(), cycle.modules.len()),
        _ => (from.collect(), looped),
    };
    let mut out: Vec<String> = names.iter().take(limit).map(|name| shown(name)).collect();
    if let more @ 1.. = all.saturating_sub(limit) {
        out.push(format!("({more} more)"));
    }
    if looped == 0 {
        return out.join(", ");
    }
    out.extend(names.first().map(|name| shown(name)));
    out.join(" -> ")
}

/// How sure it is that a module cannot be imported first.
pub fn fails(crash: &CrashEntry) -> &'static str {
    match crash.certainty {
        Certainty::Fails => "fails",
        Certainty::May => "may fail",
    }
}

/// The known cycles that became this one, each module as `shown` gives its name, e.g. `a, b / c, d`.
pub fn united(cycle: &CycleEntry, shown: &dyn Fn(&str) -> String) -> String {
    let one = |modules: &Vec<String>| {
        let mut names: Vec<String> = modules.iter().take(LOOP).map(|module| shown(module)).collect();
        if let more @ 1.. = modules.len().saturating_sub(LOOP) {
            names.push(format!("({more} more)"));
        }
        names.join(", ")
    };
    let mut parts: Vec<String> = cycle.united.iter().take(LOOP).map(one).collect();
    if let more @ 1.. = cycle.united.len().saturating_sub(LOOP) {
        parts.push(format!("({more} more)"));
    }
    parts.join(" / ")
}

/// When an import runs, and whether it loads a package above its target.
pub fn kind(import: &ImportEntry) -> String {
    let when = match (import.kind, import.binding) {
        (Kind::Eager, Some(Binding::Early)) => "needed at once",
        (Kind::Eager, _) => "eager",
        (Kind::Lazy, _) => "lazy",
        (Kind::Deferred, _) => "in a function",
        (Kind::Type, _) => "for type checkers",
    };
    if import.implicit { format!("{when}, as a package above what it names") } else { when.to_owned() }
}

/// A file as it is known from the top of the repository.
pub fn path(project: &ProjectOutcome, file: &str) -> String {
    match project.prefix.trim_end_matches('/') {
        "" | "." => file.to_owned(),
        prefix if file.is_empty() => prefix.to_owned(),
        prefix => format!("{prefix}/{file}"),
    }
}

/// A path as a URI reference (RFC 3986): relative, or of the scheme `file` if it is absolute.
pub fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// `a-b` as `AB`.
pub fn camel(name: &str) -> String {
    let part = |part: &str| part[..1].to_ascii_uppercase() + &part[1..];
    name.split('-').filter(|part| !part.is_empty()).map(part).collect()
}

/// E.g. `1 module`, `2 fixes`.
pub fn count(n: usize, what: &str) -> String {
    format!("{n} {}", plural(n, what))
}

/// E.g. `modules` for 2.
pub fn plural(n: usize, what: &str) -> String {
    if let (true, Some(stem)) = (n != 1, what.strip_suffix('y')) {
        return format!("{stem}ies");
    }
    let end = match what.ends_with(['x', 'h']) {
        _ if n == 1 => "",
        true => "es",
        false => "s",
    };
    format!("{what}{end}")
}
