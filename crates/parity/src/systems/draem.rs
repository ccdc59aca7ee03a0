use burn::module::Module;
use ckaad_detectors::draem::{DraemDetector, Learner, Network, NetworkConfig, Objective};
use ckaad_ops::Precision;
use ckaad_parameters::fill;
use serde::Deserialize;

use super::figures::Figures;
use super::images::{Images, Perlin};
use super::networks::{devices, gradients, number, twin, values};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    widths: Widths,
    batch: usize,
    corrupted: Vec<usize>,
    tests: usize,
    lr: f64,
    perlin: Perlin,
}

#[derive(Deserialize)]
struct Widths {
    rebuild: usize,
    segment: usize,
}

/// What the biases of batch norms are above their formula, and what the weights of the last convolutions are divided by.
const SHIFT: f32 = 2.0;
const LAST: f32 = 16.0;

/// `rebuild.down.0.first.norm.weight` is `rebuild.down.0.1.weight` there.
fn recorded(ours: &str) -> String {
    let pairs = [
        ("first.conv", "0"),
        ("first.norm", "1"),
        ("second.conv", "3"),
        ("second.norm", "4"),
        (".conv", ".1"),
        (".norm", ".2"),
    ];
    let renamed = pairs.iter().find(|(from, _)| ours.contains(from));
    renamed.map_or(ours.to_owned(), |(from, to)| ours.replace(from, to))
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [_, learning] = devices();
    case.perlin.compare(&mut figures, case.seed)?;
    let config = NetworkConfig {
        rebuild_width: case.widths.rebuild,
        segment_width: case.widths.segment,
        precision: Precision::F32,
    };
    let network = fill(config.zeros(&learning), |info| {
        let mut parameter = formula::parameter(&recorded(info.name), info.shape, case.seed);
        for value in &mut parameter.values {
            if info.name.ends_with("norm.bias") {
                *value += SHIFT;
            } else if info.name.ends_with("out.weight") {
                *value /= LAST;
            }
        }
        parameter.values
    });
    let images = Images {
        side: case.image,
        unit: true,
        seed: case.seed,
    };
    let test = images.of("test", case.tests, &[1, 3]);
    figures.tensor("test.images", values(test.clone()))?;
    let mut learner = Learner::new(network);
    let evaluate = |figures: &mut Figures<'_>, when: &str, network: &Network| {
        let frozen = network.valid();
        let (rebuilt, logits) = frozen.forward(test.clone());
        figures.tensor(&format!("{when}.reconstruction"), values(rebuilt))?;
        figures.tensor(&format!("{when}.logits"), values(logits))?;
        let detector = DraemDetector::new(frozen, case.image);
        figures.scored(when, &detector.score_unit(test.clone()))
    };
    evaluate(&mut figures, "initial", learner.network())?;
    for step in 0..figures.steps() {
        let batch = images.corrupted(step, case.batch, &case.corrupted);
        let twin = twin(config.zeros(&learning), learner.network())?;
        let (rebuilt, logits) = twin.forward(batch.corrupted.clone());
        if step == 0 {
            figures.tensor("step0.corrupted", values(batch.corrupted.clone()))?;
            figures.tensor("step0.reconstruction", values(rebuilt.clone().inner()))?;
            figures.tensor("step0.logits", values(logits.clone().inner()))?;
        }
        let losses = Objective::new(rebuilt, logits, batch.clean.clone(), batch.masks.clone());
        figures.gradients(step, &gradients(&twin, losses.total, recorded))?;
        let done = learner.step(case.lr, batch.corrupted, batch.clean, batch.masks);
        for (path, loss) in [
            ("mse", done.mse),
            ("ssim", done.ssim),
            ("focal", done.focal),
            ("total", done.total),
        ] {
            figures.step(step, path, [number(loss)])?;
        }
    }
    let network = learner.network().valid();
    figures.all_moved(&network, case.seed, recorded)?;
    evaluate(&mut figures, "trained", learner.network())?;
    figures.finish(&["/ssim_span2"])
}
