//! VisA: `split_csv/1cls.csv` with the columns object, split, label, image, mask; paths are relative to the root.

use std::path::{Path, PathBuf};

use super::{Dataset, Layout, choose};
use crate::error::DataError;
use crate::find_files::{Resolver, unwrap_root};
use crate::sample::{Label, Sample};
use crate::table::Table;

const HINT: &str = "the layout visa is split_csv/1cls.csv beside the folders of the objects";
const SPLIT: &str = "split_csv/1cls.csv";

/// The root and its table.
fn read_table(root: &Path) -> Result<(PathBuf, Table), DataError> {
    let root = unwrap_root(root, SPLIT, HINT, |folder| Ok(folder.join(SPLIT).is_file()))?;
    let table = Table::read(&root.join(SPLIT))?;
    Ok((root, table))
}

/// The objects in the order of the table.
fn objects(table: &Table) -> Result<Vec<String>, DataError> {
    let object = table.require("object")?;
    let mut found: Vec<String> = Vec::new();
    for row in table.rows() {
        let name = table.cell(row, object);
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}

pub(super) fn categories(root: &Path) -> Result<Vec<String>, DataError> {
    objects(&read_table(root)?.1)
}

pub(super) fn open(root: &Path, category: Option<&str>) -> Result<Dataset, DataError> {
    let (root, table) = read_table(root)?;
    let chosen = choose(&root, objects(&table)?, category)?;
    let [object, split, label, image, mask] =
        ["object", "split", "label", "image", "mask"].map(|name| table.require(name));
    let (object, split, label, image, mask) = (object?, split?, label?, image?, mask?);
    let mut resolver = Resolver::new(&root);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for row in table
        .rows()
        .iter()
        .filter(|row| table.cell(row, object) == chosen)
    {
        let class = table.cell(row, label);
        let label = match class {
            "normal" => Label::Normal,
            "anomaly" => Label::Anomalous,
            other => {
                return Err(table.error(
                    row,
                    format!("label \"{other}\" is neither normal nor anomaly"),
                ));
            }
        };
        let find = |resolver: &mut Resolver, name: &str| {
            resolver
                .find(name)?
                .ok_or_else(|| table.error(row, format!("{name} does not exist")))
        };
        let path = find(&mut resolver, table.cell(row, image))?;
        let masks = match table.cell(row, mask) {
            "" => Vec::new(),
            name => vec![find(&mut resolver, name)?],
        };
        let sample = Sample {
            masks,
            ..Sample::new(path, label, class)
        };
        match table.cell(row, split) {
            "train" => train.push(sample),
            "test" => test.push(sample),
            other => {
                return Err(
                    table.error(row, format!("split \"{other}\" is neither train nor test"))
                );
            }
        }
    }
    Ok(Dataset::new(
        format!("visa/{chosen}"),
        Layout::Visa,
        train,
        test,
    ))
}
