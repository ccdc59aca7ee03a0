//! Synthetic anomalies of features: noise where Perlin noise is high (after SuperSimpleNet, Rolih et al. 2024).

use std::f64::consts::TAU;

use crate::perlin::PerlinNoise;
use crate::random::Stream;

/// Noise above this is anomalous.
const THRESHOLD: f64 = 0.2;
/// The cells of the noise along a side are 2 to a power below this.
const POWERS: u64 = 4;
/// How often noise is drawn that is high nowhere.
const DRAWS: usize = 64;
/// Side of the grid on which it must be high somewhere.
const GRID: usize = 8;

/// Where an image's features become anomalous, at all scales alike.
#[derive(Clone, Debug)]
pub struct FeatureNoise {
    noise: PerlinNoise,
    angle: f64,
    address: [u64; 3],
}

impl FeatureNoise {
    /// Drawn by `[seed, epoch, index]`.
    pub fn draw(address: [u64; 3]) -> Self {
        let mut stream = Stream::at("feature-noise", &address);
        let mut draw = || {
            let cells = [(); 2].map(|()| 1 << stream.below(POWERS));
            Self {
                noise: PerlinNoise::draw(cells, &mut stream),
                angle: stream.range(-90.0, 90.0),
                address,
            }
        };
        let mut drawn = draw();
        for _ in 1..DRAWS {
            if drawn.mask([GRID; 2]).contains(&true) {
                break;
            }
            drawn = draw();
        }
        drawn
    }

    /// Whether each position of a map is anomalous, row-major.
    pub fn mask(&self, size: [usize; 2]) -> Vec<bool> {
        let plane = self.noise.plane(size, self.angle);
        plane.into_iter().map(|value| value > THRESHOLD).collect()
    }

    /// Adds normal noise to the features of an image at scale number `scale` where they become anomalous; its standard deviation is
    /// `deviation` times the root mean square of the image's features at that scale.
    ///
    /// # Shapes
    /// - features: `[channels, height, width]`
    ///
    /// # Panics
    /// If a length does not fit the size.
    pub fn add(&self, features: &mut [f32], size: [usize; 2], scale: usize, deviation: f64) {
        let positions = size[0] * size[1];
        assert!(
            positions > 0 && features.len().is_multiple_of(positions),
            "features do not match the size"
        );
        let squares: f64 = features.iter().map(|x| f64::from(*x).powi(2)).sum();
        let deviation = deviation * (squares / features.len().max(1) as f64).sqrt();
        let mask = self.mask(size);
        let [seed, epoch, index] = self.address;
        let address = [seed, epoch, index, scale as u64];
        let mut stream = Stream::at("feature-noise.values", &address);
        for plane in features.chunks_exact_mut(positions) {
            for (value, _) in plane.iter_mut().zip(&mask).filter(|(_, inside)| **inside) {
                // Box and Muller.
                let radius = (-2.0 * (1.0 - stream.unit()).ln()).sqrt();
                *value += (deviation * radius * (TAU * stream.unit()).cos()) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_change_inside_the_mask_by_noise_of_their_size() {
        let mut squares = (0.0, 0.0);
        for index in 0..20 {
            let noise = FeatureNoise::draw([1, 2, index]);
            let mask = noise.mask([16, 16]);
            let mut features = vec![3.0; 8 * 256];
            noise.add(&mut features, [16, 16], 0, 0.5);
            for plane in features.chunks_exact(256) {
                for (value, inside) in plane.iter().zip(&mask) {
                    assert!(*inside || *value == 3.0);
                    if *inside {
                        squares.0 += f64::from(value - 3.0).powi(2);
                        squares.1 += 1.0;
                    }
                }
            }
        }
        let deviation = (squares.0 / squares.1).sqrt();
        assert!((deviation - 1.5).abs() < 0.03, "{deviation}");
    }

    #[test]
    fn noise_follows_from_its_address_and_scale() {
        let noised = |address, scale| {
            let mut features = vec![1.0; 4 * 64];
            FeatureNoise::draw(address).add(&mut features, [8, 8], scale, 1.0);
            features
        };
        assert_eq!(noised([1, 2, 3], 0), noised([1, 2, 3], 0));
        for (address, scale) in [
            ([2, 2, 3], 0),
            ([1, 3, 3], 0),
            ([1, 2, 4], 0),
            ([1, 2, 3], 1),
        ] {
            assert_ne!(noised([1, 2, 3], 0), noised(address, scale));
        }
    }
}
