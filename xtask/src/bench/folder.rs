//! The folder of a run, and what is in it already.

use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Table;

use super::grid::Run;

/// The files of a run.
#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn of(out: &Path, run: &Run) -> Self {
        Self(out.join("runs").join(&run.id))
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What is asked of `ckaad`.
    pub(super) fn request(&self) -> PathBuf {
        self.0.join("request.toml")
    }

    /// What it said.
    pub(super) fn output(&self) -> PathBuf {
        self.0.join("output.log")
    }

    /// Why it failed.
    pub(super) fn failure(&self) -> PathBuf {
        self.0.join("failure.txt")
    }

    /// Held by who works on the run.
    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The run folder of `ckaad`.
    pub(super) fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// What there is of a run.
    pub(crate) fn state(&self, run: &Run) -> State {
        if let Some(report) = self.report(run) {
            return State::Finished(report);
        }
        match std::fs::read_to_string(self.failure()) {
            Ok(reason) => State::Failed(reason.trim().to_owned()),
            Err(_) => State::Unfinished,
        }
    }

    /// The report, if it is whole and of this run's settings.
    fn report(&self, run: &Run) -> Option<Value> {
        let bytes = std::fs::read(self.run().join("report.json")).ok()?;
        let report: Value = serde_json::from_slice(&bytes).ok()?;
        let settings = serde_json::to_value(run.configured()).ok()?;
        let controls = !run.controls || report.get("controls").is_some();
        (report.get("last").is_some() && controls && holds(report.get("config")?, &settings))
            .then_some(report)
    }

    /// Whether training began with exactly this request.
    pub(super) fn began(&self, request: &Table) -> bool {
        let read = || {
            let config: Table = std::fs::read_to_string(self.run().join("config.toml"))
                .ok()?
                .parse()
                .ok()?;
            let (config, request) = (
                serde_json::to_value(config).ok()?,
                serde_json::to_value(request).ok()?,
            );
            Some(holds(&config, &request))
        };
        read().unwrap_or(false)
    }
}

/// What there is of a run.
pub(crate) enum State {
    /// Its report.
    Finished(Value),
    /// Why the last attempt failed.
    Failed(String),
    /// Not begun, or under way, or killed.
    Unfinished,
}

/// Whether `found` has everything that `expected` has; numbers are compared as such, 1 is 1.0.
fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|other| holds(other, value))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found
                    .iter()
                    .zip(expected)
                    .all(|(found, expected)| holds(found, expected))
        }
        (Value::Number(found), Value::Number(expected)) => found.as_f64() == expected.as_f64(),
        _ => found == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_report_may_hold_more_but_nothing_else() {
        let found = json!({"epochs": 3, "margin": 5.0, "stages": [2, 3], "data": {"root": "x"}});
        assert!(holds(&found, &json!({"epochs": 3.0, "margin": 5})));
        assert!(holds(&found, &json!({"stages": [2, 3], "data": {}})));
        for other in [
            json!({"epochs": 4}),
            json!({"stages": [2]}),
            json!({"batch": 1}),
            json!({"data": {"root": "y"}}),
        ] {
            assert!(!holds(&found, &other), "{other}");
        }
    }
}
