//! `cargo xtask perf metrics`: both sides read the same arrays and take turns.

use std::ffi::OsString;

use anyhow::{Context, bail, ensure};

use super::worker::{Worker, median};

/// Case, what it times on either side, and the greatest difference of the two figures that is rounding.
const CASES: [(&str, &str, f64); 7] = [
    ("auroc-f32", "AUROC, f32 scores; scikit-learn", 1e-9),
    ("auroc-f64", "AUROC, f64 scores; scikit-learn", 1e-9),
    (
        "average-precision-f32",
        "average precision, f32 scores; scikit-learn",
        1e-9,
    ),
    ("f1-max-f32", "F1-max, f32 scores; scikit-learn", 1e-9),
    ("pixel-auroc", "pixel AUROC, all maps; scikit-learn", 1e-9),
    ("aupro-0.3", "AUPRO to 0.3, all maps; NumPy + SciPy", 1e-7),
    (
        "pro-per-image",
        "PRO per image, 40 maps; NumPy + SciPy",
        1e-7,
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Python with scikit-learn and SciPy; without it only our times are printed.
    #[arg(long, default_value = "python3")]
    python: OsString,
    /// Turns per case; medians are printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Number of image-level scores.
    #[arg(long, default_value_t = 10_000_000)]
    scores: usize,
    /// Number of maps of the timed pixel metrics.
    #[arg(long, default_value_t = 400)]
    maps: usize,
    /// Number of maps of the memory measurement.
    #[arg(long, default_value_t = 1725)]
    memory_maps: usize,
    /// Height and width of a map.
    #[arg(long, default_value_t = 256)]
    side: usize,
    /// Threads of our side.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    let worker = || Worker::example("ckaad-metrics", "perf_worker", args.threads);
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let dir = folder
        .path()
        .to_str()
        .context("the temporary folder's name is not UTF-8")?;

    let mut ours = worker()?;
    ours.ask(&format!(
        "make {dir} {} {} {}",
        args.scores, args.maps, args.side
    ))?;
    ours.ask(&format!("load {dir}"))?;
    let mut theirs = match Worker::python(&args.python, &["sklearn", "scipy"], "metrics.py") {
        Ok(mut python) => {
            python.ask(&format!("load {dir}"))?;
            Some(python)
        }
        Err(reason) => {
            println!(
                "{}: {reason:#}; only our times follow (--python names another)",
                args.python.display()
            );
            None
        }
    };

    println!(
        "{} scores, {} maps of {side} x {side}, {} threads, medians of {} turns",
        args.scores,
        args.maps,
        args.threads,
        args.rounds,
        side = args.side
    );
    println!(
        "| case | ours [s] | theirs [s] | ratio of medians | lowest ratio of a turn |\n|---|---|---|---|---|"
    );
    for (case, what, tolerance) in CASES {
        let mut times = Vec::new();
        for _ in 0..args.rounds {
            let (own, value) = ours.time(case)?;
            let Some(theirs) = &mut theirs else {
                times.push((own, f64::NAN));
                continue;
            };
            let (other, expected) = theirs.time(case)?;
            ensure!(
                (value - expected).abs() <= tolerance,
                "{case}: we say {value}, Python says {expected}"
            );
            times.push((own, other));
        }
        let own = median(times.iter().map(|t| t.0));
        let other = median(times.iter().map(|t| t.1));
        let least = times
            .iter()
            .map(|t| t.1 / t.0)
            .fold(f64::INFINITY, f64::min);
        if theirs.is_some() {
            println!(
                "| {what} | {own:.3} | {other:.3} | {:.1} | {least:.1} |",
                other / own
            );
        } else {
            println!("| {what} | {own:.3} | - | - | - |");
        }
    }

    // A fresh process, so that its peak is that of this measurement alone.
    let answer = worker()?.ask(&format!("memory {} {}", args.memory_maps, args.side))?;
    let numbers: Vec<f64> = answer
        .split(' ')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context(answer.clone())?;
    let [peak, input, seconds, auroc, ap, f1, aupro] = numbers[..] else {
        bail!("unexpected answer: {answer}")
    };
    println!(
        "exact pixel AUROC {auroc:.6}, AP {ap:.6}, F1-max {f1:.6} and AUPRO {aupro:.6} of {} maps ({} pixels): \
         {seconds:.2} s, peak memory of the process {peak:.0} MiB, of which {input:.0} MiB are the maps and masks",
        args.memory_maps,
        args.memory_maps * args.side * args.side,
    );
    Ok(())
}
