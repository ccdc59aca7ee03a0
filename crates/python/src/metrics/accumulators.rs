//! Sets that come image by image.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ckaad_metrics as of;
use ckaad_metrics::MetricError;
use pyo3::prelude::*;

use super::figures::BinnedFigures;
use super::maps::{Maps, connectivity};
use super::ranking::PixelRanking;
use crate::errors;

/// Taken only while the interpreter is released, so that who waits for it holds nobody up.
fn locked<T>(accumulator: &Mutex<T>) -> MutexGuard<'_, T> {
    // After an error an accumulator is as it was.
    accumulator.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses to merge an accumulator with itself, which would wait for itself.
fn check_other<T>(one: &Bound<'_, T>, other: &Bound<'_, T>) -> PyResult<()> {
    match one.as_any().is(other.as_any()) {
        true => Err(errors::value("an accumulator cannot be merged with itself")),
        false => Ok(()),
    }
}

/// Collects maps for exact metrics, holding 4 bytes per normal and 8 bytes per anomalous pixel. Maps may be dropped once pushed, and
/// threads may push at once.
#[pyclass(frozen, module = "ckaad.metrics")]
pub(crate) struct PixelAccumulator {
    /// `None` once it was finished or merged into another.
    inner: Mutex<Option<of::PixelAccumulator>>,
    connectivity: of::Connectivity,
}

fn there<T>(accumulator: &mut Option<T>) -> PyResult<&mut T> {
    accumulator.as_mut().ok_or_else(used)
}

fn used() -> PyErr {
    errors::value("the accumulator was finished, or merged into another one")
}

#[pymethods]
impl PixelAccumulator {
    #[new]
    #[pyo3(signature = (connectivity = 8))]
    fn new(connectivity: u8) -> PyResult<Self> {
        let connectivity = self::connectivity(connectivity)?;
        Ok(Self {
            inner: Mutex::new(Some(of::PixelAccumulator::new(connectivity))),
            connectivity,
        })
    }

    /// Takes in the map of one image, [height, width], and its mask, None for a normal image. After an error nothing has changed.
    #[pyo3(signature = (map, mask = None))]
    fn push(&self, map: &Bound<'_, PyAny>, mask: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let py = map.py();
        let set = Maps::one(self.images(py)?, map, mask)?;
        let annotated = set.annotated()?;
        py.detach(|| {
            let mut inner = locked(&self.inner);
            let accumulator = there(&mut inner)?;
            annotated
                .iter()
                .try_for_each(|map| accumulator.push(map))
                .map_err(errors::metric)
        })
    }

    /// Takes over what another accumulator has seen; that one can no longer be used.
    fn merge(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<()> {
        check_other(slf, other)?;
        let (this, that) = (slf.get(), other.get());
        if this.connectivity != that.connectivity {
            let what = "connectivity";
            return Err(errors::metric(MetricError::Unmergeable { what }));
        }
        slf.py().detach(|| {
            there(&mut locked(&this.inner))?;
            // One after the other, so that two that merge each other do not wait for each other.
            let taken = locked(&that.inner).take();
            let taken = taken.ok_or_else(used)?;
            there(&mut locked(&this.inner))?
                .merge(taken)
                .map_err(errors::metric)
        })
    }

    /// Number of images seen.
    #[getter]
    fn images(&self, py: Python<'_>) -> PyResult<usize> {
        py.detach(|| Ok(there(&mut locked(&self.inner))?.images()))
    }

    /// Bytes of pixel data held.
    #[getter]
    fn held_bytes(&self, py: Python<'_>) -> PyResult<u64> {
        py.detach(|| Ok(there(&mut locked(&self.inner))?.held_bytes()))
    }

    /// Sorts what was collected, once for all metrics. The accumulator can no longer be used.
    fn finish(&self, py: Python<'_>) -> PyResult<PixelRanking> {
        py.detach(|| {
            let taken = locked(&self.inner).take();
            let ranking = taken.ok_or_else(used)?.finish();
            ranking.map(PixelRanking).map_err(errors::metric)
        })
    }
}

/// Collects maps into bins of equal width: 32 bytes per bin, for sets of any size. Every figure says how far it can be from the exact
/// one. Threads may push at once.
#[pyclass(frozen, module = "ckaad.metrics")]
pub(crate) struct BinnedPixelAccumulator {
    inner: Mutex<of::BinnedPixelAccumulator>,
}

#[pymethods]
impl BinnedPixelAccumulator {
    #[new]
    #[pyo3(signature = (low, high, bins = 10_000, connectivity = 8))]
    fn new(low: f32, high: f32, bins: usize, connectivity: u8) -> PyResult<Self> {
        let connectivity = self::connectivity(connectivity)?;
        of::BinnedPixelAccumulator::new(low, high, bins, connectivity)
            .map(|accumulator| Self {
                inner: Mutex::new(accumulator),
            })
            .map_err(errors::metric)
    }

    /// Takes in the map of one image, [height, width], and its mask, None for a normal image. After an error nothing has changed.
    #[pyo3(signature = (map, mask = None))]
    fn push(&self, map: &Bound<'_, PyAny>, mask: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let py = map.py();
        let set = Maps::one(self.images(py), map, mask)?;
        let annotated = set.annotated()?;
        py.detach(|| {
            let mut accumulator = locked(&self.inner);
            annotated.iter().try_for_each(|map| accumulator.push(map))
        })
        .map_err(errors::metric)
    }

    /// Takes over what another accumulator has seen.
    fn merge(slf: &Bound<'_, Self>, other: &Bound<'_, Self>) -> PyResult<()> {
        check_other(slf, other)?;
        let (this, that) = (slf.get(), other.get());
        slf.py()
            .detach(|| {
                let of_other = locked(&that.inner).clone();
                locked(&this.inner).merge(&of_other)
            })
            .map_err(errors::metric)
    }

    /// Number of images seen.
    #[getter]
    fn images(&self, py: Python<'_>) -> usize {
        py.detach(|| locked(&self.inner).images())
    }

    /// The figures of what was seen so far.
    #[pyo3(signature = (aupro_limit = 0.3))]
    fn figures(&self, py: Python<'_>, aupro_limit: f64) -> PyResult<BinnedFigures> {
        py.detach(|| locked(&self.inner).figures(aupro_limit))
            .map(BinnedFigures::from)
            .map_err(errors::metric)
    }
}
