//! What `--help` says, word by word: a change of it is seen before users see it. `CKAAD_UPDATE_HELP=1 cargo test help` writes it anew.

use std::path::Path;

use crate::support::process;

const COMMANDS: [&str; 11] = [
    "", "train", "compare", "evaluate", "report", "predict", "export", "weights", "datasets",
    "devices", "demo",
];

fn help(command: &str) -> String {
    let words = command.split_whitespace();
    let output = process()
        .args(words)
        .arg("--help")
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_is_as_it_was_looked_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/help");
    for command in COMMANDS {
        let name = if command.is_empty() { "ckaad" } else { command };
        let file = folder.join(format!("{name}.txt"));
        let said = help(command);
        if std::env::var_os("CKAAD_UPDATE_HELP").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &said).unwrap();
        }
        let looked_at = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            said == looked_at,
            "`ckaad {command} --help` is no longer {}:\n{said}",
            file.display()
        );
    }
}

#[test]
fn every_command_is_looked_at() {
    let all = help("");
    let listed = all
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What a command does goes on in lines that stand further in.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    for command in listed {
        assert!(COMMANDS.contains(&command), "{command}");
    }
}
