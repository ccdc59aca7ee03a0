use super::axis::Axis;
use super::chart::{Chart, Marker, Series};
use crate::numbers::short;
use crate::run::RunData;

/// Bars over the whole range of scores.
const BINS: usize = 40;

/// How scores of normal and of anomalous images are distributed, each kind as shares of its own number.
pub(crate) fn histogram(data: &RunData) -> Option<Chart> {
    let threshold = data.threshold.as_ref().map(|threshold| threshold.value);
    let scores: Vec<f64> = data.images.iter().map(|image| image.score).collect();
    if scores.is_empty() {
        return None;
    }
    let x = Axis::around("score", &scores);
    let kinds = [("normal", false), ("anomalous", true)].map(|(name, anomalous)| {
        let of_kind: Vec<f64> = data
            .images
            .iter()
            .filter(|image| image.anomalous == anomalous)
            .map(|image| image.score)
            .collect();
        (name, of_kind)
    });
    let shares = kinds.each_ref().map(|(_, scores)| shares(scores, &x));
    let highest = shares.iter().flatten().copied().fold(0.0, f64::max);
    let series = kinds
        .iter()
        .zip(&shares)
        .filter(|((_, scores), _)| !scores.is_empty());
    let series: Vec<Series> = series
        .map(|((name, scores), shares)| Series {
            name: format!("{name} ({})", scores.len()),
            points: outline(shares, &x),
            filled: true,
        })
        .collect();
    let described = kinds.iter().filter(|(_, scores)| !scores.is_empty());
    let described: Vec<String> = described
        .map(|(name, scores)| {
            let [low, middle, high] = quartiles(scores);
            format!("half of the {name} images score from {low} to {high}, the median is {middle}")
        })
        .collect();
    Some(Chart {
        file: "scores".to_owned(),
        title: "Scores of the test images".to_owned(),
        description: described.join("; "),
        y: Axis::up_to("share of images of the kind", highest),
        series,
        markers: threshold
            .map(|x| Marker {
                name: format!("threshold {}", short(x)),
                x,
            })
            .into_iter()
            .collect(),
        diagonal: false,
        x,
    })
}

/// The share of the scores in each bin.
fn shares(scores: &[f64], x: &Axis) -> Vec<f64> {
    let mut counts = vec![0.0; BINS];
    for score in scores {
        let bin = (x.place(*score) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += 1.0 / scores.len() as f64;
    }
    counts
}

/// The line around bars.
fn outline(shares: &[f64], x: &Axis) -> Vec<[f64; 2]> {
    let edge = |bin: usize| x.value(bin as f64 / BINS as f64);
    let tops = shares
        .iter()
        .enumerate()
        .flat_map(|(bin, share)| [[edge(bin), *share], [edge(bin + 1), *share]]);
    std::iter::once([edge(0), 0.0])
        .chain(tops)
        .chain([[edge(BINS), 0.0]])
        .collect()
}

fn quartiles(scores: &[f64]) -> [String; 3] {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| short(sorted[quarter * (sorted.len() - 1) / 4]))
}
