//! Changes to a texture, so that a few textures become many.

use crate::random::Stream;

/// How many changes a texture goes through, of how many.
const CHANGES: usize = 3;
const KINDS: usize = 10;

/// Changes RGB `pixels` of a square in three ways of ten, drawn without repetition.
pub(super) fn change(pixels: &mut [u8], side: usize, stream: &mut Stream) {
    let mut kinds: Vec<usize> = (0..KINDS).collect();
    stream.shuffle(&mut kinds);
    for kind in &kinds[..CHANGES] {
        match kind {
            0 => gamma(pixels, stream),
            1 => brightness(pixels, stream),
            2 => sharpness(pixels, side, stream),
            3 => hue_and_saturation(pixels, stream),
            4 => solarise(pixels, stream),
            5 => posterise(pixels, stream),
            6 => each(pixels, |value| 255 - value),
            7 => autocontrast(pixels),
            8 => equalise(pixels),
            _ => turn(pixels, side, stream),
        }
    }
}

fn each(pixels: &mut [u8], change: impl Fn(u8) -> u8) {
    let table: [u8; 256] = std::array::from_fn(|value| change(value as u8));
    for value in pixels {
        *value = table[usize::from(*value)];
    }
}

fn rounded(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// `255 (v / 255)^g`, g in [0.5, 2).
fn gamma(pixels: &mut [u8], stream: &mut Stream) {
    let gamma = stream.range(0.5, 2.0);
    each(pixels, |value| {
        rounded(255.0 * (f64::from(value) / 255.0).powf(gamma))
    });
}

/// Times [0.8, 1.2), plus [-30, 30).
fn brightness(pixels: &mut [u8], stream: &mut Stream) {
    let (times, plus) = (stream.range(0.8, 1.2), stream.range(-30.0, 30.0));
    each(pixels, |value| rounded(f64::from(value) * times + plus));
}

/// Away from, or towards, the mean of the 3 x 3 neighbours; the border stays.
fn sharpness(pixels: &mut [u8], side: usize, stream: &mut Stream) {
    let factor = stream.range(0.1, 1.9);
    let old = pixels.to_owned();
    for y in 1..side.saturating_sub(1) {
        for x in 1..side - 1 {
            for channel in 0..3 {
                let value = |y: usize, x: usize| f64::from(old[(y * side + x) * 3 + channel]);
                let near = (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| (y, x)));
                let smooth = near.map(|(y, x)| value(y, x)).sum::<f64>() / 9.0;
                pixels[(y * side + x) * 3 + channel] =
                    rounded(smooth + factor * (value(y, x) - smooth));
            }
        }
    }
}

/// Turns colours about grey and brings them towards it or away from it.
fn hue_and_saturation(pixels: &mut [u8], stream: &mut Stream) {
    let (sin, cos) = stream.range(-70.0, 70.0_f64).to_radians().sin_cos();
    let saturation = 1.0 + stream.range(-50.0, 50.0) / 128.0;
    // A rotation about the axis (1, 1, 1) / sqrt(3).
    let (third, side) = ((1.0 - cos) / 3.0, sin / 3.0_f64.sqrt());
    let row = [cos + third, third - side, third + side];
    for pixel in pixels.chunks_exact_mut(3) {
        let old = [0, 1, 2].map(|channel| f64::from(pixel[channel]));
        let grey = old.iter().sum::<f64>() / 3.0;
        for (channel, value) in pixel.iter_mut().enumerate() {
            let turned: f64 = (0..3).map(|at| row[(at + 3 - channel) % 3] * old[at]).sum();
            *value = rounded(grey + saturation * (turned - grey));
        }
    }
}

/// With probability 1/2: inverts what is brighter than a threshold in [32, 128].
fn solarise(pixels: &mut [u8], stream: &mut Stream) {
    let threshold = 32 + stream.below(97) as u8;
    if stream.unit() < 0.5 {
        each(pixels, |value| match value >= threshold {
            true => 255 - value,
            false => value,
        });
    }
}

/// Keeps 1 to 7 bits.
fn posterise(pixels: &mut [u8], stream: &mut Stream) {
    let mask = 0xFF_u8 << (8 - (1 + stream.below(7)));
    each(pixels, |value| value & mask);
}

/// Stretches every channel to the whole range.
fn autocontrast(pixels: &mut [u8]) {
    for channel in 0..3 {
        let values = || pixels.iter().skip(channel).step_by(3).copied();
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(255));
        if low < high {
            let scale = 255.0 / f64::from(high - low);
            for value in pixels.iter_mut().skip(channel).step_by(3) {
                *value = rounded(f64::from(*value - low) * scale);
            }
        }
    }
}

/// Gives every channel a flat histogram.
fn equalise(pixels: &mut [u8]) {
    for channel in 0..3 {
        let mut counts = [0_usize; 256];
        for &value in pixels.iter().skip(channel).step_by(3) {
            counts[usize::from(value)] += 1;
        }
        let total = pixels.len() / 3;
        let mut below = 0;
        let table = counts.map(|count| {
            let twice_the_middle = 2 * below + count;
            below += count;
            (255 * twice_the_middle / (2 * total).max(1)) as u8
        });
        for value in pixels.iter_mut().skip(channel).step_by(3) {
            *value = table[usize::from(*value)];
        }
    }
}

/// Turns by [-45, 45) degrees about the centre; black from outside.
fn turn(pixels: &mut [u8], side: usize, stream: &mut Stream) {
    let (sin, cos) = stream.range(-45.0, 45.0_f64).to_radians().sin_cos();
    let (old, centre) = (pixels.to_owned(), side as f64 / 2.0);
    for (at, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        let [y, x] = [at / side, at % side].map(|at| at as f64 + 0.5 - centre);
        let [row, column] = [cos * y + sin * x, cos * x - sin * y].map(|at| (at + centre).floor());
        let inside = [row, column]
            .iter()
            .all(|at| (0.0..side as f64).contains(at));
        match inside {
            true => {
                let from = (row as usize * side + column as usize) * 3;
                pixel.copy_from_slice(&old[from..from + 3]);
            }
            false => pixel.fill(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_changes() {
        let mut pixels = vec![10, 20, 30, 110, 20, 60];
        autocontrast(&mut pixels);
        assert_eq!(pixels, [0, 20, 0, 255, 20, 255]);
        each(&mut pixels, |value| 255 - value);
        assert_eq!(pixels, [255, 235, 255, 0, 235, 0]);
        let mut grey = vec![77; 12];
        hue_and_saturation(&mut grey, &mut Stream::at("test", &[1]));
        assert_eq!(grey, [77; 12]);
        equalise(&mut pixels);
        assert_eq!(pixels, [191, 127, 191, 63, 127, 63]);
    }

    #[test]
    fn changes_follow_from_their_address() {
        let changed = |index: u64| {
            let mut pixels: Vec<u8> = (0..16 * 16 * 3).map(|at| (at * 7 % 256) as u8).collect();
            change(&mut pixels, 16, &mut Stream::at("test", &[index]));
            pixels
        };
        assert_eq!(changed(3), changed(3));
        assert_ne!(changed(3), changed(4));
    }
}
