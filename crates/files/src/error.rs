use std::io;
use std::path::{Path, PathBuf};

/// What went wrong with a file or folder. Every variant names it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused: missing permission, vanished file, symbolic-link loop, full disk.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was attempted, as an infinitive: `read the file`.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder, a pipe or a device is where a file should be.
    #[error("{}: it is not a regular file", path.display())]
    NotAFile {
        /// Where it is.
        path: PathBuf,
    },
    /// A file is longer than any of its kind can be; nothing was read.
    #[error("{}: its {bytes} bytes are over the limit of {limit}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        bytes: u64,
        /// Most bytes that are read.
        limit: u64,
    },
    /// Another process has the folder to itself.
    #[error("{}: it is in use by another process; wait until that ends, or choose another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
}

impl FileError {
    /// Turns an error of the system into one that says where and during what it happened, for `map_err`.
    pub fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io {
            path: path.to_path_buf(),
            action,
            source,
        }
    }
}
