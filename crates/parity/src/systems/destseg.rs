use burn::module::Module;
use burn::tensor::Tensor;
use ckaad_detectors::destseg::{
    DestSegDetector, Encoder, Learner, NetworkConfig, SegmentLosses, Settings, Student, distance,
    distances_product, products, segment, shrunk, student_losses,
};
use ckaad_ops::Precision;
use ckaad_parameters::fill;
use serde::Deserialize;

use super::figures::Figures;
use super::images::{Images, Perlin};
use super::networks::{devices, gradients, gradients_in, norm, number, together, twin, values};
use crate::{Check, formula};
use ckaad_parameters::torch_name;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    width: usize,
    segmentation: Segmentation,
    batch: usize,
    tests: usize,
    student: Rates,
    segment: Rates,
    perlin: Perlin,
}

#[derive(Deserialize)]
struct Segmentation {
    width: usize,
}

#[derive(Deserialize)]
struct Rates {
    #[serde(default)]
    lr: f64,
    #[serde(default)]
    lr_res: f64,
    #[serde(default)]
    lr_head: f64,
    steps: usize,
}

/// What the biases of batch norms are above their formula, and what the weights of the last convolution are divided by.
const SHIFT: f32 = 1.0;
const LAST: f32 = 2.0;

/// A parameter's recorded name, within `part`.
fn name(part: &str, ours: &str) -> String {
    let ours = match ours {
        "out.weight" => "last.3.weight".to_owned(),
        "out.bias" => "last.3.bias".to_owned(),
        // A bare list of blocks there.
        _ => torch_name(ours)
            .replace("stages", "stage")
            .replace("skip", "short"),
    };
    format!("{part}.{ours}")
}

