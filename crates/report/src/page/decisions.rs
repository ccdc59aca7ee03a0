//! Scores, the threshold, and what follows from it.

use ckaad_metrics::{auroc, wilson_interval};
use maud::{Markup, html};
use std::collections::BTreeMap;

use super::shell::absent;
use super::table::{Cell, number, sortable, text};
use crate::numbers::{percent, percents, short};
use crate::plot::Chart;
use crate::run::{RunData, ScoredImage, ThresholdData};

pub(super) fn decisions(data: &RunData, histogram: Option<&Chart>) -> Markup {
    html! {
        div .charts {
            @if let Some(chart) = histogram { (chart.figure()) } @else { (absent("There are no scores.")) }
            div {
                @match &data.threshold {
                    Some(threshold) => (at_threshold(data, threshold)),
                    None => (absent("No threshold was chosen, so there are no decisions.")),
                }
            }
        }
    }
}

fn at_threshold(data: &RunData, threshold: &ThresholdData) -> Markup {
    let count = |anomalous, flagged| {
        let images = data.images.iter();
        let counted = images
            .filter(|image| image.anomalous == anomalous && data.is_flagged(image) == flagged);
        counted.count()
    };
    let rows = [
        ("normal", false, "false alarms", "left alone"),
        ("anomalous", true, "found", "missed"),
    ];
    html! {
        h3 { "Decisions at the stored threshold" }
        p { "Flagged are scores of " strong { (short(threshold.value)) } " and above: " (threshold.rule) ". The test images had no part in choosing it." }
        table .confusion {
            caption { "Confusion matrix" }
            thead { tr { th scope="col" { "the image is" } th scope="col" .number { "flagged" } th scope="col" .number { "not flagged" } } }
            tbody {
                @for (name, anomalous, flagged, passed) in rows {
                    tr {
                        th scope="row" { (name) }
                        td .number { span .value { (count(anomalous, true)) } " " small { (flagged) } }
                        td .number { span .value { (count(anomalous, false)) } " " small { (passed) } }
                    }
                }
            }
        }
        (false_alarms(threshold, count(false, true) as u64, count(false, false) as u64))
    }
}

/// Whether more normal images were flagged than was promised, beyond what chance explains: the 95 % interval of the rate lies above the promise.
pub fn breaks_promise(promise: f64, flagged: u64, normal: u64) -> bool {
    wilson_interval(flagged, normal, 0.95).is_ok_and(|[low, _]| low > promise)
}

/// The rate that was promised, and the one that was seen.
fn false_alarms(threshold: &ThresholdData, flagged: u64, passed: u64) -> Markup {
    let normal = flagged + passed;
    let interval = wilson_interval(flagged, normal, 0.95).ok();
    html! {
        h3 { "False alarms" }
        ul {
            li {
                @match threshold.promise {
                    Some(rate) => { "Promised: at most " strong { (percent(rate)) } " of normal images, by images that were held out of training." },
                    None => "Promised: nothing, since no normal images were held out of training to calibrate the scores.",
                }
            }
            li {
                @match interval {
                    Some(interval) => {
                        "Seen: " strong { (percent(flagged as f64 / normal as f64)) } " (" (flagged) " of " (normal) "; 95 % interval " (percents(interval)) ")."
                    },
                    None => "Seen: nothing, since no test image is normal.",
                }
            }
        }
        @if threshold.promise.is_some_and(|promise| breaks_promise(promise, flagged, normal)) {
            p .warning { "That is more than was promised. The normal test images are probably not like those that were held out." }
        }
    }
}

/// Figures of each class.
pub(super) fn by_class(data: &RunData) -> Markup {
    let mut classes: BTreeMap<(bool, &str), Vec<&ScoredImage>> = BTreeMap::new();
    for image in &data.images {
        let key = (image.anomalous, image.class.as_str());
        classes.entry(key).or_default().push(image);
    }
    if classes.is_empty() {
        return absent("There are no test images.");
    }
    let columns = [
        text("class"),
        text("kind"),
        number("images"),
        number("flagged"),
        number("median score"),
        number("AUROC against all normal"),
    ];
    let normal: Vec<f64> = data
        .images
        .iter()
        .filter(|image| !image.anomalous)
        .map(|image| image.score)
        .collect();
    let rows = classes.into_iter().map(|((anomalous, class), images)| {
        let flagged = images.iter().filter(|image| data.is_flagged(image)).count();
        let share = flagged as f64 / images.len() as f64;
        let interval = wilson_interval(flagged as u64, images.len() as u64, 0.95).ok();
        let mut scores: Vec<f64> = images.iter().map(|image| image.score).collect();
        scores.sort_by(f64::total_cmp);
        let median = scores[(scores.len() - 1) / 2];
        let area = anomalous.then(|| {
            let labels: Vec<bool> = normal
                .iter()
                .map(|_| false)
                .chain(scores.iter().map(|_| true))
                .collect();
            auroc(&[normal.as_slice(), &scores].concat(), &labels).ok()
        });
        let area = area.flatten();
        vec![
            Cell::text(class),
            Cell::text(if anomalous { "anomalous" } else { "normal" }),
            Cell::number(images.len().to_string(), Some(images.len() as f64)),
            Cell::number(format!("{flagged} ({})", percent(share)), Some(share))
                .with(interval.map(percents).as_deref()),
            Cell::number(short(median), Some(median)),
            Cell::number(area.map_or("–".to_owned(), percent), area),
        ]
    });
    sortable("Figures by class", &columns, rows.collect())
}

#[cfg(test)]
mod tests {
    use super::breaks_promise;

    #[test]
    fn chance_breaks_no_promise() {
        assert!(breaks_promise(0.05, 47, 234));
        // 5 % of 60 are 3; 6 lie within what chance explains.
        assert!(!breaks_promise(0.05, 6, 60));
        assert!(!breaks_promise(0.05, 0, 0));
    }
}
