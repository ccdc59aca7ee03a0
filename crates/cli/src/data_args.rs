//! `--layout`, `--data` and their kin.

use std::path::PathBuf;

use ckaad_data::Layout;
use clap::Args;
use toml::{Table, Value};

use crate::names::one_of;

/// Where the images are.
#[derive(Args)]
#[command(next_help_heading = "Images")]
pub(crate) struct DataArgs {
    /// Layout of the folder given by --data
    #[arg(long, requires = "data", value_parser = one_of(Layout::ALL))]
    layout: Option<String>,
    /// Folder of a data set
    #[arg(long, requires = "layout", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Object of the data set (mvtec-ad, visa) or normal class (cifar10)
    #[arg(long, requires = "data")]
    category: Option<String>,
    /// Folder of normal training images
    #[arg(long, conflicts_with = "data", value_name = "DIR")]
    normal: Option<PathBuf>,
    /// Folder of training images with something wrong in each
    #[arg(long, requires = "normal", value_name = "DIR")]
    anomalous: Option<PathBuf>,
    /// Folder of test images, one sub-folder per class (normal or good, and any others)
    #[arg(long, requires = "normal", value_name = "DIR")]
    test: Option<PathBuf>,
    /// Folder of masks of the test images
    #[arg(long, requires = "test", value_name = "DIR")]
    masks: Option<PathBuf>,
    /// Use the images of an earlier run's split.json
    #[arg(long, conflicts_with_all = ["data", "normal"], value_name = "FILE")]
    split: Option<PathBuf>,
    /// Leave unreadable images out instead of failing
    #[arg(long)]
    skip_bad: bool,
}

impl DataArgs {
    /// What to start from where nothing else is said: with folders of one's own, labelled anomalies are used if there are
    /// any, else ones that an elastic transform makes.
    pub(crate) fn defaults(&self) -> Table {
        match (&self.normal, &self.anomalous) {
            (None, _) => Table::new(),
            (Some(_), Some(_)) => toml::toml! { anomalies = "labelled" validation = "balanced" },
            (Some(_), None) => toml::toml! { anomalies = "elastic" validation = "normal-only" },
        }
    }

    /// What was given, as settings.
    pub(crate) fn settings(&self) -> anyhow::Result<Table> {
        let mut data = Table::new();
        let mut text = |key: &str, value: &Option<String>| {
            if let Some(value) = value {
                data.insert(key.to_owned(), Value::String(value.clone()));
            }
        };
        text("layout", &self.layout);
        text("category", &self.category);
        text("root", &path_text(&self.data)?);
        text("split", &path_text(&self.split)?);
        if self.skip_bad {
            data.insert("skip_bad".to_owned(), Value::Boolean(true));
        }
        if self.normal.is_some() {
            let mut folders = Table::new();
            let given = [
                ("normal", &self.normal),
                ("anomalous", &self.anomalous),
                ("test", &self.test),
                ("masks", &self.masks),
            ];
            for (key, folder) in given {
                if let Some(folder) = path_text(folder)? {
                    folders.insert(key.to_owned(), Value::String(folder));
                }
            }
            data.insert("folders".to_owned(), Value::Table(folders));
        }
        let mut settings = Table::new();
        if !data.is_empty() {
            settings.insert("data".to_owned(), Value::Table(data));
        }
        Ok(settings)
    }
}

/// Settings are text; a path that is no valid Unicode cannot be written to them.
pub(crate) fn path_text(path: &Option<PathBuf>) -> anyhow::Result<Option<String>> {
    let Some(path) = path else { return Ok(None) };
    let path = std::path::absolute(path)?;
    match path.to_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None => anyhow::bail!("the path {} is no valid Unicode; rename it", path.display()),
    }
}
