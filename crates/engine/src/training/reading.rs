//! Reading the images of a run.

use ckaad_data::{DataError, ImageStore, OnBad, Reading, Sample, StoreOptions};

use super::{Event, Observer};
use crate::{CheckedConfig, EngineError};

/// Every list, or one error that names the bad images of all.
pub(super) fn all_of<const N: usize>(
    lists: [Result<ImageStore, EngineError>; N],
) -> Result<[ImageStore; N], EngineError> {
    let (mut bad, mut total) = (Vec::new(), 0);
    let mut stores = Vec::with_capacity(N);
    for list in lists {
        match list {
            Err(EngineError::Data(DataError::UnreadableImages {
                bad: more,
                total: of,
            })) => {
                bad.extend(more);
                total += of;
            }
            list => {
                let store = list?;
                total += store.len();
                stores.push(store);
            }
        }
    }
    let stores = stores.try_into();
    stores.map_err(|_| DataError::UnreadableImages { bad, total }.into())
}

/// Decodes the images of a list.
pub(crate) fn load_images(
    samples: &[Sample],
    config: &CheckedConfig,
    reading: Reading,
    observer: Observer<'_>,
) -> Result<ImageStore, EngineError> {
    let options = StoreOptions {
        size: config.image_size,
        on_bad: if config.data.skip_bad {
            OnBad::Skip
        } else {
            OnBad::Fail
        },
        reading,
        ..StoreOptions::DEFAULT
    };
    let report = |done, total| {
        observer(Event::Progress {
            what: "reading images",
            done,
            total,
        });
    };
    let (store, skipped) = ImageStore::load(samples, options, Some(&report))?;
    if let Some(warning) = store.sixteen_bit().warning(&reading) {
        tracing::warn!("{warning}");
    }
    for skipped in skipped {
        tracing::warn!("left out: {}", skipped.error);
    }
    Ok(store)
}
