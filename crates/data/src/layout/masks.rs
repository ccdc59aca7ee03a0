//! Pairing masks with images by their names.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::mask_names::{Part, readings};
use crate::mask_problem::MaskProblem;
use crate::sample::Sample;

/// Which folders below that of the masks are looked through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nested {
    /// Any: the masks are of one class.
    Anywhere,
    /// Those that lie as the images do, and those named after an image.
    AsImages,
}

/// Where a file lies in its folder, in small letters: the folders, and the stem.
fn place(root: &Path, file: &Path) -> Option<(Vec<String>, String)> {
    let inside = file.strip_prefix(root).ok()?;
    let small = |name: &std::ffi::OsStr| name.to_string_lossy().to_ascii_lowercase();
    let folders = inside.parent()?.iter().map(small).collect();
    Some((folders, small(inside.file_stem()?)))
}

/// The masks of a data set and what is wrong with them.
#[derive(Default)]
pub(super) struct Pairing {
    problems: Vec<MaskProblem>,
    unused: Vec<PathBuf>,
    /// Where masks were looked for.
    places: Vec<PathBuf>,
}

impl Pairing {
    /// Gives the images in `image_root` the masks among `files`, which lie in `mask_root`.
    pub(super) fn pair(
        &mut self,
        image_root: &Path,
        samples: &mut [&mut Sample],
        mask_root: &Path,
        files: Vec<PathBuf>,
        nested: Nested,
    ) {
        let places: Vec<_> = samples
            .iter()
            .map(|sample| place(image_root, sample.path.file()).unwrap_or_default())
            .collect();
        let folders: Vec<Vec<String>> = places.iter().map(|place| place.0.clone()).collect();
        let mut named = Named {
            by_stem: HashMap::new(),
            folders,
            nested,
            samples,
        };
        for (index, (_, stem)) in places.into_iter().enumerate() {
            named.by_stem.entry(stem).or_default().push(index);
        }
        self.places.push(mask_root.to_path_buf());
        let mut of_image: BTreeMap<usize, Vec<(Part, PathBuf)>> = BTreeMap::new();
        for file in files {
            let Some((folders, stem)) = place(mask_root, &file) else {
                continue;
            };
            match named.images(&folders, &stem) {
                Some((images, part)) => match images.as_slice() {
                    &[image] => of_image.entry(image).or_default().push((part, file)),
                    several => self.problems.push(MaskProblem::Shared {
                        mask: file,
                        images: several
                            .iter()
                            .map(|&image| named.samples[image].path.to_string())
                            .collect(),
                    }),
                },
                None => self.unused.push(file),
            }
        }
        for (image, mut files) in of_image {
            files.sort();
            let in_folder = |file: &(Part, PathBuf)| matches!(file.0, Part::InFolder(_));
            let twice = files.windows(2).any(|pair| pair[0].0 == pair[1].0);
            let both = files.iter().any(in_folder) && !files.iter().all(in_folder);
            let masks: Vec<PathBuf> = files.into_iter().map(|(_, path)| path).collect();
            if twice || both {
                self.problems.push(MaskProblem::Contradictory {
                    image: samples[image].path.to_string(),
                    masks,
                });
            } else {
                samples[image].masks = masks;
            }
        }
    }

    /// Adds masks that lie where no image is looked for.
    pub(super) fn unused(&mut self, files: Vec<PathBuf>) {
        self.unused.extend(files);
    }

    /// The masks that belong to no image, or an error for those that are wrong or if none belongs to an anomalous image.
    pub(super) fn finish(mut self, test: &[Sample]) -> Result<Vec<PathBuf>, DataError> {
        let mut anomalous = test.iter().filter(|sample| sample.label.is_anomalous());
        let first = anomalous.clone().next();
        if let (true, Some(image), Some(mask)) =
            (self.problems.is_empty(), first, self.unused.first())
            && anomalous.all(|sample| sample.masks.is_empty())
        {
            self.places.sort();
            self.places.dedup();
            self.problems.push(MaskProblem::NoneMatches {
                folder: mask.parent().unwrap_or(mask).to_path_buf(),
                masks: self.unused.len(),
                image: image.path.to_string(),
                places: self
                    .places
                    .iter()
                    .map(|place| place.display().to_string())
                    .collect(),
            });
        }
        if self.problems.is_empty() {
            Ok(self.unused)
        } else {
            Err(DataError::Masks {
                problems: self.problems,
            })
        }
    }
}

/// Images by their stems.
struct Named<'a> {
    by_stem: HashMap<String, Vec<usize>>,
    /// The folders of each image.
    folders: Vec<Vec<String>>,
    nested: Nested,
    samples: &'a [&'a mut Sample],
}

impl Named<'_> {
    /// The images that a mask may be for, by the first reading of its name that fits one.
    fn images(&self, folders: &[String], stem: &str) -> Option<(Vec<usize>, Part)> {
        // A mask that lies and is named exactly as an image is that image's.
        if let Some(images) = self.at(folders, stem, true) {
            return Some((images, Part::Whole));
        }
        if let Some((folder, above)) = folders.split_last()
            && let Some(images) = self.at(above, folder, false)
        {
            return Some((images, Part::InFolder(stem.to_owned())));
        }
        readings(stem)
            .into_iter()
            .find_map(|(base, part)| Some((self.at(folders, base, false)?, part)))
    }

    /// The images of that stem whose folders agree: equal ones, else where one of the two has none (or ends as the other does).
    fn at(&self, folders: &[String], stem: &str, exactly: bool) -> Option<Vec<usize>> {
        let all = self.by_stem.get(stem)?;
        let equal = |&index: &usize| self.folders[index] == folders;
        let near = |&index: &usize| {
            let image = &self.folders[index];
            let masks_above = image.ends_with(folders);
            masks_above || (self.nested == Nested::Anywhere && folders.ends_with(image))
        };
        let mut found: Vec<usize> = all.iter().copied().filter(equal).collect();
        if found.is_empty() && !exactly {
            found = all.iter().copied().filter(near).collect();
        }
        // A mask that a normal image could claim, too, is the anomalous one's.
        if found
            .iter()
            .any(|&index| self.samples[index].label.is_anomalous())
        {
            found.retain(|&index| self.samples[index].label.is_anomalous());
        }
        (!found.is_empty()).then_some(found)
    }
}
