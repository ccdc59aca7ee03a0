//! Br35H: `{yes,no}/*.jpg`, no split of its own.
//!
//! The first 80 % of each class train, the rest test, in the *bytewise* order of the file names. The order must be fixed because copies
//! mix `No12.jpg` and `no999.jpg`: bytewise puts every capital before every small letter.

use std::path::Path;

use super::{Dataset, Layout};
use crate::error::DataError;
use crate::find_files::{require_images, require_subfolder, subfolder, unwrap_root};
use crate::sample::{Label, Sample};

const HINT: &str = "the layout br35h is {yes,no}/*.jpg";

pub(super) fn open(root: &Path) -> Result<Dataset, DataError> {
    let root = unwrap_root(root, "folders yes and no", HINT, |folder| {
        Ok(subfolder(folder, "yes")?.is_some() && subfolder(folder, "no")?.is_some())
    })?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (class, label) in [("no", Label::Normal), ("yes", Label::Anomalous)] {
        let mut images = require_images(&require_subfolder(&root, class, HINT)?)?;
        let rest = images.split_off(images.len() * 4 / 5);
        train.extend(
            images
                .into_iter()
                .map(|path| Sample::new(path, label, class)),
        );
        test.extend(rest.into_iter().map(|path| Sample::new(path, label, class)));
    }
    Ok(Dataset::new("br35h", Layout::Br35h, train, test))
}
