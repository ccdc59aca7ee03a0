//! `--slurm FILE`: a job array, one task per run.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context;

use super::args::GridArgs;
use super::grid::Grid;

/// Slurm's own default limit of an array (MaxArraySize 1001); larger grids give several runs to a task.
const LARGEST_ARRAY: usize = 1000;

/// Writes the sbatch script.
pub(crate) fn write(file: &Path, args: &GridArgs, grid: &Grid) -> anyhow::Result<()> {
    let out = std::path::absolute(&args.place.out)?;
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = std::env::current_dir().context("cannot tell the current folder")?;
    let binary = super::binary::find(&args.place)?;
    let script = script(
        args,
        grid,
        &Paths {
            out: &out,
            program: &program,
            folder: &folder,
            binary: &binary,
        },
        &own_arguments(std::env::args_os().skip(1)),
    )?;
    ckaad_files::write(file, script.as_bytes())?;
    println!(
        "wrote {}: {} runs. Submit it by `sbatch {}`; make the tables at any time by `cargo xtask collect {}`",
        file.display(),
        grid.runs.len(),
        file.display(),
        args.place.out.display()
    );
    Ok(())
}

struct Paths<'a> {
    out: &'a Path,
    program: &'a Path,
    folder: &'a Path,
    binary: &'a Path,
}

fn script(
    args: &GridArgs,
    grid: &Grid,
    paths: &Paths<'_>,
    arguments: &[String],
) -> anyhow::Result<String> {
    let cluster = &args.cluster;
    let tasks = grid.runs.len().min(LARGEST_ARRAY);
    let text = |path: &Path| -> anyhow::Result<String> {
        path.to_str()
            .map(str::to_owned)
            .with_context(|| format!("the path {} is no valid Unicode; rename it", path.display()))
    };
    let (out, program) = (text(paths.out)?, text(paths.program)?);
    let mut lines = vec![
        "#!/bin/bash".to_owned(),
        format!(
            "# {}: {} runs. This folder, the programs below and the results must be reachable from every node.",
            grid.title,
            grid.runs.len()
        ),
        "# Finished runs are skipped, so that submitting again does what is missing.".to_owned(),
        format!("#SBATCH --job-name=ckaad-{}", grid.command),
        format!("#SBATCH --array=1-{tasks}%{}", cluster.cluster_parallel),
        format!("#SBATCH --cpus-per-task={}", cluster.cluster_cpus),
        format!("#SBATCH --mem={}G", cluster.cluster_memory),
        format!("#SBATCH --time={}:00:00", cluster.cluster_hours),
        format!("#SBATCH --output={out}/slurm-%A_%a.log"),
    ];
    let gpus = cluster.gpus(&args.place.device);
    if gpus > 0 {
        lines.push(format!("#SBATCH --gpus-per-task={gpus}"));
    }
    if let Some(weights) = std::env::var_os("CKAAD_WEIGHTS") {
        let weights = std::path::absolute(weights)?;
        lines.push(format!("export CKAAD_WEIGHTS={}", quote(&text(&weights)?)));
    }
    let threads = match args.place.threads {
        Some(_) => String::new(),
        None => " --threads \"$SLURM_CPUS_PER_TASK\"".to_owned(),
    };
    let arguments: Vec<String> = arguments.iter().map(|argument| quote(argument)).collect();
    lines.push(format!("cd {} || exit 1", quote(&text(paths.folder)?)));
    lines.push(format!(
        "exec {} {} --data {} --out {} --binary {}{threads} --shard \"$SLURM_ARRAY_TASK_ID/{tasks}\"",
        quote(&program),
        arguments.join(" "),
        quote(&text(&std::path::absolute(&args.place.data)?)?),
        quote(&out),
        quote(&text(paths.binary)?),
    ));
    Ok(lines.join("\n") + "\n")
}

/// The arguments of this call without those that a task gets anew.
pub(super) fn own_arguments(arguments: impl Iterator<Item = OsString>) -> Vec<String> {
    const WITHOUT: [&str; 7] = [
        "--slurm",
        "--kubernetes",
        "--data",
        "--out",
        "--binary",
        "--shard",
        "--features",
    ];
    let mut kept = Vec::new();
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        let (name, with_value) = match argument.split_once('=') {
            Some((name, _)) => (name, true),
            None => (argument.as_str(), false),
        };
        if !WITHOUT.contains(&name) {
            kept.push(argument);
        } else if !with_value {
            arguments.next();
        }
    }
    kept
}

/// For a shell.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_gets_the_choice_but_not_the_places() {
        let given = "bench-medical --sample --slurm x.sh --out=a --data d --seeds 1,2 --quick";
        let kept = own_arguments(given.split(' ').map(OsString::from));
        assert_eq!(
            kept,
            ["bench-medical", "--sample", "--seeds", "1,2", "--quick"]
        );
    }

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        assert_eq!(quote("a/b-1.0"), "a/b-1.0");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote(""), "''");
    }
}
