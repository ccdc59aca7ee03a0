//! What README tells a newcomer to type works.

use std::path::Path;

use ckaad_data::{SynthSize, synth_demo};

use crate::support::ckaad;

/// The commands in the code blocks of a text, without comments.
fn commands(text: &str) -> Vec<&str> {
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    blocks
        .flat_map(str::lines)
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .collect()
}

/// The folders that README speaks of, with *synthetic* pictures.
fn folders(root: &Path) {
    let size = SynthSize {
        side: 64,
        train_normal: 44,
        train_anomalous: 16,
        test_normal: 4,
        test_anomalous: 4,
    };
    synth_demo(root, 3, size).unwrap();
    let weave = root.join("weave");
    let rename = |from: &str, to: &str| std::fs::rename(weave.join(from), root.join(to)).unwrap();
    rename("train/good", "good");
    rename("train", "bad");
    rename("test", "test");
    std::fs::create_dir(root.join("new")).unwrap();
    let picture = root.join("test/good/000.png");
    std::fs::copy(picture, root.join("new/000.png")).unwrap();
}

/// Reduced: small pictures, random features, two detectors.
fn reduced(command: &str) -> &'static str {
    match command {
        "compare" => "--random-features --image-size 64 --detectors probe,gaussian",
        "train" => "--random-features --image-size 64",
        _ => "",
    }
}

#[test]
fn every_command_of_readme_runs() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let folder = tempfile::tempdir().unwrap();
    folders(folder.path());
    let mut ran = 0;
    for command in commands(&text) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["ckaad", name, ..] => {
                let more = reduced(name).split_whitespace();
                let args = words[1..].iter().copied().chain(more);
                ckaad()
                    .current_dir(folder.path())
                    .args(args)
                    .assert()
                    .success();
                ran += 1;
            }
            // tests/end_to_end.rs runs the demonstration, and this is one of the tests.
            ["cargo", "run", "--release", "-p", "ckaad", "--", "demo"]
            | ["cargo", "test", "--workspace"] => {}
            _ => panic!("no test runs `{command}`"),
        }
    }
    assert!(ran >= 4, "{ran} commands");
    for written in [
        "runs/mine/report.html",
        "results/predictions.csv",
        "compared/report.html",
    ] {
        assert!(folder.path().join(written).is_file(), "{written}");
    }
}
