//! Several detectors as one: members learn as they do alone, what is held out decides how much each counts, and a model comes back whole.
#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_detectors::{Anomalies, DetectorSettings, HeldOut, Inputs, Passes, Setup, Trainer};
use ckaad_parameters::NamedTensor;

struct Bench {
    device: Device,
    backbone: Backbone,
}

impl Bench {
    fn new() -> Self {
        let device = ckaad_device::cpu();
        let config = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3]).unwrap();
        Self {
            backbone: config.random(7, &device),
            device,
        }
    }

    fn setup(&self) -> Setup<'_> {
        Setup {
            steps: 8,
            backbone: &self.backbone,
            image_size: 64,
            seed: 5,
            device: &self.device,
        }
    }

    /// The features of images of noise around a mean, drawn by `seed`.
    fn inputs(&self, seed: u32, images: usize, mean: f32) -> Inputs {
        let shape = [images, 3, 64, 64];
        let mut state = seed.wrapping_mul(2_654_435_761) + 1;
        let mut value = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            mean + 4.0 * ((state >> 8) as f32 / (1 << 24) as f32 - 0.5)
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| value()).collect();
        let images = Tensor::from_data(TensorData::new(values, shape), &self.device);
        Inputs {
            masks: None,
            features: self.backbone.maps(images),
            images: None,
        }
    }
}

fn settings(text: &str) -> Result<DetectorSettings, toml::de::Error> {
    toml::from_str(&format!("name = 'fusion'\n{text}"))
}

struct Images(Vec<(Inputs, Vec<bool>)>);

impl HeldOut for Images {
    fn for_each(&self, visit: &mut dyn FnMut(&Inputs, &[bool])) {
        self.0
            .iter()
            .for_each(|(inputs, labels)| visit(inputs, labels));
    }
}

#[test]
fn members_are_names_or_tables_and_come_back_as_tables() {
    let named = settings("members = ['probe', 'recon']").unwrap();
    let needs = named.needs();
    assert_eq!(needs.passes, Passes::OnceThenEpochs);
    assert!(matches!(needs.anomalies, Anomalies::Required { .. }));
    let written = toml::to_string(&named).unwrap();
    assert!(written.contains("method = \"recon\""), "{written}");
    assert_eq!(toml::from_str::<DetectorSettings>(&written).unwrap(), named);
    let table = settings("members = ['padim', { name = 'patchcore', coreset = 0.5 }]").unwrap();
    assert_eq!(table.needs().passes, Passes::Once);
    assert_eq!(table.needs().anomalies, Anomalies::Ignored);
    let unknown = settings("members = ['probe', 'prob']")
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("prob"), "{unknown}");
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = Bench::new();
    for (members, expected) in [
        ("['probe']", "must be 2 to 6"),
        ("['probe', 'probe']", "probe is there twice"),
        ("['probe', 'fusion']", "no member of another"),
        (
            "['probe', { name = 'patchcore', coreset = 2.0 }]",
            "detector.coreset",
        ),
    ] {
        let settings = settings(&format!("members = {members}")).unwrap();
        let error = settings
            .check(bench.backbone.config(), 64)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The first pass is for members that see every image once, the others learn after it; a training goes on bit for bit.
#[test]
fn members_learn_in_their_own_passes() {
    let bench = Bench::new();
    let fusion = settings("members = ['gaussian', 'recon']").unwrap();
    let batches = [bench.inputs(1, 4, 0.0), bench.inputs(2, 4, 0.0)];
    let mut trainer = fusion.trainer(&bench.setup());
    let mut alone: Box<dyn Trainer> =
        toml::from_str::<DetectorSettings>("name = 'ckaad'\nmethod = 'recon'")
            .unwrap()
            .trainer(&bench.setup());
    for batch in &batches {
        assert_eq!(trainer.step(batch, None).names().count(), 0);
    }
    trainer.end_pass().unwrap();
    assert!(trainer.step(&batches[0], None).names().eq(["recon"]));
    alone.step(&batches[0], None);
    let mut restored = fusion.trainer(&bench.setup());
    restored.restore(trainer.save().unwrap()).unwrap();
    for trainer in [&mut trainer, &mut restored] {
        trainer.step(&batches[1], None);
    }
    alone.step(&batches[1], None);
    let [parameters, after, of_alone] =
        [&trainer, &restored, &alone].map(|trainer| trainer.detector().parameters());
    for (name, tensor) in parameters.iter() {
        assert_eq!(Some(tensor), after.get(name), "{name}");
    }
    for (name, tensor) in of_alone.iter() {
        assert_eq!(parameters.get(&format!("1.{name}")), Some(tensor), "{name}");
    }
}

/// Scores are on the scale of normal images that were held out, and a member that tells nothing is not in the model.
#[test]
fn held_out_images_decide_what_counts() {
    let bench = Bench::new();
    let fusion = settings("members = ['gaussian', 'padim']").unwrap();
    let mut trainer = fusion.trainer(&bench.setup());
    trainer.step(&bench.inputs(3, 24, 0.0), None);
    trainer.end_pass().unwrap();
    let mut detector = trainer.detector();
    let normal = bench.inputs(4, 12, 0.0);
    let held_out = [(normal.clone(), false), (bench.inputs(5, 12, 3.0), true)];
    detector.tune(&Images(
        held_out
            .map(|(inputs, label)| (inputs, vec![label; 12]))
            .to_vec(),
    ));
    let scores: Vec<f64> = detector
        .score(&normal)
        .iter()
        .map(|scored| scored.score)
        .collect();
    assert!(
        scores.iter().sum::<f64>().abs() < 1e-3 * scores.len() as f64,
        "{scores:?}"
    );
    let anomalous = detector.score(&bench.inputs(6, 4, 3.0));
    assert!(
        anomalous
            .iter()
            .all(|image| scores.iter().all(|score| image.score > *score)),
        "{:?}",
        anomalous
            .iter()
            .map(|image| image.score)
            .collect::<Vec<_>>()
    );
    assert!(anomalous[0].map.is_some());

    let loaded = fusion.load(&bench.setup(), detector.parameters()).unwrap();
    assert_eq!(loaded.score(&normal), detector.score(&normal));
    assert_eq!(loaded.map_range(), detector.map_range());
    let weights = detector.parameters().remove("weights").unwrap().values;
    assert_eq!(weights, [0.5, 0.5]);

    // A member that counts for nothing is not needed.
    let mut parameters = detector.parameters();
    assert!(!parameters.take_prefixed("0.").is_empty());
    assert!(fusion.load(&bench.setup(), parameters.clone()).is_err());
    for (name, values) in [("weights", [0.0, 1.0]), ("map_weights", [0.0, 1.0])] {
        let (shape, values) = (vec![2], values.to_vec());
        parameters.insert(name, NamedTensor { shape, values });
    }
    let alone = fusion.load(&bench.setup(), parameters).unwrap();
    assert!(
        alone
            .parameters()
            .names()
            .all(|name| !name.starts_with("0."))
    );
    assert!(
        alone
            .score(&normal)
            .iter()
            .all(|scored| scored.score.is_finite())
    );
}
