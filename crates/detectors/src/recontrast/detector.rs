use burn::module::Module;
use ckaad_anomaly_map::{AnomalyMapper, ImageScore, distances};
use ckaad_auto_encoder::FrozenAutoEncoder;
use ckaad_backbone::{Backbone, Encoder};
use ckaad_ops::{Activation, FeatureMap, FrozenConv};
use ckaad_parameters::{NamedTensors, collect};
use rayon::prelude::*;

use super::Decoder;
use super::decoder::Outputs;
use crate::{Detector, Inputs, Scored};

/// The largest distance at one scale: that of opposite vectors.
const LARGEST_DISTANCE: f32 = 2.0;
/// Encoders.
const ENCODERS: usize = 2;

/// All that learns.
#[derive(Module, Debug)]
pub(super) struct Networks {
    pub(super) decoder: Decoder,
    pub(super) encoder: Encoder,
}

/// The distances of what each encoder sees from what a decoder makes of the other's, at every pixel.
pub struct Scorer {
    student: FrozenAutoEncoder,
    /// Behind the encoder that has learned, and behind the frozen one.
    outputs: [Vec<FrozenConv>; 2],
    image_score: ImageScore,
    mapper: AnomalyMapper,
}

impl Scorer {
    /// Freezes the decoder; gradients that it may track are left behind.
    pub fn new(decoder: &Decoder, image_score: ImageScore, mapper: AnomalyMapper) -> Self {
        let decoder = decoder.valid();
        let frozen = |outputs: &Outputs| {
            let layers = outputs.scales.iter().map(FrozenConv::from);
            layers
                .map(|layer| layer.with_precision(decoder.precision))
                .collect()
        };
        Self {
            outputs: [&decoder.for_frozen, &decoder.for_trained].map(frozen),
            student: decoder.student.frozen(),
            image_score,
            mapper,
        }
    }

    /// Scores images by what the encoder that has learned and the frozen one see.
    ///
    /// # Shapes
    /// As [`Decoder::forward`].
    pub fn score(&self, trained: &[FeatureMap], frozen: &[FeatureMap]) -> Vec<Scored> {
        let [for_frozen, for_trained] = [trained, frozen].map(|maps| self.student.forward(maps));
        let outputs = |decoded: Vec<FeatureMap>, layers: &[FrozenConv]| -> Vec<FeatureMap> {
            let scales = decoded.iter().zip(layers);
            scales
                .map(|(decoded, layer)| layer.forward(decoded, None, Activation::Identity))
                .collect()
        };
        let mut scales = distances(frozen, &outputs(for_frozen, &self.outputs[0]));
        let others = distances(trained, &outputs(for_trained, &self.outputs[1]));
        for (image, others) in scales.iter_mut().zip(others) {
            image.extend(others);
        }
        let maps = scales.par_iter().map(|scales| self.mapper.map(scales));
        maps.map(|map| Scored {
            score: self.image_score.of(&map),
            map: Some(map),
        })
        .collect()
    }
}

/// A [`Scorer`] with the encoder that has learned.
pub(super) struct RecontrastDetector {
    networks: Networks,
    encoder: Backbone,
    scorer: Scorer,
}

impl RecontrastDetector {
    /// Freezes the networks; gradients that they may track are left behind. Maps have the images' size.
    pub(super) fn new(networks: Networks, image_score: ImageScore, image_size: usize) -> Self {
        let mapper = AnomalyMapper::new(image_size, image_size);
        Self {
            encoder: networks.encoder.frozen(),
            scorer: Scorer::new(&networks.decoder, image_score, mapper),
            networks: networks.valid(),
        }
    }
}

impl Detector for RecontrastDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let Some(images) = inputs.images.clone() else {
            panic!("recontrast asks for images");
        };
        let frozen = inputs.features.iter().cloned().map(FeatureMap::blocked);
        let frozen: Vec<FeatureMap> = frozen.collect();
        self.scorer.score(&self.encoder.maps(images), &frozen)
    }

    fn parameters(&self) -> NamedTensors {
        collect(&self.networks)
    }

    fn map_range(&self) -> [f32; 2] {
        let maps = ENCODERS * self.networks.decoder.for_frozen.scales.len();
        [0.0, LARGEST_DISTANCE * maps as f32]
    }
}
