//! `xtask/settings.toml`: what the benchmarks run with.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use ckaad_data::StandIn;
use ckaad_data::datasets::Manifest;
use serde::Deserialize;
use toml::Table;

/// The seeds of the paper's repetitions, in our numbering.
const SEEDS: std::ops::Range<u64> = 111..116;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The paper's settings by preset.
    paper: BTreeMap<String, Table>,
    /// What is particular to a data set.
    datasets: BTreeMap<String, Particular>,
    /// What is particular to a detector.
    pub(crate) detectors: BTreeMap<String, Detector>,
    /// Reduced settings.
    quick: BTreeMap<String, Quick>,
    /// The size of synthetic stand-ins.
    pub(crate) sample: Sample,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Particular {
    key: String,
    folders: Vec<String>,
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    categories: BTreeMap<String, Table>,
}

/// A detector beside CKAAD.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detector {
    /// Its names in the paper's tables.
    #[serde(default)]
    pub(crate) paper: Vec<String>,
    /// Whether it learns from labelled images.
    pub(crate) labels: bool,
    /// Whether it sees every image once.
    pub(crate) once: bool,
    /// The largest side of its images by preset, where it sees smaller ones than the others.
    #[serde(default)]
    pub(crate) image_size: BTreeMap<String, i64>,
    /// What replaces its defaults.
    #[serde(default)]
    pub(crate) settings: Table,
    /// Where it is not what the paper compares with.
    #[serde(default)]
    pub(crate) differs: Vec<String>,
}

/// A reduced setting.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quick {
    pub(crate) seeds: usize,
    /// Labelled classes taken in turn, of those there are.
    pub(crate) classes: usize,
    /// Categories, of those there are.
    pub(crate) categories: usize,
    medical: Table,
    industrial: Table,
    cifar10: Table,
    /// What is particular to a data set.
    #[serde(default)]
    datasets: BTreeMap<String, Table>,
}

impl Quick {
    /// What replaces the paper's settings.
    pub(crate) fn settings(&self, manifest: &Manifest) -> Table {
        let of_preset = match manifest.preset.as_str() {
            "medical" => &self.medical,
            "industrial" => &self.industrial,
            _ => &self.cifar10,
        };
        let mut table = of_preset.clone();
        table.extend(
            self.datasets
                .get(&manifest.name)
                .cloned()
                .unwrap_or_default(),
        );
        table
    }
}

/// The size of synthetic stand-ins.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sample {
    pub(crate) side: usize,
    pub(crate) train: usize,
    pub(crate) test: usize,
    pub(crate) seed: u64,
}

impl From<Sample> for StandIn {
    fn from(sample: Sample) -> Self {
        Self {
            side: sample.side,
            train: sample.train,
            test: sample.test,
        }
    }
}

/// A data set as the benchmarks know it.
#[derive(Clone, Debug)]
pub(crate) struct Benchmark {
    /// What it should contain, and where it is published.
    pub(crate) manifest: &'static Manifest,
    /// Its key in `datasets/paper_tables.toml`.
    pub(crate) key: String,
    /// Folder names looked for.
    pub(crate) folders: Vec<String>,
}

impl Settings {
    /// Reads the built-in file.
    pub(crate) fn load() -> anyhow::Result<Self> {
        toml::from_str(include_str!("../../settings.toml")).context("xtask/settings.toml")
    }

    /// The data set of that name, or of one of its folder names.
    pub(crate) fn benchmark(&self, name: &str) -> anyhow::Result<Benchmark> {
        let plain = |text: &str| text.to_lowercase().replace('_', "-");
        let known = |(key, particular): &(&String, &Particular)| {
            std::iter::once(*key)
                .chain(&particular.folders)
                .any(|candidate| plain(candidate) == plain(name))
        };
        let Some((key, particular)) = self.datasets.iter().find(known) else {
            let names: Vec<&str> = self.datasets.keys().map(String::as_str).collect();
            bail!(
                "unknown data set \"{name}\"; there are {}",
                names.join(", ")
            );
        };
        Ok(Benchmark {
            manifest: ckaad_data::datasets::find(key)?,
            key: particular.key.clone(),
            folders: particular.folders.clone(),
        })
    }

    /// The paper's settings for a data set and category.
    pub(crate) fn paper(&self, benchmark: &Benchmark, category: Option<&str>) -> Table {
        let manifest = benchmark.manifest;
        let mut table = self
            .paper
            .get(&manifest.preset)
            .cloned()
            .unwrap_or_default();
        if let Some(particular) = self.datasets.get(&manifest.name) {
            table.extend(particular.settings.clone());
            let of_category = category.and_then(|name| particular.categories.get(name));
            table.extend(of_category.cloned().unwrap_or_default());
        }
        table
    }

    /// The reduced setting for synthetic or real images.
    pub(crate) fn quick(&self, sample: bool) -> anyhow::Result<&Quick> {
        let key = if sample { "sample" } else { "real" };
        self.quick
            .get(key)
            .with_context(|| format!("xtask/settings.toml has no [quick.{key}]"))
    }
}

/// The paper repeats three times, and five times where classes are drawn at random.
pub(crate) fn paper_seeds(random_classes: bool) -> Vec<u64> {
    SEEDS.take(if random_classes { 5 } else { 3 }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_data_set_has_settings_and_other_spellings() {
        let settings = Settings::load().unwrap();
        for manifest in ckaad_data::datasets::list().unwrap() {
            let benchmark = settings.benchmark(&manifest.name).unwrap();
            let paper = settings.paper(&benchmark, None);
            assert_eq!(paper["preset"].as_str(), Some(manifest.preset.as_str()));
        }
        assert_eq!(
            settings.benchmark("magnetic_tile").unwrap().manifest.name,
            "magnetic-tile"
        );
        assert_eq!(
            settings.benchmark("chestxray2017").unwrap().manifest.name,
            "chest-xray"
        );
        assert!(
            settings
                .benchmark("imagenet")
                .unwrap_err()
                .to_string()
                .contains("br35h")
        );
    }

    #[test]
    fn categories_differ_where_the_paper_says_so() {
        let settings = Settings::load().unwrap();
        let mvtec = settings.benchmark("mvtec").unwrap();
        let epochs = |category| settings.paper(&mvtec, Some(category))["epochs"].as_integer();
        assert_eq!((epochs("carpet"), epochs("bottle")), (Some(10), Some(400)));
        let rate = settings.paper(&mvtec, Some("transistor"))["learning_rate"].as_float();
        assert_eq!(rate, Some(1e-3));
    }
}
