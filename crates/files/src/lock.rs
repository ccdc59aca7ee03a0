//! Folders that one process has to itself.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::FileError;
use crate::write::make_folder;

/// A folder that this process has to itself, until the guard is dropped or the process ends, however it ends: the lock is the
/// system's, on an open file, and never has to be cleared away by hand.
///
/// It binds only those who ask for it.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
}

impl Drop for FolderLock {
    /// Unlocks, where closing would not: a process that another thread is starting has a copy of the open file until it runs its own program.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::debug!(%error, "the lock ends when its file is closed");
        }
    }
}

impl FolderLock {
    /// The empty file in the folder that carries the lock. It stays when the lock ends: were it removed, two processes could each lock
    /// one of that name.
    pub const FILE_NAME: &str = ".lock";

    /// Takes a folder, making it if it is missing, without waiting. On file systems that have no locks it is taken without one.
    ///
    /// # Errors
    /// [`FileError::InUse`] if another process, or another guard of this one, has it; [`FileError::Io`].
    pub fn take(folder: &Path) -> Result<Self, FileError> {
        make_folder(folder)?;
        let path = folder.join(Self::FILE_NAME);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(FileError::io("open the file", &path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(FileError::InUse {
                path: folder.to_path_buf(),
            }),
            Err(TryLockError::Error(error)) if error.kind() != std::io::ErrorKind::Unsupported => {
                Err(FileError::io("lock the file", &path)(error))
            }
            _ => Ok(Self { file }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;
    use std::process::{Command, Stdio};

    use super::*;

    /// Set for the process that [`a_lock_ends_with_its_process`] starts: the folder to lock.
    const HOLD: &str = "CKAAD_FILES_TEST_HOLD";

    #[test]
    fn a_folder_has_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("runs/a");
        let lock = FolderLock::take(&run).unwrap();
        let error = FolderLock::take(&run).unwrap_err();
        assert!(matches!(error, FileError::InUse { ref path } if *path == run));
        drop(lock);
        FolderLock::take(&run).unwrap();
    }

    /// Started anew by the test below, with a folder to hold; returns at once otherwise.
    #[test]
    fn hold_for_another_process() {
        if let Some(folder) = std::env::var_os(HOLD) {
            let _lock = FolderLock::take(Path::new(&folder)).unwrap();
            println!("held");
            // Until the other end closes, or kills this process.
            let _ = std::io::stdin().read(&mut [0]);
        }
    }

    #[test]
    fn a_lock_ends_with_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "lock::tests::hold_for_another_process",
                "--nocapture",
            ])
            .env(HOLD, folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        while !said.contains("held") {
            let mut byte = [0];
            assert_eq!(
                holder.stdout.as_mut().unwrap().read(&mut byte).unwrap(),
                1,
                "{said}"
            );
            said.push(byte[0].into());
        }
        let taken = FolderLock::take(folder.path());
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert!(matches!(taken, Err(FileError::InUse { .. })), "{taken:?}");
        FolderLock::take(folder.path()).unwrap();
    }
}
