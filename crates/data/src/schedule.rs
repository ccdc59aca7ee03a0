//! Which images make up which step of a training: a pure function of (seed, step), so that any step can be resumed at.

use std::num::NonZeroUsize;

use crate::random::Stream;

/// The images of one training step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Number of the step from the start of the training.
    pub number: u64,
    /// Epoch that it belongs to, from 0.
    pub epoch: u64,
    /// Indices of the normal images.
    pub normal: Vec<usize>,
    /// Indices of the anomalous images, empty if there are none.
    pub anomalous: Vec<usize>,
}

/// How often a training sees its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Every image once, in order, in one pass; the anomalous ones are spread evenly over its steps.
    Once,
    /// In epochs, shuffled. Each goes through the normal images, shuffled by (seed, epoch). The last partial batch is dropped,
    /// but never an empty epoch: with fewer images than a batch there is one batch of all of them. The anomalous images of a step
    /// are min(batch, n) from an endless row of passes over all n, each shuffled by (seed, pass): every image is used equally
    /// often, and a batch can straddle two passes.
    Shuffled,
    /// The first epoch is [`Once`](Self::Once), those after it are [`Shuffled`](Self::Shuffled).
    OnceThenShuffled,
}

/// How many images of each kind there are, and how they are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Number of normal images.
    pub normal: usize,
    /// Number of anomalous images that have a place of their own in a step; 0 if there are none.
    pub anomalous: usize,
    /// Normal images per step, and at most as many anomalous ones.
    pub batch: NonZeroUsize,
    /// How often they are seen.
    pub order: Order,
    /// Seed of every draw.
    pub seed: u64,
}

impl Schedule {
    /// Steps of an epoch, counted from 0; none only without normal images.
    pub fn steps_in(&self, epoch: u64) -> usize {
        match self.is_once(epoch) {
            true => self.normal.div_ceil(self.batch.get()),
            false => self.normal / self.batch.get().min(self.normal).max(1),
        }
    }

    /// Steps of all epochs before one.
    pub fn steps_before(&self, epoch: u64) -> u64 {
        match epoch {
            0 => 0,
            _ => self.steps_in(0) as u64 + (epoch - 1).saturating_mul(self.steps_in(1) as u64),
        }
    }

    /// Whether an epoch is the pass that sees every image once.
    fn is_once(&self, epoch: u64) -> bool {
        match self.order {
            Order::Once => true,
            Order::Shuffled => false,
            Order::OnceThenShuffled => epoch == 0,
        }
    }

    /// The steps from `first` to the end of `epochs`. Starting in the middle of an epoch gives the same steps as running into it.
    pub fn steps(self, first: u64, epochs: u64) -> impl Iterator<Item = Step> + Send {
        let [in_first, in_others] = [0, 1].map(|epoch| self.steps_in(epoch) as u64);
        let mut order = Vec::new();
        let mut ordered_for = None;
        (first..self.steps_before(epochs)).map(move |number| {
            let (epoch, within) = match number.checked_sub(in_first) {
                None => (0, number as usize),
                Some(later) => (1 + later / in_others, (later % in_others) as usize),
            };
            let once = self.is_once(epoch);
            if ordered_for != Some(epoch) {
                order = match once {
                    true => (0..self.normal).collect(),
                    false => shuffled("batches", self.normal, self.seed, epoch),
                };
                ordered_for = Some(epoch);
            }
            let start = within * self.batch.get().min(self.normal);
            let end = self.normal.min(start + self.batch.get());
            Step {
                number,
                epoch,
                normal: order[start..end].to_vec(),
                anomalous: match once {
                    true => {
                        let first = |step: usize| step * self.anomalous / self.steps_in(epoch);
                        (first(within)..first(within + 1)).collect()
                    }
                    false => self.anomalous_of(number),
                },
            }
        })
    }

