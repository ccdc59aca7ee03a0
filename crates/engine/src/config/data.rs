use std::num::NonZeroU32;
use std::path::PathBuf;

use ckaad_data::{FolderSource, Layout, MaskRule, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::EngineError;

/// Where the images are: a known layout under `root`, or folders of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The layout of the folder `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// The data set's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// The object or class, where the layout has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Folders of one's own, instead of `layout` and `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folders: Option<FolderSource>,
    /// A split file of an earlier run to use again, instead of drawing one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<PathBuf>,
    /// When a mask's pixel is anomalous, where the layout's rule is not meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask_rule: Option<MaskRule>,
    /// Which 16-bit values become black and white, as `[low, high]`; by default the whole range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Which page or frame of a file is read, from 1; without it, files of several are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<NonZeroU32>,
    /// Leave unreadable images out instead of failing.
    #[serde(default)]
    pub skip_bad: bool,
}

impl DataConfig {
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        let whole = self.layout.is_some() == self.root.is_some();
        let ways = [
            self.root.is_some(),
            self.folders.is_some(),
            self.split.is_some(),
        ];
        if whole && ways.iter().filter(|&&given| given).count() == 1 {
            return Ok(());
        }
        Err(EngineError::config(
            None,
            "say where the images are in exactly one way: data.layout with data.root (--layout, --data), data.folders \
             (--normal, --anomalous, --test, --masks) or data.split (--split)",
        ))
    }
}
