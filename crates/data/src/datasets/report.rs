//! What a check found.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Images of one class in one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count {
    /// The category; empty for data sets without.
    pub category: String,
    /// `train`, `validation` or `test`.
    pub part: String,
    /// The class, or `normal` / `anomalous` where only labels are counted.
    pub class: String,
    /// Images that there should be; `None` for a class that is not expected.
    pub expected: Option<usize>,
    /// Images that there are.
    pub found: usize,
}

/// Files of equal content in both train and test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Duplicate {
    /// Files in the training part.
    pub train: Vec<String>,
    /// Files in the test part.
    pub test: Vec<String>,
}

/// A copy of a data set compared with what it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Name of the benchmark.
    pub dataset: String,
    /// The folder checked.
    pub root: String,
    /// True if the folder is marked as synthetic.
    pub synthetic: bool,
    /// Categories or parts that cannot be opened, with the reason.
    pub problems: Vec<String>,
    /// Found against expected, per category, part and class.
    pub counts: Vec<Count>,
    /// Equal files in train and test.
    pub duplicates: Vec<Duplicate>,
    /// Files within one part that repeat an earlier one.
    pub repeated: usize,
    /// Images and masks that cannot be read, with the reason.
    pub unreadable: Vec<String>,
    /// Anomalous test images without a mask, where the layout has masks.
    pub images_without_mask: Vec<String>,
    /// Masks without an image.
    pub masks_without_image: Vec<String>,
    /// Masks whose size is not that of their image.
    pub mask_sizes: Vec<String>,
}

impl CheckReport {
    /// Images found in all.
    pub fn images(&self) -> usize {
        self.counts.iter().map(|count| count.found).sum()
    }

    /// Expected images that are missing.
    pub fn missing(&self) -> usize {
        self.counts
            .iter()
            .map(|count| count.expected.unwrap_or(0).saturating_sub(count.found))
            .sum()
    }

    /// Images beyond the expected number.
    pub fn surplus(&self) -> usize {
        self.counts
            .iter()
            .map(|count| count.found.saturating_sub(count.expected.unwrap_or(0)))
            .sum()
    }

    /// True if the copy is exactly as published and nothing is wrong with it.
    pub fn is_clean(&self) -> bool {
        self.missing() == 0
            && self.surplus() == 0
            && [
                &self.problems,
                &self.unreadable,
                &self.images_without_mask,
                &self.masks_without_image,
                &self.mask_sizes,
            ]
            .into_iter()
            .all(|list| list.is_empty())
            && self.duplicates.is_empty()
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} in {}", self.dataset, self.root)?;
        if self.synthetic {
            writeln!(
                f,
                "  SYNTHETIC: drawn by a program, not the data set itself"
            )?;
        }
        for count in &self.counts {
            let name = [&count.category, &count.part, &count.class]
                .into_iter()
                .filter(|s| !s.is_empty())
                .cloned()
                .collect::<Vec<_>>()
                .join("/");
            let expected = count.expected.map_or("-".to_owned(), |n| n.to_string());
            let difference = count.found as i64 - count.expected.unwrap_or(0) as i64;
            let remark = match difference {
                0 => "ok".to_owned(),
                n if n < 0 => format!("{} missing", -n),
                n if count.expected.is_none() => format!("{n} not expected"),
                n => format!("{n} more than expected"),
            };
            writeln!(
                f,
                "  {name:<32} found {:>6}  expected {expected:>6}  {remark}",
                count.found
            )?;
        }
        writeln!(
            f,
            "  {} images, {} missing, {} more than expected",
            self.images(),
            self.missing(),
            self.surplus()
        )?;
        for (title, list) in [
            ("cannot be opened", &self.problems),
            ("unreadable", &self.unreadable),
            (
                "anomalous test image without mask",
                &self.images_without_mask,
            ),
            ("mask without image", &self.masks_without_image),
            ("mask of another size than its image", &self.mask_sizes),
        ] {
            for item in list {
                writeln!(f, "  {title}: {item}")?;
            }
        }
        for duplicate in &self.duplicates {
            writeln!(
                f,
                "  same content in train and test: {} = {}",
                duplicate.train.join(", "),
                duplicate.test.join(", ")
            )?;
        }
        if self.repeated > 0 {
            writeln!(
                f,
                "  {} files repeat another file of the same part",
                self.repeated
            )?;
        }
        write!(
            f,
            "  {}",
            if self.is_clean() {
                "complete, nothing found wrong"
            } else {
                "differs from the published data set"
            }
        )
    }
}
