//! Which figures of a report a table shows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The figures of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measures {
    /// Images: AUC, F1 and accuracy.
    Image,
    /// Images and pixels.
    Pixel,
}

/// What chose the threshold of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ThresholdFrom {
    /// There is none.
    None,
    /// The test images themselves: an upper bound.
    Oracle,
    /// Validation images.
    Validation,
    /// Normal training images, where there is no validation.
    Training,
}

/// A figure of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// Its key in `datasets/paper_tables.toml` and in our tables.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    /// Where it is in a report's `last` or `best_on_validation`.
    pointer: &'static str,
    pub(crate) threshold: ThresholdFrom,
    /// Whether the paper's tables have it.
    pub(crate) in_paper: bool,
}

const AUC: Figure = Figure {
    key: "auc",
    title: "AUC",
    pointer: "/image/image_auroc",
    threshold: ThresholdFrom::None,
    in_paper: true,
};
const F1: Figure = Figure {
    key: "f1",
    title: "F1 (oracle threshold)",
    pointer: "/image/oracle_f1_max",
    threshold: ThresholdFrom::Oracle,
    in_paper: true,
};
const F1_AT: Figure = Figure {
    key: "f1_at_threshold",
    title: "F1 (validation threshold)",
    pointer: "/at_threshold/f1",
    threshold: ThresholdFrom::Validation,
    in_paper: false,
};
const ACC: Figure = Figure {
    key: "acc",
    title: "ACC (oracle threshold)",
    pointer: "/image/oracle_accuracy",
    threshold: ThresholdFrom::Oracle,
    in_paper: true,
};
const ACC_AT: Figure = Figure {
    key: "acc_at_threshold",
    title: "ACC (validation threshold)",
    pointer: "/at_threshold/accuracy",
    threshold: ThresholdFrom::Validation,
    in_paper: false,
};
const IMAGE_AUROC: Figure = Figure {
    key: "image_auroc",
    title: "image AUROC",
    ..AUC
};
const PIXEL_AUROC: Figure = Figure {
    key: "pixel_auroc",
    title: "pixel AUROC",
    pointer: "/pixel/pixel_auroc",
    ..AUC
};
const PRO: Figure = Figure {
    key: "pro",
    title: "PRO per image",
    pointer: "/pixel/pro_per_image",
    ..AUC
};
const AUPRO: Figure = Figure {
    key: "aupro",
    title: "AUPRO to 0.3",
    pointer: "/pixel/aupro_0.3",
    in_paper: false,
    ..AUC
};
const IMAGE_F1: Figure = Figure {
    key: "image_f1",
    title: "image F1 (oracle threshold)",
    in_paper: false,
    ..F1
};
const IMAGE_F1_AT: Figure = Figure {
    key: "image_f1_at_threshold",
    title: "image F1 (training threshold)",
    threshold: ThresholdFrom::Training,
    ..F1_AT
};

impl Measures {
    /// The figures, in the order of columns.
    pub(crate) fn figures(self) -> &'static [Figure] {
        match self {
            Self::Image => &[AUC, F1, F1_AT, ACC, ACC_AT],
            Self::Pixel => &[IMAGE_AUROC, PIXEL_AUROC, PRO, AUPRO, IMAGE_F1, IMAGE_F1_AT],
        }
    }
}

impl Figure {
    /// The figure in percent, if the report of a model has it.
    pub(crate) fn read(&self, model: &Value) -> Option<f64> {
        Some(100.0 * model.pointer(self.pointer)?.as_f64()?)
    }

    /// The figure of a control in percent, if the report has it: controls have an AUROC alone.
    pub(crate) fn read_control(&self, report: &Value, name: &str) -> Option<f64> {
        let controls = report.pointer("/controls/figures")?.as_array()?;
        let is = |control: &&Value| control.get("name").and_then(Value::as_str) == Some(name);
        let auroc = controls.iter().find(is)?.pointer("/test/auroc")?.as_f64()?;
        (self.pointer == AUC.pointer).then_some(100.0 * auroc)
    }
}
