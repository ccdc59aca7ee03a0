use std::path::{Path, PathBuf};

use ckaad_backbone::Precision;
use ckaad_engine::{Detector, PredictOptions, RawMap, RunFolder, find_images, predict};
use clap::ValueEnum;
use serde_json::json;

use crate::Global;
use crate::names::precision;
use crate::output::{print, print_json};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad predict runs/mine new/ --out results
  ckaad predict model.safetensors scan.png --out results --raw npy")]
pub(crate) struct Args {
    /// Model file, or the folder of a finished run
    model: PathBuf,
    /// Image files and folders
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// Folder for predictions.csv and the heat maps
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write the maps as they are, too
    #[arg(long)]
    raw: Option<Raw>,
    /// Write no heat maps
    #[arg(long)]
    no_heatmaps: bool,
    /// Decide by this score instead of the model's threshold
    #[arg(long)]
    threshold: Option<f64>,
    /// Multiply in another precision than the model was trained in
    #[arg(long, value_parser = precision())]
    precision: Option<Precision>,
    /// Leave unreadable images out instead of failing
    #[arg(long)]
    skip_bad: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Raw {
    /// 16-bit grey PNG; 65535 is a value of 8
    Png,
    /// NumPy array of 32-bit floats
    Npy,
}

/// Scores images.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let images = find_images(&args.images, &args.out)?;
    let device = global.open_device()?;
    let (detector, info) = Detector::load(&model_path(&args.model)?, args.precision, &device)?;
    let threshold = args.threshold.unwrap_or(info.threshold.value);
    anyhow::ensure!(threshold.is_finite(), "--threshold must be a finite number");
    let options = PredictOptions {
        overlays: !args.no_heatmaps,
        raw: args.raw.map(|raw| match raw {
            Raw::Png => RawMap::Png,
            Raw::Npy => RawMap::Npy,
        }),
        skip_bad: args.skip_bad,
    };
    let predictions = predict(
        &detector,
        threshold,
        &images,
        &args.out,
        &options,
        &|event| display.show(event),
    )?;
    if global.json {
        let rows: Vec<_> = predictions
            .iter()
            .map(|prediction| {
                json!({
                    "path": prediction.path.display().to_string(),
                    "score": prediction.score,
                    "anomalous": prediction.anomalous,
                    "overlay": prediction.overlay,
                    "raw": prediction.raw,
                })
            })
            .collect();
        return print_json(&json!({"threshold": threshold, "predictions": rows}));
    }
    let anomalous = predictions
        .iter()
        .filter(|prediction| prediction.anomalous)
        .count();
    print(format_args!(
        "{} images, {anomalous} of them anomalous: {}",
        predictions.len(),
        args.out.join("predictions.csv").display()
    ))
}

fn model_path(model: &Path) -> anyhow::Result<PathBuf> {
    if !model.is_dir() {
        return Ok(model.to_owned());
    }
    let file = RunFolder::open(model)?.model();
    anyhow::ensure!(
        file.is_file(),
        "{} has no model yet: finish it by `ckaad train --resume {}`",
        model.display(),
        model.display()
    );
    Ok(file)
}
