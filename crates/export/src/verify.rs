//! Runs a graph that was written, in pure Rust, and compares it with the model that it was written from.

use std::collections::HashMap;
use std::sync::Arc;

use ckaad_data::{Picture, normalise_pixels};
use ckaad_engine::Predictor;
use rayon::prelude::*;
use tract_onnx::prelude::*;

use crate::{ExportError, Input};

/// The largest relative difference that a good graph may have.
pub const TOLERANCE: f64 = 1e-4;

/// Images in a batch.
const BATCH: usize = 4;

/// A graph that was written, and the model that it was written from.
pub struct Verifier<'a> {
    predictor: &'a Predictor,
    input: Input,
    graph: InferenceModel,
    /// Ready to run, by the shape of the input: one for whole batches, and one for what is left over.
    plans: HashMap<Vec<usize>, Arc<TypedRunnableModel>>,
    /// Scores of the model and of the graph.
    scores: Vec<[f64; 2]>,
    /// The largest difference of maps, if there are any.
    maps: Option<f64>,
}

/// How far a graph is from the model that it was written from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Images looked at.
    pub images: usize,
    /// The largest difference of an image's scores, as a share of the score or of the mean size of all images' scores, whichever is
    /// larger: scores such as log odds may be anywhere near zero.
    pub score: f64,
    /// The largest difference of a pixel of the maps, as a share of the largest size of a pixel of that map. `None` if there are no maps.
    pub map: Option<f64>,
}

impl Difference {
    /// Whether it is within the [`TOLERANCE`].
    pub fn is_good(&self) -> bool {
        self.score <= TOLERANCE && self.map.is_none_or(|map| map <= TOLERANCE)
    }
}

fn cannot_run(error: TractError) -> ExportError {
    ExportError::Run(error.into())
}

impl<'a> Verifier<'a> {
    /// For the bytes of a graph that takes such an input.
    ///
    /// # Errors
    /// [`ExportError::Run`] if they are no graph.
    pub fn new(file: &[u8], input: Input, predictor: &'a Predictor) -> Result<Self, ExportError> {
        let graph = tract_onnx::onnx().model_for_read(&mut &file[..]);
        Ok(Self {
            predictor,
            input,
            graph: graph.map_err(cannot_run)?,
            plans: HashMap::new(),
            scores: Vec::new(),
            maps: None,
        })
    }

    /// How many pictures are best compared at a time.
    pub fn batch(&self) -> usize {
        match self.input {
            Input::Images => BATCH,
            // Pictures differ in size.
            Input::Pictures => 1,
        }
    }

    /// Compares what graph and model say of pictures, which have one size if the graph takes pictures.
    ///
    /// # Errors
    /// [`ExportError::Run`] if the graph does not run.
    pub fn compare(&mut self, pictures: &[Picture]) -> Result<(), ExportError> {
        let outputs = self.run(pictures).map_err(cannot_run)?;
        let scored = self.predictor.predict(pictures);
        let (scores, maps) = outputs;
        for (index, (expected, score)) in scored.iter().zip(scores).enumerate() {
            self.scores.push([expected.score, f64::from(score)]);
            let Some(map) = &expected.map else {
                continue;
            };
            let length = map.values.len();
            let found = maps
                .get(index * length..(index + 1) * length)
                .unwrap_or(&[]);
            let difference = largest_difference(&map.values, found);
            self.maps = Some(worse(self.maps.unwrap_or(0.0), difference));
        }
        Ok(())
    }

