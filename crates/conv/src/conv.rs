//! A convolution: its configuration, its packed weights, its forward pass.

use crate::blocked::Blocked;
use crate::buffer::Buffer;
use crate::direct::Plan;
use crate::epilogue::{Activation, Epilogue};
use crate::isa::Isa;
use crate::stem;
use crate::weights::{WeightView, pack_bias};
use crate::winograd::{self, Prepared};
use crate::winograd_transform::Source;

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Winograd's F(4x4, 3x3): 3x3, stride 1, padding 1.
    Winograd,
    /// Sums of products, tap by tap.
    Direct,
    /// Sums of products over rows of interleaved pixels, for inputs of up to four channels.
    Interleaved,
}

/// A two-dimensional convolution without dilation or groups: square kernel, the same stride and padding on both axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Input channels.
    pub c_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Input pixels between neighbouring outputs.
    pub stride: usize,
    /// Zeros around the input.
    pub padding: usize,
    /// Instruction set the kernels use.
    pub isa: Isa,
}

impl Conv2d {
    /// # Panics
    /// If a size or the stride is zero, or the padding is not smaller than the kernel.
    pub fn new(c_in: usize, c_out: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        assert!(c_in > 0 && c_out > 0 && kernel > 0 && stride > 0, "a convolution needs channels, a kernel and a stride");
        assert!(padding < kernel, "padding {padding} must be smaller than the kernel {kernel}");
        Self { c_in, c_out, kernel, stride, padding, isa: Isa::best() }
    }

    /// The same on another instruction set, as far as the processor has it.
    pub fn with_isa(self, isa: Isa) -> Self {
        Self { isa: isa.supported(), ..self }
    }

    /// Output rows for input rows, or columns for columns.
    ///
    /// # Panics
    /// If the padded input is smaller than the kernel.
    pub fn output(&self, size: usize) -> usize {
        let padded = size + 2 * self.padding;
        assert!(padded >= self.kernel, "an input of {size} is smaller than the kernel {}", self.kernel);
        (padded - self.kernel) / self.stride + 1
    }

    /// Floats of the weights `[c_out, c_in, kernel, kernel]`.
    pub fn weight_len(&self) -> usize {
        self.c_out * self.c_in * self.kernel * self.kernel
    }

    /// The fastest algorithm for these weights.
    pub fn algorithm(&self) -> Algorithm {
        if self.c_in <= 4 && self.kernel > 1 {
            Algorithm::Interleaved
        } else if self.is_3x3() {
            Algorithm::Winograd
        } else {
            Algorithm::Direct
        }
    }

    pub(crate) fn is_3x3(&self) -> bool {
        self.kernel == 3 && self.stride == 1 && self.padding == 1
    }

