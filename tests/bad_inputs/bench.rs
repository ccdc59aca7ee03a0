use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::small_run::finished;
use crate::support::process;

/// Address space of a process, in KiB, and its time in seconds.
const MEMORY: &str = "4194304";
const TIME: &str = "60";

/// A folder with images in `data`, one of them as `good.png`, and a finished run of the quickest detector in `run`; and what was said.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    rows: String,
    /// What should not have happened.
    pub(super) problems: Vec<String>,
    /// How many inputs were tried.
    pub(super) cases: usize,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, _) = finished(folder.path());
        let good = root.join("weave/test/good");
        let mut images: Vec<PathBuf> = fs::read_dir(good)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        images.sort();
        fs::copy(&images[0], folder.path().join("good.png")).unwrap();
        Self {
            folder,
            rows: String::new(),
            problems: Vec::new(),
            cases: 0,
        }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.at(name)).unwrap()
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A file that the fuzz targets start from, by its target and name.
    pub(super) fn seed(&self, from: &str, name: &str) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        self.write(name, fs::read(seeds.join(from)).unwrap());
    }

    /// Copies a folder of files over `to`, which is emptied first.
    pub(super) fn copy_folder(&self, from: &str, to: &str) {
        let (from, to) = (self.at(from), self.at(to));
        let _ = fs::remove_dir_all(&to);
        copy(&from, &to);
    }

    /// Runs the program on an input that it must refuse; `outputs` must not be there afterwards.
    pub(super) fn refused(&mut self, what: &str, args: &str, outputs: &[&str]) {
        let (code, said) = self.run(what, args);
        self.expect(matches!(code, Some(1 | 2)), what, &said);
        for output in outputs {
            self.expect(!self.at(output).exists(), what, output);
            let _ = fs::remove_dir_all(self.at(output));
        }
    }

    /// Runs the program on an input that it does without, with a warning; `outputs` are removed.
    pub(super) fn warned(&mut self, what: &str, args: &str, outputs: &[&str]) {
        let (code, said) = self.run(what, args);
        self.expect(code == Some(0) && said.contains("WARN"), what, &said);
        for output in outputs {
            let _ = fs::remove_dir_all(self.at(output));
        }
    }

    fn expect(&mut self, holds: bool, what: &str, said: &str) {
        if !holds {
            self.problems.push(format!("{what}: {said}"));
        }
    }

    /// The exit status, if no signal ended it, and what was said.
    fn run(&mut self, what: &str, args: &str) -> (Option<i32>, String) {
        let program = process();
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", "ulimit -v $0; exec timeout \"$@\"", MEMORY, TIME])
            .arg(program.get_program())
            .args(args.split_whitespace())
            .current_dir(self.folder.path())
            .env("RAYON_NUM_THREADS", "2")
            .stdin(std::process::Stdio::null());
        for name in ["CKAAD_WEIGHTS", "CKAAD_DEVICE", "CKAAD_LOG"] {
            command.env_remove(name);
        }
        // No weights lie where the program looks for them, and none are fetched.
        command
            .env("HOME", self.at("home"))
            .env_remove("XDG_CACHE_HOME");
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code();
        let raw = |c: char| c.is_control() && c != '\n';
        let broken =
            said.contains("panicked") || said.contains("memory allocation") || said.contains(raw);
        self.expect(
            code.is_some() && !broken,
            what,
            &format!("{code:?} {said:?}"),
        );
        let told = said
            .lines()
            .map(str::trim)
            // Neither what went well nor how long it took.
            .filter(|line| {
                !["INFO", "epoch ", "next: "]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .filter(|line| !line.is_empty());
        let told: Vec<&str> = told.collect();
        let row = [
            what,
            &format!("`{args}`"),
            &code.unwrap_or(-1).to_string(),
            &told.join("<br>"),
        ]
        .map(|cell| self.cell(cell));
        let _ = writeln!(self.rows, "| {} |", row.join(" | "));
        self.cases += 1;
        (code, said)
    }

    /// A cell of the table: without the name of the folder, and without what would end the cell.
    fn cell(&self, text: &str) -> String {
        let here = self.folder.path().to_str().unwrap();
        let text = text
            .replace(here, "DIR")
            .replace('|', "\\|")
            .replace('*', "\\*");
        let text = without_places(&text);
        let shown = |c: char| match c.is_control() || c == '\u{202e}' {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        };
        text.chars().map(shown).collect()
    }

    pub(super) fn take_rows(&mut self) -> String {
        std::mem::take(&mut self.rows)
    }
}

/// A text without places in files of JSON, which names of folders and the digits of figures move.
fn without_places(text: &str) -> String {
    let mut parts = text.split(" at line ");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.strip_prefix(" column ") {
            Some(rest) => shown.push_str(rest.trim_start_matches(|c: char| c.is_ascii_digit())),
            None => shown.extend([" at line ", part]),
        }
    }
    shown
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => {
                fs::copy(&path, target).unwrap();
            }
        }
    }
}
