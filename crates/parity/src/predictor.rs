//! The way that users take: a model file, opened and asked for scores and maps.

use anyhow::Context;
use burn::tensor::{Device, Tensor};
use ckaad_anomaly_map::{AnomalyMap, ImageScore};
use ckaad_auto_encoder::AutoEncoder;
use ckaad_backbone::Backbone;
use ckaad_data::Reading;
use ckaad_detectors::ckaad::{CkaadDetector, Settings};
use ckaad_detectors::{Detector, DetectorSettings};
use ckaad_engine::config::{DataConfig, Overrides};
use ckaad_engine::scoring::{ModelInfo, Preprocessing};
use ckaad_engine::training::Threshold;
use ckaad_engine::{Config, Predictor};

use crate::Case;

/// Writes a model of the case's networks, opens it again, and scores normalised images by a rule.
pub(crate) fn score(
    case: &Case,
    (backbone, auto_encoder): (&Backbone, &AutoEncoder),
    image_score: ImageScore,
    images: Tensor<4>,
    device: &Device,
) -> anyhow::Result<Vec<(f64, AnomalyMap)>> {
    let settings = Settings {
        norm: case.norm,
        image_score,
        ..Settings::default()
    };
    let overrides = Overrides {
        backbone: Some(case.backbone),
        precision: Some(backbone.config().precision),
        image_size: Some(case.image_size),
        data: DataConfig {
            split: Some("none".into()),
            ..DataConfig::default()
        },
        ..Overrides::default()
    };
    let config = Config {
        stages: case.layers.clone(),
        detector: DetectorSettings::Ckaad(settings),
        ..Config::resolve(None, overrides)?.into_inner()
    };
    let info = ModelInfo {
        config: config.check()?,
        preprocessing: Preprocessing::new(case.image_size, Reading::PUBLISHED),
        threshold: Threshold {
            value: 0.0,
            rule: "none".to_owned(),
            promise: None,
        },
        calibration: Vec::new(),
        maps: None,
        epoch: 1,
        validation_auroc: None,
        weights: "formulas".to_owned(),
        images: String::new(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let detector: Box<dyn Detector> = Box::new(CkaadDetector::new(
        auto_encoder,
        image_score,
        backbone.config(),
        case.image_size,
    ));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("model.safetensors");
    Predictor::new(backbone.clone(), detector, info, device).save(&file)?;
    let scored = Predictor::open(&file, None, device)?.score(images);
    scored
        .into_iter()
        .map(|scored| Ok((scored.score, scored.map.context("CKAAD makes maps")?)))
        .collect()
}