    /// Packs `weight` `[c_out, c_in, kernel, kernel]` and a bias of `c_out` for any number of forward passes.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn pack(&self, weight: &[f32], bias: Option<&[f32]>) -> PackedConv2d {
        self.pack_for(self.algorithm(), weight, bias)
    }

    /// [`Self::pack`] for one algorithm.
    ///
    /// # Panics
    /// If a length does not fit, or the algorithm does not suit the kernel.
    pub fn pack_for(&self, algorithm: Algorithm, weight: &[f32], bias: Option<&[f32]>) -> PackedConv2d {
        assert_eq!(weight.len(), self.weight_len(), "weights of another shape than the convolution's");
        assert!(bias.is_none_or(|b| b.len() == self.c_out), "a bias needs one value per output channel");
        let view = WeightView::forward(weight, self.c_out, self.c_in, self.kernel);
        let weights = match algorithm {
            Algorithm::Winograd => {
                assert!(self.is_3x3(), "Winograd is for 3x3 kernels of stride 1 and padding 1");
                Panels::Winograd(Prepared::new(self.isa, view, false))
            }
            Algorithm::Direct => Panels::Blocked(view.pack_blocked(self.isa)),
            Algorithm::Interleaved => Panels::Interleaved(view.pack_interleaved()),
        };
        PackedConv2d { conv: *self, weights, bias: bias.map(pack_bias) }
    }

    /// `output = input * weight + bias` on contiguous `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// If a length does not fit.
    pub fn forward(&self, input: &[f32], size: [usize; 3], weight: &[f32], bias: Option<&[f32]>, output: &mut [f32]) {
        if self.algorithm() == Algorithm::Winograd {
            assert_eq!(weight.len(), self.weight_len(), "weights of another shape than the convolution's");
            assert!(bias.is_none_or(|b| b.len() == self.c_out), "a bias needs one value per output channel");
            let input = self.blocked_input(input, size);
            let mut to = Blocked::stale(size[0], self.c_out, size[1], size[2]);
            let view = WeightView::forward(weight, self.c_out, self.c_in, self.kernel);
            let bias = bias.map(pack_bias);
            let epilogue = Epilogue { bias: bias.as_deref(), ..Epilogue::default() };
            let weights = winograd::Weights::Fresh(Source::View { view, mirror: false });
            winograd::run(self.isa, &input, weights, epilogue, &mut to);
            to.to_nchw_with(self.isa, output);
        } else {
            let packed = self.pack(weight, bias);
            packed.forward_nchw(input, size, Activation::Identity).to_nchw_with(self.isa, output);
        }
    }

    pub(crate) fn plan(&self, height: usize, width: usize) -> Plan {
        let taps: Vec<(isize, usize)> = (0..self.kernel).map(|k| (k as isize - self.padding as isize, k)).collect();
        let in_blocks = self.c_in.div_ceil(crate::isa::LANES);
        // A 1x1 convolution does not care for rows: all pixels are one.
        let (height, width) = if self.kernel == 1 && self.stride == 1 { (1, height * width) } else { (height, width) };
        let steps = [self.output(height), self.output(width)];
        Plan {
            in_blocks,
            input: [height, width],
            steps,
            stride: self.stride,
            taps: [taps.clone(), taps],
            kernel: [self.kernel; 2],
            output: steps,
            out_start: [0, 0],
            out_stride: 1,
        }
    }
}

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
    conv: Conv2d,
    weights: Panels,
    bias: Option<Buffer>,
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
    pub fn forward(&self, input: &Blocked, residual: Option<&Blocked>, activation: Activation) -> Blocked {
        let conv = &self.conv;
        assert_eq!(input.channels(), conv.c_in, "the input has another number of channels than the convolution");
        let (height, width) = (conv.output(input.height()), conv.output(input.width()));
        let mut output = Blocked::stale(input.batch(), conv.c_out, height, width);
        if let Some(residual) = residual {
            assert_eq!(residual.shape(), output.shape(), "the residual has another shape than the output");
        }
        let residual = residual.map(|r| r.data.as_slice());
        let epilogue = Epilogue { bias: self.bias.as_deref(), residual, activation };
        match &self.weights {
            Panels::Winograd(weights) => winograd::run(conv.isa, input, weights.weights(), epilogue, &mut output),
            Panels::Blocked(panels) => {
                let plan = conv.plan(input.height(), input.width());
                plan.run(conv.isa, input, panels, epilogue, &mut output);
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
        assert_eq!(input.len(), batch * conv.c_in * height * width, "the input has not the size it is said to have");
        if let Panels::Interleaved(panels) = &self.weights {
            let mut output = Blocked::stale(batch, conv.c_out, conv.output(height), conv.output(width));
            let epilogue = Epilogue { bias: self.bias.as_deref(), residual: None, activation };
            stem::run(conv, input, size, panels, epilogue, &mut output);
            output
        } else {
            let input = Blocked::from_nchw_with(conv.isa, input, [batch, conv.c_in, height, width]);
            self.forward(&input, None, activation)
        }
    }
}
