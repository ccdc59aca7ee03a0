use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use ckaad_detectors::aa_bigan::{
    AaBiganDetector, Batch, CriticLosses, Learner, Losses, NetworkConfig, Settings,
};
use ckaad_ops::Precision;
use ckaad_parameters::{LayerKind, fill};
use serde::Deserialize;

use super::figures::Figures;
use super::images::Images;
use super::networks::{devices, gradients_in, number, together, twin, values};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    width: usize,
    z: usize,
    latent_layer: usize,
    hidden: usize,
    batch: Counts,
    tests: usize,
    lr: f64,
    critic_lr: f64,
}

#[derive(Deserialize)]
struct Counts {
    normal: usize,
    anomalous: usize,
}

/// Numbers whose sum, halved, is a number of noise.
const TERMS: usize = 12;

/// `encoder.body.layers.1.conv.weight` is `encoder.body.4.weight` there: a convolution, a norm, an activation and what changes the size.
fn recorded(ours: &str) -> String {
    let ours = ours
        .replacen("xz.", "critic_xz.", 1)
        .replacen("xx.", "critic_xx.", 1);
    let parts: Vec<&str> = ours.split('.').collect();
    let mut names: Vec<String> = Vec::new();
    let mut at = 0;
    let mut count = 0;
    while at < parts.len() {
        match parts[at] {
            "layers" => {
                count = parts[at + 1].parse::<usize>().unwrap_or(0);
                at += 1;
            }
            "conv" => names.push((4 * count).to_string()),
            "norm" => names.push((4 * count + 1).to_string()),
            part => names.push(part.to_owned()),
        }
        at += 1;
    }
    names.join(".")
}

/// The generator's layers are in a body there, the last behind three others of an image of 32 pixels.
fn of_generator(ours: &str) -> String {
    let ours = match ours {
        "last.weight" => "layers.3.conv.weight",
        ours => ours,
    };
    recorded(&format!("generator.body.{ours}"))
}

fn of_encoder(ours: &str) -> String {
    recorded(&format!("encoder.{ours}"))
}

