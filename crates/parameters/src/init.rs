use std::hash::Hasher;

use burn::module::Module;
use fnv::FnvHasher;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{LayerKind, ParameterInfo, fill};

/// Starting values of a network's parameters. Norms start as the identity (weight 1, bias 0, running mean 0, running
/// variance 1), biases at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initialisation {
    /// Convolutions: normal, standard deviation `sqrt(2 / fan_out)` (He et al. 2015); transposed convolutions and linear
    /// layers as [`FanInUniform`](Self::FanInUniform).
    KaimingNormal,
    /// Uniform in `±1 / sqrt(fan_in)`: Kaiming uniform with `a = sqrt(5)`, PyTorch's default. `fan_in` of a transposed
    /// convolution counts its *output* channels, as PyTorch does.
    FanInUniform,
    /// Everything with more than one axis normal with a standard deviation of 0.02, the weights of norms about 1 with the same (DCGAN, Radford
    /// et al. 2015).
    Narrow,
}

/// The standard deviation of [`Initialisation::Narrow`].
const NARROW: f64 = 0.02;

impl Initialisation {
    /// Gives every parameter of `module` its starting value. The values depend on `seed` and the parameter's name only.
    pub fn fill<M: Module>(self, module: M, seed: u64) -> M {
        fill(module, |info| self.values(info, seed))
    }

    /// The starting values of one parameter.
    pub fn values(self, info: ParameterInfo<'_>, seed: u64) -> Vec<f32> {
        let count: usize = info.shape.iter().product();
        let last = info.name.rsplit('.').next();
        let of_norm = info.shape.len() < 2 && last == Some("weight");
        if info.shape.len() < 2 && !(self == Self::Narrow && of_norm) {
            let one = matches!(last, Some("weight" | "running_var"));
            return vec![if one { 1.0 } else { 0.0 }; count];
        }
        let mut name = FnvHasher::default();
        name.write(info.name.as_bytes());
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ name.finish());
        if self == Self::Narrow {
            let centre = if of_norm { 1.0 } else { 0.0 };
            let values = normals(&mut rng, count, NARROW).into_iter();
            return values.map(|value| centre + value).collect();
        }
        let receptive: usize = info.shape[2..].iter().product();
        match (self, info.layer) {
            (Self::KaimingNormal, LayerKind::Conv) => {
                let deviation = (2.0 / (info.shape[0] * receptive) as f64).sqrt();
                normals(&mut rng, count, deviation)
            }
            (_, layer) => {
                let inputs = if layer == LayerKind::Linear {
                    info.shape[0]
                } else {
                    info.shape[1]
                };
                let bound = 1.0 / ((inputs * receptive) as f64).sqrt();
                (0..count)
                    .map(|_| (rng.random_range(-1.0..1.0) * bound) as f32)
                    .collect()
            }
        }
    }
}

/// Box-Muller pairs.
fn normals(rng: &mut ChaCha8Rng, count: usize, deviation: f64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count + 1);
    while values.len() < count {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt() * deviation;
        let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        values.push((radius * cos) as f32);
        values.push((radius * sin) as f32);
    }
    values.truncate(count);
    values
}
