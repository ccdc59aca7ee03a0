use std::path::PathBuf;

use ckaad_data::StandIn;
use ckaad_data::datasets::{check_with_progress, list, synth};
use clap::Subcommand;

use crate::Global;
use crate::flag_values::benchmark;
use crate::output::{print, print_json, print_lines};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ckaad datasets check chest-xray ChestXRay2017
  ckaad datasets synth mvtec-ad stand-in")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the benchmarks: layout, licence, where to get them
    List,
    /// Compare a copy with what was published: counts, duplicates, unreadable images, masks
    Check {
        /// Name of the benchmark
        #[arg(value_parser = benchmark())]
        name: String,
        /// Folder of the copy
        dir: PathBuf,
    },
    /// Draw a small SYNTHETIC stand-in in the same layout, for trying things out
    Synth {
        /// Name of the benchmark
        #[arg(value_parser = benchmark())]
        name: String,
        /// Folder to draw into
        dir: PathBuf,
        /// Seed of the pictures
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
}

/// Lists, checks or imitates data sets.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    match args.action {
        Action::List => {
            let manifests = list()?;
            if global.json {
                return print_json(&manifests);
            }
            for manifest in manifests {
                print(format_args!("{:<14} {}", manifest.name, manifest.title))?;
                print(format_args!(
                    "               layout {}, {}",
                    manifest.layout, manifest.licence
                ))?;
                print(format_args!("               {}", manifest.url))?;
            }
            Ok(())
        }
        Action::Check { name, dir } => {
            let display = Display::new();
            let progress = |done, total| display.progress("checking images", done, total);
            let report = check_with_progress(&name, &dir, Some(&progress))?;
            if global.json {
                print_json(&report)?;
            } else {
                print_lines(&report.to_string())?;
            }
            anyhow::ensure!(report.is_clean(), "{} is not as published", dir.display());
            Ok(())
        }
        Action::Synth { name, dir, seed } => {
            synth(&name, &dir, seed, StandIn::default())?;
            if global.json {
                return print_json(&dir);
            }
            print(format_args!(
                "SYNTHETIC stand-in for {name}: {}",
                dir.display()
            ))
        }
    }
}
