//! What happens to operands before they are multiplied.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, FloatDType};

use crate::Precision;

/// What happens to the operands, both in single precision, of an operator that is linear in either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// They are rounded to 11 significant bits. Only for backends that never contract a product and a sum.
    #[cfg(feature = "flex")]
    Tf32,
    /// They and the result are rounded to 8 significant bits.
    Bf16,
    /// They are split, so that kernels which round to tf32 lose (almost) nothing.
    #[cfg(any(feature = "cube", test))]
    Split,
}

impl Rounding {
    /// What makes `device` multiply in a precision, or `None` if its operators do so by themselves.
    pub(crate) fn of(precision: Precision, device: &Device) -> Option<Self> {
        match precision {
            #[cfg(feature = "cube")]
            Precision::F32 if precision.is_split(device) => Some(Self::Split),
            #[cfg(feature = "flex")]
            Precision::Tf32 if precision.is_imitated(device) => Some(Self::Tf32),
            Precision::F32 | Precision::Tf32 => None,
            Precision::Bf16 => Some(Self::Bf16),
        }
    }

    /// `product(a, b)`.
    pub(crate) fn apply<B: Backend>(
        self,
        a: FloatTensor<B>,
        b: FloatTensor<B>,
        product: impl Fn(FloatTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
    ) -> FloatTensor<B> {
        match self {
            #[cfg(feature = "flex")]
            Self::Tf32 => product(tf32::<B>(a), tf32::<B>(b)),
            Self::Bf16 => {
                let [a, b] = [a, b].map(|x| B::float_cast(x, FloatDType::BF16));
                B::float_cast(product(a, b), FloatDType::F32)
            }
            #[cfg(any(feature = "cube", test))]
            Self::Split => {
                let ([rounded_a, rest_of_a], [rounded_b, rest_of_b]) =
                    (split::<B>(a.clone()), split::<B>(b));
                // a b = a' b' + (a - a') b' + a (b - b'): what kernels round is in the two small products.
                let small = product(rest_of_a, rounded_b.clone());
                let small = B::float_add(small, product(a, rest_of_b));
                B::float_add(product(rounded_a, rounded_b), small)
            }
        }
    }
}

/// Rounded to 11 significant bits: `c - (c - x)` with `c = (2^13 + 1) x` (Veltkamp 1968).
#[cfg(feature = "flex")]
fn tf32<B: Backend>(x: FloatTensor<B>) -> FloatTensor<B> {
    let scaled = B::float_mul_scalar(x.clone(), 8193.0.into());
    B::float_sub(scaled.clone(), B::float_sub(scaled, x))
}

/// The value rounded to 8 significant bits, and the rest, of which tf32 keeps 11.
#[cfg(any(feature = "cube", test))]
fn split<B: Backend>(x: FloatTensor<B>) -> [FloatTensor<B>; 2] {
    let rounded = B::float_cast(x.clone(), FloatDType::BF16);
    let rounded = B::float_cast(rounded, FloatDType::F32);
    let rest = B::float_sub(x, rounded.clone());
    [rounded, rest]
}
