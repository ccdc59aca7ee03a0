//! What the libraries warn of, through Python's `logging`.

use std::fmt::{Debug, Write};

use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Hands what is logged to the logger `ckaad`.
struct ToPython;

impl<S: Subscriber> Layer<S> for ToPython {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        // As `logging` numbers them.
        let level = match *event.metadata().level() {
            Level::ERROR => 40,
            Level::WARN => 30,
            Level::INFO => 20,
            _ => 10,
        };
        Python::attach(|py| {
            let log = |py: Python<'_>| -> PyResult<()> {
                let logger = py
                    .import("logging")?
                    .call_method1("getLogger", ("ckaad",))?;
                // The text is no format.
                logger.call_method1("log", (level, "%s", text.0)).map(drop)
            };
            if let Err(error) = log(py) {
                error.write_unraisable(py, None);
            }
        });
    }
}

/// The message, and what stands beside it.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a text cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

/// Listens from now on, unless somebody does already.
pub(crate) fn init() {
    let ours = Targets::new()
        .with_target("ckaad", Level::INFO)
        .with_target("ckaad_engine", Level::INFO)
        .with_default(Level::WARN);
    let _ = tracing_subscriber::registry()
        .with(ToPython.with_filter(ours))
        .try_init();
}
