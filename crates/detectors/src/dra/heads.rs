use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::batch_norm_train;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, conv2d};

/// Units of the holistic head.
const UNITS: usize = 256;

/// Four scores of the features of a scale, how far they are from zero is what counts.
#[derive(Module, Debug)]
pub struct Heads {
    /// The first layer of the holistic head, on the mean of all positions.
    pub hidden: Conv2d,
    /// Its second: far from zero for *normal* images.
    pub holistic: Conv2d,
    /// Scores of positions that learn from labelled anomalous images.
    pub seen: Conv2d,
    /// The same from made-up ones.
    pub pseudo: Conv2d,
    /// The first layer of the residual head, on the difference from a reference.
    pub residual: Conv2d,
    /// Its norm.
    pub norm: BatchNorm,
    /// Its scores of positions.
    pub score: Conv2d,
    #[module(skip)]
    precision: Precision,
}

impl Heads {
    /// With weights that are zero, to be filled.
    pub fn zeros(channels: usize, precision: Precision, device: &Device) -> Self {
        let layer = |inputs: usize, outputs: usize, side: usize| {
            let [before, after] = [(side - 1) / 2; 2];
            Conv2dConfig::new([inputs, outputs], [side, side])
                .with_padding(PaddingConfig2d::Explicit(before, before, after, after))
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        Self {
            hidden: layer(channels, UNITS, 1),
            holistic: layer(UNITS, 1, 1),
            seen: layer(channels, 1, 1),
            pseudo: layer(channels, 1, 1),
            residual: layer(channels, channels, 3),
            norm: BatchNormConfig::new(channels).init(device),
            score: layer(channels, 1, 1),
            precision,
        }
    }

    /// The scores of all positions: holistic (of one position), seen, pseudo, residual. On a device with autodiff the batch norm takes the
    /// statistics of the batch, which the running ones follow.
    ///
    /// # Shapes
    /// `features`: `[images, channels, height, width]`; `reference`: `[1, channels, height, width]`; each result `[images, positions]`.
    pub fn scores(&self, features: Tensor<4>, reference: Tensor<4>) -> [Tensor<2>; 4] {
        let layer = |layer: &Conv2d, x: Tensor<4>| conv2d(layer, x, self.precision);
        let mean = features.clone().mean_dims(&[2, 3]);
        let holistic = layer(&self.holistic, relu(layer(&self.hidden, mean)));
        let seen = layer(&self.seen, features.clone());
        let pseudo = layer(&self.pseudo, features.clone());
        let residual = self.normed(layer(&self.residual, reference - features));
        let residual = layer(&self.score, relu(residual));
        [holistic, seen, pseudo, residual].map(|scores| scores.flatten(1, 3))
    }

    fn normed(&self, x: Tensor<4>) -> Tensor<4> {
        if !x.device().is_autodiff() {
            return self.norm.forward(x);
        }
        let [batch, _, height, width] = x.dims();
        let count = (batch * height * width) as f64;
        let norm = &self.norm;
        let normed = batch_norm_train(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
        // burn's own layer keeps the biased variance; PyTorch, and this, the unbiased one.
        let unbiased = count / (count - 1.0).max(1.0);
        for (running, batch) in [
            (&norm.running_mean, normed.mean),
            (&norm.running_var, normed.variance * unbiased),
        ] {
            let before = running.value_sync() * (1.0 - norm.momentum);
            running.update((before + batch.detach() * norm.momentum).detach());
        }
        normed.output
    }
}
