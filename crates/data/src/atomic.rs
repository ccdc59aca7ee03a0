//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::DataError;

/// Writes to a temporary file in the same folder, syncs it and renames it to `path`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(DataError::io(folder))?;
    file.write_all(bytes).map_err(DataError::io(path))?;
    file.as_file().sync_all().map_err(DataError::io(path))?;
    file.persist(path).map_err(|error| DataError::Io {
        path: path.to_path_buf(),
        source: error.error,
    })?;
    Ok(())
}
