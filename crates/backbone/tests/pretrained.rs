//! Real pretrained weights against a recorded test vector. Needs the folder `shared` beside the workspace (or
//! `$CKAAD_SHARED`), and is skipped without it; where the folder is there, so must the weights be.
#![allow(clippy::unwrap_used)]

use std::error::Error;
use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use ckaad_backbone::{BackboneConfig, ResNetVariant};

fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("CKAAD_SHARED").map_or(beside, PathBuf::from)
}

/// The arrays of an uncompressed `.npz` archive of 32-bit floats, in order.
fn arrays(path: &Path) -> std::io::Result<Vec<Vec<f32>>> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let bytes = std::fs::read(path)?;
    let starts = (0..bytes.len().saturating_sub(MAGIC.len()))
        .filter(|&start| bytes[start..].starts_with(MAGIC));
    Ok(starts
        .map(|start| {
            let header = usize::from(u16::from_le_bytes([bytes[start + 8], bytes[start + 9]]));
            let text = std::str::from_utf8(&bytes[start + 10..start + 10 + header]).unwrap();
            let shape = text.split(['(', ')']).nth(1).unwrap();
            let count: usize = shape
                .split(',')
                .filter_map(|n| n.trim().parse::<usize>().ok())
                .product();
            let data = &bytes[start + 10 + header..][..4 * count];
            data.as_chunks::<4>()
                .0
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect()
        })
        .collect())
}

/// The relative error of every recorded feature map, or `None` if there is no folder `shared`.
fn errors(shared: &Path) -> Option<Result<Vec<f32>, Box<dyn Error>>> {
    if !shared.exists() {
        println!(
            "SKIPPED: needs {} (pretrained weights are not part of the project)",
            shared.display()
        );
        return None;
    }
    Some(errors_of(&shared.join("weights")))
}

fn errors_of(folder: &Path) -> Result<Vec<f32>, Box<dyn Error>> {
    let device = ckaad_device::cpu();
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[1, 2, 3])?
        .load(&folder.join("resnet18.safetensors"), &device)?;
    let vector = arrays(&folder.join("resnet18_test_vector.npz"))?;
    let [image, expected @ ..] = vector.as_slice() else {
        return Err("the test vector holds nothing".into());
    };
    let image = Tensor::from_data(TensorData::new(image.clone(), [1, 3, 224, 224]), &device);
    let features = backbone.forward(image);
    assert_eq!(features.len(), expected.len());
    let error = |(feature, expected): (Tensor<4>, &Vec<f32>)| {
        let found: Vec<f32> = feature.into_data().iter::<f32>().collect();
        assert_eq!(found.len(), expected.len());
        let pairs = found.iter().zip(expected);
        let difference: f32 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
        let norm: f32 = expected.iter().map(|b| b.powi(2)).sum();
        (difference / norm).sqrt()
    };
    Ok(features.into_iter().zip(expected).map(error).collect())
}

#[test]
fn resnet18_reproduces_the_recorded_features() {
    if let Some(errors) = errors(&shared()) {
        let errors = errors.unwrap();
        assert!(errors.iter().all(|&error| error < 1e-4), "{errors:?}");
    }
}

#[test]
fn broken_or_absent_weights_are_no_reason_to_skip() {
    let shared = tempfile::tempdir().unwrap();
    assert!(errors(&shared.path().join("absent")).is_none());
    assert!(errors(shared.path()).unwrap().is_err());
    let weights = shared.path().join("weights");
    std::fs::create_dir(&weights).unwrap();
    std::fs::write(weights.join("resnet18.safetensors"), "broken").unwrap();
    let error = errors(shared.path()).unwrap().unwrap_err();
    assert!(
        error.to_string().contains("resnet18.safetensors"),
        "{error}"
    );
}

#[test]
fn every_variant_builds() {
    for variant in ResNetVariant::ALL {
        let config = BackboneConfig::new(variant, &[1, 3]).unwrap();
        let device = ckaad_device::cpu();
        let features = config
            .random(1, &device)
            .forward(Tensor::zeros([1, 3, 32, 32], &device));
        assert_eq!(
            features[0].dims(),
            [1, variant.channels(1), 8, 8],
            "{variant}"
        );
        assert_eq!(
            features[1].dims(),
            [1, variant.channels(3), 2, 2],
            "{variant}"
        );
    }
}
