use std::borrow::Cow;
use std::path::Path;

use crate::EngineError;

/// Characters that make spreadsheet programs run a cell that begins with one.
const RUN: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The text of a cell that a spreadsheet program shows as it is: one that would be run, and is no number, gets an apostrophe before it, and so
/// does one that would otherwise be taken for such a text when it is read again by [`original`].
fn harmless(cell: &str) -> Cow<'_, str> {
    match cell.trim_start_matches('\'').starts_with(RUN) && cell.parse::<f64>().is_err() {
        true => format!("'{cell}").into(),
        false => cell.into(),
    }
}

/// The cell that was written [harmless](write_table).
pub(crate) fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(RUN) => rest,
        _ => cell,
    }
}

/// Writes a table of comma-separated values, whole or not at all. A text that spreadsheet programs would run, as it begins with one of
/// `= + - @`, a tab or a carriage return and is no number, stands there after an apostrophe.
pub(crate) fn write_table<const N: usize>(
    path: &Path,
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<(), EngineError> {
    let failed = |error: csv::Error| EngineError::file(path, "table", error);
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(header).map_err(failed)?;
    for row in rows {
        let cells = row.iter().map(|cell| harmless(cell).into_owned());
        table.write_record(cells).map_err(failed)?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_harmless_and_reads_back() {
        for (cell, written) in [
            ("=cmd|'/c calc'!A1.png", "'=cmd|'/c calc'!A1.png"),
            ("+1 and more", "'+1 and more"),
            ("-a.png", "'-a.png"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("'=x", "''=x"),
            ("''-x", "'''-x"),
            ("-0.25", "-0.25"),
            ("-1e-7", "-1e-7"),
            ("'quoted'", "'quoted'"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell), written);
            assert_eq!(original(written), cell);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        let row = ["=1+1".to_owned(), "-2".to_owned()];
        write_table(&path, ["name", "score"], [row]).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "name,score\n'=1+1,-2\n"
        );
    }
}