/// By formula; matrices are the other way round there.
fn filled<M: Module>(module: M, seed: u64, recorded: impl Fn(&str) -> String) -> M {
    fill(module, |info| {
        let name = recorded(info.name);
        match (info.layer, info.shape) {
            (LayerKind::Linear, &[rows, columns]) => {
                let values = formula::parameter(&name, &[columns, rows], seed).values;
                let at = (0..rows * columns).map(|at| at % columns * rows + at / columns);
                at.map(|at| values[at]).collect()
            }
            (_, shape) => formula::parameter(&name, shape, seed).values,
        }
    })
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [device, learning] = devices();
    let config = NetworkConfig {
        image_size: case.image,
        width: case.width,
        latent: case.z,
        latent_layer: case.latent_layer,
        hidden: case.hidden,
        precision: Precision::F32,
    };
    let settings = Settings {
        width: case.width,
        latent: case.z,
        latent_layer: case.latent_layer,
        hidden: case.hidden,
        learning_rate: case.lr,
        critic_learning_rate: case.critic_lr,
    };
    let (encoder, generator, critics) = config.zeros(&learning);
    let networks = (
        filled(encoder, case.seed, of_encoder),
        filled(generator, case.seed, of_generator),
        filled(critics, case.seed, recorded),
    );
    let mut learner = Learner::new(settings, networks);
    let images = Images {
        side: case.image,
        unit: true,
        seed: case.seed,
    };
    let noise = |step: usize| {
        let uniform = formula::uniform(
            &format!("noise.{step}"),
            case.batch.normal * case.z * TERMS,
            case.seed,
        );
        let sum = |terms: &[f32]| terms.iter().copied().map(f64::from).sum::<f64>();
        let values: Vec<f32> = uniform
            .chunks_exact(TERMS)
            .map(|terms| (0.5 * sum(terms)) as f32)
            .collect();
        Tensor::<2>::from_data(
            TensorData::new(values, [case.batch.normal, case.z]),
            &device,
        )
    };
    let test = images.of("test", case.tests, &[1, 3]);
    figures.tensor("test.images", values(test.clone()))?;
    evaluate(&mut figures, "initial", &learner, &test)?;
    let all: Vec<usize> = (0..case.batch.anomalous).collect();
    for step in 0..figures.steps() {
        let normal = images.of(&format!("normal.{step}"), case.batch.normal, &[]);
        let anomalous = images.of(&format!("anomaly.{step}"), case.batch.anomalous, &all);
        // Twins for the first half of the step; the second is against critics that have moved.
        let (encoder, generator, critics) = learner.networks();
        let (empty_encoder, empty_generator, empty_critics) = config.zeros(&learning);
        let encoder = twin(empty_encoder, encoder)?;
        let generator = twin(empty_generator, generator)?;
        let critics = twin(empty_critics, critics)?;
        let batch = || {
            Batch::new(
                &encoder,
                &generator,
                normal.clone(),
                Some(anomalous.clone()),
                noise(step),
            )
        };
        let mut backward = CriticLosses::new(&critics, &batch()).total.backward();
        let of_critics = gradients_in(&critics, &mut backward, recorded);
        let (on_critics, losses) =
            learner.step(normal.clone(), Some(anomalous.clone()), noise(step));
        let (_, _, moved) = learner.networks();
        let (_, _, empty_critics) = config.zeros(&learning);
        let mut backward = Losses::new(&twin(empty_critics, moved)?, &batch())
            .total
            .backward();
        let named = together(&[
            of_critics,
            gradients_in(&generator, &mut backward, of_generator),
            gradients_in(&encoder, &mut backward, of_encoder),
        ]);
        let groups = ["critic_xz", "critic_xx", "generator", "encoder"];
        let tensors = (step == 0).then_some("gradient");
        figures.gradients_of(step, &named, &groups, tensors)?;
        for (kind, terms) in [("xz", on_critics.xz), ("xx", on_critics.xx)] {
            for (of, loss) in ["real", "generated", "anomalous"].iter().zip(terms) {
                let loss = loss.map(|loss| number(loss.inner()));
                figures.step(step, &format!("{kind}_{of}"), loss)?;
            }
        }
        for (path, loss) in [
            ("critics", on_critics.total),
            ("cycle", losses.cycle),
            ("generator", losses.generator),
            ("encoder", losses.encoder),
        ] {
            figures.step(step, path, [number(loss.inner())])?;
        }
    }
    let (encoder, generator, critics) = learner.networks();
    figures.all_moved(&encoder.valid(), case.seed, of_encoder)?;
    figures.all_moved(&generator.valid(), case.seed, of_generator)?;
    figures.all_moved(&critics.valid(), case.seed, recorded)?;
    evaluate(&mut figures, "trained", &learner, &test)?;
    figures.finish(&[])
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    learner: &Learner,
    test: &Tensor<4>,
) -> anyhow::Result<()> {
    let (encoder, generator, critics) = learner.networks();
    let (encoder, generator, critics) = (encoder.valid(), generator.valid(), critics.valid());
    let codes = encoder.forward(test.clone());
    let back = generator.forward(codes.clone());
    figures.tensor(&format!("{when}.latent"), values(codes.clone()))?;
    figures.tensor(&format!("{when}.reconstruction"), values(back.clone()))?;
    let xz = critics.xz.forward(test.clone(), codes);
    let xx = critics.xx.forward(test.clone(), back);
    figures.scalars(&format!("{when}.critic_xz"), values(xz))?;
    figures.scalars(&format!("{when}.critic_xx"), values(xx))?;
    let seen = AaBiganDetector::new(encoder, generator).look(test.clone());
    let maps = seen.iter().flat_map(|seen| seen.map.values.iter().copied());
    figures.tensor(&format!("{when}.anomaly_map"), maps)?;
    let scores = seen.iter().map(|seen| seen.image);
    figures.scalars(&format!("{when}.image_score"), scores)?;
    let scores = seen.iter().map(|seen| seen.code);
    figures.scalars(&format!("{when}.latent_score"), scores)
}
