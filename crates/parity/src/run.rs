use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use ckaad_anomaly_map::{AnomalyMap, AnomalyMapper, ImageScore};
use ckaad_auto_encoder::AutoEncoder;
use ckaad_backbone::{Backbone, BackboneConfig, Precision};
use ckaad_discriminator::{PatchDiscriminator, PatchDiscriminatorConfig};
use ckaad_engine::{Discriminator, Learner, Method, Objective, StepRecord, auto_encoder_config};
use ckaad_parameters::{NamedTensors, collect, fill};

use crate::case::{Record, Step};
use crate::names::recorded;
use crate::{Case, Golden, formula};

/// Tolerance of forward results and of the first step's losses and gradient norms.
const FORWARD: f64 = 1e-4;
/// Tolerance of later steps.
const LATER_STEPS: f64 = 2e-3;
/// Tolerance of trained weights.
const TRAINED: f64 = 1e-3;

/// How much of a case to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Forward passes, anomaly map and scores.
    Forward,
    /// Those and the training steps.
    Training,
}

/// One figure compared.
#[derive(Debug, Clone)]
pub struct Check {
    /// Which figure.
    pub name: String,
    /// Relative error: the Euclidean norm of the difference over that of the expected values.
    pub error: f64,
    /// The largest error allowed.
    pub tolerance: f64,
}

