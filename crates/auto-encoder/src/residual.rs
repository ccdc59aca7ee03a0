use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::AutoEncoderConfig;
use crate::layers::{ConvNorm, Resize};

/// A ResNet block: `relu(body(x) + shortcut(x))`. Where it halves the resolution its strided convolution is 3x3, where
/// it doubles it the same convolution is a transposed 2x2 one; the shortcut follows.
#[derive(Module, Debug)]
pub(crate) struct Residual {
    body: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
}

impl Residual {
    pub(crate) fn new(
        input: usize,
        planes: usize,
        resize: Resize,
        config: &AutoEncoderConfig,
        device: &Device,
    ) -> Self {
        let output = planes * config.expansion;
        let layer =
            |channels, kernel, resize| ConvNorm::new(channels, kernel, resize, config.norm, device);
        let body = if config.expansion == 1 {
            vec![
                layer([input, planes], 3, resize),
                layer([planes, output], 3, Resize::Keep),
            ]
        } else {
            let width = planes * config.base_width / 64;
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

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = match &self.shortcut {
            Some(layer) => layer.forward(x.clone()),
            None => x.clone(),
        };
        let last = self.body.len() - 1;
        let body = self.body.iter().enumerate().fold(x, |x, (index, layer)| {
            let x = layer.forward(x);
            if index < last { relu(x) } else { x }
        });
        relu(body + shortcut)
    }
}
