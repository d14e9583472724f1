//! The import statements of a file out of its bytes, without a tree: strings, comments, brackets, continuation lines,
//! indentation and block headers are followed, nothing else is. Gives exactly what [`imports`](crate::syntax::imports::imports)
//! gives of the tree, or nothing: what it cannot be sure of is left to the parser.

mod outline;
mod signature;

pub use outline::{function, outline};

use crate::outcome::Kind;
use crate::syntax::Span;
use crate::syntax::imports::{FileImports, ImportSite, Place};

/// The imports of a file in order, and what it binds; `None` where only the parser can tell.
pub fn skim(text: &str) -> Option<FileImports<'_>> {
    let bytes = text.as_bytes();
    // Calls that import, and other names for TYPE_CHECKING, need the tree.
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    if ["TYPE_CHECKING as", "MYPY"].into_iter().any(has) || IMPORTING.iter().any(|word| may_call(bytes, word)) {
        return None;
    }
    let mut skim = Skim::new(text);
    while skim.at < bytes.len() {
        skim.logical_line()?;
    }
    Some(skim.found)
}

/// What is known of the test of an `if`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    /// TYPE_CHECKING or plainly false.
    Never,
    NotNever,
    Main,
    Other,
    /// One of them: only the parser can tell.
    Unsure,
}

/// A block header whose body may still go on.
struct Block {
    indent: usize,
    /// The indentation of its body, once that has begun.
    body: Option<usize>,
    /// Of what stands in the body, the blocks around it included.
    around: Around,
    /// Tests of an `if` chain so far.
    tests: Option<Vec<Test>>,
}

/// When and where the statements of a block run.
#[derive(Clone, Copy)]
struct Around {
    kind: Kind,
    place: Place,
    /// Not known, which matters where there is something to note.
    unsure: bool,
}

impl Around {
    const MODULE: Self = Self { kind: Kind::Eager, place: Place::Top, unsure: false };

    /// Whether what is bound there is a name of the module.
    fn binds(self) -> bool {
        self.kind == Kind::Eager && self.place < Place::Class
    }

    /// What stands in a block of this kind.
    fn inside(self, kind: Kind, place: Place, unsure: bool) -> Self {
        Self { kind: self.kind.max(kind), place: self.place.max(place), unsure: self.unsure || unsure }
    }

    fn sure(self) -> Option<()> {
        (!self.unsure).then_some(())
    }
}

struct Skim<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    blocks: Vec<Block>,
    found: FileImports<'a>,
}

fn is_word(byte: u8) -> bool {
    WORD[usize::from(byte)]
}

/// Functions that import what their first argument names.
const IMPORTING: [&str; 2] = ["import_module", "__import__"];

/// Whether the text may call a function of this name with a literal, be it in a string or comment.
fn may_call(bytes: &[u8], function: &str) -> bool {
    memchr::memmem::find_iter(bytes, function.as_bytes()).any(|start| {
        let mut rest = &bytes[start + function.len()..];
        if rest.first().is_some_and(|byte| is_word(*byte)) || start > 0 && is_word(bytes[start - 1]) {
            return false;
        }
        rest = behind_blank(rest);
        let Some(inside) = rest.strip_prefix(b"(") else { return !rest.is_empty() && rest[0] == b'#' };
        // A plain name is no literal; `name="a"` is one.
        let inside = behind_blank(inside);
        let word = inside.iter().take_while(|byte| is_word(**byte)).count();
        let argument = behind_blank(&inside[word..]);
        match argument.first() {
            Some(quote @ (b'"' | b'\'')) => !(inside[..word].contains(&b'f') && has_field(&argument[1..], *quote)),
            Some(b'.' | b',' | b')' | b'[' | b'(' | b'+' | b'%') => word == 0,
            _ => true,
        }
    })
}

