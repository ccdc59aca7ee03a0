//! Running a case: networks by formulas, the forward part, and the training steps.

use std::collections::BTreeMap;

use anyhow::ensure;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use ckaad_anomaly_map::{AnomalyMap, AnomalyMapper, ImageScore};
use ckaad_auto_encoder::{AutoEncoder, Norm};
use ckaad_backbone::{Backbone, BackboneConfig, Precision};
use ckaad_detectors::ckaad::auto_encoder_config;
use ckaad_discriminator::{PatchDiscriminator, PatchDiscriminatorConfig};
use ckaad_ops::FeatureMap;
use ckaad_parameters::{NamedTensors, fill};

use crate::check::{check, relative};
use crate::training::train;
use crate::{Case, Check, Golden, formula, predictor};
use ckaad_parameters::torch_name;

/// Tolerance of forward results and of the first step's losses and gradient norms.
pub(crate) const FORWARD: f64 = 1e-4;

/// How much of a case to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Forward passes, anomaly map and scores.
    Forward,
    /// Those and the training steps.
    Training,
}

/// Runs a case on `device` (without autodiff) and compares every recorded figure.
///
/// # Errors
/// If the case asks for an impossible network or records a figure this crate does not compute.
pub fn run(
    golden: &Golden,
    extent: Extent,
    precision: Precision,
    device: &Device,
) -> anyhow::Result<Vec<Check>> {
    let case = &golden.case;
    let config = BackboneConfig::new(case.backbone, &case.layers)?.with_precision(precision);
    let backbone = config.from_torchvision(backbone_weights(golden, &config), device)?;
    let training = device.clone().autodiff();
    let auto_encoder = by_formula(
        auto_encoder_config(&config, case.norm).zeros(&training),
        "autoencoder",
        &golden.parameters.autoencoder,
        case.seed,
    )?;
    let discriminator = PatchDiscriminatorConfig {
        channels: config.channels(),
        precision,
    };
    let discriminator = by_formula(
        discriminator.zeros(&training),
        "discriminator",
        &golden.parameters.discriminator,
        case.seed,
    )?;

    let mut checks = forward(golden, &backbone, &auto_encoder, &discriminator, device)?;
    if extent == Extent::Training {
        checks.extend(train(
            golden,
            &backbone,
            auto_encoder,
            discriminator,
            device,
        )?);
    }
    Ok(checks)
}

fn backbone_weights(golden: &Golden, config: &BackboneConfig) -> NamedTensors {
    let deepest = config.stages.last().copied().unwrap_or(1);
    let needed =
        |name: &str| !(deepest + 1..=4).any(|stage| name.starts_with(&format!("layer{stage}.")));
    golden
        .parameters
        .backbone
        .iter()
        .filter(|(name, _)| needed(name))
        .map(|(name, shape)| {
            let full = format!("backbone.{name}");
            (
                name.clone(),
                formula::parameter(&full, shape, golden.case.seed),
            )
        })
        .collect()
}

/// Fills a module by the formulas of the recorded names, and makes sure that it has exactly the recorded parameters.
fn by_formula<M: Module>(
    module: M,
    network: &str,
    shapes: &BTreeMap<String, Vec<usize>>,
    seed: u64,
) -> anyhow::Result<M> {
    let mut unseen = shapes.clone();
    let mut odd = Vec::new();
    let module = fill(module, |info| {
        let name = torch_name(info.name);
        let known = unseen
            .remove(&name)
            .is_some_and(|shape| shape == info.shape);
        if !known {
            odd.push(format!("{} {:?}", info.name, info.shape));
        }
        formula::parameter(&format!("{network}.{name}"), info.shape, seed).values
    });
    // Running statistics do not enter a training-mode forward pass.
    unseen.retain(|name, _| !name.contains("running_"));
    odd.retain(|name| !name.contains("running_"));
    ensure!(
        odd.is_empty(),
        "the {network} has parameters that the case lacks: {odd:?}"
    );
    ensure!(
        unseen.is_empty(),
        "the {network} lacks parameters of the case: {:?}",
        unseen.keys()
    );
    Ok(module)
}

