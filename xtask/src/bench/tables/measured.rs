//! From the reports of runs to the figures of rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::bench::figures::{Figure, ThresholdFrom};
use crate::bench::folder::{Folder, State};
use crate::bench::grid::{Grid, PaperFigure, Row, Section};

use super::statistics::{deviation, mean};

/// Everything that tables say.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    pub(super) command: String,
    pub(super) title: String,
    /// Whether the images are synthetic stand-ins.
    pub(super) synthetic: bool,
    pub(super) runs: usize,
    pub(super) finished: usize,
    /// Reasons by run.
    pub(super) failed: BTreeMap<String, String>,
    pub(super) not_done: Vec<String>,
    /// Weights of the backbone, devices, and versions of `ckaad`, that the reports name.
    pub(super) weights: BTreeSet<String>,
    pub(super) devices: BTreeSet<String>,
    pub(super) versions: BTreeSet<String>,
    pub(super) sections: Vec<SectionResults>,
}

/// The table of one data set.
#[derive(Debug, Serialize)]
pub(super) struct SectionResults {
    pub(super) dataset: String,
    pub(super) title: String,
    pub(super) beside: String,
    /// Numbers of images that runs report, without duplicates; the copy at hand need not be the published one.
    pub(super) images: BTreeSet<String>,
    pub(super) rows: Vec<RowResults>,
}

/// Several lines of a table: one for each model that runs report on.
#[derive(Debug, Serialize)]
pub(super) struct RowResults {
    pub(super) category: Option<String>,
    pub(super) method: String,
    pub(super) labelled_ratio: Option<f64>,
    pub(super) k: Option<usize>,
    pub(super) norm: String,
    /// Where the setting is not the paper's.
    pub(super) differs: Vec<String>,
    /// Seeds asked for.
    pub(super) seeds: usize,
    /// Runs asked for.
    pub(super) runs: usize,
    /// Controls that the last model of some run does not clearly beat on the test images.
    pub(super) not_above_controls: BTreeSet<String>,
    /// Mean of the seconds that a training took, if controls stand beside it.
    pub(super) training_seconds: Option<f64>,
    pub(super) models: Vec<ModelResults>,
}

/// A line of a table.
#[derive(Debug, Serialize)]
pub(super) struct ModelResults {
    pub(super) model: Model,
    /// Seeds all of whose runs are finished.
    pub(super) n: usize,
    pub(super) figures: Vec<Measured>,
}

/// Which model of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Model {
    #[serde(rename = "last")]
    Last,
    #[serde(rename = "best_on_validation")]
    BestOnValidation,
}

impl Model {
    fn key(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::BestOnValidation => "best_on_validation",
        }
    }

    /// In print.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::BestOnValidation => "best on validation",
        }
    }
}

/// A figure in percent.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) figure: &'static str,
    pub(super) threshold: ThresholdFrom,
    /// Mean over seeds.
    pub(super) mean: Option<f64>,
    /// Sample standard deviation over seeds, if there are two.
    pub(super) std: Option<f64>,
    /// Seeds that have the figure.
    pub(super) n: usize,
    pub(super) paper: Option<PaperFigure>,
    /// Ours less the paper's; none on synthetic images.
    pub(super) difference: Option<f64>,
}

impl Results {
    /// Reads the reports of a grid.
    pub(super) fn gather(out: &Path, grid: &Grid) -> Self {
        let mut reports: BTreeMap<&str, Value> = BTreeMap::new();
        let (mut failed, mut not_done) = (BTreeMap::new(), Vec::new());
        for run in &grid.runs {
            match Folder::of(out, run).state(run) {
                State::Finished(report) => drop(reports.insert(&run.id, report)),
                State::Failed(reason) => drop(failed.insert(run.id.clone(), reason)),
                State::Unfinished => not_done.push(run.id.clone()),
            }
        }
        let named = |key: &str| -> BTreeSet<String> {
            let texts = reports
                .values()
                .filter_map(|report| report.get(key)?.as_str());
            texts.map(str::to_owned).collect()
        };
        Self {
            command: grid.command.clone(),
            title: grid.title.clone(),
            synthetic: grid.synthetic,
            runs: grid.runs.len(),
            finished: reports.len(),
            // Random weights are named by their seed; that they are random is said elsewhere.
            weights: match grid.synthetic {
                true => BTreeSet::new(),
                false => named("weights"),
            },
            devices: named("device"),
            versions: named("version"),
            failed,
            not_done,
            sections: grid
                .sections
                .iter()
                .map(|section| SectionResults::new(section, &reports, grid.synthetic))
                .collect(),
        }
    }
}

