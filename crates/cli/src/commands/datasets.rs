use ckaad_data::Layout;

use crate::Global;
use crate::output::print_json;

#[derive(clap::Args)]
pub(crate) struct Args {}

/// Lists data sets.
pub(crate) fn run(_args: Args, global: &Global) -> anyhow::Result<()> {
    let names: Vec<&str> = Layout::ALL.iter().map(|layout| layout.name()).collect();
    if global.json {
        print_json(&names)
    } else {
        println!("{}", names.join("\n"));
        Ok(())
    }
}
