//! Settings from several places, laid over each other.

use std::path::Path;

use ckaad_backbone::Precision;
use ckaad_detectors::Passes;
use toml::{Table, Value};

use super::own_folders;
use super::tables::{lay_over, make_absolute};
use super::{CheckedConfig, Config, Overrides, Preset};
use crate::EngineError;
use crate::training::FeaturePrecision;

/// Greatest size of a configuration in bytes.
const FILE_LIMIT: u64 = 1 << 20;
/// Settings that stood beside all others before every detector had settings of its own.
const MOVED: [&str; 8] = [
    "method",
    "norm",
    "image_score",
    "learning_rate",
    "discriminator_learning_rate",
    "lambda",
    "gamma",
    "margin",
];

impl Config {
    /// The settings of a run: those of the preset (if none is named, one that suits the images), over them what suits folders of
    /// one's own if the images are there, over them those of `file`, over them `overrides`. Relative paths in the file are meant
    /// from the file's folder, others from the current one; all become absolute, so that the run can be gone on with from anywhere.
    ///
    /// # Errors
    /// [`EngineError::Config`] for an unreadable file, an unknown key or a value of the wrong type, and those of [`check`](Self::check).
    pub fn resolve(
        file: Option<&Path>,
        overrides: Overrides,
    ) -> Result<CheckedConfig, EngineError> {
        Self::laid_over(file, overrides)?.check()
    }

    /// [`resolve`](Self::resolve) for every detector of a list of `[detector]` tables, with the same other settings, but for a preset that suits one of
    /// them. The number of epochs is meant for those that have epochs; settings in `overrides` and `file` that name a detector are that one's alone.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn resolve_each(
        file: Option<&Path>,
        overrides: &Overrides,
        detectors: &[Table],
    ) -> Result<Vec<CheckedConfig>, EngineError> {
        let each = |detector: &Table| {
            let mut overrides = overrides.clone();
            let name = detector.get("name");
            overrides.detector = name.and_then(Value::as_str).map(str::to_owned);
            let given = overrides.table.remove("detector");
            let mut settings = detector.clone();
            if let Some(Value::Table(given)) = given
                && (!given.contains_key("name") || given.get("name") == name)
            {
                lay_over(&mut settings, given);
            }
            overrides
                .table
                .insert("detector".to_owned(), Value::Table(settings));
            let mut config = Self::laid_over(file, overrides)?;
            if config.detector.needs().passes == Passes::Once {
                config.epochs = 1;
            }
            config.check()
        };
        detectors.iter().map(each).collect()
    }

    fn laid_over(file: Option<&Path>, overrides: Overrides) -> Result<Self, EngineError> {
        let here = std::env::current_dir().map_err(EngineError::io(Path::new("."), "find"))?;
        let mut given = Table::new();
        if let Some(path) = file {
            let mut table = table(&ckaad_files::read(path, FILE_LIMIT)?, path)?;
            let folder = path.parent().unwrap_or(Path::new(""));
            make_absolute(&mut table, &here.join(folder));
            lay_over(&mut given, table);
        }
        if let Some(name) = &overrides.detector {
            lay_over(&mut given, detector_named(name));
        }
        let mut table = overrides.table.clone();
        refuse_moved(None, &table)?;
        make_absolute(&mut table, &here);
        lay_over(&mut given, table);

        let preset = match (overrides.preset, given.get("preset")) {
            (Some(preset), _) => preset,
            (None, Some(value)) => value
                .clone()
                .try_into()
                .map_err(|error| EngineError::config(file, error))?,
            (None, None) if own_folders::suit_short(&given, &overrides) => Preset::Short,
            (None, None) => Preset::default(),
        };
        let mut table: Table = preset
            .table()
            .parse()
            .map_err(|error: toml::de::Error| EngineError::config(None, error))?;
        lay_over(&mut table, own_folders::settings(&given, &overrides));
        let says_epochs = given.contains_key("epochs") || overrides.epochs.is_some();
        let says_few_images = given.contains_key("few_images");
        let says_feature_precision = given.contains_key("feature_precision");
        lay_over(&mut table, given);
        let mut config: Self = Value::Table(table)
            .try_into()
            .map_err(|error| EngineError::config(file, error))?;
        config.preset = preset;
        overrides.apply(&mut config);
        if !says_epochs && config.detector.needs().passes == Passes::Once {
            config.epochs = 1;
        }
        if says_epochs && !says_few_images {
            config.few_images = 0;
        }
        if !says_feature_precision && config.precision == Precision::Bf16 {
            config.feature_precision = FeaturePrecision::F16;
        }
        Ok(config)
    }

    /// Reads the resolved settings of a run.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn read(path: &Path) -> Result<CheckedConfig, EngineError> {
        Self::parse(&ckaad_files::read(path, FILE_LIMIT)?, path)
    }

    /// [`read`](Self::read) from bytes; `path` is for messages.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<CheckedConfig, EngineError> {
        let config: Self = Value::Table(table(bytes, path)?)
            .try_into()
            .map_err(|error| EngineError::config(Some(path), error))?;
        config.check()
    }
}