pub(crate) fn images(name: &str, count: usize, case: &Case, device: &Device) -> Tensor<4> {
    let shape = [count, 3, case.image_size, case.image_size];
    let values = formula::uniform(name, shape.iter().product(), case.seed);
    Tensor::from_data(TensorData::new(values, shape), device) * 2.0
}

fn forward(
    golden: &Golden,
    backbone: &Backbone,
    auto_encoder: &AutoEncoder,
    discriminator: &PatchDiscriminator,
    device: &Device,
) -> anyhow::Result<Vec<Check>> {
    let case = &golden.case;
    let input = images("normal.0", case.batch, case, device);
    let features = backbone.forward(input.clone());
    let latent = auto_encoder.encode(&features).inner();
    let energies = discriminator.energies(&features);

    let mut checks = vec![
        check("normal.0", golden, &values(input.clone()), FORWARD)?,
        check("latent", golden, &values(latent), FORWARD)?,
    ];
    for ((layer, feature), energy) in case.layers.iter().zip(&features).zip(energies) {
        let name = format!("feature.layer{layer}");
        checks.push(check(&name, golden, &values(feature.clone()), FORWARD)?);
        let name = format!("energy.layer{layer}");
        checks.push(check(&name, golden, &values(energy.inner()), FORWARD)?);
    }

    let reconstructions: Vec<Tensor<4>> = auto_encoder
        .forward(&features)
        .into_iter()
        .map(Tensor::inner)
        .collect();
    for (layer, reconstruction) in case.layers.iter().zip(&reconstructions) {
        let name = format!("reconstruction.layer{layer}");
        let values = values(reconstruction.clone());
        checks.push(check(&name, golden, &values, FORWARD)?);
    }
    let plain = |tensors: &[Tensor<4>]| -> Vec<FeatureMap> {
        tensors.iter().cloned().map(FeatureMap::plain).collect()
    };
    let mapper = AnomalyMapper::new(case.image_size, case.image_size);
    let maps = mapper.maps(&plain(&features), &plain(&reconstructions));
    checks.extend(check_scoring(golden, "", |rule| {
        Ok(maps.iter().map(|map| (rule.of(map), map.clone())).collect())
    })?);
    // A batch norm is recorded as it learns, without the statistics that it predicts with.
    if case.norm == Norm::Instance {
        let networks = (backbone, auto_encoder);
        checks.extend(check_scoring(golden, "predictor: ", |rule| {
            predictor::score(case, networks, rule, input.clone(), device)
        })?);
    }
    Ok(checks)
}

/// Compares what `system` says of the case's first images, `normal.0`, under both rules: `score` gives each image's score
/// by a rule, and its anomaly map.
fn check_scoring(
    golden: &Golden,
    system: &str,
    score: impl Fn(ImageScore) -> anyhow::Result<Vec<(f64, AnomalyMap)>>,
) -> anyhow::Result<Vec<Check>> {
    let mut checks = Vec::new();
    for (name, rule, expected) in [
        (
            "image_score_top100",
            ImageScore::Top100,
            &golden.image_score_top100,
        ),
        (
            "image_score_mean",
            ImageScore::Mean,
            &golden.image_score_mean,
        ),
    ] {
        let (scores, maps): (Vec<f64>, Vec<AnomalyMap>) = score(rule)?.into_iter().unzip();
        ensure!(
            scores.len() == expected.len(),
            "{name}: {} instead of {}",
            scores.len(),
            expected.len()
        );
        checks.push(Check {
            name: format!("{system}{name}"),
            error: relative(scores.into_iter().zip(expected.iter().copied())),
            tolerance: FORWARD,
        });
        if rule == ImageScore::Top100 {
            let pixels: Vec<f32> = maps.into_iter().flat_map(|map| map.values).collect();
            let map = check("anomaly_map", golden, &pixels, FORWARD)?;
            checks.push(Check {
                name: format!("{system}{}", map.name),
                ..map
            });
        }
    }
    Ok(checks)
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().iter::<f32>().collect()
}
