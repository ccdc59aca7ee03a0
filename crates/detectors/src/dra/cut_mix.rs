use std::ops::Range;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The share of the image that is copied.
const AREA: Range<f64> = 0.02..0.15;
/// Width over height of what is copied, or height over width.
const ASPECT: Range<f64> = 0.3..1.0;
/// How far brightness, contrast and saturation of what is copied change.
const JITTER: Range<f64> = 0.9..1.1;
/// ImageNet's mean and deviation: images are normalised by them, colours change before.
const NORMALISED: [(f32, f32); 3] = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)];
/// How much red, green and blue add to grey (ITU-R BT.601).
const GREY: [f32; 3] = [0.299, 0.587, 0.114];

/// Copies a random part of an image, in slightly other colours, over another part of it. The authors also turn hues, and both kinds of images as a
/// whole, which kept features do not allow.
///
/// # Shapes
/// `image`: `[3, side, side]`, normalised.
pub(super) fn cut_mix(image: &mut [f32], side: usize, random: &mut ChaCha8Rng) {
    let area = random.random_range(AREA) * (side * side) as f64;
    let aspect = random.random_range(ASPECT);
    let sides = [area * aspect, area / aspect].map(|square| {
        let length = square.sqrt().round() as usize;
        length.clamp(1, side)
    });
    let upright = random.random_bool(0.5);
    let [width, height] = if upright { sides } else { [sides[1], sides[0]] };
    let mut corner = || {
        let row = random.random_range(0..=side - height);
        (row, random.random_range(0..=side - width))
    };
    let (from, to) = (corner(), corner());
    let at = |(row, column): (usize, usize), index: usize| {
        (row + index / width) * side + column + index % width
    };
    let plane = side * side;
    let mut part: Vec<[f32; 3]> = (0..height * width)
        .map(|index| {
            [0, 1, 2].map(|channel| {
                let (mean, deviation) = NORMALISED[channel];
                image[channel * plane + at(from, index)] * deviation + mean
            })
        })
        .collect();
    recolour(
        &mut part,
        [(); 3].map(|()| random.random_range(JITTER) as f32),
    );
    for (index, pixel) in part.into_iter().enumerate() {
        for (channel, value) in pixel.into_iter().enumerate() {
            let (mean, deviation) = NORMALISED[channel];
            image[channel * plane + at(to, index)] = (value - mean) / deviation;
        }
    }
}

/// Multiplies brightness, contrast and saturation of pixels in `[0, 1]`.
fn recolour(pixels: &mut [[f32; 3]], [brightness, contrast, saturation]: [f32; 3]) {
    let grey =
        |pixel: &[f32; 3]| -> f32 { pixel.iter().zip(GREY).map(|(x, share)| x * share).sum() };
    let apply = |pixel: &mut [f32; 3], centre: f32, factor: f32| {
        for x in pixel {
            *x = (centre + factor * (*x - centre)).clamp(0.0, 1.0);
        }
    };
    for pixel in &mut *pixels {
        apply(pixel, 0.0, brightness);
    }
    let mean = pixels.iter().map(grey).sum::<f32>() / pixels.len() as f32;
    for pixel in pixels {
        apply(pixel, mean, contrast);
        let own = grey(pixel);
        apply(pixel, own, saturation);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_part_is_copied_over_another() {
        let side = 20;
        // Every pixel is different, and none near black or white.
        let before: Vec<f32> = (0..3 * side * side).map(|i| i as f32 / 3000.0).collect();
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut after = before.clone();
            cut_mix(&mut after, side, &mut random);
            let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count() / 3;
            // At most the largest area, rounded up, and not nothing.
            assert!((1..=80).contains(&changed), "{changed}");
            let [low, high] = [before[0], before[before.len() - 1]];
            let inside = after.iter().all(|x| (low - 0.5..high + 0.5).contains(x));
            assert!(inside, "{seed}");
        }
    }

    #[test]
    fn colours_change_by_little() {
        let mut pixels = [[0.5, 0.25, 0.75], [0.1, 0.9, 0.2]];
        recolour(&mut pixels, [1.0; 3]);
        for (pixel, expected) in pixels.iter().zip([[0.5, 0.25, 0.75], [0.1, 0.9, 0.2]]) {
            for (x, expected) in pixel.iter().zip(expected) {
                assert!((x - expected).abs() < 1e-6, "{pixels:?}");
            }
        }
        let mut grey = [[0.4; 3], [0.6; 3]];
        // Twice as bright, half the contrast about the mean of 0.9 (0.8 and 1); grey stays grey.
        recolour(&mut grey, [2.0, 0.5, 3.0]);
        for (pixel, expected) in grey.iter().zip([0.85, 0.95]) {
            for x in pixel {
                assert!((x - expected).abs() < 1e-6, "{grey:?}");
            }
        }
    }
}
