use crate::Global;
use crate::output::{print, print_json};

/// Lists devices.
pub(crate) fn run(global: &Global) -> anyhow::Result<()> {
    let names: Vec<String> = ckaad_device::available()
        .iter()
        .map(ToString::to_string)
        .collect();
    if global.json {
        return print_json(&names);
    }
    names.iter().try_for_each(print)
}
