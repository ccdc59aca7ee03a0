//! What the page of a folder of runs shows, such as that of a benchmark.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ckaad_engine::config::DataConfig;
use ckaad_engine::evaluation::Report;
use ckaad_engine::{Config, EngineError, RunFolder};
use ckaad_report::{BenchmarkData, ComparisonData, Contestant, Fact, Group, Scores};

use super::comparison::numbers_of_report;
use super::figures;
use super::joint::Joint;
use super::kinds::kinds;

/// How far below a folder its runs may lie: that of a benchmark has them in `runs/NAME/run`.
const DEPTH: usize = 3;

/// The folders of runs below a folder, in the order of their paths.
pub(crate) fn runs_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, DEPTH, &mut found);
    found
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort_unstable();
    for path in folders {
        if RunFolder::open(&path).is_ok() {
            found.push(path);
        } else if depth > 1 {
            collect(&path, depth - 1, found);
        }
    }
}

/// The page of the evaluated runs among `folders`.
pub(crate) fn of_benchmark(title: &Path, folders: &[PathBuf]) -> anyhow::Result<BenchmarkData> {
    let mut notes = Vec::new();
    let mut runs = Vec::new();
    let mut without = 0;
    for folder in folders {
        match read(folder) {
            Ok(Some(report)) => runs.push((folder.clone(), report)),
            Ok(None) => without += 1,
            Err(error) => notes.push(format!("{} is left out: {error}.", folder.display())),
        }
    }
    if without > 0 {
        notes.push(format!(
            "{without} of {} runs have no results yet, and are not shown.",
            folders.len()
        ));
    }
    let configs: Vec<&Config> = runs.iter().map(|(_, report)| &*report.config).collect();
    let kinds = kinds(&configs)?;
    let names = image_names(&configs);
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        groups.entry(name).or_default().push(index);
    }
    let groups = groups.iter().enumerate().map(|(number, (name, members))| {
        let of = members
            .iter()
            .map(|&index| (&runs[index], kinds[index].as_str()));
        group(name, number, &of.collect::<Vec<_>>())
    });
    let groups: Vec<Group> = groups.collect();
    let distinct = |text: fn(&Report) -> String| {
        let texts: BTreeSet<String> = runs.iter().map(|(_, report)| text(report)).collect();
        texts.into_iter().collect::<Vec<_>>().join(", ")
    };
    Ok(BenchmarkData {
        title: format!("Runs in {}", title.display()),
        facts: vec![
            Fact::new("runs", runs.len()),
            Fact::new("weights", distinct(|report| report.weights.clone())),
            Fact::new(
                "image size in pixels",
                distinct(|report| report.config.image_size.to_string()),
            ),
            Fact::new("device", distinct(|report| report.device.clone())),
            Fact::new(
                "version",
                distinct(|report| format!("ckaad {}", report.version)),
            ),
        ],
        notes,
        groups,
    })
}

/// `None` if the run was not evaluated.
fn read(folder: &Path) -> Result<Option<Report>, EngineError> {
    let report = RunFolder::open(folder)?.report();
    report.is_file().then(|| Report::read(&report)).transpose()
}

/// A name for the images of each run: as much of their place as tells them from those of others.
fn image_names(configs: &[&Config]) -> Vec<String> {
    let places: Vec<String> = configs.iter().map(|config| place(&config.data)).collect();
    let mut different = places.clone();
    different.sort_unstable();
    different.dedup();
    let short = |place: &String| {
        let parts: Vec<&str> = place.split('/').filter(|part| !part.is_empty()).collect();
        let end = |count: usize| parts[parts.len().saturating_sub(count)..].join("/");
        let alone = |name: &String| {
            let same =
                |other: &&String| other.as_str() == name || other.ends_with(&format!("/{name}"));
            different.iter().filter(same).count() == 1
        };
        let names = (1..=parts.len()).map(end);
        names.clone().find(alone).unwrap_or_else(|| place.clone())
    };
    places.iter().map(short).collect()
}

/// Where images are, as a path that ends with their category.
fn place(data: &DataConfig) -> String {
    let folders = data.folders.as_ref();
    let folder = data
        .root
        .as_deref()
        .or(data.split.as_deref())
        .or(folders.map(|folders| folders.test.as_deref().unwrap_or(&folders.normal)));
    let folder = folder.map_or_else(String::new, |folder| folder.display().to_string());
    match &data.category {
        Some(category) => format!("{folder}/{category}"),
        None => folder,
    }
}

/// The runs on the same images. Of each kind the one with the lowest seed is drawn and tested.
fn group(name: &str, number: usize, runs: &[(&(PathBuf, Report), &str)]) -> Group {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    let seed = |index: usize| runs[index].0.1.config.seed;
    order.sort_by_key(|&index| (runs[index].1, seed(index)));
    let first = |at: usize| at == 0 || runs[order[at - 1]].1 != runs[order[at]].1;
    let drawn: Vec<usize> = (0..order.len()).filter(|&at| first(at)).collect();
    let folders: Vec<PathBuf> = drawn
        .iter()
        .map(|&at| runs[order[at]].0.0.clone())
        .collect();
    let joint = Joint::read(&folders);
    let mut scores = joint.scores.into_iter();
    let contestants = order.iter().enumerate().map(|(at, &index)| {
        let ((_, report), kind) = runs[index];
        Contestant {
            name: format!("{kind}, seed {}", report.config.seed),
            figures: figures::figures(&report.last, &[]),
            numbers: numbers_of_report(report),
            remark: None,
            scores: match drawn.contains(&at) {
                true => scores.next().unwrap_or(Scores::NotDrawn),
                false => Scores::NotDrawn,
            },
        }
    });
    let contestants = contestants.collect();
    Group {
        comparison: ComparisonData {
            title: name.to_owned(),
            contestants,
            notes: joint.notes,
            labels: joint.labels,
            plots: format!("{}-", number + 1),
            ..ComparisonData::default()
        },
        kinds: order
            .iter()
            .map(|&index| runs[index].1.to_owned())
            .collect(),
    }
}
