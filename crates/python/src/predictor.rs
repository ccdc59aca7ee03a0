//! `ckaad.Predictor`: scores, decisions and maps of pictures.

use std::num::NonZeroU32;
use std::path::PathBuf;

use ckaad_anomaly_map::AnomalyMap;
use ckaad_data::{Picture, Reading, Window, list_images};
use ckaad_detectors::Scored;
use ckaad_engine::EngineError;
use ckaad_engine::scoring::{BATCH, model_path, score_files};
use numpy::{PyArray1, PyArray3, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::pixels;
use crate::errors;
use crate::training::open_device;

/// A trained model. It lies in a box, since Python aligns objects to 16 bytes and parts of it want more.
#[pyclass(frozen, module = "ckaad._ckaad")]
pub(crate) struct Predictor(Box<ckaad_engine::Predictor>);

/// What was found on images, in their order.
#[pyclass(frozen, get_all, module = "ckaad")]
pub(crate) struct Predictions {
    /// Scores, the higher the more anomalous; NaN where an image has none. float64 [N].
    scores: Py<PyArray1<f64>>,
    /// The probability of such a score if the image is normal; None unless the model was calibrated. float64 [N].
    p_values: Option<Py<PyArray1<f64>>>,
    /// Whether the score reaches the threshold. bool [N].
    anomalous: Py<PyArray1<bool>>,
    /// Anomaly maps; None if the detector makes none or none were asked for. float32 [N, height, width].
    maps: Option<Py<PyArray3<f32>>>,
    /// The files, in their order; None for images that came from no file.
    paths: Option<Vec<String>>,
    /// Why an image has no score; None for all others.
    errors: Vec<Option<String>>,
    /// Images with this score or a higher one are anomalous.
    threshold: f64,
}

#[pymethods]
impl Predictions {
    fn __len__(&self) -> usize {
        self.errors.len()
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let anomalous = self.anomalous.bind(py).readonly();
        let anomalous = anomalous.as_array().iter().filter(|&&yes| yes).count();
        format!(
            "Predictions of {} images, {anomalous} of them anomalous",
            self.errors.len()
        )
    }
}

#[pymethods]
impl Predictor {
    /// Opens a model file, or that of the finished run whose folder is named.
    #[new]
    fn new(
        py: Python<'_>,
        model: PathBuf,
        device: &str,
        precision: Option<&str>,
    ) -> PyResult<Self> {
        let device = open_device(device)?;
        let precision = precision.map(str::parse).transpose();
        let precision = precision
            .map_err(|error: ckaad_ops::UnknownPrecision| errors::value(error.to_string()))?;
        py.detach(|| ckaad_engine::Predictor::open(&model_path(&model)?, precision, &device))
            .map(|predictor| Self(Box::new(predictor)))
            .map_err(errors::engine)
    }

    /// What the model file says besides the weights, as JSON.
    fn info(&self) -> PyResult<String> {
        serde_json::to_string(self.0.info()).map_err(|error| errors::value(error.to_string()))
    }

    /// The threshold of the model, or the one that flags a normal image with a probability of at most alpha.
    fn threshold(&self, alpha: Option<f64>) -> PyResult<f64> {
        match alpha {
            None => Ok(self.0.info().threshold.value),
            Some(alpha) => {
                let at = self.0.threshold_at(alpha).map_err(errors::engine)?;
                Ok(at.value)
            }
        }
    }

    /// Scores files, and the images in folders.
    #[allow(
        clippy::too_many_arguments,
        reason = "each is an argument of the Python function"
    )]
    fn predict_files(
        &self,
        py: Python<'_>,
        inputs: Vec<PathBuf>,
        threshold: f64,
        maps: bool,
        skip_bad: bool,
        window: Option<(u16, u16)>,
        page: Option<NonZeroU32>,
    ) -> PyResult<Predictions> {
        let trained = self.0.info().preprocessing.reading;
        let window = window.map(|(low, high)| Window::new(low, high));
        let window = window
            .transpose()
            .map_err(|error| errors::engine(error.into()))?;
        let reading = Reading {
            window: window.or(trained.window),
            page: page.or(trained.page),
            ..trained
        };
        let files = py.detach(|| list_images(&inputs, &[]));
        let files = files.map_err(|error| errors::engine(error.into()))?.images;
        let mut found = Found::new(maps);
        let mut batches = score_files(&self.0, &files, reading);
        while let Some(batch) = py.detach(|| batches.next()) {
            for outcome in batch {
                found.add(outcome, skip_bad)?;
            }
            py.check_signals()?;
        }
        let paths = files.iter().map(|path| path.display().to_string());
        found.finish(py, &self.0, threshold, Some(paths.collect()))
    }

    /// Scores pictures, uint8 [height, width, 3] each.
    fn predict_arrays(
        &self,
        py: Python<'_>,
        pictures: Vec<Bound<'_, PyAny>>,
        threshold: f64,
        maps: bool,
        skip_bad: bool,
    ) -> PyResult<Predictions> {
        let mut found = Found::new(maps);
        for batch in pictures.chunks(BATCH) {
            let arrays: Vec<PyReadonlyArrayDyn<'_, u8>> =
                batch.iter().map(pixels).collect::<PyResult<_>>()?;
            let batch: Vec<Picture> = arrays.iter().map(picture).collect::<PyResult<_>>()?;
            for scored in py.detach(|| self.0.predict(&batch)) {
                let outcome = match scored.is_finite() {
                    true => Ok(scored),
                    false => Err(EngineError::NoScore),
                };
                found.add(outcome, skip_bad)?;
            }
            py.check_signals()?;
        }
        found.finish(py, &self.0, threshold, None)
    }
}

