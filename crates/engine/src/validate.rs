//! What can be checked of settings without touching data or weights.

use burn::tensor::Device;
use ckaad_auto_encoder::Norm;
use ckaad_backbone::BackboneConfig;

use crate::networks::size_multiple;
use crate::{Config, DataConfig, EngineError, Method};

impl Config {
    pub(crate) fn validate(&self) -> Result<(), EngineError> {
        self.validate_networks()?;
        for (key, value) in [("batch", self.batch), ("epochs", self.epochs)] {
            if value == 0 {
                return Err(EngineError::setting(key, value, "must be at least 1"));
            }
        }
        let positive = [
            ("learning_rate", self.learning_rate),
            (
                "discriminator_learning_rate",
                self.discriminator_learning_rate,
            ),
            ("margin", self.margin),
            ("elastic.alpha", self.elastic.alpha),
            ("elastic.sigma", self.elastic.sigma),
        ];
        for (key, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(EngineError::setting(
                    key,
                    value,
                    "must be a positive number",
                ));
            }
        }
        if !(self.lambda >= 0.0 && self.lambda.is_finite()) {
            let reason = "must be a number of at least 0";
            return Err(EngineError::setting("lambda", self.lambda, reason));
        }
        if !(0.0..=1.0).contains(&self.gamma) {
            return Err(EngineError::setting(
                "gamma",
                self.gamma,
                "must be within 0 and 1",
            ));
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
        self.data.validate()
    }

    /// Refuses a precision that `device` cannot compute in.
    pub(crate) fn check_device(&self, device: &Device) -> Result<(), EngineError> {
        if !self.precision.is_supported(device) {
            let reason = "is not supported by this device; f32 is, by every one";
            return Err(EngineError::setting("precision", self.precision, reason));
        }
        if self.precision.is_imitated(device) {
            tracing::warn!(
                "precision = {}: the CPU only imitates how GPUs round; --precision f32 is faster here, and more exact",
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

    fn validate_networks(&self) -> Result<(), EngineError> {
        BackboneConfig::new(self.backbone, &self.stages)?;
        let stages = format!("{:?}", self.stages);
        if self.stages.windows(2).any(|pair| pair[1] != pair[0] + 1) {
            let reason =
                "must be consecutive: the decoder goes from each stage to the next finer one";
            return Err(EngineError::setting("stages", stages, reason));
        }
        let size = self.image_size;
        let multiple = size_multiple(&self.stages);
        if size == 0 || !size.is_multiple_of(multiple) {
            let reason = format!("must be a positive multiple of {multiple} for stages {stages}");
            return Err(EngineError::setting("image_size", size, reason));
        }
        if self.norm == Norm::Instance && size < 2 * multiple {
            let reason = format!(
                "must be at least {} for stages {stages}: an instance norm of a single position tells nothing",
                2 * multiple
            );
            return Err(EngineError::setting("image_size", size, reason));
        }
        let image_discriminator = matches!(self.method, Method::Gan | Method::CkaImg);
        if image_discriminator && !size.is_power_of_two() {
            let reason = format!("must be a power of two for the method {}", self.method);
            return Err(EngineError::setting("image_size", size, reason));
        }
        Ok(())
    }
}

impl DataConfig {
    fn validate(&self) -> Result<(), EngineError> {
        let whole = self.layout.is_some() == self.root.is_some();
        let ways = [
            self.root.is_some(),
            self.folders.is_some(),
            self.split.is_some(),
        ];
        if whole && ways.iter().filter(|&&given| given).count() == 1 {
            return Ok(());
        }
        Err(EngineError::Config {
            path: None,
            reason: "say where the images are in exactly one way: data.layout with data.root (--layout, --data), \
                     data.folders (--normal, --anomalous, --test, --masks) or data.split (--split)"
                .to_owned(),
        })
    }
}
