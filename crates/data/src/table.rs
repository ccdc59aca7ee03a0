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

    /// Parses CSV: cells between commas, semicolons or tabs, whichever the header has most of, quoted where needed, every row as long as
    /// the header; a byte order mark is skipped.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, DataError> {
        let text = text(bytes, path)?;
        let mut lines = Lines::new(text);
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .delimiter(delimiter(text))
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut headers: Option<Vec<String>> = None;
        let mut rows: Vec<Row> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| DataError::parse(path, "a row", error))?;
            let line = lines.of_record(record.position().map_or(0, csv::Position::byte));
            let Some(headers) = &headers else {
                headers = Some(record.iter().map(str::to_ascii_lowercase).collect());
                continue;
            };
            // Spreadsheet programs leave such rows.
            if record.iter().all(str::is_empty) {
                continue;
            }
            if record.len() != headers.len() {
                let (found, wanted) = (record.len(), headers.len());
                let reason = format!("cells in this line: {found}, in the header: {wanted}");
                return Err(DataError::parse(path, format!("line {line}"), reason));
            }
            let cells = record.iter().map(str::to_owned).collect();
            rows.push(Row { line, cells });
        }
        // A quote without its partner takes all the lines that follow into one cell.
        let last = rows
            .last()
            .filter(|row| row.cells.iter().any(|cell| cell.contains('\n')));
        if let Some(row) = last.filter(|_| text.matches('"').count() % 2 == 1) {
            let place = format!("line {}", row.line);
            return Err(DataError::parse(
                path,
                place,
                "a quote is opened here and never closed",
            ));
        }
        Ok(Self {
            path: path.to_path_buf(),
            headers: headers.unwrap_or_default(),
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
            let has = match self.headers.as_slice() {
                [] => "the file is empty".to_owned(),
                headers => format!("the header has: {}", headers.join(", ")),
            };
            let reason = format!("column \"{name}\" is missing; {has}");
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

/// The text of a table; spreadsheet programs also write other encodings than UTF-8.
pub(crate) fn text<'a>(bytes: &'a [u8], path: &Path) -> Result<&'a str, DataError> {
    // Without a mark, too: every other byte of Latin letters is zero.
    let utf16 = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        [0, a, 0, b, ..] | [a, 0, b, 0, ..] => *a != 0 && *b != 0,
        _ => false,
    };
    if utf16 {
        let reason = "it is UTF-16; save it as UTF-8 (spreadsheet programs call it \"CSV UTF-8\")";
        return Err(DataError::parse(path, "encoding", reason));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let line = Lines::new(&good).to(good.len());
        let reason = "a character that is not UTF-8; save the table as UTF-8";
        DataError::parse(path, format!("line {line}"), reason)
    })
}

/// The separator that the header has most of outside quotes; a comma if it has none.
fn delimiter(text: &str) -> u8 {
    let header = text
        .trim_start()
        .split(['\n', '\r'])
        .next()
        .unwrap_or("")
        .as_bytes();
    let count = |separator: u8| {
        let outside = |(quoted, found): (bool, usize), &byte: &u8| match byte {
            b'"' => (!quoted, found),
            _ => (quoted, found + usize::from(byte == separator && !quoted)),
        };
        header.iter().fold((false, 0), outside).1
    };
    // The last of equal ones.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|&separator| count(separator))
        .unwrap_or(b',')
}

/// Counts lines as an editor does, whether they end in LF, CRLF or CR.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.as_bytes();
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line, from 1, in which byte `to` lies; bytes must come in order.
    fn to(&mut self, to: usize) -> u64 {
        while self.at < to.min(self.text.len()) {
            let ends = match self.text[self.at] {
                b'\n' => true,
                b'\r' => self.text.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }

    /// The line of a record that the parser began to read at `byte`: before it may lie the rest of the line end and empty lines.
    fn of_record(&mut self, byte: u64) -> u64 {
        let mut start = byte as usize;
        while matches!(self.text.get(start), Some(b'\n' | b'\r')) {
            start += 1;
        }
        self.to(start)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<Table, String> {
        Table::parse(text.as_bytes(), Path::new("t.csv")).map_err(|error| error.to_string())
    }

    fn refusal(text: &str) -> String {
        parse(text).err().unwrap()
    }

    #[test]
    fn columns_are_found_by_name_whatever_separates_them() {
        for separator in [",", ";", "\t"] {
            let text = "\u{FEFF}Image| Label\n\"a,b;c.png\"|normal\n||\n".replace('|', separator);
            let table = parse(&text).unwrap();
            assert_eq!(table.rows().len(), 1, "empty rows do not count");
            let row = &table.rows()[0];
            assert_eq!(
                table.cell(row, table.require("image").unwrap()),
                "a,b;c.png"
            );
            assert_eq!(table.cell(row, table.require("label").unwrap()), "normal");
            let missing = table.require("mask").err().unwrap().to_string();
            assert!(missing.contains("column \"mask\" is missing"), "{missing}");
        }
        assert_eq!(delimiter("\"a,b,c\";d\n"), b';');
        assert_eq!(delimiter("alone\n"), b',');
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "a,b|1,2||\"3|x\",4|5,6|7|".replace('|', end);
            let message = refusal(&text);
            assert_eq!(
                message, "t.csv: line 7: cells in this line: 1, in the header: 2",
                "{end:?}"
            );
        }
        let table = parse("\u{FEFF}a\r\n1\r\n2\r\n").unwrap();
        let lines: Vec<u64> = table.rows().iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn encodings_and_open_quotes_are_named() {
        let utf16: Vec<u8> = "path,label\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let marked: Vec<u8> = "\u{FEFF}path\n"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for bytes in [utf16, marked] {
            let error = Table::parse(&bytes, Path::new("t.csv"))
                .err()
                .unwrap()
                .to_string();
            assert!(error.contains("UTF-16; save it as UTF-8"), "{error}");
        }
        let latin = Table::parse(b"a\r\n1\r\nst\xFCck\r\n", Path::new("t.csv"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            latin.contains("line 3: a character that is not UTF-8"),
            "{latin}"
        );
        let open = refusal("a,b\n1,2\n3,\"4\n5,6\n");
        assert!(open.contains("line 3: a quote is opened"), "{open}");
    }
}
