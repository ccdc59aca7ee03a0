//! The folder that a prediction is written into.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ckaad_files::Untouched;

use super::table::original;
use crate::error::OTHER_FOLDER;
use crate::{EngineError, RunFolder};

/// The table of a prediction.
pub(super) const TABLE: &str = "predictions.csv";
/// Its columns that name files.
pub(super) const FILES: [&str; 3] = ["heatmap", "map", "regions"];
/// Greatest size of it in bytes; a larger one names nothing that would be removed.
const FILE_LIMIT: u64 = 256 << 20;
/// What the colours of heat maps mean.
pub(super) const LEGEND: &str = "legend.svg";

/// Makes the folder ready for results: with `replace`, what an earlier prediction left there is removed, so that no old map lies beside a new
/// table.
///
/// # Errors
/// [`EngineError::ResultsExist`] if it is a run's folder, or without `replace` if it holds a table of predictions or one of `outputs`;
/// [`EngineError::Io`].
pub(crate) fn prepare<'a>(
    folder: &Path,
    outputs: impl Iterator<Item = &'a PathBuf>,
    replace: bool,
) -> Result<(), EngineError> {
    let refuse = |what: String, hint| {
        let path = folder.to_owned();
        Err(EngineError::ResultsExist { path, what, hint })
    };
    if RunFolder::open(folder).is_ok() {
        return refuse("is the folder of a run".to_owned(), OTHER_FOLDER);
    }
    let table = folder.join(TABLE);
    let outputs: Vec<&PathBuf> = outputs.collect();
    let written = |name: &str| {
        let is = |path: &&PathBuf| path.file_name().is_some_and(|file| file == name);
        name == TABLE || outputs.iter().any(is)
    };
    ckaad_files::remove_parts(folder, written, Untouched::ForAnHour);
    let existing = outputs.iter().filter(|path| path.exists());
    let mut old: BTreeSet<PathBuf> = existing.map(|path| (*path).clone()).collect();
    if table.exists() {
        old.extend(named_in(&table, folder));
        old.insert(table);
        old.extend(Some(folder.join(LEGEND)).filter(|path| path.is_file()));
    }
    if old.is_empty() {
        return Ok(());
    }
    if !replace {
        let what = format!("holds {} files of an earlier prediction", old.len());
        let hint = "choose another output folder, or replace them by --overwrite";
        return refuse(what, hint);
    }
    old.iter()
        .try_for_each(|path| fs::remove_file(path).map_err(EngineError::io(path, "remove")))
}

/// The files of a folder that a table in it names; none if it is no table of predictions.
fn named_in(table: &Path, folder: &Path) -> Vec<PathBuf> {
    let Ok(bytes) = ckaad_files::read(table, FILE_LIMIT) else {
        return Vec::new();
    };
    let files = names_in(&bytes);
    let paths = files.into_iter().map(|name| folder.join(name));
    paths.filter(|path| path.is_file()).collect()
}

/// The names of files in the bytes of a table.
pub(crate) fn names_in(bytes: &[u8]) -> Vec<String> {
    let mut rows = csv::Reader::from_reader(bytes);
    let columns: Vec<usize> = match rows.headers() {
        Ok(header) => FILES
            .iter()
            .filter_map(|name| header.iter().position(|column| column == *name))
            .collect(),
        Err(_) => Vec::new(),
    };
    let names = rows.records().flatten().flat_map(|row| {
        let named = |&column: &usize| row.get(column).map(|cell| original(cell).to_owned());
        columns.iter().filter_map(named).collect::<Vec<_>>()
    });
    // Names alone: a table that was changed leads nowhere else.
    let inside = |name: &String| {
        Path::new(name)
            .file_name()
            .is_some_and(|file| file == name.as_str())
    };
    names.filter(inside).collect()
}
