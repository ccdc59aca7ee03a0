//! The values that flags take by name, so that `--help` lists them and a misspelt one is refused before anything runs.

use std::fmt::Display;

use ckaad_data::datasets::{Manifest, list};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Takes the names of `values` and nothing else.
pub(crate) fn named<T>(
    values: impl IntoIterator<Item = T> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = T>
where
    T: Display + Clone + Send + Sync + 'static,
{
    let values: Vec<T> = values.into_iter().collect();
    one_of(&values).map(move |name| {
        let named = values.iter().find(|value| value.to_string() == name);
        named
            .unwrap_or_else(|| unreachable!("only names of values are let through"))
            .clone()
    })
}

/// Takes some names and nothing else.
fn one_of<T: ToString>(values: &[T]) -> PossibleValuesParser {
    PossibleValuesParser::new(values.iter().map(ToString::to_string).collect::<Vec<_>>())
}

/// Takes the name of a benchmark.
pub(crate) fn benchmark() -> PossibleValuesParser {
    // The list is part of the program. Were it broken, there would be no names, and `datasets list` would say why.
    let manifests = list().unwrap_or_default();
    let names: Vec<_> = manifests.iter().map(|Manifest { name, .. }| name).collect();
    one_of(&names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ckaad_backbone::{Precision, ResNetVariant};
    use ckaad_data::Layout;
    use ckaad_detectors::ckaad::Method;
    use ckaad_engine::config::{AnomalySource, Preset};
    use serde::de::DeserializeOwned;

    use super::*;

    /// The variants of `T` by the names in configurations: the refusal of a name that no variant has quotes all of them.
    fn names_read_by<T: DeserializeOwned>() -> Vec<String> {
        let refusal = serde_json::from_str::<T>("\"no such name\"").err().unwrap();
        let refusal = refusal.to_string();
        let quoted: Vec<&str> = refusal.split('`').skip(1).step_by(2).collect();
        assert_eq!(quoted[0], "no such name", "{refusal}");
        quoted[1..].iter().map(ToString::to_string).collect()
    }

    fn names(values: &[impl ToString]) -> Vec<String> {
        values.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn flags_take_the_names_that_configurations_take() {
        assert_eq!(names(&Preset::ALL), names_read_by::<Preset>());
        assert_eq!(names(&AnomalySource::ALL), names_read_by::<AnomalySource>());
        assert_eq!(names(&Precision::ALL), names_read_by::<Precision>());
        assert_eq!(names(&Method::ALL), names_read_by::<Method>());
        assert_eq!(names(&Layout::ALL), names_read_by::<Layout>());
        for variant in ResNetVariant::ALL {
            let read: ResNetVariant = serde_json::from_str(&format!("\"{variant}\"")).unwrap();
            assert_eq!(read, variant);
        }
    }

    #[test]
    fn there_are_benchmarks() {
        assert!(list().is_ok_and(|manifests| !manifests.is_empty()));
    }
}
