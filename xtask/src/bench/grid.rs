//! The grid as data: runs, and the rows of tables that they fill.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::figures::Measures;
use super::library::Place;

/// Settings that stand in the table `[detector]` of a configuration.
pub(super) const OF_THE_DETECTOR: [&str; 8] = [
    "method",
    "norm",
    "image_score",
    "learning_rate",
    "discriminator_learning_rate",
    "lambda",
    "gamma",
    "margin",
];

/// One training and its evaluation: one folder, one process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Readable, and unique to the data set and settings.
    pub(crate) id: String,
    pub(crate) dataset: String,
    pub(crate) category: Option<String>,
    /// Whether the images are a synthetic stand-in.
    pub(crate) synthetic: bool,
    /// Whether its evaluation looks at controls, too.
    #[serde(default)]
    pub(crate) controls: bool,
    /// Everything in the run's configuration but the place of the images.
    pub(crate) settings: Table,
}

impl Run {
    /// A run, named after what makes it different from others.
    pub(crate) fn new(
        dataset: &str,
        category: Option<&str>,
        synthetic: bool,
        settings: Table,
    ) -> Self {
        let text = |key: &str| match settings.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let mut parts = vec![dataset.to_owned()];
        parts.extend(category.map(str::to_owned));
        let detector = settings.get("detector").and_then(|table| table.get("name"));
        parts.push(match detector.and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => text("method"),
        });
        if settings.contains_key("labelled_ratio") {
            parts.push(format!("r{}", text("labelled_ratio")));
        }
        parts.extend(labelled_name(&settings));
        parts.push(format!("s{}", text("seed")));
        let identity = format!("{dataset}\n{category:?}\n{synthetic}\n{settings}");
        let digest = Sha256::digest(identity.as_bytes());
        parts.push(
            digest[..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        );
        Self {
            id: parts.join("-"),
            dataset: dataset.to_owned(),
            category: category.map(str::to_owned),
            synthetic,
            controls: false,
            settings,
        }
    }

    /// The settings as a configuration of `ckaad` has them, without the place of the images: the only code that knows where in it a
    /// key lies.
    pub(super) fn configured(&self) -> Table {
        if self.settings.contains_key("detector") {
            return self.settings.clone();
        }
        let (mut detector, mut config): (Table, Table) = self
            .settings
            .clone()
            .into_iter()
            .partition(|(key, _)| OF_THE_DETECTOR.contains(&key.as_str()));
        detector.insert("name".to_owned(), "ckaad".into());
        config.insert("detector".to_owned(), detector.into());
        config
    }

    /// The configuration file of the run.
    pub(super) fn config(&self, place: &Place) -> anyhow::Result<Table> {
        let root = &place.root;
        let root = root.to_str().with_context(|| {
            let root = root.display();
            format!("the path {root} is no valid Unicode; rename it")
        })?;
        let mut data = Table::new();
        data.insert("layout".to_owned(), place.layout.name().into());
        data.insert("root".to_owned(), root.into());
        if let Some(category) = &self.category {
            data.insert("category".to_owned(), category.clone().into());
        }
        let mut config = self.configured();
        config.insert("data".to_owned(), data.into());
        Ok(config)
    }
}

/// `MEL` or `2random`.
fn labelled_name(settings: &Table) -> Option<String> {
    let labelled = settings.get("labelled_classes")?;
    if let Some(count) = labelled.get("random") {
        return Some(format!("{count}random"));
    }
    let names = labelled.get("named")?.as_array()?;
    Some(names.iter().filter_map(Value::as_str).collect())
}

/// A row of a table: the mean over seeds of means over runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// A category, or `mean` of all.
    pub(crate) category: Option<String>,
    /// Or another detector.
    pub(crate) method: String,
    /// The control that the row is of, on the images of its runs.
    #[serde(default)]
    pub(crate) control: Option<String>,
    pub(crate) labelled_ratio: Option<f64>,
    /// Number of labelled classes.
    pub(crate) k: Option<usize>,
    pub(crate) norm: String,
    /// For each seed the runs that its figure is the mean of.
    pub(crate) seeds: BTreeMap<u64, Vec<String>>,
    /// The paper's figures in percent.
    pub(crate) paper: BTreeMap<String, PaperFigure>,
    /// Where the setting is not the paper's.
    pub(crate) differs: Vec<String>,
}

/// A figure of the paper in percent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PaperFigure {
    pub(crate) mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) std: Option<f64>,
}

/// A row that the paper alone has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) figures: BTreeMap<String, PaperFigure>,
}

/// The table of one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) dataset: String,
    pub(crate) title: String,
    /// Which of the paper's tables it stands beside.
    pub(crate) beside: String,
    pub(crate) measures: Measures,
    pub(crate) rows: Vec<Row>,
    /// The paper's own table.
    pub(crate) references: Vec<Reference>,
}

/// All runs of a benchmark, and the tables that they fill.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grid {
    /// `bench-medical`, ...
    pub(crate) command: String,
    pub(crate) title: String,
    /// Whether the images are synthetic stand-ins.
    pub(crate) synthetic: bool,
    pub(crate) runs: Vec<Run>,
    pub(crate) sections: Vec<Section>,
    /// Said below the title.
    pub(crate) notes: Vec<String>,
}

impl Grid {
    /// Name of the folder of its tables.
    pub(crate) fn folder_name(command: &str, sample: bool, quick: bool) -> String {
        let mut name = command.to_owned();
        for (suffix, given) in [("-sample", sample), ("-quick", quick)] {
            if given {
                name.push_str(suffix);
            }
        }
        name
    }

    /// Reads `grid.json`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| {
            format!(
                "{} is no grid of this version; make it anew by running the benchmark with --plan",
                path.display()
            )
        })
    }

    /// Writes `grid.json`.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(ckaad_files::write(
            path,
            serde_json::to_string_pretty(self)?.as_bytes(),
        )?)
    }
}
