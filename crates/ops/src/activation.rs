use burn::tensor::Tensor;
use burn::tensor::activation::relu;

/// What a norm ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// `max(0, x)`.
    Relu,
}

impl Activation {
    /// `activation(y + residual)` by burn's operators.
    pub fn after(self, y: Tensor<4>, residual: Option<Tensor<4>>) -> Tensor<4> {
        let y = match residual {
            Some(residual) => y + residual,
            None => y,
        };
        match self {
            Self::Identity => y,
            Self::Relu => relu(y),
        }
    }
}
