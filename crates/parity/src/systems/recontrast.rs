use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_anomaly_map::{AnomalyMapper, ImageScore};
use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_detectors::Inputs;
use ckaad_detectors::recontrast::{
    Decoder, Learner, Objective, Scorer, Settings, decoder_config, hard,
};
use ckaad_parameters::collect;
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
    iterations: usize,
    lr: f64,
}

impl Case {
    /// What the encoder that learns sees, and what the frozen one does.
    fn inputs(&self, name: &str, count: usize, defect: &[usize]) -> [Inputs; 2] {
        ["trained", "frozen"].map(|encoder| {
            let maps = Maps {
                base: "base",
                name: &format!("{encoder}.{name}"),
                count,
                stages: &self.stages,
                image: self.image,
                defect,
                seed: self.seed,
            };
            maps.inputs(&devices()[0])
        })
    }
}

/// A parameter's recorded name.
fn name(ours: &str) -> String {
    let ours = torch_name(ours);
    let ours = ours.replace("for_frozen.scales", "out.0");
    format!("recontrast.{}", ours.replace("for_trained.scales", "out.1"))
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [_, learning] = devices();
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &case.stages)?;
    let config = decoder_config(&backbone);
    let settings = Settings {
        learning_rate: case.lr,
        mining_warm_up: case.iterations / 10,
        ..Settings::default()
    };
    let mut learner = Learner::new(settings, filled(config.zeros(&learning), case.seed, name));
    let test = case.inputs("test", case.tests, &[1, 3]);
    evaluate(&mut figures, "initial", &learner.decoder, &case, &test)?;
    for step in 0..figures.steps() {
        let normal = case.inputs(&format!("normal.{step}"), case.batch, &[]);
        let [trained, frozen] = [&normal[0], &normal[1]].map(tensors);
        let hardness = settings.hardness(step as u64);
        figures.step(step, "alpha", [hardness])?;
        let decoder = || twin(config.zeros(&learning), &learner.decoder);
        let mined = mined(&decoder()?, [&trained, &frozen], hardness);
        figures.step(step, "mined", mined)?;
        let decoder = decoder()?;
        let losses = Objective::new(&decoder, &trained, &frozen, hardness);
        figures.gradients(step, &gradients(&decoder, losses.total, name))?;
        let (done, _) = learner.step(&trained, &frozen);
        for (path, loss) in [
            ("to_frozen", done.to_frozen),
            ("to_trained", done.to_trained),
            ("total", done.total),
        ] {
            figures.step(step, path, [number(loss)])?;
        }
    }
    for (ours, tensor) in collect(&learner.decoder.valid()).iter() {
        let name = name(ours);
        if figures.records(&format!("moved.{name}")) {
            figures.moved(&name, &tensor.values, case.seed)?;
        }
    }
    evaluate(&mut figures, "trained", &learner.decoder, &case, &test)?;
    figures.finish(&["/nearest_to_threshold"])
}

/// How many positions have no gradient, and of how many, for every map.
fn mined(decoder: &Decoder, [trained, frozen]: [&[Tensor<4>]; 2], hardness: f64) -> Vec<f64> {
    let [for_frozen, for_trained] = decoder.forward(trained, frozen);
    let targets = frozen.iter().chain(trained);
    let pairs = targets.zip(for_frozen.iter().chain(&for_trained));
    pairs
        .flat_map(|(target, output)| {
            let hard = values(hard(target, output, hardness));
            let easy = hard.iter().filter(|value| **value == 0.0).count();
            [easy as f64, hard.len() as f64]
        })
        .collect()
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    decoder: &Decoder,
    case: &Case,
    test: &[Inputs; 2],
) -> anyhow::Result<()> {
    let [trained, frozen] = [&test[0], &test[1]].map(tensors);
    let outputs = decoder.valid().forward(&trained, &frozen).concat();
    for (index, output) in outputs.iter().enumerate() {
        let name = format!("{when}.output.{index}");
        if figures.records(&name) {
            figures.tensor(&name, values(output.clone()))?;
        }
    }
    figures.distances(when, &[frozen, trained].concat(), &outputs)?;
    let mapper = AnomalyMapper::new(case.image, case.image);
    let scorer = Scorer::new(decoder, ImageScore::Max, mapper);
    let [trained, frozen] = [&test[0], &test[1]].map(|inputs| &inputs.features);
    let scored = scorer.score(trained, frozen);
    figures.scored(when, &scored)?;
    let maps = scored.iter().filter_map(|image| image.map.as_ref());
    let means = maps.map(|map| ImageScore::Mean.of(map));
    figures.scalars(&format!("{when}.score_mean"), means)
}
