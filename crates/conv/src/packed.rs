//! Convolutions whose weights are packed once.

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::conv::Conv2d;
use crate::direct::Input;
use crate::epilogue::{Activation, Epilogue};
use crate::stem;
use crate::winograd::{self, Prepared};

/// Weights, each algorithm's own way.
#[derive(Clone)]
pub(crate) enum Panels {
    Winograd(Prepared),
    Blocked(Buffer),
    Interleaved(Buffer),
}

/// A convolution with weights packed for its algorithm.
#[derive(Clone)]
pub struct PackedConv2d {
    pub(crate) conv: Conv2d,
    pub(crate) weights: Panels,
    pub(crate) bias: Option<Buffer>,
}

impl PackedConv2d {
    /// The convolution.
    pub fn conv(&self) -> &Conv2d {
        &self.conv
    }

    /// `activation(input * weight + bias + residual)`, the residual in the shape of the output.
    ///
    /// # Panics
    /// If the channels of `input` or the shape of `residual` do not fit.
    pub fn forward(
        &self,
        input: &Blocked,
        residual: Option<&Blocked>,
        activation: Activation,
    ) -> Blocked {
        let conv = &self.conv;
        assert_eq!(
            input.channels(),
            conv.c_in,
            "the input has another number of channels than the convolution"
        );
        let (height, width) = (conv.output(input.height()), conv.output(input.width()));
        let mut output = Blocked::stale(input.batch(), conv.c_out, height, width);
        let epilogue = Epilogue::new(
            conv.bf16,
            self.bias.as_deref(),
            residual,
            activation,
            &output,
        );
        match &self.weights {
            Panels::Winograd(weights) => {
                winograd::run(conv.isa, input, weights.weights(), epilogue, &mut output)
            }
            Panels::Blocked(panels) => {
                let plan = conv.plan(input.height(), input.width());
                let input = Input::new(conv, input, conv.thinning());
                plan.run(&input, panels, epilogue, &mut output);
            }
            Panels::Interleaved(panels) => {
                let mut nchw = Buffer::stale(input.shape().iter().product());
                input.to_nchw_with(conv.isa, &mut nchw);
                let size = [input.batch(), input.height(), input.width()];
                stem::run(conv, &nchw, size, panels, epilogue, &mut output);
            }
        }
        output
    }

    /// [`Self::forward`] from a contiguous `[batch, c_in, height, width]` with `size` = `[batch, height, width]`.
    ///
    /// # Panics
    /// If the length of `input` does not fit.
    pub fn forward_nchw(&self, input: &[f32], size: [usize; 3], activation: Activation) -> Blocked {
        let conv = &self.conv;
        let [batch, height, width] = size;
        assert_eq!(
            input.len(),
            batch * conv.c_in * height * width,
            "the input has not the size it is said to have"
        );
        if let Panels::Interleaved(panels) = &self.weights {
            let mut output =
                Blocked::stale(batch, conv.c_out, conv.output(height), conv.output(width));
            let epilogue = Epilogue {
                bias: self.bias.as_deref(),
                round: conv.bf16,
                residual: None,
                activation,
            };
            stem::run(conv, input, size, panels, epilogue, &mut output);
            output
        } else {
            let input = Blocked::from_nchw_with(conv.isa, input, [batch, conv.c_in, height, width]);
            self.forward(&input, None, activation)
        }
    }
}
