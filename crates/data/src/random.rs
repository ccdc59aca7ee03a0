//! Randomness addressed by name and numbers, never by a shared generator.
//!
//! A [`Stream`] is SplitMix64 started from a hash of a purpose and a few numbers such as (seed, epoch, index): the same address gives the
//! same values whatever ran before, on however many threads.

use std::hash::Hasher;

use fnv::FnvHasher;

/// One SplitMix64 output for the state `x`.
pub(crate) fn splitmix64(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A stream of random numbers at one address.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    state: u64,
}

impl Stream {
    /// The stream for `purpose` at the given numbers.
    pub(crate) fn at(purpose: &str, numbers: &[u64]) -> Self {
        let mut hasher = FnvHasher::default();
        hasher.write(purpose.as_bytes());
        let state = numbers
            .iter()
            .fold(hasher.finish(), |h, &n| splitmix64(h ^ splitmix64(n)));
        Self { state }
    }

    /// The next 64 bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        let out = splitmix64(self.state);
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        out
    }

    /// Uniform in `0..n` without bias (multiply-shift with rejection); `n` must not be 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            if wide as u64 >= n.wrapping_neg() % n {
                return (wide >> 64) as u64;
            }
        }
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Fills `out` with uniform values in `[-1, 1)`, two per draw, 24 bits each.
    pub(crate) fn fill_signed(&mut self, out: &mut [f32]) {
        let scale = 2.0 / (1u32 << 24) as f32;
        for pair in out.chunks_mut(2) {
            let bits = self.next_u64();
            for (value, part) in pair.iter_mut().zip([bits >> 40, (bits >> 16) & 0xFF_FFFF]) {
                *value = part as u32 as f32 * scale - 1.0;
            }
        }
    }

    /// Shuffles in place (Fisher-Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_address_same_values_and_neighbours_differ() {
        let draw = |numbers: &[u64]| Stream::at("test", numbers).next_u64();
        assert_eq!(draw(&[1, 2]), draw(&[1, 2]));
        assert_ne!(draw(&[1, 2]), draw(&[2, 1]));
        assert_ne!(draw(&[1, 2]), draw(&[1, 3]));
    }

    #[test]
    fn shuffle_is_a_permutation_and_roughly_uniform() {
        let mut first = [0usize; 5];
        for seed in 0..5000 {
            let mut items = [0, 1, 2, 3, 4];
            Stream::at("shuffle", &[seed]).shuffle(&mut items);
            first[items[0]] += 1;
            items.sort_unstable();
            assert_eq!(items, [0, 1, 2, 3, 4]);
        }
        assert!(first.iter().all(|&n| (850..1150).contains(&n)), "{first:?}");
    }

    #[test]
    fn signed_values_cover_the_interval() {
        let mut values = vec![0f32; 10_001];
        Stream::at("noise", &[3]).fill_signed(&mut values);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!(values.iter().all(|v| (-1.0..1.0).contains(v)) && mean.abs() < 0.03);
    }
}
