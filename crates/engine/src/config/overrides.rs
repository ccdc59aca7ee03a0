use std::path::PathBuf;

use ckaad_backbone::{Precision, ResNetVariant};
use toml::Table;

use super::{AnomalySource, Config, DataConfig, FeatureSource, Preset};

/// Settings that somebody gave by hand: each that is there takes the place of what presets and files say.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of `Config`")]
pub struct Overrides {
    pub preset: Option<Preset>,
    /// The detector's name; settings that a preset has for another one are left out.
    pub detector: Option<String>,
    /// Any settings, as in a file; those below have precedence.
    pub table: Table,
    pub backbone: Option<ResNetVariant>,
    pub precision: Option<Precision>,
    pub image_size: Option<usize>,
    pub batch: Option<usize>,
    pub epochs: Option<usize>,
    pub labelled_ratio: Option<f64>,
    pub anomalies: Option<AnomalySource>,
    pub seed: Option<u64>,
    pub weights: Option<PathBuf>,
    pub features: Option<FeatureSource>,
    pub group_by: Option<bool>,
    /// Where the images are; each field that is there is a setting.
    pub data: DataConfig,
}

impl Overrides {
    pub(super) fn apply(self, config: &mut Config) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut config.backbone, self.backbone);
        set(&mut config.precision, self.precision);
        set(&mut config.image_size, self.image_size);
        set(&mut config.batch, self.batch);
        set(&mut config.epochs, self.epochs);
        set(&mut config.anomalies, self.anomalies);
        set(&mut config.seed, self.seed);
        set(&mut config.features, self.features);
        set(&mut config.group_by, self.group_by);
        config.labelled_ratio = self.labelled_ratio.or(config.labelled_ratio);
        config.weights = self.weights.or(config.weights.take());
        let data = &mut config.data;
        data.layout = self.data.layout.or(data.layout);
        data.root = self.data.root.or(data.root.take());
        data.category = self.data.category.or(data.category.take());
        data.folders = self.data.folders.or(data.folders.take());
        data.split = self.data.split.or(data.split.take());
        data.skip_bad |= self.data.skip_bad;
    }
}
