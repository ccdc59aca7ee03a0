//! A training epoch on image files.

use super::figures::{Peers, Row, Work};
use super::images::Images;
use super::resident::Resident;
use super::settings;
use super::sides::{OURS_IN_F32, PYTORCH, Sides};
use crate::perf::worker::Worker;
use crate::precision::Precision;

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
    let precision = sides.computing.precision;
    let ours_in = |precision: Precision| {
        let mut ours = sides.command(&sides.ours.epoch);
        // The worker sets the number of epochs itself.
        ours.arg(settings::write(&images.split, side, batch, 1, precision)?)
            .arg(images.place().join(format!("epochs-{precision}")));
        start(ours)
    };
    let mut peers: Peers<'_> = Vec::new();
    if let Some(python) = &sides.theirs {
        let mut command = sides.script(python, "epoch.py");
        let numbers = [side, batch, sides.threads].map(|number| number.to_string());
        command.arg(&images.split).args(numbers);
        command.arg(precision.to_string());
        peers.push((PYTORCH.to_owned(), Box::new(start(command)?)));
    }
    if precision != Precision::F32 {
        let single = ours_in(Precision::F32)?;
        peers.push((OURS_IN_F32.to_owned(), Box::new(single)));
    }
    let summary = &images.summary;
    let work = Work {
        case,
        what: format!(
            "training epoch, {} normal + {} labelled images in batches of {batch}, from the second epoch on",
            summary.normal, summary.labelled
        ),
        goal: (precision == Precision::F32).then_some(0.7),
        images: summary.steps * (batch.min(summary.normal) + batch.min(summary.labelled)),
    };
    work.alternate(1, rounds, ours_in(precision)?, peers)
}
