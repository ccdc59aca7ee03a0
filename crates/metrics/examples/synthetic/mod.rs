//! Synthetic scores, maps and masks, made by formulas: the same on every machine.

use rayon::prelude::*;

/// Uniform numbers in [0, 1) of 24 bits, by their index: SplitMix64.
fn uniform(index: u64) -> f32 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
}

/// Scores of which 30 % are anomalous and higher by 0.5. Their noise, the sum of three uniform numbers, is
/// nearly normal, as scores of a detector are.
pub(crate) fn labelled(count: usize) -> (Vec<f32>, Vec<bool>) {
    let sample = |i: u64| {
        let label = uniform((1 << 61) + i) < 0.3;
        let noise: f32 = (0..3).map(|k| uniform((3 << 60) + 3 * i + k)).sum();
        (noise + if label { 0.5 } else { 0.0 }, label)
    };
    (0..count as u64).map(sample).unzip()
}

/// Square maps with their masks: three of seven images are anomalous, with one to three discs on a smooth
/// texture with noise. Each image has a level of its own, as the maps of real detectors do.
pub(crate) fn images(count: usize, side: usize) -> Vec<(Vec<f32>, Vec<bool>)> {
    let image = |index| {
        let mask = mask(index, side);
        (map(index, side, &mask), mask)
    };
    (0..count).into_par_iter().map(image).collect()
}

fn mask(image: usize, side: usize) -> Vec<bool> {
    let mut mask = vec![false; side * side];
    let discs = [0, 0, 0, 0, 1, 2, 3][image % 7];
    for disc in 0..discs {
        let draw = |k: u64| uniform((1 << 60) + (image * 12 + disc * 3) as u64 + k);
        let (cx, cy) = (draw(0) * side as f32, draw(1) * side as f32);
        let radius = 2.0 + draw(2) * side as f32 / 6.0;
        for (pixel, marked) in mask.iter_mut().enumerate() {
            let (dx, dy) = ((pixel % side) as f32 - cx, (pixel / side) as f32 - cy);
            *marked |= dx * dx + dy * dy <= radius * radius;
        }
    }
    mask
}

fn map(image: usize, side: usize, mask: &[bool]) -> Vec<f32> {
    let phase = image as f32;
    let level = 0.4 + 0.2 * uniform((1 << 59) + image as u64);
    let pixel = |(pixel, &marked): (usize, &bool)| {
        let (x, y) = ((pixel % side) as f32, (pixel / side) as f32);
        let texture = 0.15 * (0.21 * x + phase).sin() + 0.1 * (0.17 * y - phase).cos();
        let noise = uniform((image * side * side + pixel) as u64);
        level + texture + 0.2 * noise + if marked { 0.2 } else { 0.0 }
    };
    mask.iter().enumerate().map(pixel).collect()
}