/// Whether a string has a replacement field, given what stands behind its quote.
fn has_field(text: &[u8], quote: u8) -> bool {
    let text = &text[..memchr::memchr(quote, text).unwrap_or(text.len())];
    memchr::memchr(b'{', text).is_some_and(|at| text.get(at + 1).is_some_and(|byte| *byte != b'{'))
}

/// What stands behind white space, line ends and their backslashes.
fn behind_blank(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\\' | b'\x0c')).count();
    &bytes[blank..]
}

/// Bytes that words are made of.
const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut at = 0;
    while at < word.len() {
        let byte = at as u8;
        word[at] = byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80;
        at += 1;
    }
    word
};

/// Bytes that are but a part of the line that they stand in: at module level, in other bodies, and inside brackets.
const PLAIN: [bool; 256] = plain(b"#\\()[]{}\"'\n\r;:=");
const PLAIN_IN_BODY: [bool; 256] = plain(b"#\\()[]{}\"'\n\r;:");
const PLAIN_IN_BRACKETS: [bool; 256] = plain(b"#\\()[]{}\"'\n\r");

/// All bytes but some, and those that no Python has.
const fn plain(special: &[u8]) -> [bool; 256] {
    let mut plain = [true; 256];
    let mut at = 0;
    while at < b' ' as usize {
        plain[at] = matches!(at as u8, b'\t' | b'\x0c');
        at += 1;
    }
    plain[0x7f] = false;
    at = 0;
    while at < special.len() {
        plain[special[at] as usize] = false;
        at += 1;
    }
    plain
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\x0c')
}

impl<'a> Skim<'a> {
    fn new(text: &'a str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { text, bytes: text.as_bytes(), at, blocks: Vec::new(), found: FileImports::default() }
    }

