//! A training epoch on image files.

use super::figures::{Row, Work};
use super::images::Images;
use super::resident::Resident;
use super::settings;
use super::sides::Sides;
use crate::perf::worker::Worker;

/// Two processes that stay do one epoch after the other.
pub(super) fn row(
    sides: &Sides,
    images: &Images,
    side: usize,
    batch: usize,
    rounds: usize,
) -> anyhow::Result<Row> {
    let case = "epoch";
    let start = |mut command| {
        let worker = Worker::start(&mut command)?;
        anyhow::Ok(Resident { worker, case })
    };
    let mut ours = sides.command(&sides.ours.epoch);
    // The worker sets the number of epochs itself.
    ours.arg(settings::write(&images.split, side, batch, 1)?)
        .arg(images.place().join("epochs"));
    let theirs = sides.theirs.as_ref().map(|python| {
        let mut command = sides.script(python, "epoch.py");
        let numbers = [side, batch, sides.threads].map(|number| number.to_string());
        command.arg(&images.split).args(numbers);
        command
    });
    let summary = &images.summary;
    let work = Work {
        case,
        what: format!(
            "training epoch, {} normal + {} labelled images in batches of {batch}, from the second epoch on",
            summary.normal, summary.labelled
        ),
        goal: Some(0.7),
        images: summary.steps * (batch.min(summary.normal) + batch.min(summary.labelled)),
    };
    work.alternate(1, rounds, start(ours)?, theirs.map(start).transpose()?)
}
