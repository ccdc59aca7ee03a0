//! A trained model: everything that scoring a picture needs.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::{Backbone, Precision};
use ckaad_data::{Picture, normalise_pixels};
use ckaad_detectors::{Detector, Inputs, Scored};
use ckaad_metrics::Calibration;
use rayon::prelude::*;

use super::{ModelInfo, model_file};
use crate::EngineError;
use crate::training::Threshold;

/// Scores pictures: the one way from a model and pictures to scores and maps.
pub struct Predictor {
    backbone: Backbone,
    detector: Box<dyn Detector>,
    info: ModelInfo,
    /// The scores of held-out normal images, if the model has any.
    calibration: Option<Calibration>,
    device: Device,
}

impl Predictor {
    /// Opens a model file, to compute in the precision of the run that trained it unless another is given.
    ///
    /// # Errors
    /// [`EngineError::Parameters`] if it cannot be read, [`EngineError::File`] if it is no model file, one of another
    /// format, or damaged, [`EngineError::Setting`] if the device cannot compute in the precision.
    pub fn open(
        path: &Path,
        precision: Option<Precision>,
        device: &Device,
    ) -> Result<Self, EngineError> {
        let (backbone, detector, info) = model_file::read(path, precision, device)?;
        Ok(Self::new(backbone, detector, info, device))
    }

    /// Puts a model together. `device` is the one that backbone and detector are on.
    pub fn new(
        backbone: Backbone,
        detector: Box<dyn Detector>,
        info: ModelInfo,
        device: &Device,
    ) -> Self {
        Self {
            backbone,
            detector,
            calibration: Calibration::new(&info.calibration).ok(),
            info,
            device: device.clone(),
        }
    }

    /// Writes the model file, whole or not at all.
    ///
    /// # Errors
    /// [`EngineError::Files`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), EngineError> {
        model_file::write(path, &self.backbone, &*self.detector, &self.info)
    }

    /// What the model file says besides the weights.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The probability of a score at least as high if the image is normal, in (0, 1], as held-out normal images promise it;
    /// `None` if training held none out.
    pub fn p_value(&self, score: f64) -> Option<f64> {
        self.calibration
            .as_ref()
            .map(|calibration| calibration.p_value(score))
    }

    /// The threshold that flags a new normal image with a probability of at most `alpha`, as held-out normal images promise it,
    /// or with the least probability that so many can promise.
    ///
    /// # Errors
    /// [`EngineError::NotCalibrated`] if training held none out, [`EngineError::Metric`] unless `alpha` is within (0, 1).
    pub fn threshold_at(&self, alpha: f64) -> Result<Threshold, EngineError> {
        match &self.calibration {
            Some(calibration) => Threshold::calibrated(calibration, alpha, None),
            None => Err(EngineError::NotCalibrated),
        }
    }

    /// Where it computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What turns images into features.
    pub fn backbone(&self) -> &Backbone {
        &self.backbone
    }

    /// The detector.
    pub fn detector(&self) -> &dyn Detector {
        &*self.detector
    }

    /// Scores pictures of any sizes, in one batch.
    pub fn predict(&self, pictures: &[Picture]) -> Vec<Scored> {
        let size = self.info.config.image_size;
        let squares: Vec<_> = pictures
            .par_iter()
            .map(|picture| picture.to_square(size))
            .collect();
        self.predict_squares(squares.iter().map(|square| square.pixels.as_slice()))
    }

    /// [`predict`](Self::predict) for pictures that were resized already, `[image_size, image_size, 3]` each.
    pub(crate) fn predict_squares<'a>(
        &self,
        squares: impl ExactSizeIterator<Item = &'a [u8]>,
    ) -> Vec<Scored> {
        if squares.len() == 0 {
            return Vec::new();
        }
        let size = self.info.config.image_size;
        let shape = [squares.len(), 3, size, size];
        let mut values = vec![0.0; shape.iter().product()];
        for (square, out) in squares.zip(values.chunks_exact_mut(3 * size * size)) {
            normalise_pixels(square, out);
        }
        self.score(Tensor::from_data(
            TensorData::new(values, shape),
            &self.device,
        ))
    }

    /// Scores a batch of images.
    ///
    /// # Shapes
    /// - images: `[batch, 3, image_size, image_size]`, ImageNet-normalised
    pub fn score(&self, images: Tensor<4>) -> Vec<Scored> {
        ckaad_ops::in_pool(&self.device, || self.detector.score(&self.inputs(images)))
    }

    /// What the detector sees of a batch of images, shaped as for [`score`](Self::score).
    pub(crate) fn inputs(&self, images: Tensor<4>) -> Inputs {
        let needs = self.info.config.detector.needs();
        Inputs {
            masks: None,
            features: match needs.features {
                true => self.backbone.maps(images.clone()),
                false => Vec::new(),
            },
            images: needs.images.then_some(images),
        }
    }
}
