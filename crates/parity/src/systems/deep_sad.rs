use ckaad_detectors::Pooling;
use ckaad_detectors::deep_sad::{Encoder, Label, Learner};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Maps, parameter};
use crate::Check;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    widths: Vec<usize>,
    labels: Vec<i8>,
    eta: f64,
    lr: f64,
}

/// Images that the centre is the mean of, and test images.
const CENTRE: usize = 16;
const TESTS: usize = 4;

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let device = ckaad_device::cpu();
    let pooled = |name: &str, count: usize, defect: &[usize]| -> Vec<f64> {
        let maps = Maps {
            name,
            base: "base",
            count,
            stages: &case.stages,
            image: case.image,
            defect,
            seed: case.seed,
        };
        let pooled = ckaad_detectors::pooled(&maps.inputs(&device), &[Pooling::Mean]);
        pooled.into_iter().flatten().map(f64::from).collect()
    };
    let parameter = |name: &str, shape: &[usize]| parameter(name, shape, case.seed);
    let layers = case.widths.windows(2).enumerate();
    let encoder = Encoder {
        weights: layers
            .map(|(layer, pair)| {
                parameter(
                    &format!("encoder.linear.{layer}.weight"),
                    &[pair[1], pair[0]],
                )
            })
            .collect(),
        statistics: (0..case.widths.len() - 2)
            .map(|layer| {
                ["running_mean", "running_var"].map(|statistic| {
                    let name = format!("encoder.norm.{layer}.{statistic}");
                    parameter(&name, &[case.widths[layer + 1]])
                })
            })
            .collect(),
        widths: case.widths.clone(),
    };
    let points = encoder.forward(&pooled("centre", CENTRE, &[]));
    let width = points.len() / CENTRE;
    let mean = (0..width).map(|index| {
        let column = points[index..].iter().step_by(width);
        column.sum::<f64>() / CENTRE as f64
    });
    let mean: Vec<f64> = mean.collect();
    figures.tensor("centre.mean", mean.iter().copied())?;
    let mut learner = Learner::new(encoder, &pooled("centre", CENTRE, &[]), case.eta);
    figures.tensor("centre", learner.centre.iter().copied())?;
    let moved = mean
        .iter()
        .filter(|component| component.abs() < 0.1)
        .count();
    figures.scalars("centre.moved_components", [moved as f64])?;

    let test = pooled("test", TESTS, &[1, 3]);
    figures.tensor("test.pooled", test.iter().copied())?;
    evaluate(&mut figures, "initial", &learner, &test)?;
    let known = |label: &i8| match label {
        0 => Label::Unlabelled,
        1 => Label::Normal,
        _ => Label::Anomalous,
    };
    let labels: Vec<Label> = case.labels.iter().map(known).collect();
    let anomalous = labels
        .iter()
        .filter(|label| **label == Label::Anomalous)
        .count();
    let start = learner.encoder.weights[0].clone();
    for step in 0..figures.steps() {
        let normal = pooled(&format!("normal.{step}"), labels.len() - anomalous, &[]);
        let all: Vec<usize> = (0..anomalous).collect();
        let batch = [normal, pooled(&format!("anomaly.{step}"), anomalous, &all)].concat();
        let done = learner.step(&batch, &labels, case.lr);
        let mean_of = |label: Option<Label>| {
            let of = done.losses.iter().zip(&labels);
            let of = of.filter(|(_, found)| label.is_none_or(|label| label == **found));
            of.map(|(loss, _)| loss).sum::<f64>() / labels.len() as f64
        };
        figures.step(step, "total", [mean_of(None)])?;
        for (name, label) in [
            ("unlabelled", Label::Unlabelled),
            ("normal", Label::Normal),
            ("anomalous", Label::Anomalous),
        ] {
            figures.step(step, &format!("per_label/{name}"), [mean_of(Some(label))])?;
        }
        let square = |gradient: &Vec<f64>| -> f64 { gradient.iter().map(|x| x.powi(2)).sum() };
        let squares: Vec<f64> = done.gradients.iter().map(square).collect();
        figures.step(step, "grad_norm", [squares.iter().sum::<f64>().sqrt()])?;
        for (layer, square) in squares.iter().enumerate() {
            figures.step(
                step,
                &format!("grad_norms/encoder.linear.{layer}"),
                [square.sqrt()],
            )?;
        }
        if step == 0 {
            let name = "gradient.encoder.linear.0.weight";
            figures.tensor(name, done.gradients[0].iter().copied())?;
        }
    }
    let weights = learner.encoder.weights[0].iter().zip(&start);
    figures.tensor(
        "moved.encoder.linear.0.weight",
        weights.map(|(now, before)| now - before),
    )?;
    let [_, variance] = &learner.encoder.statistics[0];
    figures.tensor(
        "trained.encoder.norm.0.running_var",
        variance.iter().copied(),
    )?;
    evaluate(&mut figures, "trained", &learner, &test)?;
    figures.finish(&["smallest_gap"])
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    learner: &Learner,
    test: &[f64],
) -> anyhow::Result<()> {
    let points = learner.encoder.forward(test);
    figures.tensor(&format!("{when}.output"), points.iter().copied())?;
    let distance = |point: &[f64]| -> f64 {
        let both = point.iter().zip(&learner.centre);
        both.map(|(x, centre)| (x - centre).powi(2)).sum()
    };
    let scores = points.chunks_exact(learner.centre.len()).map(distance);
    figures.scalars(&format!("{when}.image_score"), scores)
}
