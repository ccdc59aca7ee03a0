//! Sets of anomaly maps with their masks.

use ckaad_metrics::{AnnotatedMap, Connectivity, MetricError};
use numpy::{PyReadonlyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::arrays::{Marked, array, map_values, nonzero};
use crate::errors;

/// 4 or 8.
pub(crate) fn connectivity(neighbours: u8) -> PyResult<Connectivity> {
    match neighbours {
        4 => Ok(Connectivity::Four),
        8 => Ok(Connectivity::Eight),
        _ => Err(errors::value(format!(
            "connectivity is {neighbours}: it must be 4 or 8"
        ))),
    }
}

/// Maps of one array, `[height, width]` each, and the masks of all of them or of none.
struct Block<'py> {
    scores: PyReadonlyArrayDyn<'py, f32>,
    masks: Option<Marked<'py>>,
    height: usize,
    width: usize,
}

impl<'py> Block<'py> {
    /// One map, `[height, width]`.
    fn one(
        image: usize,
        map: &Bound<'py, PyAny>,
        mask: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let map = array(map, "maps")?;
        let &[height, width] = map.shape() else {
            return Err(errors::value(format!(
                "image {image}: its map has {} dimensions; it must have 2, rows and columns",
                map.ndim()
            )));
        };
        let mask = mask
            .map(|mask| array(mask, "masks"))
            .transpose()?
            .map(|mask| {
                check_shape(image, mask.shape(), [height, width])?;
                nonzero(&mask)
            })
            .transpose()?;
        Ok(Self {
            scores: map_values(&map)?,
            masks: mask,
            height,
            width,
        })
    }

    /// `[images, height, width]`, with masks of the same shape if any.
    fn all(
        maps: &Bound<'py, PyUntypedArray>,
        masks: Option<&Bound<'py, PyUntypedArray>>,
    ) -> PyResult<Self> {
        let &[count, height, width] = maps.shape() else {
            return Err(errors::value(format!(
                "maps have {} dimensions; they must have 3 (images, rows, columns), or be a list of maps of 2",
                maps.ndim()
            )));
        };
        let masks = masks
            .map(|masks| {
                check_count(count, masks.shape()[0])?;
                check_shape(0, &masks.shape()[1..], [height, width])?;
                nonzero(masks)
            })
            .transpose()?;
        Ok(Self {
            scores: map_values(maps)?,
            masks,
            height,
            width,
        })
    }

    fn annotated<'a>(&'a self, into: &mut Vec<AnnotatedMap<'a>>) -> PyResult<()> {
        let (height, width) = (self.height, self.width);
        let scores = self.scores.as_slice()?;
        let masks = match &self.masks {
            Some(Marked(masks)) => Some(masks.as_slice()?),
            None => None,
        };
        let count = match self.scores.ndim() {
            3 => self.scores.shape()[0],
            _ => 1,
        };
        let pixels = height * width;
        into.extend((0..count).map(|image| {
            let within = image * pixels..(image + 1) * pixels;
            AnnotatedMap {
                scores: &scores[within.clone()],
                mask: masks.map(|masks| &masks[within]),
                height,
                width,
            }
        }));
        Ok(())
    }
}

fn check_count(maps: usize, masks: usize) -> PyResult<()> {
    if maps == masks {
        return Ok(());
    }
    Err(errors::value(format!(
        "{maps} maps but {masks} masks: give one mask per map, None for that of a normal image"
    )))
}

fn check_shape(image: usize, mask: &[usize], [height, width]: [usize; 2]) -> PyResult<()> {
    if mask == [height, width] {
        return Ok(());
    }
    let pixels = mask.iter().product();
    if pixels != height * width {
        return Err(errors::metric(MetricError::MaskShape {
            image,
            height,
            width,
            mask: pixels,
        }));
    }
    Err(errors::value(format!(
        "image {image}: the mask has the shape {mask:?} but its map is {height} x {width}"
    )))
}

/// A set of maps: one array `[images, height, width]`, or a sequence of maps of any sizes.
pub(crate) struct Maps<'py>(Vec<Block<'py>>);

impl<'py> Maps<'py> {
    pub(crate) fn new(maps: &Bound<'py, PyAny>, masks: &Bound<'py, PyAny>) -> PyResult<Self> {
        let whole = maps.cast::<PyUntypedArray>().ok();
        let whole_masks = masks.cast::<PyUntypedArray>().ok();
        match (whole, whole_masks) {
            (Some(maps), Some(masks)) if maps.ndim() == 3 && masks.ndim() == 3 => {
                return Ok(Self(vec![Block::all(maps, Some(masks))?]));
            }
            (Some(maps), None) if masks.is_none() => {
                return Ok(Self(vec![Block::all(maps, None)?]));
            }
            _ => {}
        }
        let maps: Vec<Bound<'py, PyAny>> = maps.try_iter()?.collect::<PyResult<_>>()?;
        let masks: Vec<Bound<'py, PyAny>> = match masks.is_none() {
            true => Vec::new(),
            false => masks.try_iter()?.collect::<PyResult<_>>()?,
        };
        if !masks.is_empty() {
            check_count(maps.len(), masks.len())?;
        }
        let blocks = maps.iter().enumerate().map(|(image, map)| {
            Block::one(image, map, masks.get(image).filter(|mask| !mask.is_none()))
        });
        Ok(Self(blocks.collect::<PyResult<_>>()?))
    }

    /// One map, which errors call `image`.
    pub(crate) fn one(
        image: usize,
        map: &Bound<'py, PyAny>,
        mask: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        Ok(Self(vec![Block::one(image, map, mask)?]))
    }

    /// As the library takes them.
    pub(crate) fn annotated(&self) -> PyResult<Vec<AnnotatedMap<'_>>> {
        let mut annotated = Vec::with_capacity(self.0.len());
        for block in &self.0 {
            block.annotated(&mut annotated)?;
        }
        Ok(annotated)
    }
}
