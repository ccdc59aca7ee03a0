use ckaad_anomaly_map::{Align, ImageScore};
use ckaad_detectors::padim::{Covariance, Settings};
use rayon::prelude::*;

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::distance::norm;
use crate::blocks::map::anomaly_map;
use crate::blocks::score::image_score;
use crate::blocks::triangular::inverse;
use crate::graph::{Graph, Value};
use crate::weights::Weights;

/// The Mahalanobis distance at every position.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let [_, height, width] = inputs.features[0].shape;
    let channels = weights.values("channels")?;
    let channels: Vec<usize> = channels.iter().map(|&channel| channel as usize).collect();
    // `[N, positions, channels]`
    let embedding = embedding(graph, inputs.features, &channels);
    let mean = weights.constant(graph, "mean")?;
    let centred = graph.sub(embedding, mean);
    let deviations = match settings.covariance {
        Covariance::Diagonal => {
            let factor = weights.constant(graph, "factor")?;
            graph.div(centred, factor)
        }
        Covariance::Full => {
            let inverses = inverses(weights.values("factor")?, height * width, channels.len());
            let shape = [height * width, channels.len(), channels.len()];
            let inverses = graph.floats(&shape, &inverses);
            // A product for every position, of all images at once.
            let columns = graph.transpose(centred, &[1, 2, 0]);
            let solved = graph.matmul(inverses, columns);
            graph.transpose(solved, &[2, 0, 1])
        }
    };
    let distances = norm(graph, deviations);
    let distances = graph.reshape(distances, &[0, height as i64, width as i64]);
    let mapper = inputs.mapper(Align::Edges);
    let map = anomaly_map(graph, &mapper, &[(distances, [height, width])]);
    Ok(Scored {
        score: image_score(graph, ImageScore::Max, map, inputs.pixels()),
        map: Some(map),
    })
}

/// Some channels at every position of the finest grid, to which coarser scales are brought by repeating their positions:
/// `[N, positions, channels]`.
fn embedding(graph: &mut Graph, scales: &[Scale], channels: &[usize]) -> Value {
    let [_, height, width] = scales[0].shape;
    // Channels by scale, and where each stands among all that are taken.
    let (mut all, mut places) = (Vec::new(), vec![0; channels.len()]);
    let (mut first, mut taken) = (0, 0);
    for scale in scales {
        let [count, rows, columns] = scale.shape;
        let mut within = Vec::new();
        for (place, channel) in places.iter_mut().zip(channels) {
            if (first..first + count).contains(channel) {
                *place = taken;
                within.push(channel - first);
                taken += 1;
            }
        }
        first += count;
        if within.is_empty() {
            continue;
        }
        let mut x = graph.select(scale.value, &within, 1);
        for (axis, from, to) in [(2, rows, height), (3, columns, width)] {
            if from != to {
                let repeated: Vec<usize> = (0..to).map(|at| at * from / to).collect();
                x = graph.select(x, &repeated, axis);
            }
        }
        all.push(x);
    }
    let joined = graph.concat(&all, 1);
    let ordered = graph.select(joined, &places, 1);
    let flat = graph.reshape(ordered, &[0, channels.len() as i64, -1]);
    graph.transpose(flat, &[0, 2, 1])
}

/// The inverses `[positions, n, n]` of Cholesky factors whose columns, from the diagonal on, stand one after another.
fn inverses(factors: &[f32], positions: usize, n: usize) -> Vec<f32> {
    let mut inverses = vec![0.0; positions * n * n];
    inverses
        .par_chunks_exact_mut(n * n)
        .zip(factors.par_chunks_exact(n * (n + 1) / 2))
        .for_each(|(out, packed)| {
            let mut lower = vec![0.0; n * n];
            let elements = (0..n).flat_map(|column| (column..n).map(move |row| row * n + column));
            for (element, value) in elements.zip(packed) {
                lower[element] = f64::from(*value);
            }
            out.copy_from_slice(&inverse(&lower, n));
        });
    inverses
}
