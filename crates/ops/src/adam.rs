//! The update rule of Adam.

use burn::tensor::Tensor;

/// Adam's constants (Kingma and Ba, 2015, algorithm 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta_1: f32,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta_2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
}

/// Adam's constants at one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdamStep {
    pub(crate) adam: Adam,
    pub(crate) rate: f32,
    /// `1 - beta_1^t`.
    pub(crate) first_correction: f32,
    /// `sqrt(1 - beta_2^t)`.
    pub(crate) second_correction: f32,
}

impl Adam {
    /// A parameter's new value and moments after step `time`, counted from 1. The first step has no moments yet.
    ///
    /// `p - rate (m / (1 - beta_1^t)) / (sqrt(v) / sqrt(1 - beta_2^t) + epsilon)`
    ///
    /// # Shapes
    /// All tensors have the parameter's. None tracks gradients.
    ///
    /// # Panics
    /// If shapes differ or `time` is 0.
    pub fn step<const D: usize>(
        &self,
        rate: f64,
        time: usize,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        moments: Option<[Tensor<D>; 2]>,
    ) -> (Tensor<D>, [Tensor<D>; 2]) {
        assert!(time > 0, "steps are counted from 1");
        let shapes = moments.iter().flatten().chain([&gradient]);
        for shape in shapes.map(Tensor::dims) {
            assert_eq!(shape, parameter.dims(), "all tensors are as large");
        }
        let time = i32::try_from(time).unwrap_or(i32::MAX);
        let step = AdamStep {
            adam: *self,
            rate: rate as f32,
            first_correction: 1.0 - self.beta_1.powi(time),
            second_correction: (1.0 - self.beta_2.powi(time)).sqrt(),
        };
        #[cfg(feature = "flex")]
        if [&parameter, &gradient]
            .into_iter()
            .chain(moments.iter().flatten())
            .all(crate::flex::covers)
        {
            return crate::flex::adam(step, parameter, gradient, moments);
        }
        step.by_operators(parameter, gradient, moments)
    }
}

impl AdamStep {
    /// The step by burn's operators.
    pub(crate) fn by_operators<const D: usize>(
        self,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        moments: Option<[Tensor<D>; 2]>,
    ) -> (Tensor<D>, [Tensor<D>; 2]) {
        let Adam {
            beta_1,
            beta_2,
            epsilon,
        } = self.adam;
        let mut first = gradient.clone() * (1.0 - beta_1);
        let mut second = gradient.square() * (1.0 - beta_2);
        if let Some([old_first, old_second]) = moments {
            first = old_first * beta_1 + first;
            second = old_second * beta_2 + second;
        }
        let correction = self.second_correction / self.first_correction;
        let towards =
            first.clone() * correction / (second.clone().sqrt() + epsilon * self.second_correction);
        (parameter - towards * self.rate, [first, second])
    }
}
