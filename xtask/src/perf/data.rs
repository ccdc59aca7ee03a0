//! `cargo xtask perf data`: both sides read the same files and take turns.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::worker::{Worker, median};

/// Case on our side, case on theirs, and what is timed. Every case answers with seconds and a number of images.
const CASES: [(&str, &str, &str); 5] = [
    ("load", "load-1", "decode + resize; Pillow, one thread"),
    ("load", "load-n", "decode + resize; Pillow, as many threads"),
    (
        "normalised",
        "normalised-n",
        "decode + resize + normalise; Pillow and NumPy, as many threads",
    ),
    (
        "elastic",
        "elastic-tensor",
        "elastic transform; torchvision on tensors, as many threads",
    ),
    (
        "elastic",
        "elastic-pil",
        "elastic transform; torchvision on Pillow images, as many threads",
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of JPEG files, searched with its sub-folders.
    #[arg(default_value = "../shared/data/ChestXRay2017")]
    images: PathBuf,
    /// Python with Pillow, NumPy and torchvision; without it only our figures are printed.
    #[arg(long, default_value = "python3")]
    python: OsString,
    /// Turns per case; medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Images of a turn (the elastic transform takes a twentieth of them).
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Height and width after resizing.
    #[arg(long, default_value_t = 256)]
    side: usize,
    /// Threads of either side.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    ensure!(
        args.images.is_dir(),
        "{} is not a folder; name one with JPEG files",
        args.images.display()
    );
    let images = args.images.canonicalize()?;
    let images = images.to_str().context("the folder's name is not UTF-8")?;
    let worker = || Worker::example("ckaad-data", "pipeline_worker", args.threads);
    let setting = format!(
        "load {} {} {} {images}",
        args.count, args.side, args.threads
    );
    let mut ours = worker()?;
    println!("{}", ours.ask(&setting)?);
    let modules = ["PIL", "numpy", "torchvision"];
    let theirs = Worker::python(&args.python, &modules, "data.py")
        .and_then(|mut python| python.ask(&setting).map(|answer| (python, answer)));
    let mut theirs = match theirs {
        Ok((python, versions)) => {
            println!("{versions}");
            Some(python)
        }
        Err(reason) => {
            println!(
                "{}: {reason:#}; only our figures follow (--python names another)",
                args.python.display()
            );
            None
        }
    };
    println!(
        "{} images, {side} x {side}, {} threads, medians of {} turns",
        args.count,
        args.threads,
        args.rounds,
        side = args.side
    );
    println!(
        "| case | ours [images/s] | theirs [images/s] | ratio of medians | lowest ratio of a turn |\n|---|---|---|---|---|"
    );
    for (own_case, other_case, what) in CASES {
        let mut rates = Vec::new();
        for _ in 0..args.rounds {
            let (seconds, count) = ours.time(own_case)?;
            let other = match &mut theirs {
                Some(python) => python
                    .time(other_case)
                    .map(|(seconds, count)| count / seconds)?,
                None => f64::NAN,
            };
            rates.push((count / seconds, other));
        }
        let (own, other) = (
            median(rates.iter().map(|r| r.0)),
            median(rates.iter().map(|r| r.1)),
        );
        let least = rates
            .iter()
            .map(|r| r.0 / r.1)
            .fold(f64::INFINITY, f64::min);
        println!(
            "| {what} | {own:.0} | {other:.0} | {:.1} | {least:.1} |",
            own / other
        );
    }
    if let Some(python) = &mut theirs {
        differences(&mut ours, python)?;
    }
    // A fresh process, so that its peak is that of this measurement alone.
    let mut fresh = worker()?;
    fresh.ask(&setting)?;
    println!("{}", fresh.ask("memory")?);
    Ok(())
}

/// How far the decoders' pixels and the elastic transforms lie apart.
fn differences(ours: &mut Worker, theirs: &mut Worker) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    for (what, title) in [
        ("decoded", "decoded by ckaad-data against libjpeg-turbo"),
        ("decoded-zune", "decoded by zune-jpeg against libjpeg-turbo"),
        ("resized", "decoded and resized against Pillow"),
        (
            "warped",
            "elastic transform of equal noise against torchvision",
        ),
    ] {
        let file = folder.path().join(what);
        let file = file
            .to_str()
            .context("the temporary folder's name is not UTF-8")?;
        ours.ask(&format!("write {what} {file}"))?;
        println!(
            "{title}: {}",
            theirs.ask(&format!("compare {what} {file}"))?
        );
    }
    Ok(())
}
