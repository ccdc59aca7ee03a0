//! The network itself: convolutions with the batch norms folded in.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor};

use crate::plan::{BlockPlan, ConvPlan, NetworkPlan};

/// A residual block: `relu(body(x) + shortcut(x))`.
#[derive(Module, Debug)]
pub(crate) struct Residual {
    body: Vec<Conv2d>,
    shortcut: Option<Conv2d>,
}

/// A ResNet without classifier, up to the deepest stage asked for.
#[derive(Module, Debug)]
pub(crate) struct Network {
    stem: Conv2d,
    stages: Vec<Vec<Residual>>,
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

    /// The output of every stage.
    pub(crate) fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        let pool = MaxPoolOptions::new([3, 3])
            .with_stride([2, 2])
            .with_padding([1, 1]);
        let mut x = max_pool2d(relu(ckaad_ops::conv2d(&self.stem, images)), pool);
        let mut outputs = Vec::with_capacity(self.stages.len());
        for blocks in &self.stages {
            x = blocks.iter().fold(x, |x, block| block.forward(x));
            outputs.push(x.clone());
        }
        outputs
    }
}

impl Residual {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(conv) => ckaad_ops::conv2d(conv, x.clone()),
            None => x.clone(),
        };
        let mut convs = self.body.iter();
        let mut y = x;
        while let Some(conv) = convs.next() {
            y = ckaad_ops::conv2d(conv, y);
            if convs.len() > 0 {
                y = relu(y);
            }
        }
        relu(y + shortcut)
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
