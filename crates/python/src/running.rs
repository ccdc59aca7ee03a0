//! Long work on a thread of its own, while this one listens to Ctrl-C.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ckaad_engine::training::Event;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Between two looks at what Python's signal handlers have seen.
const INTERVAL: Duration = Duration::from_millis(50);

/// Stack of the thread that works, in bytes: what main threads have.
const STACK: usize = 8 << 20;

/// What a long operation tells, and what tells it to stop.
pub(crate) struct Running {
    callback: Option<Py<PyAny>>,
    stop: AtomicBool,
    /// What ends it: KeyboardInterrupt, or what the callback raised.
    raised: Mutex<Option<PyErr>>,
}

impl Running {
    /// `callback` is called with a dictionary for each event, from any thread; what it raises stops the work.
    pub(crate) fn new(callback: Option<Py<PyAny>>) -> Self {
        Self {
            callback,
            stop: AtomicBool::new(false),
            raised: Mutex::new(None),
        }
    }

    /// Set once the work should stop.
    pub(crate) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Tells the callback of an event.
    pub(crate) fn observe(&self, event: Event<'_>) {
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        let Some(callback) = &self.callback else {
            return;
        };
        let told = Python::attach(|py| match dictionary(py, event)? {
            Some(event) => callback.call1(py, (event,)).map(drop),
            None => Ok(()),
        });
        if let Err(error) = told {
            self.end_with(error);
        }
    }

    fn end_with(&self, error: PyErr) {
        if let Ok(mut raised) = self.raised.lock() {
            raised.get_or_insert(error);
        }
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Does the work on a thread of its own and waits for it. Ctrl-C asks it to stop; what ended it is raised once it has.
    pub(crate) fn run<T: Send, E: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> Result<T, E> + Send,
        error: impl FnOnce(E) -> PyErr,
    ) -> PyResult<T> {
        let done = py.detach(|| {
            thread::scope(|scope| {
                let (ending, ended) = channel::<()>();
                let worker =
                    thread::Builder::new()
                        .stack_size(STACK)
                        .spawn_scoped(scope, || {
                            let _ending = ending;
                            work()
                        })?;
                while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    if let Err(error) = Python::attach(|py| py.check_signals()) {
                        self.end_with(error);
                    }
                }
                Ok::<_, std::io::Error>(worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            })
        })?;
        if let Ok(mut raised) = self.raised.lock()
            && let Some(raised) = raised.take()
        {
            return Err(raised);
        }
        done.map_err(error)
    }
}

/// An event as a callback gets it; `None` for those that say nothing to it.
fn dictionary<'py>(py: Python<'py>, event: Event<'_>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let told = PyDict::new(py);
    match event {
        Event::Progress { what, done, total } => {
            told.set_item("event", "progress")?;
            told.set_item("what", what)?;
            told.set_item("done", done)?;
            told.set_item("total", total)?;
        }
        Event::Prepared => told.set_item("event", "prepared")?,
        Event::Epoch { record, epochs } => {
            told.set_item("event", "epoch")?;
            told.set_item("epoch", record.epoch)?;
            told.set_item("epochs", epochs)?;
            let losses = PyDict::new(py);
            for (name, loss) in &record.losses {
                losses.set_item(name, loss)?;
            }
            told.set_item("losses", losses)?;
            told.set_item("validation_auroc", record.validation_auroc)?;
            told.set_item("seconds", record.seconds)?;
        }
        _ => return Ok(None),
    }
    Ok(Some(told))
}
