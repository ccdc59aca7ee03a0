//! Layers of a network that learns no more: weights packed once, maps in the kernels' own layout from layer to layer.

use std::sync::OnceLock;

use burn::nn::InstanceNorm;
use burn::nn::conv::{Conv2d, ConvTranspose2d};
use burn::tensor::Tensor;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use crate::conv::{burn_conv_transpose2d, burn_conv2d};
#[cfg(feature = "flex")]
use crate::flex::frozen as kernels;
#[cfg(not(feature = "flex"))]
use crate::no_kernels as kernels;
use crate::{Activation, Precision};

/// Feature maps between two layers of a frozen network, in the kernels' layout where they run.
#[derive(Debug, Clone)]
pub struct FeatureMap(Layout);

#[derive(Debug, Clone)]
#[allow(
    clippy::large_enum_variant,
    reason = "where no kernels run, no map is blocked"
)]
enum Layout {
    Tensor(Tensor<4>),
    Blocked(kernels::Blocked),
}

impl FeatureMap {
    /// `[batch, channels, height, width]`; gradients are not tracked any further where kernels run.
    pub fn new(x: Tensor<4>) -> Self {
        match kernels::block(&x) {
            Some(blocked) => Self(Layout::Blocked(blocked)),
            None => Self(Layout::Tensor(x)),
        }
    }

    /// The same in burn's layout, in which burn's own operators follow.
    pub fn plain(x: Tensor<4>) -> Self {
        Self(Layout::Tensor(x))
    }

    /// The same maps in the kernels' layout, if kernels run.
    pub fn blocked(self) -> Self {
        match self.0 {
            Layout::Tensor(x) => Self::new(x),
            Layout::Blocked(_) => self,
        }
    }

    /// `[batch, channels, height, width]`.
    pub fn to_tensor(&self) -> Tensor<4> {
        match &self.0 {
            Layout::Tensor(x) => x.clone(),
            Layout::Blocked(x) => kernels::unblock(x),
        }
    }

    /// `[batch, channels, height, width]`.
    pub fn dims(&self) -> [usize; 4] {
        match &self.0 {
            Layout::Tensor(x) => x.dims(),
            Layout::Blocked(x) => kernels::dims(x),
        }
    }

    /// The largest value of each `kernel` x `kernel` window.
    ///
    /// # Panics
    /// If the padded maps are smaller than the kernel.
    pub fn max_pool(&self, kernel: usize, stride: usize, padding: usize) -> Self {
        match &self.0 {
            Layout::Tensor(x) => {
                let options = MaxPoolOptions::new([kernel, kernel])
                    .with_stride([stride, stride])
                    .with_padding([padding, padding]);
                Self(Layout::Tensor(max_pool2d(x.clone(), options)))
            }
            Layout::Blocked(x) => Self(Layout::Blocked(kernels::max_pool(
                x, kernel, stride, padding,
            ))),
        }
    }

    /// Maps of the same batch and size, channels after channels.
    ///
    /// # Panics
    /// If there are none, or their sizes differ.
    pub fn concatenate(maps: &[FeatureMap]) -> Self {
        let blocked: Option<Vec<&kernels::Blocked>> = maps
            .iter()
            .map(|map| match &map.0 {
                Layout::Blocked(x) => Some(x),
                Layout::Tensor(_) => None,
            })
            .collect();
        match blocked.and_then(|maps| kernels::concatenate(&maps)) {
            Some(joined) => Self(Layout::Blocked(joined)),
            None => {
                let joined = Tensor::cat(maps.iter().map(FeatureMap::to_tensor).collect(), 1);
                let all_plain = maps.iter().all(|map| matches!(map.0, Layout::Tensor(_)));
                if all_plain {
                    Self::plain(joined)
                } else {
                    Self::new(joined)
                }
            }
        }
    }

    /// `1 - a b / sqrt(max(a a, s) max(b b, s))` of the channels at every position, with `s` the smallest square of a norm:
    /// `[batch, height, width]`, row-major.
    ///
    /// # Panics
    /// If the maps have different shapes.
    pub fn cosine_distance(&self, other: &FeatureMap, smallest: f32) -> Vec<f32> {
        if let (Layout::Blocked(a), Layout::Blocked(b)) = (&self.0, &other.0) {
            return kernels::cosine_distance(a, b, smallest);
        }
        let (a, b) = (self.to_tensor(), other.to_tensor());
        let norm = |x: Tensor<4>| x.square().sum_dim(1).clamp_min(smallest).sqrt();
        let cosine = (a.clone() * b.clone()).sum_dim(1) / (norm(a) * norm(b));
        (cosine.neg() + 1.0)
            .into_data()
            .convert::<f32>()
            .iter::<f32>()
            .collect()
    }
}

