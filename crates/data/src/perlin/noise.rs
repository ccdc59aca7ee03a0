//! Perlin's gradient noise (Perlin 1985, with the fade of 2002).

use std::f64::consts::{SQRT_2, TAU};

use crate::random::Stream;

/// Smooth noise of a grid of random directions.
#[derive(Clone, Debug)]
pub struct PerlinNoise {
    /// Cells along rows (downwards) and along columns.
    cells: [usize; 2],
    /// Unit vectors at the corners of the cells, row-major, `[downwards, to the right]`.
    gradients: Vec<[f64; 2]>,
}

impl PerlinNoise {
    /// Of `cells[0]` cells downwards and `cells[1]` to the right, with a vector at every corner, row-major; their lengths do not matter.
    ///
    /// # Panics
    /// If there is no cell, or not a vector for every corner.
    pub fn new(cells: [usize; 2], vectors: &[[f64; 2]]) -> Self {
        assert!(cells[0] * cells[1] > 0, "noise needs a cell");
        assert_eq!(
            vectors.len(),
            (cells[0] + 1) * (cells[1] + 1),
            "every corner has a vector"
        );
        let unit = |[y, x]: &[f64; 2]| {
            let length = (y * y + x * x).sqrt();
            [y / length, x / length]
        };
        Self {
            cells,
            gradients: vectors.iter().map(unit).collect(),
        }
    }

    /// With directions drawn from a stream.
    pub(crate) fn draw(cells: [usize; 2], stream: &mut Stream) -> Self {
        let corners = (cells[0] + 1) * (cells[1] + 1);
        let draw = |_| {
            let (sin, cos) = (TAU * stream.unit()).sin_cos();
            [sin, cos]
        };
        let vectors: Vec<[f64; 2]> = (0..corners).map(draw).collect();
        Self::new(cells, &vectors)
    }

    /// The noise at a place given in shares of the sides, about in `[-1, 1]`; 0 outside.
    pub fn at(&self, [y, x]: [f64; 2]) -> f64 {
        if !((0.0..1.0).contains(&y) && (0.0..1.0).contains(&x)) {
            return 0.0;
        }
        let [y, x] = [y * self.cells[0] as f64, x * self.cells[1] as f64];
        let [row, column] = [y as usize, x as usize];
        let (fy, fx) = (y - row as f64, x - column as f64);
        let corner = |down: usize, right: usize| {
            let at = (row + down) * (self.cells[1] + 1) + column + right;
            let [gy, gx] = self.gradients[at];
            gy * (fy - down as f64) + gx * (fx - right as f64)
        };
        let fade = |t: f64| t * t * t * (t * (t * 6.0 - 15.0) + 10.0);
        let left = corner(0, 0) + fade(fy) * (corner(1, 0) - corner(0, 0));
        let right = corner(0, 1) + fade(fy) * (corner(1, 1) - corner(0, 1));
        SQRT_2 * (left + fade(fx) * (right - left))
    }

    /// The noise of all pixels of an image, row-major, turned about its centre by an angle in degrees; 0 where it comes from outside.
    pub fn plane(&self, [height, width]: [usize; 2], angle: f64) -> Vec<f64> {
        let (sin, cos) = angle.to_radians().sin_cos();
        let [h, w] = [height as f64, width as f64];
        let value = |at: usize| {
            let [row, column] = [(at / width) as f64, (at % width) as f64];
            if angle == 0.0 {
                return self.at([row / h, column / w]);
            }
            let [y, x] = [row - h / 2.0, column - w / 2.0];
            self.at([
                (cos * y + sin * x + h / 2.0) / h,
                (cos * x - sin * y + w / 2.0) / w,
            ])
        };
        (0..height * width).map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_are_zero_and_the_middle_of_a_cell_is_known() {
        // One cell whose corners all point downwards: in the middle the upper two give 1/2, the lower two -1/2.
        let down = PerlinNoise::new([1, 1], &[[2.0, 0.0]; 4]);
        assert_eq!(down.at([0.0, 0.0]), 0.0);
        assert!(down.at([0.5, 0.5]).abs() < 1e-15);
        // All corners towards the middle: each gives sqrt(1/2).
        let inwards = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
        let peak = PerlinNoise::new([1, 1], &inwards).at([0.5, 0.5]);
        assert!((peak - 1.0).abs() < 1e-15, "{peak}");
        assert_eq!(down.at([1.0, 0.5]), 0.0);
    }

    #[test]
    fn planes_turn_about_their_centre() {
        let noise = PerlinNoise::draw([2, 3], &mut Stream::at("test", &[1]));
        let [straight, turned] = [0.0, 180.0].map(|angle| noise.plane([8, 8], angle));
        // Half a turn about (4, 4) takes (1, 2) to (7, 6).
        assert!((straight[7 * 8 + 6] - turned[8 + 2]).abs() < 1e-9);
        assert!(turned[3] == 0.0, "row 0 comes from outside");
    }
}
