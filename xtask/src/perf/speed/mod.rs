//! `cargo xtask perf speed`: networks, training and whole processes, taking turns with PyTorch.

mod computing;
mod epoch;
mod figures;
mod history;
mod images;
mod load;
mod machine;
mod networks;
mod part;
mod predict;
mod report;
mod resident;
mod settings;
mod sides;
mod whole;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{anyhow, ensure};

use computing::Computing;
use figures::Row;
use images::Images;
use machine::Machine;
use part::Part;
use predict::Models;
use report::Report;
use sides::{Programs, Python, Sides};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of a copy of ChestXRay2017; synthetic stand-ins are drawn if not given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Python with PyTorch, torchvision, SciPy and Pillow; without it only our times are printed. With onnx, onnxscript and onnxruntime or openvino,
    /// these runtimes take part in inference.
    #[arg(long, default_value = "python3")]
    python: OsString,
    /// Only these parts, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Part::ALL)]
    only: Vec<Part>,
    /// Turns per case, besides the first, which are not counted; medians are printed.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    #[command(flatten)]
    computing: Computing,
    /// Folder with our programs, built elsewhere (`target/release`), instead of building them.
    #[arg(long, value_name = "DIR")]
    programs: Option<PathBuf>,
    /// Height and width of the images in the networks.
    #[arg(long, default_value_t = 256)]
    side: usize,
    /// Normal images per step of an epoch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// At most this many training images of each kind, to try things out.
    #[arg(long, value_name = "NUMBER")]
    images: Option<usize>,
    /// Threads of either side.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Runs both sides under SCHED_FIFO (`chrt`, needs the right to), so that other work on the machine counts less; only for
    /// the parts infer and step, since processes that load images would wait for those that compute.
    #[arg(long)]
    realtime: bool,
    /// Also writes DIR/DATE-COMMIT.json and .md.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "benches")]
    history: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    for (name, value) in [
        ("--rounds", args.rounds),
        ("--batch", args.batch),
        ("--threads", args.threads),
    ] {
        ensure!(value > 0, "{name} must be at least 1");
    }
    ensure!(
        args.side >= 64 && args.side.is_multiple_of(32),
        "--side must be a multiple of 32 and at least 64"
    );
    let (date, commit) = (machine::date(), machine::commit());
    let name = match args.computing.is_usual() {
        true => format!("{date}-{commit}"),
        false => format!("{date}-{commit}-{}", args.computing),
    };
    let place = args
        .history
        .as_deref()
        .map(|folder| history::Place::new(folder, &name))
        .transpose()?;
    let parts: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| args.only.contains(part))
        .collect();
    ensure!(
        !args.realtime || !parts.iter().any(|part| part.reads_images()),
        "--realtime is for the parts infer and step; add --only infer,step"
    );
    ensure!(
        parts.iter().all(|part| part.fits(&args.computing)),
        "other devices than cpu are for the parts infer and step, other precisions than f32 for infer, step and epoch; add --only infer,step,epoch"
    );
    let images = parts
        .iter()
        .any(|part| part.reads_images())
        .then(|| Images::prepare(args.data.as_deref(), args.images, args.batch))
        .transpose()?;
    let sides = sides(args)?;
    let before = load::share();
    let rows = rows(args, &parts, &sides, images.as_ref())?;
    let other_work = before.zip(load::share()).map(|(a, b)| a.max(b));
    let report = Report {
        date,
        commit,
        machine: Machine::this(),
        theirs: sides.theirs.map(|python| python.versions),
        threads: args.threads,
        side: args.side,
        batch: args.batch,
        device: args.computing.device.clone(),
        precision: args.computing.precision.to_string(),
        rounds: args.rounds,
        realtime: args.realtime,
        other_work,
        images: images.map(|images| images.summary),
        rows,
        notes: parts.iter().map(|part| part.notes()).collect(),
    };
    print!("{}", report.markdown());
    place.map_or(Ok(()), |place| place.write(&report))
}

fn sides(args: &Args) -> anyhow::Result<Sides<'_>> {
    let python = if args.computing.has_pytorch() {
        Python::find(&args.python)
    } else {
        Err(anyhow!("PyTorch has no device {}", args.computing.device))
    };
    let theirs = match python {
        Ok(python) => Some(python),
        Err(reason) => {
            let name = args.python.display();
            eprintln!("{name}: {reason:#}; only our times follow (--python names another)");
            None
        }
    };
    Ok(Sides {
        computing: &args.computing,
        ours: match &args.programs {
            Some(folder) => Programs::built(folder)?,
            None => Programs::build(args.computing.kind())?,
        },
        theirs,
        threads: args.threads,
        realtime: args.realtime,
    })
}

fn rows(
    args: &Args,
    parts: &[Part],
    sides: &Sides<'_>,
    images: Option<&Images>,
) -> anyhow::Result<Vec<Row>> {
    let (side, rounds) = (args.side, args.rounds);
    let mut models = None;
    let mut rows = Vec::new();
    for &part in parts {
        let more = match (part, images) {
            (Part::Infer | Part::Step, _) => networks::rows(part, sides, side, rounds)?,
            (Part::Epoch, Some(images)) => {
                vec![epoch::row(sides, images, side, args.batch, rounds)?]
            }
            (Part::Predict | Part::Start, Some(images)) => {
                let models = match &models {
                    Some(models) => models,
                    None => &*models.insert(Models::make(sides, images, side)?),
                };
                vec![if part == Part::Predict {
                    models.predict(sides, images, side, rounds)?
                } else {
                    models.start(sides, images, side, rounds)?
                }]
            }
            (Part::Epoch | Part::Predict | Part::Start, None) => Vec::new(),
        };
        // A long measurement shows how far it is.
        for row in &more {
            eprintln!("{}", row.line());
        }
        rows.extend(more);
    }
    Ok(rows)
}