    /// How far the line at `at` is indented, and where that ends.
    fn indent(&self, mut at: usize) -> (usize, usize) {
        let mut indent = 0;
        loop {
            match self.byte(at) {
                b' ' => indent += 1,
                b'\t' => indent = (indent / 8 + 1) * 8,
                b'\x0c' => indent = 0,
                _ => return (indent, at),
            }
            at += 1;
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// One line with those that continue it.
    fn logical_line(&mut self) -> Option<()> {
        let (indent, start) = self.indent(self.at);
        self.at = start;
        match self.byte(self.at) {
            b'\n' | b'\r' => {
                self.at += 1;
                return Some(());
            }
            b'#' => {
                self.skip_comment();
                return Some(());
            }
            b'\\' => return None,
            0 if self.at >= self.bytes.len() => return Some(()),
            _ => {}
        }
        let mut closed = None;
        while self.blocks.last().is_some_and(|b| b.indent >= indent) {
            closed = self.blocks.pop();
        }
        // Every line of a block is indented as its first; one that goes back goes to that of a block around.
        let expected = match (&closed, self.blocks.last_mut()) {
            (Some(block), _) => block.indent,
            (None, Some(block)) => *block.body.get_or_insert(indent),
            (None, None) => 0,
        };
        if indent != expected {
            return None;
        }
        let line = self.line_end(start)?;
        let word = self.word(start);
        match word {
            "import" | "from" | "lazy" => self.import(start, word, &line),
            "def" | "class" | "if" | "elif" | "else" | "for" | "while" | "try" | "except" | "finally" | "with"
            | "async" | "match" | "case" => self.header(start, word, &line, indent, closed),
            // Python 2, which only the parser tells from the rest.
            "print" | "exec" => {
                self.assignment(start, word, &line)?;
                let next = self.bytes[start + word.len()..].iter().find(|b| !matches!(b, b' ' | b'\t'));
                if matches!(next, Some(b'(' | b'=' | b'.' | b',' | b'[' | b':')) {
                    self.plain(start, &line)
                } else {
                    None
                }
            }
            _ => {
                self.assignment(start, word, &line)?;
                self.plain(start, &line)
            }
        }
    }

    /// Notes the names that a plain assignment binds: `a = b = …` binds both.
    fn assignment(&mut self, start: usize, word: &'a str, line: &Line) -> Option<()> {
        if word.is_empty() || !self.around().binds() {
            return Some(());
        }
        let (mut at, mut name, mut equals) = (start, word, 0);
        while !name.is_empty()
            && let Some(value) = self.assigned(at + name.len())
        {
            self.bind(name, None)?;
            equals += 1;
            at = value;
            name = self.word(at);
        }
        // e.g. `a.b = c = …`, where the tree tells what is a target.
        (line.equals < 2 || line.equals == equals).then_some(())
    }

    /// Where the value of an assignment starts whose target ends at `at`.
    fn assigned(&self, at: usize) -> Option<usize> {
        let value = self.text[at..].trim_start_matches([' ', '\t']).strip_prefix('=')?;
        (!value.starts_with('=')).then(|| self.text.len() - value.trim_start_matches([' ', '\t']).len())
    }

    /// A statement that is no import: it must not hide one behind a semicolon, nor a name that is bound there.
    fn plain(&self, start: usize, line: &Line) -> Option<()> {
        let may_bind = self.around().binds() && line.equals > 0;
        (!line.semicolon || !may_bind && !self.hides_import(start, line)).then_some(())
    }

    fn word(&self, start: usize) -> &'a str {
        let length = self.bytes[start..].iter().take_while(|b| is_word(**b)).count();
        &self.text[start..start + length]
    }

    fn skip_comment(&mut self) {
        self.at = memchr::memchr2(b'\n', b'\r', &self.bytes[self.at..]).map_or(self.bytes.len(), |n| self.at + n);
    }

    /// Goes to the end of the logical line that starts here, and behind it.
    fn line_end(&mut self, start: usize) -> Option<Line> {
        let mut depth = 0usize;
        let mut line = Line { end: start, colon: false, semicolon: false, inline: false, equals: 0 };
        let outside = if self.around().binds() { &PLAIN } else { &PLAIN_IN_BODY };
        self.at = start;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = if depth == 0 { outside } else { &PLAIN_IN_BRACKETS };
            let length = rest.iter().take_while(|byte| plain[usize::from(**byte)]).count();
            if let Some(last) = rest[..length].iter().rposition(|byte| !is_blank(*byte)) {
                line.inline |= line.colon;
                line.colon = false;
                line.end = self.at + last + 1;
            }
            self.at += length;
            let byte = self.byte(self.at);
            match byte {
                0 if self.at >= self.bytes.len() => {
                    return (depth == 0).then_some(line);
                }
                b'\n' | b'\r' => {
                    self.at += 1;
                    if depth == 0 {
                        return Some(line);
                    }
                    continue;
                }
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'\\' => {
                    let skipped = match (self.byte(self.at + 1), self.byte(self.at + 2)) {
                        (b'\r', b'\n') => 3,
                        (b'\n' | b'\r', _) => 2,
                        _ => return None,
                    };
                    self.at += skipped;
                    continue;
                }
                // No Python: what the parser makes of it is its own affair.
                0..=0x08 | 0x0b | 0x0e..=0x1f | 0x7f => return None,
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                b';' if depth == 0 => line.semicolon = true,
                b'=' if depth == 0 => line.equals += usize::from(self.is_assignment(self.at)),
                b'"' | b'\'' => {
                    let formatted = self.is_formatted(start);
                    self.at = self.string(self.at, formatted)?;
                    line.inline |= line.colon;
                    line.colon = false;
                    line.end = self.at;
                    continue;
                }
                _ => {}
            }
            // A colon that ends the line opens a block; one with something behind it may have its body there.
            line.inline |= line.colon;
            line.colon = byte == b':' && depth == 0;
            self.at += 1;
            line.end = self.at;
        }
    }

