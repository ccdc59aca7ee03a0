//! Folders that should not be there: each a clear error that names what is wrong.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use ckaad_data::*;

fn normal_folder() -> (tempfile::TempDir, FolderSource) {
    let dir = tempfile::tempdir().unwrap();
    let normal = dir.path().join("normal");
    fs::create_dir(&normal).unwrap();
    fs::write(normal.join("a.png"), "").unwrap();
    let source = FolderSource {
        normal,
        ..FolderSource::default()
    };
    (dir, source)
}

#[test]
fn symbolic_link_loops_are_errors() {
    let (_dir, source) = normal_folder();
    symlink(
        source.normal.join("loop.png"),
        source.normal.join("loop.png"),
    )
    .unwrap();
    let error = Dataset::from_folders(&source).unwrap_err().to_string();
    assert!(error.contains("loop.png"), "{error}");

    let (_dir, source) = normal_folder();
    symlink(&source.normal, source.normal.join("inner")).unwrap();
    // Two loops, followed blindly, would double at every level.
    symlink(&source.normal, source.normal.join("other")).unwrap();
    let error = Dataset::from_folders(&source).unwrap_err().to_string();
    assert!(
        error.contains("inner") && (error.contains("symbolic link")),
        "{error}"
    );
}

#[test]
fn a_folder_without_permission_is_an_error() {
    let (_dir, source) = normal_folder();
    let closed = source.normal.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let result = Dataset::from_folders(&source);
    let readable = fs::read_dir(&closed).is_ok();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    if readable {
        println!("SKIPPED: the superuser may read any folder, so no permission can be missing");
        return;
    }
    assert!(result.unwrap_err().to_string().contains("closed"));
}

#[test]
fn names_that_are_not_utf8_are_errors_if_they_are_images() {
    let (_dir, source) = normal_folder();
    fs::write(
        source.normal.join(OsStr::from_bytes(b"note\xff.txt")),
        "stray",
    )
    .unwrap();
    assert!(Dataset::from_folders(&source).is_ok());
    fs::write(source.normal.join(OsStr::from_bytes(b"scan\xff.png")), "").unwrap();
    assert!(matches!(
        Dataset::from_folders(&source),
        Err(DataError::NotUtf8 { .. })
    ));
}
