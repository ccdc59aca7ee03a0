use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AnomalyMap;

/// How many pixels [`ImageScore::Top100`] looks at.
const TOP: usize = 100;

/// How an image's score follows from its anomaly map; in files `top-100`, `mean` or `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageScore {
    /// The mean of the 100 largest pixels, or of all where the map has fewer: the method's.
    #[default]
    #[serde(rename = "top-100")]
    Top100,
    /// The mean of all pixels, for anomalies as large as the image (ISIC2018).
    Mean,
    /// The largest pixel.
    Max,
}

impl ImageScore {
    /// The score of an image; the higher, the more anomalous.
    ///
    /// # Panics
    /// If the map is empty.
    pub fn of(self, map: &AnomalyMap) -> f64 {
        let values = &map.values;
        assert!(!values.is_empty(), "a score needs at least one pixel");
        match self {
            Self::Mean => mean(values),
            Self::Top100 => top_mean(values, TOP),
            Self::Max => top_mean(values, 1),
        }
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64
}

/// The mean of the largest `count` values.
fn top_mean(values: &[f32], count: usize) -> f64 {
    if count >= values.len() {
        return mean(values);
    }
    let mut values = values.to_vec();
    let (top, _, _) = values.select_nth_unstable_by(count, |a, b| b.total_cmp(a));
    // Sorted, so that the sum does not depend on how the selection left them.
    top.sort_unstable_by(|a, b| b.total_cmp(a));
    mean(top)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: Vec<f32>) -> AnomalyMap {
        AnomalyMap {
            height: 1,
            width: values.len(),
            values,
        }
    }

    #[test]
    fn the_largest_pixels_count() {
        let few = map(vec![0.5, 4.0, 1.0, 3.0, 2.0, 1.5]);
        assert_eq!(top_mean(&few.values, 2), 3.5);
        assert_eq!(ImageScore::Top100.of(&few), 2.0);
        assert_eq!(ImageScore::Mean.of(&few), 2.0);
        assert_eq!(ImageScore::Max.of(&few), 4.0);

        let many = map((0..200).map(|value| value as f32).collect());
        assert_eq!(ImageScore::Top100.of(&many), 149.5);
        assert_eq!(ImageScore::Mean.of(&many), 99.5);
        assert_eq!(ImageScore::Max.of(&many), 199.0);
    }
}
