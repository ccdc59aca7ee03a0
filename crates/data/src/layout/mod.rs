//! Data sets as they are published, and their own names for things.

mod account;
mod br35h;
mod chest_xray;
pub(crate) mod cifar10;
mod classes;
mod folder;
mod folder_names;
mod isic2018;
pub(crate) mod manifest;
mod masks;
mod mvtec_ad;
mod oct2017;
mod visa;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::finding::Finding;
use crate::listing::LeftOutCounts;
use crate::mask::{MaskResize, MaskRule};
use crate::sample::{Label, Sample};

pub use folder::FolderSource;

/// How a data set lies on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Layout {
    /// `normal/`, optional `anomalous/`, `test/CLASS/`, `masks/CLASS/`; see [`FolderSource`] for free choice of the folders.
    #[serde(rename = "folder")]
    Folder,
    /// `{train,test}/{NORMAL,PNEUMONIA}/*.jpeg` (Kermany et al.).
    #[serde(rename = "chest-xray")]
    ChestXRay2017,
    /// `{yes,no}/*.jpg`; the first 80 % of each, sorted bytewise by file name, train.
    #[serde(rename = "br35h")]
    Br35h,
    /// ISIC 2018 task 3: `ISIC2018_Task3_{Training,Validation}_Input/*.jpg` and `..._GroundTruth/*.csv`.
    #[serde(rename = "isic2018")]
    Isic2018,
    /// `{train,test}/{NORMAL,CNV,DME,DRUSEN}/*.jpeg`.
    #[serde(rename = "oct2017")]
    Oct2017,
    /// `CAT/train/good`, `CAT/test/DEFECT`, `CAT/ground_truth/DEFECT/*_mask.png`.
    #[serde(rename = "mvtec-ad")]
    MvtecAd,
    /// `split_csv/1cls.csv` with object, split, label, image, mask.
    #[serde(rename = "visa")]
    Visa,
    /// CIFAR-10 as binary batches or `{train,test}/CLASS` folders; the category is the normal class.
    #[serde(rename = "cifar10")]
    Cifar10,
    /// A table of our own: `manifest.csv` or `manifest.jsonl` with path, label, class, mask, split, group.
    #[serde(rename = "manifest")]
    Manifest,
}

impl Layout {
    /// Every layout, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Folder,
        Self::ChestXRay2017,
        Self::Br35h,
        Self::Isic2018,
        Self::Oct2017,
        Self::MvtecAd,
        Self::Visa,
        Self::Cifar10,
        Self::Manifest,
    ];

    /// The name used in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::ChestXRay2017 => "chest-xray",
            Self::Br35h => "br35h",
            Self::Isic2018 => "isic2018",
            Self::Oct2017 => "oct2017",
            Self::MvtecAd => "mvtec-ad",
            Self::Visa => "visa",
            Self::Cifar10 => "cifar10",
            Self::Manifest => "manifest",
        }
    }

    /// How masks of this layout are read.
    pub fn mask_rule(self) -> MaskRule {
        match self {
            Self::Visa => MaskRule::NonZero,
            _ => MaskRule::Half,
        }
    }

    /// How masks of this layout are resized: the benchmarks as published, data of one's own without losing a region.
    pub fn mask_resize(self) -> MaskResize {
        match self {
            Self::Folder | Self::Manifest => MaskResize::KeepRegions,
            _ => MaskResize::Exact,
        }
    }

    /// The categories under `root` (objects of MVTec AD and VisA, classes of CIFAR-10); empty for layouts without.
    ///
    /// # Errors
    /// [`DataError`] if the root cannot be read.
    pub fn categories(self, root: &Path) -> Result<Vec<String>, DataError> {
        match self {
            Self::MvtecAd => mvtec_ad::categories(root),
            Self::Visa => visa::categories(root),
            Self::Cifar10 => Ok(cifar10::categories()),
            _ => Ok(Vec::new()),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Layout {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.name() == text)
            .ok_or_else(|| DataError::Category {
                given: format!("unknown layout \"{text}\""),
                known: Self::ALL
                    .iter()
                    .map(|layout| layout.name().to_owned())
                    .collect(),
            })
    }
}