fn finish(y: Tensor<4>, residual: Option<&FeatureMap>, activation: Activation) -> FeatureMap {
    FeatureMap::plain(activation.after(y, residual.map(FeatureMap::to_tensor)))
}

/// A convolution whose weights do not change.
#[derive(Debug)]
pub struct FrozenConv {
    layer: Layer,
    precision: Precision,
    /// Packed when the kernels first run: for maps on which Winograd's algorithm is used, and for others.
    packed: [OnceLock<Option<kernels::Packed>>; 2],
}

#[derive(Debug, Clone)]
pub(crate) enum Layer {
    Plain(Conv2d),
    Transposed(ConvTranspose2d),
}

impl From<&Conv2d> for FrozenConv {
    fn from(layer: &Conv2d) -> Self {
        Self {
            layer: Layer::Plain(layer.clone()),
            precision: Precision::default(),
            packed: Default::default(),
        }
    }
}

impl From<&ConvTranspose2d> for FrozenConv {
    fn from(layer: &ConvTranspose2d) -> Self {
        Self {
            layer: Layer::Transposed(layer.clone()),
            precision: Precision::default(),
            packed: Default::default(),
        }
    }
}

impl FrozenConv {
    /// The same layer, multiplying in another precision than single.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// `activation(layer(x) + residual)`.
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn forward(
        &self,
        x: &FeatureMap,
        residual: Option<&FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        if let Layout::Blocked(blocked) = &x.0 {
            let [_, _, height, width] = kernels::dims(blocked);
            let residual = residual.map(|residual| match &residual.0 {
                Layout::Blocked(residual) => Some(residual),
                Layout::Tensor(_) => None,
            });
            if let (Some(packed), Some(residual)) = (
                self.packed(height * width),
                residual.map_or(Some(None), |r| r.map(Some)),
            ) {
                return FeatureMap(Layout::Blocked(
                    packed.forward(blocked, residual, activation),
                ));
            }
        }
        let y = match &self.layer {
            Layer::Plain(layer) => burn_conv2d(layer, x.to_tensor(), self.precision),
            Layer::Transposed(layer) => burn_conv_transpose2d(layer, x.to_tensor(), self.precision),
        };
        finish(y, residual, activation)
    }

    /// `activation(layer(images))`, the first layer of a network.
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_images(&self, images: Tensor<4>, activation: Activation) -> FeatureMap {
        let [_, _, height, width] = images.dims();
        let packed = kernels::takes(&images)
            .then(|| self.packed(height * width))
            .flatten();
        if let Some(output) = packed.and_then(|packed| packed.forward_images(&images, activation)) {
            return FeatureMap(Layout::Blocked(output));
        }
        self.forward(&FeatureMap::plain(images), None, activation)
    }

    /// Weights for the kernels, which multiply in single precision or bf16.
    fn packed(&self, pixels: usize) -> Option<&kernels::Packed> {
        if self.precision == Precision::Tf32 {
            return None;
        }
        let bf16 = self.precision == Precision::Bf16;
        let direct = kernels::is_direct(&self.layer, pixels, bf16);
        self.packed[usize::from(direct)]
            .get_or_init(|| kernels::pack(&self.layer, direct, bf16))
            .as_ref()
    }
}

/// An instance norm whose parameters do not change.
#[derive(Debug)]
pub struct FrozenNorm {
    layer: InstanceNorm,
    /// Scale and shift.
    values: OnceLock<Option<[Vec<f32>; 2]>>,
}

impl From<&InstanceNorm> for FrozenNorm {
    fn from(layer: &InstanceNorm) -> Self {
        Self {
            layer: layer.clone(),
            values: OnceLock::new(),
        }
    }
}

impl FrozenNorm {
    /// `activation(norm(x) + residual)`.
    ///
    /// # Panics
    /// If a shape does not fit.
    pub fn forward(
        &self,
        x: FeatureMap,
        residual: Option<&FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        let residual_layout = residual.map(|residual| &residual.0);
        match (x.0, residual_layout) {
            (Layout::Blocked(x), None | Some(Layout::Blocked(_))) => {
                let values = self
                    .values
                    .get_or_init(|| kernels::norm_values(&self.layer));
                let blocked = match residual_layout {
                    Some(Layout::Blocked(residual)) => Some(residual),
                    _ => None,
                };
                match values {
                    Some([scale, shift]) => FeatureMap(Layout::Blocked(kernels::instance_norm(
                        x,
                        [scale, shift],
                        self.layer.epsilon,
                        blocked,
                        activation,
                    ))),
                    None => finish(
                        self.layer.forward(kernels::unblock(&x)),
                        residual,
                        activation,
                    ),
                }
            }
            (x, _) => finish(
                self.layer.forward(FeatureMap(x).to_tensor()),
                residual,
                activation,
            ),
        }
    }
}
