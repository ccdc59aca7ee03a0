//! What lies between convolutions.

use super::reference::{relative_error, values};
use crate::{Activation, BLOCK, Blocked};

fn nchw(map: &Blocked) -> Vec<f32> {
    let mut values = vec![f32::NAN; map.shape().iter().product()];
    map.to_nchw(&mut values);
    values
}

#[test]
fn the_layout_and_back_is_the_identity() {
    for [batch, channels, height, width] in
        [[1, 16, 4, 4], [2, 33, 5, 3], [3, 7, 1, 1], [1, 64, 9, 16]]
    {
        let input = values(batch * channels * height * width, 1);
        assert_eq!(
            nchw(&Blocked::from_nchw(&input, batch, channels, height, width)),
            input
        );
    }
}

#[test]
fn pixels_side_by_side_become_blocks_of_channels() {
    let (pixels, channels) = (5, 19);
    let input = values(pixels * channels, 1);
    let map = Blocked::from_pixels(&input, channels);
    assert_eq!(map.shape(), [1, channels, 1, pixels]);
    for (block, values) in map.channel_blocks().enumerate() {
        assert_eq!(values.len(), pixels);
        for (pixel, values) in values.iter().enumerate() {
            for (lane, value) in values.iter().enumerate() {
                let channel = block * BLOCK + lane;
                let expected = input.get(pixel * channels + channel);
                let expected = expected.filter(|_| channel < channels);
                assert_eq!(*value, expected.copied().unwrap_or_default());
            }
        }
    }
    assert_eq!(map.channel_blocks().count(), 2);
}

#[test]
fn instance_norm_agrees_with_f64() {
    let [batch, channels, height, width] = [2, 20, 9, 15];
    let pixels = height * width;
    let input: Vec<f32> = values(batch * channels * pixels, 2)
        .into_iter()
        .map(|x| 3.0 * x + 2.0)
        .collect();
    let (scale, shift) = (values(channels, 3), values(channels, 4));
    let residual = values(input.len(), 5);
    let mut exact = Vec::new();
    for (i, plane) in input.chunks(pixels).enumerate() {
        let mean: f64 = plane.iter().map(|x| f64::from(*x)).sum::<f64>() / pixels as f64;
        let variance: f64 = plane
            .iter()
            .map(|x| (f64::from(*x) - mean).powi(2))
            .sum::<f64>()
            / pixels as f64;
        let c = i % channels;
        exact.extend(plane.iter().enumerate().map(|(p, x)| {
            let y = (f64::from(*x) - mean) / (variance + 1e-5).sqrt() * f64::from(scale[c])
                + f64::from(shift[c]);
            (y + f64::from(residual[i * pixels + p])).max(0.0)
        }));
    }
    let residual = Blocked::from_nchw(&residual, batch, channels, height, width);
    let map = Blocked::from_nchw(&input, batch, channels, height, width);
    let normed = map.instance_norm(&scale, &shift, 1e-5, Some(&residual), Activation::Relu);
    assert!(relative_error(&nchw(&normed), &exact) < 1e-6);
}

#[test]
fn max_pool_takes_the_largest_of_each_window() {
    for [height, width] in [[8, 8], [7, 9], [2, 3]] {
        let input = values(2 * 17 * height * width, 6);
        let pooled = Blocked::from_nchw(&input, 2, 17, height, width).max_pool(3, 2, 1);
        let (out_h, out_w) = (height.div_ceil(2), width.div_ceil(2));
        assert_eq!(pooled.shape(), [2, 17, out_h, out_w]);
        let mut exact = Vec::new();
        for plane in input.chunks(height * width) {
            for y in 0..out_h {
                for x in 0..out_w {
                    let rows = (2 * y).saturating_sub(1)..(2 * y + 2).min(height);
                    let cols = (2 * x).saturating_sub(1)..(2 * x + 2).min(width);
                    let window = rows.flat_map(|r| cols.clone().map(move |c| plane[r * width + c]));
                    exact.push(window.fold(f32::NEG_INFINITY, f32::max));
                }
            }
        }
        assert_eq!(nchw(&pooled), exact);
    }
}

#[test]
fn concatenation_keeps_the_order() {
    let (a, b) = (values(2 * 32 * 6, 7), values(2 * 5 * 6, 8));
    let joined = Blocked::concatenate(&[
        &Blocked::from_nchw(&a, 2, 32, 2, 3),
        &Blocked::from_nchw(&b, 2, 5, 2, 3),
    ]);
    let expected = [&a[..32 * 6], &b[..5 * 6], &a[32 * 6..], &b[5 * 6..]].concat();
    assert_eq!(joined.shape(), [2, 37, 2, 3]);
    assert_eq!(nchw(&joined), expected);
}

#[test]
fn cosine_distances_agree_with_f64() {
    let [batch, channels, height, width] = [2, 21, 3, 5];
    let (a, b) = (
        values(batch * channels * height * width, 1),
        values(batch * channels * height * width, 2),
    );
    let pixels = height * width;
    let mut exact = Vec::new();
    for n in 0..batch {
        for p in 0..pixels {
            let pairs = (0..channels).map(|c| {
                let at = (n * channels + c) * pixels + p;
                (f64::from(a[at]), f64::from(b[at]))
            });
            let (ab, aa, bb) = pairs.fold((0.0, 0.0, 0.0), |(ab, aa, bb), (a, b)| {
                (ab + a * b, aa + a * a, bb + b * b)
            });
            exact.push(1.0 - ab / (aa * bb).sqrt());
        }
    }
    let map = |values: &[f32]| Blocked::from_nchw(values, batch, channels, height, width);
    let found = map(&a).cosine_distance(&map(&b), 1e-16);
    assert!(relative_error(&found, &exact) < 1e-6);
}
