//! `cargo xtask collect`: tables from whatever has finished.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;

use crate::bench::tables;

/// Where the runs are.
#[derive(Debug, Args)]
pub(crate) struct CollectArgs {
    /// Folder that was given to the benchmarks as --out
    #[arg(default_value = "benchmarks")]
    out: PathBuf,
}

/// Writes the tables of every benchmark that was begun in the folder.
pub(crate) fn run(args: &CollectArgs) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(&args.out)
        .with_context(|| format!("cannot read {}", args.out.display()))?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("grid.json").is_file())
        .collect();
    folders.sort();
    ensure!(
        !folders.is_empty(),
        "no benchmark was begun in {}: none of its folders holds a grid.json",
        args.out.display()
    );
    for folder in folders {
        print!("{}", tables::write_all(&args.out, &folder, &[])?);
        eprintln!("tables: {}", folder.display());
    }
    Ok(())
}
