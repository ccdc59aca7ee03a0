//! What a colour of a heat map means: one scale for all pictures of a model.

use super::{ColourMap, MapInfo};

/// Where heat begins, as a share of the way from the least value of maps to the pixel threshold.
const CLEAR: f32 = 0.75;
/// Where the scale ends, in the same unit: higher values look the same.
const FULL: f32 = 2.0;

/// How heat is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatStyle {
    /// Its colours.
    pub colours: ColourMap,
    /// The share of heat in a pixel at the threshold and above, in `[0, 1]`.
    pub opacity: f32,
}

impl Default for HeatStyle {
    fn default() -> Self {
        Self {
            colours: ColourMap::default(),
            opacity: 0.6,
        }
    }
}

/// From the values of maps to colours. Below three quarters of the way from the least value to the pixel threshold a picture is left
/// as it is; from there on heat fades in up to the threshold, and colours change up to twice the threshold's distance from the least value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatScale {
    /// Up to this value a picture is left as it is.
    pub clear: f32,
    /// From this value on a pixel counts as anomalous.
    pub threshold: f32,
    /// From this value on the colour stays the same.
    pub full: f32,
}

impl HeatScale {
    /// The scale of a model.
    pub fn of(info: &MapInfo) -> Self {
        let [least, _] = info.range;
        let threshold = info.threshold.value as f32;
        // A threshold at the least value leaves nothing to fade.
        let reach = (threshold - least).max(4.0 * f32::EPSILON * least.abs().max(1.0));
        Self {
            clear: least + CLEAR * reach,
            threshold,
            full: least + FULL * reach,
        }
    }

    /// Where a value is on the scale, in `[0, 1]`.
    pub fn level(&self, value: f32) -> f32 {
        ((value - self.clear) / (self.full - self.clear)).clamp(0.0, 1.0)
    }

    /// How much of a pixel's heat shows, in `[0, 1]`: all from the threshold on.
    pub fn strength(&self, value: f32) -> f32 {
        if value >= self.threshold {
            return 1.0;
        }
        ((value - self.clear) / (self.threshold - self.clear).max(f32::MIN_POSITIVE))
            .clamp(0.0, 1.0)
    }

    /// 256 colours with opacity (red, green, blue, alpha), the lowest value shown first.
    pub fn palette(&self, colours: ColourMap) -> [[u8; 4]; 256] {
        let threshold = self.threshold_level().max(f32::MIN_POSITIVE);
        std::array::from_fn(|index| {
            let level = index as f32 / 255.0;
            let [red, green, blue] = colours.colour(level);
            let alpha = (level / threshold).min(1.0);
            [red, green, blue, (255.0 * alpha).round() as u8]
        })
    }

    /// The level of the threshold.
    pub fn threshold_level(&self) -> f32 {
        self.level(self.threshold)
    }

    /// A picture of the scale, as a file for itself (SVG).
    pub(crate) fn legend(&self, style: HeatStyle) -> String {
        let palette = self.palette(style.colours);
        let stops: String = palette
            .iter()
            .enumerate()
            .step_by(15)
            .map(|(index, [red, green, blue, alpha])| {
                let offset = index as f32 / 255.0;
                let opacity = style.opacity * f32::from(*alpha) / 255.0;
                format!(
                    "<stop offset='{offset:.3}' stop-color='rgb({red},{green},{blue})' stop-opacity='{opacity:.3}'/>"
                )
            })
            .collect();
        let at = 20.0 + 320.0 * self.threshold_level();
        let Self {
            clear,
            threshold,
            full,
        } = self;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='360' height='92' viewBox='0 0 360 92' font-family='sans-serif' font-size='12'>\
             <title>Colours of the heat maps</title>\
             <defs><linearGradient id='heat'>{stops}</linearGradient></defs>\
             <rect width='360' height='92' fill='#fff'/>\
             <text x='20' y='18'>value of the anomaly map; line: pixel threshold</text>\
             <rect x='20' y='28' width='320' height='20' fill='#888'/><rect x='20' y='28' width='320' height='20' fill='url(#heat)'/>\
             <path d='M{at:.1} 24V52' stroke='#000' stroke-width='2'/>\
             <text x='20' y='84'>up to {clear:.4}: clear</text>\
             <text x='{at:.1}' y='66' text-anchor='middle'>{threshold:.4}</text>\
             <text x='340' y='84' text-anchor='end'>{full:.4} and above</text></svg>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Threshold;

    fn scale(least: f32, threshold: f64) -> HeatScale {
        HeatScale::of(&MapInfo {
            threshold: Threshold {
                value: threshold,
                rule: String::new(),
                promise: None,
            },
            range: [least, 9.0],
        })
    }

    #[test]
    fn nothing_shows_below_and_everything_at_the_threshold() {
        let scale = scale(-1.0, 1.0);
        assert_eq!((scale.clear, scale.full), (0.5, 3.0));
        assert_eq!((scale.strength(0.5), scale.strength(1.0)), (0.0, 1.0));
        assert_eq!((scale.level(0.5), scale.level(3.0)), (0.0, 1.0));
        assert_eq!(scale.strength(0.75), 0.5);
    }

    #[test]
    fn a_threshold_at_the_least_value_leaves_numbers() {
        let scale = scale(1.0, 1.0);
        assert!(scale.level(1.0).is_finite() && scale.strength(1.0).is_finite());
        assert_eq!((scale.level(2.0), scale.strength(1.0)), (1.0, 1.0));
    }
}
