/// How the pixels of a map and of its enlargement lie over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// The centres of the corner pixels coincide: `align_corners = true` in PyTorch. Output pixel `i` lies at
    /// `i (from - 1) / (to - 1)`.
    Corners,
    /// The edges coincide: `align_corners = false` in PyTorch. Output pixel `i` lies at `(i + 1/2) from / to - 1/2`, or at the
    /// outermost pixel if that is beyond it.
    Edges,
}

/// Brings a row-major map to another size by bilinear interpolation, as PyTorch's `interpolate` does without antialiasing, and
/// adds it to `sum`. Sizes are height and width.
///
/// # Panics
/// If `values` has not `from[0] * from[1]` elements, or `sum` not `to[0] * to[1]`, or a size is zero.
pub fn upsample(values: &[f32], from: [usize; 2], sum: &mut [f32], to: [usize; 2], align: Align) {
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
    let columns: Vec<Tap> = taps(from[1], to[1], align);
    let mut upper = vec![0.0; to[1]];
    let mut lower = vec![0.0; to[1]];
    for (tap, output) in taps(from[0], to[0], align)
        .iter()
        .zip(sum.chunks_exact_mut(to[1]))
    {
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

fn taps(from: usize, to: usize, align: Align) -> Vec<Tap> {
    let step = match align {
        Align::Corners if to == 1 => 0.0,
        Align::Corners => (from - 1) as f32 / (to - 1) as f32,
        Align::Edges => from as f32 / to as f32,
    };
    (0..to)
        .map(|index| {
            let position = match align {
                Align::Corners => index as f32 * step,
                Align::Edges => (step * (index as f32 + 0.5) - 0.5).max(0.0),
            };
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

    fn resized(values: &[f32], from: [usize; 2], to: [usize; 2], align: Align) -> Vec<f32> {
        let mut sum = vec![0.0; to[0] * to[1]];
        upsample(values, from, &mut sum, to, align);
        sum
    }

    #[test]
    fn corners_coincide_and_the_rest_is_linear() {
        let mut sum = vec![10.0; 9];
        let corners = [0.0, 2.0, 4.0, 8.0];
        upsample(&corners, [2, 2], &mut sum, [3, 3], Align::Corners);
        assert_eq!(sum, [10.0, 11.0, 12.0, 12.0, 13.5, 15.0, 14.0, 16.0, 18.0]);
    }

    /// Along a side of 2 pixels, four lie at -1/4 (so 0), 1/4, 3/4 and 5/4 (so 1).
    #[test]
    fn edges_coincide_and_beyond_the_outermost_pixels_nothing_changes() {
        let rows = [0.0, 4.0, 8.0, 16.0];
        let expected = [
            [0.0, 1.0, 3.0, 4.0],
            [2.0, 3.25, 5.75, 7.0],
            [6.0, 7.75, 11.25, 13.0],
            [8.0, 10.0, 14.0, 16.0],
        ];
        assert_eq!(
            resized(&rows, [2, 2], [4, 4], Align::Edges),
            expected.concat()
        );
    }

    /// Two pixels lie at 1/4 and 7/4 of three; with the corners aligned, at the first and the last.
    #[test]
    fn maps_shrink_too() {
        let row = [0.0, 4.0, 12.0];
        assert_eq!(resized(&row, [1, 3], [1, 2], Align::Edges), [1.0, 10.0]);
        assert_eq!(resized(&row, [3, 1], [2, 1], Align::Corners), [0.0, 12.0]);
    }

    #[test]
    fn equal_sizes_and_single_pixels_stay() {
        let values: Vec<f32> = (0..35).map(|value| value as f32 * 0.3).collect();
        for align in [Align::Corners, Align::Edges] {
            assert_eq!(resized(&values, [5, 7], [5, 7], align), values, "{align:?}");
            assert_eq!(
                resized(&[3.0], [1, 1], [2, 3], align),
                [3.0; 6],
                "{align:?}"
            );
            assert_eq!(resized(&[3.0], [1, 1], [1, 1], align), [3.0], "{align:?}");
        }
    }
}
