//! Our side of the networks of `cargo xtask perf speed`: answers every line of its input with a line.
//!
//!     load SIZE DEVICE PRECISION   ResNet-18, stages 2 and 3, random weights, images of SIZE pixels
//!     run infer-N                  scores N images                     -> SECONDS SCORE
//!     run step-N                   one training step on N + N images   -> SECONDS LOSS
//!     peak                         -> peak memory of the process in MiB, without that of a GPU

use std::io::BufRead;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_detectors::{Detector, DetectorSettings, Inputs, Setup, Trainer};
use ckaad_device::DeviceSpec;

mod peak;

/// As in the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: ckaad_allocator::Recycler = ckaad_allocator::Recycler::new();

struct Bench {
    size: usize,
    device: Device,
    backbone: Backbone,
    detector: Box<dyn Detector>,
    trainer: Box<dyn Trainer>,
}

impl Bench {
    fn new(settings: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let settings: Vec<&str> = settings.split(' ').collect();
        let [size, device, precision] = settings[..] else {
            return Err("load what? SIZE DEVICE PRECISION".into());
        };
        let (size, precision) = (size.parse()?, precision.parse()?);
        let device = device.parse::<DeviceSpec>()?.open()?;
        let stages = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3])?;
        let stages = stages.with_precision(precision);
        let backbone = stages.random(1, &device);
        let settings = DetectorSettings::default();
        let trainer = settings.trainer(&Setup {
            steps: 8,
            backbone: &backbone,
            image_size: size,
            seed: 2,
            device: &device,
        });
        Ok(Self {
            size,
            detector: trainer.detector(),
            trainer,
            backbone,
            device,
        })
    }

    /// Pseudo-random images in [-2, 2).
    fn images(&self, count: usize, seed: u32) -> Tensor<4> {
        let mut state = seed;
        let values: Vec<f32> = (0..count * 3 * self.size * self.size)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * 2.0
            })
            .collect();
        let shape = [count, 3, self.size, self.size];
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    fn run(&mut self, case: &str) -> Option<(f64, f64)> {
        let (what, count) = case.split_once('-')?;
        let count: usize = count.parse().ok()?;
        let (first, second) = (self.images(count, 1), self.images(count, 2));
        self.device.sync().ok()?;
        let start = Instant::now();
        let figure = match what {
            // As `Predictor::score` does.
            "infer" => {
                let (backbone, detector) = (&self.backbone, &self.detector);
                let scored =
                    ckaad_ops::in_pool(&self.device, || detector.score(&inputs(backbone, first)));
                scored.first()?.score
            }
            "step" => {
                let (normal, anomalous) = (
                    inputs(&self.backbone, first),
                    inputs(&self.backbone, second),
                );
                let losses = self.trainer.step(&normal, Some(&anomalous));
                let (_, total) = losses.0.into_iter().next()?;
                f64::from(total.into_scalar::<f32>())
            }
            _ => return None,
        };
        // Updates that nobody has asked for yet belong to the turn.
        self.device.sync().ok()?;
        Some((start.elapsed().as_secs_f64(), figure))
    }
}

fn inputs(backbone: &Backbone, images: Tensor<4>) -> Inputs {
    Inputs {
        masks: None,
        features: backbone.maps(images),
        images: None,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut bench = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("load", settings) => {
                bench = Some(Bench::new(settings)?);
                println!("loaded");
            }
            ("run", case) => match bench.as_mut().and_then(|bench| bench.run(case)) {
                Some((seconds, figure)) => println!("{seconds} {figure}"),
                None => println!("unknown case"),
            },
            ("peak", _) => println!("{}", peak::mib()),
            _ => println!("unknown command"),
        }
    }
    Ok(())
}
