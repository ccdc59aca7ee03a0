//! A table of one's own: any published split can be written as one.
//!
//! `manifest.csv` (a header, then a line per image) or `manifest.jsonl` (an object per line) with
//!
//! | field | content |
//! |---|---|
//! | `path` | the image, relative to the folder of the manifest, or absolute |
//! | `label` | `normal` or `anomalous`; also `good`, `ok`, `0`, and `bad`, `ng`, `defect`, `defective`, `anomaly`, `abnormal`, `1` |
//! | `split` | `train`, `validation` or `test`; also `training`, `val`, `valid`, `testing` |
//! | `class` | optional; by default the label |
//! | `mask` | optional; the pixel-level truth, like `path` |
//! | `group` | optional; patient, lesion or part |
//!
//! Labels and splits are read in any case. Cells of a CSV file may be separated by commas, semicolons or tabs, and `\` in a path that names
//! no file is read as `/`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::{Dataset, Layout};
use crate::error::DataError;
use crate::find_files::{Resolver, entries};
use crate::sample::{Label, Sample};
use crate::table::{TABLE_LIMIT, Table, text};

const HINT: &str =
    "the layout manifest is a file manifest.csv or manifest.jsonl, given itself or by its folder";
/// File names looked for in a folder.
const NAMES: [&str; 2] = ["manifest.csv", "manifest.jsonl"];

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    path: String,
    #[serde(deserialize_with = "from_cell")]
    label: Label,
    #[serde(deserialize_with = "from_cell")]
    split: Part,
    #[serde(default)]
    class: Option<String>,
    #[serde(default)]
    mask: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(skip)]
    line: u64,
}

/// What an image is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

/// A word of a closed list, as people write it.
trait Word: Sized {
    /// From small letters; an error says what there is.
    fn of(word: &str) -> Result<Self, String>;
}

impl Word for Label {
    fn of(word: &str) -> Result<Self, String> {
        match word {
            "normal" | "good" | "ok" | "0" => Ok(Self::Normal),
            "anomalous" | "anomaly" | "abnormal" | "bad" | "ng" | "defect" | "defective" | "1" => {
                Ok(Self::Anomalous)
            }
            other => Err(format!(
                "label \"{other}\" is neither normal (or good, ok, 0) nor anomalous (or anomaly, abnormal, bad, ng, defect, defective, 1)"
            )),
        }
    }
}

impl Word for Part {
    fn of(word: &str) -> Result<Self, String> {
        match word {
            "train" | "training" => Ok(Self::Train),
            "validation" | "val" | "valid" => Ok(Self::Validation),
            "test" | "testing" => Ok(Self::Test),
            other => Err(format!(
                "split \"{other}\" is none of train, validation (or val, valid), test"
            )),
        }
    }
}

/// A word or a number of a JSON object.
fn from_cell<'de, W: Word, D: Deserializer<'de>>(deserializer: D) -> Result<W, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Cell {
        Text(String),
        Number(u64),
    }
    let word = match Cell::deserialize(deserializer)? {
        Cell::Text(text) => text.to_ascii_lowercase(),
        Cell::Number(number) => number.to_string(),
    };
    W::of(&word).map_err(serde::de::Error::custom)
}

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let path = find(root)?;
    let parsed = parse(&ckaad_files::read(&path, TABLE_LIMIT)?, &path)?;
    let mut resolver = Resolver::new(path.parent().unwrap_or(Path::new("")));
    let mut dataset = Dataset::new("manifest", Layout::Manifest, Vec::new(), Vec::new());
    let mut lines: HashMap<PathBuf, u64> = HashMap::new();
    for entry in parsed {
        let error =
            |reason: String| DataError::parse(&path, format!("line {}", entry.line), reason);
        let mut find = |name: &str| resolve(&mut resolver, name)?.map_err(error);
        let image = find(&entry.path)?;
        // Links and the case of names can hide that two lines mean one file.
        let file = std::fs::canonicalize(&image).unwrap_or_else(|_| image.clone());
        if let Some(first) = lines.insert(file, entry.line) {
            let name = &entry.path;
            return Err(error(format!(
                "{name} is listed twice, first in line {first}; remove one of the lines"
            )));
        }
        let class = entry
            .class
            .filter(|class| !class.is_empty())
            .unwrap_or_else(|| entry.label.to_string());
        let mask = entry
            .mask
            .filter(|mask| !mask.is_empty())
            .map(|mask| find(&mask))
            .transpose()?;
        let group = entry.group.filter(|group| !group.is_empty());
        let sample = Sample {
            masks: mask.into_iter().collect(),
            group,
            ..Sample::new(image, entry.label, class)
        };
        match entry.split {
            Part::Train => dataset.train.push(sample),
            Part::Validation => dataset.validation.push(sample),
            Part::Test => dataset.test.push(sample),
        }
    }
    Ok(dataset)
}

