//! torchvision's pretrained tensors: what belongs to a network, and the folding of its batch norms.

use std::collections::BTreeMap;

use ckaad_parameters::{NamedTensor, NamedTensors, ParameterError};

use crate::network::Network;
use crate::plan::ConvPlan;

/// torchvision's batch norm epsilon.
const EPSILON: f64 = 1e-5;

/// The tensors of a batch norm: scale, shift and statistics.
const NORM_PARTS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// Later stages, the classifier and the counters of batch norms are not needed.
pub(crate) fn drop_later_parts(tensors: &mut NamedTensors, deepest: usize) {
    let needless: Vec<String> = tensors
        .names()
        .filter(|name| {
            let later = (deepest + 1..=4).any(|stage| name.starts_with(&format!("layer{stage}.")));
            later || name.starts_with("fc.") || name.ends_with("num_batches_tracked")
        })
        .map(str::to_owned)
        .collect();
    for name in needless {
        tensors.remove(&name);
    }
}

/// Compares names and shapes with what torchvision's network of this plan has.
pub(crate) fn check(
    plan: &Network<ConvPlan>,
    tensors: &NamedTensors,
) -> Result<(), ParameterError> {
    let mut expected = BTreeMap::new();
    for conv in plan.layers() {
        let ([input, output], kernel) = (conv.shape.channels, conv.shape.kernel);
        expected.insert(
            format!("{}.weight", conv.conv),
            vec![output, input, kernel, kernel],
        );
        for part in NORM_PARTS {
            expected.insert(format!("{}.{part}", conv.norm), vec![output]);
        }
    }
    tensors.check(&expected)
}

/// Weight and bias of the convolution that does what `conv` and its batch norm do in evaluation mode.
pub(crate) fn fold(conv: &ConvPlan, tensors: &NamedTensors) -> [NamedTensor; 2] {
    let values = |name: String| tensors.get(&name).map_or(&[][..], |tensor| &tensor.values);
    let weight = values(format!("{}.weight", conv.conv));
    let [gamma, beta, mean, variance] =
        NORM_PARTS.map(|part| values(format!("{}.{part}", conv.norm)));
    let ([input, output], kernel) = (conv.shape.channels, conv.shape.kernel);
    let scales: Vec<f64> = gamma
        .iter()
        .zip(variance)
        .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + EPSILON).sqrt())
        .collect();
    let per_output = input * kernel * kernel;
    let scaled = weight
        .iter()
        .enumerate()
        .map(|(index, &w)| (f64::from(w) * scales[index / per_output]) as f32)
        .collect();
    let bias = (0..output)
        .map(|channel| {
            (f64::from(beta[channel]) - f64::from(mean[channel]) * scales[channel]) as f32
        })
        .collect();
    [
        NamedTensor {
            shape: vec![output, input, kernel, kernel],
            values: scaled,
        },
        NamedTensor {
            shape: vec![output],
            values: bias,
        },
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{BackboneConfig, ResNetVariant};

    /// Weights of ResNet-18 up to its first stage, all 1 but the variances, which are `variance`.
    fn weights(variance: f32) -> NamedTensors {
        let mut tensors = NamedTensors::new();
        for conv in Network::plan(ResNetVariant::ResNet18, 1).layers() {
            let ([input, output], kernel) = (conv.shape.channels, conv.shape.kernel);
            let mut add = |name: String, shape: Vec<usize>, value: f32| {
                let values = vec![value; shape.iter().product()];
                tensors.insert(name, NamedTensor { shape, values });
            };
            let shape = vec![output, input, kernel, kernel];
            add(format!("{}.weight", conv.conv), shape, 1.0);
            for part in NORM_PARTS {
                let value = if part == "running_var" { variance } else { 1.0 };
                add(format!("{}.{part}", conv.norm), vec![output], value);
            }
        }
        tensors
    }

    #[test]
    fn a_variance_below_zero_is_refused() {
        let config = BackboneConfig::new(ResNetVariant::ResNet18, &[1]).unwrap();
        let device = ckaad_device::cpu();
        config.from_torchvision(weights(1.0), &device).unwrap();
        let error = config.from_torchvision(weights(-1.0), &device).unwrap_err();
        assert!(error.to_string().contains("holds NaN"), "{error}");
    }
}
