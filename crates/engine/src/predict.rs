//! Scores and heat maps for images that nobody has labelled.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ckaad_data::{
    Ahead, DECODING_BYTES, DataError, Image, Loader, Picture, Prefetch, Source, groups,
    is_image_name, normalise_pixels, pixel_count,
};
use rayon::prelude::*;

use crate::event::{Event, Observer};
use crate::features::tensor;
use crate::overlay::{self, RawMap};
use crate::report::decision;
use crate::{Detector, EngineError, Scored};

/// Images per forward pass.
const BATCH: usize = 8;
/// Bytes of images that are decoded ahead of the networks, and of pictures that wait for their overlays together.
const DECODED_BYTES: u64 = 512 << 20;
const PICTURE_BYTES: u64 = 128 << 20;

/// What [`predict`] writes besides `predictions.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictOptions {
    /// A picture with the heat map laid over it, for each image.
    pub overlays: bool,
    /// The map itself, for each image.
    pub raw: Option<RawMap>,
    /// Leave unreadable images out instead of failing.
    pub skip_bad: bool,
}

/// An image's score and decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The image.
    pub path: PathBuf,
    /// The higher, the more anomalous.
    pub score: f64,
    /// Whether the score reaches the model's threshold.
    pub anomalous: bool,
    /// The picture with the heat map, if asked for.
    pub overlay: Option<PathBuf>,
    /// The raw map, if asked for.
    pub raw: Option<PathBuf>,
}

