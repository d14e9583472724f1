//! The binary: hands the arguments to the library and returns its exit code.

fn main() -> std::process::ExitCode {
    cyclefix::cli::run(std::env::args_os())
}
