//! `--plan`: the grid, its size, and an estimate of the time from one timed step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use ckaad_data::{Layout, StandIn, synth_layout};
use serde_json::Value;

use super::args::GridArgs;
use super::grid::{Grid, Run};
use super::library::{Library, Place};
use super::runner::clock;
use super::settings::Settings;
use super::{binary, is_finished};

/// Prints the grid and the estimate.
pub(crate) fn print(
    args: &GridArgs,
    grid: &Grid,
    settings: &Settings,
    library: &Library<'_>,
) -> anyhow::Result<()> {
    println!("{}: {} runs", grid.title, grid.runs.len());
    if grid.synthetic {
        println!("on SYNTHETIC stand-ins");
    }
    for section in &grid.sections {
        println!("{}:", section.title);
        for row in &section.rows {
            if row.category.as_deref() == Some("mean") {
                continue;
            }
            let part = |name: &str, value: Option<String>| {
                value.map_or(String::new(), |value| format!(", {name}{value}"))
            };
            let runs: usize = row.seeds.values().map(Vec::len).sum();
            println!(
                "  {}{}{}{}, {} norm: {runs} runs, {} seeds",
                row.method,
                part("", row.category.clone()),
                part("r_l = ", row.labelled_ratio.map(|ratio| ratio.to_string())),
                part("k = ", row.k.map(|k| k.to_string())),
                row.norm,
                row.seeds.len()
            );
        }
        let mut differs: Vec<&String> = section.rows.iter().flat_map(|row| &row.differs).collect();
        differs.sort();
        differs.dedup();
        for text in differs {
            println!("  not the paper's: {text}");
        }
    }
    let out = std::path::absolute(&args.place.out)?;
    let todo: Vec<&Run> = grid
        .runs
        .iter()
        .filter(|run| !is_finished(&out, run))
        .collect();
    println!(
        "finished earlier: {}, to do: {}",
        grid.runs.len() - todo.len(),
        todo.len()
    );
    // Stand-ins are drawn when they are needed.
    let places = match grid.synthetic {
        true => None,
        false => Some(library.places(&grid.runs)?),
    };
    if let Some(places) = &places {
        for text in library.explain(places)? {
            println!("{text}");
        }
    }
    // A step with anomalous images is the longer one, and the commoner.
    let reconstruction =
        |run: &Run| run.settings.get("method").and_then(toml::Value::as_str) == Some("recon");
    let other = todo.iter().find(|run| !reconstruction(run));
    let Some(first) = other.or(todo.first()) else {
        return Ok(());
    };
    let timed = Timed::measure(args, first)?;
    let (mut seconds, mut seconds_at_hand) = (0.0, 0.0);
    for run in &todo {
        let of_run = timed.seconds(run, settings)?;
        seconds += of_run;
        if places
            .as_ref()
            .is_none_or(|places| places.of(run).is_some())
        {
            seconds_at_hand += of_run;
        }
    }
    let jobs = args.place.jobs.max(1);
    println!(
        "estimate: {} for all, {} for what is at hand, on {} with {jobs} at a time, from one step of {} \
         ({:.3} s a training image, {:.3} s a test image at {} px)",
        clock(Duration::from_secs_f64(seconds / jobs as f64)),
        clock(Duration::from_secs_f64(seconds_at_hand / jobs as f64)),
        args.place.device,
        first.id,
        timed.training,
        timed.evaluation,
        integer(first, "image_size")
    );
    Ok(())
}

/// Seconds per image, as measured with one run's settings.
struct Timed {
    training: f64,
    evaluation: f64,
    pixels: f64,
}

