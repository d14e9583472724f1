//! The project's Python: which interpreter it is, and what it makes of a copy of the project.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::process::{self, Ended};
use super::scratch::Scratch;
use crate::plan::Touched;
use crate::proof::command::Ran;
use crate::proof::import::Imported;

/// How long an interpreter may take to say what it is.
const START_LIMIT: Duration = Duration::from_secs(20);

/// Bytes of the beginning and of the end of what a process prints that are read.
const READ: u64 = 8 << 20;

/// Folders that a virtual environment of a project is usually called.
const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

const IMPORT_FIRST: &str = include_str!("import_first.py");
/// The pytest plugin, which is loaded by its name.
const PLUGIN: (&str, &str) = ("cyclefix_results", include_str!("cyclefix_results.py"));

#[derive(Debug, thiserror::Error)]
pub enum PythonError {
    #[error("`{}` is no Python: {why}", path.display())]
    NoPython { path: PathBuf, why: String },
    #[error("`{}` is Python {version}, and --verify needs 3.6 or later", path.display())]
    TooOld { path: PathBuf, version: String },
    #[error("cannot run `{}`: {source}", program.display())]
    Run { program: PathBuf, source: io::Error },
    #[error("interrupted")]
    Interrupted,
}

impl PythonError {
    fn run(program: &Path) -> impl FnOnce(io::Error) -> Self {
        let program = program.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::Interrupted => PythonError::Interrupted,
            _ => PythonError::Run { program, source },
        }
    }

    pub fn hint(&self) -> Option<String> {
        Some(match self {
            PythonError::Interrupted => "nothing was changed".into(),
            _ => "--python PATH names the interpreter that the project runs on, e.g. .venv/bin/python".into(),
        })
    }
}

/// An interpreter that works.
#[derive(Clone, Debug)]
pub struct Interpreter {
    pub path: PathBuf,
    /// E.g. `3.12.1`.
    pub version: String,
    /// The virtual environment that it belongs to.
    environment: Option<PathBuf>,
}

/// A command of the user's, and how it is to run.
pub struct Order<'a> {
    /// The copy that it runs in.
    pub scratch: &'a Scratch,
    pub line: &'a str,
    pub roots: &'a [&'a str],
    /// A folder of its own.
    pub notes: &'a Path,
    pub limit: Option<Duration>,
}

