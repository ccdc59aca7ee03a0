//! CSV tables with a header, as data sets ship them.

use std::path::{Path, PathBuf};

use crate::error::{Cause, DataError};

/// Greatest size of a table, a manifest or a batch file.
pub(crate) const TABLE_LIMIT: u64 = 256 << 20;

/// A table whose columns are found by name, whatever their order and case.
pub(crate) struct Table {
    path: PathBuf,
    headers: Vec<String>,
    rows: Vec<Row>,
}

/// One line of a table.
pub(crate) struct Row {
    /// Line in the file, from 1.
    pub(crate) line: u64,
    cells: Vec<String>,
}

/// A column that the table has.
#[derive(Clone, Copy)]
pub(crate) struct Column(usize);

impl Table {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, DataError> {
        Self::parse(&ckaad_files::read(path, TABLE_LIMIT)?, path)
    }

    /// Parses CSV: comma-separated, quoted where needed, every row as long as the header; a byte order mark is skipped.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let fail = |error: csv::Error| {
            let line = error.position().map_or(0, csv::Position::line);
            DataError::parse(path, format!("line {line}"), error)
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let headers: Vec<String> = reader
            .headers()
            .map_err(fail)?
            .iter()
            .map(str::to_ascii_lowercase)
            .collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(fail)?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push(Row {
                line,
                cells: record.iter().map(str::to_owned).collect(),
            });
        }
        Ok(Self {
            path: path.to_path_buf(),
            headers,
            rows,
        })
    }

    /// The column of that name, if there is one.
    pub(crate) fn column(&self, name: &str) -> Option<Column> {
        self.headers
            .iter()
            .position(|header| header == name)
            .map(Column)
    }

    /// The column of that name, or an error.
    pub(crate) fn require(&self, name: &str) -> Result<Column, DataError> {
        self.column(name).ok_or_else(|| {
            let reason = format!(
                "column \"{name}\" is missing; the header has: {}",
                self.headers.join(", ")
            );
            DataError::parse(&self.path, "line 1", reason)
        })
    }

    /// Every row.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The cell of a row.
    pub(crate) fn cell<'a>(&self, row: &'a Row, column: Column) -> &'a str {
        row.cells.get(column.0).map_or("", String::as_str)
    }

    /// An error about a row.
    pub(crate) fn error(&self, row: &Row, reason: impl Into<Cause>) -> DataError {
        DataError::parse(&self.path, format!("line {}", row.line), reason)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_errors_name_the_line() {
        let table = Table::parse(
            b"\xEF\xBB\xBFImage, Label\n\"a,b.png\",normal\n",
            Path::new("t.csv"),
        )
        .unwrap();
        let row = &table.rows()[0];
        assert_eq!(table.cell(row, table.require("image").unwrap()), "a,b.png");
        assert_eq!(table.cell(row, table.require("label").unwrap()), "normal");
        assert!(
            table
                .require("mask")
                .err()
                .unwrap()
                .to_string()
                .contains("column \"mask\" is missing")
        );
        let short = Table::parse(b"a,b\n1,2\n3\n", Path::new("t.csv"))
            .err()
            .unwrap();
        assert!(short.to_string().contains("line 3"), "{short}");
    }
}
