//! What the decoder and the encoder learn to make small.

use burn::tensor::Tensor;
use ckaad_losses::reconstruction;
use ckaad_ops::normalise_channels;

use super::Decoder;

/// The losses of a batch, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct Objective {
    /// How far the decoder is from the frozen encoder's features.
    pub to_frozen: Tensor<1>,
    /// How far it is from those of the encoder that learns.
    pub to_trained: Tensor<1>,
    /// What is made small: half of each.
    pub total: Tensor<1>,
}

impl Objective {
    /// Of features of the same images by the encoder that learns and by the frozen one. [`hard`] positions alone have gradients.
    ///
    /// # Shapes
    /// As [`Decoder::forward`].
    pub fn new(
        decoder: &Decoder,
        trained: &[Tensor<4>],
        frozen: &[Tensor<4>],
        hardness: f64,
    ) -> Self {
        let [for_frozen, for_trained] = decoder.forward(trained, frozen);
        let to_frozen = mined(frozen, &for_frozen, hardness);
        let to_trained = mined(trained, &for_trained, hardness);
        Self {
            total: (to_frozen.clone() + to_trained.clone()) * 0.5,
            to_frozen,
            to_trained,
        }
    }

    /// The same without their gradients.
    pub(super) fn inner(self) -> Self {
        Self {
            to_frozen: self.to_frozen.inner(),
            to_trained: self.to_trained.inner(),
            total: self.total.inner(),
        }
    }
}

/// 1 at the positions of a scale where `1 - cos` of target and output is at least the mean plus `hardness` standard deviations (of all
/// images and positions), else 0.
///
/// # Shapes
/// - target, output: `[batch, channels, height, width]`
/// - result: `[batch, 1, height, width]`, without gradients
pub fn hard(target: &Tensor<4>, output: &Tensor<4>, hardness: f64) -> Tensor<4> {
    let [target, output] = [target, output].map(|x| normalise_channels(x.clone().inner()));
    let distance = (target * output).sum_dim(1).neg() + 1.0;
    let count = distance.shape().num_elements();
    let off = distance.clone() - distance.mean().unsqueeze();
    let variance = off.clone().square().sum() / (count.max(2) - 1) as f64;
    let least = variance.sqrt() * hardness;
    off.greater_equal(least.unsqueeze()).float()
}

/// The reconstruction loss of all positions, with gradients at the hard ones; the targets have none.
fn mined(targets: &[Tensor<4>], outputs: &[Tensor<4>], hardness: f64) -> Tensor<1> {
    let targets: Vec<Tensor<4>> = targets.iter().map(|x| x.clone().inner()).collect();
    let scales = targets.iter().zip(outputs);
    let outputs: Vec<Tensor<4>> = scales
        .map(|(target, output)| {
            let hard = hard(target, output, hardness);
            let easy = hard.clone().neg() + 1.0;
            output.clone() * hard + output.clone().inner() * easy
        })
        .collect();
    reconstruction(&targets, &outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_that_are_far_off_are_hard() {
        let device = ckaad_device::cpu();
        let target = Tensor::<4>::from_floats([[[[1.0; 4]], [[0.0; 4]]]], &device);
        // Distances 0, 0, 0 and 1: mean 0.25, deviation 0.5.
        let output = [[[[1.0, 2.0, 3.0, 0.0]], [[0.0, 0.0, 0.0, 1.0]]]];
        let output = Tensor::<4>::from_floats(output, &device);
        for (hardness, expected) in [
            (-3.0, [1.0; 4]),
            (-0.4, [0.0, 0.0, 0.0, 1.0]),
            (1.0, [0.0, 0.0, 0.0, 1.0]),
            (1.6, [0.0; 4]),
        ] {
            let found = hard(&target, &output, hardness).into_data();
            let found: Vec<f32> = found.iter::<f32>().collect();
            assert_eq!(found, expected, "{hardness}");
        }
    }

    #[test]
    fn easy_positions_count_but_do_not_pull() {
        let device = ckaad_device::cpu();
        let target = Tensor::<4>::from_floats([[[[1.0; 4]], [[0.0; 4]]]], &device);
        let output = [[[[1.0, 2.0, 3.0, 0.5]], [[0.1, 0.0, 0.0, 1.0]]]];
        let output = Tensor::<4>::from_floats(output, &device.autodiff()).require_grad();
        let targets = [target];
        let loss = mined(&targets, std::slice::from_ref(&output), 1.0);
        let whole = reconstruction(&targets, &[output.clone().inner()]);
        let gradients = loss.backward();
        assert_eq!(loss.inner().into_data(), whole.into_data());
        let Some(gradient) = output.grad(&gradients) else {
            panic!("the output has a gradient");
        };
        let gradient: Vec<f32> = gradient.into_data().iter::<f32>().collect();
        let hard = |at: usize| at % 4 == 3;
        for (at, value) in gradient.iter().enumerate() {
            assert_eq!(*value != 0.0, hard(at), "{gradient:?}");
        }
    }
}
