//! Inference and a training step, on images in memory.

use super::figures::{Peers, Row, Work};
use super::part::Part;
use super::resident::Resident;
use super::sides::{OURS_IN_F32, PYTORCH, Sides};
use crate::perf::worker::Worker;
use crate::precision::Precision;

/// Part, case, images of a kind, and the ratio that is wanted on the CPU in single precision. Those without one are for devices that
/// a small batch does not fill.
const CASES: [(Part, &str, usize, Option<f64>); 5] = [
    (Part::Infer, "infer-1", 1, Some(0.9)),
    (Part::Infer, "infer-8", 8, Some(0.9)),
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
            let start = |mut command, precision: Precision| {
                let mut worker = Worker::start(&mut command)?;
                let device = &computing.device;
                worker.ask(&format!("load {side} {device} {precision}"))?;
                anyhow::Ok(Resident { worker, case })
            };
            let precision = computing.precision;
            let ours = start(sides.command(&sides.ours.networks), precision)?;
            let mut peers: Peers<'_> = Vec::new();
            if let Some(python) = &sides.theirs {
                let pytorch = start(sides.script(python, "networks.py"), precision)?;
                peers.push((PYTORCH.to_owned(), Box::new(pytorch)));
                let runtimes = python.runtimes.iter();
                for runtime in runtimes.filter(|runtime| runtime.does(part, computing)) {
                    let mut command = sides.script(python, "runtimes.py");
                    command.arg(runtime.module);
                    let peer = start(command, precision)?;
                    peers.push((runtime.name.to_owned(), Box::new(peer)));
                }
            }
            if precision != Precision::F32 {
                let single = start(sides.command(&sides.ours.networks), Precision::F32)?;
                peers.push((OURS_IN_F32.to_owned(), Box::new(single)));
            }
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
            work.alternate(computing.warm_up(), rounds, ours, peers)
        })
        .collect()
}
