//! Inference and a training step, on images in memory.

use super::computing::Computing;
use super::figures::{Row, Work};
use super::part::Part;
use super::resident::Resident;
use super::sides::Sides;
use crate::perf::worker::Worker;

/// Part, case, images of a kind, what is wanted on the CPU in single precision.
const CASES: [(Part, &str, usize, f64); 3] = [
    (Part::Infer, "infer-1", 1, 0.7),
    (Part::Infer, "infer-8", 8, 0.8),
    (Part::Step, "step-16", 16, 1.0),
];

/// More, for devices that a small batch does not fill.
const LARGE_CASES: [(Part, &str, usize); 2] =
    [(Part::Infer, "infer-64", 64), (Part::Step, "step-64", 64)];

/// Times the cases of a part, each in processes of its own, so that their peaks are its peaks.
pub(super) fn rows(
    part: Part,
    sides: &Sides,
    side: usize,
    rounds: usize,
) -> anyhow::Result<Vec<Row>> {
    let computing = sides.computing;
    let cases = CASES.map(|(part, case, count, goal)| {
        let goal = computing.is_usual().then_some(goal);
        (part, case, count, goal)
    });
    let large = LARGE_CASES.map(|(part, case, count)| (part, case, count, None));
    let large = if computing.kind() == "cpu" {
        &[]
    } else {
        &large[..]
    };
    let cases = cases.iter().chain(large).filter(|case| case.0 == part);
    cases
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
                goal,
                images,
            };
            work.alternate(computing.warm_up(), rounds, ours, theirs)
        })
        .collect()
}
