use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_anomaly_map::AnomalyMap;
use ckaad_metrics::auroc;
use ckaad_parameters::{NamedTensor, NamedTensors, apply, collect};

use super::{Encoder, Generator};
use crate::pixels::unit;
use crate::pooling::values;
use crate::{Detector, DetectorError, HeldOut, Inputs, Scored};

/// Whether codes score images, among the parameters: 1 or 0.
const BY_CODE: &str = "by_code";

/// What an image is scored by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoredBy {
    /// What it differs by from what is generated from its code: the sum of squares over all pixels.
    Image,
    /// The sum of squares of its code.
    Code,
}

/// Both networks as one, for their parameters' names.
#[derive(Module, Debug)]
struct Networks {
    encoder: Encoder,
    generator: Generator,
}

/// How far images are from what is generated from their codes, or how far out the codes lie, whichever tells held-out images better.
pub struct AaBiganDetector {
    networks: Networks,
    by: ScoredBy,
}

/// Scores of both kinds and a map.
pub struct Seen {
    /// [`ScoredBy::Image`].
    pub image: f64,
    /// [`ScoredBy::Code`].
    pub code: f64,
    /// The mean over colours of the squared difference of every pixel.
    pub map: AnomalyMap,
}

impl AaBiganDetector {
    /// Of networks that track no gradients; images are scored by what they differ by.
    pub fn new(encoder: Encoder, generator: Generator) -> Self {
        Self {
            networks: Networks { encoder, generator },
            by: ScoredBy::Image,
        }
    }

    pub(super) fn from_parameters(
        encoder: Encoder,
        generator: Generator,
        mut parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let networks = Networks { encoder, generator };
        let shapes = collect(&networks);
        let shapes = shapes
            .iter()
            .map(|(name, of)| (name.to_owned(), of.shape.clone()));
        let by = (BY_CODE.to_owned(), vec![1]);
        parameters.check(&shapes.chain(std::iter::once(by)).collect())?;
        let by = parameters
            .remove(BY_CODE)
            .is_some_and(|by| by.values != [0.0]);
        let by = if by { ScoredBy::Code } else { ScoredBy::Image };
        let networks = apply(networks, &parameters)?;
        Ok(Self { networks, by })
    }

    /// What there is to say of images, brightness from 0 to 1.
    ///
    /// # Shapes
    /// - images: `[batch, 3, side, side]`
    pub fn look(&self, images: Tensor<4>) -> Vec<Seen> {
        let [_, _, height, width] = images.dims();
        let codes = self.networks.encoder.forward(images.clone());
        let back = self.networks.generator.forward(codes.clone());
        let square = (images - back).square();
        let of_images = values(square.clone().flatten::<2>(1, 3).sum_dim(1));
        let of_codes = values(codes.square().sum_dim(1));
        let maps = values(square.mean_dim(1));
        let maps = maps.chunks_exact(height * width);
        let scores = of_images.into_iter().zip(of_codes);
        scores
            .zip(maps)
            .map(|((image, code), map)| Seen {
                image: f64::from(image),
                code: f64::from(code),
                map: AnomalyMap {
                    height,
                    width,
                    values: map.to_vec(),
                },
            })
            .collect()
    }
}

impl Detector for AaBiganDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let seen = self.look(unit(inputs)).into_iter();
        seen.map(|seen| Scored {
            score: match self.by {
                ScoredBy::Image => seen.image,
                ScoredBy::Code => seen.code,
            },
            map: Some(seen.map),
        })
        .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let mut parameters = collect(&self.networks);
        let by = NamedTensor {
            shape: vec![1],
            values: vec![f32::from(u8::from(self.by == ScoredBy::Code))],
        };
        parameters.insert(BY_CODE.to_owned(), by);
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }

    /// Images score by themselves unless codes tell held-out images better.
    fn tune(&mut self, held_out: &dyn HeldOut) {
        let (mut by_image, mut by_code, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        held_out.for_each(&mut |inputs, anomalous| {
            for seen in self.look(unit(inputs)) {
                by_image.push(seen.image);
                by_code.push(seen.code);
            }
            labels.extend_from_slice(anomalous);
        });
        // Images of one kind alone tell nothing.
        let figures = [&by_image, &by_code].map(|scores| auroc(scores, &labels).unwrap_or(0.5));
        self.by = match figures[1] > figures[0] {
            true => ScoredBy::Code,
            false => ScoredBy::Image,
        };
    }
}
