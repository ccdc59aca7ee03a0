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
    /// Any settings, as in a file; they have precedence over those below.
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
    pub textures: Option<PathBuf>,
    pub features: Option<FeatureSource>,
    pub group_by: Option<bool>,
    /// Where the images are; each field that is there is a setting.
    pub data: DataConfig,
}

impl Overrides {
    pub(super) fn apply(self, config: &mut Config) {
        let Self { table, data, .. } = &self;
        let set = Setter(table);
        set.value("backbone", &mut config.backbone, self.backbone);
        set.value("precision", &mut config.precision, self.precision);
        set.value("image_size", &mut config.image_size, self.image_size);
        set.value("batch", &mut config.batch, self.batch);
        set.value("epochs", &mut config.epochs, self.epochs);
        set.value("anomalies", &mut config.anomalies, self.anomalies);
        set.value("seed", &mut config.seed, self.seed);
        set.value("features", &mut config.features, self.features);
        set.value("group_by", &mut config.group_by, self.group_by);
        let ratio = self.labelled_ratio.map(Some);
        set.value("labelled_ratio", &mut config.labelled_ratio, ratio);
        let textures = self.textures.clone().map(Some);
        set.value("textures", &mut config.textures, textures);
        let weights = self.weights.clone().map(Some);
        set.value("weights", &mut config.weights, weights);
        let place = &mut config.data;
        place.layout = data.layout.or(place.layout);
        place.root = data.root.clone().or(place.root.take());
        place.category = data.category.clone().or(place.category.take());
        place.folders = data.folders.clone().or(place.folders.take());
        place.split = data.split.clone().or(place.split.take());
        place.mask_rule = data.mask_rule.or(place.mask_rule);
        place.window = data.window.or(place.window);
        place.page = data.page.or(place.page);
        place.skip_bad |= data.skip_bad;
    }
}

/// Gives settings their values, unless the table has them.
struct Setter<'a>(&'a Table);

impl Setter<'_> {
    fn value<T>(&self, key: &str, place: &mut T, value: Option<T>) {
        if let Some(value) = value.filter(|_| !self.0.contains_key(key)) {
            *place = value;
        }
    }
}
