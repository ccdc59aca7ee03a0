//! Stochastic gradient descent with momentum, whose state is loaded without a device.

use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use crate::adam::Moment;

/// `v = momentum v + gradient + decay p`, then `p - rate v`; v starts at zero. As PyTorch's SGD.
#[derive(Debug, Clone)]
pub(crate) struct Momentum {
    pub(crate) momentum: f64,
    pub(crate) decay: f64,
}

/// What it remembers of a parameter.
#[derive(Debug, Clone)]
pub(crate) struct Velocity<const D: usize>(Moment<D>);

const VELOCITY: &str = "velocity";

impl Momentum {
    /// A fresh optimizer.
    pub(crate) fn optimizer(self) -> ModuleOptimizer {
        self.into()
    }
}

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, VELOCITY, self.0.data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, _device: &Device) -> Option<Self> {
        Some(Self(Moment::Loaded(source.take_tensor(prefix, VELOCITY)?)))
    }
}

impl Optimizer for Momentum {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Velocity<D>>,
    ) -> (Tensor<D>, Option<Velocity<D>>) {
        let gradient = gradient + parameter.clone() * self.decay;
        let velocity = match state {
            Some(Velocity(before)) => before.on(&parameter.device()) * self.momentum + gradient,
            None => gradient,
        };
        let parameter = parameter - velocity.clone() * rate;
        (parameter, Some(Velocity(Moment::Ready(velocity))))
    }

    fn to_device<const D: usize>(state: Velocity<D>, device: &Device) -> Velocity<D> {
        Velocity(Moment::Ready(state.0.on(device)))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::optim::GradientsParams;

    use super::*;

    #[derive(Module, Debug)]
    struct Point {
        p: Param<Tensor<1>>,
    }

    /// The gradient is 1 always: from 2, v is 1 + 0.1 * 2 = 1.2 and p 1.88; then v is 0.9 * 1.2 + 1 + 0.188 = 2.268 and p 1.6532.
    #[test]
    fn two_steps_by_hand() {
        let device = ckaad_device::cpu().autodiff();
        let mut point = Point {
            p: Param::from_tensor(Tensor::from_floats([2.0], &device)),
        };
        let rule = Momentum {
            momentum: 0.9,
            decay: 0.1,
        };
        let mut optimizer = rule.optimizer();
        for expected in [1.88, 1.6532] {
            let gradients = GradientsParams::from_grads(point.p.val().sum().backward(), &point);
            point = optimizer.step(0.1, point, gradients);
            let found = point.p.val().into_scalar::<f32>();
            assert!((found - expected).abs() < 1e-6, "{found}");
        }
    }
}
