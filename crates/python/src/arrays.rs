//! NumPy arrays, and whatever NumPy makes arrays of, as slices: borrowed where they lie as the libraries want them, copied otherwise.

use numpy::{
    Element, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArray,
    PyUntypedArrayMethods, dtype,
};
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

use crate::errors;

/// The array of an object, of whatever type its elements have.
pub(crate) fn array<'py>(
    object: &Bound<'py, PyAny>,
    what: &str,
) -> PyResult<Bound<'py, PyUntypedArray>> {
    if let Ok(array) = object.cast::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    let array = object
        .py()
        .import("numpy")?
        .call_method1("asarray", (object,));
    let array =
        array.map_err(|error| errors::value(format!("{what} are no array of numbers: {error}")))?;
    Ok(array.cast_into::<PyUntypedArray>()?)
}

/// The kind of an array's elements as NumPy abbreviates it, and their size in bytes.
fn kind(array: &Bound<'_, PyUntypedArray>) -> (u8, usize) {
    let dtype = array.dtype();
    (dtype.kind(), dtype.itemsize())
}

/// An array as `T`, contiguous and aligned: itself if it is so, else a copy.
fn plain<'py, T: Element>(
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<PyReadonlyArrayDyn<'py, T>> {
    let py = array.py();
    let numpy = py.import("numpy")?;
    // Casting to single precision may overflow; what is infinite then is named by the metric.
    let quiet = numpy.call_method(
        "errstate",
        (),
        Some(&[("over", "ignore")].into_py_dict(py)?),
    )?;
    quiet.call_method0("__enter__")?;
    let plain = numpy.call_method1("require", (array, dtype::<T>(py), ["C", "A"]));
    quiet.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
    Ok(plain?.cast_into::<PyArrayDyn<T>>()?.try_readonly()?)
}

/// Refuses what is no number.
fn check_number(array: &Bound<'_, PyUntypedArray>, what: &str) -> PyResult<()> {
    if matches!(kind(array).0, b'f' | b'i' | b'u' | b'b') {
        return Ok(());
    }
    Err(errors::value(format!(
        "{what} are of type {}; they must be real numbers",
        array.dtype()
    )))
}

fn check_one_dimension(array: &Bound<'_, PyUntypedArray>, what: &str) -> PyResult<()> {
    match array.ndim() {
        1 => Ok(()),
        found => Err(errors::value(format!(
            "{what} have {found} dimensions; they must have 1: ravel() them"
        ))),
    }
}

/// Single precision as `f32`, everything else as `f64`.
pub(crate) enum Scores<'py> {
    Single(PyReadonlyArrayDyn<'py, f32>),
    Double(PyReadonlyArrayDyn<'py, f64>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Scores<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let array = array(&object, "scores")?;
        check_number(&array, "scores")?;
        check_one_dimension(&array, "scores")?;
        // Half precision fits in single.
        Ok(match kind(&array) {
            (b'f', 2 | 4) => Self::Single(plain(&array)?),
            _ => Self::Double(plain(&array)?),
        })
    }
}

/// Runs `$body` with the scores as a slice, the interpreter released.
macro_rules! with_scores {
    ($py:expr, $scores:expr, |$slice:ident| $body:expr) => {
        match &$scores {
            $crate::arrays::Scores::Single(array) => {
                let $slice = array.as_slice()?;
                $py.detach(|| $body)
            }
            $crate::arrays::Scores::Double(array) => {
                let $slice = array.as_slice()?;
                $py.detach(|| $body)
            }
        }
    };
}
pub(crate) use with_scores;

/// Which samples are anomalous: booleans, or numbers that are 0 and 1.
pub(crate) struct Labels<'py>(PyReadonlyArrayDyn<'py, bool>);

impl Labels<'_> {
    pub(crate) fn slice(&self) -> PyResult<&[bool]> {
        Ok(self.0.as_slice()?)
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Labels<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let array = array(&object, "labels")?;
        check_number(&array, "labels")?;
        check_one_dimension(&array, "labels")?;
        let marked = nonzero(&array)?;
        if kind(&array).0 != b'b' {
            // The marked ones are 1 if what is left without them is nothing.
            let rest = array.call_method1("__ne__", (marked.0.as_any(),))?;
            if rest.call_method0("any")?.is_truthy()? {
                return Err(errors::value(
                    "labels must be booleans, or 0 for normal and 1 for anomalous",
                ));
            }
        }
        Ok(Self(marked.0))
    }
}

/// Which pixels are anomalous.
pub(crate) struct Marked<'py>(pub(crate) PyReadonlyArrayDyn<'py, bool>);

/// An array as booleans: every value but 0 is true.
pub(crate) fn nonzero<'py>(array: &Bound<'py, PyUntypedArray>) -> PyResult<Marked<'py>> {
    if kind(array).0 != b'b' {
        let marked = array.call_method1("__ne__", (0,))?;
        return Ok(Marked(plain(marked.cast::<PyUntypedArray>()?)?));
    }
    let marked = plain::<bool>(array)?;
    // A view of other data as booleans may hold any bytes, and those would be no booleans here.
    let bytes = marked.call_method1("view", ("uint8",))?;
    let bytes = bytes.cast_into::<PyArrayDyn<u8>>()?.try_readonly()?;
    if bytes.as_slice()?.iter().fold(0, |all, byte| all | byte) <= 1 {
        return Ok(Marked(marked));
    }
    let marked = bytes.call_method1("__ne__", (0,))?;
    Ok(Marked(plain(marked.cast::<PyUntypedArray>()?)?))
}

/// Maps of single precision; those of double precision are rounded to it.
pub(crate) fn map_values<'py>(
    array: &Bound<'py, PyUntypedArray>,
) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    check_number(array, "maps")?;
    plain(array)
}

/// The pixels of pictures.
pub(crate) fn pixels<'py>(object: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, u8>> {
    let array = array(object, "images")?;
    match kind(&array) {
        (b'u', 1) => plain(&array),
        _ => Err(errors::value(format!(
            "images are of type {}; they must be uint8, as decoded",
            array.dtype()
        ))),
    }
}
