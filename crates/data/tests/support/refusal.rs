//! What tests of hostile files share.

use std::path::Path;

use ckaad_data::*;

pub(crate) fn load(path: &Path) -> Result<Image, DataError> {
    load_image(&Source::from(path), 64)
}

/// The message of an error that must name the file.
pub(crate) fn refusal(path: &Path) -> String {
    let message = load(path)
        .expect_err(&path.display().to_string())
        .to_string();
    assert!(
        message.contains(path.file_name().unwrap().to_str().unwrap()),
        "{message}"
    );
    message
}