    /// The scores and the values of all maps that the graph gives.
    fn run(&mut self, pictures: &[Picture]) -> TractResult<(Vec<f32>, Vec<f32>)> {
        let (tensor, fact) = match self.input {
            Input::Images => {
                let size = self.predictor.info().config.image_size;
                let length = 3 * size * size;
                let mut values = vec![0.0_f32; pictures.len() * length];
                values
                    .par_chunks_exact_mut(length)
                    .zip(pictures)
                    .for_each(|(out, picture)| {
                        normalise_pixels(&picture.to_square(size).pixels, out);
                    });
                let shape = [pictures.len(), 3, size, size];
                (Tensor::from_shape(&shape, &values)?, f32::fact(shape))
            }
            Input::Pictures => {
                let [height, width] = pictures
                    .first()
                    .map_or([0; 2], |picture| [picture.height, picture.width]);
                let bytes = pictures.iter().flat_map(|picture| &picture.pixels);
                let bytes: Vec<u8> = bytes.copied().collect();
                let shape = [pictures.len(), height, width, 3];
                (Tensor::from_shape(&shape, &bytes)?, u8::fact(shape))
            }
        };
        let shape = tensor.shape().to_vec();
        let plan = match self.plans.get(&shape) {
            Some(plan) => plan.clone(),
            None => {
                let graph = self.graph.clone().with_input_fact(0, fact.into())?;
                let plan = graph.into_optimized()?.into_runnable()?;
                self.plans.insert(shape, plan.clone());
                plan
            }
        };
        let outputs = plan.run(tvec!(tensor.into_tvalue()))?;
        let values = |output: Option<&TValue>| -> TractResult<Vec<f32>> {
            let Some(output) = output else {
                return Ok(Vec::new());
            };
            let values = output.to_plain_array_view::<f32>()?;
            Ok(values.iter().copied().collect())
        };
        Ok((values(outputs.first())?, values(outputs.get(1))?))
    }

    /// How far the graph is from the model on all pictures compared.
    ///
    /// # Errors
    /// [`ExportError::NoImages`] if there were none.
    pub fn difference(&self) -> Result<Difference, ExportError> {
        if self.scores.is_empty() {
            return Err(ExportError::NoImages);
        }
        let sizes = self.scores.iter().map(|[expected, _]| expected.abs());
        let mean = sizes.sum::<f64>() / self.scores.len() as f64;
        let relative = |[expected, found]: &[f64; 2]| {
            let difference = (expected - found).abs();
            match difference {
                0.0 => 0.0,
                _ => difference / expected.abs().max(mean),
            }
        };
        Ok(Difference {
            images: self.scores.len(),
            score: self.scores.iter().map(relative).fold(0.0, worse),
            map: self.maps,
        })
    }
}

/// The larger difference; what is no number is as bad as can be.
fn worse(a: f64, b: f64) -> f64 {
    match a.is_nan() || b.is_nan() {
        true => f64::INFINITY,
        false => a.max(b),
    }
}

/// The largest difference of two maps as a share of the largest size of a value of the first; infinite if they are not as large.
fn largest_difference(expected: &[f32], found: &[f32]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    let size = expected.iter().fold(0.0_f32, |size, x| size.max(x.abs()));
    let differences = expected
        .iter()
        .zip(found)
        .map(|(a, b)| f64::from(a - b).abs());
    match differences.fold(0.0, worse) {
        0.0 => 0.0,
        difference => difference / f64::from(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_relative_to_the_largest_value() {
        assert_eq!(largest_difference(&[1.0, -4.0], &[1.0, -3.0]), 0.25);
        assert_eq!(largest_difference(&[0.0], &[0.0]), 0.0);
        assert_eq!(largest_difference(&[1.0], &[f32::NAN]), f64::INFINITY);
        assert_eq!(largest_difference(&[1.0], &[]), f64::INFINITY);
        assert_eq!(largest_difference(&[0.0], &[1.0]), f64::INFINITY);
    }

    #[test]
    fn what_is_no_number_is_not_good() {
        let good = Difference {
            images: 1,
            score: 1e-5,
            map: None,
        };
        assert!(good.is_good());
        assert!(
            !Difference {
                score: f64::INFINITY,
                ..good
            }
            .is_good()
        );
        assert!(
            !Difference {
                map: Some(2e-4),
                ..good
            }
            .is_good()
        );
    }
}
