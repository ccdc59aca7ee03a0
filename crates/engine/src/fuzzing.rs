//! Every reader of this crate on plain bytes, for the fuzz targets. Not part of the public interface.

use std::path::Path;
use std::sync::OnceLock;

use burn::tensor::Device;
use ckaad_backbone::{Backbone, BackboneConfig, ResNetVariant};
use ckaad_data::{Label, Sample};
use ckaad_detectors::Setup;
use ckaad_parameters::NamedTensors;

use crate::comparison::Comparison;
use crate::evaluation::{Report, predictions};
use crate::scoring::{model_file, results_folder};
use crate::training::{checkpoint, log};
use crate::{CheckedConfig, Config};

/// A function that must return, whatever the bytes; true if they are valid.
pub type Parser = fn(&[u8], &Device) -> bool;

/// Every reader by name.
pub const ALL: [(&str, Parser); 8] = [
    ("config", config),
    ("model", model),
    ("checkpoint", checkpoint),
    ("log", log),
    ("report", report),
    ("comparison", comparison),
    ("scores", scores),
    ("results", results),
];

/// A configuration.
pub fn config(bytes: &[u8], _: &Device) -> bool {
    Config::parse(bytes, Path::new("config.toml")).is_ok()
}

/// A model file with any digest. One without a backbone gets the smallest one, so that inputs can be small.
pub fn model(bytes: &[u8], device: &Device) -> bool {
    let seal = model_file::SEAL;
    let _ = seal.parse(bytes.to_vec());
    let Ok(file) = seal.parse(seal.seal(bytes.to_vec())) else {
        return false;
    };
    let Ok((info, mut tensors)) = model_file::contents(&file) else {
        return false;
    };
    let whole = |name: &str| name.starts_with(model_file::BACKBONE);
    if !tensors.names().any(whole) {
        let Some(backbone) = small(&info.config, device) else {
            return false;
        };
        let backbone = backbone.parameters().prefixed(model_file::BACKBONE);
        let detector = tensors.iter();
        let all: NamedTensors = backbone
            .iter()
            .chain(detector)
            .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
            .collect();
        tensors = all;
    }
    model_file::open((info, tensors), Path::new("model"), None, device).is_ok()
}

/// A checkpoint with any digest, of a run with the smallest backbone.
pub fn checkpoint(bytes: &[u8], device: &Device) -> bool {
    let seal = checkpoint::SEAL;
    let _ = seal.parse(bytes.to_vec());
    let Ok(file) = seal.parse(seal.seal(bytes.to_vec())) else {
        return false;
    };
    let Ok((state, position, origin)) = checkpoint::contents(&file) else {
        return false;
    };
    let Some(backbone) = small(&origin.config, device) else {
        return false;
    };
    let setup = Setup {
        backbone,
        image_size: origin.config.image_size,
        seed: origin.config.seed,
        steps: 1,
        device,
    };
    let mut trainer = origin.config.detector.trainer(&setup);
    position.check().is_ok() && trainer.restore(state).is_ok()
}

/// `log.jsonl`; valid if there is an epoch in it.
pub fn log(bytes: &[u8], _: &Device) -> bool {
    !log::parse(bytes, Path::new("log.jsonl"), usize::MAX).is_empty()
}

/// `report.json`.
pub fn report(bytes: &[u8], _: &Device) -> bool {
    Report::parse(bytes, Path::new("report.json")).is_ok()
}

/// `comparison.json`.
pub fn comparison(bytes: &[u8], _: &Device) -> bool {
    Comparison::parse(bytes, Path::new("comparison.json")).is_ok()
}

/// `predictions.csv` of an evaluation on the images `a.png`, `=b.png` and `c.png`.
pub fn scores(bytes: &[u8], _: &Device) -> bool {
    let images = ["a.png", "=b.png", "c.png"]
        .map(|name| Sample::new(Path::new(name), Label::Normal, "class"));
    predictions::parse(bytes, Path::new("predictions.csv"), &images).is_ok()
}

/// `predictions.csv` of a prediction, whose files are replaced; valid if it names any.
pub fn results(bytes: &[u8], _: &Device) -> bool {
    let names = results_folder::names_in(bytes);
    assert!(
        names
            .iter()
            .all(|name| Path::new("folder").join(name).parent() == Some(Path::new("folder"))),
        "{names:?} leave their folder"
    );
    !names.is_empty()
}

/// The smallest backbone there is, with random weights, if the configuration asks for that one.
fn small<'a>(config: &CheckedConfig, device: &Device) -> Option<&'a Backbone> {
    static SMALL: OnceLock<Option<Backbone>> = OnceLock::new();
    let small = SMALL.get_or_init(|| {
        let config = BackboneConfig::new(ResNetVariant::ResNet18, &[1]).ok()?;
        Some(config.random(0, device))
    });
    let wanted = config.backbone_config().ok()?;
    small.as_ref().filter(|small| *small.config() == wanted)
}
