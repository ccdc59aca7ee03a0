//! What can be checked of settings without touching data or weights.

use std::ops::Deref;
use std::path::Path;

use burn::tensor::Device;
use ckaad_backbone::BackboneConfig;
use ckaad_detectors::Passes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AnomalySource;
use crate::{Config, EngineError};

/// Largest side of the images in pixels. Beyond it a batch takes more memory than machines have, and a configuration may come from a model
/// file of unknown origin.
const IMAGE_SIZE: usize = 2048;
/// Most images in a batch, and passes over them.
const BATCH: usize = 4096;
pub(crate) const EPOCHS: usize = 1_000_000;
/// Images beyond which no data set is small.
const FEW_IMAGES: usize = 1_000_000;
/// Largest strength and smoothness of the elastic transform, in pixels.
const ELASTIC: [f64; 2] = [1e6, 1e3];
/// Most noise on features.
const FEATURE_NOISE: f64 = 1e3;
/// The least of any that is not zero in single precision.
const LEAST: f64 = 1e-3;
/// Most memory for features: an exbibyte.
const FEATURE_CACHE_MIB: usize = 1 << 40;

/// A configuration that was checked. It cannot be changed, only taken apart again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Config")]
pub struct CheckedConfig(Config);

impl Deref for CheckedConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.0
    }
}

impl TryFrom<Config> for CheckedConfig {
    type Error = EngineError;

    fn try_from(config: Config) -> Result<Self, EngineError> {
        config.check()
    }
}

impl CheckedConfig {
    /// The configuration, to be changed and checked again.
    pub fn into_inner(self) -> Config {
        self.0
    }

    /// Refuses a precision that `device` cannot compute in.
    ///
    /// # Errors
    /// [`EngineError::Setting`].
    pub(crate) fn check_device(&self, device: &Device) -> Result<(), EngineError> {
        if !self.precision.is_supported(device) {
            let reason = "is not supported by this device; f32 is, by every one";
            return Err(EngineError::setting("precision", self.precision, reason));
        }
        if self.precision.is_imitated(device) {
            tracing::warn!(
                "precision = {}: this CPU only imitates how others round; --precision f32 is faster here, and more exact",
                self.precision
            );
        }
        if self.precision.is_split(device) {
            tracing::info!(
                "precision = {}: this device takes three products for one; --precision tf32 takes one, and is less exact",
                self.precision
            );
        }
        Ok(())
    }
}