/// The images among files and folders (searched to any depth, but for the folder `except`, where earlier results may lie), in
/// order, each once.
///
/// # Errors
/// [`EngineError::Io`] for a path that is not there, [`EngineError::NoImages`] if there are none.
pub fn find_images(inputs: &[PathBuf], except: &Path) -> Result<Vec<PathBuf>, EngineError> {
    let except = except.canonicalize().ok();
    let mut found = Vec::new();
    for input in inputs {
        let metadata = std::fs::metadata(input).map_err(EngineError::io(input, "read"))?;
        if metadata.is_dir() {
            let mut inside = Vec::new();
            search(input, except.as_deref(), &mut inside)?;
            inside.sort();
            found.append(&mut inside);
        } else {
            found.push(input.clone());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    if found.is_empty() {
        let names: Vec<String> = inputs
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(EngineError::NoImages {
            reason: format!(
                "no images in {}: looked for files ending in {}",
                names.join(", "),
                ckaad_data::EXTENSIONS.join(", ")
            ),
        });
    }
    Ok(found)
}

/// Folders that are links are not followed, so that a circle of links cannot catch the search.
fn search(
    folder: &Path,
    except: Option<&Path>,
    found: &mut Vec<PathBuf>,
) -> Result<(), EngineError> {
    if except.is_some() && folder.canonicalize().ok().as_deref() == except {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).map_err(EngineError::io(folder, "list"))? {
        let entry = entry.map_err(EngineError::io(folder, "list"))?;
        let path = entry.path();
        let kind = entry.file_type().map_err(EngineError::io(&path, "read"))?;
        if kind.is_dir() {
            search(&path, except, found)?;
        } else if is_image_name(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Scores images and writes `predictions.csv` and the maps asked for into `out`, which is made if it is missing. Decoding
/// runs ahead of the networks.
///
/// # Errors
/// [`EngineError::Data`] naming the first image that cannot be read, unless they are to be left out;
/// [`EngineError::Io`] if something cannot be written. `predictions.csv` is only there when all is done.
pub fn predict(
    detector: &Detector,
    threshold: f64,
    inputs: &[PathBuf],
    out: &Path,
    options: &PredictOptions,
    observer: Observer<'_>,
) -> Result<Vec<Prediction>, EngineError> {
    std::fs::create_dir_all(out).map_err(EngineError::io(out, "make the folder"))?;
    let names = output_names(inputs);
    let size = detector.config().image_size;
    let mut predictions = Vec::with_capacity(inputs.len());
    let mut done = 0;
    for decoded in decode_ahead(inputs, size, options.overlays) {
        done += decoded.len();
        let mut batch = Vec::with_capacity(decoded.len());
        for (index, decoded) in decoded {
            match decoded {
                Ok((image, picture)) => batch.push((index, image, picture)),
                Err(error) if options.skip_bad => tracing::warn!("left out: {error}"),
                Err(error) => return Err(EngineError::from(error)),
            }
        }
        if !batch.is_empty() {
            let values = normalised(batch.iter().map(|(_, image, _)| image), size);
            let scored = detector.score(tensor(values, size, detector.device()));
            let written: Result<Vec<Prediction>, EngineError> = batch
                .par_iter()
                .zip(scored)
                .map(|((index, _, picture), scored)| {
                    write_one(
                        &inputs[*index],
                        &names[*index],
                        picture.as_ref(),
                        &scored,
                        threshold,
                        out,
                        options,
                    )
                })
                .collect();
            predictions.extend(written?);
        }
        observer(Event::Progress {
            what: "predicting",
            done,
            total: inputs.len(),
        });
    }
    write_table(&out.join("predictions.csv"), &predictions)?;
    Ok(predictions)
}

/// An image as the networks take it, and as it is if it gets an overlay.
type Decoded = Result<(Image, Option<Picture>), DataError>;

/// The images in groups for a forward pass, decoded by threads, each with its index.
fn decode_ahead(
    inputs: &[PathBuf],
    size: usize,
    overlays: bool,
) -> Prefetch<Vec<(usize, Decoded)>> {
    let sources: Vec<Source> = inputs.iter().map(|path| path.as_path().into()).collect();
    let sized = sources.into_iter().enumerate().map(move |(index, source)| {
        let pixels = pixel_count(&source);
        let picture = if overlays { 3 * pixels } else { 0 };
        let kept = (3 * size * size) as u64 + picture;
        (kept, (index, source, pixels, kept))
    });
    let jobs = groups(sized, BATCH, PICTURE_BYTES).map(|group| {
        let decoding = group
            .iter()
            .map(|&(_, _, pixels, _)| DECODING_BYTES * pixels);
        let kept: u64 = group.iter().map(|&(.., kept)| kept).sum();
        (decoding.max().unwrap_or(0) + kept, group)
    });
    let ahead = Ahead {
        workers: NonZeroUsize::new(rayon::current_num_threads()).unwrap_or(NonZeroUsize::MIN),
        bytes: DECODED_BYTES,
    };
    Prefetch::start(jobs, ahead, move |group| {
        let mut loader = Loader::default();
        let mut decode = |source: &Source| {
            let mut pixels = vec![0; 3 * size * size];
            let picture = match overlays {
                true => Some(loader.load_with_picture(source, size, &mut pixels)?),
                false => loader.load(source, size, &mut pixels).map(|()| None)?,
            };
            Ok((Image { size, pixels }, picture))
        };
        group
            .into_iter()
            .map(|(index, source, ..)| (index, decode(&source)))
            .collect()
    })
}

fn normalised<'a>(images: impl ExactSizeIterator<Item = &'a Image>, size: usize) -> Vec<f32> {
    let length = 3 * size * size;
    let mut values = vec![0.0; images.len() * length];
    for (image, out) in images.zip(values.chunks_exact_mut(length)) {
        normalise_pixels(&image.pixels, out);
    }
    values
}

fn write_one(
    path: &Path,
    name: &str,
    picture: Option<&Picture>,
    scored: &Scored,
    threshold: f64,
    out: &Path,
    options: &PredictOptions,
) -> Result<Prediction, EngineError> {
    let overlay = picture.map(|_| out.join(format!("{name}_heatmap.png")));
    if let (Some(picture), Some(file)) = (picture, &overlay) {
        overlay::write_overlay(file, picture, &scored.map, threshold)?;
    }
    let raw = options
        .raw
        .map(|raw| out.join(format!("{name}_map.{}", raw.extension())));
    if let (Some(kind), Some(file)) = (options.raw, &raw) {
        overlay::write_raw(file, kind, &scored.map)?;
    }
    Ok(Prediction {
        path: path.to_owned(),
        score: scored.score,
        anomalous: scored.score >= threshold,
        overlay,
        raw,
    })
}

/// A name for the outputs of each input: its stem, with as many parent folders before it as tell it from the others.
fn output_names(inputs: &[PathBuf]) -> Vec<String> {
    let name = |path: &Path, parents: usize| {
        let parts: Vec<String> = path
            .with_extension("")
            .components()
            .filter_map(|part| match part {
                std::path::Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
                _ => None,
            })
            .collect();
        parts[parts.len().saturating_sub(parents + 1)..].join("_")
    };
    let mut names: Vec<String> = inputs.iter().map(|path| name(path, 0)).collect();
    for parents in 1..16 {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        names
            .iter()
            .for_each(|name| *count.entry(name).or_insert(0) += 1);
        let clashes: Vec<usize> = (0..names.len())
            .filter(|&index| count[names[index].as_str()] > 1)
            .collect();
        if clashes.is_empty() {
            return names;
        }
        for index in clashes {
            names[index] = name(&inputs[index], parents);
        }
    }
    // The same stem with two endings in one folder.
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    names
        .iter()
        .for_each(|name| *count.entry(name.clone()).or_insert(0) += 1);
    for (name, path) in names.iter_mut().zip(inputs) {
        if count[name.as_str()] > 1 {
            let ending = path.extension().unwrap_or_default().to_string_lossy();
            *name = format!("{name}_{ending}");
        }
    }
    names
}

fn write_table(path: &Path, predictions: &[Prediction]) -> Result<(), EngineError> {
    let failed = |error: csv::Error| EngineError::file(path, "table", error);
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record(["path", "score", "decision"])
        .map_err(failed)?;
    for prediction in predictions {
        let path = prediction.path.display().to_string();
        table
            .write_record([
                &path,
                &prediction.score.to_string(),
                decision(prediction.anomalous),
            ])
            .map_err(failed)?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| EngineError::file(path, "table", error))?;
    Ok(ckaad_files::write(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_stems_get_their_parents() {
        let paths = ["a/x.png", "b/x.png", "b/y.png"].map(PathBuf::from);
        assert_eq!(output_names(&paths), ["a_x", "b_x", "y"]);
        let paths = ["a/x.png", "a/x.jpg"].map(PathBuf::from);
        assert_eq!(output_names(&paths), ["a_x_png", "a_x_jpg"]);
    }
}
