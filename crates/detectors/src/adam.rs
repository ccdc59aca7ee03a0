//! The optimizer of a run: Adam, with a state that is loaded without a device.

use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};

/// A fresh optimizer: Adam, betas 0.5 and 0.999, epsilon 1e-8.
pub(crate) fn adam() -> ModuleOptimizer {
    Rule::new(0.5, 0.999).optimizer()
}

/// How parameters move.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) constants: ckaad_ops::Adam,
    pub(crate) decay: Decay,
}

/// What draws parameters to zero besides the gradient.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Decay {
    /// Nothing.
    None,
    /// This share of a parameter is added to its gradient (Adam's weight decay in PyTorch).
    Gradient(f64),
    /// This share of a parameter, times the learning rate, is taken off before the step (AdamW, Loshchilov and Hutter 2019).
    Parameter(f64),
}

impl Rule {
    /// With an epsilon of 1e-8 and no decay.
    pub(crate) const fn new(beta_1: f32, beta_2: f32) -> Self {
        Self {
            constants: ckaad_ops::Adam {
                beta_1,
                beta_2,
                epsilon: 1e-8,
            },
            decay: Decay::None,
        }
    }

    /// With that decay.
    pub(crate) const fn with_decay(self, decay: Decay) -> Self {
        Self { decay, ..self }
    }

    /// A fresh optimizer.
    pub(crate) fn optimizer(self) -> ModuleOptimizer {
        Adam(self).into()
    }
}

#[derive(Debug, Clone)]
struct Adam(Rule);

/// What Adam remembers of a parameter.
#[derive(Debug, Clone)]
struct State<const D: usize> {
    /// Steps done.
    time: usize,
    first: Moment<D>,
    second: Moment<D>,
}

/// A moment. burn makes the tensors of a loaded state on its default device, which a build for several backends may not
/// have; so a loaded moment stays data until the first step says where it is needed.
#[derive(Debug, Clone)]
pub(crate) enum Moment<const D: usize> {
    Loaded(TensorData),
    Ready(Tensor<D>),
}

impl<const D: usize> Moment<D> {
    pub(crate) fn on(self, device: &Device) -> Tensor<D> {
        match self {
            Self::Loaded(data) => Tensor::from_data(data, device),
            Self::Ready(tensor) => tensor.to_device(device),
        }
    }

    pub(crate) fn data(&self) -> TensorData {
        match self {
            Self::Loaded(data) => data.clone(),
            Self::Ready(tensor) => tensor.to_data(),
        }
    }
}

const TIME: &str = "time";
const FIRST: &str = "first";
const SECOND: &str = "second";

impl<const D: usize> RecordState for State<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, TIME, self.time.into());
        for (name, moment) in [(FIRST, &self.first), (SECOND, &self.second)] {
            out.push_tensor(prefix, name, moment.data());
        }
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, _device: &Device) -> Option<Self> {
        Some(Self {
            time: source.take_scalar(prefix, TIME)?.try_into().ok()?,
            first: Moment::Loaded(source.take_tensor(prefix, FIRST)?),
            second: Moment::Loaded(source.take_tensor(prefix, SECOND)?),
        })
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = State<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<State<D>>,
    ) -> (Tensor<D>, Option<State<D>>) {
        let device = parameter.device();
        let (time, moments) = match state {
            None => (1, None),
            Some(state) => (
                state.time + 1,
                // They are on the device already; `to_device` has been asked.
                Some([state.first, state.second].map(|moment| moment.on(&device))),
            ),
        };
        let (parameter, gradient) = match self.0.decay {
            Decay::None => (parameter, gradient),
            Decay::Gradient(share) => {
                let gradient = gradient + parameter.clone() * share;
                (parameter, gradient)
            }
            Decay::Parameter(share) => (parameter * (1.0 - rate * share), gradient),
        };
        let constants = self.0.constants;
        let (parameter, moments) = constants.step(rate, time, parameter, gradient, moments);
        let [first, second] = moments.map(Moment::Ready);
        let state = State {
            time,
            first,
            second,
        };
        (parameter, Some(state))
    }

    fn to_device<const D: usize>(state: State<D>, device: &Device) -> State<D> {
        State {
            time: state.time,
            first: Moment::Ready(state.first.on(device)),
            second: Moment::Ready(state.second.on(device)),
        }
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

    /// Two of the six numbers of `golden/systems/optimisers.json`: five steps on `sum(curvature (p - target)^2) / 2`, computed by PyTorch in
    /// double precision.
    #[test]
    fn steps_are_those_of_pytorch() {
        let device = ckaad_device::cpu().autodiff();
        let tensor = |values: [f32; 2]| Tensor::<1>::from_floats(values, &device);
        let start = tensor([-0.211_686_02, 0.085_864_544]);
        let curvature = tensor([-0.524_466_3, 0.564_597_13]) * 0.5 + 1.0;
        let target = tensor([-0.288_703_68, 0.845_388_53]);
        let slow = Rule {
            constants: ckaad_ops::Adam {
                beta_1: 0.8,
                beta_2: 0.8,
                epsilon: 1e-4,
            },
            decay: Decay::None,
        };
        let usual = Rule::new(0.9, 0.999);
        for (rule, expected) in [
            (usual, [-0.265_716_77, 0.573_277_3]),
            (Rule::new(0.5, 0.999), [-0.280_502_5, 0.541_537_1]),
            (slow, [-0.252_760_93, 0.579_787_76]),
            (
                usual.with_decay(Decay::Gradient(0.1)),
                [-0.215_936_07, 0.571_251_36],
            ),
            (
                usual.with_decay(Decay::Parameter(0.1)),
                [-0.262_781_4, 0.559_681_9],
            ),
        ] {
            let mut optimizer = rule.optimizer();
            let mut point = Point {
                p: Param::from_tensor(start.clone()),
            };
            for _ in 0..5 {
                let off = point.p.val() - target.clone();
                let loss = (curvature.clone() * off.square()).sum() / 2.0;
                let gradients = GradientsParams::from_grads(loss.backward(), &point);
                point = optimizer.step(0.1, point, gradients);
            }
            let found: Vec<f32> = point.p.val().into_data().iter::<f32>().collect();
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-6, "{rule:?}: {found}");
            }
        }
    }
}
