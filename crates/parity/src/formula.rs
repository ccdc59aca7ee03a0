//! Weights and images as formulas of their names and a seed.

use std::hash::Hasher;

use ckaad_parameters::NamedTensor;
use fnv::FnvHasher;

/// The SplitMix64 output for a state.
pub fn splitmix64(state: u64) -> u64 {
    let z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `count` values in `[-1, 1)`, exact in `f32`: element `i` is `2 (splitmix64(s + i) >> 40) / 2^24 - 1` with
/// `s = fnv1a64(name) xor seed`.
pub fn uniform(name: &str, count: usize, seed: u64) -> Vec<f32> {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    let state = hasher.finish() ^ seed;
    (0..count as u64)
        .map(|index| {
            let bits = splitmix64(state.wrapping_add(index)) >> 40;
            (bits as f64 / f64::from(1_u32 << 24) * 2.0 - 1.0) as f32
        })
        .collect()
}

/// The parameter of that full name: weights scaled by their fan-in, norms around the identity.
pub fn parameter(name: &str, shape: &[usize], seed: u64) -> NamedTensor {
    let count: usize = shape.iter().product();
    let scale_and_offset: (f64, f64) = if name.ends_with("running_var") {
        (0.5, 1.0)
    } else if name.ends_with("running_mean") || name.ends_with("bias") {
        (0.1, 0.0)
    } else if shape.len() == 1 {
        (0.25, 1.0)
    } else {
        ((6.0 / (count as f64 / shape[0] as f64)).sqrt(), 0.0)
    };
    let (scale, offset) = (scale_and_offset.0 as f32, scale_and_offset.1 as f32);
    NamedTensor {
        shape: shape.to_vec(),
        values: uniform(name, count, seed)
            .into_iter()
            .map(|u| offset + scale * u)
            .collect(),
    }
}
