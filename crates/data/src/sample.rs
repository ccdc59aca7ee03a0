//! One image of a data set: where it is and what is known about it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The coarse, image-level truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Label {
    /// Nothing unusual in the image.
    Normal,
    /// Something, somewhere, is unusual.
    Anomalous,
}

impl Label {
    /// True for [`Label::Anomalous`].
    pub fn is_anomalous(self) -> bool {
        self == Self::Anomalous
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Anomalous => "anomalous",
        })
    }
}

/// Where the pixels of an image are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// An image file.
    File(PathBuf),
    /// A 32 x 32 record of a CIFAR-10 batch.
    Record {
        /// The batch file.
        file: PathBuf,
        /// Number of the record in the file, from 0.
        index: u32,
        /// Byte offset of its 3072 planar RGB bytes.
        offset: u64,
    },
}

impl Source {
    /// The file that holds the pixels.
    pub fn file(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Record { file, .. } => file,
        }
    }

    /// For messages and reports: the path, followed by `#index` for a record.
    pub fn display(&self) -> impl fmt::Display + '_ {
        self
    }

    /// A file stem for outputs that belong to this image: `scan12`, or `data_batch_1-17` for a record.
    pub fn stem(&self) -> String {
        let stem = self
            .file()
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        match self {
            Self::File(_) => stem,
            Self::Record { index, .. } => format!("{stem}-{index}"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Record { file, index, .. } => write!(f, "{}#{index}", file.display()),
        }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::File(path.to_path_buf())
    }
}

/// One image of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Where its pixels are.
    pub path: Source,
    /// Normal or anomalous.
    pub label: Label,
    /// Name of its class, as the data set calls it (`NORMAL`, `good`, `scratch`, ...).
    pub class: String,
    /// The files of its pixel-level truth, for test images that have one; several are united. In JSON `mask`: one path, or a list.
    #[serde(
        rename = "mask",
        default,
        skip_serializing_if = "Vec::is_empty",
        with = "one_or_many"
    )]
    pub masks: Vec<PathBuf>,
    /// The patient, lesion or part that it shows, where the data set names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// SHA-256 of the file in lower-case hexadecimal (of a record: of its pixels; of a PNG file over 64 MiB: without large texts), once it was read
    /// for training. Reading it again, something
    /// else is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Sample {
    /// An image file without mask and group.
    pub fn new(path: impl Into<Source>, label: Label, class: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            label,
            class: class.into(),
            masks: Vec::new(),
            group: None,
            sha256: None,
        }
    }
}

/// A list of paths that is written as the path alone where there is one.
mod one_or_many {
    use super::{Deserialize, PathBuf, Serialize};
    use serde::{Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }

    pub(super) fn serialize<S: Serializer>(paths: &[PathBuf], out: S) -> Result<S::Ok, S::Error> {
        match paths {
            [one] => one.serialize(out),
            many => many.serialize(out),
        }
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
        Ok(match Option::<OneOrMany>::deserialize(from)? {
            None => Vec::new(),
            Some(OneOrMany::One(path)) => vec![path],
            Some(OneOrMany::Many(paths)) => paths,
        })
    }
}
