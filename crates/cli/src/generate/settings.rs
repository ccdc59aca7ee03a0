//! The reference of settings. Types and descriptions are those of the program's own types, defaults come from its presets, and what a value must
//! be is what the check of settings says when asked with impossible ones.

use std::fmt::Write;

use anyhow::Context;
use ckaad_detectors::{DetectorError, DetectorSettings};
use ckaad_engine::config::Preset;
use ckaad_engine::{Config, EngineError, Overrides};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::shape::Shape;

const HEAD: &str = "# Settings\n\n\
    Every key of a settings file (`--config FILE`, TOML) and of `--set KEY=VALUE`. Made by `ckaad generate`; not to be edited.\n\
    The *limits* of a value are what the program says of others. With `--normal`, `anomalies`, `validation` and `calibration` have other\n\
    defaults: labelled images are used where there are any, an elastic transform makes them where there are none, and a quarter of the normal\n\
    images is held out. With `--normal` and `--anomalous`, the preset of `ckaad` is `short` where neither a\n\
    preset, another method nor other anomalies are named.\n";
const COLUMNS: &str = "\n| key | type | default | limits | |\n|---|---|---|---|---|\n";

/// Every key with its type, default, range and description.
pub(super) fn page() -> anyhow::Result<String> {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let schema = settings.into_generator().into_root_schema_for::<Config>();
    let schema = schema.to_value();
    let root = Shape::root(&schema);
    let base = preset(Preset::default())?;

    let mut page = HEAD.to_owned();
    page += &presets(&base)?;
    page += "\n## The run\n\n`data` says where the images are: `data.layout` with `data.root`, `data.folders`, or `data.split`.\n";
    page += COLUMNS;
    for (key, shape) in root.properties() {
        if key != "detector" && key != "preset" {
            rows(&mut page, key, shape, &base, &base)?;
        }
    }
    let of_detector = root.property("detector").context("no detector")?;
    for name in DetectorSettings::NAMES {
        let shape = of_detector
            .choice("name", name)
            .with_context(|| format!("nothing is known of {name}"))?;
        let named = json!({ "name": name });
        let defaults = serde_json::from_value::<DetectorSettings>(named.clone())?;
        let defaults = json!({ "detector": defaults });
        let mut base = base.clone();
        base["detector"] = named;
        write!(
            page,
            "\n## The detector `{name}`\n\n{}\n",
            shape.description()
        )?;
        let mut settings = shape
            .properties()
            .filter(|(key, _)| *key != "name")
            .peekable();
        if settings.peek().is_none() {
            page += "\nIt has no settings.\n";
            continue;
        }
        page += COLUMNS;
        for (key, shape) in settings {
            rows(
                &mut page,
                &format!("detector.{key}"),
                shape,
                &defaults,
                &base,
            )?;
        }
    }
    Ok(page)
}

/// The settings of a preset; the images could be anywhere.
fn preset(preset: Preset) -> anyhow::Result<Value> {
    let overrides = Overrides {
        preset: Some(preset),
        table: toml::toml! { data = { layout = "folder", root = "/" } },
        ..Overrides::default()
    };
    let config = Config::resolve(None, overrides)?;
    let mut value = serde_json::to_value(config.into_inner())?;
    value["data"] = json!({ "skip_bad": false });
    Ok(value)
}

/// Where presets differ.
fn presets(base: &Value) -> anyhow::Result<String> {
    let mut text = format!(
        "\n## Presets\n\n`preset` (`--preset`) names the settings to start from; `{}` if none is named. The defaults below are its own; others \
         differ in:\n\n| preset | settings |\n|---|---|\n",
        Preset::default()
    );
    for other in Preset::ALL {
        let settings = preset(other)?;
        let mut differ = Vec::new();
        differences("", base, &settings, &mut differ);
        if !differ.is_empty() {
            writeln!(text, "| `{other}` | {} |", differ.join(", "))?;
        }
    }
    Ok(text)
}

fn differences(prefix: &str, base: &Value, other: &Value, found: &mut Vec<String>) {
    let Value::Object(settings) = other else {
        return;
    };
    for (key, value) in settings.iter().filter(|(key, _)| *key != "preset") {
        let name = format!("{prefix}{key}");
        match value {
            Value::Object(_) => differences(&format!("{name}."), &base[key], value, found),
            value if base[key] != *value => found.push(format!("`{name} = {value}`")),
            _ => {}
        }
    }
}

/// The row of a setting, or of each setting in its table.
fn rows(
    page: &mut String,
    key: &str,
    shape: Shape<'_>,
    defaults: &Value,
    base: &Value,
) -> anyhow::Result<()> {
    if shape.is_table() {
        for (name, shape) in shape.properties() {
            rows(page, &format!("{key}.{name}"), shape, defaults, base)?;
        }
        return Ok(());
    }
    let default = defaults.pointer(&pointer(key));
    let default = default.map_or_else(String::new, |value| format!("`{}`", named(value)));
    writeln!(
        page,
        "| `{key}` | {} | {default} | {} | {} |",
        shape.kind(),
        limits(key, shape, base).join("; "),
        shape.description()
    )?;
    Ok(())
}

/// Of detectors in a list, their names.
fn named(value: &Value) -> Value {
    let names = value.as_array().map(|items| {
        let name = |item: &Value| Some(item.get("method").or(item.get("name"))?.clone());
        items.iter().map(name).collect::<Option<Vec<Value>>>()
    });
    names.flatten().map_or_else(|| value.clone(), Value::Array)
}

fn pointer(key: &str) -> String {
    format!("/{}", key.replace('.', "/"))
}

/// What the check says of impossible values of a setting.
fn limits(key: &str, shape: Shape<'_>, base: &Value) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for value in shape.extremes() {
        let mut settings = base.clone();
        settings["data"] = json!({ "layout": "folder", "root": "/" });
        if !put(&mut settings, key, value) {
            continue;
        }
        let Ok(config) = serde_json::from_value::<Config>(settings) else {
            continue;
        };
        let refused = config.check().err().and_then(|error| reason(error, key));
        said.extend(refused.filter(|reason| !said.contains(reason)));
    }
    said
}

/// Puts a value in its place. Tables on the way are made.
fn put(settings: &mut Value, key: &str, value: Value) -> bool {
    let mut place = settings;
    for part in key.split('.') {
        if place.is_null() {
            *place = json!({});
        }
        let Value::Object(table) = place else {
            return false;
        };
        place = table.entry(part).or_insert(Value::Null);
    }
    *place = value;
    true
}

/// Why a value is refused, if that is what the error says.
fn reason(error: EngineError, asked: &str) -> Option<String> {
    match error {
        EngineError::Setting { key, reason, .. }
        | EngineError::Detector(DetectorError::Setting { key, reason, .. })
            if key == asked =>
        {
            Some(reason)
        }
        _ => None,
    }
}
