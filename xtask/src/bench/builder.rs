//! From the options of a benchmark to its grid.

use anyhow::ensure;

use super::args::ChoiceArgs;
use super::figures::Measures;
use super::grid::{Grid, Reference, Row, Run, Section};
use super::paper::Paper;
use super::settings::{Benchmark, Quick, Settings};

/// Collects runs and sections.
pub(crate) struct Builder<'a> {
    pub(super) choice: &'a ChoiceArgs,
    pub(super) settings: &'a Settings,
    pub(super) quick: Option<&'a Quick>,
    /// The paper's figures.
    pub(crate) paper: Paper,
    pub(super) runs: Vec<Run>,
    sections: Vec<Section>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(choice: &'a ChoiceArgs, settings: &'a Settings) -> anyhow::Result<Self> {
        let quick = match choice.quick {
            true => Some(settings.quick(choice.sample)?),
            false => None,
        };
        Ok(Self {
            choice,
            settings,
            quick,
            paper: Paper::load()?,
            runs: Vec::new(),
            sections: Vec::new(),
        })
    }

    /// The data sets asked for, or these; they must be of a preset that the benchmark is about.
    pub(crate) fn benchmarks(
        &self,
        default: &[&str],
        presets: &[&str],
    ) -> anyhow::Result<Vec<Benchmark>> {
        let names: Vec<&str> = match self.choice.datasets.as_slice() {
            [] => default.to_vec(),
            given => given.iter().map(String::as_str).collect(),
        };
        let benchmarks: Vec<Benchmark> = names
            .into_iter()
            .map(|name| self.settings.benchmark(name))
            .collect::<anyhow::Result<_>>()?;
        for benchmark in &benchmarks {
            let manifest = benchmark.manifest;
            ensure!(
                presets.contains(&manifest.preset.as_str()),
                "this benchmark is about {} data; {} is {}",
                presets.join(" and "),
                manifest.name,
                manifest.preset
            );
        }
        Ok(benchmarks)
    }

    /// The categories of a data set that are asked for.
    pub(crate) fn categories(&self, benchmark: &Benchmark) -> anyhow::Result<Vec<String>> {
        let manifest = benchmark.manifest;
        let mut all: Vec<String> = match manifest.preset.as_str() {
            "cifar10" => manifest
                .counts
                .get("train")
                .map(|counts| counts.keys().cloned().collect())
                .unwrap_or_default(),
            _ => manifest.categories.keys().cloned().collect(),
        };
        if !self.choice.categories.is_empty() {
            all.retain(|name| self.choice.categories.contains(name));
            ensure!(
                !all.is_empty(),
                "{} has none of the categories {}; there are {}",
                manifest.name,
                self.choice.categories.join(", "),
                manifest
                    .categories
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            return Ok(all);
        }
        if let Some(quick) = self.quick {
            all.truncate(quick.categories);
        } else if self.choice.sample && manifest.preset == "industrial" {
            // As many as the stand-ins draw.
            all.truncate(2);
        }
        Ok(all)
    }

    /// The methods asked for, or these, of a table that has no other systems.
    pub(crate) fn methods(&self, default: &[&str]) -> anyhow::Result<Vec<String>> {
        ensure!(
            self.choice.detectors.is_empty(),
            "--detectors: this table is about the methods of CKAAD alone"
        );
        Ok(self.given_methods(default))
    }

    pub(super) fn given_methods(&self, default: &[&str]) -> Vec<String> {
        match self.choice.methods.as_slice() {
            [] => default.iter().map(|&name| name.to_owned()).collect(),
            given => given.to_vec(),
        }
    }

    /// The labelled ratios asked for, or these.
    pub(crate) fn ratios(&self, default: &[f64]) -> anyhow::Result<Vec<f64>> {
        let ratios = match self.choice.ratios.as_slice() {
            [] => default.to_vec(),
            given => given.to_vec(),
        };
        let valid = |ratio: &f64| (0.0..1.0).contains(ratio);
        ensure!(
            ratios.iter().all(valid),
            "--ratios: a labelled ratio is at least 0 and below 1"
        );
        Ok(ratios)
    }

    /// The numbers of labelled classes asked for, or these, at most as many as there are.
    pub(crate) fn k(&self, default: &[usize], available: usize) -> Vec<usize> {
        let k = match self.choice.k.as_slice() {
            [] => default,
            given => given,
        };
        k.iter()
            .copied()
            .filter(|k| (1..=available).contains(k))
            .collect()
    }

    /// Adds the table of a data set.
    pub(crate) fn section(
        &mut self,
        benchmark: &Benchmark,
        beside: &str,
        measures: Measures,
        rows: Vec<Row>,
        references: Vec<Reference>,
    ) {
        self.sections.push(Section {
            dataset: benchmark.manifest.name.clone(),
            title: benchmark.manifest.title.clone(),
            beside: beside.to_owned(),
            measures,
            rows,
            references,
        });
    }

    /// The grid.
    pub(crate) fn finish(self, command: &str, title: &str, notes: &[&str]) -> Grid {
        Grid {
            command: command.to_owned(),
            title: title.to_owned(),
            synthetic: self.choice.sample,
            runs: self.runs,
            sections: self.sections,
            notes: notes.iter().map(|&note| note.to_owned()).collect(),
        }
    }
}
