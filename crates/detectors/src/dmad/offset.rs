//! The network that says how images are deformed, and deforming them.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Tensor, TensorData};
use ckaad_anomaly_map::Align;
use ckaad_ops::{Activation, Precision, batch_norm, conv2d};

use crate::layers::{Conv, Normed};
use crate::planes::{Border, resized, windowed};

/// Channels of an image, and of the coordinates that are joined to it.
const COLOURS: usize = 3;
const COORDINATES: usize = 4;
/// Pixels of a coarse position.
const COARSE: usize = 4;
/// How far the coarse and the fine deformation reach at the most, where an image goes from -1 to 1.
const REACH: [f64; 2] = [16.0 / 256.0, 6.0 / 256.0];
/// How often the maps are halved that the coarse and the fine deformation are read from.
const HALVINGS: [usize; 2] = [3, 1];
/// The smallest square of a length that has a slope.
const SMALL: f64 = 1e-24;

/// A convolution, a norm and a ReLU, then another convolution.
#[derive(Module, Debug)]
struct Branch {
    first: Normed,
    second: Conv2d,
    norm: BatchNorm,
}

/// Reads a deformation from maps.
#[derive(Module, Debug)]
struct OffsetHead {
    layers: Vec<Normed>,
    last: Conv2d,
}

/// Says how images are deformed, and how the deformed ones are to be brought back.
#[derive(Module, Debug)]
pub struct OffsetNetwork {
    plane: Vec<Normed>,
    res: Branch,
    heads: Vec<OffsetHead>,
    #[module(skip)]
    precision: Precision,
}

/// Deformations, each `[batch, 2, height, width]`: by how much a pixel is taken from further right and from further down, where the image goes
/// from -1 to 1.
#[derive(Debug, Clone)]
pub struct Offsets {
    /// Coarse and fine, to deform with.
    pub there: [Tensor<4>; 2],
    /// Coarse and fine, to bring back with.
    pub back: [Tensor<4>; 2],
}

impl OffsetNetwork {
    /// Of that width, to be filled.
    pub fn zeros(width: usize, precision: Precision, device: &Device) -> Self {
        let plane = |channels: usize| {
            let conv = Conv::plain([channels + COORDINATES, width], 3);
            conv.normed(precision, device)
        };
        let halving = |layer: usize| {
            let conv = Conv {
                stride: 2,
                ..Conv::new([if layer == 0 { 2 * width } else { width }, width], 3)
            };
            conv.normed(precision, device)
        };
        let head = |halvings: usize| OffsetHead {
            layers: (0..halvings).map(halving).collect(),
            last: Conv::new([width, 2], 3).init(device),
        };
        let [coarse, fine] = HALVINGS;
        Self {
            plane: vec![plane(COLOURS), plane(width)],
            res: Branch {
                first: Conv::new([width; 2], 3).normed(precision, device),
                second: Conv::new([width; 2], 1).init(device),
                norm: BatchNormConfig::new(width).init(device),
            },
            heads: [coarse, fine, coarse, fine].map(head).into(),
            precision,
        }
    }

    /// # Shapes
    /// - images: `[batch, 3, side, side]`, the side a multiple of 8
    pub fn forward(&self, images: Tensor<4>) -> Offsets {
        let [_, _, height, width] = images.dims();
        let planes = self.plane.iter();
        let y = planes.fold(images, |y, layer| layer.relu(with_coordinates(y)));
        let inner = self.res.first.relu(relu(y.clone()));
        let inner = conv2d(&self.res.second, inner, self.precision);
        let sum = batch_norm(
            &self.res.norm,
            y.clone() + inner,
            None,
            Activation::Identity,
        );
        let joined = Tensor::cat(vec![sum, y], 1);
        let mut heads = self
            .heads
            .iter()
            .zip(REACH.iter().cycle())
            .map(|(head, reach)| {
                let layers = head.layers.iter();
                let x = layers.fold(joined.clone(), |x, layer| layer.relu(x));
                let offset = tanh(conv2d(&head.last, x, self.precision)) * *reach;
                resized(offset, [height, width], Align::Corners)
            });
        let mut next = || {
            let head = heads.next();
            head.unwrap_or_else(|| panic!("there are four deformations"))
        };
        Offsets {
            there: [next(), next()],
            back: [next(), next()],
        }
    }
}

/// Joins four maps to others that say where a pixel is: its row within a coarse position, the coarse position, and the same of its column,
/// each from -1 to 1.
///
/// # Shapes
/// - x: `[batch, channels, side, side]`; output: four channels more
fn with_coordinates(x: Tensor<4>) -> Tensor<4> {
    let [batch, _, height, width] = x.dims();
    let device = x.device();
    let along = |side: usize| -> [Vec<f32>; 2] {
        let coarse = |at: usize| (at / COARSE) as f64 / ((side / COARSE) as f64 - 1.0).max(1.0);
        let fine = |at: usize| at as f64 / (side as f64 - 1.0).max(1.0) - coarse(at);
        let map = |value: &dyn Fn(usize) -> f64| {
            (0..side).map(|at| (2.0 * value(at) - 1.0) as f32).collect()
        };
        [map(&fine), map(&coarse)]
    };
    let map = |values: Vec<f32>, shape: [usize; 4]| {
        let line = Tensor::<4>::from_data(TensorData::new(values, shape), &device);
        line.expand([batch, 1, height, width])
    };
    let rows = along(height).map(|values| map(values, [1, 1, height, 1]));
    let columns = along(width).map(|values| map(values, [1, 1, 1, width]));
    let joined = std::iter::once(x).chain(rows).chain(columns);
    Tensor::cat(joined.collect(), 1)
}