impl Check {
    /// Whether the error is within the tolerance.
    pub fn passed(&self) -> bool {
        self.error <= self.tolerance
    }
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
        auto_encoder_config(&config, case.norm()).zeros(&training),
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
        let name = recorded(info.name);
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

fn images(name: &str, count: usize, case: &Case, device: &Device) -> Tensor<4> {
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
    let reconstructions: Vec<Tensor<4>> = auto_encoder
        .forward(&features)
        .into_iter()
        .map(Tensor::inner)
        .collect();
    let energies = discriminator.energies(&features);
    let maps =
        AnomalyMapper::new(case.image_size, case.image_size).maps(&features, &reconstructions);

    let mut checks = vec![check("normal.0", golden, &values(input), FORWARD)?];
    for (index, layer) in case.layers.iter().enumerate() {
        let named = [
            ("feature", values(features[index].clone())),
            ("reconstruction", values(reconstructions[index].clone())),
            ("energy", values(energies[index].clone().inner())),
        ];
        for (kind, values) in named {
            checks.push(check(
                &format!("{kind}.layer{layer}"),
                golden,
                &values,
                FORWARD,
            )?);
        }
    }
    checks.push(check("latent", golden, &values(latent), FORWARD)?);
    let pixels: Vec<f32> = maps
        .iter()
        .flat_map(|map| map.values.iter().copied())
        .collect();
    checks.push(check("anomaly_map", golden, &pixels, FORWARD)?);
    let scores = |score: ImageScore| {
        maps.iter()
            .map(|map: &AnomalyMap| score.of(map))
            .collect::<Vec<_>>()
    };
    for (name, found, expected) in [
        (
            "image_score_top100",
            scores(ImageScore::TopMean(100)),
            &golden.image_score_top100,
        ),
        (
            "image_score_mean",
            scores(ImageScore::Mean),
            &golden.image_score_mean,
        ),
    ] {
        ensure!(
            found.len() == expected.len(),
            "{name}: {} instead of {}",
            found.len(),
            expected.len()
        );
        checks.push(Check {
            name: name.to_owned(),
            error: relative(found.iter().copied().zip(expected.iter().copied())),
            tolerance: FORWARD,
        });
    }
    Ok(checks)
}

fn train(
    golden: &Golden,
    backbone: &Backbone,
    auto_encoder: AutoEncoder,
    discriminator: PatchDiscriminator,
    device: &Device,
) -> anyhow::Result<Vec<Check>> {
    let case = &golden.case;
    let objective = Objective {
        method: Method::CkaPatch,
        lambda: case.lambda,
        gamma: case.gamma,
        margin: case.margin,
        learning_rate: case.lr,
        discriminator_learning_rate: case.lr_discriminator,
    };
    let discriminator = Discriminator::Patch(discriminator);
    let mut learner = Learner::new(objective, auto_encoder, Some(discriminator));
    let mut checks = Vec::new();
    for (step, expected) in golden.steps.iter().enumerate() {
        let normal = backbone.forward(images(&format!("normal.{step}"), case.batch, case, device));
        let anomalous = backbone.forward(images(
            &format!("anomaly.{step}"),
            case.anomaly_batch,
            case,
            device,
        ));
        let record = learner.step(&normal, Some(&anomalous));
        let tolerance = if step == 0 { FORWARD } else { LATER_STEPS };
        checks.extend(compare_step(step, record, expected, tolerance)?);
    }

    let mut trained: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    let networks = [
        ("autoencoder", collect(&learner.auto_encoder)),
        (
            "discriminator",
            learner
                .discriminator
                .as_ref()
                .map(collect)
                .unwrap_or_default(),
        ),
    ];
    for (network, tensors) in networks {
        for (name, tensor) in tensors.iter() {
            trained.insert(
                format!("trained.{network}.{}", recorded(name)),
                tensor.values.clone(),
            );
        }
    }
    for name in golden
        .tensors
        .keys()
        .filter(|name| name.starts_with("trained."))
    {
        let values = trained
            .get(name)
            .with_context(|| format!("no parameter {name}"))?;
        checks.push(check(name, golden, values, TRAINED)?);
    }
    Ok(checks)
}

fn compare_step(
    step: usize,
    record: StepRecord,
    expected: &Step,
    tolerance: f64,
) -> anyhow::Result<Vec<Check>> {
    let anomalous = record
        .anomalous
        .context("a step with anomalous images records their losses")?;
    let (discriminator, norm) = anomalous
        .discriminator
        .context("the method trains a discriminator")?;
    let scalar = |tensor: Tensor<1>| f64::from(tensor.into_scalar::<f32>());
    Ok([
        (
            "discriminator",
            scalar(discriminator),
            expected.discriminator,
        ),
        (
            "reconstruction",
            scalar(record.reconstruction),
            expected.reconstruction,
        ),
        (
            "adversarial",
            scalar(anomalous.adversarial),
            expected.adversarial,
        ),
        ("total", scalar(record.total), expected.total),
        (
            "discriminator_grad_norm",
            scalar(norm),
            expected.discriminator_grad_norm,
        ),
        (
            "autoencoder_grad_norm",
            scalar(record.gradient_norm),
            expected.autoencoder_grad_norm,
        ),
    ]
    .into_iter()
    .map(|(name, found, expected)| Check {
        name: format!("step {step} {name}"),
        error: relative([(found, expected)]),
        tolerance,
    })
    .collect())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().iter::<f32>().collect()
}

/// Compares the probes and, so that no region goes unseen, the norm of the whole tensor.
fn check(name: &str, golden: &Golden, values: &[f32], tolerance: f64) -> anyhow::Result<Check> {
    let record: &Record = golden
        .tensors
        .get(name)
        .with_context(|| format!("the case records no tensor {name}"))?;
    let count: usize = record.shape.iter().product();
    ensure!(
        values.len() == count,
        "{name} has {} elements instead of {count}",
        values.len()
    );
    let probes = record
        .probes
        .iter()
        .map(|&(index, expected)| (f64::from(values[index]), expected));
    let l2 = values
        .iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        .sqrt();
    Ok(Check {
        name: name.to_owned(),
        error: relative(probes).max(relative([(l2, record.l2)])),
        tolerance,
    })
}

/// Euclidean norm of the differences over that of the expected values. A NaN anywhere makes it infinite.
fn relative(pairs: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (mut difference, mut norm) = (0.0, 0.0);
    for (found, expected) in pairs {
        difference += (found - expected).powi(2);
        norm += expected.powi(2);
    }
    let error = difference.sqrt() / norm.sqrt().max(f64::MIN_POSITIVE);
    if error.is_nan() { f64::INFINITY } else { error }
}
