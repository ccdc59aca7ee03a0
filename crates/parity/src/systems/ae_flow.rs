use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use ckaad_detectors::ae_flow::{
    AeFlowDetector, Learner, Network, NetworkConfig, Objective, Settings, structure,
};
use ckaad_ops::Precision;
use ckaad_parameters::fill;
use serde::Deserialize;

use super::figures::Figures;
use super::images::Images;
use super::inputs::{Maps, order};
use super::networks::{devices, gradients, number, twin, values};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stage: usize,
    flow_steps: usize,
    batch: usize,
    tests: usize,
    alpha: f64,
    beta: f64,
    lr: f64,
    global_scale: f32,
}

/// `flow.levels.0.steps.1.first.weight` is `aeflow.step.1.subnet.0.weight` there; a doubling and a convolution are four entries of the decoder.
fn recorded(ours: &str, doublings: usize) -> String {
    let parts: Vec<&str> = ours.split('.').collect();
    let number = |text: &str| text.parse::<usize>().unwrap_or(0);
    match parts[..] {
        ["flow", "levels", _, "steps", step, ref rest @ ..] => {
            let rest = match rest {
                ["first", name] => format!("subnet.0.{name}"),
                ["second", name] => format!("subnet.2.{name}"),
                ["scale"] => "global_scale".to_owned(),
                _ => "global_offset_bias".to_owned(),
            };
            format!("aeflow.step.{step}.{rest}")
        }
        ["decoder", "layers", layer, kind, name] => {
            let at = 4 * number(layer) + 2 * usize::from(kind == "conv");
            format!("aeflow.decoder.{at}.{name}")
        }
        ["decoder", "last", name] => format!("aeflow.decoder.{}.{name}", 4 * (doublings - 1)),
        _ => ours.to_owned(),
    }
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [device, learning] = devices();
    let features = |name: &str, count: usize, defect: &[usize]| {
        let maps = Maps {
            base: "base",
            name,
            count,
            stages: &[case.stage],
            image: case.image,
            defect,
            seed: case.seed,
        };
        let (values, shape) = maps.scales().remove(0);
        Tensor::<4>::from_data(TensorData::new(values, shape), &device)
    };
    let images = Images {
        side: case.image,
        unit: false,
        seed: case.seed,
    };
    let test = features("test", case.tests, &[1, 3]);
    let pictures = images.of("test", case.tests, &[1, 3]);
    figures.tensor("test.stage3", values(test.clone()))?;
    figures.tensor("test.images", values(pictures.clone()))?;
    let [_, channels, height, width] = test.dims();
    let config = NetworkConfig {
        shape: [channels, height, width],
        doublings: case.stage + 1,
        steps: case.flow_steps,
        precision: Precision::F32,
    };
    let by_formula = |step: usize| order(&format!("permutation.step{step}"), channels, case.seed);
    let name = |ours: &str| recorded(ours, config.doublings);
    let empty = || config.zeros(by_formula, &learning);
    let network = fill(empty(), |info| {
        let name = name(info.name);
        if name.ends_with("global_scale") {
            let uniform = formula::uniform(&name, info.shape.iter().product(), case.seed);
            return uniform
                .into_iter()
                .map(|u| case.global_scale + 0.25 * u)
                .collect();
        }
        formula::parameter(&name, info.shape, case.seed).values
    });
    figures.indices("permutation.step0", by_formula(0))?;
    let settings = Settings {
        steps: case.flow_steps,
        learning_rate: case.lr,
        flow_weight: case.alpha,
        likelihood_weight: case.beta,
    };
    let mut learner = Learner::new(settings, network);
    let evaluate = |figures: &mut Figures<'_>, when: &str, network: &Network| {
        let frozen = network.valid();
        let output = frozen.forward(test.clone());
        figures.tensor(&format!("{when}.z"), values(output.place.z.clone()))?;
        figures.tensor(
            &format!("{when}.reconstruction"),
            values(output.painted.clone()),
        )?;
        figures.scalars(
            &format!("{when}.log_det"),
            values(output.place.log_det.clone()),
        )?;
        figures.scalars(&format!("{when}.log_normal"), values(output.log_normal()))?;
        figures.scalars(
            &format!("{when}.ssim"),
            values(structure(&output, &pictures)),
        )?;
        let detector = AeFlowDetector::new(settings, frozen, case.image);
        figures.scored(when, &detector.score_images(test.clone(), pictures.clone()))
    };
    evaluate(&mut figures, "initial", learner.network())?;
    for step in 0..figures.steps() {
        let of_step = format!("normal.{step}");
        let normal = features(&of_step, case.batch, &[]);
        let pictures = images.of(&of_step, case.batch, &[]);
        let twin = twin(empty(), learner.network())?;
        let losses = Objective::new(&twin.forward(normal.clone()), pictures.clone(), case.alpha);
        figures.gradients(step, &gradients(&twin, losses.total, name))?;
        let done = learner.step(normal, pictures);
        for (path, loss) in [
            ("flow", done.flow),
            ("reconstruction", done.reconstruction),
            ("total", done.total),
        ] {
            figures.step(step, path, [number(loss)])?;
        }
    }
    figures.all_moved(&learner.network().valid(), case.seed, name)?;
    evaluate(&mut figures, "trained", learner.network())?;
    figures.finish(&[])
}
