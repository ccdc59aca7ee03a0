//! How many labelled images a ratio asks for.

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// How many of the anomalous training images that validation leaves carry a label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labelled {
    /// Every one, if there are any.
    All,
    /// So many that they make up r_l, this share in [0, 1) of all training images.
    Ratio(f64),
}

/// m = round(n / (1 - r_l) - n): so many labelled images beside n normal ones make up the share r_l of all n + m. Ties round to even.
pub(crate) fn labelled_count(normal: usize, ratio: f64) -> usize {
    let n = normal as f64;
    (n / (1.0 - ratio) - n).round_ties_even() as usize
}

/// The number of labelled images that a ratio asks for beside `normal` ones, where it must ask for one.
///
/// # Errors
/// [`DataError::Parameter`] if a ratio above 0 asks for none; it names the smallest that asks for one, to two digits.
pub fn require_labelled(normal: usize, ratio: f64) -> Result<usize, DataError> {
    match labelled_count(normal, ratio) {
        0 if ratio > 0.0 && normal > 0 => Err(DataError::Parameter {
            name: "labelled_ratio",
            value: ratio.to_string(),
            reason: format!(
                "beside {normal} normal training images it asks for 0 labelled ones; at least {} asks for one",
                smallest_ratio(normal)
            ),
        }),
        count => Ok(count),
    }
}

/// The smallest ratio of two significant digits that asks for one image.
fn smallest_ratio(normal: usize) -> f64 {
    // One half rounds to 0, so this share is just too small.
    let bound = 0.5 / (normal as f64 + 0.5);
    let digits = 1 - bound.log10().floor() as i32;
    let unit = 10f64.powi(digits);
    let mut steps = (bound * unit).floor();
    while labelled_count(normal, steps / unit) == 0 {
        steps += 1.0;
    }
    steps / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_that_asks_for_none_names_the_smallest_that_asks_for_one() {
        let message = require_labelled(39, 0.01).map_err(|error| error.to_string());
        assert_eq!(
            message,
            Err("labelled_ratio = 0.01: beside 39 normal training images it asks for 0 labelled ones; at least 0.013 asks for one".into())
        );
        assert!(matches!(require_labelled(39, 0.013), Ok(1)));
        assert!(matches!(require_labelled(39, 0.0), Ok(0)));
        assert!(matches!(require_labelled(0, 0.5), Ok(0)));
        for normal in (1..2_000).chain([1_000_000]) {
            let smallest = smallest_ratio(normal);
            assert_eq!(labelled_count(normal, smallest), 1, "{normal}: {smallest}");
            assert_eq!(
                labelled_count(normal, smallest * 0.9),
                0,
                "{normal}: {smallest}"
            );
        }
    }
}
