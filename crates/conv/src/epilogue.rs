//! What follows a convolution without another pass over memory.
// unsafe: turns slices into the pointers that the kernels take.
#![allow(unsafe_code)]

use crate::tile::{Finish, PANEL};

/// The activation applied last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// None.
    #[default]
    Identity,
    /// `max(0, x)`.
    Relu,
}

/// Bias, residual and activation of one convolution, applied in that order.
#[derive(Clone, Copy, Default)]
pub(crate) struct Epilogue<'a> {
    /// Padded to whole panels.
    pub(crate) bias: Option<&'a [f32]>,
    /// In the layout of the output.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

impl Epilogue<'_> {
    /// For panel `panel`, whose output starts at `offset`.
    pub(crate) fn finish(&self, panel: usize, offset: usize) -> Finish {
        Finish {
            bias: self
                .bias
                .map_or(std::ptr::null(), |bias| bias[panel * PANEL..].as_ptr()),
            residual: self
                .residual
                .map_or(std::ptr::null(), |residual| residual[offset..].as_ptr()),
            relu: self.activation == Activation::Relu,
        }
    }
}

// The pointers come from shared slices that outlive the loop.
unsafe impl Send for Finish {}
unsafe impl Sync for Finish {}

impl Finish {
    /// The same for an output `floats` further.
    pub(crate) unsafe fn shifted(self, floats: usize) -> Finish {
        let residual = if self.residual.is_null() {
            self.residual
        } else {
            unsafe { self.residual.add(floats) }
        };
        Finish { residual, ..self }
    }
}
