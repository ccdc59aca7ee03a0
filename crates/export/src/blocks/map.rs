//! From the maps of scales to one of an image.

use ckaad_anomaly_map::{Align, AnomalyMapper, gaussian_filter, upsample};

use crate::graph::{Graph, Value};

/// A map of a scale: `[N, height, width]`, and its height and width.
pub(crate) type ScaleMap = (Value, [usize; 2]);

/// The sum of the maps of all scales, each enlarged, and smoothed as the mapper does: `[N, height, width]`.
///
/// Enlarging and smoothing are linear, along rows and along columns by themselves, so that both together are two products with a matrix.
pub(crate) fn anomaly_map(graph: &mut Graph, mapper: &AnomalyMapper, scales: &[ScaleMap]) -> Value {
    sum(graph, scales, [mapper.height, mapper.width], |from, to| {
        let mut matrix = enlargement(from, to, mapper.align);
        smooth(&mut matrix, from, mapper.sigma);
        matrix
    })
}

/// The sum of the maps of all scales, each enlarged: `[N, height, width]`.
pub(crate) fn enlarged(
    graph: &mut Graph,
    scales: &[ScaleMap],
    to: [usize; 2],
    align: Align,
) -> Value {
    sum(graph, scales, to, |from, to| enlargement(from, to, align))
}

fn sum(
    graph: &mut Graph,
    scales: &[ScaleMap],
    to: [usize; 2],
    matrix: impl Fn(usize, usize) -> Vec<f32>,
) -> Value {
    let mut sum = None;
    for &(map, from) in scales {
        let map = along_both(graph, map, from, to, &matrix);
        sum = Some(match sum {
            Some(sum) => graph.add(sum, map),
            None => map,
        });
    }
    sum.unwrap_or_else(|| graph.scalar(0.0))
}

/// Maps `[..., height, width]` on a grid of another size.
pub(crate) fn resized(
    graph: &mut Graph,
    maps: Value,
    from: [usize; 2],
    to: [usize; 2],
    align: Align,
) -> Value {
    if from == to {
        return maps;
    }
    along_both(graph, maps, from, to, |from, to| {
        enlargement(from, to, align)
    })
}

fn along_both(
    graph: &mut Graph,
    map: Value,
    from: [usize; 2],
    to: [usize; 2],
    matrix: impl Fn(usize, usize) -> Vec<f32>,
) -> Value {
    let rows = matrix(from[0], to[0]);
    let rows = graph.floats(&[to[0], from[0]], &rows);
    let columns = transposed(&matrix(from[1], to[1]), from[1]);
    let columns = graph.floats(&[from[1], to[1]], &columns);
    let map = graph.matmul(map, columns);
    graph.matmul(rows, map)
}

/// How `to` positions follow from `from`, row after row: what the enlargement makes of one position alone is a column.
fn enlargement(from: usize, to: usize, align: Align) -> Vec<f32> {
    let mut columns = vec![0.0; from * to];
    for (position, column) in columns.chunks_exact_mut(to).enumerate() {
        let mut one = vec![0.0; from];
        one[position] = 1.0;
        upsample(&one, [from, 1], column, [to, 1], align);
    }
    transposed(&columns, to)
}

/// Smooths every column of a matrix with rows of that length.
fn smooth(matrix: &mut Vec<f32>, width: usize, sigma: f64) {
    let height = matrix.len() / width;
    let mut columns = transposed(matrix, width);
    for column in columns.chunks_exact_mut(height) {
        gaussian_filter(column, height, 1, sigma);
    }
    *matrix = transposed(&columns, height);
}

/// The transpose of a matrix with rows of that length.
pub(crate) fn transposed(matrix: &[f32], width: usize) -> Vec<f32> {
    let height = matrix.len() / width;
    let column = |column| (0..height).map(move |row| matrix[row * width + column]);
    (0..width).flat_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the two products make of a map is what the mapper makes of it.
    #[test]
    fn products_enlarge_and_smooth_as_the_mapper_does() {
        use ckaad_anomaly_map::AnomalyMap;
        for align in [Align::Corners, Align::Edges] {
            let mapper = AnomalyMapper {
                align,
                ..AnomalyMapper::new(24, 16)
            };
            let values: Vec<f32> = (0..15).map(|i| ((i * 7 % 11) as f32).sin()).collect();
            let map = AnomalyMap {
                height: 3,
                width: 5,
                values: values.clone(),
            };
            let expected = mapper.map(&[map]).values;
            let matrix = |from: usize, to: usize| {
                let mut matrix = enlargement(from, to, align);
                smooth(&mut matrix, from, mapper.sigma);
                matrix
            };
            let (rows, columns) = (matrix(3, 24), matrix(5, 16));
            for y in 0..24 {
                for x in 0..16 {
                    let mut sum = 0.0_f32;
                    for i in 0..3 {
                        for j in 0..5 {
                            sum += rows[y * 3 + i] * values[i * 5 + j] * columns[x * 5 + j];
                        }
                    }
                    assert!((sum - expected[y * 16 + x]).abs() < 1e-6, "{align:?}");
                }
            }
        }
    }
}
