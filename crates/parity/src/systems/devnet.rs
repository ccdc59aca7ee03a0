use ckaad_anomaly_map::{Align, upsample};
use ckaad_detectors::devnet::{Head, Image, Learner};
use ckaad_detectors::image_score;
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Scale, parameter, scaled, usual};
use crate::Check;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: Vec<usize>,
    stage: usize,
    normals: usize,
    anomalies: usize,
    tests: usize,
    lr: f64,
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let scaled = |name: &str, count: usize, defect: &[usize]| {
        scaled(name, count, case.stage, &case.image, defect, case.seed)
    };
    let test = scaled("test", case.tests, &[1, 3]);
    let channels = test[0].1[1];
    let parameter = |name: &str, shape: &[usize]| parameter(name, shape, case.seed);
    let head = Head {
        weights: parameter("head.weight", &[1, channels, 1, 1]),
        bias: parameter("head.bias", &[1])[0],
    };
    // One head for all scales.
    let mut learner = Learner::new(vec![head.clone()], vec![0; test.len()]);
    evaluate(&mut figures, "initial", &learner, &test, case.image[0])?;
    let all: Vec<usize> = (0..case.anomalies).collect();
    for step in 0..figures.steps() {
        let reference = usual(&format!("reference.{step}"), case.seed);
        figures.step(step, "reference_mean", [reference.mean])?;
        figures.step(step, "reference_std", [reference.deviation])?;
        let kinds = [
            scaled(&format!("normal.{step}"), case.normals, &[]),
            scaled(&format!("anomaly.{step}"), case.anomalies, &all),
        ];
        let images = kinds.iter().enumerate().flat_map(|(kind, scales)| {
            (0..scales[0].1[0]).map(move |image| Image {
                scales: scales.iter().map(|scale| features(scale, image)).collect(),
                anomalous: kind == 1,
            })
        });
        let done = learner.step(&images.collect::<Vec<_>>(), reference, case.lr);
        figures.step(step, "total", [done.loss])?;
        figures.step(step, "scores", done.scores)?;
        let Head { weights, bias } = &done.gradients[0];
        let square = weights.iter().map(|x| x * x).sum::<f64>();
        figures.step(step, "grad_norm", [(square + bias * bias).sqrt()])?;
        figures.step(step, "grad_norms/head.weight", [square.sqrt()])?;
        figures.step(step, "grad_norms/head.bias", [bias.abs()])?;
        if step == 0 {
            figures.tensor("gradient.head.weight", weights.iter().copied())?;
        }
    }
    let weights = learner.heads[0].weights.iter().zip(&head.weights);
    figures.tensor(
        "moved.head.weight",
        weights.map(|(now, before)| now - before),
    )?;
    evaluate(&mut figures, "trained", &learner, &test, case.image[0])?;
    figures.finish(&[])
}

/// Of one image: `[channels, positions]`.
fn features((values, shape): &Scale, image: usize) -> &[f32] {
    let length = shape[1..].iter().product::<usize>();
    &values[image * length..][..length]
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    learner: &Learner,
    test: &[Scale],
    size: usize,
) -> anyhow::Result<()> {
    let head = &learner.heads[0];
    let images = 0..test[0].1[0];
    let scores: Vec<Vec<Vec<f64>>> = images
        .map(|image| {
            test.iter()
                .map(|scale| head.scores(features(scale, image)))
                .collect()
        })
        .collect();
    for scale in 0..test.len() {
        let of_scale = scores.iter().flat_map(|image| image[scale].iter().copied());
        figures.tensor(&format!("{when}.position_scores.scale{scale}"), of_scale)?;
    }
    let image_scores = scores.iter().map(|image| image_score(image));
    figures.scalars(&format!("{when}.image_score"), image_scores)?;
    let [_, _, height, width] = test[0].1;
    let map = |image: &Vec<Vec<f64>>| {
        let sizes: Vec<f32> = image[0].iter().map(|score| score.abs() as f32).collect();
        let mut map = vec![0.0; size * size];
        upsample(
            &sizes,
            [height, width],
            &mut map,
            [size, size],
            Align::Edges,
        );
        map
    };
    figures.tensor(&format!("{when}.anomaly_map"), scores.iter().flat_map(map))
}
