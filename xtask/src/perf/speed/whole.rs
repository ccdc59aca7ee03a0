//! A side that is started anew for each turn, and timed from its start to its end.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};
use wait4::Wait4;

use super::figures::Side;

pub(super) struct Whole<'a> {
    /// The command that writes into a folder.
    command: Box<dyn Fn(&Path) -> Command + 'a>,
    /// Where folders for it are made.
    place: &'a Path,
    /// How many heat maps it has to write.
    maps: usize,
    peak_bytes: u64,
}

impl<'a> Whole<'a> {
    pub(super) fn new(
        place: &'a Path,
        maps: usize,
        command: impl Fn(&Path) -> Command + 'a,
    ) -> Self {
        Self {
            command: Box::new(command),
            place,
            maps,
            peak_bytes: 0,
        }
    }
}

impl Side for Whole<'_> {
    fn turn(&mut self) -> anyhow::Result<f64> {
        let out = tempfile::tempdir_in(self.place).context("cannot make a temporary folder")?;
        let log = self.place.join("messages.txt");
        let mut command = (self.command)(out.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).context("cannot write to the temporary folder")?);
        let program = command.get_program().display().to_string();
        let start = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let ended = child
            .wait4()
            .with_context(|| format!("cannot wait for {program}"))?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(
            ended.status.success(),
            "{program} failed: {}",
            String::from_utf8_lossy(&std::fs::read(&log)?)
        );
        let maps = written(out.path())?;
        ensure!(
            out.path().join("predictions.csv").is_file() && maps == self.maps,
            "{program} wrote {maps} heat maps instead of {}, or no table",
            self.maps
        );
        self.peak_bytes = self.peak_bytes.max(ended.rusage.maxrss);
        Ok(seconds)
    }

    fn peak_mib(&mut self) -> anyhow::Result<f64> {
        Ok(self.peak_bytes as f64 / f64::from(1 << 20))
    }
}

/// How many heat maps lie in a folder.
fn written(folder: &Path) -> anyhow::Result<usize> {
    let mut maps = 0;
    for entry in std::fs::read_dir(folder)? {
        maps += usize::from(
            entry?
                .file_name()
                .to_string_lossy()
                .ends_with("_heatmap.png"),
        );
    }
    Ok(maps)
}
