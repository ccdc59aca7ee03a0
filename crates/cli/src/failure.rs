//! What is said of an error: what is wrong, and on lines of their own what to do.

use std::error::Error;
use std::fmt;

use ckaad_backbone::weights::WeightsError;
use ckaad_data::DataError;
use ckaad_device::DeviceError;
use ckaad_engine::EngineError;

use crate::output::{Tone, note_as};

/// An error of the command line, or the circumstances of another one, with what to do.
#[derive(Debug)]
pub(crate) struct Advised {
    problem: String,
    hint: String,
}

impl Advised {
    pub(crate) fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        let (problem, hint) = (problem.into(), hint.into());
        Self { problem, hint }
    }
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl Error for Advised {}

/// Says on standard error what is wrong and what to do.
pub(crate) fn tell(error: &anyhow::Error) {
    let (message, hints) = parts(error);
    note_as("error", Tone::Error, &message);
    for hint in hints {
        note_as("hint", Tone::Hint, &hint);
    }
}

/// The message without what to do, and that.
fn parts(error: &anyhow::Error) -> (String, Vec<String>) {
    let mut message = String::new();
    let mut hints: Vec<String> = error
        .downcast_ref::<Advised>()
        .map(|advised| advised.hint.clone())
        .into_iter()
        .collect();
    for cause in error.chain() {
        // Those of TOML end with a line, and name the table on a line of its own.
        let mut text = cause.to_string().trim_end().replace("\nin `", " in `");
        if let Some(hint) = hint_of(cause).filter(|hint| !hints.contains(hint)) {
            hints.push(hint);
        }
        // Messages of libraries are whole: they end with the hint, and so do those of what caused them.
        for hint in &hints {
            if let Some(problem) = text.strip_suffix(&format!("; {hint}")) {
                text = problem.to_owned();
            }
        }
        // Errors that name their cause in their own message need not say it twice.
        if message.is_empty() {
            message = text;
        } else if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
    }
    (message, hints)
}

/// What an error says to do.
fn hint_of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<EngineError>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<DataError>() {
        return error.hint();
    }
    if let Some(error) = error.downcast_ref::<WeightsError>() {
        return Some(error.hint());
    }
    error.downcast_ref::<DeviceError>().map(DeviceError::hint)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use anyhow::Context;

    use super::*;

    #[test]
    fn hints_stand_apart_from_what_is_wrong() {
        let error = EngineError::OutputExists {
            path: PathBuf::from("a; b"),
            is_run: true,
        };
        assert!(
            error
                .to_string()
                .ends_with(&error.hint().unwrap_or_default())
        );
        let (message, hints) = parts(&error.into());
        assert_eq!(message, "a; b exists already");
        assert_eq!(
            hints,
            ["choose another output folder, or go on with that run by `ckaad train --resume a; b`"]
        );
    }

    #[test]
    fn those_of_circumstances_come_first() {
        let cause = WeightsError::Status {
            url: "https://x".to_owned(),
            status: 404,
        };
        let given = Err::<(), _>(cause).context(Advised::new("no weights", "use others"));
        let Err(error) = given else { unreachable!() };
        let (message, hints) = parts(&error);
        assert_eq!(
            message,
            "no weights: https://x: the server answered with HTTP status 404"
        );
        assert_eq!(
            hints,
            [
                "use others",
                "open the address by hand and pass the file with --weights FILE"
            ]
        );
        let plain = anyhow::anyhow!("nothing to be done");
        assert_eq!(parts(&plain), ("nothing to be done".to_owned(), vec![]));
        let toml = anyhow::anyhow!("unknown field `a`\nin `detector`\n").context("configuration");
        assert_eq!(
            parts(&toml).0,
            "configuration: unknown field `a` in `detector`"
        );
    }
}
