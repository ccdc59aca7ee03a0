//! Textures made by formulas: what takes the place of photographs where there are none.

use std::f64::consts::{PI, TAU};

use super::noise::PerlinNoise;
use crate::random::Stream;

/// Draws a `side` x `side` RGB texture: clouds, stripes, a chequered pattern, cells, or grain, between two random colours.
pub(super) fn draw(side: usize, stream: &mut Stream) -> Vec<u8> {
    let colours = [(); 2].map(|()| [(); 3].map(|()| stream.range(0.0, 255.0)));
    let share = match stream.below(5) {
        0 => clouds(side, stream),
        1 => stripes(side, stream),
        2 => chequers(side, stream),
        3 => cells(side, stream),
        _ => grain(side, stream),
    };
    let mut pixels = Vec::with_capacity(side * side * 3);
    for share in share {
        let share = share.clamp(0.0, 1.0);
        pixels.extend([0, 1, 2].map(|channel| {
            let [from, to] = [colours[0][channel], colours[1][channel]];
            (from + share * (to - from)).round() as u8
        }));
    }
    pixels
}

/// The places of all pixels, turned by a random angle, in shares of the side.
fn turned(side: usize, stream: &mut Stream) -> impl Iterator<Item = [f64; 2]> + use<> {
    let (sin, cos) = stream.range(0.0, PI).sin_cos();
    (0..side * side).map(move |at| {
        let [y, x] = [at / side, at % side].map(|at| at as f64 / side as f64);
        [cos * y + sin * x, cos * x - sin * y]
    })
}

/// Noise of three scales, each twice as fine and half as strong as the one before.
fn clouds(side: usize, stream: &mut Stream) -> Vec<f64> {
    let first = 1 << (1 + stream.below(4));
    let mut sum = vec![0.5; side * side];
    for octave in 0..3 {
        let cells = [first << octave; 2];
        let plane = PerlinNoise::draw(cells, stream).plane([side; 2], 0.0);
        for (sum, value) in sum.iter_mut().zip(plane) {
            *sum += 0.6 * value / f64::from(1 << octave);
        }
    }
    sum
}

/// Waves along one direction.
fn stripes(side: usize, stream: &mut Stream) -> Vec<f64> {
    let (count, phase) = (stream.range(3.0, 24.0), stream.range(0.0, TAU));
    let sharpness = stream.range(0.5, 4.0);
    let wave = |[y, _]: [f64; 2]| 0.5 + 0.5 * sharpness * (TAU * count * y + phase).sin();
    turned(side, stream).map(wave).collect()
}

/// Two kinds of squares in turn.
fn chequers(side: usize, stream: &mut Stream) -> Vec<f64> {
    let count = stream.range(3.0, 20.0);
    let square = |[y, x]: [f64; 2]| ((y * count).floor() + (x * count).floor()).rem_euclid(2.0);
    turned(side, stream).map(square).collect()
}

/// How far the nearest of a few points is.
fn cells(side: usize, stream: &mut Stream) -> Vec<f64> {
    let count = 8 + stream.below(40);
    let points: Vec<[f64; 2]> = (0..count).map(|_| [stream.unit(), stream.unit()]).collect();
    let reach = 1.5 / (count as f64).sqrt();
    let nearest = |at: usize| {
        let place = [at / side, at % side].map(|at| at as f64 / side as f64);
        let squares = points
            .iter()
            .map(|[y, x]| (y - place[0]).powi(2) + (x - place[1]).powi(2));
        squares.fold(f64::INFINITY, f64::min).sqrt() / reach
    };
    (0..side * side).map(nearest).collect()
}

/// Squares of a few pixels of random brightness.
fn grain(side: usize, stream: &mut Stream) -> Vec<f64> {
    let size = 1 + stream.below((side as u64 / 32).max(1)) as usize;
    let columns = side.div_ceil(size);
    let values: Vec<f64> = (0..columns * columns).map(|_| stream.unit()).collect();
    let value = |at: usize| values[at / side / size * columns + at % side / size];
    (0..side * side).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textures_follow_from_their_address_and_differ() {
        let texture = |index: u64| draw(32, &mut Stream::at("test", &[index]));
        assert_eq!(texture(1), texture(1));
        for index in 0..20 {
            let pixels = texture(index);
            assert_eq!(pixels.len(), 32 * 32 * 3);
            assert_ne!(pixels, texture(index + 1));
            assert!(
                pixels.chunks(3).any(|pixel| pixel != &pixels[..3]),
                "{index}"
            );
        }
    }
}
