//! The patches of normal images that are kept, and the search in them.

use rayon::prelude::*;

use super::distance::squared_distance;
use super::shadow::Shadows;
use crate::matrix::{Matrix, multiply};

/// Patches that one task searches for.
const PATCHES: usize = 32;
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
    shadows: Option<Shadows>,
    /// Shadows of the items; without, the items themselves.
    seen: Vec<f32>,
    /// Half the square of every seen item's length.
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
        let shadows = Shadows::new(&items, channels);
        let seen = see(shadows.as_ref(), &items);
        let numbers = seen.len() / rows.len();
        let half_squares = seen.chunks_exact(numbers).map(half_square).collect();
        Self {
            items,
            channels,
            shadows,
            seen,
            half_squares,
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

    /// What is nearest to every patch. Products of matrices tell for all items how near they are at least; distances are then computed to
    /// those alone that may be the nearest.
    ///
    /// # Shapes
    /// `patches`: `[channels, patches]`, row-major.
    ///
    /// # Panics
    /// If the patches have another number of channels.
    pub fn nearest(&self, patches: &[f32]) -> Vec<Nearest> {
        let count = patches.len() / self.channels;
        let mut rows = vec![0.0; patches.len()];
        Matrix::rows(patches, count).transposed().copy_to(&mut rows);
        let seen = see(self.shadows.as_ref(), &rows);
        let tasks = rows.par_chunks(PATCHES * self.channels);
        let nearest = tasks.zip(seen.par_chunks(PATCHES * self.numbers()));
        let nearest = nearest.flat_map_iter(|(patches, seen)| self.search(patches, seen));
        nearest.collect()
    }

    /// Numbers of what is seen of an item.
    fn numbers(&self) -> usize {
        self.seen.len() / self.len()
    }

    /// What is nearest to each of few patches.
    ///
    /// # Shapes
    /// `patches`: `[patches, channels]`; `seen`: `[patches, numbers]`.
    fn search(&self, patches: &[f32], seen: &[f32]) -> Vec<Nearest> {
        let patches: Vec<&[f32]> = patches.chunks_exact(self.channels).collect();
        let nearness = self.nearness(seen);
        let mut best = vec![(f32::INFINITY, 0); patches.len()];
        for (item, values) in nearness.chunks_exact(patches.len()).enumerate() {
            for ((least, which), &value) in best.iter_mut().zip(values) {
                let nearer = value < *least;
                *least = if nearer { value } else { *least };
                *which = if nearer { item } else { *which };
            }
        }
        // What is computed in single precision is wrong by no more than this share of the squares.
        let wrong = (self.channels + 64) as f32 * f32::EPSILON;
        let half_squares: Vec<f32> = seen.chunks_exact(self.numbers()).map(half_square).collect();
        let limit = |patch: usize, square: f32| square / 2.0 - (1.0 - wrong) * half_squares[patch];
        // The square of the distance, and the item.
        let mut nearest: Vec<(f32, usize)> = patches
            .iter()
            .zip(&best)
            .map(|(patch, &(_, item))| (squared(patch, self.item(item)), item))
            .collect();
        let distances = nearest.iter().enumerate();
        let mut limits: Vec<f32> = distances.map(|(patch, it)| limit(patch, it.0)).collect();
        let items = nearness.chunks_exact(patches.len()).zip(&self.half_squares);
        for (item, (values, half_square)) in items.enumerate() {
            let certain = wrong * half_square;
            let lanes = values.iter().zip(&limits);
            if lanes.fold(true, |all, (value, limit)| all & (value - certain > *limit)) {
                continue;
            }
            for (patch, value) in values.iter().enumerate() {
                if value - certain > limits[patch] {
                    continue;
                }
                let (least, which) = nearest[patch];
                let square = squared_distance(patches[patch], self.item(item), least.next_up());
                if square < least || (square == least && item < which) {
                    nearest[patch] = (square, item);
                    limits[patch] = limit(patch, square);
                }
            }
        }
        let nearest = nearest.into_iter().map(|(square, item)| Nearest {
            item,
            distance: square.sqrt(),
        });
        nearest.collect()
    }

    /// `|m|^2 / 2 - p m` for what is seen of every item `m` and of every patch `p`: half the square of their distance, less what is the same
    /// for all items.
    ///
    /// # Shapes
    /// `seen`: `[patches, numbers]`; `[items, patches]`.
    fn nearness(&self, seen: &[f32]) -> Vec<f32> {
        let numbers = self.numbers();
        let columns = Matrix::rows(seen, numbers).transposed();
        let patches = seen.len() / numbers;
        let mut values = vec![0.0; self.len() * patches];
        let blocks = self.seen.chunks(ITEMS * numbers);
        let blocks = blocks.zip(self.half_squares.chunks(ITEMS));
        for ((items, half_squares), values) in blocks.zip(values.chunks_mut(ITEMS * patches)) {
            multiply(Matrix::rows(items, numbers), columns, values);
            for (values, half_square) in values.chunks_exact_mut(patches).zip(half_squares) {
                values
                    .iter_mut()
                    .for_each(|value| *value = half_square - *value);
            }
        }
        values
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

fn squared(a: &[f32], b: &[f32]) -> f32 {
    squared_distance(a, b, f32::INFINITY)
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    squared(a, b).sqrt()
}

fn half_square(values: &[f32]) -> f32 {
    values.iter().map(|x| x * x).sum::<f32>() / 2.0
}

/// What the search looks at first.
fn see(shadows: Option<&Shadows>, points: &[f32]) -> Vec<f32> {
    shadows.map_or_else(|| points.to_vec(), |shadows| shadows.cast(points))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// More items and patches than a block of either, without shadows and with them.
    #[test]
    fn products_find_what_comparing_one_by_one_finds() {
        for channels in [20, 200] {
            let patches = PATCHES + 9;
            let mut random = ChaCha8Rng::seed_from_u64(1);
            let mut values =
                |count: usize| (0..count).map(|_| random.random_range(0.0..1.0)).collect();
            let memory = Memory::new(values((2 * ITEMS + 5) * channels), channels);
            assert_eq!(memory.shadows.is_some(), channels > 20);
            let planes: Vec<f32> = values(channels * patches);
            let found = memory.nearest(&planes);
            assert_eq!(found.len(), patches);
            for (patch, found) in found.into_iter().enumerate() {
                let patch: Vec<f32> = planes[patch..].iter().step_by(patches).copied().collect();
                assert_eq!(memory.neighbours(&patch, 3)[0], found);
            }
        }
    }

    #[test]
    fn of_equally_near_items_it_is_the_first() {
        for channels in [2, 200] {
            let items = [3.0, 1.0, 1.0, 2.0]
                .map(|value: f32| vec![value; channels])
                .concat();
            let memory = Memory::new(items, channels);
            let found = memory.nearest(&vec![1.5; channels])[0];
            assert_eq!(
                (found.item, found.distance),
                (1, 0.5 * (channels as f32).sqrt())
            );
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
