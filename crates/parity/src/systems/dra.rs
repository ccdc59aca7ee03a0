use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use ckaad_anomaly_map::{Align, upsample};
use ckaad_detectors::dra::{Heads, Label, Learner, Scores, position_scores};
use ckaad_ops::Precision;
use ckaad_parameters::{collect, fill};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Scale, scaled, usual};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: Vec<usize>,
    stage: usize,
    references: usize,
    batch: Batch,
    tests: usize,
    lr: f64,
}

#[derive(Deserialize)]
struct Batch {
    normal: usize,
    anomalous: usize,
    pseudo: usize,
}

const HEADS: [&str; 4] = ["holistic", "seen", "pseudo", "residual"];

/// The recorded name of a parameter of [`Heads`].
fn recorded(name: &str) -> String {
    let (layer, parameter) = name.rsplit_once('.').unwrap_or(("", name));
    let layer = match layer {
        "hidden" => "holistic.0",
        "holistic" => "holistic.2",
        "residual" => "residual.conv",
        "norm" => "residual.norm",
        "score" => "residual.score",
        other => other,
    };
    format!("heads.{layer}.{parameter}")
}

fn tensors(scales: Vec<Scale>, device: &Device) -> Vec<Tensor<4>> {
    let tensor = |(values, shape)| Tensor::from_data(TensorData::new(values, shape), device);
    scales.into_iter().map(tensor).collect()
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let device = ckaad_device::cpu();
    let scaled = |name: &str, count: usize, defect: &[usize]| {
        let scales = scaled(name, count, case.stage, &case.image, defect, case.seed);
        tensors(scales, &device)
    };
    let mean = |name: &str| -> Vec<Tensor<4>> {
        let references = scaled(name, case.references, &[]).into_iter();
        references.map(|scale| scale.mean_dim(0)).collect()
    };
    let test = Test {
        features: scaled("test", case.tests, &[1, 3]),
        references: mean("reference.test"),
        size: case.image[0],
    };
    let channels = test.features[0].dims()[1];
    let heads = Heads::zeros(channels, Precision::F32, &device.clone().autodiff());
    let heads = fill(heads, |info| {
        formula::parameter(&recorded(info.name), info.shape, case.seed).values
    });
    let before = collect(&heads);
    // One set of heads for all scales.
    let head_of = vec![0; case.image.len()];
    let mut learner = Learner::new(vec![heads], head_of);
    test.evaluate(&mut figures, "initial", &learner.heads)?;
    let all: Vec<usize> = (0..case.batch.pseudo.max(case.batch.anomalous)).collect();
    for step in 0..figures.steps() {
        let Batch {
            normal,
            anomalous,
            pseudo,
        } = case.batch;
        let kinds = [
            (
                Label::Normal,
                scaled(&format!("normal.{step}"), normal, &[]),
            ),
            (
                Label::Anomalous,
                scaled(&format!("anomaly.{step}"), anomalous, &all[..anomalous]),
            ),
            (
                Label::Pseudo,
                scaled(&format!("pseudo.{step}"), pseudo, &all[..pseudo]),
            ),
        ];
        let features = (0..case.image.len()).map(|scale| {
            let parts = kinds.iter().map(|(_, scales)| scales[scale].clone());
            Tensor::cat(parts.collect(), 0)
        });
        let labels = kinds
            .iter()
            .flat_map(|(label, scales)| vec![*label; scales[0].dims()[0]]);
        let usual = HEADS.map(|head| usual(&format!("reference.{step}.{head}"), case.seed));
        let done = learner.look(
            &features.collect::<Vec<_>>(),
            &mean(&format!("reference.{step}")),
            &labels.collect::<Vec<_>>(),
            &usual,
        );
        for (head, (loss, scores)) in HEADS.iter().zip(done.losses.iter().zip(done.scores)) {
            figures.step(step, head, [*loss])?;
            figures.step(step, &format!("scores/{head}"), scores)?;
        }
        figures.step(step, "total", [done.losses.iter().sum::<f64>()])?;
        compare_gradients(&mut figures, step, &learner.heads[0], &done.gradients)?;
        learner.update(done.gradients, case.lr);
    }
    let after = collect(&learner.heads[0].valid());
    for name in ["residual.weight", "residual.bias"] {
        let values = |tensors: &ckaad_parameters::NamedTensors| {
            let tensor = tensors.get(name);
            tensor.map_or(Vec::new(), |tensor| tensor.values.clone())
        };
        let (now, before) = (values(&after), values(&before));
        let moved = now.iter().zip(&before).map(|(now, before)| now - before);
        figures.tensor(&format!("moved.{}", recorded(name)), moved)?;
    }
    let running = after.get("norm.running_mean");
    let running = running.map_or(Vec::new(), |tensor| tensor.values.clone());
    figures.tensor("trained.heads.residual.norm.running_mean", running)?;
    test.evaluate(&mut figures, "trained", &learner.heads)?;
    figures.finish(&[])
}

