//! Texts that are kept as they were looked at. `CKAAD_UPDATE=1 cargo test --test integration -- golden` writes all of them anew.

use std::path::{Path, PathBuf};

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// Compares a text with the one that was looked at; writes it where an update was asked for.
pub(crate) fn compare(path: &str, said: &str) {
    let file = repository(path);
    if std::env::var_os("CKAAD_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, said).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    if said == kept {
        return;
    }
    let line = said
        .lines()
        .zip(kept.lines())
        .position(|(said, kept)| said != kept)
        .unwrap_or_else(|| said.lines().count().min(kept.lines().count()));
    panic!(
        "{path} is out of date from line {} on:\n  kept: {}\n  now:  {}\n`CKAAD_UPDATE=1 cargo test --workspace --test integration -- golden` writes it anew; look at what changed\n",
        line + 1,
        kept.lines().nth(line).unwrap_or("(nothing)"),
        said.lines().nth(line).unwrap_or("(nothing)"),
    );
}

/// A text without what is different every time: times, sizes, figures that processors round differently, the folder of the test.
pub(crate) fn masked(text: &str, folder: &Path) -> String {
    let text = text.replace(folder.to_str().unwrap(), "DIR");
    let lines: Vec<String> = text.lines().map(masked_line).collect();
    lines.join("\n")
}

/// Decimal numbers, and whole ones before a unit that varies, become `#`; rows of spaces become two.
fn masked_line(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let mut shown = String::new();
    let mut at = 0;
    while at < letters.len() {
        let digits = |from: usize| {
            letters[from..]
                .iter()
                .take_while(|c| c.is_ascii_digit())
                .count()
        };
        let inside = at > 0 && (letters[at - 1].is_ascii_alphanumeric() || letters[at - 1] == '.');
        let whole = if inside { 0 } else { digits(at) };
        if whole == 0 {
            let more = letters[at] == ' ' && shown.ends_with("  ");
            if !more {
                shown.push(letters[at]);
            }
            at += 1;
            continue;
        }
        let end = at + whole;
        let decimals = match letters.get(end) {
            Some('.') => digits(end + 1),
            _ => 0,
        };
        let after: String = letters[end..].iter().take(5).collect();
        let varies = [" s", " ms", " min", " h", " MiB", " KiB"]
            .iter()
            .any(|unit| {
                after.starts_with(unit)
                    && !after[unit.len()..].starts_with(|c: char| c.is_alphanumeric())
            });
        if decimals > 0 && letters.get(end + 1 + decimals) != Some(&'.') {
            shown.push('#');
            at = end + 1 + decimals;
        } else if varies {
            shown.push('#');
            at = end;
        } else {
            shown.extend(&letters[at..end]);
            at = end;
        }
    }
    shown
}

#[test]
fn what_varies_is_masked() {
    let folder = Path::new("/some/folder");
    for (text, expected) in [
        ("took 0.31 s of 12 min", "took # s of # min"),
        ("/some/folder/run, 43 MiB", "DIR/run, # MiB"),
        ("AUROC    0.9533 (epoch 3)", "AUROC  # (epoch 3)"),
        (
            "resnet18, 32 x 32 pixels, 12 samples",
            "resnet18, 32 x 32 pixels, 12 samples",
        ),
        ("ckaad 0.1.0", "ckaad 0.1.0"),
    ] {
        assert_eq!(masked(text, folder), expected);
    }
}