    /// Whether the `=` at `at` assigns, or may.
    fn is_assignment(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or(0, |before| self.byte(before));
        self.byte(at + 1) != b'=' && !matches!(before, b'=' | b'!' | b'<' | b'>')
    }

    /// Whether the string that starts here is an f-string or t-string.
    fn is_formatted(&self, start: usize) -> bool {
        let prefix = self.bytes[start..self.at].iter().rev().take_while(|b| is_word(**b)).take(3);
        let mut formatted = false;
        let mut length = 0;
        for byte in prefix {
            length += 1;
            match byte.to_ascii_lowercase() {
                b'f' | b't' => formatted = true,
                b'r' | b'b' | b'u' => {}
                _ => return false,
            }
        }
        formatted && length <= 2
    }

    /// The end of the string whose quote stands at `at`.
    fn string(&self, at: usize, formatted: bool) -> Option<usize> {
        let quote = self.byte(at);
        let triple = self.byte(at + 1) == quote && self.byte(at + 2) == quote;
        let mut at = if triple { at + 3 } else { at + 1 };
        loop {
            if !formatted {
                let rest = self.bytes.get(at..)?;
                at += if triple {
                    memchr::memchr2(quote, b'\\', rest)?
                } else {
                    memchr::memchr3(quote, b'\\', b'\n', rest)?
                };
            }
            let byte = self.byte(at);
            if at >= self.bytes.len() {
                return None;
            }
            match byte {
                b'\\' => at += if self.byte(at + 1) == b'\r' && self.byte(at + 2) == b'\n' { 3 } else { 2 },
                b'\n' if !triple => return None,
                _ if byte == quote && !triple => return Some(at + 1),
                _ if byte == quote && self.byte(at + 1) == quote && self.byte(at + 2) == quote => return Some(at + 3),
                b'{' if formatted && self.byte(at + 1) == b'{' => at += 2,
                b'{' if formatted => at = self.field(at + 1)?,
                _ => at += 1,
            }
        }
    }

    /// The end of a replacement field, behind its `}`.
    fn field(&self, mut at: usize) -> Option<usize> {
        let mut depth = 0usize;
        loop {
            match self.byte(at) {
                0 if at >= self.bytes.len() => return None,
                b'}' if depth == 0 => return Some(at + 1),
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                // Nested strings, comments and lambdas: rare enough for the parser.
                b'#' | b'\\' => return None,
                b'"' | b'\'' => {
                    at = self.string(at, true)?;
                    continue;
                }
                b'!' if depth == 0 && self.byte(at + 1) != b'=' => return self.format(at + 1),
                b':' if depth == 0 => return self.format(at + 1),
                _ => {}
            }
            at += 1;
        }
    }

    /// The rest of a field from its conversion or format on.
    fn format(&self, mut at: usize) -> Option<usize> {
        loop {
            match self.byte(at) {
                0 if at >= self.bytes.len() => return None,
                b'}' => return Some(at + 1),
                b'{' => {
                    at = self.field(at + 1)?;
                    continue;
                }
                b'\n' | b'\r' | b'"' | b'\'' | b'\\' => return None,
                _ => {}
            }
            at += 1;
        }
    }

