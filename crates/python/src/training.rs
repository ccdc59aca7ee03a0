//! Training, comparing and evaluating: the engine's operations, with settings and results as JSON that `ckaad/_training.py` writes and reads.

use std::path::{Path, PathBuf};

use ckaad_backbone::Backbone;
use ckaad_backbone::weights::Progress;
use ckaad_device::{Device, DeviceSpec};
use ckaad_engine::comparison::{Plan, detectors, detectors_named};
use ckaad_engine::evaluation::{EvaluateOptions, TestFolder, evaluate_run_until};
use ckaad_engine::training::{Event, open_backbone};
use ckaad_engine::{
    ActiveRun, CheckedConfig, Config, EngineError, Outcome, Overrides, RunFolder, TrainContext,
};
use pyo3::prelude::*;
use serde::Deserialize;
use toml::Table;

use crate::errors::{self, CkaadError};
use crate::running::Running;

/// Opens a device by its name.
pub(crate) fn open_device(name: &str) -> PyResult<Device> {
    let device: DeviceSpec = name.parse().map_err(errors::device)?;
    device.open().map_err(errors::device)
}

/// The devices that this build can use on this machine.
#[pyfunction]
pub(crate) fn devices() -> Vec<String> {
    let found = ckaad_device::available();
    found.iter().map(ToString::to_string).collect()
}

/// JSON as settings or options.
fn parsed<T: for<'a> Deserialize<'a>>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| errors::value(format!("settings: {error}")))
}

fn overrides(settings: &str) -> PyResult<Overrides> {
    Ok(Overrides {
        table: parsed(settings)?,
        ..Overrides::default()
    })
}

fn json(of: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(of).map_err(|error| errors::value(error.to_string()))
}

/// Trains on a backbone whose weights are at hand or fetched.
fn with_backbone<T>(
    config: &CheckedConfig,
    device: &Device,
    running: &Running,
    work: impl FnOnce(TrainContext<'_>) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let mut progress = |progress: Progress| {
        running.observe(Event::Progress {
            what: "downloading weights (KiB)",
            done: (progress.bytes >> 10) as usize,
            total: (progress.total.unwrap_or(progress.bytes) >> 10) as usize,
        });
    };
    let opened: Option<(Backbone, String)> = open_backbone(config, Some(&mut progress), device)?;
    let Some((backbone, weights)) = opened else {
        unreachable!("weights that are not at hand are fetched");
    };
    work(TrainContext {
        backbone: &backbone,
        weights: &weights,
        device,
        observer: &|event| running.observe(event),
        stop: running.stop(),
    })
}

/// What was stopped, and by nobody who is told so by another exception.
fn check_finished(outcome: Outcome) -> PyResult<()> {
    match outcome {
        Outcome::Finished => Ok(()),
        Outcome::Stopped => Err(CkaadError::new_err("stopped; resume goes on")),
    }
}

/// Trains into the folder `out`.
#[pyfunction]
pub(crate) fn train(
    py: Python<'_>,
    settings: &str,
    file: Option<PathBuf>,
    out: PathBuf,
    device: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<()> {
    let (overrides, device) = (overrides(settings)?, open_device(device)?);
    let config = Config::resolve(file.as_deref(), overrides).map_err(errors::engine)?;
    RunFolder::check_free(&out).map_err(errors::engine)?;
    let running = Running::new(progress);
    let work = || {
        with_backbone(&config, &device, &running, |with| {
            ckaad_engine::train(&config, &out, with)
        })
    };
    check_finished(running.run(py, work, errors::engine)?)
}

/// Goes on with the run in a folder.
#[pyfunction]
pub(crate) fn resume(
    py: Python<'_>,
    settings: &str,
    run: PathBuf,
    device: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<()> {
    let (changes, device): (Table, _) = (parsed(settings)?, open_device(device)?);
    let folder = ActiveRun::open(&run).map_err(errors::engine)?;
    let config = Config::resumed(&folder, changes).map_err(errors::engine)?;
    let running = Running::new(progress);
    let work = || {
        with_backbone(&config, &device, &running, |with| {
            ckaad_engine::resume(&config, &folder, with)
        })
    };
    check_finished(running.run(py, work, errors::engine)?)
}

/// Compares detectors in the folder `out`: the comparison as JSON.
#[pyfunction]
#[allow(
    clippy::too_many_arguments,
    reason = "each is an argument of the Python function"
)]
pub(crate) fn compare(
    py: Python<'_>,
    settings: &str,
    detectors: Option<Vec<String>>,
    file: Option<PathBuf>,
    out: PathBuf,
    pick: Option<PathBuf>,
    device: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (overrides, device) = (overrides(settings)?, open_device(device)?);
    let by_default = detectors.is_none();
    let tables = match detectors {
        Some(names) => detectors_named(names),
        None => self::detectors(),
    };
    let tables = tables.map_err(errors::engine)?;
    let configs = Config::resolve_each(file.as_deref(), &overrides, &tables);
    let configs = configs.map_err(errors::engine)?;
    let Some(first) = configs.first().cloned() else {
        return Err(errors::value("there is no detector to compare"));
    };
    let running = Running::new(progress);
    let work = || {
        with_backbone(&first, &device, &running, |with| {
            let plan = Plan::new(configs, by_default, &out, with)?;
            plan.run(&plan.estimate())
        })
    };
    let Some(comparison) = running.run(py, work, errors::engine)? else {
        return Err(CkaadError::new_err("stopped; the same call goes on"));
    };
    if let (Some(pick), Some(verdict)) = (&pick, &comparison.recommended) {
        copy_model(&out.join(&verdict.detector), pick)?;
    }
    json(&comparison)
}

/// Copies the model of a run into a folder.
fn copy_model(run: &Path, into: &Path) -> PyResult<()> {
    let model = RunFolder::open(run).map_err(errors::engine)?.model();
    let bytes = std::fs::read(model)?;
    let written = ckaad_files::write(&into.join("model.safetensors"), &bytes);
    written.map_err(|error| errors::engine(error.into()))
}

/// How a run is evaluated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evaluation {
    test: Option<TestFolder>,
    out: Option<PathBuf>,
    #[serde(default)]
    overwrite: bool,
    #[serde(default)]
    controls: bool,
}

/// Evaluates a finished run: its report as JSON.
#[pyfunction]
pub(crate) fn evaluate(
    py: Python<'_>,
    options: &str,
    run: PathBuf,
    device: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (name, device) = (device, open_device(device)?);
    let Evaluation {
        test,
        out,
        overwrite,
        controls,
    } = parsed(options)?;
    let options = EvaluateOptions {
        test,
        out,
        overwrite,
        controls,
    };
    let folder = RunFolder::open(&run).map_err(errors::engine)?;
    let running = Running::new(progress);
    let observer = |event: Event<'_>| running.observe(event);
    let work = || evaluate_run_until(&folder, &options, name, &device, &observer, running.stop());
    json(&running.run(py, work, errors::engine)?)
}
