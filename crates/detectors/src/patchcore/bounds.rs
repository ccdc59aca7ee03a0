//! Lower bounds of many distances at a time, by products of matrices.

use ckaad_conv::{Activation, BLOCK, Blocked, Conv2d, Isa, PackedConv2d, serially};

/// Points that others are compared with.
///
/// `|p - m|^2 / 2 = |p|^2 / 2 - (p m - |m|^2 / 2)`, so that half the square of a distance is at least the [`reach`](Self::reach) of `p` less its
/// [`nearness`](Self::nearness) to `m`, both of which leave room for how wrong the product may be. That is in proportion to the squares: bounds
/// are the closer the nearer points lie to the origin.
#[derive(Clone)]
pub(super) struct Bounds {
    /// A convolution of one pixel, each point one of its output channels.
    points: PackedConv2d,
    certain: f32,
}

impl Bounds {
    /// Products of bf16 where the processor has them: what they are wrong by costs fewer distances than they save time.
    ///
    /// # Shapes
    /// `points`: `[points, dimensions]`, row-major, at least one.
    pub(super) fn new(points: &[f32], dimensions: usize) -> Self {
        Self::in_bf16(Isa::best() >= Isa::Avx512Bf16, points, dimensions)
    }

    fn in_bf16(bf16: bool, points: &[f32], dimensions: usize) -> Self {
        let count = points.len() / dimensions;
        let conv = Conv2d::new(dimensions, count.next_multiple_of(BLOCK), 1, 1, 0);
        let conv = if bf16 { conv.in_bf16() } else { conv };
        // Both factors and the sum are rounded to eight binary digits, sums on the way as floats are.
        let rounded = if bf16 { 3.1 / 256.0 } else { 0.0 };
        let certain = 1.0 - rounded - (dimensions + 64) as f32 * f32::EPSILON;
        let mut weights = points.to_vec();
        weights.resize(conv.c_out * dimensions, 0.0);
        let rows = points.chunks_exact(dimensions);
        let mut bias: Vec<f32> = rows.map(|row| -certain * square(row) / 2.0).collect();
        bias.resize(conv.c_out, f32::NEG_INFINITY);
        Self {
            points: conv.pack(&weights, Some(&bias)),
            certain,
        }
    }

    /// What follows from the square of a point's length.
    pub(super) fn reach(&self, square: f32) -> f32 {
        self.certain * square / 2.0
    }

    /// How near others are: blocks of 16 of the points, in each of them 16 numbers for every other. There are minus infinities where no point
    /// is left. On this thread.
    ///
    /// # Shapes
    /// `others`: `[others, dimensions]`, row-major, at least one.
    pub(super) fn nearness(&self, others: &[f32]) -> Blocked {
        serially(|| {
            let others = Blocked::from_pixels(others, self.points.conv().c_in);
            self.points.forward(&others, None, Activation::Identity)
        })
    }
}

/// For every other, which point it is the nearest to as far as bounds tell.
pub(super) fn most_promising(nearness: &Blocked) -> impl Iterator<Item = usize> {
    let mut best = vec![(f32::NEG_INFINITY, 0); nearness.width()];
    for (block, values) in nearness.channel_blocks().enumerate() {
        for (best, values) in best.iter_mut().zip(values) {
            if any_above(values, best.0) {
                for (value, point) in values.iter().zip(block * BLOCK..) {
                    if *value > best.0 {
                        *best = (*value, point);
                    }
                }
            }
        }
    }
    best.into_iter().map(|(_, point)| point)
}

/// No point is nearer than the root of `square` whose nearness is not above this. Nothing is ruled out where it would be no finite number.
pub(super) fn limit(reach: f32, square: f32) -> f32 {
    let limit = reach - square / 2.0;
    if limit.is_finite() {
        limit
    } else {
        f32::NEG_INFINITY
    }
}

/// Whether any of the values is above a limit, all looked at, so that the compiler may use vectors.
pub(super) fn any_above(values: &[f32; BLOCK], limit: f32) -> bool {
    values
        .iter()
        .fold(false, |any, value| any | (*value > limit))
}

/// The square of a point's length.
pub(super) fn square(point: &[f32]) -> f32 {
    point.iter().map(|x| x * x).sum()
}

/// The mean of so many of the points at most.
///
/// # Shapes
/// `points`: `[points, dimensions]`, row-major, at least one.
pub(super) fn centre(points: &[f32], dimensions: usize, sample: usize) -> Vec<f32> {
    let step = (points.len() / dimensions).div_ceil(sample);
    let mut sum = vec![0.0; dimensions];
    let rows = points.chunks_exact(dimensions).step_by(step);
    let count = rows.len() as f32;
    for row in rows {
        for (sum, x) in sum.iter_mut().zip(row) {
            *sum += x;
        }
    }
    sum.iter().map(|sum| sum / count).collect()
}

/// Subtracts the same from every point.
pub(super) fn subtract(points: &mut [f32], centre: &[f32]) {
    for point in points.chunks_exact_mut(centre.len()) {
        for (x, centre) in point.iter_mut().zip(centre) {
            *x -= centre;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::distance::squared_distance;
    use super::*;

    #[test]
    fn no_distance_is_below_its_bound() {
        let dimensions = 40;
        for (bf16, close) in [(false, 1e-4), (true, 0.1)] {
            let mut random = ChaCha8Rng::seed_from_u64(5);
            let mut points = |count: usize, scale: f32| -> Vec<f32> {
                let numbers = (0..count * dimensions).map(|_| random.random_range(-scale..scale));
                numbers.collect()
            };
            for scale in [1e-3, 1.0, 1e4] {
                let (points, others) = (points(37, scale), points(50, scale));
                let bounds = Bounds::in_bf16(bf16, &points, dimensions);
                let nearness = bounds.nearness(&others);
                for (block, values) in nearness.channel_blocks().enumerate() {
                    for (other, values) in others.chunks_exact(dimensions).zip(values) {
                        let points = points.chunks_exact(dimensions).skip(block * BLOCK);
                        let reach = bounds.reach(square(other));
                        for (point, value) in points.zip(values) {
                            let half = squared_distance(point, other, f32::INFINITY) / 2.0;
                            let bound = reach - value;
                            assert!(bound <= half, "{bound} of {half}");
                            assert!(bound > (1.0 - close) * half, "{bound} of {half}");
                        }
                    }
                }
                let last = nearness.channel_blocks().last();
                let left = last.map(|values| values[0][37 % BLOCK..].to_vec());
                assert_eq!(left, Some(vec![f32::NEG_INFINITY; BLOCK - 37 % BLOCK]));
            }
        }
    }
}
