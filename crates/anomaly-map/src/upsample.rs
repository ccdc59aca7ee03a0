/// Brings a row-major map to another size by bilinear interpolation whose corner pixels coincide (`align_corners = true`
/// in PyTorch), and adds it to `sum`.
///
/// # Panics
/// If `values` has not `from[0] * from[1]` elements, or `sum` not `to[0] * to[1]`, or a size is zero.
pub fn upsample(values: &[f32], from: [usize; 2], sum: &mut [f32], to: [usize; 2]) {
    assert_eq!(
        values.len(),
        from[0] * from[1],
        "a map has height * width values"
    );
    assert_eq!(
        sum.len(),
        to[0] * to[1],
        "the output has height * width values"
    );
    assert!(!values.is_empty() && !sum.is_empty(), "maps are not empty");
    let columns: Vec<Tap> = taps(from[1], to[1]);
    let mut upper = vec![0.0; to[1]];
    let mut lower = vec![0.0; to[1]];
    for (tap, output) in taps(from[0], to[0]).iter().zip(sum.chunks_exact_mut(to[1])) {
        let row = |y: usize| &values[y * from[1]..(y + 1) * from[1]];
        stretch(row(tap.low), &columns, &mut upper);
        stretch(row(tap.high), &columns, &mut lower);
        for ((output, &upper), &lower) in output.iter_mut().zip(&upper).zip(&lower) {
            *output += (1.0 - tap.weight) * upper + tap.weight * lower;
        }
    }
}

/// The two source positions of an output position, and the weight of the higher one.
struct Tap {
    low: usize,
    high: usize,
    weight: f32,
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    let step = if to > 1 {
        (from - 1) as f32 / (to - 1) as f32
    } else {
        0.0
    };
    (0..to)
        .map(|index| {
            let position = index as f32 * step;
            let low = (position as usize).min(from - 1);
            Tap {
                low,
                high: (low + 1).min(from - 1),
                weight: position - low as f32,
            }
        })
        .collect()
}

fn stretch(row: &[f32], taps: &[Tap], output: &mut [f32]) {
    for (output, tap) in output.iter_mut().zip(taps) {
        *output = (1.0 - tap.weight) * row[tap.low] + tap.weight * row[tap.high];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_coincide_and_the_rest_is_linear() {
        let mut sum = vec![10.0; 9];
        upsample(&[0.0, 2.0, 4.0, 8.0], [2, 2], &mut sum, [3, 3]);
        assert_eq!(sum, [10.0, 11.0, 12.0, 12.0, 13.5, 15.0, 14.0, 16.0, 18.0]);
    }

    #[test]
    fn one_pixel_fills_the_map() {
        let mut sum = vec![0.0; 4];
        upsample(&[3.0], [1, 1], &mut sum, [2, 2]);
        assert_eq!(sum, [3.0; 4]);
    }
}