impl SectionResults {
    fn new(section: &Section, reports: &BTreeMap<&str, Value>, synthetic: bool) -> Self {
        let rows = section.rows.iter();
        Self {
            dataset: section.dataset.clone(),
            title: section.title.clone(),
            beside: section.beside.clone(),
            images: images(section, reports),
            rows: rows
                .map(|row| {
                    let mut row = RowResults::new(row, section.measures.figures(), reports);
                    if synthetic {
                        row.compare_with_nothing();
                    }
                    row
                })
                .collect(),
        }
    }
}

/// `1273 normal training images, 136 for validation, 234 normal and 390 anomalous for the test`, and in which category.
fn images(section: &Section, reports: &BTreeMap<&str, Value>) -> BTreeSet<String> {
    let text = |report: &Value| {
        let count = |pointer: &str| report.pointer(pointer)?.as_u64();
        let category = report
            .pointer("/config/data/category")
            .and_then(Value::as_str);
        Some(format!(
            "{}{} normal training images, {} for validation, {} normal and {} anomalous for the test",
            category.map_or(String::new(), |name| format!("{name}: ")),
            count("/training/normal")?,
            count("/training/validation")?,
            count("/last/counts/normal")?,
            count("/last/counts/anomalous")?
        ))
    };
    let ids = section
        .rows
        .iter()
        .flat_map(|row| row.seeds.values().flatten());
    ids.filter_map(|id| text(reports.get(id.as_str())?))
        .collect()
}

impl RowResults {
    fn new(row: &Row, figures: &[Figure], reports: &BTreeMap<&str, Value>) -> Self {
        // The models of each seed all of whose runs are finished.
        let seeds: Vec<Vec<&Value>> = row
            .seeds
            .values()
            .filter_map(|ids| {
                let of_seed = ids.iter().map(|id| reports.get(id.as_str()));
                of_seed.collect::<Option<Vec<&Value>>>()
            })
            .collect();
        let mut models = vec![ModelResults::new(Model::Last, row, figures, &seeds)];
        // A single epoch leaves no choice.
        let epochs = |report: &Value| report.pointer("/last/epoch").and_then(Value::as_u64);
        let best = |report: &&Value| {
            report.get(Model::BestOnValidation.key()).is_some() && epochs(report) != Some(1)
        };
        if row.control.is_none() && seeds.iter().flatten().any(best) {
            models.push(ModelResults::new(
                Model::BestOnValidation,
                row,
                figures,
                &seeds,
            ));
        }
        let all = || seeds.iter().flatten();
        let not_above = all().filter_map(|report| {
            let control = report.pointer("/last/not_above_control")?.as_str()?;
            row.control.is_none().then(|| control.to_owned())
        });
        let seconds: Vec<f64> = all()
            .filter(|report| row.control.is_none() && report.get("controls").is_some())
            .filter_map(|report| report.pointer("/seconds/training")?.as_f64())
            .collect();
        Self {
            not_above_controls: not_above.collect(),
            training_seconds: mean(&seconds),
            category: row.category.clone(),
            method: row.method.clone(),
            labelled_ratio: row.labelled_ratio,
            k: row.k,
            norm: row.norm.clone(),
            differs: row.differs.clone(),
            seeds: row.seeds.len(),
            runs: row.seeds.values().map(Vec::len).sum(),
            models,
        }
    }
}

impl RowResults {
    /// Figures of stand-ins stand beside the paper's, but a difference would say nothing.
    fn compare_with_nothing(&mut self) {
        for model in &mut self.models {
            for figure in &mut model.figures {
                figure.difference = None;
            }
        }
    }
}

impl ModelResults {
    fn new(model: Model, row: &Row, figures: &[Figure], seeds: &[Vec<&Value>]) -> Self {
        let measured = |figure: &Figure| {
            // A seed counts with the mean of its runs, if all of them have the figure.
            let values: Vec<f64> = seeds
                .iter()
                .filter_map(|reports| {
                    let of_seed = reports.iter().map(|report| match &row.control {
                        Some(name) => figure.read_control(report, name),
                        None => figure.read(report.get(model.key())?),
                    });
                    mean(&of_seed.collect::<Option<Vec<f64>>>()?)
                })
                .collect();
            let mean = mean(&values);
            let paper = row.paper.get(figure.key).copied();
            Measured {
                figure: figure.key,
                threshold: figure.threshold,
                mean,
                std: deviation(&values),
                n: values.len(),
                paper,
                difference: mean.zip(paper).map(|(mean, paper)| mean - paper.mean),
            }
        };
        Self {
            model,
            n: seeds.len(),
            figures: figures.iter().map(measured).collect(),
        }
    }
}
