//! What lies where in each layout.

use std::fmt::Write;
use std::path::Path;

use super::{Artist, StandIn};
use crate::error::DataError;
use crate::layout::cifar10;
use crate::random::Stream;
use crate::synth::{DefectKind, weave};

/// `PART/CLASS/NAME`.
pub(super) fn classes(
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

/// The four folders of the layout `folder`.
pub(super) fn folder(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
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

/// Inputs, truth tables and lesion groupings of ISIC 2018 task 3.
pub(super) fn isic2018(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
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
        ckaad_files::write(
            &truth.join(format!("ISIC2018_Task3_{part}_GroundTruth.csv")),
            table.as_bytes(),
        )?;
    }
    Ok(ckaad_files::write(
        &dir.join("ISIC2018_Task3_Training_LesionGroupings.csv"),
        lesions.as_bytes(),
    )?)
}

/// One category of MVTec AD with two kinds of defect.
pub(super) fn mvtec_ad(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
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

/// Objects of VisA and their table; masks hold small numbers.
pub(super) fn visa(
    artist: &Artist,
    objects: &[&str],
    dir: &Path,
    size: StandIn,
) -> Result<(), DataError> {
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
    Ok(ckaad_files::write(
        &dir.join("split_csv/1cls.csv"),
        table.as_bytes(),
    )?)
}

/// The binary form; each class is cloth of its own shade.
pub(super) fn cifar10_batches(seed: u64, dir: &Path, size: StandIn) -> Result<(), DataError> {
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
        ckaad_files::write(&dir.join(format!("{name}.bin")), &bytes)?;
    }
    Ok(())
}

/// A `manifest.csv` that uses every column.
pub(super) fn manifest(artist: &Artist, dir: &Path, size: StandIn) -> Result<(), DataError> {
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
    Ok(ckaad_files::write(
        &dir.join("manifest.csv"),
        table.as_bytes(),
    )?)
}
