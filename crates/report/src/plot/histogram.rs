use super::axis::Axis;
use super::chart::{Chart, Marker, Series};
use crate::numbers::short;
use crate::run::RunData;

/// Bars over the whole range of scores.
const BINS: usize = 40;

/// Room above the highest bar.
const HEADROOM: f64 = 1.06;

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
        y: Axis::up_to("share of images of the kind", HEADROOM * highest),
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

/// The line around neighbouring bars, and none where there are no scores.
fn outline(shares: &[f64], x: &Axis) -> Vec<[f64; 2]> {
    let edge = |bin: usize| x.value(bin as f64 / BINS as f64);
    let mut points = Vec::new();
    let mut bin = 0;
    for run in shares.chunk_by(|a, b| (*a > 0.0) == (*b > 0.0)) {
        if run[0] > 0.0 {
            points.push([edge(bin), 0.0]);
            for (index, share) in run.iter().enumerate() {
                let (from, to) = (edge(bin + index), edge(bin + index + 1));
                points.extend([[from, *share], [to, *share]]);
            }
            points.extend([[edge(bin + run.len()), 0.0], [f64::NAN; 2]]);
        }
        bin += run.len();
    }
    points
}

fn quartiles(scores: &[f64]) -> [String; 3] {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| short(sorted[quarter * (sorted.len() - 1) / 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_where_scores_are() {
        let x = Axis::range("", 0.0, 40.0);
        let found = shares(&[0.5, 0.6, 39.0, 40.0], &x);
        assert_eq!((found[0], found[39]), (0.5, 0.5));
        let line = outline(&found, &x);
        assert_eq!(line[..4], [[0.0, 0.0], [0.0, 0.5], [1.0, 0.5], [1.0, 0.0]]);
        assert!(line[4][1].is_nan() && line.len() == 10);
    }
}
