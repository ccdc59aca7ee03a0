//! Tables as people and spreadsheet programs write them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use ckaad_data::*;
use tempfile::TempDir;

const IMAGES: [&str; 4] = ["good/0.png", "good/1.png", "bad/0.png", "bad/1.png"];
const TABLE: &str = "path,label,split\r\n\
    good/0.png,normal,train\r\n\
    bad/0.png,anomalous,train\r\n\
    good/1.png,normal,test\r\n\
    bad/1.png,anomalous,test\r\n";

/// (normal, anomalous) samples.
fn counts(samples: &[Sample]) -> (usize, usize) {
    let anomalous = samples.iter().filter(|s| s.label.is_anomalous()).count();
    (samples.len() - anomalous, anomalous)
}

/// A folder with the images that the table names.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in IMAGES {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    dir
}

fn open_bytes(dir: &TempDir, bytes: &[u8]) -> Result<Dataset, DataError> {
    fs::write(dir.path().join("manifest.csv"), bytes).unwrap();
    Dataset::open(Layout::Manifest, dir.path(), None)
}

fn open(dir: &TempDir, text: &str) -> Dataset {
    open_bytes(dir, text.as_bytes()).unwrap()
}

fn refusal(dir: &TempDir, text: &str) -> String {
    open_bytes(dir, text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn tables_are_read_as_they_are_written() {
    let dir = folder();
    let plain = open(&dir, TABLE);
    assert_eq!(
        (counts(&plain.train), counts(&plain.test)),
        ((1, 1), (1, 1))
    );
    let same = [
        TABLE.replace(',', ";"),
        TABLE.replace(',', "\t"),
        TABLE.replace("\r\n", "\n"),
        TABLE.replace("\r\n", "\r\n\r\n"),
        format!("\u{FEFF}{TABLE};;\r\n").replace(',', ";"),
        TABLE.replace("path,label,split", "Path, LABEL ,Split"),
        TABLE
            .replace("normal", "Normal")
            .replace("anomalous", "ANOMALOUS"),
        TABLE.replace("normal", "GOOD").replace("anomalous", "NG"),
        TABLE.replace("normal", "0").replace("anomalous", "1"),
        TABLE.replace("train", "Train").replace("test", "TEST"),
        TABLE.replace("good/", "good\\").replace("bad/", ".\\bad\\"),
    ];
    let names = |list: &[Sample]| -> Vec<_> {
        list.iter()
            .map(|s| {
                (
                    s.path.file().canonicalize().unwrap(),
                    s.label,
                    s.class.clone(),
                )
            })
            .collect()
    };
    for text in same {
        let dataset = open(&dir, &text);
        assert_eq!(names(&dataset.train), names(&plain.train), "{text}");
        assert_eq!(names(&dataset.test), names(&plain.test), "{text}");
    }
    for word in ["val", "Valid", "validation"] {
        let dataset = open(&dir, &TABLE.replace("test", word));
        assert_eq!(counts(&dataset.validation), (1, 1));
    }
    let lines = "{\"path\":\"good/0.png\",\"label\":0,\"split\":\"Train\"}\r\n\
        {\"path\":\"bad/0.png\",\"label\":\"Bad\",\"split\":\"val\"}";
    let path = dir.path().join("lines.jsonl");
    fs::write(&path, format!("\u{FEFF}{lines}")).unwrap();
    let dataset = Dataset::open(Layout::Manifest, &path, None).unwrap();
    assert_eq!(names(&dataset.train), names(&plain.train[..1]));
    assert_eq!(names(&dataset.validation), names(&plain.train[1..]));
}

#[test]
fn errors_name_the_cause_and_the_line() {
    let dir = folder();
    for end in ["\r\n", "\n"] {
        let text = |change: &[(&str, &str)]| {
            let start = TABLE.replace("\r\n", end);
            change
                .iter()
                .fold(start, |text, (from, to)| text.replace(from, to))
        };
        for (table, expected) in [
            (
                text(&[("bad/1.png,anomalous", "bad/1.png,weird")]),
                "line 5: label \"weird\" is neither normal (or good, ok, 0) nor anomalous",
            ),
            (
                text(&[("anomalous,test", "anomalous,holdout")]),
                "line 5: split \"holdout\" is none of train, validation (or val, valid), test",
            ),
            (
                text(&[("bad/1.png", "bad/9.png")]),
                "line 5: bad/9.png does not exist",
            ),
            (
                text(&[("bad/1.png", "C:\\data\\9.png")]),
                "line 5: C:\\data\\9.png does not exist, nor C:/data/9.png; write paths relative to",
            ),
            (
                text(&[("bad/1.png,anomalous", "./good/0.png,normal")]),
                "line 5: ./good/0.png is listed twice, first in line 2",
            ),
            (
                text(&[("bad/1.png,anomalous,test", "bad/1.png,anomalous")]),
                "line 5: cells in this line: 2, in the header: 3",
            ),
        ] {
            let message = refusal(&dir, &table);
            assert!(message.contains(expected), "{message}");
        }
    }
    let utf16: Vec<u8> = format!("\u{FEFF}{TABLE}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let message = open_bytes(&dir, &utf16).unwrap_err().to_string();
    assert!(message.contains("UTF-16; save it as UTF-8"), "{message}");
    let path = dir.path().join("lines.jsonl");
    for bytes in [&utf16[..], b"{\"path\":\"good/0.png\"}\n\n{\"label\":2}"] {
        fs::write(&path, bytes).unwrap();
        let message = Dataset::open(Layout::Manifest, &path, None)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("UTF-16") || message.contains("line 1: missing field"),
            "{message}"
        );
    }
}

/// A link to a listed file is the same file.
#[test]
#[cfg(unix)]
fn a_file_listed_under_two_names_is_listed_twice() {
    let dir = folder();
    let link = dir.path().join("bad/link.png");
    std::os::unix::fs::symlink(Path::new("1.png"), &link).unwrap();
    let text = format!("{TABLE}bad/link.png,anomalous,train\r\n");
    let message = refusal(&dir, &text);
    assert!(
        message.contains("line 6: bad/link.png is listed twice, first in line 5"),
        "{message}"
    );
}
