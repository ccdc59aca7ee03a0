//! Images by formula: one coarse picture for all, noise of their own, and defects.

use anyhow::ensure;
use burn::tensor::{Tensor, TensorData};
use ckaad_data::PerlinNoise;
use serde::Deserialize;

use super::figures::Figures;
use super::networks::devices;
use crate::formula::uniform;

/// Channels.
const COLOURS: usize = 3;
/// Side of the coarse picture.
const COARSE: usize = 4;

/// Which images: of `side` pixels, in [-1, 1) or, in `unit` range, [0, 1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Images {
    pub(super) side: usize,
    pub(super) unit: bool,
    pub(super) seed: u64,
}

/// Clean images, corrupted ones, and masks of where.
pub(super) struct Corrupted {
    pub(super) clean: Tensor<4>,
    pub(super) corrupted: Tensor<4>,
    pub(super) masks: Tensor<4>,
}

impl Images {
    fn length(self) -> usize {
        COLOURS * self.side * self.side
    }

    fn tensor(self, values: Vec<f32>, channels: usize) -> Tensor<4> {
        let count = values.len() / (channels * self.side * self.side);
        let shape = [count, channels, self.side, self.side];
        Tensor::from_data(TensorData::new(values, shape), &devices()[0])
    }

    fn ranged(self, values: &mut [f32]) {
        if self.unit {
            values
                .iter_mut()
                .for_each(|value| *value = 0.5 + 0.5 * *value);
        }
    }

    /// `base / 2 + noise / 4`, those of `defect` with other noise in a square.
    fn values(self, name: &str, count: usize, defect: &[usize]) -> Vec<f32> {
        let side = self.side;
        let base = uniform("image.base", COLOURS * COARSE * COARSE, self.seed);
        let mut values = uniform(name, count * self.length(), self.seed);
        for (at, value) in values.iter_mut().enumerate() {
            let (row, column) = (at / side % side, at % side);
            let channel = at / (side * side) % COLOURS;
            let coarse = |at: usize| at * COARSE / side;
            let base = base[(channel * COARSE + coarse(row)) * COARSE + coarse(column)];
            *value = 0.5 * base + 0.25 * *value;
        }
        if !defect.is_empty() {
            let other = uniform(&format!("{name}.defect"), values.len(), self.seed);
            let square = side / 4..side / 2;
            for at in 0..values.len() {
                let inside = square.contains(&(at / side % side)) && square.contains(&(at % side));
                if inside && defect.contains(&(at / self.length())) {
                    values[at] = other[at];
                }
            }
        }
        values
    }

    /// Images of that name, those of `defect` with a square of other values.
    pub(super) fn of(self, name: &str, count: usize, defect: &[usize]) -> Tensor<4> {
        let mut values = self.values(name, count, defect);
        self.ranged(&mut values);
        self.tensor(values, COLOURS)
    }

    /// The normal images of a step, those of `which` with a rectangle of a texture blended in.
    pub(super) fn corrupted(self, step: usize, count: usize, which: &[usize]) -> Corrupted {
        let side = self.side;
        let mut clean = self.values(&format!("normal.{step}"), count, &[]);
        let mut texture = uniform(&format!("texture.{step}"), clean.len(), self.seed);
        self.ranged(&mut clean);
        self.ranged(&mut texture);
        let mut corrupted = clean.clone();
        let mut masks = vec![0.0; count * side * side];
        for &image in which {
            let share = image as f32 / 8.0;
            for row in side / 4..side / 2 {
                for column in image * side / 8..image * side / 8 + side / 4 {
                    masks[(image * side + row) * side + column] = 1.0;
                    for channel in 0..COLOURS {
                        let at = ((image * COLOURS + channel) * side + row) * side + column;
                        corrupted[at] = (1.0 - share) * texture[at] + share * clean[at];
                    }
                }
            }
        }
        Corrupted {
            clean: self.tensor(clean, COLOURS),
            corrupted: self.tensor(corrupted, COLOURS),
            masks: self.tensor(masks, 1),
        }
    }
}

/// Which noise a case records.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Perlin {
    side: usize,
    rows: usize,
    columns: usize,
}

impl Perlin {
    /// Compares Perlin noise of gradients by formula, and where it is above a half.
    pub(super) fn compare(self, figures: &mut Figures<'_>, seed: u64) -> anyhow::Result<()> {
        let corners = (self.rows + 1) * (self.columns + 1);
        let vectors = uniform("perlin.gradient", 2 * corners, seed);
        let (vectors, rest) = vectors.as_chunks();
        ensure!(rest.is_empty(), "vectors have two numbers");
        let vectors: Vec<[f64; 2]> = vectors
            .iter()
            .map(|v: &[f32; 2]| v.map(f64::from))
            .collect();
        let noise = PerlinNoise::new([self.rows, self.columns], &vectors);
        let plane = noise.plane([self.side; 2], 0.0);
        let mask: Vec<f64> = plane
            .iter()
            .map(|x| f64::from(u8::from(*x > 0.5)))
            .collect();
        figures.indices("perlin.mask_pixels", [mask.iter().sum::<f64>() as usize])?;
        figures.tensor("perlin.mask", mask)?;
        let gaps = plane.iter().map(|noise| (noise - 0.5).abs());
        let gap = gaps.fold(f64::INFINITY, f64::min);
        figures.scalars("perlin.smallest_gap", [gap])?;
        figures.tensor("perlin.noise", plane)
    }
}
