//! The training steps of a case, and the weights after them.

use std::collections::BTreeMap;

use anyhow::Context;
use burn::tensor::{Device, Tensor};
use ckaad_auto_encoder::AutoEncoder;
use ckaad_backbone::Backbone;
use ckaad_detectors::ckaad::{Discriminator, Learner, Settings, StepRecord};
use ckaad_discriminator::PatchDiscriminator;
use ckaad_parameters::collect;

use crate::case::Step;
use crate::check::{check, relative};
use crate::run::{FORWARD, images};
use crate::{Check, Golden};
use ckaad_parameters::torch_name;

/// Tolerance of later steps.
const LATER_STEPS: f64 = 2e-3;
/// Tolerance of trained weights.
const TRAINED: f64 = 1e-3;

pub(crate) fn train(
    golden: &Golden,
    backbone: &Backbone,
    auto_encoder: AutoEncoder,
    discriminator: PatchDiscriminator,
    device: &Device,
) -> anyhow::Result<Vec<Check>> {
    let case = &golden.case;
    let settings = Settings {
        lambda: case.lambda,
        gamma: case.gamma,
        margin: case.margin,
        learning_rate: case.lr,
        discriminator_learning_rate: case.lr_discriminator,
        ..Settings::default()
    };
    let discriminator = Discriminator::Patch(discriminator);
    let mut learner = Learner::new(settings, auto_encoder, Some(discriminator));
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
                format!("trained.{network}.{}", torch_name(name)),
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