/// The images of a data set, before the protocol chooses among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name: the layout, and the category where there is one.
    pub name: String,
    /// How it lies on disk.
    pub layout: Layout,
    /// Training images: the normal ones, and the pool that labelled anomalous ones are drawn from.
    pub train: Vec<Sample>,
    /// Validation images, where the data set names its own; else empty and the protocol takes some from `train`.
    #[serde(default)]
    pub validation: Vec<Sample>,
    /// Test images.
    pub test: Vec<Sample>,
    /// Masks in the folders of masks that belong to no image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused_masks: Vec<PathBuf>,
    /// What lies among the images but is none; counted for the layout `folder`.
    #[serde(default)]
    pub left_out: LeftOutCounts,
    /// What had better be known of the folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Dataset {
    /// A data set without validation images and masks of its own.
    fn new(name: impl Into<String>, layout: Layout, train: Vec<Sample>, test: Vec<Sample>) -> Self {
        Self {
            name: name.into(),
            layout,
            train,
            validation: Vec::new(),
            test,
            unused_masks: Vec::new(),
            left_out: LeftOutCounts::default(),
            findings: Vec::new(),
        }
    }

    /// Reads the lists of a data set; no image is decoded.
    ///
    /// `category` is the object (MVTec AD, VisA) or the normal class (CIFAR-10), and must be `None` for the other layouts.
    ///
    /// # Errors
    /// [`DataError::Missing`], [`DataError::NoImages`], [`DataError::Category`], [`DataError::Parse`] or [`DataError::File`], each naming
    /// what was looked for and where.
    pub fn open(layout: Layout, root: &Path, category: Option<&str>) -> Result<Self, DataError> {
        let dataset = match layout {
            Layout::MvtecAd => mvtec_ad::open(root, category)?,
            Layout::Visa => visa::open(root, category)?,
            Layout::Cifar10 => cifar10::open(root, category)?,
            _ if category.is_some() => {
                let given = format!(
                    "layout {layout} has no categories, but \"{}\" was given",
                    category.unwrap_or("")
                );
                return Err(DataError::Category {
                    given,
                    known: vec!["none".into()],
                });
            }
            Layout::Folder => folder::open(root)?,
            Layout::ChestXRay2017 => chest_xray::open(root)?,
            Layout::Br35h => br35h::open(root)?,
            Layout::Isic2018 => isic2018::open(root)?,
            Layout::Oct2017 => oct2017::open(root)?,
            Layout::Manifest => manifest::open(root)?,
        };
        dataset.require_normal(root)
    }

    /// Builds a data set from folders anywhere.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_folders(source: &FolderSource) -> Result<Self, DataError> {
        folder::from_folders(source)?.require_normal(&source.normal)
    }

    /// The test images of a source alone, with their masks; its other folders are not looked into.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn test_of_folders(source: &FolderSource) -> Result<Self, DataError> {
        folder::test_of_folders(source)
    }

    /// Every layout needs at least one normal training image.
    fn require_normal(self, root: &Path) -> Result<Self, DataError> {
        if self
            .train
            .iter()
            .any(|sample| sample.label == Label::Normal)
        {
            return Ok(self);
        }
        Err(DataError::NoImages {
            path: root.to_path_buf(),
            hint: "the training part has no normal image".into(),
        })
    }
}

/// The category asked for, whatever its case; or the only one there is.
fn choose(root: &Path, known: Vec<String>, category: Option<&str>) -> Result<String, DataError> {
    let chosen = match category {
        Some(name) => known.iter().find(|known| known.eq_ignore_ascii_case(name)),
        None if known.len() == 1 => known.first(),
        None => None,
    };
    match (chosen, category) {
        (Some(name), _) => Ok(name.clone()),
        (None, Some(name)) => Err(DataError::Category {
            given: format!("unknown category \"{name}\""),
            known,
        }),
        (None, None) => Err(DataError::Category {
            given: format!("{} holds several categories", root.display()),
            known,
        }),
    }
}
