//! The network itself: convolutions with the batch norms folded in.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::Device;

use crate::plan::{BlockPlan, ConvPlan, NetworkPlan};

/// A residual block: `relu(body(x) + shortcut(x))`.
#[derive(Module, Debug)]
pub(crate) struct Residual {
    pub(crate) body: Vec<Conv2d>,
    pub(crate) shortcut: Option<Conv2d>,
}

/// A ResNet without classifier, up to the deepest stage asked for.
#[derive(Module, Debug)]
pub(crate) struct Network {
    pub(crate) stem: Conv2d,
    pub(crate) stages: Vec<Vec<Residual>>,
}

impl Network {
    /// The network of `plan`, all parameters zero.
    pub(crate) fn zeros(plan: &NetworkPlan, device: &Device) -> Self {
        let block = |plan: &BlockPlan| Residual {
            body: plan.body.iter().map(|conv| conv2d(conv, device)).collect(),
            shortcut: plan.shortcut.as_ref().map(|conv| conv2d(conv, device)),
        };
        Self {
            stem: conv2d(&plan.stem, device),
            stages: plan
                .stages
                .iter()
                .map(|blocks| blocks.iter().map(block).collect())
                .collect(),
        }
    }
}

fn conv2d(plan: &ConvPlan, device: &Device) -> Conv2d {
    let padding = plan.kernel / 2;
    Conv2dConfig::new(plan.channels, [plan.kernel, plan.kernel])
        .with_stride([plan.stride, plan.stride])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_initializer(Initializer::Zeros)
        .init(device)
}
