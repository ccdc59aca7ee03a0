//! Our side of the epochs of `cargo xtask perf speed`: `epoch_worker SETTINGS OUT` trains with a settings file in a new
//! folder, one epoch per line of its input, until the input ends.
//!
//!     run epoch        the next epoch                          -> SECONDS LOSS
//!     peak             -> peak memory of the process in MiB
//!
//! The seconds are those from the line to the end of the epoch with everything that belongs to it: batches, steps,
//! validation, log, checkpoint. Those of the first epoch include reading the images.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use ckaad_engine::training::Event;
use ckaad_engine::{Config, Overrides, TrainContext, train};

mod peak;

/// As in the program.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: ckaad_allocator::Recycler = ckaad_allocator::Recycler::new();

/// More epochs than anybody asks for.
const EPOCHS: usize = 1_000_000;

/// Lets epochs begin when they are asked for.
struct Pace {
    /// Nobody asks any more.
    ended: AtomicBool,
    begun: Mutex<Instant>,
}

impl Pace {
    /// Answers lines until one asks for an epoch.
    fn wait(&self) {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            match line.as_str() {
                "run epoch" => {
                    *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                    return;
                }
                "peak" => println!("{}", peak::mib()),
                _ => println!("unknown command"),
            }
        }
        self.ended.store(true, Ordering::Relaxed);
    }

    fn seconds(&self) -> f64 {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.elapsed().as_secs_f64()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(settings), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: epoch_worker SETTINGS OUT".into());
    };
    let overrides = Overrides {
        epochs: Some(EPOCHS),
        ..Overrides::default()
    };
    let config = Config::resolve(Some(&settings), overrides)?;
    let device = ckaad_device::cpu();
    let backbone = config.backbone_config()?.random(config.seed, &device);
    let pace = Pace {
        ended: AtomicBool::new(false),
        begun: Mutex::new(Instant::now()),
    };
    pace.wait();
    if pace.ended.load(Ordering::Relaxed) {
        return Ok(());
    }
    let context = TrainContext {
        backbone: &backbone,
        weights: "seeded random features",
        device: &device,
        observer: &|event| {
            if let Event::Epoch { record, .. } = event {
                println!("{} {}", pace.seconds(), record.losses["total"]);
                pace.wait();
            }
        },
        stop: &pace.ended,
    };
    train(&config, &out, context)?;
    Ok(())
}
