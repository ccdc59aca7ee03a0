//! Our side of the networks of `cargo xtask perf speed`: answers every line of its input with a line.
//!
//!     load SIZE DEVICE PRECISION   ResNet-18, stages 2 and 3, random weights, images of SIZE pixels
//!     run infer-N                  scores N images                     -> SECONDS SCORE
//!     run step-N                   one training step on N + N images   -> SECONDS LOSS
//!     peak                         -> peak memory of the process in MiB, without that of a GPU

use std::io::BufRead;
use std::time::Instant;

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_auto_encoder::Norm;
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_device::DeviceSpec;
use ckaad_engine::{Config, Detector, Discriminator, Learner, auto_encoder_config};

mod peak;

struct Bench {
    size: usize,
    device: Device,
    backbone: Backbone,
    detector: Detector,
    learner: Learner,
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
        let config = Config::resolve(
            None,
            toml::Table::new(),
            toml::toml! {
                [data]
                layout = "chest-xray"
                root = "none"
            },
        )?;
        let config = Config {
            image_size: size,
            precision,
            ..config
        };
        let learning = device.clone().autodiff();
        let auto_encoder = auto_encoder_config(&stages, Norm::Instance).init(2, &learning);
        let detector = Detector::new(&config, &backbone, &auto_encoder, &device);
        let discriminator = Discriminator::new(config.method, &stages, size, 3, &learning);
        Ok(Self {
            size,
            device,
            backbone,
            detector,
            learner: Learner::new(config.objective(), auto_encoder, discriminator),
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
            "infer" => self.detector.score(first).first()?.score,
            "step" => {
                let normal = self.backbone.forward(first);
                let anomalous = self.backbone.forward(second);
                let record = self.learner.step(&normal, Some(&anomalous));
                f64::from(record.total.into_scalar::<f32>())
            }
            _ => return None,
        };
        // Updates that nobody has asked for yet belong to the turn.
        self.device.sync().ok()?;
        Some((start.elapsed().as_secs_f64(), figure))
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
