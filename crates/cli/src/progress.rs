//! What a person sees while something takes long: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ckaad_engine::training::{EpochRecord, Event};
use indicatif::{ProgressBar, ProgressStyle};

use crate::escape::escaped;
use crate::output::note;

/// Time between two plain lines about the same work.
const PLAIN_INTERVAL: Duration = Duration::from_secs(20);

/// Logs go to standard error, so that standard output holds results alone.
pub(crate) fn init_logging() {
    use tracing_subscriber::EnvFilter;
    use tracing_subscriber::fmt::format::debug_fn;
    // Messages name files.
    let fields = debug_fn(|out, field, value| {
        let value = escaped(&format!("{value:?}"));
        match field.name() {
            "message" => write!(out, "{value}"),
            name => write!(out, " {name}={value}"),
        }
    });
    let filter = EnvFilter::try_from_env("CKAAD_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,ckaad=info,ckaad_engine=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(fields)
        .with_writer(std::io::stderr)
        .with_ansi(
            std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        )
        .with_target(false)
        .without_time()
        // It would say on standard error that standard error is closed, and panic.
        .log_internal_errors(false)
        .init();
}

/// Shows events.
pub(crate) struct Display {
    terminal: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<(String, ProgressBar)>,
    last_line: HashMap<String, Instant>,
}

impl Display {
    pub(crate) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn show(&self, event: Event<'_>) {
        match event {
            Event::Progress { what, done, total } => self.progress(what, done, total),
            Event::Epoch { record, epochs } => self.line(&epoch_line(record, epochs)),
            _ => {}
        }
    }

    pub(crate) fn progress(&self, what: &str, done: usize, total: usize) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        if self.terminal {
            if state.bar.as_ref().is_none_or(|(name, _)| name != what) {
                let bar = ProgressBar::new(total as u64).with_message(what.to_owned());
                if let Ok(style) =
                    ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}")
                {
                    bar.set_style(style.progress_chars("=> "));
                }
                state.bar = Some((what.to_owned(), bar));
            }
            if let Some((_, bar)) = &state.bar {
                bar.set_position(done as u64);
                if done >= total {
                    bar.finish_and_clear();
                }
            }
            return;
        }
        let now = Instant::now();
        let last = state.last_line.entry(what.to_owned()).or_insert_with(|| {
            tracing::debug!("{what}");
            now
        });
        if now.duration_since(*last) >= PLAIN_INTERVAL {
            *last = now;
            note(format_args!("{what}: {done}/{total}"));
        }
        if done >= total {
            state.last_line.remove(what);
        }
    }

    /// Prints a line above any bar.
    pub(crate) fn line(&self, text: &str) {
        let Ok(state) = self.state.lock() else { return };
        match &state.bar {
            Some((_, bar)) if !bar.is_finished() => bar.println(escaped(text)),
            _ => note(text),
        }
    }
}

fn epoch_line(record: &EpochRecord, epochs: usize) -> String {
    let auroc = record
        .validation_auroc
        .map(|auroc| ("validation AUROC", auroc));
    let losses = record
        .losses
        .iter()
        .map(|(name, loss)| (name.as_str(), *loss));
    let figures: Vec<String> = losses
        .chain(auroc)
        .map(|(name, value)| format!("{name} {value:.4}"))
        .collect();
    format!(
        "epoch {}/{epochs}: {} ({:.1} s)",
        record.epoch,
        figures.join(", "),
        record.seconds
    )
}
