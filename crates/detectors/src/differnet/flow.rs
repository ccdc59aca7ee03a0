//! The network: an invertible map of a vector, block after block, whose volume is known.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{Precision, linear};
use ckaad_parameters::Initialisation;

use crate::permutation::permute;

/// Logarithms of scales are `0.636 CLAMP atan(s / CLAMP)`, less than this.
const CLAMP: f64 = 3.0;
/// About `2 / π`, as the authors write it.
const TO_ONE: f64 = 0.636;
/// No number becomes larger.
const LARGEST: f64 = 1e6;
/// Linear layers of a subnet, with a ReLU between them.
const LAYERS: usize = 4;

/// The shape of a [`Flow`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowConfig {
    /// How many numbers it maps, an even number.
    pub width: usize,
    /// Blocks.
    pub blocks: usize,
    /// Width of the subnets' hidden layers.
    pub hidden: usize,
    /// How exactly the layers multiply.
    pub precision: Precision,
}

/// From one half of the numbers to logarithms of scales and shifts of the other.
#[derive(Module, Debug)]
struct Subnet {
    layers: Vec<Linear>,
}

/// Another order of the numbers, then two affine couplings: of the first half with the second, and of the second with what became of the first.
#[derive(Module, Debug)]
struct Block {
    on_first: Subnet,
    on_second: Subnet,
    #[module(skip)]
    order: Vec<usize>,
    #[module(skip)]
    precision: Precision,
}

/// An invertible map of vectors.
#[derive(Module, Debug)]
pub struct Flow {
    blocks: Vec<Block>,
}

/// Vectors where they came to lie, and how much the map enlarges volumes there.
#[derive(Debug, Clone)]
pub struct Image {
    /// `[batch, width]`.
    pub z: Tensor<2>,
    /// The logarithm of the determinant of all blocks, `[batch, 1]`.
    pub log_det: Tensor<2>,
}

impl FlowConfig {
    /// Starting values by `seed`: Kaiming uniform, without offset. `order` gives the order of numbers that a block begins with, by the block's
    /// number and the width.
    pub fn init(
        &self,
        seed: u64,
        order: impl FnMut(usize, usize) -> Vec<usize>,
        device: &Device,
    ) -> Flow {
        Initialisation::FanInUniform.fill(self.zeros(order, device), seed)
    }

    /// The same network to be filled from a file.
    pub fn zeros(
        &self,
        mut order: impl FnMut(usize, usize) -> Vec<usize>,
        device: &Device,
    ) -> Flow {
        let half = self.width / 2;
        let layer = |layer: usize| {
            let inputs = if layer == 0 { half } else { self.hidden };
            let last = layer + 1 == LAYERS;
            LinearConfig::new(inputs, if last { self.width } else { self.hidden })
                .with_initializer(Initializer::Zeros)
                .init(device)
        };
        let subnet = || Subnet {
            layers: (0..LAYERS).map(layer).collect(),
        };
        let block = |block| Block {
            on_first: subnet(),
            on_second: subnet(),
            order: order(block, self.width),
            precision: self.precision,
        };
        Flow {
            blocks: (0..self.blocks).map(block).collect(),
        }
    }
}

impl Subnet {
    /// Logarithms of scales, and shifts.
    fn forward(&self, x: Tensor<2>, precision: Precision) -> [Tensor<2>; 2] {
        let mut layers = self.layers.iter();
        let first = layers.next().map(|layer| linear(layer, x, precision));
        let Some(out) = layers.fold(first, |x, layer| {
            x.map(|x| linear(layer, relu(x), precision))
        }) else {
            panic!("a subnet has layers");
        };
        let [raw, shift] = halves(out);
        [(raw / CLAMP).atan() * (CLAMP * TO_ONE), shift]
    }
}

impl Block {
    fn forward(&self, x: Tensor<2>) -> Image {
        let [a, b] = halves(permute(x, &self.order));
        let [scale_a, shift_a] = self.on_second.forward(b.clone(), self.precision);
        let a = scale_a.clone().exp() * a + shift_a;
        let [scale_b, shift_b] = self.on_first.forward(a.clone(), self.precision);
        let b = scale_b.clone().exp() * b + shift_b;
        Image {
            z: Tensor::cat(vec![a, b], 1).clamp(-LARGEST, LARGEST),
            log_det: scale_a.sum_dim(1) + scale_b.sum_dim(1),
        }
    }
}

fn halves(x: Tensor<2>) -> [Tensor<2>; 2] {
    let half = x.dims()[1] / 2;
    [x.clone().narrow(1, 0, half), x.narrow(1, half, half)]
}

impl Flow {
    /// Where vectors come to lie.
    ///
    /// # Shapes
    /// - vectors: `[batch, width]`
    pub fn forward(&self, vectors: Tensor<2>) -> Image {
        let rest = self.blocks.iter().skip(1);
        rest.fold(self.first_block(vectors), |before, block| {
            let after = block.forward(before.z);
            Image {
                log_det: before.log_det + after.log_det,
                ..after
            }
        })
    }

    /// What the first block makes of them.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn first_block(&self, vectors: Tensor<2>) -> Image {
        match self.blocks.first() {
            Some(block) => block.forward(vectors),
            None => panic!("a flow has at least one block"),
        }
    }

    /// The orders of numbers, by the names of their blocks.
    pub(super) fn orders(&self) -> impl Iterator<Item = (String, &[usize])> {
        let blocks = self.blocks.iter().enumerate();
        blocks.map(|(block, of_block)| (order_name(block), &of_block.order[..]))
    }
}

/// The name that a block's order has among the parameters.
pub(super) fn order_name(block: usize) -> String {
    format!("order.{block}")
}

impl Image {
    /// What the flow learns to make small: the negative logarithm of the vectors' likelihood, but for a constant, `½ |z|² - log |det|`; per number,
    /// mean of all vectors.
    pub fn loss(&self) -> Tensor<1> {
        let width = self.z.dims()[1] as f64;
        let square = self.z.clone().square().sum_dim(1);
        (square * 0.5 - self.log_det.clone()).mean() / width
    }
}
