//! Which rows a table has: methods of CKAAD, other detectors, controls.

use anyhow::ensure;
use ckaad_data::CONTROLS;
use toml::{Table, Value};

use super::builder::Builder;
use super::grid::{OF_THE_DETECTOR, Row};
use super::paper::Figures;
use super::settings::Detector;

/// CKAAD, among detectors.
const CKAAD: &str = "ckaad";

impl Builder<'_> {
    /// The methods of CKAAD asked for, or these, and the other detectors asked for.
    pub(crate) fn systems(&self, methods: &[&str]) -> anyhow::Result<Vec<String>> {
        let known = &self.settings.detectors;
        let mut systems = Vec::new();
        let given = self.choice.detectors.as_slice();
        let all = given.iter().any(|name| name == "all");
        if given.is_empty() || all || given.iter().any(|name| name == CKAAD) {
            systems.extend(self.given_methods(methods));
        }
        for name in given
            .iter()
            .filter(|name| !["all", CKAAD].contains(&name.as_str()))
        {
            ensure!(
                known.contains_key(name),
                "--detectors: there is no {name}, but all, {CKAAD}, {}",
                known.keys().cloned().collect::<Vec<_>>().join(", ")
            );
        }
        let chosen = known.keys().filter(|name| all || given.contains(name));
        systems.extend(chosen.cloned());
        Ok(systems)
    }

    /// A detector beside CKAAD.
    pub(super) fn detector(&self, system: &str) -> Option<&Detector> {
        self.settings.detectors.get(system)
    }

    /// Whether a method or detector learns from labelled images.
    pub(crate) fn uses_labels(&self, system: &str) -> bool {
        self.detector(system)
            .map_or(system != "recon", |detector| detector.labels)
    }

    /// The paper's figures of a method or detector: `ours` of the methods, those of one of its names of a detector.
    pub(crate) fn paper_figures(
        &self,
        system: &str,
        ours: impl FnOnce() -> Figures,
        of: impl Fn(&str) -> Figures,
    ) -> Figures {
        match self.detector(system) {
            Some(Detector { paper, .. }) => {
                let mut found = paper.iter().map(|name| of(name));
                found
                    .find(|figures| !figures.is_empty())
                    .unwrap_or_default()
            }
            None => ours(),
        }
    }

    /// Turns the settings of CKAAD into those of a detector.
    pub(super) fn of_detector(detector: &Detector, name: &str, settings: &mut Table) {
        settings.retain(|key, _| !OF_THE_DETECTOR.contains(&key));
        if detector.once {
            settings.insert("epochs".to_owned(), 1.into());
        }
        let preset = settings.get("preset").and_then(Value::as_str);
        let most = preset.and_then(|preset| detector.image_size.get(preset));
        if let (Some(&most), Some(Value::Integer(side))) = (most, settings.get_mut("image_size")) {
            *side = most.min(*side);
        }
        let mut table = detector.settings.clone();
        table.insert("name".to_owned(), name.into());
        settings.insert("detector".to_owned(), Value::Table(table));
    }

    /// A row for each control, on the images of a row's runs; none unless detectors were asked for.
    pub(crate) fn controls(&self, row: &Row) -> Vec<Row> {
        let of_control = |name: &str| Row {
            method: format!("(control: {name})"),
            control: Some(name.to_owned()),
            paper: Figures::new(),
            differs: Vec::new(),
            ..row.clone()
        };
        match self.with_controls() {
            true => CONTROLS.into_iter().map(of_control).collect(),
            false => Vec::new(),
        }
    }

    /// Whether detectors are compared, and so with controls.
    pub(super) fn with_controls(&self) -> bool {
        !self.choice.detectors.is_empty()
    }
}
