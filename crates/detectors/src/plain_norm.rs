//! Batch norms with nothing to learn.

use burn::module::{Module, Param, RunningState};
use burn::nn::BatchNormConfig;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Activation, batch_norm};

/// What a batch does to the running statistics of norms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistics {
    /// They follow those of the batch.
    Followed,
    /// They stay.
    Left,
}

/// A batch norm with nothing to learn.
#[derive(Module, Debug)]
pub(crate) struct PlainNorm {
    running_mean: RunningState<Tensor<1>>,
    running_var: RunningState<Tensor<1>>,
    #[module(skip)]
    shape: PlainShape,
}

#[derive(Debug, Clone, Copy)]
struct PlainShape {
    channels: usize,
    epsilon: f64,
}

impl PlainNorm {
    pub(crate) fn new(channels: usize, epsilon: f64, device: &Device) -> Self {
        Self {
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            shape: PlainShape { channels, epsilon },
        }
    }

    /// By the statistics of the batch where gradients are tracked, else by the running ones.
    pub(crate) fn forward(&self, x: Tensor<4>, statistics: Statistics) -> Tensor<4> {
        let PlainShape { channels, epsilon } = self.shape;
        let device = x.device();
        let constant = |value: Tensor<1>| Param::from_tensor(value).set_require_grad(false);
        let mut norm = BatchNormConfig::new(channels)
            .with_epsilon(epsilon)
            .init(&device);
        norm.gamma = constant(Tensor::ones([channels], &device));
        norm.beta = constant(Tensor::zeros([channels], &device));
        if statistics == Statistics::Followed || !device.is_autodiff() {
            // Copies share what runs.
            norm.running_mean = self.running_mean.clone();
            norm.running_var = self.running_var.clone();
        }
        batch_norm(&norm, x, None, Activation::Identity)
    }
}
