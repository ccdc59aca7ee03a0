//! Small synthetic stand-ins in the layout of every data set.

mod layouts;

use std::path::{Path, PathBuf};

use ::image::ExtendedColorType;
use ::image::codecs::jpeg::JpegEncoder;

use super::{DefectKind, defect, mark, save_png, weave};
use crate::error::DataError;
use crate::layout::Layout;
use crate::random::Stream;

/// How large a stand-in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// Side of the pictures in pixels, at least 16 (CIFAR-10 always has 32).
    pub side: usize,
    /// Training pictures per class, at least 1.
    pub train: usize,
    /// Test pictures per class, at least 1.
    pub test: usize,
}

impl Default for StandIn {
    /// 64 pixels, 8 + 4 pictures per class.
    fn default() -> Self {
        Self {
            side: 64,
            train: 8,
            test: 4,
        }
    }
}

/// Draws pictures and files them.
struct Artist {
    seed: u64,
    side: usize,
}

impl Artist {
    /// The picture `number` of a class and its mask; class 0 is normal, others have a defect of a kind of their own.
    fn draw(&self, what: &str, class: usize, number: usize) -> (Vec<u8>, Vec<u8>) {
        let mut stream = Stream::at(what, &[self.seed, class as u64, number as u64]);
        let mut pixels = weave::draw(self.side, &mut stream);
        let mut mask = vec![0; self.side * self.side];
        if class > 0 {
            mask = defect::draw(
                DefectKind::ALL[(class - 1) % DefectKind::ALL.len()],
                &mut pixels,
                self.side,
                &mut stream,
            );
        }
        (pixels, mask)
    }

    /// Files a picture as JPEG or PNG, by its extension.
    fn save(&self, path: &Path, pixels: &[u8]) -> Result<(), DataError> {
        if path.extension().is_some_and(|extension| extension == "png") {
            return save_png(path, pixels, self.side, self.side);
        }
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 92)
            .encode(
                pixels,
                self.side as u32,
                self.side as u32,
                ExtendedColorType::Rgb8,
            )
            .map_err(|error| DataError::unreadable(&path.display(), error))?;
        Ok(ckaad_files::write(path, &bytes)?)
    }

    /// Draws `count` pictures into files of given names.
    fn fill(
        &self,
        what: &str,
        class: usize,
        count: usize,
        name: impl Fn(usize) -> PathBuf,
    ) -> Result<(), DataError> {
        (0..count)
            .try_for_each(|number| self.save(&name(number), &self.draw(what, class, number).0))
    }
}

/// Draws a stand-in in any layout; `categories` names what is drawn where there are categories (CIFAR-10 draws all classes).
///
/// # Errors
/// [`DataError::Parameter`] for sizes below the minimum, [`DataError::File`].
pub fn synth_layout(
    layout: Layout,
    categories: &[&str],
    dir: &Path,
    seed: u64,
    size: StandIn,
) -> Result<(), DataError> {
    if size.side < 16 || size.train == 0 || size.test == 0 {
        let reason = "needs a side of at least 16 and a picture per class and part".into();
        return Err(DataError::Parameter {
            name: "stand-in size",
            value: format!("{size:?}"),
            reason,
        });
    }
    mark(dir, seed)?;
    let artist = Artist {
        seed,
        side: size.side,
    };
    match layout {
        Layout::Folder => layouts::folder(&artist, dir, size),
        Layout::ChestXRay2017 => layouts::classes(
            &artist,
            dir,
            size,
            &["NORMAL", "PNEUMONIA"],
            |class, n| match class {
                0 => format!("IM-{n:04}-0001.jpeg"),
                _ => format!("person{n}_virus_{n}.jpeg"),
            },
        ),
        Layout::Oct2017 => {
            let names = ["NORMAL", "CNV", "DME", "DRUSEN"];
            layouts::classes(&artist, dir, size, &names, |class, n| {
                format!("{}-{}-{}.jpeg", names[class], 1000 + n / 2, n % 2 + 1)
            })
        }
        Layout::Br35h => ["no", "yes"]
            .iter()
            .enumerate()
            .try_for_each(|(class, name)| {
                // Four fifths train; mixed capitals as in circulation.
                let total = size.train.max(4) * 5 / 4;
                artist.fill(name, class, total, |n| {
                    dir.join(name).join(if n % 2 == 0 {
                        format!("{name}{n}.jpg")
                    } else {
                        format!("{}{n}.JPG", name.to_uppercase())
                    })
                })
            }),
        Layout::Isic2018 => layouts::isic2018(&artist, dir, size),
        Layout::MvtecAd => categories
            .iter()
            .try_for_each(|category| layouts::mvtec_ad(&artist, &dir.join(category), size)),
        Layout::Visa => layouts::visa(&artist, categories, dir, size),
        Layout::Cifar10 => layouts::cifar10_batches(seed, dir, size),
        Layout::Manifest => layouts::manifest(&artist, dir, size),
    }
}
