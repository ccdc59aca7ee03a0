//! What `--json` prints, and the files in JSON, are as the schemas in `docs/schema` say.

use std::path::Path;

use serde_json::Value;

use crate::golden::repository;
use crate::json_schema::problems;
use crate::small_run::{images, train};
use crate::support::{ckaad, json};

fn check(schema: &str, value: &Value) {
    let file = repository(&format!("docs/schema/{schema}.json"));
    let found = problems(&json(&file), value);
    assert!(
        found.is_empty(),
        "not as {schema}.json says:\n{}\n{value:#}",
        found.join("\n")
    );
}

/// What a command prints, whatever its status.
fn printed<A: AsRef<std::ffi::OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Value {
    let output = ckaad()
        .current_dir(folder)
        .args(args)
        .arg("--json")
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn work_prints_what_schemas_say() {
    let folder = tempfile::tempdir().unwrap();
    let (at, root) = (folder.path(), images(folder.path()));
    let run = at.join("run");
    let learn = train(&root, &run, &["--epochs", "1"]);
    check("trained", &printed(at, learn));
    let report = printed(at, words("evaluate run --controls"));
    check("report", &report);
    assert!(report["controls"]["figures"][0].is_object() && report["last"]["pixel"].is_object());
    check("report", &json(&run.join("report.json")));
    check("page", &printed(at, words("report run")));
    let elsewhere =
        "evaluate run --test data/weave/test --masks data/weave/ground_truth --out results";
    let elsewhere = printed(at, words(elsewhere));
    check("report", &elsewhere);
    assert!(elsewhere["test_folder"].is_string(), "{elsewhere:#}");

    std::fs::write(at.join("broken.png"), "no picture").unwrap();
    let predict = "predict run broken.png data/weave/test --out found --regions --raw npy";
    let predictions = printed(at, words(predict));
    check("predictions", &predictions);
    let rows = predictions["predictions"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["error"].is_string()));
    let regions = rows.iter().find_map(|row| row["regions"].as_str()).unwrap();
    check("regions", &json(&at.join(regions)));

    let mut compare = train(
        &root,
        &at.join("compared"),
        &["--detectors", "gaussian,probe"],
    );
    compare[0] = "compare".to_owned();
    check("comparison", &printed(at, compare));
    check("comparison", &json(&at.join("compared/comparison.json")));
}

/// The settings of every system, as its model would report them.
#[test]
fn every_system_reports_settings_that_the_schema_knows() {
    let schema = json(&repository("docs/schema/report.json"));
    let config = serde_json::json!({"$ref": "#/$defs/Config", "$defs": schema["$defs"]});
    for name in ckaad_detectors::DetectorSettings::NAMES {
        let table = format!(
            "detector.name = \"{name}\"\nepochs = 1\ndata = {{ layout = \"folder\", root = \"x\" }}"
        );
        let overrides = ckaad_engine::Overrides {
            table: table.parse().unwrap(),
            ..Default::default()
        };
        let overrides = match ckaad_engine::Config::resolve(None, overrides.clone()) {
            Ok(_) => overrides,
            // Some need two epochs.
            Err(_) => ckaad_engine::Overrides {
                table: table.replace("epochs = 1", "epochs = 2").parse().unwrap(),
                ..Default::default()
            },
        };
        let settings = ckaad_engine::Config::resolve(None, overrides).unwrap();
        let found = problems(&config, &serde_json::to_value(&settings).unwrap());
        assert!(found.is_empty(), "{name}: {}", found.join("\n"));
    }
}

#[test]
fn lists_print_what_schemas_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    check("devices", &printed(at, words("devices")));
    check("weights", &printed(at, words("weights list")));
    check("datasets", &printed(at, words("datasets list")));
    check(
        "path",
        &printed(at, words("datasets synth mvtec-ad stand-in")),
    );
    check(
        "check",
        &printed(at, words("datasets check mvtec-ad stand-in")),
    );
}
