//! What a training step computes, for each method, and in which order.

use burn::tensor::{Tensor, TensorData};
use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_detectors::ckaad::{
    Discriminator, Learner, Method, Settings, StepRecord, auto_encoder_config,
};

const LAMBDA: f64 = 0.3;
/// A learning rate at which the discriminator before and after its step can be told apart.
const FAST: f64 = 0.1;

/// Pseudo-random features in `[0, 1)`, not from the backend's generator, which all tests of the process share.
fn features(seed: u32) -> Vec<Tensor<4>> {
    let mut state = seed.wrapping_mul(2_654_435_761) + 1;
    [[2, 128, 8, 8], [2, 256, 4, 4]]
        .map(|shape: [usize; 4]| {
            let values: Vec<f32> = (0..shape.iter().product())
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 24) as f32
                })
                .collect();
            Tensor::from_data(TensorData::new(values, shape), &ckaad_device::cpu())
        })
        .to_vec()
}

fn learner(method: Method, discriminator_learning_rate: f64) -> Learner {
    let device = ckaad_device::cpu().autodiff();
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3])
        .unwrap_or_else(|error| panic!("{error}"));
    let auto_encoder =
        auto_encoder_config(&backbone, ckaad_auto_encoder::Norm::Instance).init(1, &device);
    let settings = Settings {
        method,
        lambda: LAMBDA,
        gamma: 0.25,
        margin: 5.0,
        discriminator_learning_rate,
        ..Settings::default()
    };
    Learner::new(
        settings,
        auto_encoder,
        Discriminator::new(method, &backbone, 64, 2, &device),
    )
}

fn value(tensor: &Tensor<1>) -> f64 {
    f64::from(tensor.clone().into_scalar::<f32>())
}

fn step(method: Method, discriminator_learning_rate: f64) -> (Learner, StepRecord) {
    let mut learner = learner(method, discriminator_learning_rate);
    let record = learner.step(&features(3), Some(&features(4)));
    (learner, record)
}

#[track_caller]
fn assert_close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-5 * expected.abs().max(1.0),
        "{found} instead of {expected}"
    );
}

#[test]
fn the_adversarial_loss_is_weighed_by_lambda() {
    for (method, sign) in [
        (Method::ReconSub, -1.0),
        (Method::Gan, 1.0),
        (Method::CkaImg, 1.0),
        (Method::CkaPatch, 1.0),
    ] {
        let (_, record) = step(method, 1e-4);
        let Some(anomalous) = &record.anomalous else {
            panic!("{method} sees anomalous images")
        };
        let adversarial = value(&anomalous.adversarial);
        assert!(adversarial != 0.0, "{method}");
        assert_close(
            value(&record.total),
            value(&record.reconstruction) + sign * LAMBDA * adversarial,
        );
        assert_eq!(
            anomalous.discriminator.is_some(),
            method != Method::ReconSub,
            "{method}"
        );
    }
}

#[test]
fn subtracted_is_the_reconstruction_loss_of_the_anomalous_images() {
    let auto_encoder = learner(Method::ReconSub, 1e-4).auto_encoder;
    let anomalous = features(4);
    let expected =
        value(&ckaad_losses::reconstruction(&anomalous, &auto_encoder.forward(&anomalous)).inner());
    let (_, record) = step(Method::ReconSub, 1e-4);
    assert_close(
        record
            .anomalous
            .map_or(0.0, |record| value(&record.adversarial)),
        expected,
    );
}

/// The auto-encoder is judged by the discriminator that has just learned, on the reconstructions from before its own step.
#[test]
fn the_updated_discriminator_judges() {
    let before = learner(Method::CkaPatch, FAST);
    let (after, record) = step(Method::CkaPatch, FAST);
    let pooled: Vec<Tensor<4>> = before
        .auto_encoder
        .forward(&features(3))
        .into_iter()
        .zip(before.auto_encoder.forward(&features(4)))
        .map(|(normal, anomalous)| Tensor::cat(vec![normal.inner(), anomalous.inner()], 0))
        .collect();
    let judged_by = |learner: &Learner| match &learner.discriminator {
        Some(Discriminator::Patch(discriminator)) => {
            value(&ckaad_losses::adversarial_energy(&discriminator.energies(&pooled)).inner())
        }
        _ => panic!("the method has a patch discriminator"),
    };
    let (old, new) = (judged_by(&before), judged_by(&after));
    assert!(
        (old - new).abs() > 1e-3,
        "the discriminator did not move: {old}, {new}"
    );
    assert_close(
        record
            .anomalous
            .map_or(0.0, |record| value(&record.adversarial)),
        new,
    );
}

#[test]
fn without_anomalous_images_only_the_reconstruction_is_trained() {
    let mut learner = learner(Method::CkaPatch, 1e-4);
    let discriminator = |learner: &Learner| {
        learner
            .discriminator
            .as_ref()
            .map(ckaad_parameters::collect)
    };
    let before = discriminator(&learner);
    let record = learner.step(&features(3), None);
    assert!(record.anomalous.is_none());
    assert_close(value(&record.total), value(&record.reconstruction));
    assert!(discriminator(&learner) == before, "the discriminator moved");
}