fn picture(array: &PyReadonlyArrayDyn<'_, u8>) -> PyResult<Picture> {
    match array.shape() {
        &[height, width, 3] if height > 0 && width > 0 => Ok(Picture {
            width,
            height,
            pixels: array.as_slice()?.to_vec(),
        }),
        shape => Err(errors::value(format!(
            "an image has the shape {shape:?}; it must be (height, width, 3), red, green and blue"
        ))),
    }
}

/// What has been found so far.
struct Found {
    scores: Vec<f64>,
    errors: Vec<Option<String>>,
    with_maps: bool,
    /// Height and width of a map, once one was there.
    size: Option<[usize; 2]>,
    maps: Vec<f32>,
}

impl Found {
    fn new(with_maps: bool) -> Self {
        Self {
            scores: Vec::new(),
            errors: Vec::new(),
            with_maps,
            size: None,
            maps: Vec::new(),
        }
    }

    fn add(&mut self, outcome: Result<Scored, EngineError>, skip_bad: bool) -> PyResult<()> {
        let scored = match outcome {
            Err(error) if !skip_bad => return Err(errors::engine(error)),
            outcome => outcome,
        };
        let before = self.scores.len();
        let map = scored.as_ref().ok().and_then(|scored| scored.map.as_ref());
        if self.with_maps {
            self.add_map(before, map)?;
        }
        self.scores
            .push(scored.as_ref().map_or(f64::NAN, |scored| scored.score));
        self.errors
            .push(scored.err().map(|error| error.to_string()));
        Ok(())
    }

    /// Maps of one model have one size; images without a score have NaN in their place.
    fn add_map(&mut self, before: usize, map: Option<&AnomalyMap>) -> PyResult<()> {
        if let Some(map) = map {
            let size = [map.height, map.width];
            if self.size.is_none() {
                self.size = Some(size);
                self.maps.resize(before * map.values.len(), f32::NAN);
            }
            if self.size != Some(size) {
                return Err(errors::value("the maps of this model differ in size"));
            }
            self.maps.extend_from_slice(&map.values);
        } else if let Some([height, width]) = self.size {
            self.maps.resize((before + 1) * height * width, f32::NAN);
        }
        Ok(())
    }

    fn finish(
        self,
        py: Python<'_>,
        predictor: &ckaad_engine::Predictor,
        threshold: f64,
        paths: Option<Vec<String>>,
    ) -> PyResult<Predictions> {
        let count = self.scores.len();
        let calibrated = predictor.p_value(0.0).is_some();
        let p_values = self.scores.iter().map(|&score| match score.is_nan() {
            true => f64::NAN,
            false => predictor.p_value(score).unwrap_or(f64::NAN),
        });
        let p_values = calibrated.then(|| PyArray1::from_iter(py, p_values).unbind());
        let anomalous = self.scores.iter().map(|&score| score >= threshold);
        let anomalous = PyArray1::from_iter(py, anomalous).unbind();
        let maps = match self.size {
            Some([height, width]) => {
                let values = PyArray1::from_vec(py, self.maps);
                Some(values.reshape([count, height, width])?.unbind())
            }
            None => None,
        };
        Ok(Predictions {
            scores: PyArray1::from_vec(py, self.scores).unbind(),
            p_values,
            anomalous,
            maps,
            paths,
            errors: self.errors,
            threshold,
        })
    }
}
