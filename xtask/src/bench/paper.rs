//! `datasets/paper_tables.toml`: the paper's figures.

use std::collections::BTreeMap;

use anyhow::Context;
use toml::{Table, Value};

use super::grid::{PaperFigure, Reference};

/// Figures of a row by key.
pub(crate) type Figures = BTreeMap<String, PaperFigure>;

/// The figures of per-category tables, in their order.
const PIXEL_KEYS: [&str; 3] = ["image_auroc", "pixel_auroc", "pro"];

/// The paper's tables.
pub(crate) struct Paper(Table);

impl Paper {
    /// Reads the built-in file.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let text = include_str!("../../../datasets/paper_tables.toml");
        Ok(Self(text.parse().context("datasets/paper_tables.toml")?))
    }

    fn rows(&self, table: &str) -> impl Iterator<Item = &Table> {
        let rows = self.0.get(table).and_then(Value::as_array);
        rows.into_iter().flatten().filter_map(Value::as_table)
    }

    /// Tables 1 and 4: ours at a labelled ratio, with the standard deviations.
    pub(crate) fn medical(&self, dataset: &str, ratio: f64) -> Figures {
        let row = self
            .rows("table4")
            .find(|row| text(row, "dataset") == Some(dataset) && is(row, "labelled_ratio", ratio));
        let pair = |(key, value): (&String, &Value)| {
            let pair = value.as_array()?;
            let figure = PaperFigure {
                mean: number(pair.first()?)?,
                std: number(pair.get(1)?),
            };
            Some((key.clone(), figure))
        };
        row.into_iter().flatten().filter_map(pair).collect()
    }

    /// A data set's column of Table 1 or 2: every method that the paper compares.
    pub(crate) fn column(&self, table: &str, dataset: &str) -> Vec<Reference> {
        let reference = |row: &Table| {
            let figures = figures(row.get(dataset)?);
            let method = text(row, "method")?;
            let name = match row.get("labelled_ratio").and_then(number) {
                Some(ratio) => format!("{method}, r_l = {ratio}"),
                None => method.to_owned(),
            };
            Some(Reference { name, figures })
        };
        self.rows(table).filter_map(reference).collect()
    }

    /// Tables 1 and 2: a system that the paper compares with, at a labelled ratio where the table has them.
    pub(crate) fn compared(&self, table: &str, dataset: &str, name: &str, ratio: f64) -> Figures {
        let row = self.rows(table).find(|row| {
            let no_ratio = !row.contains_key("labelled_ratio");
            text(row, "method") == Some(name) && (no_ratio || is(row, "labelled_ratio", ratio))
        });
        let found = row.and_then(|row| row.get(dataset));
        found.map(figures).unwrap_or_default()
    }

    /// Table 2 and, where it has the method alone, Table 3: means over categories.
    pub(crate) fn industrial_mean(&self, dataset: &str, method: &str) -> Figures {
        if method == "cka-patch" {
            let row = self
                .rows("table2")
                .find(|row| text(row, "method") == Some("CKAAD"));
            return row
                .and_then(|row| row.get(dataset))
                .map(figures)
                .unwrap_or_default();
        }
        self.strategy(dataset, method)
    }

    /// Tables 7 and 8: ours in a category.
    pub(crate) fn category(&self, dataset: &str, category: &str) -> Figures {
        let plain = |name: &str| name.replace('_', "");
        let row = self
            .rows(category_table(dataset))
            .find(|row| text(row, "category").is_some_and(|name| plain(name) == plain(category)));
        let list = |key: &str| {
            let list = row.and_then(|row| row.get(key)).and_then(Value::as_array);
            list.map(Vec::as_slice).unwrap_or_default()
        };
        let (means, stds) = (list("CKAAD"), list("CKAAD std"));
        PIXEL_KEYS
            .iter()
            .enumerate()
            .filter_map(|(index, key)| {
                let figure = PaperFigure {
                    mean: number(means.get(index)?)?,
                    std: stds.get(index).and_then(number),
                };
                Some(((*key).to_owned(), figure))
            })
            .collect()
    }

    /// Table 3: a strategy, at r_l = 0.05 and k = 1 where there are labels.
    pub(crate) fn strategy(&self, dataset: &str, method: &str) -> Figures {
        let name = match method {
            "recon" => "Recon",
            "recon-sub" => "ReconSub",
            "gan" => "GAN",
            "cka-img" => "CKAImg",
            _ => "CKAPatch",
        };
        let row = self
            .rows("table3")
            .find(|row| text(row, "strategy") == Some(name));
        row.and_then(|row| row.get(dataset))
            .map(figures)
            .unwrap_or_default()
    }

    /// Table 5: AUC of a system with one class of CIFAR-10 normal, or `mean`.
    pub(crate) fn cifar10(&self, class: &str, name: &str) -> Figures {
        let row = self
            .rows("table5")
            .find(|row| text(row, "method") == Some(name));
        let mean = row.and_then(|row| row.get(class)).and_then(number);
        mean.map(|mean| ("auc".to_owned(), PaperFigure { mean, std: None }))
            .into_iter()
            .collect()
    }

    /// The means of Table 5.
    pub(crate) fn cifar10_means(&self) -> Vec<Reference> {
        let reference = |row: &Table| {
            let mean = row.get("mean").and_then(number)?;
            Some(Reference {
                name: text(row, "method")?.to_owned(),
                figures: [("auc".to_owned(), PaperFigure { mean, std: None })].into(),
            })
        };
        self.rows("table5").filter_map(reference).collect()
    }

    /// Table 6: batch or instance norm.
    pub(crate) fn normalisation(&self, dataset: &str, ratio: f64, norm: &str) -> Figures {
        let row = self.rows("table6").find(|row| {
            text(row, "normalisation") == Some(norm) && is(row, "labelled_ratio", ratio)
        });
        row.and_then(|row| row.get(dataset))
            .map(figures)
            .unwrap_or_default()
    }
}

