//! What is printed with `--json`, and the files in JSON, as JSON schemas.

use std::path::{Path, PathBuf};

use ckaad_data::datasets::{CheckReport, Manifest};
use ckaad_engine::Config;
use ckaad_engine::comparison::Comparison;
use ckaad_engine::evaluation::Report;
use ckaad_engine::scoring::Regions;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::File;
use crate::commands::{predict, report, train, weights};

/// A schema: its file, what is described, and how it is made.
type Described = (&'static str, &'static str, fn() -> Schema);

const ALL: [Described; 12] = [
    (
        "check",
        "`ckaad datasets check --json`",
        written::<CheckReport>,
    ),
    (
        "comparison",
        "`ckaad compare --json`; `comparison.json`",
        written::<Comparison>,
    ),
    (
        "config",
        "a settings file (`--config`, TOML), for editors that know schemas",
        read::<Config>,
    ),
    (
        "datasets",
        "`ckaad datasets list --json`",
        written::<Vec<Manifest>>,
    ),
    ("devices", "`ckaad devices --json`", written::<Vec<String>>),
    (
        "path",
        "`ckaad weights fetch --json`, `weights path --json`, `datasets synth --json`",
        written::<PathBuf>,
    ),
    ("page", "`ckaad report --json`", written::<report::Written>),
    (
        "predictions",
        "`ckaad predict --json`",
        written::<predict::Predictions>,
    ),
    (
        "regions",
        "`NAME_regions.json` of `ckaad predict --regions`",
        written::<Regions>,
    ),
    (
        "report",
        "`ckaad evaluate --json`, `ckaad demo --json`; `report.json`",
        written::<Report>,
    ),
    ("trained", "`ckaad train --json`", written::<train::Trained>),
    (
        "weights",
        "`ckaad weights list --json`",
        written::<Vec<weights::Row>>,
    ),
];

/// The schemas, and a page that says what each is of.
pub(super) fn files() -> anyhow::Result<Vec<File>> {
    let folder = Path::new("schema");
    let mut page = "# JSON schemas\n\nOf what `--json` prints on standard output, and of files in JSON. Later versions may add keys. Made by \
                    `ckaad generate`; not to be edited.\n\n| file | of |\n|---|---|\n"
        .to_owned();
    let mut files = Vec::new();
    for (name, what, made) in ALL {
        let text = serde_json::to_string_pretty(&made())? + "\n";
        files.push((folder.join(format!("{name}.json")), text.into_bytes()));
        page += &format!("| [`{name}.json`]({name}.json) | {what} |\n");
    }
    files.push((folder.join("README.md"), page.into_bytes()));
    Ok(files)
}

/// Of a value as it is written.
fn written<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}

/// Of a value as it may be given.
fn read<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.into_generator().into_root_schema_for::<T>()
}
