//! What two configurations would learn differently.

use toml::{Table, Value};

use super::{Config, DataConfig, Preset};
use crate::EngineError;

/// A setting that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    /// Its key, with those of its tables before it.
    pub(crate) key: String,
    /// Its values, as in a file.
    pub(crate) values: [String; 2],
}

impl Config {
    /// The first setting that differs from `other` among those that decide what a run learns. How long it learns, where images, weights and
    /// features lie, and which preset the settings came from, does not.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub(crate) fn difference(&self, other: &Self) -> Result<Option<Difference>, EngineError> {
        Ok(first("", &self.deciding()?, &other.deciding()?))
    }

    fn deciding(&self) -> Result<Table, EngineError> {
        let deciding = Self {
            preset: Preset::default(),
            epochs: 0,
            few_images: 0,
            weights: None,
            feature_cache_mib: 0,
            feature_cache_dir: None,
            data: DataConfig::default(),
            ..self.clone()
        };
        Table::try_from(deciding).map_err(|error| EngineError::config(None, error))
    }
}

/// The first difference between two tables, whose keys come after `prefix`.
fn first(prefix: &str, a: &Table, b: &Table) -> Option<Difference> {
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    keys.into_iter()
        .find_map(|key| match (a.get(key), b.get(key)) {
            (Some(Value::Table(a)), Some(Value::Table(b))) => {
                first(&format!("{prefix}{key}."), a, b)
            }
            (a, b) if a == b => None,
            (a, b) => {
                let text =
                    |value: Option<&Value>| value.map_or("not set".to_owned(), Value::to_string);
                Some(Difference {
                    key: format!("{prefix}{key}"),
                    values: [text(a), text(b)],
                })
            }
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Overrides;

    fn config(table: Table) -> Config {
        let mut all = toml::toml! { data = { layout = "folder", root = "images" } };
        super::super::lay_over(&mut all, table);
        let overrides = Overrides {
            table: all,
            ..Overrides::default()
        };
        Config::resolve(None, overrides).unwrap().into_inner()
    }

    #[test]
    fn what_decides_is_named_and_the_rest_is_not() {
        let run = config(Table::new());
        let same = config(toml::toml! {
            epochs = 7
            feature_cache_mib = 1
            weights = "elsewhere.pth"
            data = { root = "moved" }
        });
        assert_eq!(run.difference(&same).unwrap(), None);
        let other = config(toml::toml! { detector = { margin = 4.0 } });
        let found = run.difference(&other).unwrap().unwrap();
        assert_eq!(found.key, "detector.margin");
        assert_eq!(found.values, ["5.0", "4.0"]);
        let other = config(toml::toml! { labelled_ratio = 0.5 });
        let found = run.difference(&other).unwrap().unwrap();
        assert_eq!(found.values, ["not set", "0.5"]);
    }
}
