use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_anomaly_map::{AnomalyMapper, ImageScore};
use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_detectors::rdpp::{
    Learner, Network, Objective, RdppDetector, Settings, contrast, network_config,
};
use ckaad_detectors::{Detector, Inputs};
use ckaad_parameters::{NamedTensor, NamedTensors, collect};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::Maps;
use super::networks::{devices, filled, gradients, number, tensors, twin, values};
use crate::Check;
use ckaad_parameters::torch_name;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    batch: usize,
    tests: usize,
    weight_projection: f64,
    lr_projection: f64,
    lr_student: f64,
    accumulation: usize,
}

/// The optimal-transport term, which is zero and left out, and the order of the batch that it is compared with.
const LEFT_OUT: [&str; 9] = [
    "/transport",
    "transport.gradient_norm",
    "sinkhorn.value",
    "sinkhorn.schedule_length",
    "sinkhorn.gradient.a",
    "shuffle.0",
    "shuffle.1",
    "shuffle.2",
    "shuffle.3",
];

impl Case {
    fn inputs(&self, name: &str, count: usize, defect: &[usize]) -> Inputs {
        let maps = Maps {
            base: "base",
            name,
            count,
            stages: &self.stages,
            image: self.image,
            defect,
            seed: self.seed,
        };
        maps.inputs(&devices()[0])
    }

    fn settings(&self) -> Settings {
        Settings {
            learning_rate: self.lr_student,
            projection_learning_rate: self.lr_projection,
            projection_weight: self.weight_projection,
            accumulation: self.accumulation,
            ..Settings::default()
        }
    }
}

/// A parameter's recorded name.
fn name(ours: &str) -> String {
    let ours = ours.replace("projections.scales", "project");
    format!("rdpp.{}", torch_name(&ours))
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [_, learning] = devices();
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &case.stages)?;
    let config = network_config(&backbone);
    contrast_of_raw_maps(&mut figures, &case)?;

    let network = filled(config.zeros(&learning), case.seed, name);
    let mut learner = Learner::new(case.settings(), network);
    let test = case.inputs("test", case.tests, &[1, 3]);
    evaluate(&mut figures, "initial", &learner.network, &case, &test)?;
    let mut gathered = NamedTensors::new();
    for step in 0..figures.steps() {
        let [normal, noised] = ["normal", "noised"]
            .map(|kind| tensors(&case.inputs(&format!("{kind}.{step}"), case.batch, &[])));
        if step % case.accumulation == 0 {
            gathered = NamedTensors::new();
        }
        let network = twin(config.zeros(&learning), &learner.network)?;
        let losses = Objective::new(&network, &normal, &noised, case.weight_projection);
        gathered = sum(&gathered, &gradients(&network, losses.total, name));
        figures.gradients(step, &gathered)?;
        let done = learner.step(&normal, &noised);
        for (path, loss) in [
            ("distill", done.distill),
            ("reconstruct", done.reconstruct),
            ("contrast", done.contrast),
            ("projection", done.projection),
            ("total", done.total),
        ] {
            figures.step(step, path, [number(loss)])?;
        }
    }
    for (ours, tensor) in collect(&learner.network.valid()).iter() {
        let name = name(ours);
        if figures.records(&format!("moved.{name}")) {
            figures.moved(&name, &tensor.values, case.seed)?;
        }
    }
    evaluate(&mut figures, "trained", &learner.network, &case, &test)?;
    figures.finish(&LEFT_OUT)
}

/// The contrast of maps that resemble each other, which is not zero.
fn contrast_of_raw_maps(figures: &mut Figures<'_>, case: &Case) -> anyhow::Result<()> {
    let [_, learning] = devices();
    let [noised, normal] = ["noised.0", "normal.0"].map(|of| tensors(&case.inputs(of, 4, &[])));
    let tracked: Vec<Tensor<4>> = normal
        .into_iter()
        .map(|map| Tensor::from_data(map.into_data(), &learning).require_grad())
        .collect();
    let value = contrast(&noised, &tracked);
    let gradient = tracked[2].grad(&value.backward());
    let gradient = gradient.map(values).unwrap_or_default();
    figures.scalars("contrast_of_raw_maps.value", [number(value.inner())])?;
    figures.tensor("contrast_of_raw_maps.gradient.2", gradient)
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    network: &Network,
    case: &Case,
    test: &Inputs,
) -> anyhow::Result<()> {
    let (frozen, features) = (network.valid(), tensors(test));
    let projected = frozen.project(&features);
    for (index, scale) in projected.iter().enumerate() {
        let name = format!("{when}.projected.{index}");
        if figures.records(&name) {
            figures.tensor(&name, values(scale.clone()))?;
        }
    }
    figures.distances(when, &features, &frozen.reconstruct(&projected))?;
    let mapper = AnomalyMapper::new(case.image, case.image);
    let detector = RdppDetector::new(network, ImageScore::Max, mapper);
    figures.scored(when, &detector.score(test))
}

/// Gradients of two batches together.
fn sum(some: &NamedTensors, others: &NamedTensors) -> NamedTensors {
    let added = |(name, other): (&str, &NamedTensor)| {
        let before = some.get(name).map_or(&[][..], |tensor| &tensor.values);
        let before = before.iter().copied().chain(std::iter::repeat(0.0));
        let values = other.values.iter().zip(before).map(|(a, b)| a + b);
        let shape = other.shape.clone();
        let values = values.collect();
        (name.to_owned(), NamedTensor { shape, values })
    };
    others.iter().map(added).collect()
}
