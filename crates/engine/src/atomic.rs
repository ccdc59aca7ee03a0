//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::EngineError;

/// Writes to a temporary file beside `path`, syncs it and renames it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file =
        tempfile::NamedTempFile::new_in(folder).map_err(EngineError::io(folder, "write into"))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(EngineError::io(path, "write"))?;
    file.persist(path)
        .map_err(|error| EngineError::io(path, "write")(error.error))?;
    Ok(())
}
