use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ckaad_backbone::Precision;
use ckaad_engine::scoring::model_path;
use ckaad_engine::{Predictor, RunFolder};
use ckaad_export::{Input, onnx, torch};
use ckaad_parameters::NamedTensors;
use serde_json::{Value, json};

use crate::Global;
use crate::output::{note, print, print_json};

/// The only other layout that there is.
const TORCH: &str = "torch";

#[derive(clap::Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).multiple(true).args(["onnx", "layout", "from_torch"]),
    after_help = "Examples:
  ckaad export runs/mine --onnx mine.onnx --verify new/
  ckaad export runs/mine --onnx mine.onnx --with-preprocessing
  ckaad export runs/mine --layout torch mine-torch.safetensors
  ckaad export runs/mine --from-torch trained.pth --out theirs.safetensors"
)]
pub(crate) struct Args {
    /// Model file, or the folder of a finished run
    model: PathBuf,
    /// Write the model as an ONNX graph: from normalised images to scores and maps
    #[arg(long, value_name = "FILE")]
    onnx: Option<PathBuf>,
    /// Let the graph take pictures of any size as bytes [N, H, W, 3] and resize and normalise them itself
    #[arg(long, requires = "onnx")]
    with_preprocessing: bool,
    /// Run the graph on these image files and folders and compare it with the model; a graph that differs is not written
    #[arg(long, value_name = "IMAGES", num_args = 1.., requires = "onnx")]
    verify: Vec<PathBuf>,
    /// Write the parameters of the auto-encoder, and of the discriminator if MODEL is a run with a checkpoint, under PyTorch's names:
    /// --layout torch FILE
    #[arg(long, num_args = 2, value_names = ["LAYOUT", "FILE"])]
    layout: Vec<OsString>,
    /// Read the auto-encoder from a file with PyTorch's names (.safetensors or .pth) and write the model with it to --out
    #[arg(long, value_name = "FILE", requires = "out")]
    from_torch: Option<PathBuf>,
    /// The model file to write
    #[arg(long, value_name = "FILE", requires = "from_torch")]
    out: Option<PathBuf>,
}

/// Writes a model in other forms.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let device = global.open_device()?;
    let path = model_path(&args.model)?;
    let open = |precision| Predictor::open(&path, precision, &device);
    let mut said = Vec::new();
    if let Some(file) = &args.onnx {
        // Graphs multiply in single precision, whatever the model was trained in.
        let predictor = open(Some(Precision::F32))?;
        said.push(write_onnx(&args, file, &predictor)?);
    }
    if let [layout, file] = args.layout.as_slice() {
        anyhow::ensure!(
            layout == TORCH,
            "--layout {}: there is no such layout; it is {TORCH}",
            layout.display()
        );
        said.push(write_torch(&args.model, Path::new(file), &open(None)?)?);
    }
    if let (Some(file), Some(out)) = (&args.from_torch, &args.out) {
        let tensors = NamedTensors::read(file)?;
        let model = torch::with_parameters(&open(None)?, tensors)
            .with_context(|| format!("{} does not fit {}", file.display(), path.display()))?;
        model.save(out)?;
        note(format_args!(
            "the threshold and the calibration in {} are those of {}: they promise nothing of other parameters",
            out.display(),
            path.display()
        ));
        said.push(json!({"model": out}));
    }
    if global.json {
        return print_json(&said);
    }
    said.iter().try_for_each(|value| print(line(value)))
}

/// What was written, as a line.
fn line(said: &Value) -> String {
    let mut parts = Vec::new();
    for (key, value) in said.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(text) => parts.push(format!("{key}: {text}")),
            other => parts.push(format!("{key} {other}")),
        }
    }
    parts.join(", ")
}

/// Writes the graph; where it is to be verified, only if it is good.
fn write_onnx(args: &Args, file: &Path, predictor: &Predictor) -> anyhow::Result<Value> {
    let input = match args.with_preprocessing {
        true => Input::Pictures,
        false => Input::Images,
    };
    let bytes = onnx(predictor, input)?;
    let difference = match args.verify.is_empty() {
        true => Value::Null,
        false => verified(args, &bytes, input, predictor)?,
    };
    ckaad_files::write(file, &bytes)?;
    Ok(json!({"onnx": file, "bytes": bytes.len(), "difference": difference}))
}

#[cfg(not(feature = "verify"))]
fn verified(_: &Args, _: &[u8], _: Input, _: &Predictor) -> anyhow::Result<Value> {
    anyhow::bail!(
        "this build of ckaad cannot run graphs; build it with `cargo build --release -p ckaad --features verify`, or leave --verify out"
    )
}

/// How far the graph is from the model on the images.
///
/// # Errors
/// If it is too far.
#[cfg(feature = "verify")]
fn verified(
    args: &Args,
    bytes: &[u8],
    input: Input,
    predictor: &Predictor,
) -> anyhow::Result<Value> {
    use ckaad_data::{Loader, Source, list_images};
    use ckaad_export::{TOLERANCE, Verifier};

    let images = list_images(&args.verify, &[])?.images;
    let display = crate::progress::Display::new();
    let mut loader = Loader::new(predictor.info().preprocessing.reading);
    let mut verifier = Verifier::new(bytes, input, predictor)?;
    let mut done = 0;
    for batch in images.chunks(verifier.batch()) {
        let pictures = batch
            .iter()
            .map(|path| loader.load_picture(&Source::File(path.clone())));
        verifier.compare(&pictures.collect::<Result<Vec<_>, _>>()?)?;
        done += batch.len();
        display.progress("verifying", done, images.len());
    }
    let difference = verifier.difference()?;
    let of_maps = match difference.map {
        Some(map) => format!(", of maps {map:.1e}"),
        None => String::new(),
    };
    let found = format!(
        "largest relative difference on {} images: of scores {:.1e}{of_maps}",
        difference.images, difference.score
    );
    anyhow::ensure!(
        difference.is_good(),
        "the graph does not score as the model does, and is not written: {found}, and {TOLERANCE:.0e} is allowed"
    );
    note(found);
    Ok(json!({
        "images": difference.images,
        "score": difference.score,
        "map": difference.map,
    }))
}

/// Writes the parameters under PyTorch's names.
fn write_torch(model: &Path, file: &Path, predictor: &Predictor) -> anyhow::Result<Value> {
    let state = match model.is_dir() {
        true => RunFolder::open(model)?.state()?,
        false => None,
    };
    let parameters = torch::parameters(predictor, state)?;
    ckaad_files::write(file, &parameters.to_safetensors()?)?;
    let discriminator = parameters
        .names()
        .any(|name| name.starts_with("discriminator."));
    Ok(json!({
        "torch": file,
        "parameters": parameters.len(),
        "discriminator": discriminator,
    }))
}
