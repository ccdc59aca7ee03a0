//! Trains a detector from code and scores new pictures with it.
//!
//! `cargo run --release -p example-train-and-score` draws its own *synthetic* pictures and uses random features. With pictures of your own name
//! their folder in the place of `root`, and load pretrained weights by `BackboneConfig::load`.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use ckaad_data::{Source, SynthSize, list_images, load_picture, synth_demo};
use ckaad_engine::training::Event;
use ckaad_engine::{Config, Outcome, Overrides, Predictor, RunFolder, TrainContext, train};

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("pictures");
    let size = SynthSize {
        side: 64,
        train_normal: 48,
        train_anomalous: 8,
        test_normal: 8,
        test_anomalous: 8,
    };
    synth_demo(&root, 7, size)?;

    // As in a configuration file or on the command line; whatever is not said has its default.
    let normal = root.join("weave/train/good").display().to_string();
    let table = toml::toml! {
        image_size = 64
        features = "random"
        detector = { name = "padim" }
        data = { folders = { normal = normal } }
    };
    let overrides = Overrides {
        table,
        ..Overrides::default()
    };
    let config = Config::resolve(None, overrides)?;

    let device = ckaad_device::cpu();
    let backbone = config.backbone_config()?.random(config.seed, &device);
    let context = TrainContext {
        backbone: &backbone,
        weights: "random features",
        device: &device,
        observer: &|event| {
            if let Event::Epoch { record, epochs } = event {
                println!(
                    "epoch {} of {epochs}: {:.1} s",
                    record.epoch, record.seconds
                );
            }
        },
        stop: &AtomicBool::new(false),
    };
    let run = folder.path().join("run");
    anyhow::ensure!(
        train(&config, &run, context)? == Outcome::Finished,
        "it was stopped"
    );

    // The model file is all that scoring needs.
    let model = Predictor::open(&RunFolder::open(&run)?.model(), None, &device)?;
    let test: Vec<PathBuf> = list_images(&[root.join("weave/test")], &[])?.images;
    for path in test {
        let picture = load_picture(&Source::File(path.clone()))?;
        for scored in model.predict(&[picture]) {
            println!(
                "{}: score {:.3}, p-value {:.3}, {}",
                path.strip_prefix(&root)?.display(),
                scored.score,
                model.p_value(scored.score).unwrap_or(f64::NAN),
                match scored.score >= model.info().threshold.value {
                    true => "anomalous",
                    false => "normal",
                }
            );
        }
    }
    Ok(())
}

#[test]
fn it_runs() -> anyhow::Result<()> {
    main()
}
