//! Where a map reaches the pixel threshold, region by region.

use schemars::JsonSchema;
use serde::Serialize;

use super::outline::{Grid, Outline, simplified};

/// How far a polygon may be off the edge of its region, in pixels.
const TOLERANCE: f64 = 1.0;

/// The anomalous regions of an image.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Regions {
    /// Width of the image in pixels.
    pub width: usize,
    /// Height of the image in pixels.
    pub height: usize,
    /// Pixels with this value of the map or a higher one are anomalous.
    pub threshold: f32,
    /// Each 8-connected region, the highest peak first.
    pub regions: Vec<Region>,
}

/// A connected region of anomalous pixels.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Region {
    /// Left, top, width, height in pixels.
    #[serde(rename = "box")]
    pub bounds: [usize; 4],
    /// Number of pixels.
    pub area: usize,
    /// Its highest value, and where.
    pub peak: Peak,
    /// Its outer edge, within a pixel: `[x, y]` of corners, (0, 0) the upper left corner of the image.
    pub polygon: Outline,
}

/// A value of a map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Peak {
    /// Column of the pixel.
    pub x: usize,
    /// Row of the pixel.
    pub y: usize,
    /// The value there.
    pub value: f32,
}

impl Regions {
    /// The regions of a map at the size of its image.
    ///
    /// # Panics
    /// If the values do not fill rows of that width.
    pub fn of(values: &[f32], width: usize, threshold: f32) -> Self {
        let cells: Vec<bool> = values.iter().map(|value| *value >= threshold).collect();
        let grid = Grid::new(&cells, width);
        let mut seen = vec![false; cells.len()];
        let mut regions = Vec::new();
        for start in 0..cells.len() {
            if cells[start] && !seen[start] {
                regions.push(region(grid, values, start, &mut seen));
            }
        }
        regions.sort_by(|a: &Region, b| b.peak.value.total_cmp(&a.peak.value));
        Self {
            width,
            height: grid.height(),
            threshold,
            regions,
        }
    }
}

/// The region of a cell, the first one in reading order.
fn region(grid: Grid<'_>, values: &[f32], start: usize, seen: &mut [bool]) -> Region {
    let width = grid.width();
    let (x, y) = (start % width, start / width);
    let outline = grid.trace(x as i64, y as i64, |_, _| {});
    let mut peak = Peak {
        x,
        y,
        value: values[start],
    };
    let (mut low, mut high, mut area) = ([x, y], [x, y], 0);
    let mut stack = vec![start];
    seen[start] = true;
    while let Some(cell) = stack.pop() {
        let (x, y) = (cell % width, cell / width);
        area += 1;
        low = [low[0].min(x), low[1].min(y)];
        high = [high[0].max(x), high[1].max(y)];
        let value = values[cell];
        if value > peak.value || (value == peak.value && (y, x) < (peak.y, peak.x)) {
            peak = Peak { x, y, value };
        }
        for ny in y.saturating_sub(1)..(y + 2).min(grid.height()) {
            for nx in x.saturating_sub(1)..(x + 2).min(width) {
                let next = ny * width + nx;
                if grid.is_set(nx as i64, ny as i64) && !seen[next] {
                    seen[next] = true;
                    stack.push(next);
                }
            }
        }
    }
    Region {
        bounds: [low[0], low[1], high[0] + 1 - low[0], high[1] + 1 - low[1]],
        area,
        peak,
        polygon: simplified(&outline, TOLERANCE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_box_area_and_peak() {
        #[rustfmt::skip]
        let values = [
            0.0, 2.0, 0.0, 0.0, 0.0,
            0.0, 0.0, 3.0, 0.0, 1.0,
            0.0, 0.0, 0.0, 0.0, 4.0,
        ];
        let found = Regions::of(&values, 5, 1.0);
        assert_eq!((found.width, found.height), (5, 3));
        let [first, second] = found.regions.as_slice() else {
            unreachable!("{found:?}")
        };
        assert_eq!((first.bounds, first.area), ([4, 1, 1, 2], 2));
        assert_eq!(
            first.peak,
            Peak {
                x: 4,
                y: 2,
                value: 4.0
            }
        );
        // Touching by a corner is touching.
        assert_eq!((second.bounds, second.area), ([1, 0, 2, 2], 2));
        assert_eq!(first.polygon, [[5, 1], [5, 3], [4, 3], [4, 1]]);
    }

    #[test]
    fn a_map_below_the_threshold_has_none() {
        assert!(Regions::of(&[0.0; 6], 3, 0.5).regions.is_empty());
        assert_eq!(Regions::of(&[1.0; 6], 3, 0.5).regions[0].area, 6);
    }
}
