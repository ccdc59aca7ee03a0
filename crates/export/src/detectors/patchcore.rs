use ckaad_anomaly_map::Align;
use ckaad_detectors::patchcore::{Form, NUMBERS, Settings, window};

use super::{Inputs, Scored};
use crate::ExportError;
use crate::blocks::Scale;
use crate::blocks::map::{anomaly_map, resized};
use crate::blocks::nearest::{Memory, Nearest};
use crate::graph::{Graph, Value};
use crate::weights::Weights;

const ITEMS: &str = "items";

/// The distance of patches from those that are remembered.
pub(super) fn draw(
    graph: &mut Graph,
    settings: &Settings,
    inputs: &Inputs<'_>,
    weights: &Weights<'_>,
) -> Result<Scored, ExportError> {
    let [_, height, width] = inputs.features[0].shape;
    let patches = match settings.form {
        Form::Means => means(graph, inputs.features),
        Form::Neighbourhoods => neighbourhoods(graph, inputs.features),
    };
    let channels = patches.shape[0];
    let flat = graph.reshape(patches.value, &[0, channels as i64, -1]);
    let patches = graph.transpose(flat, &[0, 2, 1]);
    let constant = weights.constant(graph, ITEMS)?;
    let memory = Memory::new(graph, constant, weights.values(ITEMS)?, channels);
    let nearest = memory.nearest(graph, patches);
    let (score, distances) = match settings.form {
        Form::Means => {
            let place = graph.place_of_largest(nearest.distance, 1);
            let place = graph.unsqueeze(place, 1);
            let [patch, item, distance] = [patches, nearest.item, nearest.distance]
                .map(|values| graph.row_of_each(values, place));
            let farthest = Nearest { item, distance };
            let score = memory.reweighted(graph, patch, farthest, settings.neighbours);
            (score, nearest.distance)
        }
        Form::Neighbourhoods => {
            let squares = graph.square(nearest.distance);
            (graph.largest(squares, &[1]), squares)
        }
    };
    let distances = graph.reshape(distances, &[0, height as i64, width as i64]);
    let mapper = inputs.mapper(Align::Edges);
    Ok(Scored {
        score,
        map: Some(anomaly_map(graph, &mapper, &[(distances, [height, width])])),
    })
}

/// The means of 3 x 3 positions of every channel, coarser scales enlarged to the finest grid.
fn means(graph: &mut Graph, scales: &[Scale]) -> Scale {
    on_finest_grid(graph, scales, |graph, scale| {
        let means = graph.neighbourhood_means(scale.value);
        scale.with(means, scale.shape[0])
    })
}

/// All numbers of 3 x 3 positions averaged down to 1024 of each scale, and those of all scales to 1024 again: means of neighbours in a
/// list, which a convolution takes.
fn neighbourhoods(graph: &mut Graph, scales: &[Scale]) -> Scale {
    let joined = on_finest_grid(graph, scales, |graph, scale| averaged(graph, scale, 3));
    averaged(graph, &joined, 1)
}

/// The numbers of `kernel` x `kernel` positions by channel, row and column, averaged down to 1024.
fn averaged(graph: &mut Graph, scale: &Scale, kernel: usize) -> Scale {
    let outputs = NUMBERS;
    let inputs = scale.shape[0] * kernel * kernel;
    let mut weights = vec![0.0; outputs * inputs];
    for (number, row) in weights.chunks_exact_mut(inputs).enumerate() {
        let window = window(number, inputs, outputs);
        let share = 1.0 / window.len() as f32;
        row[window].fill(share);
    }
    let shape = [outputs, scale.shape[0], kernel, kernel];
    let weights = graph.floats(&shape, &weights);
    let value = graph.conv(&[scale.value, weights], kernel, 1);
    scale.with(value, outputs)
}

/// What is made of every scale, enlarged to the finest grid, channels after channels.
fn on_finest_grid(
    graph: &mut Graph,
    scales: &[Scale],
    make: impl Fn(&mut Graph, &Scale) -> Scale,
) -> Scale {
    let [_, height, width] = scales[0].shape;
    let mut channels = 0;
    let mut all: Vec<Value> = Vec::new();
    for scale in scales {
        let made = make(graph, scale);
        let [count, rows, columns] = made.shape;
        channels += count;
        let (from, to) = ([rows, columns], [height, width]);
        all.push(resized(graph, made.value, from, to, Align::Edges));
    }
    let value = graph.concat(&all, 1);
    scales[0].with(value, channels)
}
