//! From the cell of a table to its runs.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::builder::Builder;
use super::grid::{Row, Run};
use super::paper::Figures;
use super::settings::{Benchmark, paper_seeds};

/// What a row is about.
pub(crate) struct Cell<'a> {
    pub(crate) benchmark: &'a Benchmark,
    pub(crate) category: Option<&'a str>,
    pub(crate) method: &'a str,
    /// Labelled ratio and number of labelled classes, where there are labelled images.
    pub(crate) labelled: Option<(f64, usize)>,
    pub(crate) norm: &'a str,
    pub(crate) paper: Figures,
}

impl Builder<'_> {
    /// A row and its runs.
    pub(crate) fn row(&mut self, cell: &Cell<'_>) -> Row {
        let paper = {
            let mut table = self.settings.paper(cell.benchmark, cell.category);
            table.insert("norm".to_owned(), cell.norm.into());
            table
        };
        let mut settings = paper.clone();
        self.replace(cell.benchmark, &mut settings);
        let mut differs;
        if let Some(detector) = self.detector(cell.method) {
            Self::of_detector(detector, cell.method, &mut settings);
            let own = detector.differs.iter();
            differs = own
                .map(|text| format!("{}: {text}", cell.method))
                .collect::<Vec<_>>();
            let said = |key: &str| key != "detector" && !(key == "epochs" && detector.once);
            let compared = settings.iter().filter(|(key, _)| said(key));
            let compared = compared.map(|(key, value)| (key.clone(), value.clone()));
            differs.extend(differences(&compared.collect(), &paper));
        } else {
            differs = differences(&settings, &paper);
            settings.insert("method".to_owned(), cell.method.into());
        }

        let (choices, random) = self.labelled_choices(cell, &mut differs);
        let seeds = self.seeds(random, &mut differs);
        let dataset = &cell.benchmark.manifest.name;
        let mut by_seed = BTreeMap::new();
        for seed in seeds {
            let mut ids = Vec::new();
            for choice in &choices {
                let mut settings = settings.clone();
                settings.insert("seed".to_owned(), Value::Integer(seed as i64));
                settings.extend(choice.clone());
                let mut run = Run::new(dataset, cell.category, self.choice.sample, settings);
                run.controls = self.with_controls();
                ids.push(run.id.clone());
                if !self.runs.iter().any(|other| other.id == run.id) {
                    self.runs.push(run);
                }
            }
            by_seed.insert(seed, ids);
        }
        Row {
            category: cell.category.map(str::to_owned),
            method: cell.method.to_owned(),
            control: None,
            labelled_ratio: cell.labelled.map(|(ratio, _)| ratio),
            k: cell.labelled.map(|(_, k)| k).filter(|&k| k > 0),
            norm: cell.norm.to_owned(),
            seeds: by_seed,
            paper: cell.paper.clone(),
            differs,
        }
    }

    /// The mean of rows that differ in their category alone.
    pub(crate) fn mean_row(rows: &[Row], paper: Figures) -> Option<Row> {
        let first = rows.first()?;
        let mut seeds: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let mut differs: Vec<String> = Vec::new();
        for row in rows {
            for (seed, ids) in &row.seeds {
                seeds.entry(*seed).or_default().extend(ids.iter().cloned());
            }
            for text in &row.differs {
                if !differs.contains(text) {
                    differs.push(text.clone());
                }
            }
        }
        Some(Row {
            category: Some("mean".to_owned()),
            seeds,
            paper,
            differs,
            ..first.clone()
        })
    }

    /// Lays the reduced setting and the options over the paper's settings.
    fn replace(&self, benchmark: &Benchmark, settings: &mut Table) {
        if let Some(quick) = self.quick {
            settings.extend(quick.settings(benchmark.manifest));
        }
        let numbers = [
            ("epochs", self.choice.epochs),
            ("image_size", self.choice.image_size),
            ("batch", self.choice.batch),
        ];
        for (key, value) in numbers {
            if let Some(value) = value {
                settings.insert(key.to_owned(), Value::Integer(value.into()));
            }
        }
        if let Some(backbone) = &self.choice.backbone {
            settings.insert("backbone".to_owned(), backbone.clone().into());
        }
        if self.choice.sample {
            settings.insert("features".to_owned(), "random".into());
        }
    }

    /// What the runs of one seed are: one for each labelled class, or one with classes drawn at random (then true).
    fn labelled_choices(&self, cell: &Cell<'_>, differs: &mut Vec<String>) -> (Vec<Table>, bool) {
        let Some((ratio, k)) = cell.labelled else {
            return (vec![Table::new()], false);
        };
        let ratio_alone = Table::from_iter([("labelled_ratio".to_owned(), Value::Float(ratio))]);
        let with = |labelled: Table| {
            let mut table = ratio_alone.clone();
            table.insert("labelled_classes".to_owned(), Value::Table(labelled));
            table
        };
        if ratio == 0.0 {
            return (vec![ratio_alone], false);
        }
        if k > 1 {
            let random = Table::from_iter([("random".to_owned(), Value::Integer(k as i64))]);
            return (vec![with(random)], true);
        }
        let classes = labelled_classes(cell);
        let mut taken = classes.clone();
        if let Some(quick) = self.quick {
            taken.truncate(quick.classes);
        }
        if taken.len() < classes.len() {
            differs.push(format!(
                "labelled class {} alone (paper: each of {} in turn)",
                taken.join(", "),
                classes.len()
            ));
        }
        let named = |class: String| Table::from_iter([("named".to_owned(), vec![class].into())]);
        (
            taken.into_iter().map(|class| with(named(class))).collect(),
            false,
        )
    }

    fn seeds(&self, random: bool, differs: &mut Vec<String>) -> Vec<u64> {
        let paper = paper_seeds(random);
        let seeds = match (self.choice.seeds.as_slice(), self.quick) {
            ([], Some(quick)) => paper[..quick.seeds.min(paper.len())].to_vec(),
            ([], None) => paper.clone(),
            (given, _) => given.to_vec(),
        };
        if seeds.len() != paper.len() {
            let plural = if seeds.len() == 1 { "" } else { "s" };
            differs.push(format!(
                "{} seed{plural} (paper: {})",
                seeds.len(),
                paper.len()
            ));
        }
        seeds
    }
}

/// The classes that labelled images can be of.
fn labelled_classes(cell: &Cell<'_>) -> Vec<String> {
    let manifest = cell.benchmark.manifest;
    if !manifest.anomalous.is_empty() {
        return manifest.anomalous.clone();
    }
    let train = manifest.counts.get("train");
    let classes = train.into_iter().flat_map(BTreeMap::keys);
    classes
        .filter(|class| Some(class.as_str()) != cell.category)
        .cloned()
        .collect()
}

/// `image_size 64 (paper: 256)`, ...
fn differences(settings: &Table, paper: &Table) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    settings
        .iter()
        .filter_map(|(key, value)| match paper.get(key) {
            Some(expected) if expected == value => None,
            Some(expected) => Some(format!("{key} {} (paper: {})", text(value), text(expected))),
            None => Some(format!("{key} {}", text(value))),
        })
        .collect()
}
