//! Settings from several places, laid over each other.

use std::path::Path;

use toml::{Table, Value};

use crate::{Config, EngineError, Preset};

impl Config {
    /// The settings of a run: those of the preset, over them `defaults` (what a caller would rather start from), over them
    /// those of `file`, over them `overrides`. Relative paths in the file are meant from the file's folder, others from the
    /// current one; all become absolute, so that the run can be gone on with from anywhere.
    ///
    /// # Errors
    /// [`EngineError::Config`] for an unreadable file, an unknown key or a value of the wrong type;
    /// [`EngineError::Setting`] for an impossible value.
    pub fn resolve(
        file: Option<&Path>,
        defaults: Table,
        mut overrides: Table,
    ) -> Result<Self, EngineError> {
        let here = std::env::current_dir().map_err(EngineError::io(Path::new("."), "find"))?;
        let mut given = defaults;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(EngineError::io(path, "read"))?;
            let mut table: Table = text.parse().map_err(|error| config_error(file, error))?;
            let folder = path.parent().unwrap_or(Path::new(""));
            make_absolute(&mut table, &here.join(folder));
            merge(&mut given, table);
        }
        make_absolute(&mut overrides, &here);
        merge(&mut given, overrides);
        let preset: Preset = match given.get("preset") {
            None => Preset::default(),
            Some(value) => value
                .clone()
                .try_into()
                .map_err(|error| config_error(file, error))?,
        };
        let mut table: Table = preset
            .table()
            .parse()
            .map_err(|error| config_error(None, error))?;
        merge(&mut table, given);
        let config: Self = Value::Table(table)
            .try_into()
            .map_err(|error| config_error(file, error))?;
        config.validate()?;
        Ok(config)
    }

    /// Reads the resolved settings of a run.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn read(path: &Path) -> Result<Self, EngineError> {
        let text = std::fs::read_to_string(path).map_err(EngineError::io(path, "read"))?;
        let config: Self =
            toml::from_str(&text).map_err(|error| config_error(Some(path), error))?;
        config.validate()?;
        Ok(config)
    }
}

/// Lays the entries of `over` over `base`; tables are merged, everything else is replaced.
pub fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Joins every path among the settings to `folder`; absolute ones stay as they are.
fn make_absolute(settings: &mut Table, folder: &Path) {
    let join = |table: &mut Table, key: &str| {
        if let Some(Value::String(path)) = table.get_mut(key)
            && let Some(joined) = folder.join(path.as_str()).to_str()
        {
            *path = joined.to_owned();
        }
    };
    join(settings, "weights");
    join(settings, "feature_cache_dir");
    let Some(Value::Table(data)) = settings.get_mut("data") else {
        return;
    };
    join(data, "root");
    join(data, "split");
    if let Some(Value::Table(folders)) = data.get_mut("folders") {
        for key in ["normal", "anomalous", "test", "masks"] {
            join(folders, key);
        }
    }
}

fn config_error(path: Option<&Path>, error: impl ToString) -> EngineError {
    EngineError::Config {
        path: path.map(Path::to_owned),
        reason: error.to_string().trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use toml::toml;

    fn data() -> Table {
        toml! { data = { layout = "folder", root = "images" } }
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
        let defaults = toml! { validation = "normal-only" batch = 4 anomalies = "elastic" };
        let overrides = toml! { batch = 2 elastic = { alpha = 50.0 } data = { skip_bad = true } };
        let config = Config::resolve(Some(&file), defaults, overrides).unwrap();
        assert_eq!(config.validation, ckaad_data::ValidationRule::None);
        assert_eq!((config.batch, config.epochs), (2, 200));
        assert_eq!((config.elastic.alpha, config.elastic.sigma), (50.0, 5.0));
        assert!(config.data.skip_bad);
        assert_eq!(config.data.root.unwrap(), folder.path().join("images"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (settings, expected) in [
            (toml! { stages = [1, 3] }, "must be consecutive"),
            (toml! { image_size = 32 }, "at least 64"),
            (toml! { image_size = 96 method = "gan" }, "power of two"),
            (toml! { gamma = 1.5 }, "gamma = 1.5"),
            (toml! { preset = "dental" }, "dental"),
        ] {
            let mut all = data();
            merge(&mut all, settings);
            let error = Config::resolve(None, Table::new(), all)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn every_preset_is_complete_and_round_trips() {
        for preset in ["medical", "industrial", "cifar10"] {
            let mut settings = data();
            settings.insert("preset".to_owned(), Value::String(preset.to_owned()));
            let config = Config::resolve(None, Table::new(), settings).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("config.toml");
            std::fs::write(&path, config.to_toml().unwrap()).unwrap();
            assert_eq!(Config::read(&path).unwrap(), config);
        }
    }
}