fn table(bytes: &[u8], path: &Path) -> Result<Table, EngineError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        EngineError::config(
            Some(path),
            format!("byte {at} is not UTF-8; save it as UTF-8"),
        )
    })?;
    let table = text
        .parse()
        .map_err(|error: toml::de::Error| EngineError::config(Some(path), error))?;
    refuse_moved(Some(path), &table)?;
    Ok(table)
}

fn refuse_moved(path: Option<&Path>, table: &Table) -> Result<(), EngineError> {
    match MOVED.into_iter().find(|key| table.contains_key(*key)) {
        Some(key) => Err(EngineError::config(
            path,
            format!(
                "`{key}` is a setting of the detector now: write detector.{key}, or {key} in the table [detector]"
            ),
        )),
        None => Ok(()),
    }
}

fn detector_named(name: &str) -> Table {
    let name = Table::from_iter([("name".to_owned(), Value::String(name.to_owned()))]);
    Table::from_iter([("detector".to_owned(), Value::Table(name))])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use toml::toml;

    fn data() -> Table {
        toml! { data = { layout = "folder", root = "images" } }
    }

    fn resolved(table: Table) -> Result<CheckedConfig, EngineError> {
        let overrides = Overrides {
            table,
            ..Overrides::default()
        };
        Config::resolve(None, overrides)
    }

    #[test]
    fn later_places_win_and_tables_are_merged() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.toml");
        std::fs::write(
            &file,
            "validation = \"none\"\nbatch = 8\n[data]\nlayout = \"folder\"\nroot = \"images\"\n",
        )
        .unwrap();
        let overrides = Overrides {
            table: toml! { batch = 2 elastic = { alpha = 50.0 } data = { skip_bad = true } },
            batch: Some(4),
            image_size: Some(128),
            ..Overrides::default()
        };
        let config = Config::resolve(Some(&file), overrides).unwrap();
        assert_eq!(config.validation, ckaad_data::ValidationRule::None);
        assert_eq!(
            (config.batch, config.epochs, config.image_size),
            (2, 200, 128)
        );
        assert_eq!((config.elastic.alpha, config.elastic.sigma), (50.0, 5.0));
        assert!(config.data.skip_bad);
        assert_eq!(config.data.root, Some(folder.path().join("images")));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (settings, expected) in [
            (toml! { stages = [1, 3] }, "must be consecutive"),
            (toml! { image_size = 24 }, "multiple of 32"),
            (
                toml! { image_size = 24 detector = { name = "gaussian" } },
                "multiple of 16",
            ),
            (toml! { image_size = 32 }, "at least 64"),
            (
                toml! { image_size = 96 detector = { method = "gan" } },
                "power of two",
            ),
            (toml! { detector = { gamma = 1.5 } }, "detector.gamma = 1.5"),
            (toml! { gamma = 0.5 }, "detector.gamma"),
            (toml! { detector = { epoch = 3 } }, "unknown field `epoch`"),
            (toml! { preset = "dental" }, "dental"),
        ] {
            let mut all = data();
            lay_over(&mut all, settings);
            let error = resolved(all).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn features_for_products_of_bf16_are_kept_in_half_precision() {
        for (settings, expected) in [
            (toml! { seed = 1 }, FeaturePrecision::F32),
            (toml! { precision = "tf32" }, FeaturePrecision::F32),
            (toml! { precision = "bf16" }, FeaturePrecision::F16),
            (
                toml! { precision = "bf16" feature_precision = "f32" },
                FeaturePrecision::F32,
            ),
        ] {
            let mut all = data();
            lay_over(&mut all, settings);
            assert_eq!(resolved(all).unwrap().feature_precision, expected);
        }
    }

    #[test]
    fn every_preset_is_complete_and_round_trips() {
        for preset in Preset::ALL.map(|preset| preset.to_string()) {
            let mut settings = data();
            settings.insert("preset".to_owned(), Value::String(preset));
            let config = resolved(settings).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("config.toml");
            std::fs::write(&path, config.to_toml().unwrap()).unwrap();
            assert_eq!(Config::read(&path).unwrap(), config);
        }
    }
}
