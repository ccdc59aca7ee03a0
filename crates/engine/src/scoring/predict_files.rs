//! Scores and heat maps for images that nobody has labelled.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ckaad_data::{
    Ahead, DECODING_BYTES, DataError, Loader, Picture, Prefetch, Reading, SixteenBit, Source,
    groups, pixel_count,
};
use ckaad_detectors::Scored;
use rayon::prelude::*;

use super::map_picture::RawMap;
use super::outputs::Outputs;
use super::results_folder::{self, FILES, LEGEND, TABLE};
use super::{HeatScale, HeatStyle, Predictor, decision, number, write_table};
use crate::EngineError;
use crate::training::{Event, Observer};

/// Images per forward pass of a prediction.
pub const BATCH: usize = 8;
/// Bytes of images that are decoded ahead of the networks, and of pictures that wait for their overlays together.
const DECODED_BYTES: u64 = 512 << 20;
const PICTURE_BYTES: u64 = 128 << 20;

/// What [`predict_files`] decides by, and writes besides `predictions.csv`.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictOptions {
    /// Images with this score or a higher one are anomalous.
    pub threshold: f64,
    /// How pixels are read; the model's own way unless somebody knows better.
    pub reading: Reading,
    /// A picture with the heat map laid over it, for each image, if the model makes maps.
    pub overlays: bool,
    /// How heat is shown on it.
    pub heat: HeatStyle,
    /// The map itself, for each image, if the model makes maps.
    pub raw: Option<RawMap>,
    /// Where the map reaches the pixel threshold, as [`Regions`](super::Regions) in JSON, for each image, if the model makes maps.
    pub regions: bool,
    /// What an earlier prediction left in the folder is removed.
    pub overwrite: bool,
}

/// What became of an image.
#[derive(Debug)]
pub struct Prediction {
    /// The image.
    pub path: PathBuf,
    /// Its score, or why it has none.
    pub outcome: Result<Decision, EngineError>,
}

/// An image's score, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The higher, the more anomalous.
    pub score: f64,
    /// The probability of such a score if the image is normal, if the model was calibrated.
    pub p_value: Option<f64>,
    /// Whether the score reaches the threshold.
    pub anomalous: bool,
    /// The picture with the heat map.
    pub overlay: Option<PathBuf>,
    /// The raw map.
    pub raw: Option<PathBuf>,
    /// The regions.
    pub regions: Option<PathBuf>,
}

/// An image as the networks take it, `[size, size, 3]`, and as it is if it gets an overlay.
pub(super) type Decoded = Result<(Vec<u8>, Option<Picture>), DataError>;

/// Scores images and writes `predictions.csv` and the maps asked for into `out`, which is made if it is missing. Decoding
/// runs ahead of the networks. An image that cannot be read is a row with an error; the others are scored all the same.
///
/// # Errors
/// [`EngineError::Overwrites`] if an output would replace an input, [`EngineError::ResultsExist`] if the folder is a run's, or holds results
/// that are not to be overwritten, [`EngineError::Files`] if something cannot be written.
pub fn predict_files(
    predictor: &Predictor,
    inputs: &[PathBuf],
    out: &Path,
    options: &PredictOptions,
    observer: Observer<'_>,
) -> Result<Vec<Prediction>, EngineError> {
    let outputs = Outputs::plan(predictor, inputs, out, options)?;
    refuse_overwriting(inputs, &outputs)?;
    results_folder::prepare(
        out,
        outputs.iter().flat_map(Outputs::files),
        options.overwrite,
    )?;
    ckaad_files::make_folder(out)?;
    let size = predictor.info().config.image_size;
    let draws = outputs.iter().any(Outputs::need_picture);
    if let (Some(maps), true) = (&predictor.info().maps, options.overlays) {
        let legend = HeatScale::of(maps).legend(options.heat);
        ckaad_files::write(&out.join(LEGEND), legend.as_bytes())?;
    }
    let mut predictions = Vec::with_capacity(inputs.len());
    let mut sixteen_bit = SixteenBit::default();
    for (batch, of_batch) in decode_ahead(inputs, size, draws, options.reading) {
        sixteen_bit.merge(of_batch);
        let first = predictions.len();
        let (paths, outputs) = (&inputs[first..], &outputs[first..]);
        let squares: Vec<&[u8]> = batch
            .iter()
            .flatten()
            .map(|(square, _)| square.as_slice())
            .collect();
        let mut scored = predictor.predict_squares(squares.into_iter()).into_iter();
        let jobs: Vec<_> = batch
            .into_iter()
            .map(|decoded| decoded.map(|(_, picture)| (picture, scored.next())))
            .collect();
        let written: Result<Vec<_>, EngineError> = jobs
            .into_par_iter()
            .zip(outputs)
            .map(|(job, outputs)| match job {
                Ok((picture, Some(scored))) => {
                    write_one(picture, scored, outputs, predictor, options)
                }
                Ok((_, None)) => Ok(Err(EngineError::NoScore)),
                Err(error) => Ok(Err(error.into())),
            })
            .collect();
        predictions.extend(
            paths
                .iter()
                .zip(written?)
                .map(|(path, outcome)| Prediction {
                    path: path.clone(),
                    outcome,
                }),
        );
        observer(Event::Progress {
            what: "predicting",
            done: predictions.len(),
            total: inputs.len(),
        });
    }
    if let Some(warning) = sixteen_bit.warning(&options.reading) {
        tracing::warn!("{warning}");
    }
    write_predictions(&out.join(TABLE), &predictions)?;
    Ok(predictions)
}

