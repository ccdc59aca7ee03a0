//! The settings of our runs.

use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::{Table, Value};

use crate::precision::Precision;

/// Writes a settings file beside the split: the medical preset with random features, which take as long as others.
pub(super) fn write(
    split: &Path,
    side: usize,
    batch: usize,
    epochs: usize,
    precision: Precision,
) -> anyhow::Result<PathBuf> {
    let images = split
        .to_str()
        .context("the temporary folder's name is not UTF-8")?;
    let mut settings = toml::toml! {
        preset = "medical"
        features = "random"
    };
    for (key, value) in [("image_size", side), ("batch", batch), ("epochs", epochs)] {
        settings.insert(key.to_owned(), Value::Integer(i64::try_from(value)?));
    }
    settings.insert("precision".to_owned(), precision.to_string().into());
    let mut data = Table::new();
    data.insert("split".to_owned(), images.into());
    settings.insert("data".to_owned(), data.into());
    let file = split.with_extension(format!("{precision}.toml"));
    ckaad_files::write(&file, settings.to_string().as_bytes())?;
    Ok(file)
}
