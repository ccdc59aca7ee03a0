//! What systems that learn from normal images in epochs have in common: a training goes on bit for bit, a model comes back from its
//! parameters, and what is unlike normal images scores higher, where it is.
#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_detectors::{Anomalies, DetectorSettings, Inputs, Losses, Passes, Setup, Trainer};

const IMAGE_SIZE: usize = 64;
/// Rows and columns where anomalous images are brighter.
const DEFECT: std::ops::Range<usize> = 20..44;
/// Steps before the last one.
const STEPS: u32 = 3;

/// Every system, with what keeps a test short, and the steps after which it knows anomalies.
const SYSTEMS: [(&str, u32); 12] = [
    ("name = 'rd4ad'", 12),
    ("name = 'rd++'", 12),
    ("name = 'recontrast'", 12),
    ("name = 'fastflow'\nsteps = 4", 12),
    ("name = 'differnet'\nhidden = 32\ntest_views = 4", 12),
    (
        "name = 'draem'\nrebuild_width = 8\nsegment_width = 8\nlearning_rate = 3e-3",
        80,
    ),
    ("name = 'destseg'\nsegment_width = 16", 60),
    ("name = 'ganomaly'\nwidth = 8\nlatent = 16", 12),
    ("name = 'ae-flow'\nsteps = 4", 12),
    (
        "name = 'aa-bigan'\nwidth = 8\nhidden = 64\nlatent_layer = 64\nlearning_rate = 1e-3",
        40,
    ),
    (
        "name = 'dmad'\noffset_width = 8\nreduced = 16\ncodes = 20",
        12,
    ),
    ("name = 'd3ad'\nlearning_rate = 1e-3", 24),
];

/// Those that say nothing of where an image is anomalous.
const WITHOUT_MAP: [&str; 2] = ["differnet", "ganomaly"];

/// Those whose maps are highest beside the defect after so few steps. tests/pixel_systems.rs compares their maps with masks after more.
const ELSEWHERE: [&str; 1] = ["dmad"];

/// How many pixels beside the defect a map may be highest: the latent maps of d3ad have a quarter of the images' side.
fn margin(name: &str) -> usize {
    if name == "d3ad" { 4 } else { 0 }
}

/// Whether that value of a plane lies where anomalous images are brighter.
fn is_defect(index: usize) -> bool {
    let (y, x) = (index / IMAGE_SIZE % IMAGE_SIZE, index % IMAGE_SIZE);
    DEFECT.contains(&y) && DEFECT.contains(&x)
}

struct Bench {
    device: Device,
    backbone: Backbone,
    settings: DetectorSettings,
    steps: u32,
}

impl Bench {
    fn all() -> impl Iterator<Item = Self> {
        let device = ckaad_device::cpu();
        let config = BackboneConfig::new(ResNetVariant::ResNet18, &[1, 2]).unwrap();
        let backbone = config.random(7, &device);
        SYSTEMS.iter().map(move |&(settings, steps)| {
            let settings: DetectorSettings = toml::from_str(settings).unwrap();
            settings.check(backbone.config(), IMAGE_SIZE).unwrap();
            assert_ne!(settings.needs().passes, Passes::Once);
            Self {
                device: device.clone(),
                backbone: backbone.clone(),
                settings,
                steps,
            }
        })
    }

