//! `cargo xtask perf networks`: inference and training steps, taking turns with PyTorch.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Serialize;

use super::worker::{Worker, median};

/// Case, what it times, and the ratio of ours to theirs that is the goal.
const CASES: [(&str, &str, f64); 3] = [
    ("infer-1", "inference, batch 1", 0.7),
    ("infer-8", "inference, batch 8", 0.8),
    (
        "step-16",
        "training step, 16 + 16, features not cached",
        1.0,
    ),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Python with PyTorch, torchvision and SciPy; without it only our times are printed.
    #[arg(long, default_value = "python3")]
    python: OsString,
    /// Turns per case; medians are printed.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Height and width of the images.
    #[arg(long, default_value_t = 256)]
    side: usize,
    /// Threads of either side.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Runs both sides under SCHED_FIFO (`chrt`, needs the right to), so that other work on the machine does not count.
    #[arg(long)]
    realtime: bool,
    /// Also writes the figures as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Seconds of one side.
#[derive(Debug, Serialize)]
struct Times {
    median: f64,
    least: f64,
    greatest: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    case: &'static str,
    what: &'static str,
    ours: Times,
    theirs: Option<Times>,
    ratio: Option<f64>,
    goal: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    commit: String,
    processor: String,
    threads: usize,
    side: usize,
    rounds: usize,
    realtime: bool,
    rows: Vec<Row>,
    /// Peak memory of our process and of theirs in MiB.
    peak_mib: [Option<f64>; 2],
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    let mut ours = start(&build()?, None, args)?;
    let mut theirs = match python(args) {
        Ok(worker) => Some(worker),
        Err(reason) => {
            let name = args.python.display();
            println!("{name}: {reason:#}; only our times follow (--python names another)");
            None
        }
    };
    let rows = CASES
        .iter()
        .map(|case| row(case, &mut ours, theirs.as_mut(), args.rounds))
        .collect::<anyhow::Result<_>>()?;
    let peak = |worker: &mut Worker| -> anyhow::Result<f64> { Ok(worker.ask("peak")?.parse()?) };
    let report = Report {
        commit: output("git", &["rev-parse", "--short", "HEAD"]),
        processor: processor(),
        threads: args.threads,
        side: args.side,
        rounds: args.rounds,
        realtime: args.realtime,
        rows,
        peak_mib: [
            Some(peak(&mut ours)?),
            theirs.as_mut().map(peak).transpose()?,
        ],
    };
    print(&report);
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn row(
    &(case, what, goal): &(&'static str, &'static str, f64),
    ours: &mut Worker,
    mut theirs: Option<&mut Worker>,
    rounds: usize,
) -> anyhow::Result<Row> {
    // The first turn of either side maps memory and packs weights.
    ours.time(case)?;
    if let Some(theirs) = &mut theirs {
        theirs.time(case)?;
    }
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        own.push(ours.time(case)?.0);
        if let Some(theirs) = &mut theirs {
            other.push(theirs.time(case)?.0);
        }
    }
    let ours = times(&own);
    let theirs = (!other.is_empty()).then(|| times(&other));
    Ok(Row {
        case,
        what,
        ratio: theirs.as_ref().map(|theirs| ours.median / theirs.median),
        ours,
        theirs,
        goal,
    })
}

fn times(seconds: &[f64]) -> Times {
    Times {
        median: median(seconds.iter().copied()),
        least: seconds.iter().copied().fold(f64::INFINITY, f64::min),
        greatest: seconds.iter().copied().fold(0.0, f64::max),
    }
}

fn print(report: &Report) {
    println!(
        "ResNet-18, stages 2 and 3, {side} x {side}, {} threads, medians of {} turns (least - greatest) in ms; commit {}, {}",
        report.threads,
        report.rounds,
        report.commit,
        report.processor,
        side = report.side
    );
    println!("| work | ours | PyTorch | ratio | goal |\n|---|---|---|---|---|");
    let show = |times: &Times| {
        let [median, least, greatest] =
            [times.median, times.least, times.greatest].map(|seconds| seconds * 1e3);
        format!("{median:.1} ({least:.1} - {greatest:.1})")
    };
    for row in &report.rows {
        println!(
            "| {} | {} | {} | {} | {:.2} |",
            row.what,
            show(&row.ours),
            row.theirs.as_ref().map_or("-".to_owned(), show),
            row.ratio
                .map_or("-".to_owned(), |ratio| format!("{ratio:.2}")),
            row.goal
        );
    }
    let mib = |peak: Option<f64>| peak.map_or("-".to_owned(), |peak| format!("{peak:.0}"));
    let [ours, theirs] = report.peak_mib.map(mib);
    println!("| peak memory of the process, MiB | {ours} | {theirs} | | |");
}

/// Builds our side, so that building is not timed and `chrt` runs the program itself.
fn build() -> anyhow::Result<PathBuf> {
    let arguments = [
        "build",
        "--release",
        // The command line beside it, so that both are built with the same features and share their dependencies.
        "-p",
        "ckaad",
        "-p",
        "ckaad-engine",
        "--bins",
        "--example",
        "network_worker",
        "--message-format=json",
    ];
    let built = Command::new(env!("CARGO"))
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(built.status.success(), "our side does not build");
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "network_worker")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo does not say where our side lies")
}

fn python(args: &Args) -> anyhow::Result<Worker> {
    let check = Command::new(&args.python)
        .args(["-c", "import torch, torchvision, scipy"])
        .stderr(Stdio::null())
        .status()
        .context("cannot be started")?;
    ensure!(
        check.success(),
        "has no PyTorch with torchvision, and SciPy"
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("perf/networks.py");
    start(Path::new(&args.python), Some(script.as_os_str()), args)
}

fn start(program: &Path, argument: Option<&OsStr>, args: &Args) -> anyhow::Result<Worker> {
    let mut command = if args.realtime {
        let mut command = Command::new("chrt");
        command.args(["-f", "1"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    let threads = args.threads.to_string();
    command
        .args(argument)
        .env("RAYON_NUM_THREADS", &threads)
        .env("OMP_NUM_THREADS", &threads);
    let mut worker = Worker::start(&mut command)?;
    worker.ask(&format!("load {}", args.side))?;
    Ok(worker)
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor".to_owned(), |name| {
            name.trim_start_matches([' ', '\t', ':']).to_owned()
        })
}
