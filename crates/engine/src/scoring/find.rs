use std::path::{Path, PathBuf};

use ckaad_data::is_image_name;

use crate::EngineError;

/// The images among files and folders (searched to any depth, but for the folder `except`, where earlier results may lie), in
/// order, each once.
///
/// # Errors
/// [`EngineError::Io`] for a path that is not there, [`EngineError::NoImages`] if there are none.
pub fn find_images(inputs: &[PathBuf], except: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let except = except.canonicalize().ok();
    let mut found = Vec::new();
    for input in inputs {
        let metadata = std::fs::metadata(input).map_err(EngineError::io(input, "read"))?;
        if metadata.is_dir() {
            let mut inside = Vec::new();
            search(input, except.as_deref(), &mut inside)?;
            inside.sort();
            found.append(&mut inside);
        } else {
            found.push(input.clone());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    if found.is_empty() {
        let names: Vec<String> = inputs
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(EngineError::NoImages {
            reason: format!(
                "no images in {}: looked for files ending in {}",
                names.join(", "),
                ckaad_data::EXTENSIONS.join(", ")
            ),
        });
    }
    Ok(found)
}

/// Folders that are links are not followed, so that a circle of links cannot catch the search.
fn search(
    folder: &Path,
    except: Option<&Path>,
    found: &mut Vec<PathBuf>,
) -> Result<(), EngineError> {
    if except.is_some() && folder.canonicalize().ok().as_deref() == except {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(EngineError::io(folder, "list"))? {
        let entry = entry.map_err(EngineError::io(folder, "list"))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(EngineError::io(&path, "read"))?;
        if kind.is_dir() {
            search(&path, except, found)?;
        } else if is_image_name(&path) {
            found.push(path);
        }
    }
    Ok(())
}
