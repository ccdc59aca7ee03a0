use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for the outputs of some runs.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Six runs: one ratio on one data set, with and without labels, of three seeds.
    pub(crate) fn command(&self, out: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command
            .args(["bench-medical", "--sample", "--datasets", "br35h"])
            .args(["--ratios", "0,0.05", "--seeds", "111,112,113", "--binary"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stub_ckaad.sh"))
            .arg("--out")
            .arg(self.path(out))
            .args(more)
            .env("STUB_LOG", self.path(&format!("{out}.log")))
            .env_remove("STUB_FAIL")
            .env_remove("STUB_HANG");
        command
    }

    pub(crate) fn run(&self, out: &str, more: &[&str]) -> Output {
        self.command(out, more).output().unwrap()
    }

    /// How often the stand-in of `ckaad` was asked for something.
    pub(crate) fn asked(&self, out: &str, what: &str) -> usize {
        let log = fs::read_to_string(self.path(&format!("{out}.log"))).unwrap_or_default();
        log.lines().filter(|line| *line == what).count()
    }

    pub(crate) fn table(&self, out: &str) -> String {
        fs::read_to_string(self.path(out).join("bench-medical-sample/table.md")).unwrap()
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
