//! Small synthetic stand-ins in the layout of every data set.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ::image::ExtendedColorType;
use ::image::codecs::jpeg::JpegEncoder;

use super::{DefectKind, create_dir, defect, mark, save_png, weave};
use crate::error::DataError;
use crate::layout::Layout;
use crate::layout::cifar10;
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
        if let Some(folder) = path.parent() {
            create_dir(folder)?;
        }
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
        crate::atomic::write(path, &bytes)
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
/// [`DataError::Parameter`] for sizes below the minimum, [`DataError::Io`].
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
    create_dir(dir)?;
    mark(dir, seed)?;
    let artist = Artist {
        seed,
        side: size.side,
    };
    match layout {
        Layout::Folder => folder(&artist, dir, size),
        Layout::ChestXRay2017 => classes(
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
            classes(&artist, dir, size, &names, |class, n| {
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
        Layout::Isic2018 => isic2018(&artist, dir, size),
        Layout::MvtecAd => categories
            .iter()
            .try_for_each(|category| mvtec_ad(&artist, &dir.join(category), size)),
        Layout::Visa => visa(&artist, categories, dir, size),
        Layout::Cifar10 => cifar10_batches(seed, dir, size),
        Layout::Manifest => manifest(&artist, dir, size),
    }
}

/// `PART/CLASS/NAME`.
fn classes(
    artist: &Artist,
    dir: &Path,
    size: StandIn,
    names: &[&str],
    file: impl Fn(usize, usize) -> String,
) -> Result<(), DataError> {
    for (part, count) in [("train", size.train), ("test", size.test)] {
        for (class, name) in names.iter().enumerate() {
            artist.fill(part, class, count, |n| {
                dir.join(part).join(name).join(file(class, n))
            })?;
        }
    }
    Ok(())
}

fn folder(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
    artist.fill("train", 0, size.train, |n| {
        dir.join("normal").join(format!("{n}.png"))
    })?;
    artist.fill("train", 1, size.train, |n| {
        dir.join("anomalous/blob").join(format!("{n}.png"))
    })?;
    artist.fill("test", 0, size.test, |n| {
        dir.join("test/normal").join(format!("{n}.png"))
    })?;
    (0..size.test).try_for_each(|n| {
        let (pixels, mask) = artist.draw("test", 1, n);
        artist.save(&dir.join("test/blob").join(format!("{n}.png")), &pixels)?;
        artist.save(&dir.join("masks/blob").join(format!("{n}.png")), &mask)
    })
}

fn isic2018(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
    let names = ["NV", "MEL", "BCC", "AKIEC", "BKL", "DF", "VASC"];
    let mut lesions = String::from("image,lesion_id,diagnosis_confirm_type\n");
    for (part, count, base) in [
        ("Training", size.train, 24_000),
        ("Validation", size.test, 34_000),
    ] {
        let mut table = format!("image,{}\n", names.join(","));
        for number in 0..count * names.len() {
            let class = number % names.len();
            let image = format!("ISIC_{:07}", base + number);
            artist.save(
                &dir.join(format!("ISIC2018_Task3_{part}_Input/{image}.jpg")),
                &artist.draw(part, class, number).0,
            )?;
            let marks: Vec<&str> = (0..names.len())
                .map(|c| if c == class { "1.0" } else { "0.0" })
                .collect();
            let _ = writeln!(table, "{image},{}", marks.join(","));
            let _ = writeln!(
                lesions,
                "{image},HAM_{:07},histopathology",
                base + number / (2 * names.len()) * names.len() + class
            );
        }
        let truth = dir.join(format!("ISIC2018_Task3_{part}_GroundTruth"));
        create_dir(&truth)?;
        crate::atomic::write(
            &truth.join(format!("ISIC2018_Task3_{part}_GroundTruth.csv")),
            table.as_bytes(),
        )?;
    }
    crate::atomic::write(
        &dir.join("ISIC2018_Task3_Training_LesionGroupings.csv"),
        lesions.as_bytes(),
    )
}

fn mvtec_ad(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
    let what = dir.display().to_string();
    let what = what.rsplit('/').next().unwrap_or("mvtec").to_owned();
    artist.fill(&format!("{what}.train"), 0, size.train, |n| {
        dir.join("train/good").join(format!("{n:03}.png"))
    })?;
    artist.fill(&format!("{what}.test"), 0, size.test, |n| {
        dir.join("test/good").join(format!("{n:03}.png"))
    })?;
    for (class, kind) in (1..).zip([DefectKind::Blob, DefectKind::Scratch]) {
        for n in 0..size.test {
            let (pixels, mask) = artist.draw(&format!("{what}.test"), class, n);
            artist.save(
                &dir.join("test")
                    .join(kind.name())
                    .join(format!("{n:03}.png")),
                &pixels,
            )?;
            artist.save(
                &dir.join("ground_truth")
                    .join(kind.name())
                    .join(format!("{n:03}_mask.png")),
                &mask,
            )?;
        }
    }
    Ok(())
}

fn visa(artist: &Artist, objects: &[&str], dir: &Path, size: StandIn) -> Result<(), DataError> {
    let mut table = String::from("object,split,label,image,mask\n");
    for object in objects {
        for n in 0..size.train + size.test {
            let split = if n < size.train { "train" } else { "test" };
            let image = format!("{object}/Data/Images/Normal/{n:04}.JPG");
            artist.save(&dir.join(&image), &artist.draw(object, 0, n).0)?;
            let _ = writeln!(table, "{object},{split},normal,{image},");
        }
        for n in 0..size.test {
            let (image, mask) = (
                format!("{object}/Data/Images/Anomaly/{n:03}.JPG"),
                format!("{object}/Data/Masks/Anomaly/{n:03}.png"),
            );
            let (pixels, mut values) = artist.draw(object, 1 + n % 4, n);
            // Small class numbers, as in the original.
            values
                .iter_mut()
                .for_each(|value| *value = (*value / 255) * (1 + n % 4) as u8);
            artist.save(&dir.join(&image), &pixels)?;
            artist.save(&dir.join(&mask), &values)?;
            let _ = writeln!(table, "{object},test,anomaly,{image},{mask}");
        }
    }
    create_dir(&dir.join("split_csv"))?;
    crate::atomic::write(&dir.join("split_csv/1cls.csv"), table.as_bytes())
}

/// The binary form; the ten classes are ten threads counts and tints of cloth.
fn cifar10_batches(seed: u64, dir: &Path, size: StandIn) -> Result<(), DataError> {
    const SIDE: usize = 32;
    let names = [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ];
    for (batch, name) in names.into_iter().enumerate() {
        let per_class = if name == "test_batch" {
            size.test
        } else {
            size.train.div_ceil(5)
        };
        let mut bytes = Vec::new();
        for number in 0..per_class * cifar10::CLASSES.len() {
            let class = number % cifar10::CLASSES.len();
            let pixels = weave::draw(
                SIDE,
                &mut Stream::at("cifar10", &[seed, batch as u64, number as u64]),
            );
            // Each class has its own brightness per channel.
            let shade = Stream::at("cifar10.class", &[class as u64])
                .next_u64()
                .to_le_bytes();
            bytes.push(class as u8);
            for (channel, &shade) in shade[..3].iter().enumerate() {
                let values = pixels.iter().skip(channel).step_by(3);
                bytes.extend(values.map(|value| *value / 2 + shade / 2));
            }
        }
        crate::atomic::write(&dir.join(format!("{name}.bin")), &bytes)?;
    }
    Ok(())
}

fn manifest(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
    let mut table = String::from("path,label,class,mask,split,group\n");
    for (split, count) in [
        ("train", size.train),
        ("validation", 2),
        ("test", size.test),
    ] {
        for n in 0..count {
            for (class, label) in [(0, "normal"), (1, "anomalous")] {
                let (pixels, mask) = artist.draw(split, class, n);
                let (image, mask_name) = (
                    format!("images/{split}-{label}-{n}.png"),
                    format!("masks/{split}-{n}.png"),
                );
                artist.save(&dir.join(&image), &pixels)?;
                let with_mask = class == 1 && split == "test";
                if with_mask {
                    artist.save(&dir.join(&mask_name), &mask)?;
                }
                let _ = writeln!(
                    table,
                    "{image},{label},{label},{},{split},{split}-{}",
                    if with_mask { &mask_name } else { "" },
                    n / 2
                );
            }
        }
    }
    crate::atomic::write(&dir.join("manifest.csv"), table.as_bytes())
}
