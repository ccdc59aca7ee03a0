//! Compares a copy of a benchmark with its manifest.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::report::{CheckReport, Count, Duplicate};
use super::{Counts, Manifest, find};
use crate::error::DataError;
use crate::image::load_picture;
use crate::layout::{Dataset, Layout};
use crate::mask::load_mask_native;
use crate::reading::Orientation;
use crate::room::room_for;
use crate::sample::{Label, Sample};
use crate::store::Progress;
use crate::synth::MARKER;

/// Checks the copy of benchmark `name` in `dir`: counts per part and class against the manifest, equal files in train and test, unreadable
/// images, masks without images and the reverse. Every image is read and decoded once, in parallel.
///
/// # Errors
/// [`DataError::Category`] for an unknown name, [`DataError::File`] if `dir` cannot be read. What is wrong with the copy is in the report.
pub fn check(name: &str, dir: &Path) -> Result<CheckReport, DataError> {
    check_with_progress(name, dir, None)
}

/// [`check`] with a report of (images done, images in all).
///
/// # Errors
/// As [`check`].
pub fn check_with_progress(
    name: &str,
    dir: &Path,
    progress: Option<Progress<'_>>,
) -> Result<CheckReport, DataError> {
    let manifest = find(name)?;
    std::fs::read_dir(dir).map_err(ckaad_files::FileError::io("list the folder", dir))?;
    let mut report = CheckReport {
        dataset: manifest.name.clone(),
        root: dir.display().to_string(),
        synthetic: dir.join(MARKER).is_file(),
        ..CheckReport::default()
    };
    let datasets = open_all(manifest, dir, &mut report);
    for (category, dataset) in &datasets {
        let expected = if category.is_empty() {
            &manifest.counts
        } else {
            manifest
                .categories
                .get(category)
                .unwrap_or(&manifest.counts)
        };
        for (part, samples) in parts(dataset) {
            count(category, part, samples, expected.get(part), &mut report);
        }
        report.masks_without_image.extend(
            dataset
                .unused_masks
                .iter()
                .map(|path| path.display().to_string()),
        );
    }
    read_all(&datasets, progress, &mut report);
    Ok(report)
}

