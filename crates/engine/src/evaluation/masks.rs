//! Masks of test images.

use ckaad_data::{DataError, ImageStore, Mask, Split, load_mask};

/// The masks of images that have any.
pub(super) fn masks(
    images: &[usize],
    store: &ImageStore,
    split: &Split,
) -> Result<Vec<Option<Mask>>, DataError> {
    let Split {
        mask_rule,
        mask_resize,
        reading,
        ..
    } = split;
    images
        .iter()
        .map(|&index| match store.samples()[index].masks.as_slice() {
            [] => Ok(None),
            files => {
                let orientation = reading.orientation;
                load_mask(files, store.size(), *mask_rule, *mask_resize, orientation).map(Some)
            }
        })
        .collect()
}
