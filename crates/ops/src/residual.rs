//! Residual blocks: one graph for layers that learn, layers that learn no more, and layers that are only planned.

use burn::module::Module;

use crate::{Activation, FeatureMap, FrozenConv};

/// What a layer does to the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resize {
    /// Keeps it.
    Keep,
    /// Halves it: a convolution with stride 2.
    Halve,
    /// Doubles it: a 2x2 transposed convolution with stride 2.
    Double,
}

/// The shape of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerShape {
    /// In, out.
    pub channels: [usize; 2],
    /// Height and width of the kernel: odd, padded by half of it; it does not matter where the resolution doubles.
    pub kernel: usize,
    /// What it does to the resolution.
    pub resize: Resize,
}

/// A layer of a residual block: a convolution and what belongs to it.
pub trait Layer {
    /// The feature maps between two layers.
    type Map: Clone;

    /// `activation(layer(x) + residual)`.
    fn forward(
        &self,
        x: &Self::Map,
        residual: Option<&Self::Map>,
        activation: Activation,
    ) -> Self::Map;
}

impl Layer for FrozenConv {
    type Map = FeatureMap;

    fn forward(
        &self,
        x: &FeatureMap,
        residual: Option<&FeatureMap>,
        activation: Activation,
    ) -> FeatureMap {
        self.forward(x, residual, activation)
    }
}

/// A ResNet block: `relu(body(x) + shortcut(x))`, the shortcut being `x` itself where none is needed.
#[derive(Module, Debug)]
pub struct Residual<L> {
    /// At least one layer, with a ReLU behind each.
    pub body: Vec<L>,
    /// Brings `x` to the shape of the body's output.
    pub shortcut: Option<L>,
}

impl Residual<LayerShape> {
    /// The shapes of a block that takes `input` channels and puts out `planes * expansion`: a basic block for an
    /// expansion of 1, else a bottleneck whose inner 3x3 convolution has `base_width` channels per 64 planes. The 3x3
    /// convolution that comes first changes the resolution, and so does the shortcut.
    pub fn shapes(
        input: usize,
        planes: usize,
        expansion: usize,
        base_width: usize,
        resize: Resize,
    ) -> Self {
        let output = planes * expansion;
        let layer = |channels, kernel, resize| LayerShape {
            channels,
            kernel,
            resize,
        };
        let body = if expansion == 1 {
            vec![
                layer([input, planes], 3, resize),
                layer([planes, output], 3, Resize::Keep),
            ]
        } else {
            let width = planes * base_width / 64;
            vec![
                layer([input, width], 1, Resize::Keep),
                layer([width, width], 3, resize),
                layer([width, output], 1, Resize::Keep),
            ]
        };
        let shortcut =
            (resize != Resize::Keep || input != output).then(|| layer([input, output], 1, resize));
        Self { body, shortcut }
    }
}

impl<L> Residual<L> {
    /// The same block of other layers.
    pub fn with_layers<M>(&self, layer: impl Fn(&L) -> M) -> Residual<M> {
        Residual {
            body: self.body.iter().map(&layer).collect(),
            shortcut: self.shortcut.as_ref().map(&layer),
        }
    }

    /// Every layer, in the order in which their parameters are visited.
    pub fn layers(&self) -> impl Iterator<Item = &L> {
        self.body.iter().chain(&self.shortcut)
    }
}

impl<L: Layer> Residual<L> {
    /// `relu(body(x) + shortcut(x))`.
    ///
    /// # Panics
    /// If a shape does not fit, or the body has no layer.
    pub fn forward(&self, x: &L::Map) -> L::Map {
        let shortcut = self
            .shortcut
            .as_ref()
            .map(|layer| layer.forward(x, None, Activation::Identity));
        let shortcut = shortcut.as_ref().unwrap_or(x);
        let [inner @ .., last] = self.body.as_slice() else {
            panic!("a residual block has a body");
        };
        let mut inside = None;
        for layer in inner {
            let x = inside.as_ref().unwrap_or(x);
            inside = Some(layer.forward(x, None, Activation::Relu));
        }
        last.forward(
            inside.as_ref().unwrap_or(x),
            Some(shortcut),
            Activation::Relu,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplies.
    struct Times(i32);

    impl Layer for Times {
        type Map = i32;

        fn forward(&self, x: &i32, residual: Option<&i32>, activation: Activation) -> i32 {
            let y = self.0 * x + residual.unwrap_or(&0);
            match activation {
                Activation::Identity => y,
                Activation::Relu => y.max(0),
            }
        }
    }

    #[test]
    fn the_shortcut_joins_before_the_last_activation() {
        let with = |body: &[i32], shortcut: Option<i32>| Residual {
            body: body.iter().copied().map(Times).collect(),
            shortcut: shortcut.map(Times),
        };
        assert_eq!(with(&[2, 3], None).forward(&5), 35);
        assert_eq!(with(&[2, 3], Some(-1)).forward(&5), 25);
        // The first layer's negative output is cut off, the sum of the second and the shortcut too.
        assert_eq!(with(&[-2, 3], Some(7)).forward(&5), 35);
        assert_eq!(with(&[2, -3], Some(1)).forward(&5), 0);
        assert_eq!(with(&[3], None).forward(&5), 20);
    }

    #[test]
    fn blocks_are_basic_or_bottlenecks() {
        let layer = |channels, kernel, resize| LayerShape {
            channels,
            kernel,
            resize,
        };
        let basic = Residual::shapes(64, 64, 1, 64, Resize::Keep);
        assert_eq!(basic.body, [layer([64, 64], 3, Resize::Keep); 2]);
        assert_eq!(basic.shortcut, None);
        let wide = Residual::shapes(256, 128, 4, 128, Resize::Halve);
        assert_eq!(
            wide.body,
            [
                layer([256, 256], 1, Resize::Keep),
                layer([256, 256], 3, Resize::Halve),
                layer([256, 512], 1, Resize::Keep),
            ]
        );
        assert_eq!(wide.shortcut, Some(layer([256, 512], 1, Resize::Halve)));
    }
}
