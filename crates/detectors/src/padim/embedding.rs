use rayon::prelude::*;

use crate::Inputs;
use crate::pooling::values;

/// Some channels of a batch at every position of the finest scale's grid, to which coarser scales are brought by repeating their
/// positions.
///
/// # Shapes
/// `inputs`: features `[batch, channels(s), height(s), width(s)]`, sides of coarser scales dividing those of finer ones; `channels`
/// counts through all scales. The result is `[positions, batch, channels]`.
///
/// # Panics
/// If there is no such channel.
pub fn embedding(inputs: &Inputs, channels: &[usize]) -> Vec<f32> {
    let scales: Vec<([usize; 4], Vec<f32>)> = inputs
        .tensors()
        .into_iter()
        .map(|scale| (scale.dims(), values(scale)))
        .collect();
    let Some(&([batch, _, height, width], _)) = scales.first() else {
        return Vec::new();
    };
    let place = |&channel: &usize| {
        let mut within = channel;
        for (scale, ([_, count, ..], _)) in scales.iter().enumerate() {
            if within < *count {
                return (scale, within);
            }
            within -= count;
        }
        panic!("there is no channel {channel}");
    };
    let places: Vec<(usize, usize)> = channels.iter().map(place).collect();
    let mut joined = vec![0.0; height * width * batch * channels.len()];
    joined
        .par_chunks_exact_mut(batch * channels.len())
        .enumerate()
        .with_min_len(width)
        .for_each(|(position, out)| {
            let (y, x) = (position / width, position % width);
            for (image, out) in out.chunks_exact_mut(channels.len()).enumerate() {
                for (out, &(scale, channel)) in out.iter_mut().zip(&places) {
                    let ([_, count, rows, columns], values) = &scales[scale];
                    let (y, x) = (y * rows / height, x * columns / width);
                    *out = values[((image * count + channel) * rows + y) * columns + x];
                }
            }
        });
    joined
}
