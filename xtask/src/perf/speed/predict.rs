//! `predict` as a whole process: on many files with heat maps, and on one without.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

use super::figures::{Peers, Row, Work};
use super::images::Images;
use super::settings;
use super::sides::{PYTORCH, Sides};
use super::whole::Whole;
use crate::precision::Precision;

/// Normal images per step of the model that is made for it.
const BATCH: usize = 8;

/// What both sides load.
pub(super) struct Models {
    ours: PathBuf,
    theirs: PathBuf,
}

impl Models {
    /// Makes a model of either side. Training is kept short; a model's speed does not depend on it.
    pub(super) fn make(sides: &Sides, images: &Images, side: usize) -> anyhow::Result<Self> {
        let run = images.place().join("run");
        let mut train = Command::new(&sides.ours.ckaad);
        train
            .args(["train", "--device", "cpu", "--config"])
            .arg(settings::write(
                &images.few,
                side,
                BATCH,
                1,
                Precision::F32,
            )?)
            .arg("--out")
            .arg(&run);
        finish(train)?;
        let theirs = images.place().join("weights.pt");
        if let Some(python) = &sides.theirs {
            let mut make = sides.script(python, "predict.py");
            make.arg(&theirs).arg(side.to_string()).arg("--make");
            finish(make)?;
        }
        Ok(Self {
            ours: run.join("model.safetensors"),
            theirs,
        })
    }

    /// Many files with heat maps.
    pub(super) fn predict(
        &self,
        sides: &Sides,
        images: &Images,
        side: usize,
        rounds: usize,
    ) -> anyhow::Result<Row> {
        let files = images.summary.files;
        let work = Work {
            case: "predict",
            what: format!("`predict`, {files} files, whole process"),
            goal: Some(0.5),
            images: files,
        };
        self.row(work, sides, images, (&images.files, files), side, rounds)
    }

    /// One file without.
    pub(super) fn start(
        &self,
        sides: &Sides,
        images: &Images,
        side: usize,
        rounds: usize,
    ) -> anyhow::Result<Row> {
        let work = Work {
            case: "start",
            what: "start to first score, whole process".to_owned(),
            goal: Some(0.15),
            images: 1,
        };
        self.row(work, sides, images, (&images.one, 0), side, rounds)
    }

    /// Either on some files, with this number of heat maps.
    fn row(
        &self,
        work: Work,
        sides: &Sides,
        images: &Images,
        (files, maps): (&Path, usize),
        side: usize,
        rounds: usize,
    ) -> anyhow::Result<Row> {
        let place = images.place();
        let ours = Whole::new(place, maps, |out| {
            let mut command = sides.command(&sides.ours.ckaad);
            command.arg("predict").arg(&self.ours).arg(files);
            command.arg("--out").arg(out);
            if maps == 0 {
                command.arg("--no-heatmaps");
            }
            command
        });
        let mut peers: Peers<'_> = Vec::new();
        if let Some(python) = &sides.theirs {
            let whole = Whole::new(place, maps, move |out| {
                let mut command = sides.script(python, "predict.py");
                command.arg(&self.theirs).arg(side.to_string());
                command.arg(files).arg(out);
                if maps == 0 {
                    command.arg("--no-maps");
                }
                command
            });
            peers.push((PYTORCH.to_owned(), Box::new(whole)));
        }
        work.alternate(1, rounds, ours, peers)
    }
}

/// Runs a command that prepares something.
fn finish(mut command: Command) -> anyhow::Result<()> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
