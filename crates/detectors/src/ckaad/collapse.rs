//! Networks that answer the same to everything.

use burn::module::Module;
use burn::tensor::Tensor;

use super::{Learner, Method};

/// The range of an answer, as a share of what it would be, below which it is the same for all.
const FLAT: f32 = 1e-5;

/// What the networks have stopped telling apart in a batch of normal features, fine to coarse.
pub(super) fn collapse(learner: &Learner, features: &[Tensor<4>]) -> Option<String> {
    // Images that are all alike have one answer.
    if features.iter().all(|scale| range(scale) == 0.0) {
        return None;
    }
    let reconstructed = learner.auto_encoder.valid().forward(features);
    if is_flat(&reconstructed, features) {
        return Some(
            "the auto-encoder gives the same reconstruction everywhere, for every image: it has collapsed, and the anomaly map tells \
             nothing; lower detector.learning_rate or detector.lambda"
                .to_owned(),
        );
    }
    let discriminator = learner.discriminator.as_ref()?.valid();
    let energies: Vec<Tensor<2>> = [features, reconstructed.as_slice()]
        .into_iter()
        .flat_map(|maps| match learner.settings().method {
            Method::Gan => vec![discriminator.logits(maps)],
            _ => discriminator.energies(maps),
        })
        .collect();
    has_one_energy(&energies).then(|| {
        "the discriminator gives the same energy to everything: it has collapsed, and the auto-encoder learns nothing from labels; \
         lower detector.discriminator_learning_rate, or look whether labelled images differ from normal ones"
            .to_owned()
    })
}

/// Whether reconstructions range over next to nothing of what the features do.
fn is_flat(reconstructed: &[Tensor<4>], features: &[Tensor<4>]) -> bool {
    let mut scales = reconstructed.iter().zip(features);
    scales.all(|(map, of)| range(map) <= FLAT * range(of))
}

/// The range of a channel's values over all images and positions, on average.
fn range(map: &Tensor<4>) -> f32 {
    let [images, channels, height, width] = map.dims();
    let by_channel = map.clone().swap_dims(0, 1);
    let rows = by_channel.reshape([channels, images * height * width]);
    let range = rows.clone().max_dim(1) - rows.min_dim(1);
    range.mean().into_scalar()
}

fn has_one_energy(energies: &[Tensor<2>]) -> bool {
    let flat = |energy: &Tensor<2>| {
        let values = energy.clone();
        let (low, high): (f32, f32) = (
            values.clone().min().into_scalar(),
            values.max().into_scalar(),
        );
        (low, high)
    };
    let ranges: Vec<(f32, f32)> = energies.iter().map(flat).collect();
    // Scales have networks of their own; each comes once for the features and once for their reconstructions.
    let scales = ranges.len() / 2;
    ranges[..scales]
        .iter()
        .zip(&ranges[scales..])
        .all(|(a, b)| {
            let (low, high) = (a.0.min(b.0), a.1.max(b.1));
            high - low <= FLAT * high.abs().max(low.abs())
        })
}
