//! The image files that both sides read.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use ckaad_data::{
    Dataset, Label, Labelled, Layout, Order, Protocol, Sample, Schedule, Split, StandIn,
    synth_layout,
};
use serde::Serialize;
use tempfile::TempDir;

/// Files that `predict` is timed on.
const FILES: usize = 200;
/// Side of synthetic pictures, that of the smaller copies of the data set.
const STAND_IN_SIDE: usize = 224;
/// Synthetic training pictures of each kind, unless told otherwise.
const STAND_INS: usize = 256;
/// Share of labelled images among all training images.
const LABELLED_RATIO: f64 = 0.05;
/// The medical preset's seed.
const SEED: u64 = 111;
/// Normal and labelled images of the run that makes a model to predict with.
const FEW: [usize; 2] = [16, 2];

/// What is said of the images in the report.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Name of the data set's folder.
    pub(super) name: String,
    pub(super) synthetic: bool,
    /// The number of training images of each kind, if it was kept below what there are.
    pub(super) capped: Option<usize>,
    pub(super) normal: usize,
    pub(super) labelled: usize,
    pub(super) validation: usize,
    /// Steps of an epoch.
    pub(super) steps: usize,
    /// Files for `predict`.
    pub(super) files: usize,
}

/// Images in a temporary folder, or lists of them.
pub(super) struct Images {
    folder: TempDir,
    /// The images of the epochs.
    pub(super) split: PathBuf,
    /// A few of them.
    pub(super) few: PathBuf,
    /// The folder for `predict`.
    pub(super) files: PathBuf,
    /// One of its files.
    pub(super) one: PathBuf,
    pub(super) summary: Summary,
}

impl Images {
    /// Takes those of a copy of ChestXRay2017, or draws synthetic ones; at most `cap` training images of each kind.
    pub(super) fn prepare(
        data: Option<&Path>,
        cap: Option<usize>,
        batch: usize,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let drawn = folder.path().join("synthetic");
        if data.is_none() {
            let size = StandIn {
                side: STAND_IN_SIDE,
                train: cap.unwrap_or(STAND_INS),
                test: FILES / 2,
            };
            synth_layout(Layout::ChestXRay2017, &[], &drawn, SEED, size)?;
        }
        let root = std::path::absolute(data.unwrap_or(&drawn))?;
        let mut dataset = Dataset::open(Layout::ChestXRay2017, &root, None)?;
        let all = dataset.train.len();
        if let Some(cap) = cap {
            dataset.train = first(&dataset.train, [cap, cap]);
        }
        let capped = cap.filter(|_| dataset.train.len() < all);
        let protocol = Protocol {
            labelled: Labelled::Ratio(LABELLED_RATIO),
            seed: SEED,
            ..Protocol::default()
        };
        let split = protocol.split(&dataset)?;
        ensure!(
            !split.labelled.is_empty(),
            "{} normal training images are too few for a labelled one at a ratio of {LABELLED_RATIO}; use more (--images)",
            split.normal.len()
        );
        let both = [split.normal.clone(), split.labelled.clone()].concat();
        let both = first(&both, FEW);
        let few = Split {
            normal: of(&both, Label::Normal),
            labelled: of(&both, Label::Anomalous),
            validation: Vec::new(),
            ..split.clone()
        };
        let (path, few_path) = (
            folder.path().join("split.json"),
            folder.path().join("few.json"),
        );
        split.write(&path)?;
        few.write(&few_path)?;
        let files = folder.path().join("files");
        let copied = copy(&first(&split.test, [FILES / 2; 2]), &files)?;
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        let summary = Summary {
            name: name.into_owned(),
            synthetic: data.is_none(),
            capped,
            normal: split.normal.len(),
            labelled: split.labelled.len(),
            validation: split.validation.len(),
            steps: Schedule {
                normal: split.normal.len(),
                anomalous: 0,
                batch: NonZeroUsize::new(batch).unwrap_or(NonZeroUsize::MIN),
                order: Order::Shuffled,
                seed: 0,
            }
            .steps_in(0),
            files: copied.len(),
        };
        Ok(Self {
            split: path,
            few: few_path,
            files,
            one: copied
                .into_iter()
                .next()
                .context("there are no test images")?,
            summary,
            folder,
        })
    }

    /// Where temporary files may be made.
    pub(super) fn place(&self) -> &Path {
        self.folder.path()
    }
}

/// The first images of both kinds.
fn first(samples: &[Sample], [normal, anomalous]: [usize; 2]) -> Vec<Sample> {
    let mut left = [normal, anomalous];
    let keep = |sample: &&Sample| {
        let left = &mut left[usize::from(sample.label.is_anomalous())];
        let keep = *left > 0;
        *left -= usize::from(keep);
        keep
    };
    samples.iter().filter(keep).cloned().collect()
}

fn of(samples: &[Sample], label: Label) -> Vec<Sample> {
    let kind = samples.iter().filter(|sample| sample.label == label);
    kind.cloned().collect()
}

/// Copies image files into a new folder under names of its own.
fn copy(samples: &[Sample], folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).context("cannot make a temporary folder")?;
    let copy = |(number, sample): (usize, &Sample)| {
        let from = sample.path.file();
        let ending = from.extension().unwrap_or_default().to_string_lossy();
        let to = folder.join(format!("{number:03}.{ending}"));
        std::fs::copy(from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(to)
    };
    samples.iter().enumerate().map(copy).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stand_ins_are_said_to_be_synthetic() {
        let images = Images::prepare(None, Some(24), 8).unwrap();
        let summary = &images.summary;
        assert!(summary.synthetic && summary.capped.is_none());
        // Of 24 + 24, two of each kind are for validation.
        assert_eq!(
            (summary.normal, summary.labelled, summary.validation),
            (22, 1, 4)
        );
        assert_eq!((summary.steps, summary.files), (2, FILES));
        let few = Split::read(&images.few).unwrap();
        assert_eq!((few.normal.len(), few.labelled.len()), (16, 1));
    }

    #[test]
    fn a_cap_leaves_the_first_images_of_both_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let size = StandIn {
            side: 16,
            train: 30,
            test: 3,
        };
        synth_layout(Layout::ChestXRay2017, &[], folder.path(), 1, size).unwrap();
        let images = Images::prepare(Some(folder.path()), Some(20), 64).unwrap();
        let summary = &images.summary;
        assert_eq!((summary.synthetic, summary.capped), (false, Some(20)));
        assert_eq!((summary.normal, summary.steps, summary.files), (18, 1, 6));
        assert!(Images::prepare(Some(folder.path()), Some(5), 64).is_err());
    }
}
