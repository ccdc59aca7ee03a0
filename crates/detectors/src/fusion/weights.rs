//! How much each member counts.

use ckaad_metrics::{auroc, distinguishable};

/// Weights are multiples of one over this.
const STEPS: usize = 4;
/// Images of each kind from which on validation may prefer some weights to others.
const ENOUGH: usize = 10;

/// Weights of members, of sum 1, by their standardised scores of images (`[member][image]`) and whether these are anomalous: of those that
/// DeLong's paired test cannot tell from the ones with the highest AUROC, the most even; even ones where there are too few images to tell.
pub(super) fn choose(scores: &[Vec<f64>], anomalous: &[bool]) -> Vec<f64> {
    let members = scores.len();
    let even = vec![1.0 / members as f64; members];
    let found = anomalous.iter().filter(|&&anomalous| anomalous).count();
    if found < ENOUGH || anomalous.len() - found < ENOUGH {
        return even;
    }
    let ranked = |weights: Vec<f64>| {
        let fused = fuse(scores, &weights);
        let auroc = auroc(&fused, anomalous).unwrap_or(0.0);
        (weights, fused, auroc)
    };
    let all: Vec<(Vec<f64>, Vec<f64>, f64)> = std::iter::once(even.clone())
        .chain(multiples(members, STEPS))
        .map(ranked)
        .collect();
    let best = all.iter().max_by(|a, b| a.2.total_cmp(&b.2));
    let Some((_, of_best, _)) = best else {
        return even;
    };
    let equal = all
        .iter()
        .filter(|(_, fused, _)| !distinguishable(of_best, fused, anomalous).unwrap_or(false));
    let chosen = equal.min_by(|a, b| {
        let unevenness =
            |weights: &[f64]| weights.iter().map(|weight| weight * weight).sum::<f64>();
        unevenness(&a.0)
            .total_cmp(&unevenness(&b.0))
            .then(b.2.total_cmp(&a.2))
    });
    chosen.map_or(even, |(weights, _, _)| weights.clone())
}

fn fuse(scores: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let images = scores.first().map_or(0, Vec::len);
    let fused = |image: usize| {
        let terms = scores.iter().zip(weights);
        terms.map(|(of, weight)| weight * of[image]).sum()
    };
    (0..images).map(fused).collect()
}

/// All ways to share `steps` equal parts of 1 among members.
fn multiples(members: usize, steps: usize) -> Vec<Vec<f64>> {
    let share = |parts: usize| parts as f64 / STEPS as f64;
    if members == 1 {
        return vec![vec![share(steps)]];
    }
    (0..=steps)
        .flat_map(|first| {
            let rest = multiples(members - 1, steps - first);
            rest.into_iter()
                .map(move |rest| [vec![share(first)], rest].concat())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty normal images, then twenty anomalous ones.
    fn labels() -> Vec<bool> {
        (0..40).map(|image| image >= 20).collect()
    }

    #[test]
    fn a_member_that_only_disturbs_gets_no_weight() {
        let right: Vec<f64> = labels()
            .iter()
            .map(|&label| f64::from(u8::from(label)))
            .collect();
        let wrong: Vec<f64> = right.iter().map(|score| -score).collect();
        assert_eq!(choose(&[right.clone(), wrong], &labels()), [0.75, 0.25]);
        let noise: Vec<f64> = (0..40).map(|image| f64::from(image * 7 % 40)).collect();
        assert_eq!(choose(&[right, noise], &labels())[1], 0.0);
    }

    #[test]
    fn what_cannot_be_told_apart_counts_evenly() {
        let good: Vec<f64> = (0..40).map(f64::from).collect();
        let as_good: Vec<f64> = good.iter().map(|score| score.sqrt()).collect();
        assert_eq!(
            choose(&[good.clone(), as_good.clone()], &labels()),
            [0.5, 0.5]
        );
        let few: Vec<bool> = (0..12).map(|image| image >= 6).collect();
        let third = 1.0 / 3.0;
        let scores = [&good[..12], &as_good[..12], &good[..12]].map(<[f64]>::to_vec);
        assert_eq!(choose(&scores, &few), [third; 3]);
    }

    #[test]
    fn shares_are_all_there_are() {
        assert_eq!(multiples(2, STEPS).len(), 5);
        assert_eq!(multiples(6, STEPS).len(), 126);
        for weights in multiples(3, STEPS) {
            assert_eq!(weights.iter().sum::<f64>(), 1.0);
        }
    }
}
