//! A convolution: its configuration, its packed weights.

use crate::blocked::Blocked;
use crate::convolution::Convolution;
use crate::direct::Plan;
use crate::isa::{Isa, Multiplier};
use crate::packed::{PackedConv2d, Panels};
use crate::stem;
use crate::weights::{WeightView, pack_bias};
use crate::winograd::Prepared;

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
    /// Instruction set the kernels use: one that the processor has.
    pub(crate) isa: Isa,
    /// Whether Winograd may be used.
    pub(crate) winograd: bool,
    /// Whether operands and results are rounded to bf16.
    pub(crate) bf16: bool,
}

impl Conv2d {
    /// # Panics
    /// If a size or the stride is zero, or the padding is not smaller than the kernel.
    pub fn new(c_in: usize, c_out: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        assert!(
            c_in > 0 && c_out > 0 && kernel > 0 && stride > 0,
            "a convolution needs channels, a kernel and a stride"
        );
        assert!(
            padding < kernel,
            "padding {padding} must be smaller than the kernel {kernel}"
        );
        Self {
            c_in,
            c_out,
            kernel,
            stride,
            padding,
            isa: Isa::best(),
            winograd: true,
            bf16: false,
        }
    }

    /// The same on another instruction set, as far as the processor has it.
    pub fn with_isa(self, isa: Isa) -> Self {
        Self {
            isa: isa.supported(),
            ..self
        }
    }

    /// The same computed directly: about ten times less rounding error than Winograd's, several times slower on maps that
    /// are not tiny.
    pub fn without_winograd(self) -> Self {
        Self {
            winograd: false,
            ..self
        }
    }

    /// The same on operands rounded to bf16, nearest and ties to even, with sums in single precision that are rounded to bf16 in turn,
    /// before a bias is added. [`Isa::Avx512Bf16`] multiplies pairs of them, [`Isa::Amx`] tiles, where an instruction set below multiplies
    /// floats that hold the same values; both take what lies below the normal range for zero. Winograd's algorithm keeps to floats: what
    /// it multiplies are sums of operands, of which bf16 would lose too much. With tiles it is not used.
    pub fn in_bf16(self) -> Self {
        Self { bf16: true, ..self }
    }

    /// What multiplies, unless Winograd's algorithm is used.
    pub(crate) fn multiplier(&self) -> Multiplier {
        if self.bf16 {
            self.isa.of_bf16()
        } else {
            Multiplier::Floats(self.isa)
        }
    }

    /// Rows and columns from one pixel that is paired to the next: 1x1 kernels never look at those between.
    pub(crate) fn thinning(&self) -> usize {
        if self.kernel == 1 { self.stride } else { 1 }
    }

    /// Output rows for input rows, or columns for columns.
    ///
    /// # Panics
    /// If the padded input is smaller than the kernel.
    pub fn output(&self, size: usize) -> usize {
        let padded = size + 2 * self.padding;
        assert!(
            padded >= self.kernel,
            "an input of {size} is smaller than the kernel {}",
            self.kernel
        );
        (padded - self.kernel) / self.stride + 1
    }

    /// The fastest algorithm for these weights.
    pub fn algorithm(&self) -> Algorithm {
        if self.c_in <= 4 && self.kernel > 1 {
            Algorithm::Interleaved
        } else if self.uses_winograd() {
            Algorithm::Winograd
        } else {
            Algorithm::Direct
        }
    }

    pub(crate) fn uses_winograd(&self) -> bool {
        // It saves three quarters of the products, in floats. Tiles take sixteen times as many by one instruction.
        let tiles = matches!(self.multiplier(), Multiplier::Tiles(_));
        self.winograd && !tiles && self.kernel == 3 && self.stride == 1 && self.padding == 1
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
    pub fn pack_for(
        &self,
        algorithm: Algorithm,
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> PackedConv2d {
        let view = self.view(weight);
        let bias = bias.map(|bias| pack_bias(bias, self.c_out));
        let weights = match algorithm {
            Algorithm::Winograd => {
                assert!(
                    self.uses_winograd(),
                    "Winograd is for 3x3 kernels of stride 1 and padding 1"
                );
                Panels::Winograd(Prepared::new(self.isa, view, false))
            }
            Algorithm::Direct => Panels::Blocked(view.pack_blocked(self.isa, self.multiplier())),
            Algorithm::Interleaved => {
                let multiplier = stem::multiplier(self);
                Panels::Interleaved(view.pack_interleaved(self.kernel, multiplier))
            }
        };
        PackedConv2d {
            conv: *self,
            weights,
            bias,
        }
    }

    /// The weights `[c_out, c_in, kernel, kernel]`.
    pub(crate) fn view<'a>(&self, weight: &'a [f32]) -> WeightView<'a> {
        assert_eq!(
            weight.len(),
            self.weight_len(),
            "weights of another shape than the convolution's"
        );
        WeightView::forward(weight, self.c_out, self.c_in, self.kernel).rounded(self.bf16)
    }

    /// An input in the blocked layout.
    pub(crate) fn blocked_input(
        &self,
        input: &[f32],
        [batch, height, width]: [usize; 3],
    ) -> Blocked {
        Blocked::from_nchw_with(self.isa, input, [batch, self.c_in, height, width])
    }

    /// An output, or its gradient, in the blocked layout.
    pub(crate) fn blocked_output(
        &self,
        output: &[f32],
        [batch, height, width]: [usize; 3],
    ) -> Blocked {
        let shape = [batch, self.c_out, self.output(height), self.output(width)];
        Blocked::from_nchw_with(self.isa, output, shape)
    }

    pub(crate) fn plan(&self, height: usize, width: usize) -> Plan {
        if self.multiplier().is_paired() && self.thinning() > 1 {
            let thinned = Self { stride: 1, ..*self };
            return thinned.plan(self.output(height), self.output(width));
        }
        let taps: Vec<(isize, usize)> = (0..self.kernel)
            .map(|k| (k as isize - self.padding as isize, k))
            .collect();
        let in_blocks = self.c_in.div_ceil(self.multiplier().block_channels());
        // A 1x1 convolution does not care for rows: all pixels are one.
        let (height, width) = if self.kernel == 1 && self.stride == 1 {
            (1, height * width)
        } else {
            (height, width)
        };
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
