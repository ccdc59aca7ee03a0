//! Inference and a training step, on images in memory.

use super::computing::Computing;
use super::figures::{Row, Work};
use super::part::Part;
use super::resident::Resident;
use super::sides::Sides;
use crate::perf::worker::Worker;

/// Part, case, images of a kind, and the ratio that is wanted on the CPU in single precision. Those without one are for devices that
/// a small batch does not fill.
const CASES: [(Part, &str, usize, Option<f64>); 5] = [
    (Part::Infer, "infer-1", 1, Some(0.7)),
    (Part::Infer, "infer-8", 8, Some(0.8)),
    (Part::Infer, "infer-64", 64, None),
    (Part::Step, "step-16", 16, Some(1.0)),
    (Part::Step, "step-64", 64, None),
];

/// Times the cases of a part, each in processes of its own, so that their peaks are its peaks.
pub(super) fn rows(
    part: Part,
    sides: &Sides,
    side: usize,
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let computing = sides.computing;
    let is_run = |&&(of, _, _, goal): &&(Part, &str, usize, Option<f64>)| {
        of == part && (goal.is_some() || computing.kind() != "cpu")
    };
    CASES
        .iter()
        .filter(is_run)
        .map(|&(_, case, count, goal)| {
            let start = |mut command| {
                let mut worker = Worker::start(&mut command)?;
                let Computing { device, precision } = computing;
                worker.ask(&format!("load {side} {device} {precision}"))?;
                anyhow::Ok(Resident { worker, case })
            };
            let ours = start(sides.command(&sides.ours.networks))?;
            let theirs = sides
                .theirs
                .as_ref()
                .map(|python| start(sides.script(python, "networks.py")))
                .transpose()?;
            let (what, images) = match part {
                Part::Infer => (format!("inference, batch {count}"), count),
                _ => (
                    format!("training step, {count} + {count}, features not cached"),
                    2 * count,
                ),
            };
            let work = Work {
                case,
                what,
                goal: goal.filter(|_| computing.is_usual()),
                images,
            };
            work.alternate(computing.warm_up(), rounds, ours, theirs)
        })
        .collect()
}
