//! From a data set to the images that a run may use: validation, labelled anomalies, test.

use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::labelled_ratio::{Labelled, labelled_count};
use crate::layout::Dataset;
use crate::random::Stream;
use crate::reading::{Orientation, Reading};
use crate::sample::{Label, Sample};
use crate::split::Split;

/// Which classes labelled anomalous images are drawn from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LabelledClasses {
    /// All of them, pooled.
    #[default]
    All,
    /// These, pooled; one name is the paper's k = 1.
    Named(Vec<String>),
    /// `k` classes drawn at random by the seed, pooled.
    Random(usize),
}

/// Which images leave the training part for validation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationRule {
    /// v = min(floor(0.05 n_normal), floor(0.05 n_anomalous)) + 1 of each kind; none if there is no anomalous training image.
    #[default]
    Balanced,
    /// floor(0.05 n_normal) + 1 normal images; for data without anomalous training images.
    NormalOnly,
    /// None.
    None,
}

/// How images are chosen; equal protocols and data sets give equal splits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Protocol {
    /// How many labelled anomalous images there are.
    pub labelled: Labelled,
    /// Where they are drawn from.
    pub labelled_classes: LabelledClasses,
    /// What leaves for validation.
    pub validation: ValidationRule,
    /// Share of the normal images that validation leaves which are held out for calibration, in [0, 1): at least 10 of 40 or more, never all.
    /// 0 in the paper's protocol.
    pub calibration: f64,
    /// Seed of every draw.
    pub seed: u64,
    /// Keep images of one group (patient, lesion) together: a group goes to validation as a whole, and training images of groups in the test part
    /// are left out. Off in the paper's protocol.
    pub group_by: bool,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            labelled: Labelled::Ratio(0.0),
            labelled_classes: LabelledClasses::All,
            validation: ValidationRule::Balanced,
            calibration: 0.0,
            seed: 0,
            group_by: false,
        }
    }
}

impl Protocol {
    /// Chooses the images of a run: validation first, then all labelled anomalies or m = round(n / (1 - r_l) - n) of them for the n
    /// normal images left.
    ///
    /// A larger ratio with the same seed contains a smaller one's images. Of classes with fewer than m all are used ([`Split::labelled_wanted`]).
    ///
    /// # Errors
    /// [`DataError::Parameter`] for a ratio outside [0, 1), [`DataError::NoAnomalous`] for a ratio above 0 without anomalous images,
    /// [`DataError::Category`] for an unknown class, [`DataError::NoImages`] if nothing is left to train on, [`DataError::Leak`] if an image is in two parts.
    pub fn split(&self, dataset: &Dataset) -> Result<Split, DataError> {
        if !(0.0..1.0).contains(&self.calibration) {
            return Err(DataError::Parameter {
                name: "calibration",
                value: self.calibration.to_string(),
                reason: "must be at least 0 and below 1".into(),
            });
        }
        if let Labelled::Ratio(ratio) = self.labelled
            && !(0.0..1.0).contains(&ratio)
        {
            return Err(DataError::Parameter {
                name: "labelled_ratio",
                value: ratio.to_string(),
                reason: "must be at least 0 and below 1".into(),
            });
        }
        let mut train = dataset.train.clone();
        if self.group_by {
            leave_out_groups(&mut train, &dataset.test);
            leave_out_groups(&mut train, &dataset.validation);
        }
        let mut excluded = dataset.train.len() - train.len();
        let (mut normal, mut pool): (Vec<_>, Vec<_>) = train
            .into_iter()
            .partition(|sample| sample.label == Label::Normal);
        let mut validation = dataset.validation.clone();
        if validation.is_empty() {
            let (from_normal, from_pool) = self.validation_counts(normal.len(), pool.len());
            validation = self.take("validation.normal", &mut normal, from_normal);
            validation.extend(self.take("validation.anomalous", &mut pool, from_pool));
        }
        if self.group_by {
            // A patient can have images of both kinds, of which only one kind was drawn.
            excluded += leave_out_groups(&mut normal, &validation);
            excluded += leave_out_groups(&mut pool, &validation);
        }
        if normal.is_empty() {
            let [all, held] = [&dataset.train, &validation]
                .map(|list| list.iter().filter(|s| s.label == Label::Normal).count());
            return Err(DataError::TooFew {
                reason: format!(
                    "{all} normal training images, of which {held} went to validation: none is left"
                ),
                hint: "give more, or --set 'validation=\"none\"'".to_owned(),
            });
        }
        let held_out = self.calibration_count(normal.len());
        let calibration = self.take("calibration", &mut normal, held_out);
        if self.group_by {
            excluded += leave_out_groups(&mut normal, &calibration);
        }
        let (labelled, labelled_wanted) = self.labelled(dataset, normal.len(), pool)?;
        let split = Split {
            normal,
            labelled,
            validation,
            calibration,
            test: dataset.test.clone(),
            textures: Vec::new(),
            reading: Reading {
                orientation: Orientation::of(dataset.layout),
                ..Reading::PUBLISHED
            },
            mask_rule: dataset.layout.mask_rule(),
            mask_resize: dataset.layout.mask_resize(),
            labelled_wanted,
            excluded,
            account: Default::default(),
        };
        split.check_leak()?;
        Ok(split)
    }

