//! The benchmarks: what they should contain, whether a copy does, and synthetic stand-ins for them.

mod check;
mod report;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::layout::Layout;
use crate::synth::{StandIn, synth_layout};

pub use check::{check, check_with_progress};
pub use report::{CheckReport, Count, Duplicate};

/// Expected images by class, or by label under the keys `normal` and `anomalous`.
pub type Counts = BTreeMap<String, usize>;

/// What is known about a benchmark: one file of the folder `datasets`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name on the command line.
    pub name: String,
    /// Name in print.
    pub title: String,
    /// How it lies on disk.
    pub layout: Layout,
    /// Normal classes; empty where the category decides.
    pub normal: Vec<String>,
    /// Anomalous classes; empty for all others.
    pub anomalous: Vec<String>,
    /// Settings that it is run with: `medical`, `industrial` or `cifar10`.
    pub preset: String,
    /// Where it is published.
    pub url: String,
    /// Its licence as stated there.
    pub licence: String,
    /// How to cite it.
    pub citation: String,
    /// What to know about its split and copies.
    pub notes: String,
    /// Expected images by part (`train`, `test`) and class.
    #[serde(default)]
    pub counts: BTreeMap<String, Counts>,
    /// The same by category.
    #[serde(default)]
    pub categories: BTreeMap<String, BTreeMap<String, Counts>>,
}

/// The files of the folder `datasets`.
const FILES: [(&str, &str); 8] = [
    (
        "br35h.toml",
        include_str!("../../../../datasets/br35h.toml"),
    ),
    (
        "chest-xray.toml",
        include_str!("../../../../datasets/chest-xray.toml"),
    ),
    (
        "cifar10.toml",
        include_str!("../../../../datasets/cifar10.toml"),
    ),
    (
        "isic2018.toml",
        include_str!("../../../../datasets/isic2018.toml"),
    ),
    (
        "magnetic-tile.toml",
        include_str!("../../../../datasets/magnetic-tile.toml"),
    ),
    (
        "mvtec-ad.toml",
        include_str!("../../../../datasets/mvtec-ad.toml"),
    ),
    (
        "oct2017.toml",
        include_str!("../../../../datasets/oct2017.toml"),
    ),
    ("visa.toml", include_str!("../../../../datasets/visa.toml")),
];

/// Every benchmark, sorted by name.
///
/// # Errors
/// [`DataError::Parse`] if a built-in file is invalid, which a test rules out.
pub fn list() -> Result<&'static [Manifest], DataError> {
    static LIST: OnceLock<Vec<Manifest>> = OnceLock::new();
    if let Some(list) = LIST.get() {
        return Ok(list);
    }
    let parse = |(file, text): (&str, &str)| {
        toml::from_str(text).map_err(|error| DataError::parse(Path::new(file), "toml", error))
    };
    let list = FILES
        .into_iter()
        .map(parse)
        .collect::<Result<Vec<Manifest>, DataError>>()?;
    Ok(LIST.get_or_init(|| list))
}

/// The benchmark of that name.
///
/// # Errors
/// [`DataError::Category`] listing the names there are.
pub fn find(name: &str) -> Result<&'static Manifest, DataError> {
    let list = list()?;
    list.iter()
        .find(|manifest| manifest.name == name)
        .ok_or_else(|| DataError::Category {
            given: format!("unknown dataset \"{name}\""),
            known: list.iter().map(|manifest| manifest.name.clone()).collect(),
        })
}

/// Draws a small *synthetic* stand-in for a benchmark into `dir`: the same layout and classes, a few pictures each, and a file
/// `SYNTHETIC.txt` that says so. For benchmarks with categories, only the first one or two are drawn.
///
/// # Errors
/// [`DataError::Category`] for an unknown name, [`DataError::Parameter`] for impossible sizes, [`DataError::File`].
pub fn synth(name: &str, dir: &Path, seed: u64, size: StandIn) -> Result<(), DataError> {
    let manifest = find(name)?;
    let categories: Vec<&str> = manifest
        .categories
        .keys()
        .map(String::as_str)
        .take(2)
        .collect();
    synth_layout(manifest.layout, &categories, dir, seed, size)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_file_is_valid_sorted_and_named_after_itself() {
        let list = list().unwrap();
        for (manifest, (file, _)) in list.iter().zip(FILES) {
            assert_eq!(format!("{}.toml", manifest.name), file);
            assert!(
                !manifest.counts.is_empty() || !manifest.categories.is_empty(),
                "{file} expects nothing"
            );
        }
        assert!(list.is_sorted_by_key(|manifest| &manifest.name));
        assert!(
            find("imagenet")
                .unwrap_err()
                .to_string()
                .contains("mvtec-ad")
        );
    }

    #[test]
    fn no_file_of_the_folder_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets");
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        // The figures of a paper describe no benchmark.
        names.retain(|name| name.ends_with(".toml") && name != "paper_tables.toml");
        names.sort();
        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[test]
    fn totals_are_those_of_the_paper() {
        // SPEC of the benchmarks: (train normal, train anomalous, test).
        for (name, train, test) in [
            ("isic2018", 6705 + 3310, 123 + 70),
            ("chest-xray", 1349 + 3883, 234 + 390),
            ("br35h", 2400, 600),
            ("oct2017", 26315 + 57169, 4 * 242),
            ("mvtec-ad", 3629, 1725),
            ("visa", 8659, 2162),
            ("cifar10", 50000, 10000),
        ] {
            let manifest = find(name).unwrap();
            let total = |part: &str| -> usize {
                let all = manifest.categories.values().chain([&manifest.counts]);
                all.filter_map(|counts| counts.get(part))
                    .flat_map(|counts| counts.values())
                    .sum()
            };
            assert_eq!((total("train"), total("test")), (train, test), "{name}");
        }
    }
}
