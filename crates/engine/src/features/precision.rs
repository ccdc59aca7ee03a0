//! How kept features are stored.

use half::f16;
use half::slice::HalfFloatSliceExt;
use serde::{Deserialize, Serialize};

/// In which precision features are kept; networks always compute in single precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeaturePrecision {
    /// As computed.
    #[default]
    F32,
    /// Half the memory; each value is rounded to 11 significant bits.
    F16,
}

impl FeaturePrecision {
    /// Bytes of one value.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<f16>(),
        }
    }
}

/// The features of one image: the values of every scale, one scale after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    F32(Vec<f32>),
    F16(Vec<f16>),
}

impl Record {
    pub(crate) fn new(values: Vec<f32>, precision: FeaturePrecision) -> Self {
        match precision {
            FeaturePrecision::F32 => Self::F32(values),
            FeaturePrecision::F16 => {
                let mut rounded = vec![f16::ZERO; values.len()];
                rounded.convert_from_f32_slice(&values);
                Self::F16(rounded)
            }
        }
    }

    /// Copies the values from `first` on.
    ///
    /// # Panics
    /// If it has not as many.
    pub(crate) fn read(&self, first: usize, out: &mut [f32]) {
        let range = first..first + out.len();
        match self {
            Self::F32(values) => out.copy_from_slice(&values[range]),
            Self::F16(values) => values[range].convert_to_f32_slice(out),
        }
    }

    /// The values, little-endian.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::F32(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            Self::F16(values) => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        }
    }

    /// `values` values from what [`to_bytes`](Self::to_bytes) made, or `None` if there are more or fewer.
    pub(crate) fn from_bytes(
        bytes: &[u8],
        values: usize,
        precision: FeaturePrecision,
    ) -> Option<Self> {
        if bytes.len() != values * precision.bytes() {
            return None;
        }
        Some(match precision {
            FeaturePrecision::F32 => Self::F32(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&bytes| f32::from_le_bytes(bytes))
                    .collect(),
            ),
            FeaturePrecision::F16 => Self::F16(
                bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&bytes| f16::from_le_bytes(bytes))
                    .collect(),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn records_come_back_from_their_bytes() {
        let values = vec![0.0, 1.5, -3.25, 1.0 / 3.0, 250.0];
        for precision in [FeaturePrecision::F32, FeaturePrecision::F16] {
            let record = Record::new(values.clone(), precision);
            let bytes = record.to_bytes();
            assert_eq!(bytes.len(), 5 * precision.bytes());
            let again = Record::from_bytes(&bytes, 5, precision).unwrap();
            assert_eq!(again, record);
            assert!(Record::from_bytes(&bytes[1..], 5, precision).is_none());
            let mut read = [0.0; 3];
            again.read(2, &mut read);
            let largest = match precision {
                FeaturePrecision::F32 => 0.0,
                FeaturePrecision::F16 => 1.0 / 2048.0,
            };
            for (read, value) in read.iter().zip(&values[2..]) {
                assert!(
                    (read - value).abs() <= largest * value.abs(),
                    "{read} {value}"
                );
            }
        }
    }
}
