//! Few patches that stand for all: greedy selection of k centres.

use std::cmp::Ordering;

use ckaad_conv::BLOCK;
use rayon::prelude::*;

use super::bounds::{Bounds, any_above, centre, limit, subtract};
use super::distance::squared_distance;

/// Points that one task compares, and centres that it compares them with at a time: what fits in a core's cache.
const POINTS: usize = 512;
const CENTRES: usize = 256;
/// Of how many far points the next centres are chosen before all points are looked at again.
const CANDIDATES: usize = 4096;

/// The points that were chosen, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Coreset {
    /// Which they are.
    pub picks: Vec<usize>,
    /// After each, how far from it and those before it the farthest point was.
    pub radii: Vec<f32>,
}

/// Which point is chosen first.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// This one.
    At(usize),
    /// The one whose mean distance to these is the largest. They are not chosen, but no point counts as farther than its mean distance
    /// to them.
    FarFrom(&'a [usize]),
}

/// Chooses `count` points, each the one that is farthest from all chosen before it (of equally far ones the first); fewer, if those
/// coincide with all others.
///
/// The choice is that of comparing every point with every chosen one, bit for bit, but many are compared at a time, as a product of
/// matrices. All points are compared with several new centres at once: distances only shrink, so that among the farthest points the next
/// centres can be told without looking at the others, until the farthest of them are nearer than others were. And a product is enough to
/// see that a point is not nearer to a new centre, up to rounding.
///
/// # Shapes
/// `points`: `[points, dimensions]`, row-major.
///
/// # Panics
/// If the points are no whole rows, there is none, or the start names others.
pub fn k_centres(points: &[f32], dimensions: usize, start: Start<'_>, count: usize) -> Coreset {
    let mut points = Points::new(points, dimensions);
    let mut coreset = Coreset::default();
    let mut new = match start {
        Start::At(first) => vec![first],
        Start::FarFrom(others) => {
            points.keep_near(others);
            let first = points.next_centres(1);
            first.iter().map(|candidate| candidate.index).collect()
        }
    };
    loop {
        points.add_centres(&new);
        coreset.picks.append(&mut new);
        let wanted = count.saturating_sub(coreset.picks.len());
        for candidate in points.next_centres(wanted.max(1)) {
            coreset.radii.push(candidate.distance.sqrt());
            // All others coincide with centres.
            if new.len() == wanted || candidate.distance <= 0.0 {
                coreset.picks.append(&mut new);
                return coreset;
            }
            new.push(candidate.index);
        }
    }
}

/// A point, and the square of its distance to the nearest centre.
#[derive(Clone, Copy)]
struct Candidate {
    distance: f32,
    index: usize,
}

impl Candidate {
    /// The greater is chosen earlier.
    fn order(&self, other: &Self) -> Ordering {
        let distance = self.distance.total_cmp(&other.distance);
        distance.then(other.index.cmp(&self.index))
    }
}

struct Points<'a> {
    /// `[points, dimensions]`.
    values: &'a [f32],
    dimensions: usize,
    /// Amid the points: `[dimensions]`.
    centre: Vec<f32>,
    /// The square of every point's distance to it.
    squares: Vec<f32>,
    /// The square of every point's distance to the nearest centre.
    nearest: Vec<f32>,
}

impl<'a> Points<'a> {
    fn new(values: &'a [f32], dimensions: usize) -> Self {
        let rows = values.par_chunks_exact(dimensions);
        assert!(
            rows.remainder().is_empty() && !values.is_empty(),
            "whole points"
        );
        let centre = centre(values, dimensions, CANDIDATES);
        let squares: Vec<f32> = rows
            .map(|row| squared_distance(row, &centre, f32::INFINITY))
            .collect();
        Self {
            values,
            dimensions,
            centre,
            nearest: vec![f32::INFINITY; squares.len()],
            squares,
        }
    }

