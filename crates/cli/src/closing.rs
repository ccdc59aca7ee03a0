//! The tables that long work closes with.

use ckaad_data::Split;
use ckaad_device::Device;
use ckaad_engine::training::{Threshold, read_log};
use ckaad_engine::{Predictor, RunFolder};

/// A line for each name and text, the texts below each other.
pub(crate) fn table(rows: &[(&str, String)]) -> String {
    let line = |(name, text): &(&str, String)| format!("{name:<18} {text}");
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a finished training made of what.
pub(crate) fn trained(run: &RunFolder, device: &Device) -> anyhow::Result<String> {
    let predictor = Predictor::open(&run.model(), None, device)?;
    let info = predictor.info();
    let config = &info.config;
    let split = Split::read(&run.split())?;
    let epochs = read_log(&run.log(), info.epoch)?;
    let seconds: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
    let bytes = std::fs::metadata(run.model()).map_or(0, |file| file.len());
    let counts = [
        (split.normal.len(), "normal"),
        (split.labelled.len(), "labelled anomalous"),
        (split.validation.len(), "for validation"),
        (split.calibration.len(), "held out for calibration"),
    ];
    let images = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"));
    let best = epochs
        .iter()
        .filter_map(|epoch| Some((epoch.validation_auroc?, epoch.epoch)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut rows = vec![
        (
            "detector",
            format!(
                "{} on {}, {size} x {size} pixels",
                config.detector.name(),
                config.backbone,
                size = config.image_size
            ),
        ),
        ("images", images.collect::<Vec<_>>().join(", ")),
        ("epochs", format!("{} in {}", info.epoch, span(seconds))),
    ];
    if let (Some(last), Some((best, epoch))) = (info.validation_auroc, best) {
        let text = format!("{last:.4} after the last epoch, at best {best:.4} (epoch {epoch})");
        rows.push(("validation AUROC", text));
    }
    rows.push(("threshold", threshold(&info.threshold)));
    rows.push((
        "model",
        format!("{}, {} MiB", run.model().display(), bytes.div_ceil(1 << 20)),
    ));
    Ok(table(&rows))
}

/// `0.4123: ...`.
pub(crate) fn threshold(of: &Threshold) -> String {
    format!("{:.6}: {}", of.value, of.rule)
}

/// A time that people need not be told to the second: `40 s`, `12 min`, `3.5 h`.
pub(crate) fn span(seconds: f64) -> String {
    match seconds {
        ..9.95 => format!("{seconds:.1} s"),
        ..99.5 => format!("{seconds:.0} s"),
        ..5970.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (seconds, text) in [
            (0.04, "0.0 s"),
            (9.96, "10 s"),
            (99.0, "99 s"),
            (100.0, "2 min"),
            (5900.0, "98 min"),
            (5999.0, "1.7 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn texts_stand_below_each_other() {
        let rows = [("a", "1".to_owned()), ("two", "2".to_owned())];
        assert_eq!(table(&rows), "a                  1\ntwo                2");
    }
}
