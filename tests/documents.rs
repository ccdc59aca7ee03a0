//! What is made from the program itself is in the repository, and current.

use std::path::Path;

use crate::golden;
use crate::support::{ckaad, process};

fn generated(folder: &Path) {
    ckaad().arg("generate").arg(folder).assert().success();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn golden_documents_are_current() {
    let folder = tempfile::tempdir().unwrap();
    generated(folder.path());
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let schemas = names(&folder.path().join("schema"));
    let pages = ["reference.md", "settings.md"].map(str::to_owned);
    let schemas = schemas.iter().map(|name| format!("schema/{name}"));
    for name in pages.into_iter().chain(schemas) {
        golden::compare(&format!("docs/{name}"), &text(&name));
    }
    let kept = names(&golden::repository("docs/schema"));
    assert_eq!(
        kept,
        names(&folder.path().join("schema")),
        "no schema is left over"
    );
}

/// The commands that a page of help lists.
fn listed(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What a command does goes on in lines that stand further in.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn help(words: &[String]) -> String {
    let output = process()
        .args(words)
        .arg("--help")
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[test]
fn help_is_what_the_reference_says() {
    let reference = std::fs::read_to_string(golden::repository("docs/reference.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    generated(folder.path());
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = 0;
    while let Some(words) = waiting.pop() {
        let said = help(&words);
        let name = [&["ckaad".to_owned()], words.as_slice()].concat();
        let section = format!("## {}\n\n```text\n{}\n```\n", name.join(" "), said);
        assert!(
            reference.contains(&section),
            "not in the reference:\n{section}"
        );
        let man = folder.path().join(format!("man/{}.1", name.join("-")));
        assert!(man.is_file(), "{} is missing", man.display());
        seen += 1;
        for command in listed(&said) {
            waiting.push([words.as_slice(), &[command]].concat());
        }
    }
    assert!(seen > 15, "{seen} commands");
}

#[test]
fn shells_complete_every_command() {
    let folder = tempfile::tempdir().unwrap();
    generated(folder.path());
    let completions = folder.path().join("completions");
    assert_eq!(
        names(&completions),
        [
            "_ckaad",
            "_ckaad.ps1",
            "ckaad.bash",
            "ckaad.elv",
            "ckaad.fish"
        ]
    );
    for shell in names(&completions) {
        let text = std::fs::read_to_string(completions.join(&shell)).unwrap();
        for command in listed(&help(&[])) {
            assert!(text.contains(&command), "{shell}: {command}");
        }
        assert!(text.contains("labelled-ratio"), "{shell}");
    }
}
