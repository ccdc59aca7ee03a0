//! Resized bytes, normalised tensors and elastic transforms against Pillow's and torchvision's, on pictures given by formulas.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use ckaad_data::{ElasticTransform, Image, Picture, normalise, warp};
use fnv::FnvHasher;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::hash::Hasher;

const SEED: u64 = 21;

fn golden() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/preprocess.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn splitmix64(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The oracle's noise in [-1, 1).
fn uniform(name: &str, n: usize) -> Vec<f32> {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    let seed = hasher.finish() ^ SEED;
    (0..n as u64)
        .map(|i| {
            ((splitmix64(seed.wrapping_add(i)) >> 40) as f64 / f64::from(1u32 << 24) * 2.0 - 1.0)
                as f32
        })
        .collect()
}

/// clip(round(127.5 + 60 sin(0.09 x + c) + 50 cos(0.07 y - 0.5 c) + 16 u), 0, 255).
fn picture(name: &str, height: usize, width: usize) -> Picture {
    let noise = uniform(&format!("image.{name}"), height * width * 3);
    let value = |at: usize| {
        let (y, x, c) = (
            (at / 3 / width) as f64,
            (at / 3 % width) as f64,
            (at % 3) as f64,
        );
        let wave = 127.5
            + 60.0 * (0.09 * x + c).sin()
            + 50.0 * (0.07 * y - 0.5 * c).cos()
            + 16.0 * f64::from(noise[at]);
        wave.round_ties_even().clamp(0.0, 255.0) as u8
    };
    Picture {
        width,
        height,
        pixels: (0..height * width * 3).map(value).collect(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

/// The largest error of the recorded probes, and the relative errors of the recorded moments, which cover every value.
fn compare(record: &Value, values: &[f32]) -> (f64, f64) {
    let probes = record["probes"].as_array().unwrap();
    let worst = probes
        .iter()
        .map(|p| {
            (f64::from(values[p[0].as_u64().unwrap() as usize]) - p[1].as_f64().unwrap()).abs()
        })
        .fold(0.0, f64::max);
    let l2 = values
        .iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        .sqrt();
    (
        worst,
        (l2 - number(record, "l2")).abs() / number(record, "l2"),
    )
}

#[test]
fn pictures_resize_and_normalise_as_in_pillow_and_torch() {
    let golden = golden();
    let cases = golden["resize"].as_object().unwrap();
    assert_eq!(cases.len(), 5);
    for (name, expected) in cases {
        let shape: Vec<usize> = golden["source"][name]["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap() as usize)
            .collect();
        let source = picture(name, shape[0], shape[1]);
        assert_eq!(
            sha256(&source.pixels),
            golden["source"][name]["sha256"].as_str().unwrap(),
            "source {name}"
        );
        let image = source.to_square(expected["to"].as_u64().unwrap() as usize);
        assert_eq!(
            sha256(&image.pixels),
            expected["sha256"].as_str().unwrap(),
            "resized {name}"
        );
        let mut planes = vec![0.0; image.pixels.len()];
        normalise(&image, &mut planes);
        let (worst, l2) = compare(&golden["normalise"][name], &planes);
        assert!(
            worst < 1e-6 && l2 < 1e-6,
            "normalised {name}: probes {worst:e}, l2 {l2:e}"
        );
    }
}

#[test]
fn elastic_transforms_match_torchvision() {
    let golden = golden();
    let cases = golden["elastic"].as_object().unwrap();
    assert_eq!(cases.len(), 2);
    for (name, case) in cases {
        let size = case["side"].as_u64().unwrap() as usize;
        let transform = ElasticTransform {
            alpha: number(case, "alpha"),
            sigma: number(case, "sigma"),
        };
        let [dx, dy] = ["dx", "dy"].map(|axis| {
            let mut field = uniform(&format!("elastic.{axis}.{name}"), size * size);
            transform.displacement(&mut field, size);
            field
        });
        let both: Vec<f32> = dx.iter().zip(&dy).flat_map(|(&x, &y)| [x, y]).collect();
        let record = &case["displacement"];
        let (worst, l2) = compare(record, &both);
        // Relative to the size of the field: its root mean square.
        let scale = number(record, "l2") / (both.len() as f64).sqrt();
        assert!(
            worst / scale < 1e-5 && l2 < 1e-5,
            "displacement {name}: {:e}, l2 {l2:e}",
            worst / scale
        );

        let image = Image {
            size,
            pixels: picture(&format!("elastic.{name}"), size, size).pixels,
        };
        let mut warped = vec![0; image.pixels.len()];
        warp(&image.pixels, size, &dx, &dy, &mut warped);
        let planes: Vec<u8> = (0..3)
            .flat_map(|c| warped.iter().skip(c).step_by(3).copied())
            .collect();
        let warped = &case["warped"];
        let exact = sha256(&planes) == warped["sha256"].as_str().unwrap();
        let probes = warped["probes"].as_array().unwrap();
        let off = |p: &&Value| {
            i64::from(planes[p[0].as_u64().unwrap() as usize]) != p[1].as_i64().unwrap()
        };
        let mean = planes.iter().map(|&v| f64::from(v)).sum::<f64>() / planes.len() as f64;
        println!("{name}: all bytes equal: {exact}");
        assert!(
            exact
                || (probes.iter().filter(off).count() == 0
                    && (mean - number(warped, "mean")).abs() < 1e-3),
            "warped {name}"
        );
    }
}
