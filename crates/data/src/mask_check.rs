//! The pixel-level truth of a split, decoded and checked before anything is trained on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rayon::prelude::*;

use crate::error::DataError;
use crate::finding::{Finding, FindingKind};
use crate::image::picture_size;
use crate::mask::{Grey, MaskResize, MaskRule};
use crate::mask_problem::MaskProblem;
use crate::reading::Reading;
use crate::room::room_for;
use crate::sample::{Sample, Source};
use crate::split::Split;

/// How many values of a mask a message names; more are told by their range.
const VALUES_NAMED: usize = 6;

/// Decodes every mask of the validation and test images and checks that it can be the truth of its image at `size` x `size` pixels.
///
/// Returned are warnings: anomalous test images without a mask where others have one, masks that mark no pixel or nearly every one, and
/// defects that vanish when resized ([`MaskResize::KeepRegions`] keeps them).
///
/// # Errors
/// [`DataError::Masks`] with everything that would make a figure wrong: a mask of two images, one that cannot be read or has another
/// aspect ratio than its image, one that marks pixels of a normal image, one of an anomalous image that marks none although it holds values
/// other than 0, and if all are empty.
pub fn check_masks(split: &Split, size: usize) -> Result<Vec<Finding>, DataError> {
    let samples: Vec<&Sample> = split.validation.iter().chain(&split.test).collect();
    let mut problems = shared(&samples);
    let masked: Vec<&Sample> = samples
        .into_iter()
        .filter(|sample| !sample.masks.is_empty())
        .collect();
    let checked: Vec<Result<Checked, MaskProblem>> = masked
        .par_iter()
        .map(|sample| {
            let _room = room_for(&sample.masks[0].as_path().into());
            check(sample, size, split)
        })
        .collect();
    let anomalous = masked
        .iter()
        .filter(|sample| sample.label.is_anomalous())
        .count();
    let (mut empty, mut inverted, mut vanished) = (Vec::new(), Vec::new(), Vec::new());
    for (sample, checked) in masked.iter().zip(checked) {
        match checked {
            Err(
                problem @ MaskProblem::Empty {
                    non_zero: false, ..
                },
            ) => empty.push(problem),
            Err(problem) => problems.push(problem),
            Ok(checked) => {
                if checked.inverted {
                    inverted.push(sample.masks[0].display().to_string());
                }
                if checked.vanished > 0 {
                    vanished.push(format!("{} ({})", sample.path, checked.vanished));
                }
            }
        }
    }
    if anomalous > 0 && empty.len() == anomalous {
        problems.append(&mut empty);
    }
    if !problems.is_empty() {
        return Err(DataError::Masks { problems });
    }
    let empty: Vec<String> = empty.iter().map(ToString::to_string).collect();
    let what_becomes = match split.mask_resize {
        MaskResize::Exact => "pixel figures leave them out",
        MaskResize::KeepRegions => {
            "each keeps the pixels of which it covers at least half as much as of the one it covers most"
        }
    };
    Ok([
        missing(&split.test),
        Finding::of(
            FindingKind::EmptyMasks,
            &empty,
            format!("{} masks of anomalous images mark no pixel, so these images count as normal in pixel figures", empty.len()),
        ),
        Finding::of(
            FindingKind::InvertedMasks,
            &inverted,
            format!("{} masks cover most of their images and all four corners; invert them if the defect is the dark part", inverted.len()),
        ),
        Finding::of(
            FindingKind::VanishingDefects,
            &vanished,
            format!("{} images have regions of defects that vanish when masks are resized to {size} x {size}; {what_becomes}", vanished.len()),
        ),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// Masks that several images name.
fn shared(samples: &[&Sample]) -> Vec<MaskProblem> {
    let mut by_mask: BTreeMap<&PathBuf, Vec<&Source>> = BTreeMap::new();
    for sample in samples {
        for mask in &sample.masks {
            by_mask.entry(mask).or_default().push(&sample.path);
        }
    }
    by_mask
        .into_iter()
        .filter(|(_, images)| images.len() > 1)
        .map(|(mask, images)| MaskProblem::Shared {
            mask: mask.clone(),
            images: images.into_iter().map(ToString::to_string).collect(),
        })
        .collect()
}

/// Anomalous test images without a mask, if others have one.
fn missing(test: &[Sample]) -> Option<Finding> {
    let anomalous = test.iter().filter(|sample| sample.label.is_anomalous());
    let (with, without): (Vec<&Sample>, Vec<&Sample>) =
        anomalous.partition(|sample| !sample.masks.is_empty());
    if with.is_empty() {
        return None;
    }
    let without: Vec<String> = without
        .iter()
        .map(|sample| sample.path.to_string())
        .collect();
    let message = format!(
        "{} of {} anomalous test images have no mask, so there are no pixel figures",
        without.len(),
        without.len() + with.len()
    );
    Finding::of(FindingKind::MissingMasks, &without, message)
}

/// A mask that can be used.
struct Checked {
    inverted: bool,
    /// Regions that vanish when it is resized.
    vanished: usize,
}

fn check(sample: &Sample, size: usize, split: &Split) -> Result<Checked, MaskProblem> {
    let image = sample.path.to_string();
    let file = || sample.masks[0].clone();
    let grey = match Grey::read(&sample.masks, split.reading.orientation) {
        Ok(grey) => grey,
        Err(DataError::Masks { mut problems }) if problems.len() == 1 => {
            return Err(problems.remove(0));
        }
        Err(source) => {
            let source = Box::new(source);
            return Err(MaskProblem::Unreadable { image, source });
        }
    };
    let (width, height) = (grey.width, grey.height);
    if let Some(other_size) = other_aspect(&sample.path, &split.reading, (width, height)) {
        return Err(MaskProblem::Shape {
            mask: file(),
            size: (width, height),
            other: image,
            other_size,
        });
    }
    let values = values(&grey);
    let any = grey.alpha.is_some() || grey.values.iter().any(|&value| value > 0);
    let truth = grey.under(split.mask_rule);
    let set = truth.set();
    let count = set.iter().filter(|&&set| set).count();
    match (sample.label.is_anomalous(), count) {
        (true, 0) => {
            return Err(MaskProblem::Empty {
                mask: file(),
                image,
                values,
                non_zero: any && split.mask_rule == MaskRule::Half,
            });
        }
        (false, pixels @ 1..) => {
            return Err(MaskProblem::Normal {
                mask: file(),
                image,
                pixels,
            });
        }
        _ => {}
    }
    let last = set.len() - 1;
    let corners = [0, width - 1, last + 1 - width, last];
    Ok(Checked {
        inverted: 2 * count > set.len() && corners.iter().all(|&corner| set[corner]),
        vanished: truth.vanished(size),
    })
}

/// The size of the image if it has another aspect ratio than the mask of that size; sizes that were rounded when scaled agree. Images that
/// cannot be read are named when they are loaded.
fn other_aspect(image: &Source, reading: &Reading, mask: (usize, usize)) -> Option<(usize, usize)> {
    let size = picture_size(image, reading).ok()?;
    let scale = mask.0 as f64 / size.0 as f64;
    let agrees = (mask.1 as f64 - size.1 as f64 * scale).abs() <= scale.max(1.0);
    (!agrees).then_some(size)
}

/// The values of a mask for a message.
fn values(grey: &Grey) -> String {
    let list = |values: &[u8]| {
        let values: BTreeSet<u8> = values.iter().copied().collect();
        let few = values.len() <= VALUES_NAMED;
        match (values.first(), values.last()) {
            (Some(first), Some(last)) if !few => format!("{first} to {last}"),
            _ => values
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        }
    };
    match &grey.alpha {
        Some(alpha) => format!("0, but in the alpha channel {}", list(alpha)),
        None => list(&grey.values),
    }
}