impl Interpreter {
    /// The one that is `named`, else that of the active virtual environment, else that of one in the project's folder or
    /// above it in its repository, else `python3`.
    pub fn find(named: Option<&Path>, root: &Path) -> Result<Self, PythonError> {
        if let Some(path) = named {
            // A path, or a command on the search path.
            let is_path = path.components().count() > 1 || path.exists();
            let path =
                if is_path { std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) } else { path.to_owned() };
            return Self::at(&path);
        }
        let active = env::var_os("VIRTUAL_ENV").filter(|path| !path.is_empty()).map(PathBuf::from);
        let top = root.ancestors().position(|folder| folder.join(".git").exists()).unwrap_or(0);
        let near = root.ancestors().take(top + 1).flat_map(|folder| ENVIRONMENTS.map(|name| folder.join(name)));
        for environment in active.into_iter().chain(near) {
            let found = [environment.join("bin/python"), environment.join("Scripts/python.exe")];
            if let Some(path) = found.iter().find(|path| path.exists()) {
                return Self::at(path);
            }
        }
        Self::at(Path::new(if cfg!(windows) { "python" } else { "python3" }))
    }

    fn at(path: &Path) -> Result<Self, PythonError> {
        let none = |why: String| PythonError::NoPython { path: path.to_owned(), why };
        // What starts an interpreter may be a script of a version manager; the interpreter itself starts faster.
        // It is one that Python 2 understands as well.
        let script = "import sys; base = getattr(sys, 'base_prefix', sys.prefix); \
                      told = (sys.executable,) + sys.version_info[:3] + (sys.prefix if sys.prefix != base else '',); \
                      sys.stdout.write('%s\\n%s\\n%s\\n%s\\n%s\\n' % told)";
        let output = process::output(Command::new(path).args(["-c", script]), START_LIMIT);
        let (stdout, stderr) = output.map_err(|error| none(error.to_string()))?;
        let lines: Vec<&str> = stdout.lines().collect();
        let [executable, major, minor, micro, prefix] = lines[..] else {
            // What a version manager says begins with what matters; what Python says ends with it.
            let mut said = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
            let said = if stderr.contains("Error: ") { said.next_back() } else { said.next() };
            return Err(none(said.unwrap_or("it prints nothing").to_owned()));
        };
        let version = format!("{major}.{minor}.{micro}");
        if major != "3" || minor.parse::<u32>().unwrap_or(0) < 6 {
            return Err(PythonError::TooOld { path: path.to_owned(), version });
        }
        let environment = (!prefix.is_empty()).then(|| PathBuf::from(prefix));
        let executable = if executable.is_empty() { path } else { Path::new(executable) };
        Ok(Self { path: executable.to_owned(), version, environment })
    }

    /// Imports one module of a copy first. `notes` is a folder of its own for what it writes; `before` are the notes of the
    /// same import before the rewrite. `roots` are the source roots, that of the module first.
    pub fn import(
        &self,
        scratch: &Scratch,
        touched: &Touched,
        roots: &[&str],
        notes: &Path,
        before: Option<&Path>,
        limit: Duration,
    ) -> Result<Imported, PythonError> {
        let failed = PythonError::run(&self.path);
        let result = notes.join("result");
        let said = notes.join("said");
        let mut command = Command::new(&self.path);
        command.args(["-c", IMPORT_FIRST]).arg(&result);
        command.arg(before.map(|notes| notes.join("result")).unwrap_or_default()).arg(&touched.module);
        command.args(roots.iter().map(|root| folder(&scratch.root, root)));
        command.current_dir(&scratch.root).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(path) = env::join_paths(given_path(scratch)).ok().filter(|path| !path.is_empty()) {
            command.env("PYTHONPATH", path);
        }
        self.activate(&mut command);
        let ended = (|| {
            fs::create_dir_all(notes)?;
            command.stderr(File::create(&said)?);
            process::run(&mut command, Some(limit))
        })()
        .map_err(failed)?;
        let text = printable(&String::from_utf8_lossy(&fs::read(&result).unwrap_or_default()))
            .replace(&beginning(&scratch.root), "");
        Ok(Imported::parse(&text).unwrap_or_else(|| {
            let error = match ended {
                Ended::TimedOut => format!("it takes more than {} s", limit.as_secs()),
                Ended::Exit(status) => {
                    let said = ends_of(&said).replace(&beginning(notes), "");
                    let last = said.lines().last().map_or(String::new(), |line| format!(": {line}"));
                    format!("the interpreter ends with {status}{last}")
                }
            };
            Imported::Failed { error, at: None, missing: None }
        }))
    }

    /// Runs the user's command by the shell, with the interpreter's environment and the copy's modules before any other.
    pub fn command(&self, order: &Order) -> Result<Ran, PythonError> {
        let plugins = [Some(OsString::from(PLUGIN.0)), env::var_os("PYTEST_PLUGINS").filter(|p| !p.is_empty())];
        let plugins = plugins.into_iter().flatten().collect::<Vec<_>>().join(&OsString::from(","));
        let ran = self.command_with(order, Some(plugins))?;
        // A Python that takes no paths from the environment finds no plugin there: its exit code has to do.
        match ran.tests.is_none() && ran.output.contains(&format!("Error importing plugin \"{}\"", PLUGIN.0)) {
            true => self.command_with(order, None),
            false => Ok(ran),
        }
    }

    /// As [`Self::command`], with the pytest plugins that are named if any are.
    fn command_with(&self, order: &Order, plugins: Option<OsString>) -> Result<Ran, PythonError> {
        let Order { scratch, line, roots, notes, limit } = *order;
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let (said, results) = (notes.join("said"), notes.join("results"));
        let mut command = Command::new(shell);
        command.arg(flag).arg(line).current_dir(&scratch.root).stdin(Stdio::null());
        self.activate(&mut command);
        if let Some(plugins) = plugins {
            command.env("PYTEST_PLUGINS", plugins).env("CYCLEFIX_RESULTS", &results);
        }
        let roots = roots.iter().map(|root| folder(&scratch.root, root));
        let path = roots.chain([notes.to_owned()]).chain(given_path(scratch));
        // A folder whose name holds the separator cannot stand on the path.
        if let Ok(path) = env::join_paths(path) {
            command.env("PYTHONPATH", path);
        }
        let ended = (|| {
            fs::create_dir_all(notes)?;
            fs::write(notes.join(PLUGIN.0).with_extension("py"), PLUGIN.1)?;
            let out = File::create(&said)?;
            command.stdout(out.try_clone()?).stderr(out);
            process::run(&mut command, limit)
        })()
        .map_err(PythonError::run(Path::new(shell)))?;
        let read = |path: &Path| ends_of(path).replace(&beginning(&scratch.root), "");
        let (exit, mut output) = match ended {
            Ended::Exit(status) => (status.code(), read(&said)),
            Ended::TimedOut => (None, read(&said)),
        };
        if let (Ended::TimedOut, Some(limit)) = (ended, limit) {
            output.push_str(&format!("\nit takes more than {} s", limit.as_secs()));
        }
        Ok(Ran::new(exit, output, &read(&results)))
    }

    /// Puts the interpreter and the programs installed beside it first on the search path, as `activate` does.
    fn activate(&self, command: &mut Command) {
        if let Some(programs) = self.path.parent().filter(|folder| folder.is_absolute()) {
            let given = env::var_os("PATH").map(|p| env::split_paths(&p).collect::<Vec<_>>()).unwrap_or_default();
            if let Ok(path) = env::join_paths([programs.to_owned()].into_iter().chain(given)) {
                command.env("PATH", path);
            }
        }
        match &self.environment {
            Some(environment) => command.env("VIRTUAL_ENV", environment).env_remove("PYTHONHOME"),
            None => command.env_remove("VIRTUAL_ENV"),
        };
    }
}

