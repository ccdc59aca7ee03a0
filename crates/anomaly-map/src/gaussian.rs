use rayon::prelude::*;

/// Rows that one task filters at least.
const ROWS: usize = 16;

/// How many standard deviations the kernel reaches to either side.
const TRUNCATE: f64 = 4.0;

/// Smooths a row-major map in place by a Gaussian of standard deviation `sigma` pixels, as `scipy.ndimage.gaussian_filter`
/// does for `float32`, on all cores: kernel radius `round(4 sigma)`, borders reflected (`d c b a | a b c d | d c b a`), sums in `f64`,
/// rows of the result stored as `f32` between the two passes.
///
/// # Panics
/// If `values` has not `height * width` elements or `sigma` is not positive.
pub fn gaussian_filter(values: &mut [f32], height: usize, width: usize, sigma: f64) {
    assert_eq!(
        values.len(),
        height * width,
        "a map has height * width values"
    );
    assert!(sigma > 0.0, "sigma must be positive");
    if values.is_empty() {
        return;
    }
    let kernel = half_kernel(sigma);
    let radius = kernel.len() - 1;

    // Columns: each output row is a weighted sum of whole input rows, which vectorises.
    let source = values.to_vec();
    let row = |y: isize| {
        let y = reflect(y, height);
        &source[y * width..(y + 1) * width]
    };
    let column_pass = |sums: &mut Vec<f64>, (y, output): (usize, &mut [f32])| {
        let y = y as isize;
        sums.clear();
        sums.extend(row(y).iter().map(|&value| kernel[0] * f64::from(value)));
        for (offset, &weight) in kernel.iter().enumerate().skip(1) {
            let pairs = row(y - offset as isize)
                .iter()
                .zip(row(y + offset as isize));
            for (sum, (&above, &below)) in sums.iter_mut().zip(pairs) {
                *sum += weight * (f64::from(above) + f64::from(below));
            }
        }
        store(sums, output);
    };
    values
        .par_chunks_exact_mut(width)
        .enumerate()
        .with_min_len(ROWS)
        .for_each_init(Vec::new, column_pass);

    // Rows: the same on each row, padded by its reflection.
    let row_pass = |[padded, sums]: &mut [Vec<f64>; 2], row: &mut [f32]| {
        let around = -(radius as isize)..(width + radius) as isize;
        padded.clear();
        padded.extend(around.map(|x| f64::from(row[reflect(x, width)])));
        sums.clear();
        sums.extend(padded[radius..][..width].iter().map(|x| kernel[0] * x));
        for (offset, &weight) in kernel.iter().enumerate().skip(1) {
            let pairs = padded[radius - offset..]
                .iter()
                .zip(&padded[radius + offset..]);
            for (sum, (&left, &right)) in sums.iter_mut().zip(pairs) {
                *sum += weight * (left + right);
            }
        }
        store(sums, row);
    };
    values
        .par_chunks_exact_mut(width)
        .with_min_len(ROWS)
        .for_each_init(Default::default, row_pass);
}

fn store(sums: &[f64], output: &mut [f32]) {
    for (output, &sum) in output.iter_mut().zip(sums) {
        *output = sum as f32;
    }
}

/// The kernel from its centre outwards; both halves together sum to 1.
fn half_kernel(sigma: f64) -> Vec<f64> {
    let radius = (TRUNCATE * sigma + 0.5) as usize;
    let mut kernel: Vec<f64> = (0..=radius)
        .map(|x| (-0.5 * (x as f64 / sigma).powi(2)).exp())
        .collect();
    let total = kernel[0] + 2.0 * kernel[1..].iter().sum::<f64>();
    kernel.iter_mut().for_each(|weight| *weight /= total);
    kernel
}

/// The index within `0..length` that an index beyond it mirrors.
fn reflect(index: isize, length: usize) -> usize {
    let period = 2 * length as isize;
    let index = index.rem_euclid(period);
    index.min(period - 1 - index) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_are_mirrored() {
        let mirrored: Vec<usize> = (-5..8).map(|index| reflect(index, 3)).collect();
        assert_eq!(mirrored, [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]);
    }

    #[test]
    fn a_constant_stays_and_mass_is_kept() {
        let mut flat = vec![0.75_f32; 5 * 9];
        gaussian_filter(&mut flat, 5, 9, 4.0);
        assert!(flat.iter().all(|value| (value - 0.75).abs() < 1e-6));

        let mut point = vec![0.0_f32; 64 * 64];
        point[20 * 64 + 33] = 1.0;
        gaussian_filter(&mut point, 64, 64, 2.0);
        let mass: f64 = point.iter().copied().map(f64::from).sum();
        assert!((mass - 1.0).abs() < 1e-5);
        let peak = half_kernel(2.0)[0].powi(2);
        assert!((f64::from(point[20 * 64 + 33]) - peak).abs() < 1e-7);
    }

    /// A kernel of radius 0 leaves the map alone; one far wider than the map leaves its mean.
    #[test]
    fn any_sigma_goes_with_any_size() {
        let map = [0.0_f32, 1.0, 4.0, 9.0, 2.0, 8.0];
        for [height, width] in [[1, 6], [2, 3], [3, 2], [6, 1]] {
            let mut same = map;
            gaussian_filter(&mut same, height, width, 0.1);
            assert_eq!(same, map);
            let mut flat = map;
            gaussian_filter(&mut flat, height, width, 60.0);
            assert!(
                flat.iter().all(|value| (value - 4.0).abs() < 1e-3),
                "{flat:?}"
            );
        }
    }

    /// Figures of `scipy.ndimage.gaussian_filter([0, 1, 4, 9], sigma=1)`.
    #[test]
    fn equals_scipy_on_a_short_row() {
        let mut row = [0.0_f32, 1.0, 4.0, 9.0];
        gaussian_filter(&mut row, 1, 4, 1.0);
        for (value, expected) in row.iter().zip([0.5719503, 1.8981386, 4.5194035, 7.0105076]) {
            assert!((value - expected).abs() < 1e-6, "{row:?}");
        }
    }
}
