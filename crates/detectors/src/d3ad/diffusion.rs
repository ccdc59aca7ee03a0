//! How noise is added to latent maps and taken out again.

use burn::tensor::{Tensor, TensorData};

/// Times of the process, and the variances that are added at the first and the last.
pub const TIMES: usize = 1000;
const VARIANCES: [f64; 2] = [0.0015, 0.0195];
/// Steps in which noise is taken out.
const STEPS: usize = 10;
/// How strongly a map is drawn to the image's own while noise is taken out.
const GUIDANCE: f64 = 4.0;

/// The share of the map's variance that is left at every time: the product of one less the variances, which grow evenly.
pub fn shares_left() -> Vec<f64> {
    let [first, last] = VARIANCES;
    let variance = |time: usize| first + (last - first) * time as f64 / (TIMES - 1) as f64;
    let mut left = 1.0;
    (0..TIMES)
        .map(|time| {
            left *= 1.0 - variance(time);
            left
        })
        .collect()
}

/// `√ᾱ x + √(1 - ᾱ) noise`, each map at its time.
///
/// # Shapes
/// - x, noise, output: `[batch, channels, height, width]`
pub fn noised(x: Tensor<4>, noise: Tensor<4>, times: &[usize], left: &[f64]) -> Tensor<4> {
    let device = x.device();
    let column = |value: &dyn Fn(f64) -> f64| {
        let values: Vec<f32> = times.iter().map(|&time| value(left[time]) as f32).collect();
        Tensor::<4>::from_data(TensorData::new(values, [times.len(), 1, 1, 1]), &device)
    };
    x * column(&f64::sqrt) + noise * column(&|left| (1.0 - left).sqrt())
}

/// The times at which noise is taken out, from `start` down, evenly spaced; each once.
pub fn schedule(start: usize) -> Vec<usize> {
    let mut times: Vec<usize> = (0..STEPS)
        .map(|step| start - start * step / STEPS)
        .collect();
    times.dedup();
    times
}

/// A latent map as it would be without anomalies: noise is taken out deterministically (DDIM, Song et al. 2021) from `√ᾱ x`, to which none was
/// added; at every step the prediction is drawn to the map itself, noised alike (Mousakhan et al. 2023).
///
/// # Shapes
/// - x, output: `[batch, channels, height, width]`
pub fn restored(
    x: Tensor<4>,
    start: usize,
    left: &[f64],
    noise_in: impl Fn(Tensor<4>, usize) -> Tensor<4>,
) -> Tensor<4> {
    let times = schedule(start);
    let mut at = x.clone() * left[start].sqrt();
    for (step, &time) in times.iter().enumerate() {
        let (signal, spread) = (left[time].sqrt(), (1.0 - left[time]).sqrt());
        let noise = noise_in(at.clone(), time);
        let wanted = x.clone() * signal + noise.clone() * spread;
        let noise = noise - (wanted - at.clone()) * (GUIDANCE * spread);
        let clean = (at - noise.clone() * spread) / signal;
        at = match times.get(step + 1) {
            Some(&next) => clean * left[next].sqrt() + noise * (1.0 - left[next]).sqrt(),
            None => clean,
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    fn one(value: f32) -> Tensor<4> {
        Tensor::from_floats([[[[value]]]], &ckaad_device::cpu())
    }

    #[test]
    fn variances_grow_evenly() {
        let left = shares_left();
        assert_eq!(left.len(), TIMES);
        assert!((left[0] - 0.9985).abs() < 1e-12);
        let second = 0.9985 * (1.0 - 0.0015 - 0.018 / 999.0);
        assert!((left[1] - second).abs() < 1e-12);
        assert!(left.windows(2).all(|pair| pair[1] < pair[0]) && left[TIMES - 1] > 0.0);
    }

    #[test]
    fn noise_is_added_by_the_share_left() {
        let found = values(noised(one(2.0), one(1.0), &[1], &[1.0, 0.64]));
        // 0.8 * 2 + 0.6 * 1
        assert!((found[0] - 2.2).abs() < 1e-6);
    }

    #[test]
    fn times_go_down_to_the_first() {
        assert_eq!(schedule(20), [20, 18, 16, 14, 12, 10, 8, 6, 4, 2]);
        assert_eq!(schedule(2), [2, 1]);
        assert_eq!(schedule(0), [0]);
    }

    /// One step with 64 % left: from 0.8 * 2, a prediction p becomes p - 4 * 0.6 * (1.6 + 0.6 p - 1.6) = -0.44 p, and the map
    /// (1.6 + 0.6 * 0.44 p) / 0.8.
    #[test]
    fn a_step_is_drawn_to_the_map() {
        let found = values(restored(one(2.0), 0, &[0.64], |_, _| one(0.5)));
        assert!((found[0] - (1.6 + 0.6 * 0.44 * 0.5) / 0.8).abs() < 1e-6);
        // Where there is no noise, the map stays.
        let left = shares_left();
        let found = values(restored(one(2.0), 80, &left, |x, _| x * 0.0));
        assert!((found[0] - 2.0).abs() < 1e-4, "{found:?}");
    }
}
