use ckaad_anomaly_map::{Align, upsample};
use rayon::prelude::*;

/// The patches of an image as anomalib has them: on the grid of the finest scale, every channel of every scale averaged over 3 x 3 positions (beyond
/// the border are zeros, which count), coarser scales up-sampled bilinearly.
///
/// # Shapes
/// `scales[s]`: `[channels(s), side(s), side(s)]`, given by `shapes`, fine to coarse; the result is `[sum of channels, positions]`.
///
/// # Panics
/// If the shapes are not those of the scales.
pub fn means(scales: &[&[f32]], shapes: &[[usize; 3]]) -> Vec<f32> {
    let Some(&[_, height, width]) = shapes.first() else {
        return Vec::new();
    };
    let channels: Vec<(&[f32], [usize; 2])> = scales
        .iter()
        .zip(shapes)
        .flat_map(|(values, &[count, height, width])| {
            assert_eq!(values.len(), count * height * width, "features of a scale");
            let channels = values.chunks_exact(height * width);
            channels.map(move |channel| (channel, [height, width]))
        })
        .collect();
    let mut joined = vec![0.0; channels.len() * height * width];
    joined
        .par_chunks_exact_mut(height * width)
        .zip(channels)
        .with_min_len(16)
        .for_each(|(out, (channel, from))| {
            if from == [height, width] {
                neighbourhood_means(channel, from, out);
            } else {
                let mut means = vec![0.0; channel.len()];
                neighbourhood_means(channel, from, &mut means);
                upsample(&means, from, out, [height, width], Align::Edges);
            }
        });
    joined
}

/// The mean of 3 x 3 positions around each, zeros beyond the border.
fn neighbourhood_means(channel: &[f32], [height, width]: [usize; 2], out: &mut [f32]) {
    let mut sums = vec![0.0_f32; width + 2];
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        sums.fill(0.0);
        for row in channel
            .chunks_exact(width)
            .take((y + 2).min(height))
            .skip(y.saturating_sub(1))
        {
            for (sum, value) in sums[1..].iter_mut().zip(row) {
                *sum += value;
            }
        }
        for (out, sums) in out.iter_mut().zip(sums.windows(3)) {
            *out = (sums[0] + sums[1] + sums[2]) / 9.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_beyond_the_border_count() {
        let fine: Vec<f32> = (0..16).map(|value| value as f32 * 9.0).collect();
        let coarse = [9.0, 9.0, 9.0, 9.0];
        let joined = means(&[&fine, &coarse], &[[1, 4, 4], [1, 2, 2]]);
        assert_eq!(joined.len(), 32);
        assert_eq!(joined[0], 0.0 + 1.0 + 4.0 + 5.0);
        // Of nine values around 5.
        assert_eq!(joined[5], 9.0 * 5.0);
        assert_eq!(joined[16..], [4.0; 16]);
    }
}
