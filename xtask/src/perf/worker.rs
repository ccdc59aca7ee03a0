//! A program beside us, and what is made of its times.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// A program that answers every line with a line.
pub(super) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts it.
    pub(super) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("the worker has no output")?);
        Ok(Self {
            child,
            input,
            output,
        })
    }

    /// An example of one of our packages, on so many threads.
    pub(super) fn example(package: &str, example: &str, threads: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO"));
        command
            .args(["run", "--quiet", "--release", "-p", package])
            .args(["--example", example])
            .env("RAYON_NUM_THREADS", threads.to_string());
        Self::start(&mut command)
    }

    /// A script of `xtask/perf` in a Python that has these modules.
    pub(super) fn python(
        program: &OsString,
        modules: &[&str],
        script: &str,
    ) -> anyhow::Result<Self> {
        let check = Command::new(program)
            .args(["-c", &format!("import {}", modules.join(", "))])
            .stderr(Stdio::null())
            .status()
            .context("cannot be started")?;
        ensure!(check.success(), "lacks one of {}", modules.join(", "));
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("perf");
        Self::start(Command::new(program).arg(scripts.join(script)))
    }

    /// Its answer to a line.
    pub(super) fn ask(&mut self, line: &str) -> anyhow::Result<String> {
        let input = self.input.as_mut().context("the worker has no input")?;
        writeln!(input, "{line}")?;
        input.flush()?;
        let mut answer = String::new();
        ensure!(
            self.output.read_line(&mut answer)? > 0,
            "the worker ended at: {line}"
        );
        Ok(answer.trim_end().to_owned())
    }

    /// Seconds and figure of a case.
    pub(super) fn time(&mut self, case: &str) -> anyhow::Result<(f64, f64)> {
        let answer = self.ask(&format!("run {case}"))?;
        let (seconds, value) = answer
            .split_once(' ')
            .with_context(|| format!("unexpected answer: {answer}"))?;
        Ok((seconds.parse()?, value.parse()?))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input ends the worker; a failure to wait for it changes no result.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
