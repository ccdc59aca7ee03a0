//! What tells runs apart.

use std::collections::BTreeMap;

use ckaad_engine::Config;
use serde_json::Value;

/// Settings that make no other kind of run: which images, which draw, and where things are kept.
const ASIDE: [&str; 6] = [
    "seed",
    "preset",
    "weights",
    "data",
    "feature_cache_mib",
    "feature_cache_dir",
];

/// A name for each run: its detector, and the settings in which runs of this detector differ, whatever their seeds and images.
pub(super) fn kinds(configs: &[&Config]) -> anyhow::Result<Vec<String>> {
    let all: Vec<BTreeMap<String, String>> = configs
        .iter()
        .map(|config| Ok(flat(&serde_json::to_value(config)?)))
        .collect::<anyhow::Result<_>>()?;
    let of_kin = |name: &str| {
        let runs = configs.iter().zip(&all);
        let kin = runs.filter(move |(config, _)| config.detector.name() == name);
        kin.map(|(_, settings)| settings).collect::<Vec<_>>()
    };
    let name = |(config, settings): (&&Config, &BTreeMap<String, String>)| {
        let detector = config.detector.name();
        let kin = of_kin(detector);
        let mut keys: Vec<&String> = kin.iter().flat_map(|settings| settings.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| kin.iter().any(|other| other.get(*key) != kin[0].get(*key)));
        let differ = keys.into_iter().map(|key| {
            let short = key.rsplit('.').next().unwrap_or(key);
            let value = settings.get(key).map_or("none", String::as_str);
            format!(", {short} {value}")
        });
        format!("{detector}{}", differ.collect::<String>())
    };
    Ok(configs.iter().zip(&all).map(name).collect())
}

/// Every setting by its whole key.
fn flat(settings: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Value::Object(table) = settings else {
        return found;
    };
    for (key, value) in table {
        if !ASIDE.contains(&key.as_str()) {
            flatten(key, value, &mut found);
        }
    }
    found
}

fn flatten(key: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(table) => table
            .iter()
            .for_each(|(name, value)| flatten(&format!("{key}.{name}"), value, found)),
        Value::String(text) => drop(found.insert(key.to_owned(), text.clone())),
        other => drop(found.insert(key.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ckaad_engine::Overrides;

    use super::*;

    fn config(settings: &str) -> Config {
        let text = format!("{settings}\n[data]\nlayout = \"folder\"\nroot = \"x\"");
        let overrides = Overrides {
            table: text.parse().unwrap(),
            ..Overrides::default()
        };
        Config::resolve(None, overrides).unwrap().into_inner()
    }

    #[test]
    fn only_what_differs_among_runs_of_a_detector_is_named() {
        let configs = [
            "seed = 1\ndetector.name = \"probe\"\nlabelled_ratio = 0.05",
            "seed = 2\ndetector.name = \"probe\"\nlabelled_ratio = 0.1",
            "seed = 3\ndetector.name = \"gaussian\"",
            "detector.method = \"recon\"",
            "detector.method = \"cka-patch\"",
        ]
        .map(config);
        let configs: Vec<&Config> = configs.iter().collect();
        assert_eq!(
            kinds(&configs).unwrap(),
            [
                "probe, labelled_ratio 0.05",
                "probe, labelled_ratio 0.1",
                "gaussian",
                "ckaad, method recon",
                "ckaad, method cka-patch"
            ]
        );
    }
}
