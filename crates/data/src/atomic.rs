//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::error::DataError;

/// Writes a file whole or not at all: to a temporary file in the same folder, which is synced and renamed to `path`.
///
/// # Errors
/// [`DataError::Io`]; `path` is then as it was before.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // Temporary files are private by default; what the user keeps is for everyone that the umask lets in.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(DataError::io(folder))?;
    file.write_all(bytes).map_err(DataError::io(path))?;
    file.as_file().sync_all().map_err(DataError::io(path))?;
    file.persist(path).map_err(|error| DataError::Io {
        path: path.to_path_buf(),
        source: error.error,
    })?;
    Ok(())
}
