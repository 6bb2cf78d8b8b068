//! Content and logs on a real file system.

use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;

use super::*;
use crate::domain::device::DeviceKey;
use crate::domain::ids::AccountId;

const ACCOUNT: AccountId = AccountId(1);

fn fresh() -> (tempfile::TempDir, Blobs) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let blobs = Blobs::open(dir.path().join("blobs"), dir.path().join("logs")).expect("folders can be made");
    (dir, blobs)
}

fn device() -> DeviceKey {
    "0004f2aabbcc".parse().expect("a MAC")
}

#[test]
fn content_comes_back_byte_for_byte_with_its_hash() {
    let (_dir, blobs) = fresh();
    let written = blobs.put(b"abc").expect("written");
    assert_eq!(written.size_bytes, 3);
    assert_eq!(written.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(blobs.read(&written.blob).expect("read"), b"abc");
    blobs.remove(&written.blob).expect("removed");
    blobs.remove(&written.blob).expect("removing twice is no error");
    assert!(blobs.read(&written.blob).is_err());
}

#[test]
fn a_name_that_is_none_of_ours_reaches_no_path() {
    let (_dir, blobs) = fresh();
    for name in ["", "../../etc/passwd", "0123456789abcdef0123456789abcd/.", "é123456789abcdef0123456789abcdef"] {
        assert_eq!(blobs.read(name).map_err(|e| e.kind()), Err(io::ErrorKind::InvalidInput), "{name}");
        assert_eq!(blobs.logs().path(ACCOUNT, &device(), name), None, "{name}");
    }
}

#[test]
fn the_sweep_removes_what_no_row_names() {
    let (dir, blobs) = fresh();
    let kept = blobs.put(b"kept").expect("written");
    let orphan = blobs.put(b"orphan").expect("written");
    let folder = dir.path().join("blobs").join(&kept.blob[30..]);
    std::fs::write(folder.join(".part-abc"), b"half").expect("written");
    assert_eq!(blobs.sweep(&HashSet::from([kept.blob.clone()])).expect("swept"), 2);
    assert!(blobs.read(&kept.blob).is_ok());
    assert!(blobs.read(&orphan.blob).is_err());
}

#[test]
fn everything_is_private() {
    let (dir, blobs) = fresh();
    let written = blobs.put(b"abc").expect("written");
    let draft = blobs.logs().draft().expect("a draft");
    let log = blobs.logs().keep(ACCOUNT, &device(), "boot.log", Timestamp::UNIX_EPOCH, draft).expect("kept");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let folder = dir.path().join("blobs").join(&written.blob[30..]);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(&written.blob)), 0o600);
    let logs = dir.path().join("logs/1/0004f2aabbcc");
    assert_eq!(mode(&logs), 0o700);
    assert_eq!(mode(&logs.join(log.name)), 0o600);
}
