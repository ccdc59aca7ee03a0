//! Which images make up which batch: a pure function of (seed, epoch, step), so that any step can be resumed at.

use crate::random::Stream;

/// The batches of one epoch over `n` images: shuffled by (seed, epoch), the last partial batch dropped, but never an empty epoch: with
/// fewer images than a batch there is one batch of all of them. Empty only for `n` = 0.
///
/// # Panics
/// If `batch` is 0.
pub(crate) fn epoch_batches(n: usize, batch: usize, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
    assert!(batch > 0, "a batch of 0 images");
    shuffled("batches", n, seed, epoch)
        .chunks_exact(batch.min(n).max(1))
        .map(<[usize]>::to_vec)
        .collect()
}

/// Number of batches that [`epoch_batches`] gives.
pub fn steps_per_epoch(n: usize, batch: usize) -> usize {
    n / batch.min(n).max(1)
}

/// The anomalous batch of a training step: min(batch, n) images from an endless row of passes over all `n`, each shuffled by (seed, pass).
///
/// `step` counts from the start of the training (epoch * steps_per_epoch + step of the epoch). Every image is used equally often; a batch
/// can straddle two passes. Empty for `n` = 0.
pub(crate) fn anomalous_batch(n: usize, batch: usize, seed: u64, step: u64) -> Vec<usize> {
    let len = batch.min(n);
    if len == 0 {
        return Vec::new();
    }
    let start = u128::from(step) * len as u128;
    let (pass, offset) = ((start / n as u128) as u64, (start % n as u128) as usize);
    let mut indices = shuffled("anomalous", n, seed, pass).split_off(offset);
    if indices.len() < len {
        indices.extend(shuffled("anomalous", n, seed, pass + 1));
    }
    indices.truncate(len);
    indices
}

/// The normal and the anomalous images of step `step` of a single pass in which every image is seen once, in order; the
/// anomalous ones are spread evenly over the steps.
///
/// # Panics
/// If `batch` is 0, or `step` is not below the number of steps, `ceil(normal / batch)`.
pub(crate) fn once(
    normal: usize,
    anomalous: usize,
    batch: usize,
    step: usize,
) -> (Vec<usize>, Vec<usize>) {
    let steps = normal.div_ceil(batch);
    assert!(step < steps, "step {step} of {steps}");
    let first = |step: usize| step * anomalous / steps;
    (
        (step * batch..normal.min((step + 1) * batch)).collect(),
        (first(step)..first(step + 1)).collect(),
    )
}

/// `count` of `0..n` (all, if there are no more), drawn by the seed, in ascending order.
pub fn draw(n: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut drawn = shuffled("draw", n, seed, 0);
    drawn.truncate(count);
    drawn.sort_unstable();
    drawn
}

/// `0..n` shuffled by (seed, round).
fn shuffled(purpose: &str, n: usize, seed: u64, round: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Stream::at(purpose, &[seed, round]).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_uses_each_image_once_and_drops_the_rest() {
        let batches = epoch_batches(10, 3, 1, 0);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3]);
        let mut seen = batches.concat();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 9);
        assert_ne!(batches, epoch_batches(10, 3, 1, 1));
        assert_ne!(batches, epoch_batches(10, 3, 2, 0));
    }

    #[test]
    fn fewer_images_than_a_batch_still_train() {
        assert_eq!(epoch_batches(2, 64, 1, 0).concat().len(), 2);
        assert_eq!(steps_per_epoch(2, 64), 1);
        assert!(epoch_batches(0, 64, 1, 0).is_empty());
        assert_eq!(steps_per_epoch(0, 64), 0);
    }

    #[test]
    fn a_single_pass_sees_every_image_once() {
        for (normal, anomalous, batch) in [(10_usize, 3, 4), (2, 5, 8), (9, 0, 3), (1, 1, 1)] {
            let steps = normal.div_ceil(batch);
            let (mut seen, mut seen_anomalous) = (Vec::new(), Vec::new());
            for step in 0..steps {
                let (images, others) = once(normal, anomalous, batch, step);
                assert!(!images.is_empty() && images.len() <= batch);
                seen.extend(images);
                seen_anomalous.extend(others);
            }
            assert_eq!(seen, (0..normal).collect::<Vec<_>>());
            assert_eq!(seen_anomalous, (0..anomalous).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_draw_does_not_favour_the_first_names() {
        let drawn = draw(1000, 200, 7);
        assert_eq!(drawn.len(), 200);
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(drawn.iter().filter(|&&index| index >= 500).count() > 70);
        assert_eq!(draw(3, 200, 7), [0, 1, 2]);
        assert_ne!(draw(1000, 200, 8), drawn);
    }

    #[test]
    fn anomalous_images_cycle_evenly() {
        let mut uses = [0; 7];
        for step in 0..70 {
            let batch = anomalous_batch(7, 4, 5, step);
            assert_eq!(batch.len(), 4);
            batch.iter().for_each(|&i| uses[i] += 1);
        }
        assert_eq!(uses, [40; 7]);
        assert_eq!(anomalous_batch(3, 32, 5, 9).len(), 3);
        assert!(anomalous_batch(0, 32, 5, 9).is_empty());
    }
}
