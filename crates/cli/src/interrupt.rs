//! Ctrl-C while a run is under way.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use ckaad_engine::training::Event;

use crate::output::note;

/// Exit status of a program that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

/// Watches for Ctrl-C. Until the run is prepared it ends the program, since there is nothing to lose; so it does once training
/// is over. In between the first one asks the run to stop after its step, and the second one ends the program.
pub(crate) struct Interrupt(Arc<Flags>);

impl Interrupt {
    /// Watches from now on.
    pub(crate) fn watch() -> anyhow::Result<Self> {
        let flags = Arc::new(Flags::default());
        let seen = Arc::clone(&flags);
        ctrlc::set_handler(move || match seen.press() {
            Reaction::EndUntouched => {
                note("interrupted; nothing of a run is lost");
                end();
            }
            Reaction::FinishStep => note(
                "stopping after the step or epoch under way, with a checkpoint; press again to end at once",
            ),
            Reaction::End => end(),
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(Self(flags))
    }

    /// Learns from an event of the run how far it is.
    pub(crate) fn observe(&self, event: Event<'_>) {
        self.0.observe(event);
    }

    /// Says that training is over and its results are written.
    pub(crate) fn training_is_over(&self) {
        self.0.training.store(false, Ordering::Relaxed);
    }

    /// Set once the run should stop.
    pub(crate) fn stop(&self) -> &AtomicBool {
        &self.0.stop
    }
}

/// Ends the program, and leaves nothing half-written behind.
fn end() -> ! {
    ckaad_files::remove_own_parts();
    exit(INTERRUPTED)
}

#[derive(Default)]
struct Flags {
    training: AtomicBool,
    stop: AtomicBool,
}

#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    EndUntouched,
    FinishStep,
    End,
}

impl Flags {
    fn observe(&self, event: Event<'_>) {
        if matches!(event, Event::Prepared) {
            self.training.store(true, Ordering::Relaxed);
        }
    }

    fn press(&self) -> Reaction {
        if !self.training.load(Ordering::Relaxed) {
            Reaction::EndUntouched
        } else if self.stop.swap(true, Ordering::Relaxed) {
            Reaction::End
        } else {
            Reaction::FinishStep
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_at_once_until_the_run_is_prepared() {
        let flags = Flags::default();
        assert_eq!(flags.press(), Reaction::EndUntouched);
        flags.observe(Event::Progress {
            what: "reading images",
            done: 1,
            total: 2,
        });
        assert_eq!(flags.press(), Reaction::EndUntouched);
        assert!(!flags.stop.load(Ordering::Relaxed));
        flags.observe(Event::Prepared);
        assert_eq!(flags.press(), Reaction::FinishStep);
        assert!(flags.stop.load(Ordering::Relaxed));
        assert_eq!(flags.press(), Reaction::End);
    }
}
