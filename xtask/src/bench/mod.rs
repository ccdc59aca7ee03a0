//! What the benchmark commands share, in the order in which it is used: options, settings, grid, data sets, runs, tables.

pub(crate) mod args;
mod binary;
pub(crate) mod builder;
pub(crate) mod figures;
mod folder;
pub(crate) mod grid;
mod kubernetes;
mod library;
mod paper;
mod plan;
pub(crate) mod row;
mod run;
mod runner;
mod settings;
mod shard;
mod slurm;
mod systems;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use anyhow::{bail, ensure};

use args::GridArgs;
use builder::Builder;
use folder::{Folder, State};
use grid::{Grid, Run};
use library::{Library, Place, Places};
use run::Workshop;
use settings::Settings;

/// Makes the grid of a benchmark from its options.
pub(crate) type MakeGrid = fn(Builder<'_>) -> anyhow::Result<Grid>;

/// Does a benchmark, or what its options ask for instead.
pub(crate) fn execute(args: &GridArgs, make: MakeGrid) -> anyhow::Result<()> {
    let settings = Settings::load()?;
    let grid = make(Builder::new(&args.choice, &settings)?)?;
    ensure!(!grid.runs.is_empty(), "the options leave nothing to run");
    let name = Grid::folder_name(&grid.command, args.choice.sample, args.choice.quick);
    let tables = args.place.out.join(name);
    if let Some(file) = &args.cluster.slurm {
        grid.write(&tables.join("grid.json"))?;
        return slurm::write(file, args, &grid);
    }
    if let Some(file) = &args.cluster.kubernetes {
        return kubernetes::write(file, args, &grid);
    }
    let library = Library::new(&settings, &args.place.data, &args.place.out);
    if args.place.plan {
        return plan::print(args, &grid, &settings, &library);
    }
    grid.write(&tables.join("grid.json"))?;
    let mut runs = grid.runs.clone();
    if let Some(shard) = args.cluster.shard {
        runs = shard.select(runs);
        eprintln!("part {shard}: {} of {} runs", runs.len(), grid.runs.len());
    }
    let places = library.places(&runs)?;
    let absent = library.explain(&places)?;
    for text in &absent {
        eprintln!("{text}");
    }
    let failed = do_runs(args, &runs, &places)?;
    if args.cluster.shard.is_none() {
        print!("{}", tables::write_all(&args.place.out, &tables, &absent)?);
        eprintln!("tables: {}", tables.display());
    }
    let absent_runs = runs.iter().filter(|run| places.of(run).is_none()).count();
    match (failed, absent_runs) {
        (0, 0) => Ok(()),
        (0, absent) => bail!("INCOMPLETE: {absent} runs lack their data set, see above"),
        (failed, absent) => {
            bail!("INCOMPLETE: {failed} runs failed, {absent} lack their data set, see above")
        }
    }
}

/// Does what is not finished of the runs whose images are at hand; the number of failed ones.
fn do_runs(args: &GridArgs, runs: &[Run], places: &Places) -> anyhow::Result<usize> {
    let out = std::path::absolute(&args.place.out)?;
    let at_hand: Vec<(&Run, &Place)> = runs
        .iter()
        .filter_map(|run| Some((run, places.of(run)?)))
        .collect();
    let todo: Vec<(&Run, &Place)> = at_hand
        .iter()
        .copied()
        .filter(|(run, _)| !is_finished(&out, run))
        .collect();
    eprintln!(
        "{} runs: {} finished earlier, {} to do, {} without their data set",
        runs.len(),
        at_hand.len() - todo.len(),
        todo.len(),
        runs.len() - at_hand.len()
    );
    if todo.is_empty() {
        return Ok(0);
    }
    let workshop = Workshop {
        out,
        binary: binary::find(&args.place)?,
        device: args.place.device.clone(),
        threads: args
            .place
            .threads
            .or_else(|| share_of_cores(args.place.jobs)),
        keep_models: args.place.keep_models,
    };
    fetch_weights(&workshop.binary, &todo)?;
    let started = Instant::now();
    let summary = runner::work(&workshop, &todo, args.place.jobs);
    eprintln!(
        "{} runs finished, {} failed, in {}",
        summary.finished,
        summary.failed.len(),
        runner::clock(started.elapsed())
    );
    for (run, reason) in &summary.failed {
        eprintln!("failed: {run}: {reason}");
    }
    Ok(summary.failed.len())
}

/// What several runs at once may each use; a single one decides for itself.
fn share_of_cores(jobs: usize) -> Option<usize> {
    let cores = std::thread::available_parallelism().ok()?.get();
    (jobs > 1).then_some((cores / jobs).max(1))
}

fn is_finished(out: &Path, run: &Run) -> bool {
    matches!(Folder::of(out, run).state(run), State::Finished(_))
}

/// Gets the pretrained weights that runs need, once for all of them.
fn fetch_weights(binary: &Path, runs: &[(&Run, &Place)]) -> anyhow::Result<()> {
    let text = |run: &Run, key: &str| {
        let value = run.settings.get(key).and_then(toml::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let mut backbones: Vec<String> = runs
        .iter()
        .filter(|(run, _)| text(run, "features") == "pretrained")
        .map(|(run, _)| text(run, "backbone"))
        .collect();
    backbones.sort();
    backbones.dedup();
    backbones
        .iter()
        .try_for_each(|backbone| binary::fetch_weights(binary, backbone))
}