    fn setup(&self) -> Setup<'_> {
        Setup {
            steps: u64::from(self.steps),
            backbone: &self.backbone,
            image_size: IMAGE_SIZE,
            seed: 5,
            device: &self.device,
        }
    }

    fn trainer(&self) -> Box<dyn Trainer> {
        self.settings.trainer(&self.setup())
    }

    /// Images of stripes and noise, drawn by `seed`; `excess` is added to every other pixel within the defect.
    fn inputs(&self, seed: u32, images: usize, excess: f32) -> Inputs {
        let mut state = seed.wrapping_mul(2_654_435_761) + 1;
        let shape = [images, 3, IMAGE_SIZE, IMAGE_SIZE];
        let value = |index: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / (1 << 24) as f32;
            let (y, x) = (index / IMAGE_SIZE % IMAGE_SIZE, index % IMAGE_SIZE);
            let excess = if is_defect(index) && (x + y) % 2 == 0 {
                excess
            } else {
                0.0
            };
            (x as f32 / 3.0).sin() + 0.2 * noise + excess
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        let images = Tensor::from_data(TensorData::new(values, shape), &self.device);
        Inputs {
            masks: None,
            features: self.backbone.maps(images.clone()),
            images: self.settings.needs().images.then_some(images),
        }
    }

    /// A step on images of that number, with drawn anomalies where the system asks for them.
    fn step(&self, trainer: &mut dyn Trainer, number: u32) -> Losses {
        let normal = self.inputs(number, 4, 0.0);
        if !matches!(self.settings.needs().anomalies, Anomalies::Drawn { .. }) {
            return trainer.step(&normal, None);
        }
        let mask = |index: usize| if is_defect(index) { 1.0 } else { 0.0 };
        let shape = [4, 1, IMAGE_SIZE, IMAGE_SIZE];
        let mask: Vec<f32> = (0..shape.iter().product()).map(mask).collect();
        let drawn = Inputs {
            masks: Some(Tensor::from_data(
                TensorData::new(mask, shape),
                &self.device,
            )),
            ..self.inputs(number, 4, 1.5)
        };
        trainer.step(&normal, Some(&drawn))
    }

    /// Steps on images of those numbers.
    fn steps(&self, trainer: &mut dyn Trainer, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.step(trainer, number);
        }
    }
}

#[test]
fn going_on_is_bit_for_bit_the_same() {
    for bench in Bench::all() {
        let name = bench.settings.name();
        let mut first = bench.trainer();
        bench.steps(&mut *first, 0..STEPS);
        let state = first.save().unwrap();
        let mut second = bench.trainer();
        second.restore(state.clone()).unwrap();
        for trainer in [&mut first, &mut second] {
            bench.steps(&mut **trainer, STEPS..STEPS + 2);
            trainer.end_pass().unwrap();
        }
        let parameters = first.detector().parameters();
        assert!(second.detector().parameters() == parameters, "{name}");
        for part in state.0.keys() {
            let mut without = state.clone();
            without.0.remove(part);
            assert!(bench.trainer().restore(without).is_err(), "{name}: {part}");
        }
    }
}

#[test]
fn a_model_comes_back_from_its_parameters() {
    for bench in Bench::all() {
        let name = bench.settings.name();
        let mut trainer = bench.trainer();
        bench.steps(&mut *trainer, 0..1);
        let trained = trainer.detector();
        let parameters = trained.parameters();
        let load = |parameters| bench.settings.load(&bench.setup(), parameters);
        let loaded = load(parameters.clone()).unwrap();
        assert!(loaded.parameters() == parameters, "{name}");
        let images = bench.inputs(50, 3, 0.2);
        assert!(loaded.score(&images) == trained.score(&images), "{name}");
        for parameter in parameters.names().step_by(7) {
            let mut without = parameters.clone();
            without.remove(parameter);
            assert!(load(without).is_err(), "{name} without {parameter}");
        }
    }
}

#[test]
fn what_is_unlike_normal_images_scores_higher_where_it_is() {
    let mut wrong = Vec::new();
    for bench in Bench::all() {
        let name = bench.settings.name();
        let mut trainer = bench.trainer();
        bench.steps(&mut *trainer, 0..bench.steps);
        let detector = trainer.detector();
        let normal = detector.score(&bench.inputs(60, 3, 0.0));
        let anomalous = detector.score(&bench.inputs(61, 3, 2.0));
        for (normal, anomalous) in normal.iter().zip(&anomalous) {
            let [less, more] = [normal.score, anomalous.score];
            if less >= more {
                wrong.push(format!("{name}: {less} and {more}"));
            }
            let Some(map) = anomalous.map.as_ref() else {
                assert!(WITHOUT_MAP.contains(&name), "{name}");
                continue;
            };
            assert_eq!((map.height, map.width), (IMAGE_SIZE, IMAGE_SIZE), "{name}");
            let all = map.values.iter().enumerate();
            let (peak, _) = all.max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            let at = [peak / map.width, peak % map.width];
            if ELSEWHERE.contains(&name) {
                continue;
            }
            let margin = margin(name);
            let near = DEFECT.start - margin..DEFECT.end + margin;
            if !at.iter().all(|side| near.contains(side)) {
                wrong.push(format!("{name}: {at:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
