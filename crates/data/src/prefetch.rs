//! Work done ahead by threads, delivered in order, within a budget of memory.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// How far work may run ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Threads that make results.
    pub workers: NonZeroUsize,
    /// Bytes that may be under way: of results that are being made, that wait, and of the one that the consumer has.
    pub bytes: u64,
}

/// Delivers `make(job)` for every job, in order, while workers make the next ones.
///
/// What is delivered depends on the jobs alone, not on the number of workers or their speed. Each job says how many bytes it takes at the
/// most, from its start until the consumer asks for the result after it. Jobs start in their order, each as soon as it fits into the
/// budget beside those under way; one that is over the budget runs alone. Dropping this stops the workers.
///
/// ```
/// use std::num::NonZeroUsize;
/// use ckaad_data::{Ahead, Prefetch};
///
/// let ahead = Ahead { workers: NonZeroUsize::MIN.saturating_add(1), bytes: 100 };
/// let squares: Vec<u64> = Prefetch::start((3..6).map(|n| (40, n)), ahead, |n| n * n).collect();
/// assert_eq!(squares, [9, 16, 25]);
/// ```
pub struct Prefetch<T> {
    shared: Arc<Shared<T>>,
    workers: Vec<JoinHandle<()>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Told when a result is ready, the jobs are at their end, or a worker has died.
    ready: Condvar,
    /// Told when bytes are given back, or the work is stopped.
    room: Condvar,
}

struct State<T> {
    /// Results that wait, and their bytes, by the number of their job.
    results: BTreeMap<u64, (T, u64)>,
    /// Number of the next job to be delivered.
    next: u64,
    /// Number of jobs, once all have started.
    end: Option<u64>,
    /// Bytes under way.
    bytes: u64,
    /// Those of the result that was delivered last.
    delivered: u64,
    stop: bool,
    died: bool,
}

/// The jobs that have not started, for the worker whose turn it is.
struct Turn<I> {
    jobs: I,
    number: u64,
}

/// The content of a lock; a poisoned one only means that a worker panicked, which is passed on elsewhere.
fn lock<S>(mutex: &Mutex<S>) -> MutexGuard<'_, S> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells the consumer if its worker unwinds.
struct Alarm<'a, T>(&'a Shared<T>);

impl<T> Drop for Alarm<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(&self.0.state).died = true;
            self.0.ready.notify_all();
        }
    }
}

impl<T: Send + 'static> Prefetch<T> {
    /// Starts threads on `jobs`, pairs of the bytes that a job takes and what it is.
    ///
    /// # Panics
    /// If the system starts no thread.
    pub fn start<J>(
        jobs: impl Iterator<Item = (u64, J)> + Send + 'static,
        ahead: Ahead,
        make: impl Fn(J) -> T + Send + Sync + 'static,
    ) -> Self {
        let state = State {
            results: BTreeMap::new(),
            next: 0,
            end: None,
            bytes: 0,
            delivered: 0,
            stop: false,
            died: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            ready: Condvar::new(),
            room: Condvar::new(),
        });
        let turn = Arc::new(Mutex::new(Turn { jobs, number: 0 }));
        let make = Arc::new(make);
        let spawn = |number: usize| {
            let (shared, turn, make) = (Arc::clone(&shared), Arc::clone(&turn), Arc::clone(&make));
            Builder::new()
                .name(format!("prefetch-{number}"))
                .spawn(move || work(&shared, &turn, ahead.bytes, &*make))
        };
        let workers: Vec<_> = (0..ahead.workers.get())
            .map_while(|number| spawn(number).ok())
            .collect();
        assert!(!workers.is_empty(), "the system starts no thread");
        Self { shared, workers }
    }
}

