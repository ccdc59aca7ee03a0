//! `predictions.csv` of an evaluation: the scores of the last model, image by image.

use std::path::Path;

use ckaad_data::{Sample, Split};

use super::test_images::list_in_place_of;
use super::{Report, TestFolder};
use crate::error::SCORES;
use crate::scoring::{decision, number, original, write_table};
use crate::{Config, EngineError, Predictor, RunFolder};

/// A test image, and what the model said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The image.
    pub sample: Sample,
    /// The higher, the more anomalous.
    pub score: f64,
    /// The probability of such a score if the image is normal, if the model was calibrated.
    pub p_value: Option<f64>,
}

pub(crate) fn write(
    path: &Path,
    samples: &[Sample],
    scores: &[f64],
    model: &Predictor,
) -> Result<(), EngineError> {
    let rows = samples.iter().zip(scores).map(|(sample, score)| {
        [
            sample.path.to_string(),
            decision(sample.label.is_anomalous()).to_owned(),
            sample.class.clone(),
            score.to_string(),
            decision(*score >= model.info().threshold.value).to_owned(),
            number(model.p_value(*score)),
        ]
    });
    let header = ["path", "label", "class", "score", "decision", "p_value"];
    write_table(path, header, rows)
}

/// The split of a run as it was evaluated, and the scores of its test images in `results`: the folder of the run, or the one that its
/// evaluation was written into. Images need not be where they were.
///
/// # Errors
/// [`EngineError::File`] if there are no such scores or they are of other images, and those of reading a split.
pub fn evaluated(run: &RunFolder, results: &Path) -> Result<(Split, Vec<Evaluated>), EngineError> {
    let mut split = Split::read(&run.split())?;
    let results = RunFolder::results(results);
    // A comparison leaves scores without a report, of the run's own images.
    if results.report().is_file()
        && let Some(test) = Report::read(&results.report())?.test
    {
        replace(&mut split, run, &test)?;
    }
    let path = results.predictions();
    let images = parse(&ckaad_files::read(&path, FILE_LIMIT)?, &path, &split.test)?;
    Ok((split, images))
}

fn replace(split: &mut Split, run: &RunFolder, test: &TestFolder) -> Result<(), EngineError> {
    let config = Config::read(&run.config())?;
    list_in_place_of(split, &config, test).map(|_| ())
}

/// Greatest size of a table in bytes.
const FILE_LIMIT: u64 = 256 << 20;

/// The rows stand in the order of the images; those that could not be read have none.
pub(crate) fn parse(
    bytes: &[u8],
    path: &Path,
    samples: &[Sample],
) -> Result<Vec<Evaluated>, EngineError> {
    let failed = |error| EngineError::file(path, SCORES, error);
    let mut table = csv::Reader::from_reader(bytes);
    let header = table.headers().map_err(failed)?;
    let column = |name: &str| header.iter().position(|column| column == name);
    let (image, score, p_value) = (column("path"), column("score"), column("p_value"));
    let mut samples = samples.iter();
    let mut images = Vec::new();
    for row in table.records() {
        let row = row.map_err(failed)?;
        let cell = |column: Option<usize>| column.and_then(|column| row.get(column));
        let named = original(cell(image).unwrap_or_default());
        let sample = samples.find(|sample| sample.path.to_string() == named);
        let (Some(sample), Some(Ok(score))) = (sample, cell(score).map(str::parse)) else {
            let what = format!(
                "line {} is no score of a test image of the run",
                images.len() + 2
            );
            return Err(EngineError::file(path, SCORES, what));
        };
        images.push(Evaluated {
            sample: sample.clone(),
            score,
            p_value: cell(p_value).and_then(|value| value.parse().ok()),
        });
    }
    Ok(images)
}
