//! Finding image files the way copies in the wild need it: mixed case, stray files, an extra folder level.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ckaad_files::FileError;

use crate::error::DataError;

/// Extensions that count as images, whatever their case.
pub const EXTENSIONS: [&str; 9] = [
    "jpg", "jpeg", "jfif", "png", "bmp", "tif", "tiff", "webp", "jpe",
];
/// How many wrapper folders around a data set are looked through.
const WRAPPERS: usize = 3;
/// Most folders of one level that are looked through for a data set: a wrong root must not turn into a search of the whole disk.
const BREADTH: usize = 2_000;

/// True for the extensions of images.
pub fn is_image_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    EXTENSIONS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(extension))
}

/// A visible file or folder, links followed.
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) is_folder: bool,
}

/// The visible entries of a folder sorted bytewise by name, and how many hidden and system ones there are.
pub(crate) fn entries(folder: &Path) -> Result<(Vec<Entry>, usize), DataError> {
    let (mut found, mut hidden) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).map_err(FileError::io("list the folder", folder))? {
        let path = entry
            .map_err(FileError::io("list the folder", folder))?
            .path();
        let Some(name) = path.file_name() else {
            continue;
        };
        let lossy = name.to_string_lossy();
        // Hidden files, what macOS archives add, and the thumbnails of network drives.
        if lossy.starts_with('.') || lossy == "__MACOSX" || lossy == "@eaDir" {
            hidden += 1;
            continue;
        }
        let Some(name) = name.to_str().map(str::to_owned) else {
            // Only a file that would be used is worth refusing.
            if is_image_name(&path) || path.is_dir() {
                return Err(DataError::NotUtf8 { path });
            }
            continue;
        };
        // Follows symbolic links, so that a loop is reported here by name; a dangling link that is no image is nobody's business.
        match fs::metadata(&path) {
            Ok(meta) => found.push(Entry {
                path,
                name,
                is_folder: meta.is_dir(),
            }),
            Err(source) if is_image_name(&path) || path.extension().is_none() => {
                return Err(FileError::io("read the file", &path)(source).into());
            }
            Err(_) => {}
        }
    }
    found.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok((found, hidden))
}

/// Images directly in a folder, sorted bytewise by name; may be empty.
pub(crate) fn images_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(folder)?
        .0
        .into_iter()
        .filter(|entry| !entry.is_folder && is_image_name(&entry.path))
        .map(|entry| entry.path)
        .collect())
}

/// Images directly in a folder; none is an error.
pub(crate) fn require_images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let images = images_in(folder)?;
    if images.is_empty() {
        let hint = format!("extensions looked for: {}", EXTENSIONS.join(", "));
        return Err(DataError::NoImages {
            path: folder.to_path_buf(),
            hint,
        });
    }
    Ok(images)
}

/// The sub-folder of that name, whatever its case (an exact match wins).
pub(crate) fn subfolder(folder: &Path, name: &str) -> Result<Option<PathBuf>, DataError> {
    let exact = folder.join(name);
    if exact.is_dir() {
        return Ok(Some(exact));
    }
    Ok(subfolders(folder)?
        .into_iter()
        .find(|(_, found)| found.eq_ignore_ascii_case(name))
        .map(|(path, _)| path))
}

/// The sub-folder of that name, or an error that says what the layout needs.
pub(crate) fn require_subfolder(
    folder: &Path,
    name: &str,
    hint: &str,
) -> Result<PathBuf, DataError> {
    subfolder(folder, name)?.ok_or_else(|| DataError::Missing {
        path: folder.to_path_buf(),
        expected: format!("folder {name}"),
        hint: hint.to_owned(),
    })
}

/// All sub-folders as (path, name), sorted bytewise by name.
pub(crate) fn subfolders(folder: &Path) -> Result<Vec<(PathBuf, String)>, DataError> {
    Ok(entries(folder)?
        .0
        .into_iter()
        .filter(|entry| entry.is_folder)
        .map(|entry| (entry.path, entry.name))
        .collect())
}

/// Looks for the folder with the wanted content at `root` and, breadth first, in the folders that archives wrap around it.
pub(crate) fn unwrap_root(
    root: &Path,
    expected: &str,
    hint: &str,
    has: impl Fn(&Path) -> Result<bool, DataError>,
) -> Result<PathBuf, DataError> {
    // Reading it once here turns a missing or forbidden root into an error that names it.
    entries(root)?;
    let mut level = vec![root.to_path_buf()];
    for _ in 0..=WRAPPERS {
        for folder in &level {
            if has(folder)? {
                return Ok(folder.clone());
            }
        }
        let mut next = Vec::new();
        for folder in &level {
            next.extend(subfolders(folder)?.into_iter().map(|(path, _)| path));
        }
        next.truncate(BREADTH);
        level = next;
    }
    Err(DataError::Missing {
        path: root.to_path_buf(),
        expected: expected.to_owned(),
        hint: hint.to_owned(),
    })
}

/// The first file of that name, whatever its case, in a folder or at most `WRAPPERS` levels below it.
pub(crate) fn find_file(root: &Path, name: &str) -> Result<Option<PathBuf>, DataError> {
    let mut level = vec![root.to_path_buf()];
    for _ in 0..=WRAPPERS {
        let mut next = Vec::new();
        for folder in &level {
            for entry in entries(folder)?.0 {
                if entry.is_folder {
                    next.push(entry.path);
                } else if entry.name.eq_ignore_ascii_case(name) {
                    return Ok(Some(entry.path));
                }
            }
        }
        level = next;
    }
    Ok(None)
}

/// Finds files that a table names, even if the case of the file name differs.
pub(crate) struct Resolver {
    root: PathBuf,
    /// Per folder, its files by name in small letters.
    folders: HashMap<PathBuf, HashMap<String, PathBuf>>,
}

impl Resolver {
    /// For names relative to `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            folders: HashMap::new(),
        }
    }

    /// The file of that name, if it exists.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<PathBuf>, DataError> {
        let exact = self.root.join(name);
        if exact.is_file() {
            return Ok(Some(exact));
        }
        let (Some(folder), Some(file)) = (
            exact.parent(),
            exact.file_name().and_then(|file| file.to_str()),
        ) else {
            return Ok(None);
        };
        if !folder.is_dir() {
            return Ok(None);
        }
        if !self.folders.contains_key(folder) {
            let files = entries(folder)?
                .0
                .into_iter()
                .filter(|entry| !entry.is_folder)
                .map(|entry| (entry.name.to_ascii_lowercase(), entry.path))
                .collect();
            self.folders.insert(folder.to_path_buf(), files);
        }
        Ok(self
            .folders
            .get(folder)
            .and_then(|files| files.get(&file.to_ascii_lowercase()))
            .cloned())
    }
}
