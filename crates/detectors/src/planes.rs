//! Linear maps of the rows and columns of images: sizes changed by bilinear interpolation, windows, means. They are products with small
//! matrices, which track gradients on every device.

use burn::tensor::{Device, Tensor, TensorData};
use ckaad_anomaly_map::Align;

/// `rows · x · columnsᵀ` of every plane.
///
/// # Shapes
/// - rows: `[height', height]`, columns: `[width', width]`
/// - x: `[batch, channels, height, width]`
/// - output: `[batch, channels, height', width']`
pub(crate) fn between(rows: Tensor<2>, x: Tensor<4>, columns: Tensor<2>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let ([new_height, _], [new_width, _]) = (rows.dims(), columns.dims());
    let planes = batch * channels;
    let along = x
        .reshape([planes * height, width])
        .matmul(columns.transpose());
    let along = along.reshape([planes, height, new_width]);
    let down = rows.unsqueeze::<3>().matmul(along);
    down.reshape([batch, channels, new_height, new_width])
}

/// A matrix whose element at a row and a column is `value(row, column)`.
fn matrix(
    [rows, columns]: [usize; 2],
    device: &Device,
    value: impl Fn(usize, usize) -> f64,
) -> Tensor<2> {
    let of_row = |row: usize| (0..columns).map(move |column| (row, column));
    let values: Vec<f32> = (0..rows)
        .flat_map(of_row)
        .map(|(row, column)| value(row, column) as f32)
        .collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}

/// Brings planes to another height and width by bilinear interpolation without antialiasing, as PyTorch's `interpolate` does.
///
/// # Shapes
/// - x: `[batch, channels, height, width]`
/// - output: `[batch, channels, to[0], to[1]]`
pub(crate) fn resized(x: Tensor<4>, to: [usize; 2], align: Align) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    if [height, width] == to {
        return x;
    }
    let device = x.device();
    let [rows, columns] = [(height, to[0]), (width, to[1])].map(|(from, to)| {
        let position = |index: usize| match align {
            Align::Corners if to == 1 => 0.0,
            Align::Corners => index as f64 * (from - 1) as f64 / (to - 1) as f64,
            Align::Edges => ((index as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0),
        };
        matrix([to, from], &device, |row, column| {
            let position = position(row).min((from - 1) as f64);
            (1.0 - (position - column as f64).abs()).max(0.0)
        })
    });
    between(rows, x, columns)
}

/// Twice as high and wide, each pixel four times.
pub(crate) fn doubled(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    x.reshape([batch, channels, height, 1, width, 1])
        .expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}

/// How far a window may reach beyond a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Border {
    /// By half of it, where there is nothing but zeros.
    Zeros,
    /// Not at all: the planes become smaller.
    Inside,
}

/// Weighs the neighbours of every pixel by the products of `taps`, an odd number of them.
pub(crate) fn windowed(x: Tensor<4>, taps: &[f64], border: Border) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let (device, half) = (x.device(), taps.len() / 2);
    let [rows, columns] = [height, width].map(|side| {
        let (count, first) = match border {
            Border::Zeros => (side, half),
            Border::Inside => ((side + 1).saturating_sub(taps.len()), 0),
        };
        matrix([count, side], &device, |row, column| {
            let tap = (column + first).checked_sub(row);
            tap.and_then(|tap| taps.get(tap)).copied().unwrap_or(0.0)
        })
    });
    between(rows, x, columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    fn plane(rows: [[f32; 3]; 3]) -> Tensor<4> {
        Tensor::from_floats([[rows]], &ckaad_device::cpu())
    }

    #[test]
    fn sizes_change_as_those_of_anomaly_maps() {
        let numbers: Vec<f32> = (0..35).map(|value| (value * value % 11) as f32).collect();
        let data = TensorData::new(numbers.clone(), [1, 1, 5, 7]);
        let x = Tensor::<4>::from_data(data, &ckaad_device::cpu());
        for align in [Align::Corners, Align::Edges] {
            for to in [[10, 14], [3, 4], [1, 1], [5, 9]] {
                let mut expected = vec![0.0; to[0] * to[1]];
                ckaad_anomaly_map::upsample(&numbers, [5, 7], &mut expected, to, align);
                let found = values(resized(x.clone(), to, align));
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4, "{align:?} {to:?}");
                }
            }
        }
    }

    #[test]
    fn windows_weigh_neighbours() {
        let x = plane([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]);
        let taps = [1.0, 0.0, 2.0];
        // 1 + 2 * 3 + 2 * (7 + 2 * 9)
        assert_eq!(values(windowed(x.clone(), &taps, Border::Inside)), [57.0]);
        let padded = values(windowed(x, &taps, Border::Zeros));
        assert_eq!(padded[4], 57.0);
        // Of the first pixel there is only what lies below and to the right: 2 * 2 * 5.
        assert_eq!(padded[0], 20.0);
    }

    #[test]
    fn doubling_repeats_pixels() {
        let x = Tensor::<4>::from_floats([[[[1.0, 2.0]]]], &ckaad_device::cpu());
        let expected = [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0];
        assert_eq!(values(doubled(x)), expected);
    }
}
