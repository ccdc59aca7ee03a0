//! The search among remembered patches.

use super::distance::norm;
use super::map::transposed;
use crate::graph::{Graph, Value};

/// Remembered patches.
pub(crate) struct Memory {
    /// `[items, channels]`
    items: Value,
    /// `[channels, items]`
    columns: Value,
    /// Half the square of every item's length: `[items]`.
    half_squares: Value,
    count: usize,
}

/// What is nearest to patches.
#[derive(Clone, Copy)]
pub(crate) struct Nearest {
    /// Which item.
    pub(crate) item: Value,
    /// Its Euclidean distance.
    pub(crate) distance: Value,
}

/// Items that are looked at more closely than the product tells for each that is asked for.
const CANDIDATES: usize = 2;

impl Memory {
    /// `items`: `[items, channels]`, row-major, which is the constant of that name.
    pub(crate) fn new(graph: &mut Graph, constant: Value, items: &[f32], channels: usize) -> Self {
        let count = items.len() / channels;
        let columns = transposed(items, channels);
        let half = |item: &[f32]| item.iter().map(|x| x * x).sum::<f32>() / 2.0;
        let half_squares: Vec<f32> = items.chunks_exact(channels).map(half).collect();
        Self {
            items: constant,
            columns: graph.floats(&[channels, count], &columns),
            half_squares: graph.floats(&[count], &half_squares),
            count,
        }
    }

    /// `|m|^2 / 2 - p m` for every item `m`, which is the smaller, the nearer it is: patches `[..., channels]` make `[..., items]`.
    fn nearness(&self, graph: &mut Graph, patches: Value) -> Value {
        let products = graph.matmul(patches, self.columns);
        graph.sub(self.half_squares, products)
    }

    /// What is nearest to patches `[N, positions, channels]`: `[N, positions]`. The product says which item, its distance is computed from the
    /// differences.
    pub(crate) fn nearest(&self, graph: &mut Graph, patches: Value) -> Nearest {
        let nearness = self.nearness(graph, patches);
        let item = graph.place_of_smallest(nearness, -1);
        let found = graph.gather(self.items, item, 0);
        let difference = graph.sub(patches, found);
        let distance = norm(graph, difference);
        Nearest { item, distance }
    }

    /// The score of images from their patches that are farthest from the memory, each one `[N, channels]`, and what is nearest to it: the
    /// less, the more its nearest item is alone among its own `neighbours` (itself the first of them).
    pub(crate) fn reweighted(
        &self,
        graph: &mut Graph,
        patch: Value,
        nearest: Nearest,
        neighbours: usize,
    ) -> Value {
        let count = neighbours.min(self.count);
        if count < 2 {
            return nearest.distance;
        }
        let item = graph.gather(self.items, nearest.item, 0);
        let around = self.neighbours(graph, item, count);
        let patch = graph.unsqueeze(patch, 1);
        let differences = graph.sub(patch, around);
        let distances = norm(graph, differences);
        // Differences in the exponent, which may be large.
        let own = graph.unsqueeze(nearest.distance, 1);
        let exponents = graph.sub(distances, own);
        let terms = graph.exp(exponents);
        let sum = graph.sum(terms, &[1]);
        let one = graph.scalar(1.0);
        let share = graph.div(one, sum);
        let weight = graph.sub(one, share);
        graph.mul(nearest.distance, weight)
    }

    /// The items nearest to each of some: `[N, channels]` makes `[N, count, channels]`. The product proposes some, their distances choose.
    fn neighbours(&self, graph: &mut Graph, item: Value, count: usize) -> Value {
        let proposed = (CANDIDATES * count).min(self.count);
        let nearness = self.nearness(graph, item);
        let places = graph.places_of_bottom(nearness, proposed);
        let proposed = graph.gather(self.items, places, 0);
        let item = graph.unsqueeze(item, 1);
        let differences = graph.sub(proposed, item);
        let distances = norm(graph, differences);
        let chosen = graph.places_of_bottom(distances, count);
        let chosen = graph.unsqueeze(chosen, -1);
        graph.row_of_each(proposed, chosen)
    }
}