/// Every pixel from where the deformation says, by bilinear interpolation; places beyond the border are at it.
///
/// # Shapes
/// - x: `[batch, channels, height, width]`; offset: `[batch, 2, height, width]`
pub fn warp(x: Tensor<4>, offset: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let device = offset.device();
    let line = |side: usize, shape: [usize; 4]| {
        let at = |at: usize| (2.0 * at as f64 / (side as f64 - 1.0).max(1.0) - 1.0) as f32;
        let values: Vec<f32> = (0..side).map(at).collect();
        Tensor::<4>::from_data(TensorData::new(values, shape), &device)
    };
    let place = |channel: usize, side: usize, line: Tensor<4>| {
        let place = offset.clone().narrow(1, channel, 1) + line;
        let place = (place.clamp(-1.0, 1.0) + 1.0) * (0.5 * (side as f64 - 1.0));
        let low = place.clone().detach().floor();
        let weight = place - low.clone();
        let high = (low.clone() + 1.0).clamp_max(side as f64 - 1.0);
        (low, high, weight)
    };
    let (left, right, to_right) = place(0, width, line(width, [1, 1, 1, width]));
    let (upper, lower, to_lower) = place(1, height, line(height, [1, 1, height, 1]));
    let flat = x.reshape([batch, channels, height * width]);
    let at = |row: &Tensor<4>, column: &Tensor<4>| {
        let index = row.clone() * width as f64 + column.clone();
        let index = index.int();
        let index = index.reshape([batch, 1, height * width]);
        let index = index.expand([batch, channels, height * width]);
        let taken = flat.clone().gather(2, index);
        taken.reshape([batch, channels, height, width])
    };
    let between = |from: Tensor<4>, to: Tensor<4>, weight: &Tensor<4>| {
        from.clone() + (to - from) * weight.clone()
    };
    let above = between(at(&upper, &left), at(&upper, &right), &to_right);
    let below = between(at(&lower, &left), at(&lower, &right), &to_right);
    between(above, below, &to_lower)
}

impl Offsets {
    /// Deformed images.
    pub fn deform(&self, images: Tensor<4>) -> Tensor<4> {
        let [coarse, fine] = self.there.clone();
        warp(warp(images, coarse), fine)
    }

    /// Deformed images, or maps of them, brought back.
    pub fn bring_back(&self, deformed: Tensor<4>) -> Tensor<4> {
        let [coarse, fine] = self.back.clone();
        warp(warp(deformed, fine), coarse)
    }

    /// All four.
    pub fn all(&self) -> impl Iterator<Item = &Tensor<4>> {
        self.there.iter().chain(&self.back)
    }

    /// By how much every pixel was moved to be brought back, `[batch, 1, height, width]`.
    pub fn moved(&self) -> Tensor<4> {
        let [coarse, fine] = self.back.clone();
        length(&coarse) + warp(length(&fine), coarse)
    }
}

/// How far every pixel is moved, `[batch, 1, height, width]`.
pub fn length(offset: &Tensor<4>) -> Tensor<4> {
    let square = offset.clone().square().sum_dim(1);
    square.clamp_min(SMALL).sqrt()
}

/// How much the movement of pixels differs from that of their eight neighbours: the mean of the absolute value, both directions summed.
pub fn roughness(offset: &Tensor<4>) -> Tensor<1> {
    let around = windowed(offset.clone(), &[1.0; 3], Border::Zeros);
    let differs = offset.clone() * (9.0 / 8.0) - around / 8.0;
    differs.sum_dim(1).abs().mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    #[test]
    fn pixels_come_from_where_the_deformation_says() {
        let device = ckaad_device::cpu();
        let x = Tensor::<4>::from_floats(
            [[[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]]],
            &device,
        );
        let offset = |right: f32, down: f32| {
            let plane = |value: f32| [[value; 3]; 3];
            Tensor::<4>::from_floats([[plane(right), plane(down)]], &device)
        };
        assert_eq!(values(warp(x.clone(), offset(0.0, 0.0))), values(x.clone()));
        // A pixel is one wide where the image goes from -1 to 1: half a pixel to the right, one down; the border repeats.
        let expected = [3.5, 4.5, 5.0, 6.5, 7.5, 8.0, 6.5, 7.5, 8.0];
        assert_eq!(values(warp(x, offset(0.5, 1.0))), expected);
    }

    #[test]
    fn constant_movements_are_rough_at_the_border_alone() {
        let device = ckaad_device::cpu();
        let offset = Tensor::<4>::ones([1, 2, 3, 3], &device);
        // Corners lack 5 of 8 neighbours, edges 3, in two directions: (4 * 10 + 4 * 6) / 8 / 9.
        let found = values(roughness(&offset))[0];
        assert!((found - 8.0 / 9.0).abs() < 1e-6, "{found}");
        assert!((values(length(&offset))[0] - 2.0_f32.sqrt()).abs() < 1e-6);
    }
}
