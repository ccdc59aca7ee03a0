//! All pixels of a set, ranked once for every exact pixel metric.

use ckaad_metrics as of;
use pyo3::prelude::*;

use super::figures::{OracleF1, PixelFigures};
use super::maps::connectivity;
use super::pixel::on_maps;
use crate::errors;

/// All pixels of a set, ranked once; every pixel metric is a walk down the ranking. Made from maps in memory, or by
/// PixelAccumulator.finish.
#[pyclass(frozen, module = "ckaad.metrics")]
pub(crate) struct PixelRanking(pub(super) of::PixelRanking);

#[pymethods]
impl PixelRanking {
    #[new]
    #[pyo3(signature = (maps, masks, connectivity = 8))]
    fn new(maps: &Bound<'_, PyAny>, masks: &Bound<'_, PyAny>, connectivity: u8) -> PyResult<Self> {
        let connectivity = self::connectivity(connectivity)?;
        on_maps(maps, masks, |maps| of::PixelRanking::of(maps, connectivity)).map(Self)
    }

    /// Number of images.
    #[getter]
    fn images(&self) -> usize {
        self.0.images()
    }

    /// Number of anomalous regions in all masks.
    #[getter]
    fn regions(&self) -> u64 {
        self.0.regions()
    }

    /// Number of anomalous pixels.
    #[getter]
    fn anomalous_pixels(&self) -> u64 {
        self.0.anomalous_pixels()
    }

    /// Number of normal pixels.
    #[getter]
    fn normal_pixels(&self) -> u64 {
        self.0.normal_pixels()
    }

    /// Pixel AUROC.
    fn auroc(&self, py: Python<'_>) -> f64 {
        py.detach(|| self.0.auroc())
    }

    /// Pixel average precision.
    fn average_precision(&self, py: Python<'_>) -> f64 {
        py.detach(|| self.0.average_precision())
    }

    /// Pixel F1-max, with its threshold.
    fn oracle_f1_max(&self, py: Python<'_>) -> PyResult<OracleF1> {
        py.detach(|| self.0.oracle_f1_max())
            .map(OracleF1::from)
            .map_err(errors::metric)
    }

    /// AUPRO up to a false-positive rate.
    #[pyo3(signature = (limit = 0.3))]
    fn aupro(&self, py: Python<'_>, limit: f64) -> PyResult<f64> {
        py.detach(|| self.0.aupro(limit)).map_err(errors::metric)
    }

    /// All of them in one walk.
    #[pyo3(signature = (aupro_limit = 0.3))]
    fn figures(&self, py: Python<'_>, aupro_limit: f64) -> PyResult<PixelFigures> {
        py.detach(|| self.0.figures(aupro_limit))
            .map(PixelFigures::from)
            .map_err(errors::metric)
    }

    fn __repr__(&self) -> String {
        format!(
            "PixelRanking of {} images, {} regions",
            self.0.images(),
            self.0.regions()
        )
    }
}
