//! What a program that must not damage its files needs of a disk: files that are there whole or not at all ([`write()`], [`NewFile`]),
//! folders that one process has to itself ([`FolderLock`]), reads that a wrong file cannot blow up ([`read`]), and buffers larger than
//! memory ([`Buffer`]).
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("made/if/missing/report.json");
//! ckaad_files::write(&path, b"{}")?;
//! assert_eq!(ckaad_files::read(&path, 1024)?, b"{}");
//!
//! let lock = ckaad_files::FolderLock::take(folder.path())?;
//! assert!(matches!(ckaad_files::FolderLock::take(folder.path()), Err(ckaad_files::FileError::InUse { .. })));
//! drop(lock);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod buffer;
mod error;
mod lock;
mod parts;
mod read;
mod write;

pub use buffer::Buffer;
pub use error::FileError;
pub use lock::FolderLock;
pub use parts::{Untouched, file_of_part, remove_own_parts, remove_parts};
pub use read::{free_space, read, read_into};
pub use write::{NewFile, make_folder, write};
