use std::collections::BTreeMap;

use ckaad_parameters::{NamedTensor, NamedTensors};

use super::{Network, Settings};
use crate::pooling::{Pooling, pooled};
use crate::samples::Standard;
use crate::{Detector, DetectorError, Inputs, Scored, Setup};

const STANDARD: [&str; 2] = ["mean", "deviation"];
/// In the order of [`Network::layers`].
const LAYERS: [&str; 4] = ["hidden.weight", "hidden.bias", "score.weight", "score.bias"];
const PARTNERS: [&str; 2] = ["partners.normal", "partners.anomalous"];

/// Scores of images with the training images as partners.
#[derive(Clone)]
pub(super) struct PreNetDetector {
    parameters: NamedTensors,
    pooling: Vec<Pooling>,
    standard: Standard,
    network: Network,
    /// The mean of what the network makes of normal images, and of anomalous ones.
    partners: [Vec<f64>; 2],
}

/// Names and shapes of the parameters of a network like that one.
pub(super) fn shapes(network: &Network) -> BTreeMap<String, Vec<usize>> {
    let (features, units) = (network.features(), network.units());
    let layers = [vec![units, features], vec![units], vec![2 * units], vec![1]];
    let standard = STANDARD.into_iter().map(|name| (name, vec![features]));
    let partners = PARTNERS.into_iter().map(|name| (name, vec![units]));
    let all = standard
        .chain(LAYERS.into_iter().zip(layers))
        .chain(partners);
    all.map(|(name, shape)| (name.to_owned(), shape)).collect()
}

impl PreNetDetector {
    pub(super) fn from_parameters(
        settings: &Settings,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let network = settings.network(setup);
        parameters.check(&shapes(&network))?;
        Ok(Self::of(settings, network, parameters))
    }

    /// From parameters of the right [`shapes`] for a network like that one.
    pub(super) fn of(settings: &Settings, mut network: Network, parameters: NamedTensors) -> Self {
        let single = |name: &str| parameters.get(name).map_or(&[][..], |it| &it.values);
        let double = |name: &str| single(name).iter().copied().map(f64::from);
        for (layer, name) in network.layers_mut().into_iter().zip(LAYERS) {
            for (value, stored) in layer.iter_mut().zip(double(name)) {
                *value = stored;
            }
        }
        let [mean, deviation] = STANDARD.map(|name| single(name).to_vec());
        Self {
            pooling: settings.pooling.clone(),
            standard: Standard { mean, deviation },
            partners: PARTNERS.map(|name| double(name).collect()),
            network,
            parameters,
        }
    }

    /// What was learned from samples that were shifted and scaled so, as it would be loaded: in single precision.
    pub(super) fn learned(
        settings: &Settings,
        standard: Standard,
        network: Network,
        partners: [Vec<f64>; 2],
    ) -> Self {
        let single = |values: &[f64]| values.iter().map(|&x| x as f32).collect();
        let Standard { mean, deviation } = standard;
        let standard = STANDARD.into_iter().zip([mean, deviation]);
        let layers = LAYERS.into_iter().zip(network.layers().map(single));
        let partners = PARTNERS.into_iter().zip(&partners);
        let partners = partners.map(|(name, values)| (name, single(values)));
        let mut values: BTreeMap<&str, Vec<f32>> = standard.chain(layers).chain(partners).collect();
        let named = shapes(&network).into_iter().map(|(name, shape)| {
            let values = values.remove(&*name).unwrap_or_default();
            (name, NamedTensor { shape, values })
        });
        let parameters = named.collect();
        Self::of(settings, network, parameters)
    }
}

impl Detector for PreNetDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let mut samples = pooled(inputs, &self.pooling);
        for sample in &mut samples {
            self.standard.apply(sample);
        }
        let samples: Vec<f64> = samples.iter().flatten().copied().map(f64::from).collect();
        let shared = self.network.shared(&samples);
        let images = shared.chunks_exact(self.network.units());
        let scored = images.map(|image| Scored {
            score: self.network.image_score(image, &self.partners),
            map: None,
        });
        scored.collect()
    }

    fn parameters(&self) -> NamedTensors {
        self.parameters.clone()
    }

    /// It has no maps.
    fn map_range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }
}
