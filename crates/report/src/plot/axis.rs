use crate::numbers::short;

/// Of a plot: which values it shows, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) name: String,
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Ticks are shares, written in percent.
    percent: bool,
}

/// Above this ratio of the highest value to the middle one, low values would share a few pixels.
const SKEWED: f64 = 25.0;

/// Share of an axis that stays free at either end.
const ROOM: f64 = 0.05;

impl Axis {
    /// From 0 to 1.
    pub(crate) fn share(name: &str) -> Self {
        Self {
            percent: true,
            ..Self::range(name, 0.0, 1.0)
        }
    }

    /// Between two values; where they are the same, some room around them.
    pub(crate) fn range(name: &str, low: f64, high: f64) -> Self {
        let room = match low < high {
            true => 0.0,
            false => (low.abs() / 2.0).max(0.5),
        };
        Self {
            name: name.to_owned(),
            low: low - room,
            high: high + room,
            logarithmic: false,
            percent: false,
        }
    }

    /// Around shares that may be close together, up to 1.
    pub(crate) fn high_share(name: &str, low: f64) -> Self {
        Self {
            percent: true,
            ..Self::range(name, ((10.0 * low).floor() / 10.0).min(0.9), 1.0)
        }
    }

    /// Between two values, with a little room outside.
    pub(crate) fn roomy(name: &str, low: f64, high: f64) -> Self {
        let room = ROOM * (high - low);
        Self::range(name, low - room, high + room)
    }

    /// From 0 to a share.
    pub(crate) fn up_to(name: &str, high: f64) -> Self {
        Self {
            percent: true,
            ..Self::range(name, 0.0, high)
        }
    }

    /// Around all values, logarithmic where a few of them are far above the others.
    pub(crate) fn around(name: &str, values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else {
            return Self::range(name, 0.0, 1.0);
        };
        let skewed = low > 0.0 && high > SKEWED * sorted[sorted.len() / 2];
        match skewed {
            true => Self {
                logarithmic: true,
                name: format!("{name} (logarithmic)"),
                ..Self::range(name, low, high)
            },
            false => Self::range(name, low, high),
        }
    }

    /// Where a value is, in `[0, 1]` for those between the ends.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let [value, low, high] = match self.logarithmic {
            true => [value, self.low, self.high].map(f64::ln),
            false => [value, self.low, self.high],
        };
        (value - low) / (high - low)
    }

    /// The value at a place.
    pub(crate) fn value(&self, place: f64) -> f64 {
        match self.logarithmic {
            true => self.low * (self.high / self.low).powf(place),
            false => self.low + (self.high - self.low) * place,
        }
    }

    /// Values to write, and how.
    pub(crate) fn ticks(&self) -> Vec<(f64, String)> {
        let values = match self.logarithmic {
            true => decades(self.low, self.high),
            false => steps(self.low, self.high),
        };
        let text = |value: f64| match self.percent {
            // Steps of a share may be below one percent.
            true => format!("{} %", short(100.0 * value)),
            false => short(value),
        };
        values.map_or_else(Vec::new, |values| {
            values
                .into_iter()
                .map(|value| (value, text(value)))
                .collect()
        })
    }
}

/// Multiples of 1, 2 or 5 times a power of ten, four to seven of them.
fn steps(low: f64, high: f64) -> Option<Vec<f64>> {
    let rough = (high - low) / 5.0;
    if !(rough.is_finite() && rough > 0.0) {
        return None;
    }
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough)?;
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let count = (last - first) as usize;
    // Whole multiples, so that zero is zero.
    Some(
        (0..=count)
            .map(|index| (first + index as f64) * step)
            .collect(),
    )
}

/// Powers of ten; where there are fewer than three of them, with twice and five times these.
fn decades(low: f64, high: f64) -> Option<Vec<f64>> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all = |factors: &[f64]| -> Vec<f64> {
        (first..=last)
            .flat_map(|power| {
                factors
                    .iter()
                    .map(move |factor| factor * 10_f64.powi(power))
            })
            .filter(|value| (low..=high).contains(value))
            .collect()
    };
    let powers = all(&[1.0]);
    Some(match powers.len() {
        0..3 => all(&[1.0, 2.0, 5.0]),
        _ => powers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(axis: &Axis) -> Vec<f64> {
        axis.ticks().into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn ticks_are_round_and_within_the_ends() {
        let axis = Axis::range("", -0.3, 1.1);
        assert_eq!(values(&axis).len(), 3);
        assert_eq!(values(&axis), [0.0, 0.5, 1.0]);
        assert_eq!(Axis::share("").ticks()[1].1, "20 %");
        assert_eq!(values(&Axis::range("", 3.0, 3.0)), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn far_values_make_an_axis_logarithmic() {
        let mut scores = vec![1.0; 20];
        scores.push(1e4);
        let axis = Axis::around("score", &scores);
        assert_eq!(values(&axis), [1.0, 10.0, 100.0, 1e3, 1e4]);
        assert!((axis.place(100.0) - 0.5).abs() < 1e-12);
        let narrow = Axis::around("score", &[0.0, 2.0]);
        assert_eq!(narrow.place(1.0), 0.5);
        assert!(values(&Axis::around("", &[])).contains(&0.0));
    }
}