impl Config {
    /// Makes sure that a run can have these settings.
    ///
    /// # Errors
    /// [`EngineError::Setting`], [`EngineError::Backbone`] or [`EngineError::Detector`] for an impossible value,
    /// [`EngineError::Config`] if it does not say where the images are.
    pub fn check(self) -> Result<CheckedConfig, EngineError> {
        let backbone = BackboneConfig::new(self.backbone, &self.stages)?;
        // Before anything is computed from it.
        if self.image_size > IMAGE_SIZE {
            let reason = format!("must be at most {IMAGE_SIZE}");
            return Err(EngineError::setting("image_size", self.image_size, reason));
        }
        // The detector first: it may ask for more.
        self.detector.check(&backbone, self.image_size)?;
        self.check_image_size(&backbone)?;
        for (key, value, most) in [
            ("batch", self.batch, BATCH),
            ("epochs", self.epochs, EPOCHS),
        ] {
            if !(1..=most).contains(&value) {
                let reason = format!("must be at least 1 and at most {most}");
                return Err(EngineError::setting(key, value, reason));
            }
        }
        if self.few_images > FEW_IMAGES {
            let reason = format!("must be at most {FEW_IMAGES}");
            return Err(EngineError::setting("few_images", self.few_images, reason));
        }
        if self.feature_cache_mib > FEATURE_CACHE_MIB {
            let (key, value) = ("feature_cache_mib", self.feature_cache_mib);
            let reason = format!("must be at most {FEATURE_CACHE_MIB}");
            return Err(EngineError::setting(key, value, reason));
        }
        if self.epochs > 1 && self.detector.needs().passes == Passes::Once {
            let reason = format!("must be 1: {} sees every image once", self.detector.name());
            return Err(EngineError::setting("epochs", self.epochs, reason));
        }
        if self.epochs < 2 && self.detector.needs().passes == Passes::OnceThenEpochs {
            let reason = "must be at least 2: parts of this detector learn in the first alone, the others after it";
            return Err(EngineError::setting("epochs", self.epochs, reason));
        }
        for (key, value, most) in [
            ("elastic.alpha", self.elastic.alpha, ELASTIC[0]),
            ("elastic.sigma", self.elastic.sigma, ELASTIC[1]),
            ("feature_noise", self.feature_noise, FEATURE_NOISE),
        ] {
            if !(LEAST..=most).contains(&value) {
                let reason = format!("must be a number from {LEAST} to {most}");
                return Err(EngineError::setting(key, value, reason));
            }
        }
        let needs = self.detector.needs();
        if self.anomalies == AnomalySource::FeatureNoise
            && needs.anomalies.are_looked_at()
            && (needs.images || !needs.features)
        {
            let reason = format!(
                "gives features without images, but {} looks at images; perlin and elastic give both",
                self.detector.name()
            );
            return Err(EngineError::setting("anomalies", self.anomalies, reason));
        }
        if !(0.0..1.0).contains(&self.calibration) {
            let reason = "must be at least 0 and below 1";
            return Err(EngineError::setting(
                "calibration",
                self.calibration,
                reason,
            ));
        }
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            let reason = "must be greater than 0 and below 1";
            return Err(EngineError::setting("alpha", self.alpha, reason));
        }
        if let Some(ratio) = self.labelled_ratio {
            if !(0.0..1.0).contains(&ratio) {
                let reason = "must be at least 0 and below 1";
                return Err(EngineError::setting("labelled_ratio", ratio, reason));
            }
            if self.data.split.is_some() {
                let reason =
                    "has no effect together with data.split, which says which images are labelled";
                return Err(EngineError::setting("labelled_ratio", ratio, reason));
            }
        }
        if let (0, Some(folder)) = (self.feature_cache_mib, &self.feature_cache_dir) {
            let reason = "has no effect with feature_cache_mib = 0, which keeps no features";
            return Err(EngineError::setting(
                "feature_cache_dir",
                folder.display(),
                reason,
            ));
        }
        self.data.check()?;
        self.check_paths()?;
        Ok(CheckedConfig(self))
    }

    /// Every stage halves the size once more; below one position there is nothing left.
    fn check_image_size(&self, backbone: &BackboneConfig) -> Result<(), EngineError> {
        let coarsest = 1 << (backbone.stages.last().copied().unwrap_or(1) + 1);
        if self.image_size == 0 || !self.image_size.is_multiple_of(coarsest) {
            let reason = format!(
                "must be a positive multiple of {coarsest} for stages {:?}",
                backbone.stages
            );
            return Err(EngineError::setting("image_size", self.image_size, reason));
        }
        Ok(())
    }

    /// A configuration is a text; a path that is no valid Unicode cannot be written to it.
    fn check_paths(&self) -> Result<(), EngineError> {
        let data = &self.data;
        let folders = data.folders.as_ref();
        let paths = [
            ("weights", self.weights.as_deref()),
            ("feature_cache_dir", self.feature_cache_dir.as_deref()),
            ("textures", self.textures.as_deref()),
            ("data.root", data.root.as_deref()),
            ("data.split", data.split.as_deref()),
            (
                "data.folders.normal",
                folders.map(|folders| folders.normal.as_path()),
            ),
            (
                "data.folders.anomalous",
                folders.and_then(|folders| folders.anomalous.as_deref()),
            ),
            (
                "data.folders.test",
                folders.and_then(|folders| folders.test.as_deref()),
            ),
            (
                "data.folders.masks",
                folders.and_then(|folders| folders.masks.as_deref()),
            ),
        ];
        let odd = |path: &Option<&Path>| path.is_some_and(|path| path.to_str().is_none());
        match paths.into_iter().find(|(_, path)| odd(path)) {
            Some((key, Some(path))) => {
                let reason = "is no valid Unicode; rename it";
                Err(EngineError::setting(key, path.display(), reason))
            }
            _ => Ok(()),
        }
    }
}
