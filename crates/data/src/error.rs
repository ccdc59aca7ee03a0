//! What can go wrong between a folder and a batch, and whose fault it is.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use ckaad_files::FileError;

use crate::mask_problem::MaskProblem;

/// The error of a decoder or parser, or what a check of ours found.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of this crate. Every variant names the file or setting, the problem and, where there is one, the way out: the [hint](Self::hint), with
/// which the message ends after a semicolon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A folder or file that the layout requires is not there.
    #[error("{}: {expected} not found; {hint}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// What was looked for.
        expected: String,
        /// What to do.
        hint: String,
    },
    /// A folder holds no image.
    #[error("{}: no images found ({hint})", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// Which extensions count, or which sub-folder is empty.
        hint: String,
    },
    /// A file that should be an image cannot be decoded.
    #[error("{image}: cannot be read as an image: {source}")]
    Unreadable {
        /// The file or record.
        image: String,
        /// What the decoder said.
        source: Cause,
    },
    /// A file is not what it was when it was first read.
    #[error("{image}: its content is not what it was when the run began; {PUT_BACK}")]
    Replaced {
        /// The file or record.
        image: String,
    },
    /// Several images cannot be decoded; raised when loading a list.
    #[error("{} of {total} images cannot be read: {}; {LEAVE_OUT}", bad.len(), some(bad))]
    UnreadableImages {
        /// One error per image, in the order of the list.
        bad: Vec<DataError>,
        /// Length of the list.
        total: usize,
    },
    /// The protocol leaves nothing to learn from.
    #[error("{reason}; {hint}")]
    TooFew {
        /// How many images there are, and where they went.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A valid image of a kind that is not converted (for example floating-point TIFF).
    #[error("{image}: not supported: {kind}; {CONVERT}")]
    Unsupported {
        /// The file.
        image: String,
        /// What is not supported.
        kind: String,
    },
    /// A file of several pages (TIFF) or frames (animated PNG and WebP) of which none was chosen, or one that it does not have.
    #[error("{image}: it has {}", pages_and_way_out(*pages, *wanted))]
    Pages {
        /// The file.
        image: String,
        /// How many it has.
        pages: usize,
        /// Which one was chosen, from 1.
        wanted: Option<NonZeroU32>,
    },
    /// The header promises more pixels than the limit; nothing was decoded.
    #[error("{image}: {width} x {height} pixels are over the limit of {limit}; {SHRINK}")]
    TooLarge {
        /// The file.
        image: String,
        /// Width that the header states.
        width: u64,
        /// Height that the header states.
        height: u64,
        /// Greatest number of pixels.
        limit: u64,
    },
    /// A file name that is not UTF-8 cannot be written to lists and reports.
    #[error("{}: the file name is not UTF-8; {RENAME}", path.display())]
    NotUtf8 {
        /// The path, shown with replacement characters.
        path: PathBuf,
    },
    /// A table, manifest, batch or split file breaks its format.
    #[error("{}: {place}: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, record or byte offset.
        place: String,
        /// What is wrong.
        source: Cause,
    },
    /// The category (object, or normal class) is missing or unknown.
    #[error("{given}; {}", choose(known))]
    Category {
        /// What was given.
        given: String,
        /// The categories there are.
        known: Vec<String>,
    },
    /// Labelled images are wanted without anomalous training images to draw them from.
    #[error(
        "labelled anomalous training images are wanted but {dataset} has none{detail}; {GIVE_ANOMALOUS}"
    )]
    NoAnomalous {
        /// Name of the data set.
        dataset: String,
        /// Which classes were asked for, if any.
        detail: String,
    },
    /// The same image is in the training and in the test (or validation) part.
    #[error("{image} is in both the {first} and the {second} images; {REMOVE_ONE}")]
    Leak {
        /// The image.
        image: String,
        /// One part.
        first: &'static str,
        /// The other part.
        second: &'static str,
    },
    /// Masks that would make a figure wrong; every one is listed.
    #[error("the masks cannot be used as they are:{}", listed(problems))]
    Masks {
        /// What is wrong, in the order of the images.
        problems: Vec<MaskProblem>,
    },
    /// A parameter out of range.
    #[error("{name} = {value}: {reason}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: String,
        /// The allowed range.
        reason: String,
    },
}

const PUT_BACK: &str = "put the file of then back, or start a new run";
const LEAVE_OUT: &str = "mend or remove them, or leave them out (--skip-bad)";
const CONVERT: &str = "convert it to grey or RGB of 8 or 16 bits";
const CHOOSE_PAGE: &str = "choose one (--page 1), or save each as a file of its own";
const SHRINK: &str = "shrink the image first";
const RENAME: &str = "rename it";
const GIVE_ANOMALOUS: &str = "give a folder of anomalous images or set labelled_ratio to 0";
const REMOVE_ONE: &str = "remove it from one of them";

fn choose(known: &[String]) -> String {
    format!("choose one of: {}", known.join(", "))
}

fn pages_and_way_out(pages: usize, wanted: Option<NonZeroU32>) -> String {
    match (wanted, pages) {
        (None, _) => format!("{pages} pages or frames; {CHOOSE_PAGE}"),
        (Some(page), 1) => format!("one page, but page {page} was chosen"),
        (Some(page), _) => format!("{pages} pages or frames, but page {page} was chosen"),
    }
}

/// How many things an error or a warning names one by one.
pub(crate) const NAMED: usize = 10;

/// A line for each of the first problems, and a count of the rest.
fn listed(problems: &[MaskProblem]) -> String {
    let mut text: String = problems
        .iter()
        .take(NAMED)
        .map(|problem| format!("\n  {problem}"))
        .collect();
    if problems.len() > NAMED {
        text += &format!("\n  and {} more", problems.len() - NAMED);
    }
    text
}

/// Errors that a message lists one by one.
const LISTED: usize = 10;

/// The first errors, and how many more there are.
fn some(errors: &[DataError]) -> String {
    let mut listed: Vec<String> = errors
        .iter()
        .take(LISTED)
        .map(ToString::to_string)
        .collect();
    if errors.len() > LISTED {
        listed.push(format!("and {} more", errors.len() - LISTED));
    }
    listed.join("; ")
}

impl DataError {
    /// What to do, where there is something to do. The message ends with it, after `; `.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Missing { hint, .. } | Self::TooFew { hint, .. } => hint,
            Self::Category { known, .. } => return Some(choose(known)),
            Self::Replaced { .. } => PUT_BACK,
            Self::UnreadableImages { .. } => LEAVE_OUT,
            Self::Unsupported { .. } => CONVERT,
            Self::Pages { wanted: None, .. } => CHOOSE_PAGE,
            Self::TooLarge { .. } => SHRINK,
            Self::NotUtf8 { .. } => RENAME,
            Self::NoAnomalous { .. } => GIVE_ANOMALOUS,
            Self::Leak { .. } => REMOVE_ONE,
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// An error in a file of ours.
    pub(crate) fn parse(path: &Path, place: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Parse {
            path: path.to_path_buf(),
            place: place.into(),
            source: source.into(),
        }
    }

    /// An image that cannot be decoded.
    pub(crate) fn unreadable(image: &impl ToString, source: impl Into<Cause>) -> Self {
        Self::Unreadable {
            image: image.to_string(),
            source: source.into(),
        }
    }
}
