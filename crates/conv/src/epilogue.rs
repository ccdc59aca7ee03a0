//! What follows a convolution without another pass over memory.
use crate::blocked::Blocked;
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
    /// Round sums to bf16 first.
    pub(crate) round: bool,
    /// In the layout of the output.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

impl<'a> Epilogue<'a> {
    /// # Panics
    /// If the residual has another shape than the output.
    pub(crate) fn new(
        round: bool,
        bias: Option<&'a [f32]>,
        residual: Option<&'a Blocked>,
        activation: Activation,
        output: &Blocked,
    ) -> Self {
        assert!(
            residual.is_none_or(|residual| residual.shape() == output.shape()),
            "the residual has another shape than the output"
        );
        Self {
            bias,
            round,
            residual: residual.map(|residual| residual.data.as_slice()),
            activation,
        }
    }

    /// For panel `panel`, whose output starts at `offset`.
    pub(crate) fn finish(&self, panel: usize, offset: usize) -> Finish<'a> {
        Finish {
            bias: self.bias.map(|bias| &bias[panel * PANEL..]),
            round: self.round,
            residual: self.residual.map(|residual| &residual[offset..]),
            relu: self.activation == Activation::Relu,
        }
    }
}

impl Finish<'_> {
    /// The same for an output `floats` further.
    pub(crate) fn shifted(self, floats: usize) -> Self {
        let residual = self.residual.map(|residual| &residual[floats..]);
        Self { residual, ..self }
    }
}
