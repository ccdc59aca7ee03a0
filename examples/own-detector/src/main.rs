//! A detector of one's own behind the contract that all others have: the distance of an image's mean features from the mean of normal images.
//!
//! `cargo run --release -p example-own-detector` draws its own *synthetic* pictures and uses random features.

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_data::{Source, SynthSize, list_images, load_image, normalise, synth_demo};
use ckaad_detectors::{
    Detector, DetectorError, Inputs, Losses, Pooling, Scored, State, Trainer, pooled,
};
use ckaad_parameters::{NamedTensor, NamedTensors};

const SIZE: usize = 64;

/// What has been learned.
#[derive(Clone)]
struct MeanDistance {
    mean: Vec<f32>,
}

impl Detector for MeanDistance {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let distance = |features: &Vec<f32>| {
            let pairs = features.iter().zip(&self.mean);
            pairs
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let scored = |features: &Vec<f32>| Scored {
            score: distance(features),
            map: None,
        };
        pooled(inputs, &[Pooling::Mean])
            .iter()
            .map(scored)
            .collect()
    }

    fn parameters(&self) -> NamedTensors {
        let tensor = NamedTensor {
            shape: vec![self.mean.len()],
            values: self.mean.clone(),
        };
        [("mean".to_owned(), tensor)].into_iter().collect()
    }

    fn map_range(&self) -> [f32; 2] {
        // It makes no maps.
        [0.0, 1.0]
    }
}

/// Sums features until all images have been seen.
#[derive(Default)]
struct MeanTrainer {
    sum: Vec<f64>,
    images: usize,
}

impl Trainer for MeanTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        for features in pooled(normal, &[Pooling::Mean]) {
            self.sum.resize(features.len(), 0.0);
            for (sum, value) in self.sum.iter_mut().zip(features) {
                *sum += f64::from(value);
            }
            self.images += 1;
        }
        Losses::default()
    }

    fn detector(&self) -> Box<dyn Detector> {
        let mean = self.sum.iter().map(|sum| (sum / self.images as f64) as f32);
        Box::new(MeanDistance {
            mean: mean.collect(),
        })
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        let numbers = [self.sum.as_slice(), &[self.images as f64]].concat();
        state.0.insert(
            "sums".to_owned(),
            numbers.into_iter().flat_map(f64::to_le_bytes).collect(),
        );
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let bytes = state.0.remove("sums").unwrap_or_default();
        let (numbers, _) = bytes.as_chunks();
        self.sum = numbers.iter().copied().map(f64::from_le_bytes).collect();
        self.images = self.sum.pop().unwrap_or_default() as usize;
        Ok(())
    }
}

/// The frozen features of the pictures in a folder.
fn features(
    folder: &std::path::Path,
    backbone: &Backbone,
    device: &Device,
) -> anyhow::Result<Inputs> {
    let mut values = Vec::new();
    for path in list_images(&[folder.to_owned()], &[])?.images {
        let first = values.len();
        values.resize(first + 3 * SIZE * SIZE, 0.0);
        normalise(
            &load_image(&Source::File(path), SIZE)?,
            &mut values[first..],
        );
    }
    let shape = [values.len() / (3 * SIZE * SIZE), 3, SIZE, SIZE];
    let images = Tensor::from_data(TensorData::new(values, shape), device);
    Ok(Inputs {
        masks: None,
        features: backbone.maps(images),
        images: None,
    })
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let size = SynthSize {
        side: 64,
        train_normal: 40,
        train_anomalous: 0,
        test_normal: 20,
        test_anomalous: 20,
    };
    synth_demo(folder.path(), 7, size)?;
    let root = folder.path().join("weave");
    let device = ckaad_device::cpu();
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3])?.random(1, &device);

    let mut trainer = MeanTrainer::default();
    trainer.step(
        &features(&root.join("train/good"), &backbone, &device)?,
        None,
    );
    trainer.end_pass()?;
    let detector = trainer.detector();

    let (mut scores, mut anomalous) = (Vec::new(), Vec::new());
    for class in std::fs::read_dir(root.join("test"))? {
        let class = class?.path();
        for scored in detector.score(&features(&class, &backbone, &device)?) {
            scores.push(scored.score);
            anomalous.push(!class.ends_with("good"));
        }
    }
    println!(
        "AUROC on {} synthetic pictures: {:.3}",
        scores.len(),
        ckaad_metrics::auroc(&scores, &anomalous)?
    );
    Ok(())
}

#[test]
fn it_runs() -> anyhow::Result<()> {
    main()
}