/// Norms by head, and two gradients of the first step.
fn compare_gradients(
    figures: &mut Figures<'_>,
    step: usize,
    heads: &Heads,
    gradients: &GradientsParams,
) -> anyhow::Result<()> {
    let values = |tensor: Option<Tensor<1>>| -> Vec<f64> {
        let data = tensor.map(Tensor::into_data);
        data.map_or(Vec::new(), |data| data.iter::<f64>().collect())
    };
    let weight = |layer: &Conv2d| {
        let gradient = gradients.get::<4>(layer.weight.id);
        values(gradient.map(|gradient| gradient.flatten(0, 3)))
    };
    let vector = |id| values(gradients.get::<1>(id));
    let layer = |layer: &Conv2d| {
        let bias = layer.bias.as_ref().map(|bias| vector(bias.id));
        [weight(layer), bias.unwrap_or_default()].concat()
    };
    let norm = [&heads.norm.gamma, &heads.norm.beta].map(|parameter| vector(parameter.id));
    let groups = [
        [layer(&heads.hidden), layer(&heads.holistic)].concat(),
        layer(&heads.seen),
        layer(&heads.pseudo),
        [layer(&heads.residual), norm.concat(), layer(&heads.score)].concat(),
    ];
    let squares = groups.map(|group| group.iter().map(|x| x * x).sum::<f64>());
    for (head, square) in HEADS.iter().zip(squares) {
        figures.step(step, &format!("grad_norms/heads.{head}"), [square.sqrt()])?;
    }
    figures.step(step, "grad_norm", [squares.iter().sum::<f64>().sqrt()])?;
    if step == 0 {
        figures.tensor(
            "gradient.heads.residual.conv.weight",
            weight(&heads.residual),
        )?;
        figures.tensor("gradient.heads.holistic.0.weight", weight(&heads.hidden))?;
    }
    Ok(())
}

/// What the heads are evaluated on.
struct Test {
    features: Vec<Tensor<4>>,
    references: Vec<Tensor<4>>,
    /// Side of maps.
    size: usize,
}

impl Test {
    fn evaluate(
        &self,
        figures: &mut Figures<'_>,
        when: &str,
        heads: &Vec<Heads>,
    ) -> anyhow::Result<()> {
        let head_of = vec![0; self.features.len()];
        let heads = heads.valid();
        let scores = Scores::of(&position_scores(
            &heads,
            &head_of,
            &self.features,
            &self.references,
        ));
        let [images, _, height, width] = self.features[0].dims();
        for (head, name) in HEADS.iter().enumerate() {
            let of_head = (0..images).map(|image| scores.head(image, head));
            figures.scalars(&format!("{when}.{name}"), of_head)?;
        }
        let image_scores = (0..images).map(|image| scores.image(image));
        figures.scalars(&format!("{when}.image_score"), image_scores)?;
        let positions = &scores.0[0];
        for (head, name) in HEADS.iter().enumerate().skip(1) {
            let name = format!("{when}.position_scores.{name}");
            figures.tensor(&name, positions[head].concat())?;
        }
        let mut maps = Vec::new();
        for image in 0..images {
            let sizes = (0..height * width).map(|at| {
                let of_heads = positions[1..].iter().map(|head| head[image][at].abs());
                of_heads.sum::<f64>() as f32
            });
            let mut map = vec![0.0; self.size * self.size];
            upsample(
                &sizes.collect::<Vec<_>>(),
                [height, width],
                &mut map,
                [self.size, self.size],
                Align::Edges,
            );
            maps.extend(map);
        }
        figures.tensor(&format!("{when}.anomaly_map"), maps)
    }
}