/// The parts of a data set by name.
fn parts(dataset: &Dataset) -> [(&'static str, &[Sample]); 3] {
    [
        ("train", &dataset.train),
        ("validation", &dataset.validation),
        ("test", &dataset.test),
    ]
}

/// Opens every expected category, or the whole; what fails becomes a problem of the report.
fn open_all(manifest: &Manifest, dir: &Path, report: &mut CheckReport) -> Vec<(String, Dataset)> {
    // The categories of CIFAR-10 only name which class is normal: one pass sees every image.
    let categories: Vec<(String, Option<&str>)> = match manifest.layout {
        Layout::Cifar10 => vec![(String::new(), Some("airplane"))],
        _ if manifest.categories.is_empty() => vec![(String::new(), None)],
        _ => manifest
            .categories
            .keys()
            .map(|name| (name.clone(), Some(name.as_str())))
            .collect(),
    };
    let mut datasets = Vec::new();
    for (name, category) in categories {
        match Dataset::open(manifest.layout, dir, category) {
            Ok(dataset) => datasets.push((name, dataset)),
            Err(error) => {
                report.problems.push(error.to_string());
                for (part, counts) in manifest.categories.get(&name).unwrap_or(&manifest.counts) {
                    for (class, &expected) in counts {
                        let (category, part, class) = (name.clone(), part.clone(), class.clone());
                        report.counts.push(Count {
                            category,
                            part,
                            class,
                            expected: Some(expected),
                            found: 0,
                        });
                    }
                }
            }
        }
    }
    datasets
}

/// Found against expected for one part.
fn count(
    category: &str,
    part: &str,
    samples: &[Sample],
    expected: Option<&Counts>,
    report: &mut CheckReport,
) {
    let mut lines: BTreeMap<String, (Option<usize>, usize)> = BTreeMap::new();
    for (class, &number) in expected.into_iter().flatten() {
        lines.insert(class.clone(), (Some(number), 0));
    }
    for sample in samples {
        let label = sample.label.to_string();
        let key = if lines.contains_key(&sample.class) || !lines.contains_key(&label) {
            sample.class.clone()
        } else {
            label
        };
        lines.entry(key).or_insert((None, 0)).1 += 1;
    }
    for (class, (expected, found)) in lines {
        report.counts.push(Count {
            category: category.to_owned(),
            part: part.to_owned(),
            class,
            expected,
            found,
        });
    }
}

/// What reading one image gave.
struct Finding {
    hash: Option<[u8; 32]>,
    unreadable: Vec<String>,
    mask_size: Option<String>,
}

/// Reads every image and mask, and compares contents.
fn read_all(
    datasets: &[(String, Dataset)],
    progress: Option<Progress<'_>>,
    report: &mut CheckReport,
) {
    let all: Vec<(&str, &Sample, Layout)> = datasets
        .iter()
        .flat_map(|(_, dataset)| {
            parts(dataset).into_iter().flat_map(move |(part, list)| {
                list.iter()
                    .map(move |sample| (part, sample, dataset.layout))
            })
        })
        .collect();
    let done = AtomicUsize::new(0);
    let findings: Vec<Finding> = all
        .par_iter()
        .map(|&(_, sample, layout)| {
            let finding = read(sample, layout);
            if let Some(progress) = progress {
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, all.len());
            }
            finding
        })
        .collect();
    let mut by_hash: BTreeMap<[u8; 32], (Vec<String>, Vec<String>)> = BTreeMap::new();
    for (&(part, sample, layout), finding) in all.iter().zip(findings) {
        let has_masks = matches!(layout, Layout::MvtecAd | Layout::Visa);
        if has_masks
            && part == "test"
            && sample.label == Label::Anomalous
            && sample.masks.is_empty()
        {
            report.images_without_mask.push(sample.path.to_string());
        }
        report.unreadable.extend(finding.unreadable);
        report.mask_sizes.extend(finding.mask_size);
        if let Some(hash) = finding.hash {
            let (train, test) = by_hash.entry(hash).or_default();
            if part == "test" { test } else { train }.push(sample.path.to_string());
        }
    }
    for (train, test) in by_hash.into_values() {
        report.repeated += train.len().saturating_sub(1) + test.len().saturating_sub(1);
        if !train.is_empty() && !test.is_empty() {
            report.duplicates.push(Duplicate { train, test });
        }
    }
    report.duplicates.sort_by(|a, b| a.train.cmp(&b.train));
}

/// Decodes one image and its mask. The hash is of the decoded pixels: it also finds copies saved under other names or metadata.
fn read(sample: &Sample, layout: Layout) -> Finding {
    let mut finding = Finding {
        hash: None,
        unreadable: Vec::new(),
        mask_size: None,
    };
    let _room = room_for(&sample.path);
    let size = match load_picture(&sample.path) {
        Ok(picture) => {
            let mut hasher = Sha256::new();
            hasher.update((picture.width as u64).to_le_bytes());
            hasher.update(&picture.pixels);
            finding.hash = Some(hasher.finalize().into());
            Some((picture.width, picture.height))
        }
        Err(error) => {
            finding.unreadable.push(error.to_string());
            None
        }
    };
    if let Some(path) = sample.masks.first() {
        match load_mask_native(&sample.masks, layout.mask_rule(), Orientation::of(layout)) {
            Ok(mask) if size.is_some_and(|size| size != (mask.width, mask.height)) => {
                let (width, height) = size.unwrap_or_default();
                finding.mask_size = Some(format!(
                    "{}: {} x {}, the image is {width} x {height}",
                    path.display(),
                    mask.width,
                    mask.height
                ));
            }
            Ok(_) => {}
            Err(error) => finding.unreadable.push(error.to_string()),
        }
    }
    finding
}
