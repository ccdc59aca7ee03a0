//! All that is printed: results on standard output, the rest on standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anyhow::Context;
use ckaad_engine::evaluation::{ControlReport, ModelReport, Report};
use ckaad_report::breaks_promise;

use crate::escape::{escaped, escaped_line};

/// Prints a line of the result, [escaped](escaped_line). A reader that went away, as `head` does, has all that it wants: that is no error, and the
/// program ends with the status that its work deserves.
pub(crate) fn print(line: impl Display) -> anyhow::Result<()> {
    write_line(&escaped_line(&line.to_string()))
}

/// Prints the lines of a text of ours, each as [`print()`] does.
pub(crate) fn print_lines(text: &str) -> anyhow::Result<()> {
    text.lines().try_for_each(print)
}

fn write_line(line: &str) -> anyhow::Result<()> {
    ignore_closed(writeln!(io::stdout().lock(), "{line}"))
        .context("cannot write to standard output")
}

/// Prints a value as pretty JSON.
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    // JSON has escapes of its own.
    write_line(&serde_json::to_string_pretty(value)?)
}

/// What a word on standard error is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    Error,
    Hint,
}

/// Whether standard error may be coloured: it is a terminal, and `NO_COLOR` is not set to anything.
pub(crate) fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && io::stderr().is_terminal()
}

/// Prints a message on standard error after a word that says what it is, which is coloured on a terminal.
pub(crate) fn note_as(word: &str, tone: Tone, message: &str) {
    let colour = match tone {
        Tone::Error => 31,
        Tone::Hint => 36,
    };
    let message = escaped(message);
    let _ = match colours() {
        true => writeln!(
            io::stderr().lock(),
            "\x1b[1;{colour}m{word}:\x1b[0m {message}"
        ),
        false => writeln!(io::stderr().lock(), "{word}: {message}"),
    };
}

/// Prints a message on standard error, [escaped]. One that cannot be written is lost: work must not end for want of a reader.
pub(crate) fn note(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(&line.to_string()));
}

fn ignore_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A report for people, without the end of its last line.
pub(crate) fn report_text(report: &Report) -> String {
    let mut text = model_text(&format!("last epoch ({})", report.last.epoch), &report.last);
    if let Some(best) = &report.best_on_validation {
        let title = format!("best on validation (epoch {})", best.epoch);
        text = format!("{text}\n{}", model_text(&title, best));
    }
    if let Some(controls) = &report.controls {
        text = format!("{text}\n{}", controls_text(report, controls));
    }
    text
}

/// What the images give away, and whether that is as much as the model finds.
fn controls_text(report: &Report, controls: &ControlReport) -> String {
    let mut lines = vec!["what the images give away without any network, image AUROC:".to_owned()];
    for control in &controls.figures {
        if let Some(test) = control.test {
            lines.push(format!("  {:<28} {:.4}", control.name, test.auroc));
        }
    }
    let near = controls.near_duplicates;
    let test = report.last.counts.normal + report.last.counts.anomalous;
    lines.push(format!(
        "  nearly the same as a training image: {} of {test} test images",
        near.test
    ));
    if let Some(control) = &report.last.not_above_control {
        lines.push(format!(
            "the model of the last epoch does not clearly beat the control {control}: these images say little about it"
        ));
    }
    lines.join("\n")
}

fn model_text(title: &str, report: &ModelReport) -> String {
    let counts = &report.counts;
    let mut lines = vec![format!(
        "{title}: {} normal, {} anomalous test images",
        counts.normal, counts.anomalous
    )];
    let mut figure = |name: &str, value: f64| lines.push(format!("  {name:<28} {value:.4}"));
    if let Some(image) = &report.image {
        figure("image AUROC", image.image_auroc);
        figure("image average precision", image.image_average_precision);
        figure("oracle F1-max", image.oracle_f1_max);
        figure("oracle accuracy", image.oracle_accuracy);
    }
    if report.image.is_none() {
        let kind = if counts.normal == 0 {
            "anomalous"
        } else {
            "normal"
        };
        lines.push(format!("  no AUROC: all test images count as {kind}"));
    }
    let mut figure = |name: &str, value: f64| lines.push(format!("  {name:<28} {value:.4}"));
    figure("accuracy at the threshold", report.at_threshold.accuracy);
    if let Some(f1) = report.at_threshold.f1 {
        figure("F1 at the threshold", f1);
    }
    if let Some(pixel) = &report.pixel {
        figure("pixel AUROC", pixel.pixel_auroc);
        figure("pixel average precision", pixel.pixel_average_precision);
        figure("AUPRO (limit 0.3)", pixel.aupro_0_3);
        match pixel.pro_per_image {
            Some(pro) => figure("PRO per image", pro),
            None => lines.push(format!(
                "  no PRO per image: images whose own curve has no area: {}",
                pixel.pro_undefined
            )),
        }
    }
    if let Some(omitted) = &report.pixels_omitted {
        lines.push(format!("  no figures of pixels: {}", omitted.reason));
    }
    lines.push(format!(
        "  threshold {:.6}: {}",
        report.threshold.value, report.threshold.rule
    ));
    lines.extend(false_alarms(report));
    lines.join("\n")
}

/// How many normal test images the threshold flags, and whether that is more than was promised.
fn false_alarms(report: &ModelReport) -> Option<String> {
    let normal = report.counts.normal as u64;
    let rate = 1.0 - report.at_threshold.specificity?;
    let flagged = (rate * normal as f64).round() as u64;
    let promise = report.threshold.promise;
    let more = match promise.is_some_and(|promise| breaks_promise(promise, flagged, normal)) {
        true => ": more than was promised; they are probably not like those that were held out",
        false => "",
    };
    Some(format!(
        "  flagged {flagged} of {normal} normal test images ({:.1} %){more}",
        100.0 * rate
    ))
}
