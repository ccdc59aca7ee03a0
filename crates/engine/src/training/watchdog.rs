//! What ends a run before it writes nonsense, or warns of it.

use ckaad_data::Step;
use ckaad_detectors::Inputs;

use super::anomalies::Anomalies;
use super::loss_sums::{Bad, LossSums};
use super::run::{CHECK_INTERVAL, Run};
use crate::EngineError;

/// Images of a step that are named.
const NAMED: usize = 8;

/// Watches over an epoch.
pub(super) struct Watchdog {
    epoch: usize,
    /// The steps whose losses have not been looked at, by their numbers in the epoch.
    recent: Vec<(usize, Step)>,
    /// What the detector saw of normal images in the last step.
    pub(super) normal: Option<Inputs>,
}

impl Watchdog {
    pub(super) fn new(epoch: usize) -> Self {
        Self {
            epoch,
            recent: Vec::with_capacity(CHECK_INTERVAL),
            normal: None,
        }
    }

    /// Notes a step that begins.
    pub(super) fn see(&mut self, number: usize, step: &Step) {
        self.recent.push((number, step.clone()));
    }

    /// Refuses to go on once a loss or a gradient is no finite number any more.
    pub(super) fn check_values(
        &mut self,
        run: &Run<'_>,
        sums: &mut LossSums,
    ) -> Result<(), EngineError> {
        if let Some(bad) = sums.bad() {
            return Err(self.diverged(run, bad));
        }
        self.recent.clear();
        Ok(())
    }

    /// Refuses to keep what has a parameter that is none, whatever the losses were.
    pub(super) fn check_parameters(&self, run: &Run<'_>, step: usize) -> Result<(), EngineError> {
        let parameters = run.trainer.detector().parameters();
        parameters.check_values().map_err(|value| {
            let bad = Bad {
                what: format!("the parameter {}", value.name),
                value: f64::from(value.value),
                step,
            };
            self.diverged(run, &bad)
        })
    }

    /// Says if learning seems to have failed: after the first epochs, ever more rarely, and the last one.
    pub(super) fn warns(&self, run: &Run<'_>) -> bool {
        let (epoch, epochs) = (self.epoch, run.config.epochs);
        let collapse = match &self.normal {
            Some(normal) if epoch.is_power_of_two() || epoch == epochs => {
                run.trainer.collapse(normal)
            }
            _ => None,
        };
        if let Some(what) = &collapse {
            tracing::warn!("after epoch {epoch} {what}");
        }
        collapse.is_some()
    }

    fn diverged(&self, run: &Run<'_>, bad: &Bad) -> EngineError {
        let step = self.recent.iter().find(|(number, _)| *number == bad.step);
        let images = step.map(|(_, step)| images(run, step)).unwrap_or_default();
        let checkpoint = run.folder.checkpoint();
        let position = &run.position;
        EngineError::Diverged {
            what: bad.what.clone(),
            value: bad.value,
            epoch: self.epoch,
            step: bad.step,
            images,
            checkpoint: match checkpoint.is_file() {
                true => format!(
                    "the last good checkpoint is {}, after {} epochs",
                    checkpoint.display(),
                    position.epochs
                ),
                false => "there is no checkpoint yet".to_owned(),
            },
        }
    }
}

/// The images of a step, in words.
fn images(run: &Run<'_>, step: &Step) -> String {
    let samples = run.data.normal.images().samples();
    let mut names: Vec<String> = step
        .normal
        .iter()
        .map(|&index| samples[index].path.to_string())
        .collect();
    if let Anomalies::Labelled(bank) = &run.data.anomalies {
        let samples = bank.images().samples();
        let of_step = step.anomalous.iter();
        names.extend(of_step.map(|&index| samples[index].path.to_string()));
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    format!(" (on {})", names.join(", "))
}