/// The user's PYTHONPATH; what of it lies in the project lies in the copy.
fn given_path(scratch: &Scratch) -> Vec<PathBuf> {
    let given: Vec<PathBuf> = env::var_os("PYTHONPATH").map(|p| env::split_paths(&p).collect()).unwrap_or_default();
    given.into_iter().filter(|path| !path.as_os_str().is_empty()).map(|path| scratch.moved(path)).collect()
}

/// What a process printed, or wrote down, without what steers a terminal: the beginning and the end, if it is more than anybody reads.
fn ends_of(path: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let (mut file, mut bytes) = (File::open(path)?, Vec::new());
        let length = file.metadata()?.len();
        if length > 2 * READ {
            file.by_ref().take(READ).read_to_end(&mut bytes)?;
            bytes.push(b'\n');
            file.seek(io::SeekFrom::Start(length - READ))?;
        }
        file.take(2 * READ).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    printable(&String::from_utf8_lossy(&read().unwrap_or_default()))
}

/// A text without colours and other control characters, but for tabs and the ends of lines.
fn printable(text: &str) -> String {
    let text = anstream::adapter::strip_str(text).to_string().replace("\r\n", "\n").replace('\r', "\n");
    text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "")
}

fn folder(root: &Path, inside: &str) -> PathBuf {
    if inside.is_empty() { root.to_owned() } else { root.join(inside) }
}

/// How the paths of files in a copy begin; without it, they are those of the project.
fn beginning(root: &Path) -> String {
    format!("{}{}", root.display(), std::path::MAIN_SEPARATOR)
}
