use std::fmt;

use serde::{Deserialize, Serialize};

/// How heat becomes colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColourMap {
    /// Perceptually uniform, from dark blue over purple and orange to yellow: equal steps of the value look equally large, in grey and to
    /// most colour-blind people, too.
    #[default]
    Plasma,
    /// Blue, cyan, yellow, red: what many papers show. Its bright bands look like edges that the values do not have.
    Jet,
}

/// matplotlib's `plasma` (Smith and van der Walt 2015, CC0) at ten equal steps; between them the true map is nearly linear.
const PLASMA: [[u8; 3]; 10] = [
    [13, 8, 135],
    [70, 3, 159],
    [114, 1, 168],
    [156, 23, 158],
    [189, 55, 134],
    [216, 87, 107],
    [237, 121, 83],
    [251, 159, 58],
    [253, 202, 38],
    [240, 249, 33],
];

impl ColourMap {
    /// Every map.
    pub const ALL: [Self; 2] = [Self::Plasma, Self::Jet];

    /// The colour of a level in `[0, 1]`; what is outside counts as the nearer end.
    pub fn colour(self, level: f32) -> [u8; 3] {
        let level = level.clamp(0.0, 1.0);
        match self {
            Self::Plasma => {
                let position = level * (PLASMA.len() - 1) as f32;
                let below = (position as usize).min(PLASMA.len() - 2);
                let share = position - below as f32;
                let [from, to] = [PLASMA[below], PLASMA[below + 1]];
                [0, 1, 2].map(|channel| {
                    let [from, to] = [from, to].map(|colour| f32::from(colour[channel]));
                    (from + share * (to - from)).round() as u8
                })
            }
            // Three trapezoids, a quarter of the range apart.
            Self::Jet => [3.0, 2.0, 1.0].map(|centre| {
                let height = 1.5 - (4.0 * level - centre).abs();
                (255.0 * height.clamp(0.0, 1.0)).round() as u8
            }),
        }
    }
}

impl fmt::Display for ColourMap {
    /// Its name on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plasma => "plasma",
            Self::Jet => "jet",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE 1976 lightness of an sRGB colour (D65), in `[0, 100]`.
    fn lightness(colour: [u8; 3]) -> f64 {
        let linear = colour.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        let [red, green, blue] = linear;
        let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        116.0 * luminance.cbrt() - 16.0
    }

    #[test]
    fn the_default_map_grows_lighter_in_even_steps() {
        let levels = (0..=20).map(|step| lightness(ColourMap::Plasma.colour(step as f32 / 20.0)));
        let levels: Vec<f64> = levels.collect();
        let steps: Vec<f64> = levels.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = (levels[20] - levels[0]) / 20.0;
        assert!(mean > 3.0, "{levels:?}");
        assert!(
            steps
                .iter()
                .all(|step| *step > 0.5 * mean && *step < 1.5 * mean),
            "{steps:?}"
        );
    }

    #[test]
    fn maps_have_the_ends_that_they_are_known_by() {
        assert_eq!(ColourMap::Plasma.colour(-1.0), [13, 8, 135]);
        assert_eq!(ColourMap::Plasma.colour(2.0), [240, 249, 33]);
        assert_eq!(ColourMap::Jet.colour(0.0), [0, 0, 128]);
        assert_eq!(ColourMap::Jet.colour(0.5), [128, 255, 128]);
        assert_eq!(ColourMap::Jet.colour(1.0), [128, 0, 0]);
    }
}