    /// A line that may open a block.
    fn header(&mut self, start: usize, word: &'a str, line: &Line, indent: usize, closed: Option<Block>) -> Option<()> {
        // `match`, `case` and `async` as names, and bodies on the line of their head.
        let opens = line.colon;
        if !opens {
            let soft = matches!(word, "match" | "case");
            if (!soft || line.inline) && self.hides_import(start, line) {
                return None;
            }
            match word {
                "def" | "class" | "async" => self.definition(start, word, line)?,
                "match" | "case" => self.assignment(start, word, line)?,
                // e.g. `if x: a = 1`, which may bind.
                _ if line.inline
                    && self.around().binds()
                    && memchr::memchr(b'=', &self.bytes[start..line.end]).is_some() =>
                {
                    return None;
                }
                _ => {}
            }
            if word == "if" || word == "elif" || word == "else" {
                // What follows may be an arm of the same chain.
                let (kind, tests) = self.arm(start, word, line, closed)?;
                self.push(indent, Place::Block, kind, tests);
                // Its body is on this line.
                self.blocks.last_mut()?.body = Some(indent);
            }
            return Some(());
        }
        if line.semicolon
            || line.inline && word != "class" && word != "def" && word != "async" && self.hides_import(start, line)
        {
            return None;
        }
        self.definition(start, word, line)?;
        let word = if word == "async" {
            let rest = self.text[start + 5..line.end].trim_start();
            if rest.starts_with("def") { "def" } else { "with" }
        } else {
            word
        };
        match word {
            "def" => self.push(indent, Place::Function, Some(Kind::Deferred), None),
            "class" => self.push(indent, Place::Class, Some(Kind::Eager), None),
            "if" | "elif" | "else" => {
                let (kind, tests) = self.arm(start, word, line, closed)?;
                self.push(indent, Place::Block, kind, tests);
            }
            _ => self.push(indent, Place::Block, Some(Kind::Eager), None),
        }
        Some(())
    }

    /// Notes the name of a function or class.
    fn definition(&mut self, start: usize, word: &str, line: &Line) -> Option<()> {
        if !matches!(word, "def" | "class" | "async") || !self.around().binds() {
            return Some(());
        }
        let mut at = start + word.len();
        if word == "async" {
            let rest = self.text[at..line.end].trim_start();
            if !rest.starts_with("def") {
                return Some(());
            }
            at = line.end - rest.len() + "def".len();
        }
        let at = self.text.len() - self.text[at..].trim_start_matches([' ', '\t']).len();
        self.bind(self.word(at), None)
    }

    /// Notes a name that a module binds, at an import.
    fn bind(&mut self, name: &'a str, site: Option<usize>) -> Option<()> {
        self.found.bound.push((name, site));
        self.around().sure()
    }

    fn hides_import(&self, start: usize, line: &Line) -> bool {
        let bytes = &self.bytes[start..line.end];
        memchr::memmem::find_iter(bytes, b"import").any(|at| {
            let behind = bytes.get(at + b"import".len());
            !behind.is_some_and(|byte| is_word(*byte)) && (at == 0 || !is_word(bytes[at - 1]))
        })
    }

    fn around(&self) -> Around {
        self.blocks.last().map_or(Around::MODULE, |b| b.around)
    }

    /// Opens a block; no `kind`: it is not known when it runs.
    fn push(&mut self, indent: usize, place: Place, kind: Option<Kind>, tests: Option<Vec<Test>>) {
        let around = self.around().inside(kind.unwrap_or(Kind::Eager), place, kind.is_none());
        self.blocks.push(Block { indent, body: None, around, tests });
    }

    /// The kind of an arm of an `if` chain, if it is known, and the chain's tests so far.
    fn arm(&self, start: usize, word: &str, line: &Line, closed: Option<Block>) -> Option<Arm> {
        let mut tests = match (word, closed.and_then(|b| b.tests)) {
            ("if", _) => Vec::new(),
            (_, Some(tests)) => tests,
            // The `else` of a loop or a `try`.
            ("else", None) => return Some((Some(Kind::Eager), None)),
            _ => return None,
        };
        let test = match word {
            "else" => Test::Other,
            _ => {
                let text = self.text[start + word.len()..line.end].trim();
                match text.strip_suffix(':') {
                    Some(text) if line.colon => test(text),
                    // Its body stands behind it.
                    _ if DECIDING.iter().any(|word| has(text, word)) => Test::Unsure,
                    _ => Test::Other,
                }
            }
        };
        let always = tests.contains(&Test::NotNever);
        tests.push(test);
        let kind = match test {
            _ if always => Some(Kind::Type),
            Test::Never => Some(Kind::Type),
            _ if tests.contains(&Test::Unsure) => None,
            Test::Main => Some(Kind::Deferred),
            _ => Some(Kind::Eager),
        };
        Some((kind, Some(tests)))
    }

