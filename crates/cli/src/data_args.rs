//! `--layout`, `--data` and their kin.

use std::path::PathBuf;

use ckaad_data::{FolderSource, Layout};
use ckaad_engine::config::DataConfig;
use clap::Args;

use crate::flag_values::named;

/// Where the images are.
#[derive(Args, Default)]
#[command(next_help_heading = "Images")]
pub(crate) struct DataArgs {
    /// Layout of the folder given by --data
    #[arg(long, requires = "data", value_parser = named(Layout::ALL))]
    layout: Option<Layout>,
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
    /// What was given, as settings; paths become absolute, so that the run can be gone on with from anywhere.
    pub(crate) fn settings(self) -> std::io::Result<DataConfig> {
        let folders = match absolute(self.normal)? {
            None => None,
            Some(normal) => Some(FolderSource {
                normal,
                anomalous: absolute(self.anomalous)?,
                test: absolute(self.test)?,
                masks: absolute(self.masks)?,
                normal_class: None,
            }),
        };
        Ok(DataConfig {
            layout: self.layout,
            root: absolute(self.data)?,
            category: self.category,
            folders,
            split: absolute(self.split)?,
            skip_bad: self.skip_bad,
        })
    }
}

/// A path that means the same from every folder.
pub(crate) fn absolute(path: Option<PathBuf>) -> std::io::Result<Option<PathBuf>> {
    path.map(std::path::absolute).transpose()
}