    fn point(&self, index: usize) -> &'a [f32] {
        &self.values[index * self.dimensions..][..self.dimensions]
    }

    /// Counts no point as farther than its mean distance to others.
    fn keep_near(&mut self, others: &[usize]) {
        let others: Vec<&[f32]> = others.iter().map(|&other| self.point(other)).collect();
        let points = self.values.par_chunks_exact(self.dimensions);
        self.nearest
            .par_iter_mut()
            .zip(points)
            .for_each(|(nearest, point)| {
                let distance =
                    |other: &&[f32]| squared_distance(point, other, f32::INFINITY).sqrt();
                let mean = others.iter().map(distance).sum::<f32>() / others.len() as f32;
                *nearest = mean * mean;
            });
    }

    /// Compares all points with new centres.
    fn add_centres(&mut self, centres: &[usize]) {
        let dimensions = self.dimensions;
        let centres: Vec<&[f32]> = centres.iter().map(|&centre| self.point(centre)).collect();
        let bounds = centres.chunks(CENTRES).map(|centres| {
            let mut rows = centres.concat();
            subtract(&mut rows, &self.centre);
            Bounds::new(&rows, dimensions)
        });
        let bounds: Vec<Bounds> = bounds.collect();
        let tasks = self
            .nearest
            .par_chunks_mut(POINTS)
            .zip(self.squares.par_chunks(POINTS))
            .zip(self.values.par_chunks(POINTS * dimensions));
        tasks.for_each(|((nearest, squares), points)| {
            let mut centred = points.to_vec();
            subtract(&mut centred, &self.centre);
            for (bounds, centres) in bounds.iter().zip(centres.chunks(CENTRES)) {
                let nearness = bounds.nearness(&centred);
                for (values, centres) in nearness.channel_blocks().zip(centres.chunks(BLOCK)) {
                    let points = points.chunks_exact(dimensions).zip(squares).zip(values);
                    for (nearest, ((point, square), values)) in nearest.iter_mut().zip(points) {
                        let far = limit(bounds.reach(*square), *nearest);
                        if any_above(values, far) {
                            for (centre, _) in centres.iter().zip(values).filter(|it| *it.1 > far) {
                                *nearest = nearest.min(squared_distance(centre, point, *nearest));
                            }
                        }
                    }
                }
            }
        });
    }

    /// The next centres, at least one and at most `most`, in order, each as far as it is when it is chosen.
    fn next_centres(&self, most: usize) -> Vec<Candidate> {
        let all = self.nearest.iter().enumerate();
        let mut candidates: Vec<Candidate> = all
            .map(|(index, &distance)| Candidate { distance, index })
            .collect();
        // What the others have at the most.
        let mut others = None;
        if candidates.len() > CANDIDATES {
            let (_, last, _) = candidates.select_nth_unstable_by(CANDIDATES, |a, b| b.order(a));
            others = Some(*last);
            candidates.truncate(CANDIDATES);
        }
        let mut centres = Vec::new();
        while centres.len() < most {
            let Some(&next) = candidates.iter().max_by(|a, b| a.order(b)) else {
                break;
            };
            if others.is_some_and(|others| next.order(&others) == Ordering::Less) {
                break;
            }
            centres.push(next);
            let centre = self.point(next.index);
            for candidate in &mut candidates {
                let point = self.point(candidate.index);
                let distance = squared_distance(centre, point, candidate.distance);
                candidate.distance = candidate.distance.min(distance);
            }
        }
        centres
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Comparing every point with every chosen one.
    fn by_definition(points: &[f32], dimensions: usize, start: usize, count: usize) -> Vec<usize> {
        let point = |index: usize| &points[index * dimensions..][..dimensions];
        let mut picks = vec![start];
        while picks.len() < count {
            let nearest = |index: &usize| {
                picks
                    .iter()
                    .map(|&pick| squared_distance(point(pick), point(*index), f32::INFINITY))
                    .fold(f32::INFINITY, f32::min)
            };
            let all = 0..points.len() / dimensions;
            picks.extend(all.rev().max_by(|a, b| nearest(a).total_cmp(&nearest(b))));
        }
        picks
    }

    /// Clusters, so that most comparisons are left out, and more points than one task looks at.
    #[test]
    fn what_is_left_out_changes_nothing() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let dimensions = 35;
        let points: Vec<f32> = (0..CANDIDATES + POINTS + 500)
            .flat_map(|index| std::iter::repeat_n((index % 7) as f32, dimensions))
            .map(|centre| centre + random.random_range(-1.0..1.0))
            .collect();
        let found = k_centres(&points, dimensions, Start::At(40), 25);
        assert_eq!(found.picks, by_definition(&points, dimensions, 40, 25));
        assert!(found.radii.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn points_that_coincide_with_chosen_ones_are_not_chosen() {
        let points = [0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 3.0, 4.0, 0.0, 1.0];
        let found = k_centres(&points, 2, Start::At(2), 5);
        assert_eq!(found.picks, [2, 1, 4]);
        assert_eq!(found.radii, [5.0, 1.0, 0.0]);
        // 2.5 and (1 + sqrt(18)) / 2 away on average.
        let far = k_centres(&points, 2, Start::FarFrom(&[0, 1]), 2);
        assert_eq!(far.picks, [4, 1]);
    }
}