/// What a worker does.
fn work<T, J>(
    shared: &Shared<T>,
    turn: &Mutex<Turn<impl Iterator<Item = (u64, J)>>>,
    budget: u64,
    make: &impl Fn(J) -> T,
) {
    let _alarm = Alarm(shared);
    loop {
        // Whoever has the turn keeps it until there is room, so that jobs start in order.
        let (number, bytes, job) = {
            let mut turn = lock(turn);
            if lock(&shared.state).stop {
                return;
            }
            let Some((bytes, job)) = turn.jobs.next() else {
                lock(&shared.state).end = Some(turn.number);
                shared.ready.notify_all();
                return;
            };
            let full = |state: &mut State<T>| {
                !state.stop && state.bytes > 0 && state.bytes.saturating_add(bytes) > budget
            };
            let mut state = shared
                .room
                .wait_while(lock(&shared.state), full)
                .unwrap_or_else(PoisonError::into_inner);
            if state.stop {
                return;
            }
            state.bytes += bytes;
            turn.number += 1;
            (turn.number - 1, bytes, job)
        };
        let result = make(job);
        lock(&shared.state).results.insert(number, (result, bytes));
        shared.ready.notify_all();
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = T;

    /// The result of the next job. The room of the one before is given away.
    ///
    /// # Panics
    /// If a worker panicked, with its message.
    fn next(&mut self) -> Option<T> {
        let mut state = lock(&self.shared.state);
        state.bytes -= std::mem::take(&mut state.delivered);
        self.shared.room.notify_all();
        let waiting = |state: &mut State<T>| {
            !state.died && state.end != Some(state.next) && !state.results.contains_key(&state.next)
        };
        state = self
            .shared
            .ready
            .wait_while(state, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        let next = state.next;
        if let Some((result, bytes)) = state.results.remove(&next) {
            state.next += 1;
            state.delivered = bytes;
            return Some(result);
        }
        if state.died {
            state.stop = true;
            drop(state);
            self.shared.room.notify_all();
            for worker in self.workers.drain(..) {
                if let Err(panic) = worker.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
        None
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        lock(&self.shared.state).stop = true;
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

    fn ahead(workers: usize, bytes: u64) -> Ahead {
        let workers = NonZeroUsize::new(workers).unwrap();
        Ahead { workers, bytes }
    }

    #[test]
    fn order_does_not_depend_on_the_workers() {
        for workers in [1, 2, 4] {
            // Later jobs are quicker than earlier ones.
            let slow_first = |job: u64| {
                std::thread::sleep(Duration::from_micros(300 * (7 - job % 8)));
                job
            };
            let jobs = (5..60).map(|job| (1, job));
            let all: Vec<u64> = Prefetch::start(jobs, ahead(workers, 3), slow_first).collect();
            assert_eq!(all, (5..60).collect::<Vec<_>>());
        }
        assert!(
            Prefetch::start(std::iter::empty(), ahead(2, 3), |(): ()| ())
                .next()
                .is_none()
        );
    }

    #[test]
    fn the_jobs_under_way_fit_into_the_budget_or_run_alone() {
        let sizes = [3, 9, 4, 30, 2, 2, 2, 11, 10, 1, 5, 5, 5, 25, 1];
        for workers in [1, 4] {
            let (bytes, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let (used, peak) = (Arc::clone(&bytes), Arc::clone(&most));
            let make = move |size: u64| {
                let now = used.fetch_add(size, Ordering::SeqCst) + size;
                // Alone, one over the budget counts as one that fills it.
                let now = if now == size { now.min(10) } else { now };
                peak.fetch_max(now, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(1));
                size
            };
            let jobs = sizes.into_iter().map(|size| (size, size));
            let mut delivered = Vec::new();
            for size in Prefetch::start(jobs, ahead(workers, 10), make) {
                delivered.push(size);
                std::thread::sleep(Duration::from_millis(2));
                bytes.fetch_sub(size, Ordering::SeqCst);
            }
            assert_eq!(delivered, sizes);
            assert!(most.load(Ordering::SeqCst) <= 10, "{most:?} bytes at once");
        }
    }

    #[test]
    fn dropping_stops_the_workers() {
        let made = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&made);
        let jobs = (0..1_000_000).map(|job: u64| (1, job));
        let mut prefetch = Prefetch::start(jobs, ahead(4, 3), move |_| {
            counter.fetch_add(1, Ordering::SeqCst)
        });
        for taken in 1..=50 {
            prefetch.next();
            assert!(made.load(Ordering::SeqCst) <= taken + 2);
        }
        drop(prefetch);
        assert!(made.load(Ordering::SeqCst) <= 52);
    }

    #[test]
    fn a_panic_reaches_the_consumer() {
        let mut prefetch = Prefetch::start((0..10).map(|job| (1, job)), ahead(2, 2), |job| {
            assert!(job != 4, "job 4 fails")
        });
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while prefetch.next().is_some() {}
        }));
        let panic = outcome.unwrap_err();
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or(panic.downcast_ref::<String>().map(String::as_str));
        assert!(message.unwrap().contains("job 4"));
    }
}
