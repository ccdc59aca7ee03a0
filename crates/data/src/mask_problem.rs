//! Why masks are refused.

use std::path::PathBuf;

use crate::error::DataError;
use crate::mask_names::PATTERN;

/// Truth that would make a figure wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaskProblem {
    /// One mask, several images.
    #[error("{} would serve several images: {}; put the masks into one folder per class, named as the class of the test images", mask.display(), images.join(", "))]
    Shared {
        /// The mask.
        mask: PathBuf,
        /// The images.
        images: Vec<String>,
    },
    /// Several masks of one image that are not parts of one.
    #[error(
        "{image} has masks that contradict each other: {}; keep one, or name parts STEM_1, STEM_2",
        shown(masks)
    )]
    Contradictory {
        /// The image.
        image: String,
        /// The masks.
        masks: Vec<PathBuf>,
    },
    /// Masks were given, but none is of an anomalous test image.
    #[error("none of the {masks} masks in {} belongs to an anomalous test image (such as {image}); looked for {} with the names {PATTERN}", folder.display(), places.join(" and "))]
    NoneMatches {
        /// Where they are.
        folder: PathBuf,
        /// How many there are.
        masks: usize,
        /// An image that was looked for.
        image: String,
        /// The folders that were looked through for it.
        places: Vec<String>,
    },
    /// Another aspect ratio than the image, or another size than another mask of it.
    #[error("{} is {} x {} pixels but {other} is {} x {}: they do not show the same area", mask.display(), size.0, size.1, other_size.0, other_size.1)]
    Shape {
        /// The mask.
        mask: PathBuf,
        /// Its width and height.
        size: (usize, usize),
        /// The image, or the other mask.
        other: String,
        /// Its width and height.
        other_size: (usize, usize),
    },
    /// It cannot be decoded.
    #[error("the mask of {image}: {source}")]
    Unreadable {
        /// The image.
        image: String,
        /// Why not.
        source: Box<DataError>,
    },
    /// No pixel of an anomalous image's mask is anomalous under the rule.
    #[error("{} marks no pixel of the anomalous {image}: its values are {values}{}", mask.display(), hint(*non_zero))]
    Empty {
        /// The first file of the mask.
        mask: PathBuf,
        /// The image.
        image: String,
        /// The grey values that it holds.
        values: String,
        /// The rule `non-zero` would mark pixels.
        non_zero: bool,
    },
    /// The mask of a normal image marks pixels.
    #[error("{} marks {pixels} pixels of {image}, which counts as normal", mask.display())]
    Normal {
        /// The first file of the mask.
        mask: PathBuf,
        /// The image.
        image: String,
        /// How many pixels.
        pixels: usize,
    },
}

fn hint(non_zero: bool) -> &'static str {
    if non_zero {
        ", and only values over half of 255 count; the mask rule `non-zero` counts every value but 0"
    } else {
        ""
    }
}

fn shown(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(", ")
}
