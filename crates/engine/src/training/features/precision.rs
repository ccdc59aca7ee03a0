//! How kept features are stored.

use half::f16;
use half::slice::HalfFloatSliceExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which precision features are kept, whatever networks multiply in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeaturePrecision {
    /// As computed.
    #[default]
    F32,
    /// Half the memory; each value is rounded to 11 significant bits.
    F16,
}

/// Values that are converted together.
const CHUNK: usize = 1024;

impl FeaturePrecision {
    /// Bytes of one value.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<f16>(),
        }
    }

    /// Stores values, little-endian.
    ///
    /// # Panics
    /// If `out` is not [`bytes`](Self::bytes) for each value.
    pub(crate) fn store(self, values: &[f32], out: &mut [u8]) {
        assert_eq!(
            out.len(),
            values.len() * self.bytes(),
            "room for all values"
        );
        match self {
            Self::F32 => {
                let (out, _) = out.as_chunks_mut();
                for (out, value) in out.iter_mut().zip(values) {
                    *out = value.to_le_bytes();
                }
            }
            Self::F16 => {
                let mut rounded = [f16::ZERO; CHUNK];
                let out = out.chunks_mut(CHUNK * self.bytes());
                for (out, values) in out.zip(values.chunks(CHUNK)) {
                    let rounded = &mut rounded[..values.len()];
                    rounded.convert_from_f32_slice(values);
                    let (out, _) = out.as_chunks_mut();
                    for (out, value) in out.iter_mut().zip(rounded) {
                        *out = value.to_le_bytes();
                    }
                }
            }
        }
    }

    /// The values that [`store`](Self::store) stored.
    ///
    /// # Panics
    /// If `bytes` is not [`bytes`](Self::bytes) for each value.
    pub(crate) fn load(self, bytes: &[u8], out: &mut [f32]) {
        assert_eq!(
            bytes.len(),
            out.len() * self.bytes(),
            "all values are there"
        );
        match self {
            Self::F32 => {
                let (bytes, _) = bytes.as_chunks();
                for (out, &bytes) in out.iter_mut().zip(bytes) {
                    *out = f32::from_le_bytes(bytes);
                }
            }
            Self::F16 => {
                let mut halves = [f16::ZERO; CHUNK];
                let bytes = bytes.chunks(CHUNK * self.bytes());
                for (out, bytes) in out.chunks_mut(CHUNK).zip(bytes) {
                    let halves = &mut halves[..out.len()];
                    let (bytes, _) = bytes.as_chunks();
                    for (half, &bytes) in halves.iter_mut().zip(bytes) {
                        *half = f16::from_le_bytes(bytes);
                    }
                    halves.convert_to_f32_slice(out);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_their_bytes() {
        let values: Vec<f32> = (0..2500).map(|i| (i as f32 - 900.0) / 7.0).collect();
        for (precision, largest) in [
            (FeaturePrecision::F32, 0.0),
            (FeaturePrecision::F16, 1.0 / 2048.0),
        ] {
            let mut bytes = vec![0; values.len() * precision.bytes()];
            precision.store(&values, &mut bytes);
            let mut loaded = vec![0.0; values.len()];
            precision.load(&bytes, &mut loaded);
            for (loaded, value) in loaded.iter().zip(&values) {
                assert!(
                    (loaded - value).abs() <= largest * value.abs(),
                    "{loaded} {value}"
                );
            }
        }
    }
}