    /// Images of each kind that leave for validation.
    fn validation_counts(&self, normal: usize, anomalous: usize) -> (usize, usize) {
        match self.validation {
            ValidationRule::None => (0, 0),
            ValidationRule::Balanced if anomalous == 0 => (0, 0),
            // Integer division by 20 is floor(0.05 n) without the rounding of 0.05.
            ValidationRule::Balanced => {
                let each = (normal / 20).min(anomalous / 20) + 1;
                (each, each)
            }
            ValidationRule::NormalOnly => (normal / 20 + 1, 0),
        }
    }

    /// Normal images that are held out for calibration, of `normal` ones.
    fn calibration_count(&self, normal: usize) -> usize {
        if self.calibration == 0.0 {
            return 0;
        }
        let least = if normal >= 40 { 10 } else { 1 };
        let share = (self.calibration * normal as f64) as usize;
        share.max(least).min(normal - 1)
    }

    /// Moves `count` random samples out of `pool`, keeping the order of both; whole groups when they are kept together.
    fn take(&self, purpose: &str, pool: &mut Vec<Sample>, count: usize) -> Vec<Sample> {
        let mut order: Vec<usize> = (0..pool.len()).collect();
        Stream::at(purpose, &[self.seed]).shuffle(&mut order);
        let mut chosen: BTreeSet<usize> = BTreeSet::new();
        for index in order {
            if chosen.len() >= count {
                break;
            }
            match &pool[index].group {
                Some(group) if self.group_by => chosen
                    .extend((0..pool.len()).filter(|&i| pool[i].group.as_ref() == Some(group))),
                _ => drop(chosen.insert(index)),
            }
        }
        let mut index = 0;
        pool.extract_if(.., |_| {
            index += 1;
            chosen.contains(&(index - 1))
        })
        .collect()
    }

    /// The labelled images for `normal` normal ones, in the order of the data set, and how many were wanted.
    fn labelled(
        &self,
        dataset: &Dataset,
        normal: usize,
        pool: Vec<Sample>,
    ) -> Result<(Vec<Sample>, usize), DataError> {
        match self.labelled {
            Labelled::All if pool.is_empty() => Ok((Vec::new(), 0)),
            Labelled::All => {
                let pool = self.of_labelled_classes(dataset, pool)?;
                let wanted = pool.len();
                Ok((pool, wanted))
            }
            Labelled::Ratio(0.0) => Ok((Vec::new(), 0)),
            Labelled::Ratio(ratio) => {
                let wanted = labelled_count(normal, ratio);
                let mut pool = self.of_labelled_classes(dataset, pool)?;
                let mut order: Vec<usize> = (0..pool.len()).collect();
                Stream::at("labelled.images", &[self.seed]).shuffle(&mut order);
                let keep: BTreeSet<usize> = order.into_iter().take(wanted).collect();
                let mut index = 0;
                pool.retain(|_| {
                    index += 1;
                    keep.contains(&(index - 1))
                });
                Ok((pool, wanted))
            }
        }
    }

    /// The images of `pool` whose classes may be labelled.
    fn of_labelled_classes(
        &self,
        dataset: &Dataset,
        mut pool: Vec<Sample>,
    ) -> Result<Vec<Sample>, DataError> {
        let known: BTreeSet<&str> = pool.iter().map(|sample| sample.class.as_str()).collect();
        let none = |detail: &str| DataError::NoAnomalous {
            dataset: dataset.name.clone(),
            detail: detail.to_owned(),
        };
        if known.is_empty() {
            return Err(none(""));
        }
        let chosen: BTreeSet<String> = match &self.labelled_classes {
            LabelledClasses::All => known.iter().map(|&class| class.to_owned()).collect(),
            LabelledClasses::Named(names) if names.is_empty() => {
                return Err(none(" (the list of labelled classes is empty)"));
            }
            LabelledClasses::Named(names) => {
                if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
                    let given = format!("unknown labelled class \"{unknown}\"");
                    return Err(DataError::Category {
                        given,
                        known: known.iter().map(|&class| class.to_owned()).collect(),
                    });
                }
                names.iter().cloned().collect()
            }
            &LabelledClasses::Random(k) => {
                if k == 0 || k > known.len() {
                    let reason = format!(
                        "must be between 1 and {}, the number of anomalous classes",
                        known.len()
                    );
                    return Err(DataError::Parameter {
                        name: "labelled_classes",
                        value: k.to_string(),
                        reason,
                    });
                }
                let mut names: Vec<&str> = known.iter().copied().collect();
                Stream::at("labelled.classes", &[self.seed]).shuffle(&mut names);
                names[..k].iter().map(|&name| name.to_owned()).collect()
            }
        };
        pool.retain(|sample| chosen.contains(&sample.class));
        Ok(pool)
    }
}

/// Removes the samples whose group is among `held`, and says how many they were.
fn leave_out_groups(samples: &mut Vec<Sample>, held: &[Sample]) -> usize {
    let before = samples.len();
    let held: HashSet<&String> = held
        .iter()
        .filter_map(|sample| sample.group.as_ref())
        .collect();
    samples.retain(|sample| {
        sample
            .group
            .as_ref()
            .is_none_or(|group| !held.contains(group))
    });
    before - samples.len()
}
