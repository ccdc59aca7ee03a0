//! The optimizer of a run: Adam, with a state that is loaded without a device.

use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor, TensorData};

/// A fresh optimizer with a weight decay that is added to the gradient.
pub(crate) fn adam(rule: ckaad_ops::Adam, weight_decay: f32) -> ModuleOptimizer {
    Adam { rule, weight_decay }.into()
}

#[derive(Debug, Clone)]
struct Adam {
    rule: ckaad_ops::Adam,
    weight_decay: f32,
}

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
enum Moment<const D: usize> {
    Loaded(TensorData),
    Ready(Tensor<D>),
}

impl<const D: usize> Moment<D> {
    fn on(self, device: &Device) -> Tensor<D> {
        match self {
            Self::Loaded(data) => Tensor::from_data(data, device),
            Self::Ready(tensor) => tensor.to_device(device),
        }
    }

    fn data(&self) -> TensorData {
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
        let gradient = match self.weight_decay {
            0.0 => gradient,
            decay => gradient + parameter.clone() * decay,
        };
        let (parameter, moments) = self.rule.step(rate, time, parameter, gradient, moments);
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