    fn anomalous_of(&self, step: u64) -> Vec<usize> {
        let n = self.anomalous;
        let len = self.batch.get().min(n);
        if len == 0 {
            return Vec::new();
        }
        let start = u128::from(step) * len as u128;
        let (pass, offset) = ((start / n as u128) as u64, (start % n as u128) as usize);
        let mut indices = shuffled("anomalous", n, self.seed, pass).split_off(offset);
        if indices.len() < len {
            indices.extend(shuffled("anomalous", n, self.seed, pass + 1));
        }
        indices.truncate(len);
        indices
    }
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

    fn schedule(normal: usize, anomalous: usize, batch: usize, seed: u64) -> Schedule {
        Schedule {
            normal,
            anomalous,
            batch: NonZeroUsize::new(batch).unwrap_or(NonZeroUsize::MIN),
            order: Order::Shuffled,
            seed,
        }
    }

    #[test]
    fn a_single_pass_sees_every_image_once() {
        for (normal, anomalous, batch) in [(10, 3, 4), (2, 5, 8), (9, 0, 3), (1, 1, 1)] {
            let once = Schedule {
                order: Order::Once,
                ..schedule(normal, anomalous, batch, 1)
            };
            let steps: Vec<Step> = once.steps(0, 1).collect();
            assert_eq!(steps.len(), once.steps_in(0));
            assert!(
                steps
                    .iter()
                    .all(|step| (1..=batch).contains(&step.normal.len()))
            );
            let all =
                |of: fn(&Step) -> &[usize]| steps.iter().flat_map(of).copied().collect::<Vec<_>>();
            assert_eq!(all(|step| &step.normal), (0..normal).collect::<Vec<_>>());
            assert_eq!(
                all(|step| &step.anomalous),
                (0..anomalous).collect::<Vec<_>>()
            );
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

    fn normal(schedule: Schedule, epochs: u64) -> Vec<Vec<usize>> {
        schedule.steps(0, epochs).map(|step| step.normal).collect()
    }

    #[test]
    fn an_epoch_uses_each_image_once_and_drops_the_rest() {
        let batches = normal(schedule(10, 0, 3, 1), 2);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [3; 6]);
        let mut seen = batches[..3].concat();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 9);
        assert_ne!(batches[..3], batches[3..]);
        assert_ne!(batches, normal(schedule(10, 0, 3, 2), 2));
    }

    #[test]
    fn the_draw_is_the_one_that_recorded_runs_made() {
        // Drawn by the first version of this crate.
        let steps: Vec<Step> = schedule(7, 5, 3, 111).steps(0, 2).collect();
        let expected = [
            ([4, 3, 1], [0, 2, 4]),
            ([0, 6, 5], [1, 3, 3]),
            ([0, 1, 2], [1, 4, 0]),
            ([5, 4, 3], [2, 0, 3]),
        ];
        let found: Vec<_> = steps
            .iter()
            .map(|step| (step.normal.as_slice(), step.anomalous.as_slice()))
            .collect();
        for (found, (normal, anomalous)) in found.iter().zip(&expected) {
            assert_eq!(*found, (normal.as_slice(), anomalous.as_slice()));
        }
        assert_eq!(found.len(), expected.len());
    }

    #[test]
    fn fewer_images_than_a_batch_still_train() {
        let few = schedule(2, 0, 64, 1);
        assert_eq!(normal(few, 1).concat().len(), 2);
        assert_eq!(few.steps_in(0), 1);
        let none = schedule(0, 0, 64, 1);
        assert!(normal(none, 3).is_empty());
        assert_eq!(none.steps_in(0), 0);
    }

    #[test]
    fn anomalous_images_cycle_evenly() {
        let mut uses = [0; 7];
        for step in schedule(4, 7, 4, 5).steps(0, 70) {
            assert_eq!(step.anomalous.len(), 4);
            step.anomalous.iter().for_each(|&i| uses[i] += 1);
        }
        assert_eq!(uses, [40; 7]);
        for step in schedule(32, 3, 32, 5).steps(0, 9) {
            assert_eq!(step.anomalous.len(), 3);
        }
    }
}
