//! What the systems that see every image once have in common: a training goes on bit for bit, a model comes back from its parameters, and what is
//! unlike normal images scores higher, where it is.
#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_detectors::{Detector, DetectorSettings, Inputs, Passes, Setup, Trainer};
use ckaad_ops::FeatureMap;

const IMAGE_SIZE: usize = 64;
/// Rows and columns of the finest scale where anomalous images are brighter.
const DEFECT: std::ops::Range<usize> = 4..6;

struct Bench {
    device: Device,
    backbone: Backbone,
    settings: DetectorSettings,
}

impl Bench {
    /// Every system that sees the images once; tests/distilled.rs has those that learn in epochs.
    fn all() -> Vec<Self> {
        let device = ckaad_device::cpu();
        let config = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3]).unwrap();
        let backbone = config.random(7, &device);
        let bench = |name: &&str| {
            // Less than its own number of steps will do.
            let short = ["", "rounds = 1\nlearning_rate = 1e-2"][usize::from(*name == "dra")];
            let settings: DetectorSettings =
                toml::from_str(&format!("name = '{name}'\n{short}")).unwrap();
            settings.check(backbone.config(), IMAGE_SIZE).unwrap();
            Self {
                device: device.clone(),
                backbone: backbone.clone(),
                settings,
            }
        };
        let all = DetectorSettings::NAMES.iter().map(bench);
        all.filter(|bench| bench.settings.needs().passes == Passes::Once)
            .collect()
    }

    fn setup(&self) -> Setup<'_> {
        Setup {
            steps: 8,
            backbone: &self.backbone,
            image_size: IMAGE_SIZE,
            seed: 5,
            device: &self.device,
        }
    }

    fn trainer(&self) -> Box<dyn Trainer> {
        self.settings.trainer(&self.setup())
    }

    /// Features of `images` images in `[0, 1)`, drawn by `seed`, plus `excess` within the defect.
    fn inputs(&self, seed: u32, images: usize, excess: f32) -> Inputs {
        let mut state = seed.wrapping_mul(2_654_435_761) + 1;
        let mut maps = |channels: usize, side: usize| {
            let shape = [images, channels, side, side];
            let defect = DEFECT.start * side / 8..DEFECT.end * side / 8;
            let value = |index: usize| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (state >> 8) as f32 / (1 << 24) as f32;
                let (y, x) = (index / side % side, index % side);
                let inside = defect.contains(&y) && defect.contains(&x);
                noise + if inside { excess } else { 0.0 }
            };
            let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
            Tensor::from_data(TensorData::new(values, shape), &self.device)
        };
        Inputs {
            masks: None,
            features: [(128, 8), (256, 4)]
                .map(|(channels, side)| FeatureMap::plain(maps(channels, side)))
                .to_vec(),
            images: (self.settings.needs().images).then(|| maps(3, IMAGE_SIZE)),
        }
    }

    fn step(&self, trainer: &mut dyn Trainer, number: u32) {
        let normal = self.inputs(number, 16, 0.0);
        trainer.step(&normal, Some(&self.inputs(100 + number, 6, 0.5)));
    }

    /// What was learned in three steps.
    fn trained(&self) -> Box<dyn Detector> {
        let mut trainer = self.trainer();
        for number in 0..3 {
            self.step(&mut *trainer, number);
        }
        trainer.end_pass().unwrap();
        trainer.detector()
    }
}

#[test]
fn going_on_is_bit_for_bit_the_same() {
    for bench in Bench::all() {
        let name = bench.settings.name();
        let mut first = bench.trainer();
        bench.step(&mut *first, 0);
        bench.step(&mut *first, 1);
        let state = first.save().unwrap();
        let mut second = bench.trainer();
        second.restore(state.clone()).unwrap();
        assert!(second.save().unwrap() == state, "{name}");
        bench.step(&mut *second, 2);
        second.end_pass().unwrap();
        let whole = bench.trained().parameters();
        assert!(second.detector().parameters() == whole, "{name}");

        // And from the end of the pass.
        let state = second.save().unwrap();
        let mut third = bench.trainer();
        third.restore(state.clone()).unwrap();
        assert!(third.save().unwrap() == state, "{name}");
        assert!(third.detector().parameters() == whole, "{name}");
    }
}

#[test]
fn a_state_of_another_length_is_refused() {
    for bench in Bench::all() {
        let mut trainer = bench.trainer();
        bench.step(&mut *trainer, 0);
        let state = trainer.save().unwrap();
        for part in state.0.keys() {
            let mut cut = state.clone();
            cut.0.get_mut(part).unwrap().pop();
            let name = bench.settings.name();
            assert!(bench.trainer().restore(cut).is_err(), "{name}: {part}");
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
        let trained = bench.trained();
        let parameters = trained.parameters();
        let loaded = bench
            .settings
            .load(&bench.setup(), parameters.clone())
            .unwrap();
        assert!(loaded.parameters() == parameters, "{name}");
        let images = bench.inputs(50, 3, 0.2);
        assert!(loaded.score(&images) == trained.score(&images), "{name}");
        for parameter in parameters.names() {
            let mut without = parameters.clone();
            without.remove(parameter);
            let loaded = bench.settings.load(&bench.setup(), without);
            assert!(loaded.is_err(), "{name} without {parameter}");
        }
    }
}

#[test]
fn what_is_unlike_normal_images_scores_higher_where_it_is() {
    for bench in Bench::all() {
        let name = bench.settings.name();
        let detector = bench.trained();
        let normal = detector.score(&bench.inputs(60, 4, 0.0));
        let anomalous = detector.score(&bench.inputs(61, 4, 0.5));
        for (normal, anomalous) in normal.iter().zip(&anomalous) {
            assert!(normal.score < anomalous.score, "{name}");
            let Some(map) = anomalous.map.as_ref() else {
                assert!(["deep-sad", "prenet"].contains(&name), "{name}");
                continue;
            };
            assert_eq!((map.height, map.width), (IMAGE_SIZE, IMAGE_SIZE), "{name}");
            let all = map.values.iter().enumerate();
            let (peak, _) = all.max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            let inside = 8 * DEFECT.start..8 * DEFECT.end;
            let at = [peak / map.width, peak % map.width];
            assert!(
                at.iter().all(|side| inside.contains(side)),
                "{name}: {at:?}"
            );
        }
    }
}

#[test]
fn without_images_there_is_nothing_to_learn() {
    for bench in Bench::all() {
        let name = bench.settings.name();
        assert!(bench.trainer().end_pass().is_err(), "{name}");
    }
}
