//! The one way to find images in folders, for training and prediction, with an account of what was left out.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use ckaad_files::FileError;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::find_files::{EXTENSIONS, Entry, entries, is_image_name};
use crate::mask_names::marked;

/// Folders of masks that lie among the images, in small letters.
const MASK_FOLDERS: [&str; 2] = ["masks", "ground_truth"];
/// The file that tells a folder of predictions.
const PREDICTIONS: &str = "predictions.csv";
/// How the stems of maps that lie beside [`PREDICTIONS`] end.
const RESULT_ENDINGS: [&str; 2] = ["_heatmap", "_map"];

/// Why a file or folder is not among the images.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOut {
    /// A file whose name ends in another way (`.gif`), in small letters; empty for none.
    Ending(String),
    /// A hidden or system file or folder (`._x`, `.DS_Store`, `__MACOSX`, `.ipynb_checkpoints`); a folder counts once.
    Hidden,
    /// A mask beside its image (`X_GT.png` beside `X.png`), or a folder of masks, which counts once.
    Mask,
    /// A map of an earlier prediction, beside its `predictions.csv`.
    EarlierResult,
    /// A folder that the caller excepts, such as that of the output; it counts once.
    Excepted,
    /// The same file again, by another way.
    Repeated,
}

/// How many files were left out, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<(LeftOut, usize)>", from = "Vec<(LeftOut, usize)>")]
pub struct LeftOutCounts(pub BTreeMap<LeftOut, usize>);

impl From<Vec<(LeftOut, usize)>> for LeftOutCounts {
    fn from(counts: Vec<(LeftOut, usize)>) -> Self {
        Self(counts.into_iter().collect())
    }
}

impl From<LeftOutCounts> for Vec<(LeftOut, usize)> {
    fn from(counts: LeftOutCounts) -> Self {
        counts.0.into_iter().collect()
    }
}

impl LeftOutCounts {
    fn add(&mut self, reason: LeftOut) {
        *self.0.entry(reason).or_default() += 1;
    }

    /// Adds the counts of another listing.
    pub(crate) fn extend(&mut self, other: Self) {
        for (reason, count) in other.0 {
            *self.0.entry(reason).or_default() += count;
        }
    }
}

/// `15 .gif, 2 hidden or system files`; empty if nothing was left out.
impl fmt::Display for LeftOutCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (reason, count)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let what = match reason {
                LeftOut::Ending(ending) if ending.is_empty() => "without an ending".to_owned(),
                LeftOut::Ending(ending) => format!(".{ending}"),
                LeftOut::Hidden => "hidden or system".to_owned(),
                LeftOut::Mask => "masks beside images".to_owned(),
                LeftOut::EarlierResult => "maps of an earlier prediction".to_owned(),
                LeftOut::Excepted => "excepted (such as the output folder)".to_owned(),
                LeftOut::Repeated => "listed twice".to_owned(),
            };
            write!(f, "{comma}{count} {what}")?;
        }
        Ok(())
    }
}

/// The images that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The images, each once: the inputs in their order, each folder's images in the order of their paths.
    pub images: Vec<PathBuf>,
    /// Files with the names of masks that lie beside their images.
    pub masks: Vec<PathBuf>,
    /// What was left out.
    pub left_out: LeftOutCounts,
}

/// `50 images (left out: 15 .gif)`.
impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.images.len() == 1 { "" } else { "s" };
        write!(f, "{} image{s}", self.images.len())?;
        if !self.left_out.0.is_empty() {
            write!(f, " (left out: {})", self.left_out)?;
        }
        Ok(())
    }
}

/// The images among files and folders. A file that is named itself is taken whatever its name. Folders are searched to any depth but for
/// those in `except`; links are followed.
///
/// # Errors
/// [`DataError::File`] for what cannot be read, [`DataError::Missing`] for a loop of links, [`DataError::NotUtf8`] for the name of an image
/// or folder that is not UTF-8, [`DataError::NoImages`] if there are none, with what was left out.
pub fn list_images(inputs: &[PathBuf], except: &[PathBuf]) -> Result<Listing, DataError> {
    let found = search(inputs, except, Wanted::Images)?;
    if !found.images.is_empty() {
        return Ok(found);
    }
    let mut hint = format!("looked for files ending in {}", EXTENSIONS.join(", "));
    if !found.left_out.0.is_empty() {
        hint += &format!("; left out: {}", found.left_out);
    }
    let names: Vec<String> = inputs
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(DataError::NoImages {
        path: names.join(", ").into(),
        hint,
    })
}

