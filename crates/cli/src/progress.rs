//! What a person sees while something takes long: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ckaad_engine::training::{EpochRecord, Event};
use indicatif::{ProgressBar, ProgressStyle};

use crate::closing::span;
use crate::escape::escaped;
use crate::output::{colours, note};

/// Time between two plain lines about the same work: what takes less time gives none.
const PLAIN_INTERVAL: Duration = Duration::from_secs(60);

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
        .with_ansi(colours())
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
    plain: HashMap<String, Plain>,
}

/// Work that is told of in plain lines.
struct Plain {
    begun: Instant,
    /// How much was done when it was first heard of.
    before: usize,
    line: Instant,
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
                if let Ok(style) = ProgressStyle::with_template(
                    "{msg} [{bar:30}] {pos}/{len}, {per_sec}, {eta} left",
                ) {
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
        let plain = state.plain.entry(what.to_owned()).or_insert_with(|| {
            tracing::debug!("{what}");
            Plain {
                begun: now,
                before: done,
                line: now,
            }
        });
        if now.duration_since(plain.line) >= PLAIN_INTERVAL && done < total {
            plain.line = now;
            let rate = (done - plain.before.min(done)) as f64
                / now.duration_since(plain.begun).as_secs_f64();
            note(format_args!("{what}: {}", pace(done, total, rate)));
        }
        if done >= total {
            state.plain.remove(what);
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

/// `64/640, 2.5/s, about 4 min left`; what takes longer than a second: `3/7, 40 s each, about 3 min left`.
fn pace(done: usize, total: usize, rate: f64) -> String {
    match rate {
        0.0 => format!("{done}/{total}"),
        rate => {
            let left = span((total - done.min(total)) as f64 / rate);
            let pace = match rate < 1.0 {
                true => format!("{} each", span(1.0 / rate)),
                false => format!("{rate:.1}/s"),
            };
            format!("{done}/{total}, {pace}, about {left} left")
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
    let left = match epochs.saturating_sub(record.epoch) {
        0 => String::new(),
        more => format!(", about {} left", span(more as f64 * record.seconds)),
    };
    let figures = match figures.is_empty() {
        true => String::new(),
        false => format!(": {}", figures.join(", ")),
    };
    let (epoch, seconds) = (record.epoch, record.seconds);
    format!("epoch {epoch}/{epochs}{figures} ({seconds:.1} s{left})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_are_told() {
        assert_eq!(pace(64, 640, 2.4), "64/640, 2.4/s, about 4 min left");
        assert_eq!(pace(3, 7, 0.025), "3/7, 40 s each, about 3 min left");
        assert_eq!(pace(0, 640, 0.0), "0/640");
        let record = |epoch| EpochRecord {
            epoch,
            steps: 1,
            losses: [("total".to_owned(), 0.5)].into_iter().collect(),
            validation_auroc: None,
            seconds: 30.0,
        };
        assert_eq!(
            epoch_line(&record(2), 10),
            "epoch 2/10: total 0.5000 (30.0 s, about 4 min left)"
        );
        assert_eq!(
            epoch_line(&record(10), 10),
            "epoch 10/10: total 0.5000 (30.0 s)"
        );
    }
}
