use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use ckaad_ops::Activation;

use crate::AutoEncoderConfig;
use crate::layers::{ConvNorm, Resize};

/// A ResNet block: `relu(body(x) + shortcut(x))`. Where it halves the resolution its strided convolution is 3x3, where
/// it doubles it the same convolution is a transposed 2x2 one; the shortcut follows.
#[derive(Module, Debug)]
pub(crate) struct Residual {
    pub(crate) body: Vec<ConvNorm>,
    pub(crate) shortcut: Option<ConvNorm>,
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
            |channels, kernel, resize| ConvNorm::new(channels, kernel, resize, config, device);
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
            Some(layer) => layer.forward(x.clone(), None, Activation::Identity),
            None => x.clone(),
        };
        let [inner @ .., last] = self.body.as_slice() else {
            return relu(x + shortcut);
        };
        let inner = inner
            .iter()
            .fold(x, |x, layer| layer.forward(x, None, Activation::Relu));
        last.forward(inner, Some(shortcut), Activation::Relu)
    }
}
