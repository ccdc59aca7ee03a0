//! How well normal and anomalous images are told apart, whatever the threshold.

use ckaad_metrics::{auroc, average_precision};
use maud::{Markup, html};

use super::shell::absent;
use crate::curves::{precision_recall, roc};
use crate::numbers::percent;
use crate::plot::{Axis, Chart, Series};
use crate::run::RunData;

/// Scores that one curve is drawn of.
pub(super) struct Ranked<'a> {
    pub(super) name: &'a str,
    pub(super) scores: &'a [f64],
}

/// The two curves of each ranking, or why there are none.
pub(super) fn charts(ranked: &[Ranked<'_>], labels: &[bool]) -> Result<[Chart; 2], String> {
    if ranked.is_empty() {
        return Err("There are no scores to draw curves of.".to_owned());
    }
    let anomalous = labels.iter().filter(|label| **label).count();
    if anomalous == 0 || anomalous == labels.len() {
        return Err(
            "Curves need normal and anomalous test images; these are of one kind only.".to_owned(),
        );
    }
    let failed = |error: ckaad_metrics::MetricError| format!("There are no curves: {error}.");
    let (mut of_roc, mut of_precision) = (Vec::new(), Vec::new());
    let (mut areas, mut averages) = (Vec::new(), Vec::new());
    for Ranked { name, scores } in ranked {
        let lone = ranked.len() == 1;
        let key = |name: &str| if lone { String::new() } else { name.to_owned() };
        of_roc.push(Series::line(
            key(name),
            roc(scores, labels).map_err(failed)?,
        ));
        of_precision.push(Series::line(
            key(name),
            precision_recall(scores, labels).map_err(failed)?,
        ));
        let describe = |what: &str, value: f64| match lone {
            true => format!("{what} {}", percent(value)),
            false => format!("{name}: {what} {}", percent(value)),
        };
        areas.push(describe(
            "area under the curve",
            auroc(scores, labels).map_err(failed)?,
        ));
        averages.push(describe(
            "average precision",
            average_precision(scores, labels).map_err(failed)?,
        ));
    }
    Ok([
        Chart {
            file: "roc".to_owned(),
            title: "ROC curve".to_owned(),
            description: areas.join("; "),
            x: Axis::share("false alarms among normal images"),
            y: Axis::share("anomalous images found"),
            series: of_roc,
            markers: Vec::new(),
            diagonal: true,
        },
        Chart {
            file: "precision-recall".to_owned(),
            title: "Precision-recall curve".to_owned(),
            description: averages.join("; "),
            x: Axis::share("anomalous images found (recall)"),
            y: Axis::share("precision among flagged"),
            series: of_precision,
            markers: Vec::new(),
            diagonal: false,
        },
    ])
}

/// The curves of a run.
pub(super) fn of_run(data: &RunData) -> Result<[Chart; 2], String> {
    let scores: Vec<f64> = data.images.iter().map(|image| image.score).collect();
    let labels: Vec<bool> = data.images.iter().map(|image| image.anomalous).collect();
    let ranked = Ranked {
        name: "",
        scores: &scores,
    };
    charts(&[ranked], &labels)
}

pub(super) fn curves(charts: &Result<[Chart; 2], String>) -> Markup {
    match charts {
        Ok(charts) => html! { div .charts { @for chart in charts { (chart.figure()) } } },
        Err(why) => absent(why),
    }
}
