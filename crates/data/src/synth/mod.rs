//! Synthetic pictures: a demonstration data set that needs no download.
//!
//! Nothing here is real; every folder written is marked by a file `SYNTHETIC.txt`.

mod defect;
mod stand_in;
mod weave;

use std::path::Path;

use ::image::codecs::png::PngEncoder;
use ::image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;

use crate::error::DataError;
use crate::random::Stream;

use defect::DefectKind;
pub use stand_in::{StandIn, synth_layout};

/// How large a demonstration data set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SynthSize {
    /// Side of the pictures in pixels, at least 32.
    pub side: usize,
    /// Normal training pictures.
    pub train_normal: usize,
    /// Anomalous training pictures with image-level labels, spread over the kinds of defect.
    pub train_anomalous: usize,
    /// Normal test pictures.
    pub test_normal: usize,
    /// Anomalous test pictures, spread over the kinds of defect.
    pub test_anomalous: usize,
}

impl Default for SynthSize {
    /// 128 pixels; 120 + 12 training and 40 + 40 test pictures.
    fn default() -> Self {
        Self {
            side: 128,
            train_normal: 120,
            train_anomalous: 12,
            test_normal: 40,
            test_anomalous: 40,
        }
    }
}

/// Name of the file that marks a folder as synthetic.
pub(crate) const MARKER: &str = "SYNTHETIC.txt";

/// Writes the synthetic category `weave` in the MVTec AD layout into `dir` (made if missing): normal pictures of a woven texture, and
/// pictures with a blob, scratch, hole or stain, with masks for the test part and image-level labels (folders `train/KIND`) for training.
///
/// # Errors
/// [`DataError::Parameter`] if the side is below 32 or there is no normal training picture; [`DataError::File`].
pub fn synth_demo(dir: &Path, seed: u64, size: SynthSize) -> Result<(), DataError> {
    if size.side < 32 || size.train_normal == 0 {
        let value = format!(
            "side {}, {} normal training pictures",
            size.side, size.train_normal
        );
        return Err(DataError::Parameter {
            name: "synth size",
            value,
            reason: "needs a side of at least 32 and one normal picture".into(),
        });
    }
    mark(dir, seed)?;
    let category = dir.join("weave");
    draw_part(&category, "train", None, size.train_normal, size.side, seed)?;
    draw_part(&category, "test", None, size.test_normal, size.side, seed)?;
    for (number, kind) in DefectKind::ALL.into_iter().enumerate() {
        // The first kinds get one more where the counts do not divide.
        let share =
            |count: usize| (count + DefectKind::ALL.len() - 1 - number) / DefectKind::ALL.len();
        draw_part(
            &category,
            "train",
            Some(kind),
            share(size.train_anomalous),
            size.side,
            seed,
        )?;
        draw_part(
            &category,
            "test",
            Some(kind),
            share(size.test_anomalous),
            size.side,
            seed,
        )?;
    }
    Ok(())
}

/// Draws `count` pictures of one class, and their masks in the test part.
fn draw_part(
    category: &Path,
    part: &str,
    kind: Option<DefectKind>,
    count: usize,
    side: usize,
    seed: u64,
) -> Result<(), DataError> {
    if count == 0 {
        return Ok(());
    }
    let class = kind.map_or("good", DefectKind::name);
    let folder = category.join(part).join(class);
    let masks = category.join("ground_truth").join(class);
    let with_mask = kind.is_some() && part == "test";
    (0..count).into_par_iter().try_for_each(|index| {
        let mut stream = Stream::at(&format!("synth.{part}.{class}"), &[seed, index as u64]);
        let mut pixels = weave::draw(side, &mut stream);
        if let Some(kind) = kind {
            let mask = defect::draw(kind, &mut pixels, side, &mut stream);
            if with_mask {
                save_png(
                    &masks.join(format!("{index:03}_mask.png")),
                    &mask,
                    side,
                    side,
                )?;
            }
        }
        save_png(&folder.join(format!("{index:03}.png")), &pixels, side, side)
    })
}

/// Marks a folder as synthetic.
fn mark(dir: &Path, seed: u64) -> Result<(), DataError> {
    let text = format!(
        "The pictures in this folder are SYNTHETIC: drawn by ckaad with seed {seed} for demonstrations and tests.\n\
         They show no real object or person; results on them say nothing about real data.\n"
    );
    Ok(ckaad_files::write(&dir.join(MARKER), text.as_bytes())?)
}

/// Writes grey (one byte per pixel) or RGB (three) as PNG, atomically.
pub(crate) fn save_png(
    path: &Path,
    pixels: &[u8],
    width: usize,
    height: usize,
) -> Result<(), DataError> {
    let color = if pixels.len() == width * height {
        ExtendedColorType::L8
    } else {
        ExtendedColorType::Rgb8
    };
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width as u32, height as u32, color)
        .map_err(|error| DataError::unreadable(&path.display(), error))?;
    Ok(ckaad_files::write(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Dataset, Label, Layout, MaskRule, Orientation, load_mask_native};

    #[test]
    fn the_demo_is_a_complete_marked_mvtec_category() {
        let dir = tempfile::tempdir().unwrap();
        let size = SynthSize {
            side: 64,
            train_normal: 6,
            train_anomalous: 5,
            test_normal: 3,
            test_anomalous: 8,
        };
        synth_demo(dir.path(), 7, size).unwrap();
        assert!(dir.path().join(MARKER).is_file());
        let dataset = Dataset::open(Layout::MvtecAd, dir.path(), None).unwrap();
        let count =
            |list: &[crate::Sample], label| list.iter().filter(|s| s.label == label).count();
        assert_eq!(
            (
                count(&dataset.train, Label::Normal),
                count(&dataset.train, Label::Anomalous)
            ),
            (6, 5)
        );
        assert_eq!(
            (
                count(&dataset.test, Label::Normal),
                count(&dataset.test, Label::Anomalous)
            ),
            (3, 8)
        );
        for sample in dataset.test.iter().filter(|s| s.label.is_anomalous()) {
            let mask =
                load_mask_native(&sample.masks, MaskRule::Half, Orientation::Ignore).unwrap();
            let share =
                mask.pixels.iter().filter(|&&p| p).count() as f64 / mask.pixels.len() as f64;
            assert!((0.001..0.25).contains(&share), "{}: {share}", sample.path);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_pictures() {
        let size = SynthSize {
            side: 32,
            train_normal: 1,
            train_anomalous: 0,
            test_normal: 0,
            test_anomalous: 0,
        };
        let draw = |seed| {
            let dir = tempfile::tempdir().unwrap();
            synth_demo(dir.path(), seed, size).unwrap();
            std::fs::read(dir.path().join("weave/train/good/000.png")).unwrap()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
