//! Does the runs of a grid, several at once if asked, and shows how far it is.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::grid::Run;
use super::library::Place;
use super::run::{Attempt, Patience, Workshop};

/// Room on a narrow terminal.
const LINE_LENGTH: usize = 79;

/// What became of the runs.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) finished: usize,
    /// Name and reason.
    pub(crate) failed: Vec<(String, String)>,
}

struct State<'a> {
    queue: VecDeque<(&'a Run, &'a Place, Patience)>,
    summary: Summary,
    running: usize,
    started: Instant,
    total: usize,
    terminal: bool,
}

/// Does runs, `jobs` at a time. One that fails is reported and the others go on; one that another process works on is looked at
/// again after the others.
pub(crate) fn work(workshop: &Workshop, runs: &[(&Run, &Place)], jobs: usize) -> Summary {
    let state = Mutex::new(State {
        queue: runs
            .iter()
            .map(|&(run, place)| (run, place, Patience::Skip))
            .collect(),
        summary: Summary::default(),
        running: 0,
        started: Instant::now(),
        total: runs.len(),
        terminal: std::io::stderr().is_terminal(),
    });
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, runs.len().max(1)) {
            scope.spawn(|| worker(workshop, &state));
        }
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if state.terminal {
        eprintln!();
    }
    state.summary
}

fn worker(workshop: &Workshop, state: &Mutex<State<'_>>) {
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let (run, place, patience) = {
            let mut state = lock();
            let Some(next) = state.queue.pop_front() else {
                return;
            };
            state.running += 1;
            state.show("running", next.0);
            next
        };
        let attempt = workshop.attempt(run, place, patience);
        let mut state = lock();
        state.running -= 1;
        match attempt {
            Attempt::Finished => {
                state.summary.finished += 1;
                state.show("finished", run);
            }
            Attempt::Busy => {
                state.queue.push_back((run, place, Patience::Wait));
                state.show("another process works on", run);
            }
            Attempt::Failed(reason) => {
                state.report(&format!("FAILED {}: {reason}", run.id));
                state.summary.failed.push((run.id.clone(), reason));
            }
        }
    }
}

impl State<'_> {
    /// The progress line.
    fn show(&self, what: &str, run: &Run) {
        let done = self.summary.finished + self.summary.failed.len();
        let left = match done {
            0 => "time left unknown".to_owned(),
            _ => {
                let per_run = self.started.elapsed() / u32::try_from(done).unwrap_or(u32::MAX);
                let left = u32::try_from(self.total - done).unwrap_or(u32::MAX);
                format!("{} left", clock(per_run * left))
            }
        };
        let mut line = format!(
            "{}/{} done, {} running, {} failed, {left}: ",
            self.summary.finished,
            self.total,
            self.running,
            self.summary.failed.len(),
        );
        let mut stderr = std::io::stderr().lock();
        // A progress line that cannot be written is not worth ending for.
        let _ = if self.terminal {
            // What does not fit would wrap, and stay.
            line.push_str(&run.id);
            line.truncate(LINE_LENGTH);
            write!(stderr, "\r\x1b[2K{line}").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "{line}{what} {}", run.id)
        };
    }

    /// A line that stays.
    fn report(&self, line: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        eprintln!("{clear}{line}");
    }
}

/// `1:02:03` or `2:03`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
