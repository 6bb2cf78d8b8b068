//! The `pdms` binary: hands the command line to [`pdms::cli`].

fn main() -> std::process::ExitCode {
    pdms::cli::run()
}