fn filled<M: Module>(module: M, part: &str, seed: u64) -> M {
    fill(module, |info| {
        let mut parameter = formula::parameter(&name(part, info.name), info.shape, seed);
        for value in &mut parameter.values {
            if info.name.ends_with("norm.bias") {
                *value += SHIFT;
            } else if info.name == "out.weight" {
                *value /= LAST;
            }
        }
        parameter.values
    })
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [_, learning] = devices();
    case.perlin.compare(&mut figures, case.seed)?;
    let widths: Vec<usize> = (0..4).map(|stage| case.width << stage).collect();
    let config = NetworkConfig {
        encoder: widths.clone(),
        teacher: widths[..3].to_vec(),
        segment_width: case.segmentation.width,
        precision: Precision::F32,
    };
    let teacher = filled(config.resnet(&widths[..3], &learning), "teacher", case.seed).valid();
    let (student, trunk, head) = config.zeros(&learning);
    let networks = (
        filled(student, "student", case.seed),
        filled(trunk, "segment.res", case.seed),
        filled(head, "segment.head", case.seed),
    );
    let settings = Settings {
        segment_width: case.segmentation.width,
        student_learning_rate: case.student.lr,
        trunk_learning_rate: case.segment.lr_res,
        head_learning_rate: case.segment.lr_head,
    };
    let images = Images {
        side: case.image,
        unit: false,
        seed: case.seed,
    };
    let test = images.of("test", case.tests, &[1, 3]);
    figures.tensor("test.images", values(test.clone()))?;
    for (stage, map) in teacher.forward(test.clone()).into_iter().enumerate() {
        figures.tensor(&format!("teacher.stage{}", stage + 1), values(map))?;
    }
    let mut learner = Learner::new(settings, networks);
    let all: Vec<usize> = (0..case.batch).collect();
    evaluate(&mut figures, "initial", &learner, &teacher, &test)?;
    for step in 0..case.student.steps {
        let batch = images.corrupted(step, case.batch, &all);
        let clean = teacher.forward(batch.clean);
        let twin = twin(config.zeros(&learning).0, learner.networks().0)?;
        let losses = student_losses(&clean, &twin.forward(batch.corrupted.clone()));
        let total = Tensor::cat(losses, 0).sum();
        let named = gradients(&twin, total, |ours| name("student", ours));
        if step == 0 {
            figures.tensor("step0.corrupted", values(batch.corrupted.clone()))?;
        }
        figures.step(step, "grad_norm", [norm(&named, "")])?;
        let tensors = (step == 0).then_some("gradient");
        figures.gradients_of(
            step,
            &named,
            &["student.encoder", "student.decoder"],
            tensors,
        )?;
        let losses = learner.teach(&clean, batch.corrupted);
        figures.step(
            step,
            "total",
            [number(Tensor::cat(losses.clone(), 0).sum())],
        )?;
        for (level, loss) in losses.into_iter().enumerate() {
            figures.step(step, &format!("level{}", level + 1), [number(loss)])?;
        }
    }
    let student = learner.networks().0.valid();
    figures.all_moved(&student, case.seed, |ours| name("student", ours))?;
    for step in case.student.steps..case.student.steps + case.segment.steps {
        let batch = images.corrupted(step, case.batch, &all);
        let seen = teacher.forward(batch.corrupted.clone());
        let (student, trunk, head) = learner.networks();
        let (_, empty_trunk, empty_head) = config.zeros(&learning);
        let (trunk, head) = (twin(empty_trunk, trunk)?, twin(empty_head, head)?);
        let product = products(&seen, &student.valid().forward(batch.corrupted.clone()));
        let [_, _, height, width] = product.dims();
        let found = segment(&trunk, &head, product);
        let masks = shrunk(batch.masks.clone(), [height, width]);
        let first = step == case.student.steps;
        if first {
            let covered = values(masks.clone()).into_iter().sum::<f32>() as usize;
            figures.indices("mask16.pixels", [covered])?;
            let name = format!("trained.step{step}.segmentation");
            figures.tensor(&name, values(found.clone().inner()))?;
        }
        let losses = SegmentLosses::new(found, masks);
        let mut backward = losses.total.backward();
        let parts = [
            gradients_in(&trunk, &mut backward, |ours| name("segment.res", ours)),
            gradients_in(&head, &mut backward, |ours| name("segment.head", ours)),
        ];
        let named = together(&parts);
        figures.step(step, "grad_norm", [norm(&named, "")])?;
        let tensors = first.then_some("trained.gradient");
        figures.gradients_of(step, &named, &["segment.res", "segment.head"], tensors)?;
        let done = learner.segment(&seen, batch.corrupted, batch.masks);
        for (path, loss) in [
            ("focal", done.focal),
            ("l1", done.l1),
            ("total", done.total),
        ] {
            figures.step(step, path, [number(loss)])?;
        }
    }
    let head = learner.networks().2.valid();
    figures.all_moved(&head, case.seed, |ours| name("segment.head", ours))?;
    evaluate(&mut figures, "trained", &learner, &teacher, &test)?;
    figures.finish(&["/phase"])
}

fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    learner: &Learner,
    teacher: &Encoder,
    test: &Tensor<4>,
) -> anyhow::Result<()> {
    let (student, trunk, head) = learner.networks();
    let student: Student = student.valid();
    let seen = teacher.forward(test.clone());
    let outputs = student.forward(test.clone());
    for (stage, (teacher, output)) in (1..).zip(seen.iter().zip(&outputs)) {
        let name = format!("{when}.student.stage{stage}");
        if figures.records(&name) {
            figures.tensor(&name, values(output.clone()))?;
        }
        let distance = distance(teacher, output);
        figures.tensor(&format!("{when}.distance.stage{stage}"), values(distance))?;
    }
    let name = format!("{when}.products");
    if figures.records(&name) {
        figures.tensor(&name, values(products(&seen, &outputs)))?;
    }
    let map = distances_product(&seen, &outputs);
    figures.tensor(&format!("{when}.student_map"), values(map.clone()))?;
    let size = test.dims()[3];
    let alone = DestSegDetector::new(student.clone(), None, size);
    let scores = alone.score_images(&seen, test.clone()).into_iter();
    figures.scalars(
        &format!("{when}.student_score"),
        scores.map(|image| image.score),
    )?;
    let detector = DestSegDetector::new(student, Some((trunk.valid(), head.valid())), size);
    figures.scored(when, &detector.score_images(&seen, test.clone()))
}
