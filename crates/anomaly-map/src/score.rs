use serde::{Deserialize, Serialize};

use crate::AnomalyMap;

/// How an image's score follows from its anomaly map. As text `mean`, or `top-100` with any number of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ImageScore {
    /// The mean of the largest pixels, so many of them (all, where the map has fewer). The method's is 100.
    TopMean(usize),
    /// The mean of all pixels, for anomalies as large as the image (ISIC2018).
    Mean,
}

impl From<ImageScore> for String {
    fn from(score: ImageScore) -> Self {
        match score {
            ImageScore::TopMean(count) => format!("top-{count}"),
            ImageScore::Mean => "mean".to_owned(),
        }
    }
}

impl TryFrom<String> for ImageScore {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "mean" {
            return Ok(Self::Mean);
        }
        let count = text
            .strip_prefix("top-")
            .and_then(|count| count.parse().ok());
        match count {
            Some(count) if count > 0 => Ok(Self::TopMean(count)),
            _ => Err(format!(
                "`{text}` is no image score; there are `mean` and `top-100`, with any number of pixels"
            )),
        }
    }
}

impl ImageScore {
    /// The method's own.
    pub const TOP_100: Self = Self::TopMean(100);

    /// The score of an image; the higher, the more anomalous.
    ///
    /// # Panics
    /// If the map is empty or `TopMean(0)` was asked for.
    pub fn of(self, map: &AnomalyMap) -> f64 {
        let mean = |values: &[f32]| {
            assert!(!values.is_empty(), "a score needs at least one pixel");
            values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64
        };
        match self {
            Self::Mean => mean(&map.values),
            Self::TopMean(count) if count >= map.values.len() => mean(&map.values),
            Self::TopMean(count) => {
                let mut values = map.values.clone();
                let (top, _, _) = values.select_nth_unstable_by(count, |a, b| b.total_cmp(a));
                // Sorted, so that the sum does not depend on how the selection left them.
                top.sort_unstable_by(|a, b| b.total_cmp(a));
                mean(top)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_pixels_count() {
        let map = AnomalyMap {
            height: 2,
            width: 3,
            values: vec![0.5, 4.0, 1.0, 3.0, 2.0, 1.5],
        };
        assert_eq!(ImageScore::TopMean(2).of(&map), 3.5);
        assert_eq!(ImageScore::TopMean(100).of(&map), 2.0);
        assert_eq!(ImageScore::Mean.of(&map), 2.0);
    }
}
