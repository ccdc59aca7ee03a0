use std::path::PathBuf;

use ckaad_backbone::ResNetVariant;
use ckaad_backbone::weights::{DownloadOptions, Lookup};
use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Global;
use crate::backbone::download_progress;
use crate::failure::Advised;
use crate::flag_values::named;
use crate::output::{print, print_json};
use crate::progress::Display;

#[derive(clap::Args)]
#[command(after_help = "Example: ckaad weights fetch resnet18")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the backbones, their published weights, and which are at hand
    List,
    /// Download the weights of a backbone, unless they are at hand
    Fetch {
        /// The backbone
        #[arg(value_parser = named(ResNetVariant::ALL))]
        backbone: ResNetVariant,
    },
    /// Print the weights file of a backbone that would be used
    Path {
        /// The backbone
        #[arg(value_parser = named(ResNetVariant::ALL))]
        backbone: ResNetVariant,
    },
}

/// The published weights of a backbone.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Row {
    /// The backbone.
    backbone: ResNetVariant,
    /// Name of the published file.
    file_name: &'static str,
    /// Where it is published.
    url: &'static str,
    /// The file on this machine that would be used, if there is one.
    local: Option<PathBuf>,
}

/// Lists, fetches or finds weights.
pub(crate) fn run(args: Args, global: &Global) -> anyhow::Result<()> {
    let lookup = Lookup::from_environment();
    match args.action {
        Action::List => list(&lookup, global),
        Action::Fetch { backbone } => {
            let display = Display::new();
            let mut progress = download_progress(&display);
            let file = lookup.fetch(backbone, &mut progress, &DownloadOptions::default())?;
            print_path(&file, global)
        }
        Action::Path { backbone } => match lookup.find(backbone, None)? {
            Some(file) => print_path(&file, global),
            None => anyhow::bail!(Advised::new(
                format!("no weights of {backbone} at hand"),
                format!("`ckaad weights fetch {backbone}` downloads them")
            )),
        },
    }
}

fn list(lookup: &Lookup, global: &Global) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for variant in ResNetVariant::ALL {
        let info = lookup.info(variant)?;
        rows.push(Row {
            backbone: variant,
            file_name: info.file_name,
            url: info.url,
            local: info.local.clone(),
        });
        if !global.json {
            let local = info.local.map_or_else(
                || "not at hand".to_owned(),
                |path| path.display().to_string(),
            );
            print(format_args!(
                "{:<17} {:<30} {local}",
                variant.to_string(),
                info.file_name
            ))?;
        }
    }
    if global.json {
        print_json(&rows)
    } else {
        Ok(())
    }
}

fn print_path(path: &std::path::Path, global: &Global) -> anyhow::Result<()> {
    if global.json {
        return print_json(&path);
    }
    print(path.display())
}
