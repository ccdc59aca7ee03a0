//! What a backward pass keeps of a forward one.

use std::borrow::Cow;

use burn::backend::flex::FlexTensor;
use ckaad_conv::{Halves, Kept as Values};

use super::operands::slice;

/// A contiguous tensor, in half the memory where nothing is lost by it.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    Whole(FlexTensor),
    Halves(Halves),
}

impl Kept {
    /// In bf16 if that is what all its values are, as those of a convolution in bf16.
    pub(super) fn exact(tensor: FlexTensor) -> Self {
        match Halves::exact(slice(&tensor)) {
            Some(halves) => Self::Halves(halves),
            None => Self::Whole(tensor),
        }
    }

    /// For products, which `bf16` says are of operands rounded to it.
    pub(super) fn operand(tensor: FlexTensor, bf16: bool) -> Self {
        match bf16 {
            true => Self::Halves(Halves::rounded(slice(&tensor))),
            false => Self::Whole(tensor),
        }
    }

    pub(super) fn values(&self) -> Values<'_> {
        match self {
            Self::Whole(tensor) => Values::Floats(slice(tensor)),
            Self::Halves(halves) => halves.kept(),
        }
    }

    pub(super) fn floats(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Whole(tensor) => Cow::Borrowed(slice(tensor)),
            Self::Halves(halves) => Cow::Owned(halves.to_floats()),
        }
    }
}