fn category_table(dataset: &str) -> &'static str {
    match dataset {
        "mvtec" => "table7",
        "visa" => "table8",
        // No table: a data set that the paper does not have.
        _ => "",
    }
}

fn text<'a>(row: &'a Table, key: &str) -> Option<&'a str> {
    row.get(key)?.as_str()
}

/// A number; those that the paper does not give are NaN in the file.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Float(number) => *number,
        Value::Integer(number) => *number as f64,
        _ => return None,
    };
    (!number.is_nan()).then_some(number)
}

fn is(row: &Table, key: &str, expected: f64) -> bool {
    row.get(key).and_then(number) == Some(expected)
}

fn figures(value: &Value) -> Figures {
    let figure = |(key, value): (&String, &Value)| {
        let mean = number(value)?;
        Some((key.clone(), PaperFigure { mean, std: None }))
    };
    value
        .as_table()
        .into_iter()
        .flatten()
        .filter_map(figure)
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn figures_are_found_in_every_table() {
        let paper = Paper::load().unwrap();
        let auc = paper.medical("chest_xray", 0.05)["auc"];
        assert_eq!((auc.mean, auc.std), (96.57, Some(0.03)));
        assert_eq!(paper.medical("chest_xray", 0.03).len(), 0);
        assert_eq!(paper.industrial_mean("visa", "cka-patch")["pro"].mean, 94.0);
        assert_eq!(paper.industrial_mean("mvtec", "recon")["pro"].mean, 94.4);
        assert_eq!(paper.category("mvtec", "metal_nut")["pro"].std, Some(0.19));
        assert_eq!(
            paper.category("visa", "chewinggum")["image_auroc"].mean,
            99.2
        );
        assert!(paper.category("magnetic_tile", "tile").is_empty());
        assert_eq!(paper.strategy("isic2018", "gan")["f1"].mean, 82.0);
        assert_eq!(paper.cifar10("cat", "CKAAD")["auc"].mean, 81.76);
        assert_eq!(
            paper.normalisation("br35h", 0.05, "batch")["acc"].mean,
            97.17
        );
    }

    #[test]
    fn a_column_leaves_out_what_the_paper_does_not_give() {
        let paper = Paper::load().unwrap();
        let names = |dataset| -> Vec<String> {
            let column = paper.column("table1", dataset);
            column.into_iter().map(|row| row.name).collect()
        };
        assert!(names("chest_xray").contains(&"AE-FLOW, r_l = 0".to_owned()));
        assert!(!names("br35h").contains(&"AE-FLOW, r_l = 0".to_owned()));
    }
}
