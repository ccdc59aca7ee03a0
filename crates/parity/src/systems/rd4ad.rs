use burn::module::Module;
use ckaad_anomaly_map::ImageScore;
use ckaad_auto_encoder::{AutoEncoder, Norm};
use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_detectors::Detector;
use ckaad_detectors::ckaad::{CkaadDetector, Learner, Method, Settings, auto_encoder_config};
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
    lr: f64,
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let [device, learning] = devices();
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &case.stages)?;
    let config = auto_encoder_config(&backbone, Norm::Batch);
    let name = |ours: &str| format!("student.{}", torch_name(ours));
    let settings = Settings {
        method: Method::Recon,
        norm: Norm::Batch,
        learning_rate: case.lr,
        ..Settings::default()
    };
    let student = filled(config.zeros(&learning), case.seed, name);
    let mut learner = Learner::new(settings, student, None);
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
    let evaluate = |figures: &mut Figures<'_>, when: &str, student: &AutoEncoder| {
        let outputs = student.valid().forward(&features);
        if when == "initial" {
            let latent = student.valid().encode(&features);
            figures.tensor("initial.latent", values(latent))?;
            for (index, output) in outputs.iter().enumerate() {
                figures.tensor(&format!("initial.output.{index}"), values(output.clone()))?;
            }
        }
        figures.distances(when, &features, &outputs)?;
        let detector = CkaadDetector::new(student, ImageScore::Max, &backbone, case.image);
        figures.scored(when, &detector.score(&test))
    };
    evaluate(&mut figures, "initial", &learner.auto_encoder)?;
    for step in 0..figures.steps() {
        let normal = tensors(&inputs(&format!("normal.{step}"), case.batch, &[]));
        let student = twin(config.zeros(&learning), &learner.auto_encoder)?;
        let outputs = student.forward(&normal);
        for (level, (normal, output)) in normal.iter().zip(&outputs).enumerate() {
            let of_level = ckaad_losses::reconstruction(
                std::slice::from_ref(normal),
                std::slice::from_ref(output),
            );
            figures.step(step, &format!("level{level}"), [number(of_level.inner())])?;
        }
        let total = ckaad_losses::reconstruction(&normal, &outputs);
        figures.gradients(step, &gradients(&student, total, name))?;
        let done = learner.step(&normal, None);
        figures.step(step, "total", [number(done.total)])?;
    }
    let trained = collect(&learner.auto_encoder.valid());
    for (ours, tensor) in trained.iter() {
        let name = name(ours);
        if figures.records(&format!("moved.{name}")) {
            figures.moved(&name, &tensor.values, case.seed)?;
        }
        if figures.records(&format!("trained.{name}")) {
            let values = tensor.values.iter().copied();
            figures.tensor(&format!("trained.{name}"), values)?;
        }
    }
    evaluate(&mut figures, "trained", &learner.auto_encoder)?;
    figures.finish(&[])
}
