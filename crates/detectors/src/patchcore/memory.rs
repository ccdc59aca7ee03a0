//! The patches of normal images that are kept, and the search in them.

use rayon::prelude::*;

use super::distance::squared_distance;
use crate::matrix::{Matrix, multiply};

/// Patches that one task searches for.
const PATCHES: usize = 64;
/// Items that a task compares them with at a time: what fits in a core's cache.
const ITEMS: usize = 256;

/// What is nearest to a patch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Which item of the memory; of equally near ones the first.
    pub item: usize,
    /// Its Euclidean distance.
    pub distance: f32,
}

/// Patches to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    /// `[items, channels]`, row-major.
    items: Vec<f32>,
    channels: usize,
    /// Half the square of every item's length.
    half_squares: Vec<f32>,
}

impl Memory {
    /// # Shapes
    /// `items`: `[items, channels]`, row-major.
    ///
    /// # Panics
    /// If there is no item, or they are no whole rows.
    pub fn new(items: Vec<f32>, channels: usize) -> Self {
        let rows = items.chunks_exact(channels);
        assert!(
            rows.len() > 0 && rows.remainder().is_empty(),
            "whole items, at least one"
        );
        let half_squares = rows.map(|item| item.iter().map(|x| x * x).sum::<f32>() / 2.0);
        Self {
            half_squares: half_squares.collect(),
            items,
            channels,
        }
    }

    /// How many items there are.
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.half_squares.len()
    }

    /// `[items, channels]`, row-major.
    pub fn items(&self) -> &[f32] {
        &self.items
    }

    /// One of the items: `[channels]`.
    ///
    /// # Panics
    /// If there is none of that number.
    pub fn item(&self, index: usize) -> &[f32] {
        &self.items[index * self.channels..][..self.channels]
    }

    /// What is nearest to every patch, by products of matrices. Which item that is follows from `|m|^2 / 2 - p m`; its distance is then
    /// computed from the difference, which loses nothing where they are close.
    ///
    /// # Shapes
    /// `patches`: `[channels, patches]`, row-major.
    ///
    /// # Panics
    /// If the patches have another number of channels.
    pub fn nearest(&self, patches: &[f32]) -> Vec<Nearest> {
        let count = patches.len() / self.channels;
        let all = Matrix::rows(patches, count).transposed();
        let all_items = Matrix::rows(&self.items, self.channels);
        let tasks = count.div_ceil(PATCHES);
        let nearest = (0..tasks).into_par_iter().flat_map_iter(|task| {
            let these = task * PATCHES..count.min((task + 1) * PATCHES);
            let mut rows = vec![0.0; these.len() * self.channels];
            all.some_rows(these.clone()).copy_to(&mut rows);
            let columns = Matrix::rows(&rows, self.channels).transposed();
            let mut best = vec![(f32::INFINITY, 0_u32); these.len()];
            let mut products = vec![0.0; ITEMS * these.len()];
            for first in (0..self.len()).step_by(ITEMS) {
                let items = first..self.len().min(first + ITEMS);
                let products = &mut products[..items.len() * these.len()];
                multiply(all_items.some_rows(items.clone()), columns, products);
                for (item, products) in items.zip(products.chunks_exact(these.len())) {
                    let half_square = self.half_squares[item];
                    for ((least, which), product) in best.iter_mut().zip(products) {
                        let value = half_square - product;
                        let nearer = value < *least;
                        *least = if nearer { value } else { *least };
                        *which = if nearer { item as u32 } else { *which };
                    }
                }
            }
            let patches = rows.chunks_exact(self.channels).zip(best);
            let nearest = patches.map(|(patch, (_, item))| Nearest {
                item: item as usize,
                distance: distance(patch, self.item(item as usize)),
            });
            nearest.collect::<Vec<_>>()
        });
        nearest.collect()
    }

    /// The `count` items (all, if there are no more) that are nearest to `patch`, the nearest first.
    ///
    /// # Shapes
    /// `patch`: `[channels]`.
    pub fn neighbours(&self, patch: &[f32], count: usize) -> Vec<Nearest> {
        let items = self.items.par_chunks_exact(self.channels).enumerate();
        let mut all: Vec<Nearest> = items
            .map(|(item, values)| Nearest {
                item,
                distance: distance(patch, values),
            })
            .collect();
        let nearer = |a: &Nearest, b: &Nearest| {
            let order = a.distance.total_cmp(&b.distance);
            order.then(a.item.cmp(&b.item))
        };
        if count < all.len() {
            all.select_nth_unstable_by(count, nearer);
            all.truncate(count);
        }
        all.sort_unstable_by(nearer);
        all
    }

    /// The score of an image from that of its patch which is farthest from the memory: the less, the more its nearest item is alone
    /// among its own `count` neighbours (itself the first of them). With fewer than two neighbours that is the patch's distance.
    ///
    /// # Shapes
    /// `patch`: `[channels]`.
    pub fn reweighted(&self, patch: &[f32], nearest: Nearest, count: usize) -> f64 {
        let around = self.neighbours(self.item(nearest.item), count);
        let own = f64::from(nearest.distance);
        if around.len() < 2 {
            return own;
        }
        // Differences in the exponent, which may be large.
        let sum: f64 = around
            .iter()
            .map(|neighbour| f64::from(distance(patch, self.item(neighbour.item))))
            .map(|distance| (distance - own).exp())
            .sum();
        own * (1.0 - 1.0 / sum)
    }
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    squared_distance(a, b, f32::INFINITY).sqrt()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// More items and patches than a block of either.
    #[test]
    fn products_find_what_comparing_one_by_one_finds() {
        let (channels, patches) = (20, PATCHES + 9);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut values = |count: usize| (0..count).map(|_| random.random_range(0.0..1.0)).collect();
        let memory = Memory::new(values((2 * ITEMS + 5) * channels), channels);
        let planes: Vec<f32> = values(channels * patches);
        let found = memory.nearest(&planes);
        assert_eq!(found.len(), patches);
        for (patch, found) in found.into_iter().enumerate() {
            let patch: Vec<f32> = planes[patch..].iter().step_by(patches).copied().collect();
            assert_eq!(memory.neighbours(&patch, 3)[0], found);
        }
    }

    #[test]
    fn an_item_alone_weighs_less() {
        let memory = Memory::new(vec![0.0, 1.0, 9.0], 1);
        let nearest = memory.nearest(&[11.0])[0];
        assert_eq!(
            nearest,
            Nearest {
                item: 2,
                distance: 2.0
            }
        );
        // 9 is itself at 2, its neighbour 1 at 10.
        let expected = 2.0 * (1.0 - 1.0 / (1.0 + 8.0_f64.exp()));
        assert!((memory.reweighted(&[11.0], nearest, 2) - expected).abs() < 1e-9);
        assert_eq!(memory.reweighted(&[11.0], nearest, 1), 2.0);
    }
}
