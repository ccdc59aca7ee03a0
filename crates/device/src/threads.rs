//! The threads that the CPU computes on.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set to 0, leaves it to the system where threads run.
const VARIABLE: &str = "CKAAD_PIN_THREADS";

/// Keeps each thread of rayon's pool on a core of its own, if it has as many as this process may use cores.
///
/// Woken after a rest, the threads of a pool otherwise often share one core while others idle, until the system's scheduler notices: on virtual
/// machines for longer than a network takes, since a core at rest looks as if it were taken away.
pub(crate) fn spread() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    if ASKED.swap(true, Ordering::Relaxed) || env::var(VARIABLE).is_ok_and(|value| value == "0") {
        return;
    }
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    if cores.len() > 1 && cores.len() == rayon::current_num_threads() {
        // Not waited for: this may be one of the threads.
        rayon::spawn_broadcast(move |thread| {
            core_affinity::set_for_current(cores[thread.index()]);
        });
    }
}
