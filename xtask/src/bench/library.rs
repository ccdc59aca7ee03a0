//! Where the images of a run are: a folder of the user's, or a synthetic stand-in made here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_data::{Dataset, Layout};

use super::grid::Run;
use super::settings::{Benchmark, Settings};

/// The file by which stand-ins are told from real images.
const MARKER: &str = "SYNTHETIC.txt";

/// Where a data set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) layout: Layout,
    pub(crate) root: PathBuf,
}

/// The data sets at hand.
pub(crate) struct Library<'a> {
    settings: &'a Settings,
    data: &'a Path,
    out: &'a Path,
}

impl<'a> Library<'a> {
    /// Data sets in `data`, stand-ins in `out`.
    pub(crate) fn new(settings: &'a Settings, data: &'a Path, out: &'a Path) -> Self {
        Self {
            settings,
            data,
            out,
        }
    }

    /// The places of the data sets of these runs by (data set, category), and what to say about those that are not at hand.
    pub(crate) fn places(&self, runs: &[Run]) -> anyhow::Result<Places> {
        let mut places = Places::default();
        for run in runs {
            let key = (run.dataset.clone(), run.category.clone());
            if places.found.contains_key(&key) || places.absent.contains_key(&key) {
                continue;
            }
            let benchmark = self.settings.benchmark(&run.dataset)?;
            if run.synthetic {
                places.found.insert(key, self.stand_in(&benchmark)?);
                continue;
            }
            match self.find(&benchmark, run.category.as_deref()) {
                Ok(place) => drop(places.found.insert(key, place)),
                Err(reason) => drop(places.absent.insert(key, reason)),
            }
        }
        Ok(places)
    }

    /// The folder of a data set, or what is wrong with the ones looked for.
    fn find(&self, benchmark: &Benchmark, category: Option<&str>) -> Result<Place, String> {
        let manifest = benchmark.manifest;
        let candidates: Vec<PathBuf> = benchmark
            .folders
            .iter()
            .map(|folder| self.data.join(folder))
            .collect();
        let Some(root) = candidates.iter().find(|root| root.is_dir()) else {
            let list: Vec<String> = candidates
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return Err(format!("there is none of the folders {}", list.join(", ")));
        };
        if root.join(MARKER).exists() {
            return Err(format!(
                "{} is a synthetic stand-in, not the data set (--sample runs on stand-ins and says so)",
                root.display()
            ));
        }
        let root = root
            .canonicalize()
            .map_err(|error| format!("{}: {error}", root.display()))?;
        Dataset::open(manifest.layout, &root, category).map_err(|error| error.to_string())?;
        Ok(Place {
            layout: manifest.layout,
            root,
        })
    }

    /// Draws the stand-in of a data set, unless it is there. Written aside and renamed, so that it is there whole or not at all.
    fn stand_in(&self, benchmark: &Benchmark) -> anyhow::Result<Place> {
        let manifest = benchmark.manifest;
        let sample = self.settings.sample;
        let name = format!(
            "{}-{}px-{}+{}-s{}",
            manifest.name, sample.side, sample.train, sample.test, sample.seed
        );
        let folder = self.out.join("sample-data");
        let root = folder.join(name);
        if !root.is_dir() {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            let aside = tempfile::TempDir::new_in(&folder)
                .with_context(|| format!("cannot write in {}", folder.display()))?;
            let draft = aside.path().join("data");
            ckaad_data::datasets::synth(&manifest.name, &draft, sample.seed, sample.into())?;
            if let Err(error) = std::fs::rename(&draft, &root) {
                // Another process was faster; its stand-in is the same.
                anyhow::ensure!(root.is_dir(), "cannot write {}: {error}", root.display());
            }
        }
        Ok(Place {
            layout: manifest.layout,
            root: root.canonicalize()?,
        })
    }

    /// What to say about absent data sets: what was looked for, where to get them, under which licence.
    pub(crate) fn explain(&self, places: &Places) -> anyhow::Result<Vec<String>> {
        let mut texts: Vec<String> = Vec::new();
        let mut datasets: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for ((dataset, category), reason) in &places.absent {
            let category = category.as_deref().unwrap_or_default();
            datasets
                .entry(dataset)
                .or_default()
                .push((category, reason));
        }
        for (dataset, reasons) in datasets {
            let manifest = self.settings.benchmark(dataset)?.manifest;
            let categories: Vec<&str> = reasons
                .iter()
                .map(|(category, _)| *category)
                .filter(|category| !category.is_empty())
                .collect();
            let categories = match categories.as_slice() {
                [] => String::new(),
                names => format!(" ({})", names.join(", ")),
            };
            let reason = reasons.first().map(|(_, reason)| *reason).unwrap_or("");
            texts.push(format!(
                "{}{categories} is not at hand: {reason}. Get it from {} (licence: {}) and put it there, or name the folder above \
                 it by --data or CKAAD_DATA; `ckaad datasets check {}` compares a copy with what it should hold.",
                manifest.title, manifest.url, manifest.licence, manifest.name
            ));
        }
        Ok(texts)
    }
}

/// Data sets by (name, category).
#[derive(Debug, Default)]
pub(crate) struct Places {
    found: BTreeMap<(String, Option<String>), Place>,
    absent: BTreeMap<(String, Option<String>), String>,
}

impl Places {
    /// Where the images of a run are, if they are at hand.
    pub(crate) fn of(&self, run: &Run) -> Option<&Place> {
        self.found.get(&(run.dataset.clone(), run.category.clone()))
    }
}
