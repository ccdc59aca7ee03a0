use std::path::PathBuf;

use ckaad_data::{
    DataAccount, Dataset, FolderSource, ImageStore, Layout, MaskRule, Split, check_content,
    check_masks,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Config, EngineError, RunFolder};

/// Test images that a run was not trained with, or that have moved since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestFolder {
    /// One sub-folder per class.
    #[serde(rename = "test_folder")]
    pub images: PathBuf,
    /// The masks, where they do not lie beside the images.
    #[serde(
        rename = "test_masks",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub masks: Option<PathBuf>,
    /// The class that is normal, where its folder has none of the usual names.
    #[serde(
        rename = "test_normal_class",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub normal_class: Option<String>,
    /// When a pixel of a mask is anomalous; by default as the run says.
    #[serde(
        rename = "test_mask_rule",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub mask_rule: Option<MaskRule>,
}

/// The images of a run, with those of `test` in the place of its test images.
pub(super) fn split_of(
    run: &RunFolder,
    config: &Config,
    test: Option<&TestFolder>,
) -> Result<Split, EngineError> {
    let mut split = Split::read(&run.split())?;
    match test {
        Some(test) => replace(&mut split, config, test)?,
        // Those that are gone are left out then, as those that are damaged.
        None if config.data.skip_bad => {}
        None => check_in_place(&split, run)?,
    }
    if split.test.is_empty() {
        let path = run.path().display();
        return Err(EngineError::NoImages {
            reason: "the run has no test images".to_owned(),
            hint: format!(
                "name some (`ckaad evaluate {path} --test DIR`), or score images by `ckaad predict {path} IMAGES --out DIR`"
            ),
        });
    }
    Ok(split)
}

fn replace(split: &mut Split, config: &Config, test: &TestFolder) -> Result<(), EngineError> {
    let dataset = list_in_place_of(split, config, test)?;
    let found = dataset.account();
    tracing::info!("found {found}");
    split.check_leak()?;
    let only_test = Split {
        validation: Vec::new(),
        ..split.clone()
    };
    let of_masks = check_masks(&only_test, config.image_size)?;
    let of_content = check_content(split);
    let findings = [dataset.findings, of_masks, of_content].concat();
    for finding in &findings {
        tracing::warn!("{finding}");
    }
    split.account = DataAccount { found, findings };
    Ok(())
}

/// Puts the images of a folder into the place of the test images.
pub(super) fn list_in_place_of(
    split: &mut Split,
    config: &Config,
    test: &TestFolder,
) -> Result<Dataset, EngineError> {
    let folders = config.data.folders.clone().unwrap_or_default();
    let dataset = Dataset::test_of_folders(&FolderSource {
        test: Some(test.images.clone()),
        masks: test.masks.clone(),
        normal_class: test.normal_class.clone().or(folders.normal_class),
        ..folders
    })?;
    split.mask_resize = Layout::Folder.mask_resize();
    split.mask_rule = test.mask_rule.unwrap_or(split.mask_rule);
    split.test.clone_from(&dataset.test);
    Ok(dataset)
}

/// Images that are gone have probably moved; what is damaged is told apart when it is read.
fn check_in_place(split: &Split, run: &RunFolder) -> Result<(), EngineError> {
    let mut gone = split
        .test
        .iter()
        .filter(|sample| !sample.path.file().exists());
    let Some(first) = gone.next() else {
        return Ok(());
    };
    Err(EngineError::NoImages {
        reason: format!(
            "{} of the {} test images are no longer where they were, such as {}",
            gone.count() + 1,
            split.test.len(),
            first.path,
        ),
        hint: format!(
            "name their new place: `ckaad evaluate {} --test DIR` (and --masks DIR)",
            run.path().display()
        ),
    })
}

/// The test images that could not be read. Those that could are in the order of the split.
pub(super) fn unread(split: &Split, store: &ImageStore) -> Vec<String> {
    let mut read = store.samples().iter().peekable();
    // Those that were read have a digest besides.
    let unread = split.test.iter().filter(|sample| {
        let is = read.next_if(|read| read.path == sample.path);
        is.is_none()
    });
    unread.map(|sample| sample.path.to_string()).collect()
}
