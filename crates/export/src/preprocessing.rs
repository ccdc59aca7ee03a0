//! From pictures to normalised images, as Pillow resizes them.
//!
//! ONNX's own `Resize` of this version has no antialiasing, and what it makes of a picture that shrinks is another image. Pillow's filter is
//! linear along rows and along columns by themselves, so that it is two products with matrices that follow from the picture's size. Its
//! weights are integers, its sums are rounded to bytes after each product; both are kept here in single precision, to the byte.

use ckaad_data::{MEAN, STD};

use crate::graph::{Element, Graph, Value};

/// Bits of a weight: Pillow's.
const BITS: u32 = 22;
/// Those of the first of the two parts that a weight is taken apart into, so that sums of either stay exact in single precision.
const FIRST: u32 = 11;
/// Bits of the other part that are found at a time, so that integers of 32 bits are enough for pictures of 20000 pixels a side.
const DIGITS: [u32; 2] = [6, 5];
const _: () = assert!(FIRST + DIGITS[0] + DIGITS[1] == BITS);

/// Normalised images `[N, 3, size, size]` from pictures `[N, H, W, 3]` of bytes.
///
/// Pillow resizes rows first, or columns where the height shrinks by more than twice as many pixels as the width. So rows have two turns
/// here, one of which leaves them as long as they are.
pub(crate) fn preprocessed(graph: &mut Graph, pictures: Value, size: usize) -> Value {
    let shape = graph.shape(pictures);
    let [height, width] = [1, 2].map(|axis| {
        let axis = graph.ints(&[], &[axis]);
        graph.gather(shape, axis, 0)
    });
    let to = integer(graph, size as i64);
    let between = width_between(graph, [height, width], to);
    let x = graph.cast(pictures, Element::Float);
    let x = graph.transpose(x, &[0, 3, 1, 2]);
    let x = rows(graph, x, width, between);
    let down = weights(graph, height, to);
    let sums = down.map(|weights| graph.matmul(weights, x));
    let x = to_bytes(graph, sums);
    let x = rows(graph, x, between, to);
    let x = graph.reshape(x, &[-1, 3, size as i64, size as i64]);
    normalised(graph, x)
}

/// How wide a picture is when its columns are resized: as wide as it will be, or as it was where its columns go first.
fn width_between(graph: &mut Graph, [height, width]: [Value; 2], to: Value) -> Value {
    let [zero, one, two] = [0, 1, 2].map(|value| integer(graph, value));
    let [lower, narrower] = [height, width].map(|side| graph.sub(side, to));
    let twice = graph.mul(narrower, two);
    let excess = graph.sub(lower, twice);
    let both = graph.min(lower, excess);
    let both = graph.max(both, zero);
    // 1 if the height shrinks, and by more than twice as many pixels as the width.
    let columns_first = graph.min(both, one);
    let kept = graph.mul(columns_first, narrower);
    graph.add(to, kept)
}

/// Every row from one length to another.
fn rows(graph: &mut Graph, x: Value, from: Value, to: Value) -> Value {
    let across = weights(graph, from, to).map(|weights| graph.transpose(weights, &[1, 0]));
    let sums = across.map(|weights| graph.matmul(x, weights));
    to_bytes(graph, sums)
}

fn integer(graph: &mut Graph, value: i64) -> Value {
    graph.ints(&[], &[value])
}

/// `(x / 255 - mean) / std`
fn normalised(graph: &mut Graph, x: Value) -> Value {
    let full = graph.scalar(255.0);
    let [mean, std] = [MEAN, STD].map(|values| graph.floats(&[1, 3, 1, 1], &values));
    let x = graph.div(x, full);
    let x = graph.sub(x, mean);
    graph.div(x, std)
}

/// The weights `[to, from]` of positions for others, in the two parts of which the first counts 2048 times.
///
/// Position `j` counts `max(0, 1 - |j + 0.5 - (i + 0.5) from / to| / support)` for position `i`, with a support of
/// `max(1, from / to)`; in units of half a position of both grids all this is integers.
fn weights(graph: &mut Graph, from: Value, to: Value) -> [Value; 2] {
    let [zero, one, two] = [0, 1, 2].map(|value| integer(graph, value));
    let middles = |graph: &mut Graph, length: Value, unit: Value| {
        let positions = graph.range(length);
        let positions = graph.mul(positions, two);
        let positions = graph.add(positions, one);
        graph.mul(positions, unit)
    };
    let positions = middles(graph, from, to);
    let centres = middles(graph, to, from);
    let centres = graph.unsqueeze(centres, 1);
    let differences = graph.sub(positions, centres);
    let distances = graph.abs(differences);
    let reach = graph.max(from, to);
    let reach = graph.mul(reach, two);
    let weights = graph.sub(reach, distances);
    let weights = graph.max(weights, zero);
    let sum = graph.sum_keeping(weights, 1);

    // Long division, digit by digit; the last is rounded.
    let (first, rest) = digit(graph, weights, sum, FIRST);
    let (second, rest) = digit(graph, rest, sum, DIGITS[0]);
    let factor = integer(graph, 2 << DIGITS[1]);
    let rest = graph.mul(rest, factor);
    let rest = graph.add(rest, sum);
    let double = graph.mul(sum, two);
    let third = graph.div(rest, double);
    let factor = integer(graph, 1 << DIGITS[1]);
    let second = graph.mul(second, factor);
    let last = graph.add(second, third);
    [first, last].map(|part| graph.cast(part, Element::Float))
}

/// The next `bits` bits of `x / sum`, and what is left over.
fn digit(graph: &mut Graph, x: Value, sum: Value, bits: u32) -> (Value, Value) {
    let factor = graph.ints(&[], &[1 << bits]);
    let x = graph.mul(x, factor);
    let digit = graph.div(x, sum);
    let part = graph.mul(digit, sum);
    (digit, graph.sub(x, part))
}

/// Sums of bytes by both parts of the weights, rounded to bytes.
fn to_bytes(graph: &mut Graph, [first, last]: [Value; 2]) -> Value {
    let unit = (1_u32 << FIRST) as f32;
    let last = graph.scale(last, unit.recip());
    let last = graph.floor(last);
    let sum = graph.add(first, last);
    let half = graph.scalar(unit / 2.0);
    let sum = graph.add(sum, half);
    let sum = graph.scale(sum, unit.recip());
    let bytes = graph.floor(sum);
    let (low, high) = (graph.scalar(0.0), graph.scalar(255.0));
    let bytes = graph.max(bytes, low);
    graph.min(bytes, high)
}