fn refuse_overwriting(inputs: &[PathBuf], outputs: &[Outputs]) -> Result<(), EngineError> {
    let inputs: std::collections::HashSet<PathBuf> = inputs
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .collect();
    for output in outputs.iter().flat_map(Outputs::files) {
        if output
            .canonicalize()
            .is_ok_and(|path| inputs.contains(&path))
        {
            return Err(EngineError::Overwrites {
                path: output.clone(),
            });
        }
    }
    Ok(())
}

/// The images in groups for a forward pass, decoded by threads, in order. Whole pictures are kept only where they are drawn on.
pub(super) fn decode_ahead(
    inputs: &[PathBuf],
    size: usize,
    draws: bool,
    reading: Reading,
) -> Prefetch<(Vec<Decoded>, SixteenBit)> {
    let sources: Vec<Source> = inputs.iter().map(|path| path.as_path().into()).collect();
    let sized = sources.into_iter().map(move |source| {
        let pixels = pixel_count(&source);
        let picture = if draws { 3 * pixels } else { 0 };
        let kept = (3 * size * size) as u64 + picture;
        (kept, (source, pixels, kept))
    });
    let jobs = groups(sized, BATCH, PICTURE_BYTES).map(|group| {
        let decoding = group.iter().map(|&(_, pixels, _)| DECODING_BYTES * pixels);
        let kept: u64 = group.iter().map(|&(.., kept)| kept).sum();
        (decoding.max().unwrap_or(0) + kept, group)
    });
    let ahead = Ahead {
        workers: NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN),
        bytes: DECODED_BYTES,
    };
    Prefetch::start(jobs, ahead, move |group| {
        let mut loader = Loader::new(reading);
        let mut decode = |source: &Source| {
            let mut square = vec![0; 3 * size * size];
            let picture = match draws {
                true => Some(loader.load_with_picture(source, size, &mut square)?),
                false => loader.load(source, size, &mut square).map(|()| None)?,
            };
            Ok((square, picture))
        };
        let decoded = group.iter().map(|(source, ..)| decode(source)).collect();
        (decoded, loader.take_sixteen_bit())
    })
}

/// Writes the outputs of one image. What is wrong with the image is its own error, what is wrong with the folder is everyone's.
fn write_one(
    picture: Option<Picture>,
    scored: Scored,
    outputs: &Outputs,
    predictor: &Predictor,
    options: &PredictOptions,
) -> Result<Result<Decision, EngineError>, EngineError> {
    if !scored.is_finite() {
        return Ok(Err(EngineError::NoScore));
    }
    if let (Some(info), Some(map)) = (&predictor.info().maps, &scored.map) {
        outputs.write(picture.as_ref(), map, info, options)?;
    }
    Ok(Ok(Decision {
        score: scored.score,
        p_value: predictor.p_value(scored.score),
        anomalous: scored.score >= options.threshold,
        overlay: outputs.overlay.clone(),
        raw: outputs.raw.clone(),
        regions: outputs.regions.clone(),
    }))
}

fn write_predictions(path: &Path, predictions: &[Prediction]) -> Result<(), EngineError> {
    let file = |path: &Option<PathBuf>| match path.as_deref().and_then(Path::file_name) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => String::new(),
    };
    let rows = predictions.iter().map(|prediction| {
        let path = prediction.path.display().to_string();
        match &prediction.outcome {
            Ok(decided) => [
                path,
                decided.score.to_string(),
                decision(decided.anomalous).to_owned(),
                number(decided.p_value),
                file(&decided.overlay),
                file(&decided.raw),
                file(&decided.regions),
                String::new(),
            ],
            Err(error) => [
                path,
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                error.to_string(),
            ],
        }
    });
    let [heatmap, map, regions] = FILES;
    let header = [
        "path", "score", "decision", "p_value", heatmap, map, regions, "error",
    ];
    write_table(path, header, rows)
}
