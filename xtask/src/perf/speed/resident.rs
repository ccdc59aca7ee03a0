//! A side that stays: a worker that is asked for one turn after the other.

use std::thread;
use std::time::Duration;

use super::figures::Side;
use crate::perf::worker::Worker;

/// Before a turn: threads of other sides that wait for more work by spinning give up.
const REST: Duration = Duration::from_millis(250);

pub(super) struct Resident {
    pub(super) worker: Worker,
    /// What it is asked for.
    pub(super) case: &'static str,
}

impl Side for Resident {
    fn turn(&mut self) -> anyhow::Result<f64> {
        thread::sleep(REST);
        Ok(self.worker.time(self.case)?.0)
    }

    fn peak_mib(&mut self) -> anyhow::Result<f64> {
        Ok(self.worker.ask("peak")?.parse()?)
    }
}