/// The files in a folder of masks and below it, in the order of their paths; may be empty.
pub(crate) fn list_masks(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(search(&[folder.to_path_buf()], &[], Wanted::All)?.images)
}

/// Which image files are listed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that are neither masks nor maps.
    Images,
    /// All.
    All,
}

fn search(inputs: &[PathBuf], except: &[PathBuf], wanted: Wanted) -> Result<Listing, DataError> {
    // An output folder that does not exist yet cannot be met.
    let except = except
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    let mut search = Search {
        wanted,
        except,
        above: Vec::new(),
        seen: HashSet::new(),
        found: Listing::default(),
    };
    for input in inputs {
        let here = fs::canonicalize(input).map_err(FileError::io("read", input))?;
        if here.is_dir() {
            search.walk(input, here)?;
        } else {
            if input.to_str().is_none() {
                return Err(DataError::NotUtf8 {
                    path: input.clone(),
                });
            }
            search.take(input)?;
        }
    }
    Ok(search.found)
}

struct Search {
    wanted: Wanted,
    except: Vec<PathBuf>,
    /// The folders that lead to the current one, links resolved.
    above: Vec<PathBuf>,
    /// The images that were taken, links resolved.
    seen: HashSet<PathBuf>,
    found: Listing,
}

impl Search {
    fn take(&mut self, path: &Path) -> Result<(), DataError> {
        let resolved = fs::canonicalize(path).map_err(FileError::io("read the file", path))?;
        if self.seen.insert(resolved) {
            self.found.images.push(path.to_path_buf());
        } else {
            self.found.left_out.add(LeftOut::Repeated);
        }
        Ok(())
    }

    fn walk(&mut self, folder: &Path, here: PathBuf) -> Result<(), DataError> {
        if self.except.contains(&here) {
            self.found.left_out.add(LeftOut::Excepted);
            return Ok(());
        }
        if self.above.contains(&here) {
            return Err(DataError::Missing {
                path: folder.into(),
                expected: "an end of the nested folders".into(),
                hint: "it is a symbolic link to a folder above it; remove the link".into(),
            });
        }
        self.above.push(here);
        let (entries, hidden) = entries(folder)?;
        for _ in 0..hidden {
            self.found.left_out.add(LeftOut::Hidden);
        }
        let stems: HashSet<String> = entries.iter().filter_map(stem_of_image).collect();
        let all = self.wanted == Wanted::All;
        let predictions = entries.iter().any(|entry| entry.name == PREDICTIONS);
        for entry in &entries {
            if entry.is_folder {
                let here = fs::canonicalize(&entry.path)
                    .map_err(FileError::io("list the folder", &entry.path))?;
                let name = entry.name.to_ascii_lowercase();
                let masks = !all && MASK_FOLDERS.contains(&name.as_str());
                if masks && !self.except.contains(&here) {
                    self.found.left_out.add(LeftOut::Mask);
                } else {
                    self.walk(&entry.path, here)?;
                }
                continue;
            }
            let Some(stem) = stem_of_image(entry) else {
                let ending = entry.path.extension().and_then(|e| e.to_str());
                let ending = ending.unwrap_or("").to_ascii_lowercase();
                self.found.left_out.add(LeftOut::Ending(ending));
                continue;
            };
            if all {
                self.take(&entry.path)?;
            } else if predictions && RESULT_ENDINGS.iter().any(|ending| stem.ends_with(ending)) {
                self.found.left_out.add(LeftOut::EarlierResult);
            } else if marked(&stem).iter().any(|(base, _)| stems.contains(*base)) {
                self.found.left_out.add(LeftOut::Mask);
                self.found.masks.push(entry.path.clone());
            } else {
                self.take(&entry.path)?;
            }
        }
        self.above.pop();
        Ok(())
    }
}

/// The stem of an image file, in small letters.
fn stem_of_image(entry: &Entry) -> Option<String> {
    let stem = entry.path.file_stem()?.to_str()?;
    (!entry.is_folder && is_image_name(&entry.path)).then(|| stem.to_ascii_lowercase())
}
