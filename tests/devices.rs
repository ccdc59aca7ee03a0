//! Networks and training steps on a GPU backend against recorded figures and the CPU. The device is the first of the backend compiled in, or the
//! one that `CKAAD_TEST_DEVICE` names.

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_auto_encoder::Norm;
use ckaad_backbone::{BackboneConfig, Precision, ResNetVariant};
use ckaad_detectors::ckaad::{
    Discriminator, Learner, Method, Settings, StepRecord, auto_encoder_config,
};
use ckaad_device::DeviceSpec;
use ckaad_parity::Extent;

use crate::parity::{assert_all_pass, checks};

const IMAGE_SIZE: usize = 128;
const STEPS: u32 = 2;

fn device() -> Option<Device> {
    let backend = if cfg!(feature = "cuda") {
        "cuda"
    } else {
        "wgpu"
    };
    let name = std::env::var("CKAAD_TEST_DEVICE").unwrap_or_else(|_| backend.to_owned());
    match name.parse::<DeviceSpec>().unwrap().open() {
        Ok(device) => Some(device),
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            None
        }
    }
}

/// Pseudo-random features of some images, as large as those of stages 2 and 3: values in `[0, 1)`.
fn features(count: usize, seed: u32, device: &Device) -> Vec<Tensor<4>> {
    let mut state = seed.wrapping_mul(2_654_435_761) + 1;
    [[128, IMAGE_SIZE / 8], [256, IMAGE_SIZE / 16]]
        .map(|[channels, side]| {
            let shape = [count, channels, side, side];
            let values: Vec<f32> = (0..shape.iter().product())
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 24) as f32
                })
                .collect();
            Tensor::from_data(TensorData::new(values, shape), device)
        })
        .to_vec()
}

/// What two steps compute: losses and gradient norms, by name.
fn steps(method: Method, device: &Device) -> Vec<(String, f64)> {
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[2, 3]).unwrap();
    let learning = device.clone().autodiff();
    let settings = Settings {
        method,
        learning_rate: 1e-5,
        discriminator_learning_rate: 1e-5,
        ..Settings::default()
    };
    let auto_encoder = auto_encoder_config(&backbone, Norm::Instance).init(1, &learning);
    let discriminator = Discriminator::new(method, &backbone, IMAGE_SIZE, 2, &learning);
    let mut learner = Learner::new(settings, auto_encoder, discriminator);
    (0..STEPS)
        .flat_map(|step| {
            let normal = features(3, 2 * step, device);
            let anomalous = features(2, 2 * step + 1, device);
            figures(step, learner.step(&normal, Some(&anomalous)))
        })
        .collect()
}

fn figures(step: u32, record: StepRecord) -> Vec<(String, f64)> {
    let mut figures = vec![
        ("total", record.total),
        ("reconstruction", record.reconstruction),
        ("gradient norm", record.gradient_norm),
    ];
    if let Some(anomalous) = record.anomalous {
        figures.push(("adversarial", anomalous.adversarial));
        if let Some((loss, norm)) = anomalous.discriminator {
            figures.extend([
                ("discriminator", loss),
                ("discriminator's gradient norm", norm),
            ]);
        }
    }
    figures
        .into_iter()
        .map(|(name, value)| {
            let value = f64::from(value.into_scalar::<f32>());
            (format!("step {step}, {name}"), value)
        })
        .collect()
}

#[test]
fn every_method_steps_as_on_the_cpu() {
    let Some(device) = device() else { return };
    for method in Method::ALL {
        let expected = steps(method, &ckaad_device::cpu());
        for ((name, found), (_, expected)) in steps(method, &device).into_iter().zip(expected) {
            let error = (found - expected).abs() / expected.abs();
            println!("{method}, {name}: {found} {expected} ({error:.1e})");
            assert!(
                error < 2e-3,
                "{method}, {name}: {found}, on the CPU {expected}"
            );
        }
    }
}

#[test]
fn recorded_figures_hold_in_single_precision() {
    let Some(device) = device() else { return };
    for case in [
        "networks_resnet18_l23_64.json",
        "networks_resnet18_l23_128_f64.json",
    ] {
        assert_all_pass(&checks(case, Extent::Forward, Precision::F32, &device));
    }
}

#[test]
fn coarser_precisions_lose_no_more_than_the_cpu_imitates() {
    let Some(device) = device() else { return };
    for precision in [Precision::Tf32, Precision::Bf16] {
        if !precision.is_supported(&device) {
            eprintln!("SKIPPED: {device:?} cannot compute in {precision}");
            continue;
        }
        let checks = |device: &Device| {
            checks(
                "networks_resnet18_l23_128_f64.json",
                Extent::Forward,
                precision,
                device,
            )
        };
        for (found, imitated) in checks(&device).iter().zip(checks(&ckaad_device::cpu())) {
            let (name, error) = (&found.name, found.error);
            println!(
                "{precision}, {name}: {error:.1e}, imitated {:.1e}",
                imitated.error
            );
            // Errors of rounding are random: within a factor, not equal.
            assert!(
                error <= 5.0 * imitated.error.max(found.tolerance),
                "{precision}, {name}: {error:.1e}, imitated {:.1e}",
                imitated.error
            );
        }
    }
}
