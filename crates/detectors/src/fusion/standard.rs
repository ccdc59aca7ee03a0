//! Values on a common scale.

/// Mean and standard deviation, in which values are told: `(value - mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Standard {
    pub(super) mean: f32,
    /// Greater than 0.
    pub(super) deviation: f32,
}

impl Standard {
    /// The scale that values are on already.
    pub(super) const NONE: Self = Self {
        mean: 0.0,
        deviation: 1.0,
    };

    pub(super) fn of(self, value: f64) -> f64 {
        (value - f64::from(self.mean)) / f64::from(self.deviation)
    }
}

/// Sums that a [`Standard`] follows from.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    count: f64,
    mean: f64,
    /// Sum of squared differences from the mean.
    squares: f64,
}

impl Moments {
    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.squares += difference * (value - self.mean);
    }

    /// Of the values added; values that do not vary are only moved.
    pub(super) fn standard(&self) -> Standard {
        let deviation = (self.squares / self.count.max(1.0)).sqrt() as f32;
        Standard {
            mean: self.mean as f32,
            deviation: if deviation > 0.0 { deviation } else { 1.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardised_values_have_no_mean_and_unit_variance() {
        let mut moments = Moments::default();
        [2.0, 4.0, 6.0]
            .into_iter()
            .for_each(|value| moments.add(value));
        let standard = moments.standard();
        assert_eq!(standard.of(4.0), 0.0);
        assert!((standard.of(6.0) - 1.5_f64.sqrt()).abs() < 1e-6);
        let mut same = Moments::default();
        same.add(3.0);
        assert_eq!(same.standard().of(5.0), 2.0);
        assert_eq!(Standard::NONE.of(5.0), 5.0);
    }
}
