//! Inference and a training step, on images in memory.

use super::figures::{Row, Work};
use super::part::Part;
use super::resident::Resident;
use super::sides::Sides;
use crate::perf::worker::Worker;

/// Part, case, what it times, goal.
const CASES: [(Part, &str, &str, f64); 3] = [
    (Part::Infer, "infer-1", "inference, batch 1", 0.7),
    (Part::Infer, "infer-8", "inference, batch 8", 0.8),
    (
        Part::Step,
        "step-16",
        "training step, 16 + 16, features not cached",
        1.0,
    ),
];

/// Times the cases of a part, each in processes of its own, so that their peaks are its peaks.
pub(super) fn rows(
    part: Part,
    sides: &Sides,
    side: usize,
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let cases = CASES.iter().filter(|case| case.0 == part);
    cases
        .map(|&(_, case, what, goal)| {
            let start = |mut command| {
                let mut worker = Worker::start(&mut command)?;
                worker.ask(&format!("load {side}"))?;
                anyhow::Ok(Resident { worker, case })
            };
            let ours = start(sides.command(&sides.ours.networks))?;
            let theirs = sides
                .theirs
                .as_ref()
                .map(|python| start(sides.script(python, "networks.py")))
                .transpose()?;
            let what = what.to_owned();
            Work { case, what, goal }.alternate(rounds, ours, theirs)
        })
        .collect()
}
