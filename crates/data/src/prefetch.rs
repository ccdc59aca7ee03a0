//! Work done ahead by threads, delivered in order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Delivers `make(step)` for every step of a range, in order, while workers make the next ones.
///
/// What is delivered depends on the steps alone, not on the number of workers or their speed. At most `ahead` results wait or are being
/// made, so memory is bounded. Dropping it stops the workers.
///
/// ```
/// use std::num::NonZeroUsize;
/// use ckaad_data::Prefetch;
///
/// let two = NonZeroUsize::MIN.saturating_add(1);
/// let squares: Vec<u64> = Prefetch::start(3..6, two, two, |step| step * step).collect();
/// assert_eq!(squares, [9, 16, 25]);
/// ```
pub struct Prefetch<T> {
    shared: Arc<Shared<T>>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Told when a result is ready, or a worker has died.
    ready: Condvar,
    /// Told when a result is taken, or the work is stopped.
    room: Condvar,
}

struct State<T> {
    results: BTreeMap<u64, T>,
    /// Next step to be delivered.
    next: u64,
    /// Next step to be made.
    started: u64,
    end: u64,
    stop: bool,
    died: bool,
}

impl<T> Shared<T> {
    /// The state; a poisoned lock only means that a worker panicked, which is passed on elsewhere.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the consumer if its worker unwinds.
struct Alarm<'a, T>(&'a Shared<T>);

impl<T> Drop for Alarm<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().died = true;
            self.0.ready.notify_all();
        }
    }
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts `workers` threads on `steps`, at most `ahead` steps ahead of what was taken. If no thread can be started, the steps are made
    /// when they are asked for.
    pub fn start(
        steps: Range<u64>,
        workers: NonZeroUsize,
        ahead: NonZeroUsize,
        make: impl Fn(u64) -> T + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            results: BTreeMap::new(),
            next: steps.start,
            started: steps.start,
            end: steps.end,
            stop: false,
            died: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            ready: Condvar::new(),
            room: Condvar::new(),
        });
        let make = Arc::new(make);
        let ahead = ahead.get() as u64;
        let spawn = |number: usize| {
            let (shared, make) = (Arc::clone(&shared), Arc::clone(&make));
            Builder::new()
                .name(format!("prefetch-{number}"))
                .spawn(move || work(&shared, ahead, &*make))
        };
        let workers: Vec<_> = (0..workers.get())
            .map_while(|number| spawn(number).ok())
            .collect();
        if workers.is_empty() {
            // Without threads: everything now, on this one.
            work(&shared, u64::MAX, &*make);
        }
        Self { shared, workers }
    }
}

/// What a worker does.
fn work<T>(shared: &Shared<T>, ahead: u64, make: &impl Fn(u64) -> T) {
    let _alarm = Alarm(shared);
    loop {
        let step = {
            let waiting = |state: &mut State<T>| {
                !state.stop
                    && state.started < state.end
                    && state.started >= state.next.saturating_add(ahead)
            };
            let mut state = shared
                .room
                .wait_while(shared.lock(), waiting)
                .unwrap_or_else(PoisonError::into_inner);
            if state.stop || state.started >= state.end {
                return;
            }
            state.started += 1;
            state.started - 1
        };
        let result = make(step);
        shared.lock().results.insert(step, result);
        shared.ready.notify_all();
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    /// The result of the next step.
    ///
    /// # Panics
    /// If a worker panicked, with its message.
    fn next(&mut self) -> Option<T> {
        let waiting = |state: &mut State<T>| {
            !state.died && state.next < state.end && !state.results.contains_key(&state.next)
        };
        let mut state = self
            .shared
            .ready
            .wait_while(self.shared.lock(), waiting)
            .unwrap_or_else(PoisonError::into_inner);
        let next = state.next;
        let result = state.results.remove(&next);
        if result.is_some() {
            state.next += 1;
        } else if state.died {
            state.stop = true;
        }
        let died = state.died && result.is_none();
        drop(state);
        self.shared.room.notify_all();
        if died {
            for worker in self.workers.drain(..) {
                if let Err(panic) = worker.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
        result
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.room.notify_all();
        for worker in self.workers.drain(..) {
            // A panic that nobody waited for ends here.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    fn number(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[test]
    fn order_does_not_depend_on_the_workers() {
        for workers in [1, 2, 4] {
            // Later steps are quicker than earlier ones.
            let slow_first = |step: u64| {
                std::thread::sleep(Duration::from_micros(300 * (7 - step % 8)));
                step
            };
            let all: Vec<u64> =
                Prefetch::start(5..60, number(workers), number(3), slow_first).collect();
            assert_eq!(all, (5..60).collect::<Vec<_>>());
        }
    }

    #[test]
    fn never_more_than_ahead_and_dropping_stops() {
        let made = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&made);
        let mut prefetch = Prefetch::start(0..1_000_000, number(4), number(3), move |_| {
            counter.fetch_add(1, Ordering::SeqCst)
        });
        for taken in 1..=50 {
            prefetch.next();
            assert!(made.load(Ordering::SeqCst) <= taken + 3);
        }
        drop(prefetch);
        assert!(made.load(Ordering::SeqCst) <= 53);
    }

    #[test]
    fn a_panic_reaches_the_consumer() {
        let mut prefetch = Prefetch::start(0..10, number(2), number(2), |step| {
            assert!(step != 4, "step 4 fails")
        });
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while prefetch.next().is_some() {}
        }));
        let message = outcome.unwrap_err();
        assert!(
            message
                .downcast_ref::<&str>()
                .is_some_and(|text| text.contains("step 4"))
                || message
                    .downcast_ref::<String>()
                    .is_some_and(|text| text.contains("step 4"))
        );
    }
}
