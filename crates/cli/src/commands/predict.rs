use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Instant;

use ckaad_backbone::Precision;
use ckaad_data::{Reading, Window, list_images};
use ckaad_engine::scoring::{
    ColourMap, HeatStyle, PredictOptions, Prediction, RawMap, model_path, predict_files,
};
use ckaad_engine::training::{Event, Threshold};
use ckaad_engine::{EngineError, Predictor};
use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::closing::{self, span};
use crate::failure::Advised;
use crate::flag_values::named;
use crate::output::{note, print_json, print_lines};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad predict runs/mine new/ --out results
  ckaad predict model.safetensors scan.png --out results --raw npy
  ckaad predict runs/mine new/ --out results --regions --colours jet --opacity 0.4")]
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
    /// Write where maps reach the pixel threshold, too: NAME_regions.json with box, polygon, area and peak of each region
    #[arg(long)]
    regions: bool,
    /// Write no heat maps
    #[arg(long)]
    no_heatmaps: bool,
    /// Colours of heat maps; legend.svg says what they mean
    #[arg(long, conflicts_with = "no_heatmaps", default_value_t, value_parser = named(ColourMap::ALL))]
    colours: ColourMap,
    /// How much of the picture heat covers at the pixel threshold and above, from 0 to 1
    #[arg(long, conflicts_with = "no_heatmaps", default_value_t = HeatStyle::default().opacity, value_parser = share)]
    opacity: f32,
    /// Decide by this score instead of the model's threshold
    #[arg(long)]
    threshold: Option<f64>,
    /// Flag a normal image with at most this probability, as the normal images promise that training held out
    #[arg(long, value_name = "RATE", conflicts_with = "threshold")]
    alpha: Option<f64>,
    /// Multiply in another precision than the model was trained in
    #[arg(long, value_parser = named(Precision::ALL))]
    precision: Option<Precision>,
    /// The 16-bit values that become black and white: LOW,HIGH; by default as the model was trained
    #[arg(long, value_name = "LOW,HIGH")]
    window: Option<Window>,
    /// Page or frame to read of files that have several, from 1; by default as the model was trained
    #[arg(long, value_name = "N")]
    page: Option<NonZeroU32>,
    /// Replace what an earlier prediction left in the folder
    #[arg(long)]
    overwrite: bool,
    /// Do not fail where images cannot be read; they are listed with their errors all the same
    #[arg(long)]
    skip_bad: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Raw {
    /// 16-bit grey PNG; 0 and 65535 are the ends of the map range that --json prints
    Png,
    /// NumPy array of 32-bit floats
    Npy,
}

/// Scores images.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let display = Display::new();
    let found = list_images(&args.images, std::slice::from_ref(&args.out))?;
    tracing::info!("{found}");
    let images = found.images;
    let device = global.open_device()?;
    let predictor = Predictor::open(&model_path(&args.model)?, args.precision, &device)?;
    let info = predictor.info();
    let chosen = match (args.threshold, args.alpha) {
        (Some(value), _) => Threshold {
            value,
            rule: "as --threshold says".to_owned(),
            promise: None,
        },
        (None, Some(alpha)) => predictor.threshold_at(alpha)?,
        (None, None) => info.threshold.clone(),
    };
    let threshold = chosen.value;
    anyhow::ensure!(threshold.is_finite(), "--threshold must be a finite number");
    let trained = info.preprocessing.reading;
    let options = PredictOptions {
        threshold,
        reading: Reading {
            window: args.window.or(trained.window),
            page: args.page.or(trained.page),
            ..trained
        },
        overlays: !args.no_heatmaps,
        heat: HeatStyle {
            colours: args.colours,
            opacity: args.opacity,
        },
        regions: args.regions,
        raw: args.raw.map(|raw| match raw {
            Raw::Png => RawMap::Png,
            Raw::Npy => RawMap::Npy,
        }),
        overwrite: args.overwrite,
    };
    let observer = |event: Event<'_>| display.show(event);
    let started = Instant::now();
    let predictions = predict_files(&predictor, &images, &args.out, &options, &observer)?;
    let failed: Vec<&EngineError> = predictions
        .iter()
        .filter_map(|prediction| prediction.outcome.as_ref().err())
        .collect();
    if global.json {
        print_json(&Predictions {
            threshold,
            promise: chosen.promise,
            map_range: info.maps.as_ref().map(|maps| maps.range),
            predictions: predictions.iter().map(row).collect(),
        })?;
    } else {
        let decided = predictions
            .iter()
            .flat_map(|prediction| &prediction.outcome);
        let anomalous = decided.filter(|decision| decision.anomalous).count();
        let scored = predictions.len() - failed.len();
        let took = started.elapsed().as_secs_f64();
        let speed = scored as f64 / took.max(1e-3);
        print_lines(&closing::table(&[
            ("images", format!("{scored}, {anomalous} of them anomalous")),
            ("threshold", closing::threshold(&chosen)),
            (
                "time",
                format!("{}, {speed:.1} images a second", span(took)),
            ),
            (
                "predictions",
                args.out.join("predictions.csv").display().to_string(),
            ),
        ]))?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> = failed
        .iter()
        .take(LISTED)
        .map(ToString::to_string)
        .collect();
    if failed.len() > LISTED {
        lines.push(format!("and {} more", failed.len() - LISTED));
    }
    let what = format!(
        "{} of {} images have no score: {}",
        failed.len(),
        predictions.len(),
        lines.join("; ")
    );
    if args.skip_bad {
        note(format_args!("warning: {what}"));
        return Ok(());
    }
    anyhow::bail!(Advised::new(what, "--skip-bad makes that no failure"))
}

/// Errors of images that are listed one by one.
const LISTED: usize = 10;

/// What was found.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Predictions {
    /// Images with this score or a higher one are anomalous.
    threshold: f64,
    /// The largest probability that a normal image is flagged, if held-out normal images promise one.
    promise: Option<f64>,
    /// The values that heat maps show as nothing and as everything; 0 and 65535 of maps in PNG. None if the detector makes no maps.
    map_range: Option<[f32; 2]>,
    /// Every image, in the order of the table.
    predictions: Vec<Row>,
}

/// An image.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Row {
    /// It has a score.
    Scored {
        /// The file.
        path: String,
        /// The higher, the more anomalous.
        score: f64,
        /// The probability of such a score if the image is normal, if the model was calibrated.
        p_value: Option<f64>,
        /// Whether the score reaches the threshold.
        anomalous: bool,
        /// The heat map, if there is one.
        overlay: Option<PathBuf>,
        /// The map as it is, if that was asked for.
        raw: Option<PathBuf>,
        /// The file of regions, if that was asked for.
        regions: Option<PathBuf>,
    },
    /// It has none.
    Failed {
        /// The file.
        path: String,
        /// Why not.
        error: String,
    },
}

fn row(prediction: &Prediction) -> Row {
    let path = prediction.path.display().to_string();
    match &prediction.outcome {
        Ok(decision) => Row::Scored {
            path,
            score: decision.score,
            p_value: decision.p_value,
            anomalous: decision.anomalous,
            overlay: decision.overlay.clone(),
            raw: decision.raw.clone(),
            regions: decision.regions.clone(),
        },
        Err(error) => Row::Failed {
            path,
            error: error.to_string(),
        },
    }
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}
