use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_detectors::Detector;
use ckaad_detectors::fastflow::{FastFlowDetector, Flow, FlowConfig, Image, Learner};
use ckaad_ops::Precision;
use ckaad_parameters::{collect, fill};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Maps, order};
use super::networks::{devices, gradients, number, tensors, twin, values};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    flow_steps: usize,
    kernel: usize,
    batch: usize,
    tests: usize,
    lr: f64,
    global_scale: f32,
}

/// `levels.0.steps.1.first.weight` is `flow.level.0.1.subnet.0.weight` there.
fn recorded(ours: &str) -> String {
    let parts: Vec<&str> = ours.split('.').collect();
    match parts[..] {
        ["levels", level, "norm", name] => format!("flow.norm.{level}.{name}"),
        ["levels", level, "steps", step, ref rest @ ..] => {
            let rest = match rest {
                ["first", name] => format!("subnet.0.{name}"),
                ["second", name] => format!("subnet.2.{name}"),
                ["scale"] => "global_scale".to_owned(),
                _ => "global_offset_bias".to_owned(),
            };
            format!("flow.level.{level}.{step}.{rest}")
        }
        _ => ours.to_owned(),
    }
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [device, learning] = devices();
    let inputs = |name: &str, count: usize, defect: &[usize]| {
        let maps = Maps {
            base: "base",
            name,
            count,
            stages: &case.stages,
            image: case.image,
            defect,
            seed: case.seed,
        };
        maps.inputs(&device)
    };
    let test = inputs("test", case.tests, &[1, 3]);
    let features = tensors(&test);
    let config = FlowConfig {
        shapes: features
            .iter()
            .map(|map| {
                let [_, channels, height, width] = map.dims();
                [channels, height, width]
            })
            .collect(),
        steps: case.flow_steps,
        kernels: vec![[case.kernel; 2]],
        norms: true,
        precision: Precision::F32,
    };
    let by_formula = |level: usize, step: usize, channels: usize| {
        let name = format!("permutation.level{level}.step{step}");
        order(&name, channels, case.seed)
    };
    let empty = || config.zeros(by_formula, &learning);
    let flow = fill(empty(), |info| {
        let name = recorded(info.name);
        let formula = |offset: f32, scale: f32| {
            let uniform = formula::uniform(&name, info.shape.iter().product(), case.seed);
            uniform.into_iter().map(|u| offset + scale * u).collect()
        };
        if name.ends_with("global_scale") {
            return formula(case.global_scale, 0.25);
        }
        formula::parameter(&name, info.shape, case.seed).values
    });
    let mut learner = Learner::new(flow, case.lr);
    let first = by_formula(0, 0, features[0].dims()[1]);
    figures.indices("permutation.level0.step0", first)?;
    let (normalised, after) = learner.flow.valid().first_step(&features[0]);
    figures.tensor("initial.normalised.0", values(normalised))?;
    figures.tensor("initial.after_first_step.0", values(after.z))?;
    figures.scalars("initial.after_first_step.0.log_det", values(after.log_det))?;

    let evaluate = |figures: &mut Figures<'_>, when: &str, flow: &Flow| {
        for (level, image) in flow.valid().forward(&features).into_iter().enumerate() {
            figures.tensor(&format!("{when}.z.{level}"), values(image.z))?;
            figures.scalars(&format!("{when}.log_det.{level}"), values(image.log_det))?;
        }
        let detector = FastFlowDetector::new(flow.valid(), case.image);
        figures.scored(when, &detector.score(&test))
    };
    evaluate(&mut figures, "initial", &learner.flow)?;
    for step in 0..figures.steps() {
        let normal = tensors(&inputs(&format!("normal.{step}"), case.batch, &[]));
        let flow = twin(empty(), &learner.flow)?;
        let losses: Vec<Tensor<1>> = flow.forward(&normal).iter().map(Image::loss).collect();
        for (level, loss) in losses.iter().enumerate() {
            let loss = number(loss.clone().inner());
            figures.step(step, &format!("level{level}"), [loss])?;
        }
        let total = Tensor::cat(losses, 0).sum();
        figures.gradients(step, &gradients(&flow, total, recorded))?;
        figures.step(step, "total", [number(learner.step(&normal))])?;
    }
    for (ours, tensor) in collect(&learner.flow).iter() {
        let name = recorded(ours);
        if figures.records(&format!("moved.{name}")) {
            figures.moved(&name, &tensor.values, case.seed)?;
        }
    }
    evaluate(&mut figures, "trained", &learner.flow)?;
    figures.finish(&[])
}
