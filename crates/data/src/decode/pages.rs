//! Files of several pages or frames: how many there are, and the one that is read.

use std::num::NonZeroU32;
use std::path::Path;

use ::image::ImageFormat;

use super::chunks::{png_chunks, riff_chunks};
use super::directories::{Directories, Directory, HEAD};
use crate::error::DataError;

/// Which picture of a file is read.
pub(super) struct Page {
    /// The frame of an animation, from 0, that must be composed; `None` for the picture that the file starts with.
    pub(super) frame: Option<usize>,
    /// The number of the orientation that a TIFF page states.
    pub(super) orientation: Option<u64>,
}

/// Finds the page, and makes it the first one of a TIFF file by changing the header in `bytes`.
pub(super) fn choose(
    bytes: &mut [u8],
    format: ImageFormat,
    wanted: Option<NonZeroU32>,
    path: &Path,
) -> Result<Page, DataError> {
    let frame = match format {
        ImageFormat::Tiff => return choose_in_tiff(bytes, wanted, path),
        ImageFormat::Png => {
            let (frames, still) = png_frames(bytes);
            let index = index(frames + usize::from(still), wanted, path)?;
            // A still picture that belongs to no animation comes before its frames.
            (index > 0).then(|| index - usize::from(still))
        }
        ImageFormat::WebP => {
            let frames = riff_chunks(bytes).filter(|(kind, _)| *kind == b"ANMF");
            let index = index(frames.count().max(1), wanted, path)?;
            (index > 0).then_some(index)
        }
        _ => {
            index(1, wanted, path)?;
            None
        }
    };
    Ok(Page {
        frame,
        orientation: None,
    })
}

/// The page wanted of so many, from 0.
pub(crate) fn index(
    pages: usize,
    wanted: Option<NonZeroU32>,
    path: &Path,
) -> Result<usize, DataError> {
    match wanted {
        None if pages == 1 => Ok(0),
        Some(page) if page.get() as usize <= pages => Ok(page.get() as usize - 1),
        _ => Err(DataError::Pages {
            image: path.display().to_string(),
            pages,
            wanted,
        }),
    }
}

fn choose_in_tiff(
    bytes: &mut [u8],
    wanted: Option<NonZeroU32>,
    path: &Path,
) -> Result<Page, DataError> {
    let damaged = |what: &str| DataError::unreadable(&path.display(), what);
    let mut directories =
        Directories::new(bytes).ok_or_else(|| damaged("its header is cut off"))?;
    let all: Option<Vec<Directory>> = directories.by_ref().collect();
    let all = all.ok_or_else(|| {
        damaged("the list of its pages leads out of the file or in a circle: it is truncated or damaged")
    })?;
    let mut pages: Vec<&Directory> = all.iter().filter(|page| page.is_page).collect();
    if pages.is_empty() {
        pages = all.iter().collect();
    }
    if pages.is_empty() {
        return Err(damaged("it has no page"));
    }
    let page = pages[index(pages.len(), wanted, path)?];
    let field = directories.head_pointing_to(page.offset);
    bytes[HEAD..HEAD + field.len()].copy_from_slice(&field);
    Ok(Page {
        frame: None,
        orientation: page.orientation,
    })
}

/// Frames of an animated PNG, and whether a still picture that is none of them comes first. A file that is not animated is one frame.
fn png_frames(bytes: &[u8]) -> (usize, bool) {
    let mut frames = None;
    let mut still = true;
    for (kind, data) in png_chunks(bytes) {
        match (kind, data) {
            (b"acTL", &[a, b, c, d, ..]) => frames = Some(u32::from_be_bytes([a, b, c, d])),
            (b"fcTL", _) => still = false,
            (b"IDAT", _) => break,
            _ => {}
        }
    }
    match frames {
        None | Some(0) => (1, false),
        Some(frames) => (frames as usize, still),
    }
}
