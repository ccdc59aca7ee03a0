//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::FileError;
use crate::parts::{SUFFIX, UnderWay, Untouched, remove_parts};

/// Writes a file whole or not at all, making its folder if that is missing.
///
/// # Errors
/// [`FileError::Io`]; `path` is then as it was before.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes)
        .map_err(FileError::io("write the file", path))?;
    file.commit()
}

/// Makes a folder and those that it lies in, unless they are there.
///
/// # Errors
/// [`FileError::Io`].
pub fn make_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(FileError::io("make the folder", path))
}

/// A file that is being written under another name in the same folder. [`commit`](Self::commit) puts it in place; dropped before that,
/// it is gone.
#[derive(Debug)]
pub struct NewFile {
    part: NamedTempFile,
    path: PathBuf,
    _under_way: UnderWay,
}

impl NewFile {
    /// Begins a file that is to lie at `path`, making its folder if that is missing.
    ///
    /// # Errors
    /// [`FileError::Io`].
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let folder = folder_of(path);
        make_folder(folder)?;
        let mut builder = tempfile::Builder::new();
        // Temporary files are private by default; what the user keeps is for everyone that the umask lets in.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let part = builder
            .prefix(&prefix_of(path))
            .suffix(SUFFIX)
            .tempfile_in(folder)
            .map_err(FileError::io("make a file in the folder", folder))?;
        Ok(Self {
            _under_way: UnderWay::new(part.path()),
            part,
            path: path.to_path_buf(),
        })
    }

    /// Removes what killed processes left of the same file; one that somebody has written to within the hour is left alone. For files
    /// that are large and take long to write.
    pub fn remove_abandoned(&self) {
        let name = self.path.file_name().unwrap_or_default();
        let of_same = |file: &str| name == file;
        remove_parts(folder_of(&self.path), of_same, Untouched::ForAnHour);
    }

    /// Puts the file in place: synced, renamed over what was at its path, and the renaming synced.
    ///
    /// # Errors
    /// [`FileError::Io`]; the path is then as it was before.
    pub fn commit(self) -> Result<(), FileError> {
        let path = &self.path;
        self.part
            .as_file()
            .sync_all()
            .map_err(FileError::io("write the file", path))?;
        self.part
            .persist(path)
            .map_err(|error| FileError::io("put the file in place", path)(error.error))?;
        sync_folder(folder_of(path))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.part.flush()
    }
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// How the names of a file's parts begin.
fn prefix_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!(".{}.", name.to_string_lossy())
}

/// Makes a rename in `folder` last through a crash.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), FileError> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // File systems that cannot sync folders, such as some network ones, say so in one of these ways.
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Err(FileError::io("write the folder", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Folders cannot be synced here; the file system's journal has to do.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), FileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_is_there_whole_or_as_it_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/model.bin");
        write(&path, b"first").unwrap();
        let mut file = NewFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        drop(file);
        assert_eq!(names(path.parent().unwrap()), ["model.bin"]);
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(path.parent().unwrap()), ["model.bin"]);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        // A folder that is not empty cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inner")).unwrap();
        let error = write(&taken, b"x").unwrap_err();
        assert!(matches!(error, FileError::Io { ref path, .. } if *path == taken));
        assert_eq!(names(folder.path()), ["taken"]);
        // Neither can a folder be made below a file.
        let file = folder.path().join("file");
        write(&file, b"x").unwrap();
        assert!(write(&file.join("below"), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (folder.path().join("ours"), folder.path().join("theirs"));
        write(&ours, b"").unwrap();
        File::create(&theirs).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&theirs));
    }
}
