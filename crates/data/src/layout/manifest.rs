//! A table of one's own: any published split can be written as one.
//!
//! `manifest.csv` (a header, then a line per image) or `manifest.jsonl` (an object per line) with
//!
//! | field | content |
//! |---|---|
//! | `path` | the image, relative to the folder of the manifest, or absolute |
//! | `label` | `normal` or `anomalous` |
//! | `split` | `train`, `validation` or `test` |
//! | `class` | optional; by default the label |
//! | `mask` | optional; the pixel-level truth, like `path` |
//! | `group` | optional; patient, lesion or part |

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Dataset, Layout};
use crate::error::DataError;
use crate::find_files::{Resolver, entries};
use crate::sample::{Label, Sample};
use crate::table::{TABLE_LIMIT, Table};

const HINT: &str =
    "the layout manifest is a file manifest.csv or manifest.jsonl, given itself or by its folder";
/// File names looked for in a folder.
const NAMES: [&str; 2] = ["manifest.csv", "manifest.jsonl"];

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    path: String,
    label: Label,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Train,
    Validation,
    Test,
}

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let path = find(root)?;
    let parsed = parse(&ckaad_files::read(&path, TABLE_LIMIT)?, &path)?;
    let mut resolver = Resolver::new(path.parent().unwrap_or(Path::new("")));
    let mut dataset = Dataset::new("manifest", Layout::Manifest, Vec::new(), Vec::new());
    for entry in parsed {
        let place = format!("line {}", entry.line);
        let mut find = |name: &str| {
            resolver
                .find(name)?
                .ok_or_else(|| DataError::parse(&path, &*place, format!("{name} does not exist")))
        };
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
            ..Sample::new(find(&entry.path)?, entry.label, class)
        };
        match entry.split {
            Part::Train => dataset.train.push(sample),
            Part::Validation => dataset.validation.push(sample),
            Part::Test => dataset.test.push(sample),
        }
    }
    Ok(dataset)
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
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let entry: Entry = serde_json::from_slice(line)
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
        let label = match table.cell(row, label) {
            "normal" => Label::Normal,
            "anomalous" => Label::Anomalous,
            other => {
                return Err(table.error(
                    row,
                    format!("label \"{other}\" is neither normal nor anomalous"),
                ));
            }
        };
        let split = match table.cell(row, split) {
            "train" => Part::Train,
            "validation" => Part::Validation,
            "test" => Part::Test,
            other => {
                return Err(table.error(
                    row,
                    format!("split \"{other}\" is none of train, validation, test"),
                ));
            }
        };
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
