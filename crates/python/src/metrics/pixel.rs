//! Figures of anomaly maps against masks.

use ckaad_metrics as of;
use ckaad_metrics::{AnnotatedMap, MetricError};
use pyo3::prelude::*;

use super::figures::{Binned, OracleF1};
use super::maps::{Maps, connectivity};
use crate::errors;

/// Runs a metric on maps with the interpreter released.
pub(super) fn on_maps<T: Send>(
    maps: &Bound<'_, PyAny>,
    masks: &Bound<'_, PyAny>,
    metric: impl FnOnce(&[AnnotatedMap<'_>]) -> Result<T, MetricError> + Send,
) -> PyResult<T> {
    let set = Maps::new(maps, masks)?;
    let annotated = set.annotated()?;
    maps.py()
        .detach(|| metric(&annotated))
        .map_err(errors::metric)
}

/// Area under the ROC curve of all pixels of all images, pooled, in [0, 1].
#[pyfunction]
pub(crate) fn pixel_auroc(maps: &Bound<'_, PyAny>, masks: &Bound<'_, PyAny>) -> PyResult<f64> {
    on_maps(maps, masks, of::pixel_auroc)
}

/// Average precision of all pixels of all images, pooled, in (0, 1].
#[pyfunction]
pub(crate) fn pixel_average_precision(
    maps: &Bound<'_, PyAny>,
    masks: &Bound<'_, PyAny>,
) -> PyResult<f64> {
    on_maps(maps, masks, of::pixel_average_precision)
}

/// F1-max of all pixels of all images, pooled, with its threshold, taken from the evaluated set.
#[pyfunction]
pub(crate) fn pixel_oracle_f1_max(
    maps: &Bound<'_, PyAny>,
    masks: &Bound<'_, PyAny>,
) -> PyResult<OracleF1> {
    on_maps(maps, masks, of::pixel_oracle_f1_max).map(OracleF1::from)
}

/// Area under the per-region overlap over false-positive rates from 0 to limit, divided by it; in [0, 1].
#[pyfunction]
#[pyo3(signature = (maps, masks, limit = 0.3, connectivity = 8))]
pub(crate) fn aupro(
    maps: &Bound<'_, PyAny>,
    masks: &Bound<'_, PyAny>,
    limit: f64,
    connectivity: u8,
) -> PyResult<f64> {
    let connectivity = self::connectivity(connectivity)?;
    on_maps(maps, masks, |maps| of::aupro(maps, limit, connectivity))
}

/// AUPRO with the range of the scores cut into bins of equal width, and by how much it can differ from the exact one.
#[pyfunction]
#[pyo3(signature = (maps, masks, limit = 0.3, connectivity = 8, bins = 10_000))]
pub(crate) fn aupro_binned(
    maps: &Bound<'_, PyAny>,
    masks: &Bound<'_, PyAny>,
    limit: f64,
    connectivity: u8,
    bins: usize,
) -> PyResult<Binned> {
    let connectivity = self::connectivity(connectivity)?;
    on_maps(maps, masks, |maps| {
        of::aupro_binned(maps, limit, connectivity, bins)
    })
    .map(Binned::from)
}

/// PRO as RD4AD-style papers report it: the mean of pro_of_map over the anomalous images.
#[pyfunction]
#[pyo3(signature = (maps, masks, connectivity = 8))]
pub(crate) fn pro_per_image(
    maps: &Bound<'_, PyAny>,
    masks: &Bound<'_, PyAny>,
    connectivity: u8,
) -> PyResult<f64> {
    let connectivity = self::connectivity(connectivity)?;
    on_maps(maps, masks, |maps| of::pro_per_image(maps, connectivity))
}

/// One image's part in pro_per_image; None for a normal image. Errors call it image.
#[pyfunction]
#[pyo3(signature = (map, mask, connectivity = 8, image = 0))]
pub(crate) fn pro_of_map(
    map: &Bound<'_, PyAny>,
    mask: Option<&Bound<'_, PyAny>>,
    connectivity: u8,
    image: usize,
) -> PyResult<Option<f64>> {
    let connectivity = self::connectivity(connectivity)?;
    let set = Maps::one(image, map, mask)?;
    let annotated = set.annotated()?;
    let part = |maps: &[AnnotatedMap<'_>]| match maps {
        [map] => of::pro_of_map(image, map, connectivity),
        _ => Err(MetricError::Empty),
    };
    map.py().detach(|| part(&annotated)).map_err(errors::metric)
}
