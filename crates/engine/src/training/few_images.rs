//! How many epochs few images take.

use ckaad_detectors::Passes;

use crate::config::EPOCHS;
use crate::{CheckedConfig, EngineError};

/// `config` with the epochs that so many normal images take: `epochs sqrt(few_images / normal)` where they are fewer than `few_images`, which is 0
/// then: a run with these settings has as many.
pub(crate) fn with_epochs_for(
    config: &CheckedConfig,
    normal: usize,
) -> Result<CheckedConfig, EngineError> {
    let mut config = config.clone().into_inner();
    let few = std::mem::take(&mut config.few_images);
    if normal < few && config.detector.needs().passes != Passes::Once {
        let times = (few as f64 / normal.max(1) as f64).sqrt();
        let epochs = ((config.epochs as f64 * times).round() as usize).min(EPOCHS);
        tracing::info!(
            "{normal} normal images are few: {epochs} epochs instead of {}",
            config.epochs
        );
        config.epochs = epochs;
    }
    config.check()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Config, Overrides};

    fn epochs(settings: toml::Table, normal: usize) -> usize {
        let mut table = toml::toml! { data = { layout = "folder", root = "images" } };
        crate::config::lay_over(&mut table, settings);
        let overrides = Overrides {
            table,
            ..Overrides::default()
        };
        let config = Config::resolve(None, overrides).unwrap();
        let config = with_epochs_for(&config, normal).unwrap();
        assert_eq!(with_epochs_for(&config, 1).unwrap(), config);
        config.epochs
    }

    #[test]
    fn few_images_take_more_epochs() {
        for (normal, expected) in [(1281, 20), (750, 20), (200, 39), (40, 87), (1, 548)] {
            let short = toml::toml! { preset = "short" };
            assert_eq!(epochs(short, normal), expected, "{normal} images");
        }
        let by_hand = toml::toml! { preset = "short" epochs = 3 };
        assert_eq!(epochs(by_hand, 40), 3);
        let both = toml::toml! { epochs = 3 few_images = 40 };
        assert_eq!(epochs(both, 10), 6);
        assert_eq!(epochs(toml::toml! { preset = "medical" }, 10), 200);
        let once = toml::toml! { few_images = 40 detector = { name = "gaussian" } };
        assert_eq!(epochs(once, 10), 1);
        let most = toml::toml! { epochs = 1_000_000 few_images = 40 };
        assert_eq!(epochs(most, 10), EPOCHS);
    }
}
