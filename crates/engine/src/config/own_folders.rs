//! What to start from with folders of one's own.

use ckaad_detectors::ckaad::Method;
use toml::{Table, Value};

use super::{AnomalySource, Overrides};

/// Labelled anomalies if there are any, else ones that an elastic transform makes; and normal images held out for a
/// threshold that keeps its promise.
pub(super) fn settings(given: &Table, overrides: &Overrides) -> Table {
    match have_anomalous(given, overrides) {
        Some(true) => {
            toml::toml! { anomalies = "labelled" validation = "balanced" calibration = 0.25 }
        }
        Some(false) => {
            toml::toml! { anomalies = "elastic" validation = "none" calibration = 0.25 }
        }
        None => Table::new(),
    }
}

/// Whether the preset `short` is meant where none is named: for what it was measured with, the paper's method on labelled anomalies.
pub(super) fn suit_short(given: &Table, overrides: &Overrides) -> bool {
    let detector = |key: &str| given.get("detector").and_then(|of| of.get(key));
    let is = |value: Option<&Value>, expected: &str| {
        value.is_none_or(|value| value.as_str() == Some(expected))
    };
    let labelled = match overrides.anomalies {
        Some(source) if !given.contains_key("anomalies") => source == AnomalySource::Labelled,
        _ => is(given.get("anomalies"), "labelled"),
    };
    have_anomalous(given, overrides) == Some(true)
        && labelled
        && is(detector("name"), "ckaad")
        && is(detector("method"), &Method::CkaPatch.to_string())
}

/// Whether there are anomalous images to train on; `None` if the images are in no folders of one's own.
fn have_anomalous(given: &Table, overrides: &Overrides) -> Option<bool> {
    if let Some(folders) = &overrides.data.folders {
        return Some(folders.anomalous.is_some());
    }
    let folders = given.get("data")?.get("folders")?;
    Some(folders.get("anomalous").is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use toml::toml;

    use super::*;
    use crate::Config;
    use crate::config::{CheckedConfig, Preset, lay_over};

    fn resolved(settings: Table) -> CheckedConfig {
        let mut table = toml! { data = { folders = { normal = "good", anomalous = "bad" } } };
        lay_over(&mut table, settings);
        let overrides = Overrides {
            table,
            ..Overrides::default()
        };
        Config::resolve(None, overrides).unwrap()
    }

    #[test]
    fn the_short_preset_is_for_what_it_was_measured_with() {
        let short = resolved(Table::new());
        assert_eq!(short.preset, Preset::Short);
        assert_eq!((short.batch, short.epochs), (16, 20));
        assert_eq!((short.few_images, short.calibration), (750, 0.25));
        for other in [
            toml! { preset = "medical" },
            toml! { anomalies = "elastic" },
            toml! { detector = { name = "rd4ad" } },
            toml! { detector = { method = "gan" } },
        ] {
            let config = resolved(other);
            assert_eq!(config.preset, Preset::Medical);
            assert_eq!((config.batch, config.few_images), (64, 0));
        }
        let without = toml! { data = { folders = { normal = "good" } } };
        let overrides = Overrides {
            table: without,
            ..Overrides::default()
        };
        let config = Config::resolve(None, overrides).unwrap();
        assert_eq!(config.preset, Preset::Medical);
    }

    #[test]
    fn epochs_given_by_hand_are_not_added_to() {
        let given = resolved(toml! { epochs = 3 });
        assert_eq!((given.preset, given.epochs), (Preset::Short, 3));
        assert_eq!(given.few_images, 0);
    }
}
