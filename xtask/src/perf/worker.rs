//! A program beside us, and what is made of its times.

use std::io::{BufRead, BufReader, Write};
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