impl Timed {
    /// Times one step with the settings of a run, on synthetic pictures with random features; the first step, in which
    /// memory is reserved and kernels are made, is not counted.
    fn measure(args: &GridArgs, run: &Run) -> anyhow::Result<Self> {
        let binary = binary::find(&args.place)?;
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let batch = integer(run, "batch");
        let data = folder.path().join("data");
        let side = integer(run, "image_size") as usize;
        // One image of each kind in twenty, and one more, is taken for validation.
        let train = (batch + batch / 19 + 1) as usize;
        let size = StandIn {
            side,
            train,
            test: 4,
        };
        synth_layout(Layout::Folder, &[], &data, 1, size)?;
        let mut timed = Run {
            category: None,
            ..run.clone()
        };
        let settings = &mut timed.settings;
        settings.insert("epochs".to_owned(), 2.into());
        settings.insert("features".to_owned(), "random".into());
        settings.remove("labelled_classes");
        if settings.contains_key("labelled_ratio") {
            settings.insert("labelled_ratio".to_owned(), 0.2.into());
        }
        let config = timed.config(&Place {
            layout: Layout::Folder,
            root: data,
        })?;
        let file = folder.path().join("config.toml");
        ckaad_files::write(&file, config.to_string().as_bytes())?;
        let out = folder.path().join("run");
        let start = |arguments: &[&Path]| start(&binary, args, arguments);
        start(&[
            "train".as_ref(),
            "--config".as_ref(),
            &file,
            "--out".as_ref(),
            &out,
        ])?;
        start(&["evaluate".as_ref(), &out, "--no-html".as_ref()])?;
        let log =
            std::fs::read_to_string(out.join("log.jsonl")).context("the timed step left no log")?;
        let last: Value = serde_json::from_str(log.lines().last().unwrap_or_default())?;
        let report: Value = serde_json::from_slice(&std::fs::read(out.join("report.json"))?)?;
        let seconds = |value: Option<&Value>| value.and_then(Value::as_f64).context("no time");
        let tested: u64 = ["normal", "anomalous"]
            .iter()
            .filter_map(|kind| report.pointer(&format!("/last/counts/{kind}"))?.as_u64())
            .sum();
        let models = 1 + u64::from(report.get("best_on_validation").is_some());
        Ok(Self {
            training: seconds(last.get("seconds"))? / batch as f64,
            evaluation: seconds(report.pointer("/seconds/evaluation"))?
                / (tested * models).max(1) as f64,
            pixels: (side * side) as f64,
        })
    }

    /// A run's time, scaled by its images, epochs and pixels.
    fn seconds(&self, run: &Run, settings: &Settings) -> anyhow::Result<f64> {
        let images = Images::of(run, settings)?;
        let scale = (integer(run, "image_size").pow(2) as f64) / self.pixels;
        let models = if run.settings.get("validation").and_then(toml::Value::as_str) == Some("none")
        {
            1.0
        } else {
            2.0
        };
        let batch = integer(run, "batch").max(1);
        let steps = (images.normal / batch).max(1);
        let trained = (steps * batch.min(images.normal) * integer(run, "epochs")) as f64;
        Ok(scale * (trained * self.training + models * images.test as f64 * self.evaluation))
    }
}

/// Numbers of images that a run sees.
struct Images {
    normal: u64,
    test: u64,
}

impl Images {
    fn of(run: &Run, settings: &Settings) -> anyhow::Result<Self> {
        let manifest = settings.benchmark(&run.dataset)?.manifest;
        let category = run.category.as_deref();
        let counts = category
            .and_then(|category| manifest.categories.get(category))
            .unwrap_or(&manifest.counts);
        let none = BTreeMap::new();
        let (train, test) = (
            counts.get("train").unwrap_or(&none),
            counts.get("test").unwrap_or(&none),
        );
        let is_normal = |class: &str| {
            class == "normal"
                || category == Some(class)
                || manifest.normal.iter().any(|name| name == class)
        };
        if run.synthetic {
            let sample = settings.sample;
            return Ok(Self {
                normal: sample.train as u64,
                test: (test.len() * sample.test) as u64,
            });
        }
        let normal = train.iter().filter(|(class, _)| is_normal(class));
        Ok(Self {
            normal: normal.map(|(_, &count)| count as u64).sum(),
            test: test.values().map(|&count| count as u64).sum(),
        })
    }
}

fn integer(run: &Run, key: &str) -> u64 {
    let value = run.settings.get(key).and_then(toml::Value::as_integer);
    value
        .and_then(|value| u64::try_from(value).ok())
        .unwrap_or(1)
}

fn start(binary: &PathBuf, args: &GridArgs, arguments: &[&Path]) -> anyhow::Result<()> {
    let mut command = Command::new(binary);
    command
        .args(arguments)
        .args(["--device", &args.place.device]);
    if let Some(threads) = args.place.threads {
        command.args(["--threads", &threads.to_string()]);
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", binary.display()))?;
    ensure!(
        output.status.success(),
        "the timed step failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
