//! Real pretrained weights against a recorded test vector. Needs the folder `shared` beside the workspace (or
//! `$CKAAD_SHARED`), and is skipped without it.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use ckaad_backbone::{BackboneConfig, ResNetVariant};

fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("CKAAD_SHARED").map_or(beside, PathBuf::from)
}

/// The arrays of an uncompressed `.npz` archive of 32-bit floats, in order.
fn arrays(path: &Path) -> Vec<Vec<f32>> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    let bytes = std::fs::read(path).unwrap();
    let starts = (0..bytes.len() - MAGIC.len()).filter(|&start| bytes[start..].starts_with(MAGIC));
    starts
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
        .collect()
}

#[test]
fn resnet18_reproduces_the_recorded_features() {
    let folder = shared().join("weights");
    let weights = folder.join("resnet18.safetensors");
    if !weights.is_file() {
        println!(
            "SKIPPED: needs {} (pretrained weights are not part of the project)",
            weights.display()
        );
        return;
    }
    let device = ckaad_device::cpu();
    let vector = arrays(&folder.join("resnet18_test_vector.npz"));
    let backbone = BackboneConfig::new(ResNetVariant::ResNet18, &[1, 2, 3])
        .unwrap()
        .load(&weights, &device)
        .unwrap();
    let image = Tensor::from_data(
        TensorData::new(vector[0].clone(), [1, 3, 224, 224]),
        &device,
    );
    let features = backbone.forward(image);
    assert_eq!(features.len() + 1, vector.len());
    for (feature, expected) in features.into_iter().zip(&vector[1..]) {
        let found: Vec<f32> = feature.into_data().iter::<f32>().collect();
        assert_eq!(found.len(), expected.len());
        let difference: f32 = found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).powi(2))
            .sum();
        let norm: f32 = expected.iter().map(|b| b.powi(2)).sum();
        assert!(
            (difference / norm).sqrt() < 1e-4,
            "{}",
            (difference / norm).sqrt()
        );
    }
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