    fn import(&mut self, start: usize, word: &str, line: &Line) -> Option<()> {
        if line.semicolon {
            return None;
        }
        let mut tokens = Tokens { skim: self, at: start, end: line.end };
        let lazy = word == "lazy";
        if lazy {
            tokens.word()?;
            if !matches!(tokens.peek_word(), Some("import" | "from")) {
                self.assignment(start, "lazy", line)?;
                return self.plain(start, line);
            }
        }
        let keyword = tokens.word()?;
        let mut found: Vec<ImportSite<'a>> = Vec::new();
        let stmt = Span { start, end: line.end };
        let around = self.around();
        let kind = if lazy { around.kind.max(Kind::Lazy) } else { around.kind };
        let place = around.place;
        let site = |at: Span, level, module, name, asname, star| ImportSite {
            stmt,
            at,
            kind,
            place,
            level,
            module,
            name,
            asname,
            star,
            call: false,
        };
        let mut tokens = Tokens { skim: self, at: tokens.at, end: line.end };
        if keyword == "import" {
            loop {
                let (module, at) = tokens.dotted()?;
                let (asname, end) = tokens.alias(at.end)?;
                found.push(site(Span { start: at.start, end }, 0, module, None, asname, false));
                if !tokens.comma() {
                    break;
                }
            }
        } else {
            let level = tokens.dots();
            let module = if tokens.peek_word() == Some("import") {
                if level == 0 {
                    return None;
                }
                ""
            } else {
                tokens.dotted()?.0
            };
            if tokens.word()? != "import" {
                return None;
            }
            if tokens.take(b'*') {
                found.push(site(stmt, level, module, None, None, true));
            } else {
                let bracket = tokens.take(b'(');
                loop {
                    if bracket && tokens.take(b')') {
                        break;
                    }
                    let (name, at) = tokens.dotted()?;
                    if name.contains('.') {
                        return None;
                    }
                    let (asname, end) = tokens.alias(at.end)?;
                    found.push(site(Span { start: at.start, end }, level, module, Some(name), asname, false));
                    if !tokens.comma() {
                        if bracket && !tokens.take(b')') {
                            return None;
                        }
                        break;
                    }
                }
            }
            if module == "__future__" && level == 0 {
                found.clear();
            }
        }
        tokens.blank();
        if tokens.at != line.end {
            return None;
        }
        for site in found {
            around.sure()?;
            if kind == Kind::Eager
                && place < Place::Class
                && let Some(name) = site.bound()
            {
                self.bind(name, Some(self.found.sites.len()))?;
            }
            self.found.sites.push(site);
        }
        Some(())
    }
}

/// When an arm of an `if` chain runs, if that is known, and the tests of the chain so far.
type Arm = (Option<Kind>, Option<Vec<Test>>);

/// What is known of one logical line.
struct Line {
    /// Behind its last token.
    end: usize,
    /// Its last token is a colon.
    colon: bool,
    semicolon: bool,
    /// A colon outside brackets with something behind it.
    inline: bool,
    /// Signs outside brackets that assign, or may.
    equals: usize,
}

/// Words without which a test is one like any other.
const DECIDING: [&str; 4] = ["TYPE_CHECKING", "__main__", "False", "0"];

fn has(text: &str, word: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some()
}

