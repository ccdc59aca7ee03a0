use std::path::Path;

use crate::EngineError;

/// Writes a table of comma-separated values, whole or not at all.
pub(crate) fn write_table<const N: usize>(
    path: &Path,
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), EngineError> {
    let failed = |error: csv::Error| EngineError::file(path, "table", error);
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(header).map_err(failed)?;
    for row in rows {
        table.write_record(row).map_err(failed)?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| EngineError::file(path, "table", error.into_error()))?;
    Ok(ckaad_files::write(path, &bytes)?)
}

/// What a table calls a decision or a label.
pub(crate) fn decision(anomalous: bool) -> &'static str {
    if anomalous { "anomalous" } else { "normal" }
}

/// A number that may be missing.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