/// The file of that name, or why there is none. A path as Windows writes it is tried with the other separator, too.
fn resolve(resolver: &mut Resolver, name: &str) -> Result<Result<PathBuf, String>, DataError> {
    if let Some(path) = resolver.find(name)? {
        return Ok(Ok(path));
    }
    if !name.contains('\\') {
        return Ok(Err(format!("{name} does not exist")));
    }
    let converted = name.replace('\\', "/");
    Ok(resolver.find(&converted)?.ok_or_else(|| {
        format!("{name} does not exist, nor {converted}; write paths relative to the folder of the manifest, with / between folders")
    }))
}

/// The manifest itself, or the one in a folder.
fn find(root: &Path) -> Result<PathBuf, DataError> {
    if root.is_file() {
        return Ok(root.to_path_buf());
    }
    let found = entries(root)?
        .0
        .into_iter()
        .find(|entry| !entry.is_folder && NAMES.contains(&entry.name.as_str()));
    found
        .map(|entry| entry.path)
        .ok_or_else(|| DataError::Missing {
            path: root.to_path_buf(),
            expected: NAMES.join(" or "),
            hint: HINT.into(),
        })
}

/// Parses CSV, or JSON lines if the file name ends so.
pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Vec<Entry>, DataError> {
    let extension = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or("")
        .to_ascii_lowercase();
    let json = ["jsonl", "ndjson", "json"].contains(&extension.as_str());
    let parsed = if json {
        parse_json_lines(bytes, path)?
    } else {
        parse_csv(bytes, path)?
    };
    if parsed.is_empty() {
        return Err(DataError::NoImages {
            path: path.to_path_buf(),
            hint: "the manifest lists none".into(),
        });
    }
    Ok(parsed)
}

fn parse_json_lines(bytes: &[u8], path: &Path) -> Result<Vec<Entry>, DataError> {
    let mut parsed = Vec::new();
    for (number, line) in (1..).zip(text(bytes, path)?.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let entry: Entry = serde_json::from_str(line)
            .map_err(|error| DataError::parse(path, format!("line {number}"), error))?;
        parsed.push(Entry {
            line: number,
            ..entry
        });
    }
    Ok(parsed)
}

fn parse_csv(bytes: &[u8], path: &Path) -> Result<Vec<Entry>, DataError> {
    let table = Table::parse(bytes, path)?;
    let (name, label, split) = (
        table.require("path")?,
        table.require("label")?,
        table.require("split")?,
    );
    let [class, mask, group] = ["class", "mask", "group"].map(|name| table.column(name));
    let mut parsed = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        let optional = |column: Option<_>| column.map(|column| table.cell(row, column).to_owned());
        let word = |column| table.cell(row, column).to_ascii_lowercase();
        let label = Label::of(&word(label)).map_err(|reason| table.error(row, reason))?;
        let split = Part::of(&word(split)).map_err(|reason| table.error(row, reason))?;
        let path = table.cell(row, name).to_owned();
        if path.is_empty() {
            return Err(table.error(row, "the path is empty"));
        }
        parsed.push(Entry {
            path,
            label,
            split,
            class: optional(class),
            mask: optional(mask),
            group: optional(group),
            line: row.line,
        });
    }
    Ok(parsed)
}
