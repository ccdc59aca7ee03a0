//! The patches of normal images that are kept, and the search in them.

use ckaad_conv::BLOCK;
use rayon::prelude::*;

use super::bounds::{Bounds, any_above, centre, limit, most_promising, square, subtract};
use super::distance::squared_distance;
use super::shadow::Shadows;
use crate::matrix::Matrix;

/// Patches that one task searches for.
const PATCHES: usize = 32;
/// Items of which the centre is computed at most.
const SAMPLE: usize = 4096;

/// What is nearest to a patch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// Which item of the memory; of equally near ones the first.
    pub item: usize,
    /// Its Euclidean distance.
    pub distance: f32,
}

/// A patch that is searched for, and what is nearest to it so far.
struct Searched<'a> {
    patch: &'a [f32],
    /// No item is nearer than this less its nearness: half the square of the distance.
    reach: f32,
    /// The square of the distance to the item.
    square: f32,
    item: usize,
}

impl Searched<'_> {
    fn compare(&mut self, item: usize, values: &[f32]) {
        let square = squared_distance(self.patch, values, self.square.next_up());
        if square < self.square || (square == self.square && item < self.item) {
            (self.square, self.item) = (square, item);
        }
    }
}

/// Patches to compare with.
#[derive(Clone)]
pub struct Memory {
    /// `[items, channels]`, row-major.
    items: Vec<f32>,
    channels: usize,
    shadows: Option<Shadows>,
    /// The square of the length of the longest of the items' shadows; without shadows, of the items themselves.
    longest: f32,
    /// Amid those.
    centre: Vec<f32>,
    /// Those, from there.
    bounds: Bounds,
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
        let mut seen = see(shadows.as_ref(), &items);
        let numbers = seen.len() / rows.len();
        let longest = seen.chunks_exact(numbers).map(square).fold(0.0, f32::max);
        let centre = centre(&seen, numbers, SAMPLE);
        subtract(&mut seen, &centre);
        Self {
            bounds: Bounds::new(&seen, numbers),
            items,
            channels,
            shadows,
            longest,
            centre,
        }
    }

    /// How many items there are.
    #[allow(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.items.len() / self.channels
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
        let nearest = tasks.zip(seen.par_chunks(PATCHES * self.centre.len()));
        let nearest = nearest.flat_map_iter(|(patches, seen)| self.search(patches, seen));
        nearest.collect()
    }

    /// What is nearest to each of few patches.
    ///
    /// # Shapes
    /// `patches`: `[patches, channels]`; `seen`: `[patches, numbers]`.
    fn search(&self, patches: &[f32], seen: &[f32]) -> Vec<Nearest> {
        let numbers = self.centre.len();
        // What is seen is computed in single precision, and so are distances: both are wrong by no more than this share of the squares.
        let wrong = (self.channels + 64) as f32 * f32::EPSILON;
        let rooms = seen.chunks_exact(numbers).map(square);
        let rooms = rooms.map(|square| wrong * (square + self.longest) / 2.0);
        let mut from_centre = seen.to_vec();
        subtract(&mut from_centre, &self.centre);
        let nearness = self.bounds.nearness(&from_centre);
        let reaches = from_centre.chunks_exact(numbers).map(square);
        let reaches = reaches.map(|square| self.bounds.reach(square));
        let patches = patches.chunks_exact(self.channels).zip(reaches.zip(rooms));
        let searched =
            patches
                .zip(most_promising(&nearness))
                .map(|((patch, (reach, room)), item)| Searched {
                    patch,
                    reach: reach - room,
                    square: squared(patch, self.item(item)),
                    item,
                });
        let mut searched: Vec<Searched<'_>> = searched.collect();
        for (block, values) in nearness.channel_blocks().enumerate() {
            for (searched, values) in searched.iter_mut().zip(values) {
                // As near as what is nearest so far counts, too: of equally near ones it is the first.
                let farther = limit(searched.reach, searched.square).next_down();
                if any_above(values, farther) {
                    for (value, item) in values.iter().zip(block * BLOCK..self.len()) {
                        if *value > farther {
                            searched.compare(item, self.item(item));
                        }
                    }
                }
            }
        }
        let nearest = searched.iter().map(|searched| Nearest {
            item: searched.item,
            distance: searched.square.sqrt(),
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

fn squared(a: &[f32], b: &[f32]) -> f32 {
    squared_distance(a, b, f32::INFINITY)
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    squared(a, b).sqrt()
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
            let memory = Memory::new(values((8 * BLOCK + 5) * channels), channels);
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
