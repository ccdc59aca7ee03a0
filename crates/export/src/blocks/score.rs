//! From maps and positions to scores.

use ckaad_anomaly_map::ImageScore;

use crate::graph::{Graph, Value};

/// How many pixels [`ImageScore::Top100`] looks at.
const TOP: usize = 100;

/// The score `[N]` of a map `[N, height, width]` of so many pixels.
pub(crate) fn image_score(
    graph: &mut Graph,
    score: ImageScore,
    map: Value,
    pixels: usize,
) -> Value {
    let flat = graph.reshape(map, &[0, -1]);
    match score {
        ImageScore::Max => graph.largest(flat, &[1]),
        ImageScore::Top100 if pixels > TOP => {
            let top = graph.top(flat, TOP);
            graph.mean(top, &[1])
        }
        ImageScore::Top100 | ImageScore::Mean => graph.mean(flat, &[1]),
    }
}

/// The mean of the largest tenth (at least one) of so many positions: `[N, positions]` makes `[N]`.
pub(crate) fn top_tenth(graph: &mut Graph, sizes: Value, positions: usize) -> Value {
    let top = graph.top(sizes, (positions / 10).max(1));
    graph.mean(top, &[1])
}

/// The mean of several values of one shape.
pub(crate) fn mean_of(graph: &mut Graph, values: &[Value]) -> Value {
    let mut sum = values[0];
    for value in &values[1..] {
        sum = graph.add(sum, *value);
    }
    graph.scale(sum, (values.len() as f32).recip())
}
