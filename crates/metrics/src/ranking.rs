//! A set ranked once: every metric is a walk down the ranking.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::MetricError;
use crate::radix::{self, Item};
use crate::score::{Key, Score, check, check_classes, sealed::Rank};

/// All samples of one score that at least one positive has. Thresholds between two steps add
/// negatives only, which moves every curve of the crate horizontally: steps lose nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// The score; predicted positive means `score >= threshold`.
    pub(crate) score: f64,
    /// Positives ranked above the step.
    pub(crate) tp_above: u64,
    /// Positives in the step.
    pub(crate) tp: u64,
    /// Negatives ranked above the step.
    pub(crate) fp_above: u64,
    /// Negatives in the step.
    pub(crate) fp: u64,
    /// Sum of the weights of its positives.
    pub(crate) weight: u128,
}

impl Step {
    /// Positives at or above the score.
    pub(crate) fn tp_through(&self) -> u64 {
        self.tp_above + self.tp
    }

    /// Negatives at or above the score.
    pub(crate) fn fp_through(&self) -> u64 {
        self.fp_above + self.fp
    }
}

/// A positive sample: ranked by its key, and of some weight.
pub(crate) trait Positive: Item {
    /// Its weight.
    fn weight(self) -> u64;
}

impl<K: Key> Positive for K {
    #[inline(always)]
    fn weight(self) -> u64 {
        0
    }
}

/// Positives in one sorted sequence, negatives in sorted runs. Both classes are present.
#[derive(Debug, Clone)]
pub(crate) struct Ranking<P: Positive> {
    positives: Vec<P>,
    negatives: Vec<Vec<P::Key>>,
    normal: u64,
}

/// Positives handled by one task of the walk.
const PART: usize = 8192;

impl<P: Positive> Ranking<P> {
    /// Sorts what is to be ranked. The negatives may come in any number of runs; runs need no merging,
    /// because a step only asks how many keys of each precede it.
    pub(crate) fn new(
        mut positives: Vec<P>,
        mut negatives: Vec<Vec<P::Key>>,
    ) -> Result<Self, MetricError> {
        let normal: u64 = negatives.iter().map(|run| run.len() as u64).sum();
        check_classes(positives.len() as u64, normal)?;
        rayon::join(
            || radix::sort(&mut positives),
            || {
                negatives
                    .par_iter_mut()
                    .for_each(|run| radix::sort_run(run))
            },
        );
        Ok(Self {
            positives,
            negatives,
            normal,
        })
    }

    /// Number of positives.
    pub(crate) fn anomalous(&self) -> u64 {
        self.positives.len() as u64
    }

    /// Number of negatives.
    pub(crate) fn normal(&self) -> u64 {
        self.normal
    }

    /// Visits every step, highest score first.
    pub(crate) fn walk(&self, mut visit: impl FnMut(&Step)) {
        let tasks = 4 * rayon::current_num_threads();
        let mut start = 0;
        while start < self.positives.len() {
            let mut parts = Vec::with_capacity(tasks);
            while parts.len() < tasks && start < self.positives.len() {
                let part = self.part_from(start);
                start = part.end;
                parts.push(part);
            }
            let steps: Vec<Vec<Step>> =
                parts.into_par_iter().map(|part| self.steps(part)).collect();
            steps.iter().flatten().for_each(&mut visit);
        }
    }

    /// About [`PART`] positives, ending where a score ends.
    fn part_from(&self, start: usize) -> Range<usize> {
        let end = (start + PART).min(self.positives.len());
        let last = self.positives[end - 1].key();
        start..end + self.positives[end..].partition_point(|item| item.key() == last)
    }

    fn steps(&self, part: Range<usize>) -> Vec<Step> {
        // A part may be one score with far more positives than the usual number, but that is one step.
        let expected = part.len().min(PART);
        let mut keys = Vec::with_capacity(expected);
        let mut steps: Vec<Step> = Vec::with_capacity(expected);
        for index in part {
            let positive = self.positives[index];
            let (key, weight) = (positive.key(), positive.weight());
            match steps.last_mut() {
                Some(step) if keys.last() == Some(&key) => {
                    step.tp += 1;
                    step.weight += u128::from(weight);
                }
                _ => {
                    keys.push(key);
                    steps.push(Step {
                        score: key.score(),
                        tp_above: index as u64,
                        tp: 1,
                        fp_above: 0,
                        fp: 0,
                        weight: u128::from(weight),
                    });
                }
            }
        }
        let Some(first) = keys.first() else {
            return steps;
        };
        for run in &self.negatives {
            let mut next = run.partition_point(|key| key < first);
            for (step, key) in steps.iter_mut().zip(&keys) {
                while next < run.len() && run[next] < *key {
                    next += 1;
                }
                step.fp_above += next as u64;
                while next < run.len() && run[next] == *key {
                    next += 1;
                    step.fp += 1;
                }
            }
        }
        steps
    }
}

/// Ranks labelled scores.
pub(crate) fn rank<S: Score>(
    scores: &[S],
    labels: &[bool],
) -> Result<Ranking<S::Key>, MetricError> {
    check(scores, labels)?;
    let share = scores
        .len()
        .div_ceil(rayon::current_num_threads())
        .clamp(1 << 16, radix::RUN);
    let split: Vec<_> = scores
        .par_chunks(share)
        .zip(labels.par_chunks(share))
        .map(|(s, l)| split_classes(s, l))
        .collect();
    let (mut positives, mut negatives) = (Vec::new(), Vec::new());
    for (anomalous, normal) in split {
        positives.extend_from_slice(&anomalous);
        negatives.push(normal);
    }
    Ranking::new(positives, negatives)
}

/// Keys of the anomalous and of the normal samples.
fn split_classes<S: Rank>(scores: &[S], labels: &[bool]) -> (Vec<S::Key>, Vec<S::Key>) {
    let mut anomalous = vec![S::Key::default(); scores.len()];
    let mut normal = anomalous.clone();
    let (mut p, mut n) = (0, 0);
    for (score, &label) in scores.iter().zip(labels) {
        let key = score.key();
        // Writing to both and advancing one avoids a branch that no processor can predict.
        anomalous[p] = key;
        normal[n] = key;
        p += usize::from(label);
        n += usize::from(!label);
    }
    anomalous.truncate(p);
    normal.truncate(n);
    (anomalous, normal)
}