/// What a test says, if its text is one of the plain forms.
fn test(text: &str) -> Test {
    let is_guard = |t: &str| {
        let last = t.rsplit('.').next().unwrap_or(t);
        last == "TYPE_CHECKING" && t.bytes().all(|b| is_word(b) || b == b'.')
    };
    if matches!(text, "False" | "0") || is_guard(text) {
        return Test::Never;
    }
    if let Some(inner) = text.strip_prefix("not ")
        && (matches!(inner.trim(), "False" | "0") || is_guard(inner.trim()))
    {
        return Test::NotNever;
    }
    if matches!(text, "__name__ == \"__main__\"" | "__name__ == '__main__'") {
        return Test::Main;
    }
    let commented = has(text, "#");
    let decides = |word: &&str| if commented { has(text, word) } else { may_decide(text, word) };
    if has(text, "TYPE_CHECKING") || has(text, "__main__") || ["False", "0"].iter().any(decides) {
        return Test::Unsure;
    }
    Test::Other
}

/// Whether a constant may make a test false by itself: it stands alone or beside `and` or `not`, brackets aside.
fn may_decide(text: &str, constant: &str) -> bool {
    let is_part = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
    let blank = |c: char| matches!(c, '(' | ')' | '\\') || c.is_ascii_whitespace();
    text.match_indices(constant).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + constant.len()..]);
        if before.ends_with(is_part) || after.starts_with(is_part) {
            return false;
        }
        let (before, after) = (before.trim_end_matches(blank), after.trim_start_matches(blank));
        // `x is not False` compares.
        let negated = |rest: &str| !rest.trim_end_matches(blank).ends_with("is");
        (before.is_empty() || before.ends_with("and") || before.strip_suffix("not").is_some_and(negated))
            && (after.is_empty() || after.starts_with("and"))
    })
}

/// Reads the parts of one import statement.
struct Tokens<'s, 'a> {
    skim: &'s Skim<'a>,
    at: usize,
    end: usize,
}

impl<'a> Tokens<'_, 'a> {
    /// Skips white space, comments and line ends inside brackets, and continued line ends.
    fn blank(&mut self) {
        while self.at < self.end {
            match self.skim.byte(self.at) {
                b' ' | b'\t' | b'\n' | b'\r' | b'\\' | b'\x0c' => self.at += 1,
                b'#' => {
                    let rest = &self.skim.bytes[self.at..];
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn peek_word(&mut self) -> Option<&'a str> {
        self.blank();
        let word = self.skim.word(self.at.min(self.skim.bytes.len()));
        (!word.is_empty()).then_some(word)
    }

    fn word(&mut self) -> Option<&'a str> {
        let word = self.peek_word()?;
        self.at += word.len();
        Some(word)
    }

    /// A dotted name without space inside.
    fn dotted(&mut self) -> Option<(&'a str, Span)> {
        self.blank();
        let start = self.at;
        self.word()?;
        while self.skim.byte(self.at) == b'.' {
            self.at += 1;
            if self.skim.word(self.at).is_empty() {
                return None;
            }
            self.at += self.skim.word(self.at).len();
        }
        if matches!(self.skim.byte(self.at), b' ' | b'\t') {
            let rest = self.skim.text[self.at..self.end].trim_start_matches([' ', '\t']);
            if rest.starts_with('.') {
                return None;
            }
        }
        let span = Span { start, end: self.at };
        Some((span.of(self.skim.text), span))
    }

    fn dots(&mut self) -> usize {
        let mut level = 0;
        loop {
            self.blank();
            if self.skim.byte(self.at) != b'.' {
                return level;
            }
            level += 1;
            self.at += 1;
        }
    }

    /// `as name`, and where the alias ends.
    fn alias(&mut self, end: usize) -> Option<(Option<&'a str>, usize)> {
        if self.peek_word() != Some("as") {
            return Some((None, end));
        }
        self.word()?;
        let name = self.word()?;
        Some((Some(name), self.at))
    }

    fn take(&mut self, byte: u8) -> bool {
        self.blank();
        let found = self.at < self.end && self.skim.byte(self.at) == byte;
        self.at += usize::from(found);
        found
    }

    fn comma(&mut self) -> bool {
        self.take(b',')
    }
}
