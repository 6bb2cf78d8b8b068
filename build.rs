//! Tells the binary which commit it is built from, as `PDMS_COMMIT`: the one given by that variable, else what git says of this
//! folder, else `unknown`. Nothing else of the building machine gets into the binary.

use std::env;
use std::path::Path;
use std::process::Command;

/// What is told where nobody knows.
const UNKNOWN: &str = "unknown";
/// Characters of a given commit: a SHA-256 in hexadecimal, or a name like `1.2.3-4-gabcdef0`.
const COMMIT_CHARS: usize = 64;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=PDMS_COMMIT");
    let commit = match env::var("PDMS_COMMIT") {
        Ok(given) if is_commit(&given) => given,
        Ok(_) => {
            println!("cargo:warning=PDMS_COMMIT is no commit: letters, digits, dots, dashes and underscores are");
            UNKNOWN.to_owned()
        }
        Err(_) => from_git().unwrap_or_else(|| UNKNOWN.to_owned()),
    };
    println!("cargo:rustc-env=PDMS_COMMIT={commit}");
}

fn is_commit(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=COMMIT_CHARS).contains(&text.len()) && text.chars().all(allowed)
}

/// The commit of this folder's own work tree. A folder that was unpacked inside another project's work tree has none.
fn from_git() -> Option<String> {
    let here = env::var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    // The log of HEAD grows with every commit, merge and checkout. Where none is kept, the branch's own file changes. A file
    // that does not exist must not be named: each build would run this again.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", "logs/HEAD", branch.as_str()].into_iter().filter(|name| !name.is_empty()) {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| is_commit(commit))
}

/// What git prints; none where it fails or is not there.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
