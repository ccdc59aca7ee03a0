//! Reads that a wrong file cannot blow up.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::FileError;

/// Reads a whole regular file of at most `limit` bytes.
///
/// # Errors
/// [`FileError::TooLong`], [`FileError::NotAFile`] (also for a pipe, whose other end opening would wait for), [`FileError::Io`].
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    read_into(path, limit, &mut bytes)?;
    Ok(bytes)
}

/// [`read`] into a vector whose room is used again.
///
/// # Errors
/// Those of [`read`]; `bytes` then holds nothing of use.
pub fn read_into(path: &Path, limit: u64, bytes: &mut Vec<u8>) -> Result<(), FileError> {
    // Asked before opening: opening a named pipe would wait for its other end.
    let meta = fs::metadata(path).map_err(FileError::io("read the file", path))?;
    if !meta.is_file() {
        return Err(FileError::NotAFile {
            path: path.to_path_buf(),
        });
    }
    let check = |bytes: u64| match bytes > limit {
        true => Err(FileError::TooLong {
            path: path.to_path_buf(),
            bytes,
            limit,
        }),
        false => Ok(()),
    };
    check(meta.len())?;
    bytes.clear();
    bytes.reserve(meta.len() as usize + 1);
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(bytes))
        .map_err(FileError::io("read the file", path))?;
    // It may have grown since it was asked for its length.
    check(bytes.len() as u64)
}

/// Bytes that this user may still write on the file system of `folder`.
///
/// # Errors
/// [`FileError::Io`].
pub fn free_space(folder: &Path) -> Result<u64, FileError> {
    fs4::available_space(folder).map_err(FileError::io("ask for the free space", folder))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_limit_is_the_longest_file_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(matches!(
            error,
            FileError::TooLong {
                bytes: 5,
                limit: 4,
                ..
            }
        ));
        assert!(error.to_string().contains("table.csv"), "{error}");
        assert!(matches!(
            read(folder.path(), 5),
            Err(FileError::NotAFile { .. })
        ));
        assert!(matches!(
            read(&folder.path().join("none"), 5),
            Err(FileError::Io { .. })
        ));
        // A file that claims no length: it grows while it is read.
        #[cfg(target_os = "linux")]
        assert!(matches!(
            read(Path::new("/proc/self/status"), 10),
            Err(FileError::TooLong { .. })
        ));
        assert!(free_space(folder.path()).unwrap() > 0);
    }
}
