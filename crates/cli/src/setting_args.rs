//! Settings that have a flag of their own.

use std::path::PathBuf;

use anyhow::Context;
use ckaad_backbone::{Precision, ResNetVariant};
use ckaad_detectors::DetectorSettings;
use ckaad_detectors::ckaad::Method;
use ckaad_engine::config::{AnomalySource, FeatureSource, Overrides, Preset, lay_over};
use toml::{Table, Value};

use crate::data_args::{DataArgs, absolute};
use crate::flag_values::named;

#[derive(clap::Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingArgs {
    /// Settings file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Settings to start from
    #[arg(long, value_parser = named(Preset::ALL))]
    preset: Option<Preset>,
    /// System that learns and scores
    #[arg(long, value_parser = named(DetectorSettings::NAMES.iter().copied()))]
    detector: Option<&'static str>,
    /// How anomalous images are used by the detector ckaad: short for --set 'detector.method="..."'
    #[arg(long, value_parser = named(Method::ALL))]
    method: Option<Method>,
    /// Network that turns images into features
    #[arg(long, value_parser = named(ResNetVariant::ALL))]
    backbone: Option<ResNetVariant>,
    /// How exactly convolutions and linear layers multiply
    #[arg(long, value_parser = named(Precision::ALL))]
    precision: Option<Precision>,
    /// Side of the resized images in pixels
    #[arg(long, value_name = "PIXELS")]
    image_size: Option<usize>,
    /// Normal images per step
    #[arg(long)]
    batch: Option<usize>,
    /// Passes over the normal images
    #[arg(long)]
    pub(crate) epochs: Option<usize>,
    /// Share of labelled anomalous images among all training images; all there are if not given
    #[arg(long, value_name = "RATIO")]
    labelled_ratio: Option<f64>,
    /// Where anomalous images come from
    #[arg(long, value_parser = named(AnomalySource::ALL))]
    anomalies: Option<AnomalySource>,
    /// Folder of textures for drawn anomalies (perlin); by default formulas make them
    #[arg(long, value_name = "DIR")]
    textures: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long)]
    seed: Option<u64>,
    /// Weights file of the backbone
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Use seeded random features instead of pretrained ones
    #[arg(long, conflicts_with = "weights")]
    random_features: bool,
    /// Keep images of one patient or lesion together, where the data names them
    #[arg(long)]
    group_by: bool,
    /// Any setting, as TOML: --set detector.lambda=0.05 --set 'detector.norm="batch"'
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) set: Vec<Table>,
}

fn setting(text: &str) -> Result<Table, String> {
    text.parse()
        .map_err(|error| format!("not a TOML setting (texts need quotes): {error}"))
}

impl SettingArgs {
    /// What was given.
    pub(crate) fn overrides(self, data: DataArgs) -> anyhow::Result<Overrides> {
        let mut table = Table::new();
        if let Some(method) = self.method {
            let method = Table::from_iter([("method".to_owned(), method.to_string().into())]);
            table.insert("detector".to_owned(), Value::Table(method));
        }
        for setting in self.set {
            lay_over(&mut table, setting);
        }
        let working = "cannot find the working folder";
        Ok(Overrides {
            preset: self.preset,
            detector: self.detector.map(str::to_owned),
            table,
            backbone: self.backbone,
            precision: self.precision,
            image_size: self.image_size,
            batch: self.batch,
            epochs: self.epochs,
            labelled_ratio: self.labelled_ratio,
            anomalies: self.anomalies,
            textures: absolute(self.textures).context(working)?,
            seed: self.seed,
            weights: absolute(self.weights).context(working)?,
            features: self.random_features.then_some(FeatureSource::Random),
            group_by: self.group_by.then_some(true),
            data: data.settings().context(working)?,
        })
    }
}
