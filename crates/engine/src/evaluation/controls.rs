//! What the images of a run give away without any network, beside what its models say of them.

use ckaad_data::{ImageStore, Split, near_duplicates};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::CheckedConfig;
use crate::EngineError;
use crate::comparison::controls::{Control, Part, controls};
use crate::comparison::{ControlFigures, NearDuplicates, anomalous};
use crate::training::{Observer, load_images};

/// The controls of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ControlReport {
    /// Every control.
    pub figures: Vec<ControlFigures>,
    /// Images that are nearly the same as a training image.
    pub near_duplicates: NearDuplicates,
}

/// Every control on the images of a split, whose test images have been read.
pub(super) fn on_images(
    config: &CheckedConfig,
    split: &Split,
    test: &ImageStore,
    observer: Observer<'_>,
) -> Result<(Vec<Control>, NearDuplicates), EngineError> {
    let lists = [&split.normal, &split.labelled, &split.validation];
    let read = |list: &Vec<_>| load_images(list, config, split.reading, observer);
    let [normal, labelled, validation] = lists.map(read);
    let (normal, labelled, validation) = (normal?, labelled?, validation?);
    let labels = [&validation, test].map(anomalous);
    let part = |images, labels| Part { images, labels };
    let parts = [part(&validation, &labels[0]), part(test, &labels[1])];
    let labelled = Some(&labelled).filter(|labelled| !labelled.is_empty());
    let controls = controls(&normal, labelled, parts, split.reading)?;
    let trained: Vec<&ImageStore> = std::iter::once(&normal).chain(labelled).collect();
    let near = NearDuplicates {
        validation: near_duplicates(&validation, &trained),
        test: near_duplicates(test, &trained),
    };
    Ok((controls, near))
}
