//! The `pdms` binary: hands the command line to [`pdms::cli`].

/// Thousands of phones at once allocate in many threads: this allocator is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    pdms::cli::run()
}
