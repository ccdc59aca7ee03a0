//! The course of training.

use maud::{Markup, html};

use super::shell::absent;
use crate::numbers::{percent, short};
use crate::plot::{Axis, Chart, Series};
use crate::run::{Epoch, RunData};

/// A plot for each loss and one for validation; none where there is only one epoch.
pub(super) fn charts(data: &RunData) -> Vec<Chart> {
    let [first, .., last] = data.epochs.as_slice() else {
        return Vec::new();
    };
    let mut charts = Vec::new();
    for (index, (name, _)) in first.losses.iter().enumerate() {
        let points = |epoch: &Epoch| epoch.losses.get(index).map(|(_, loss)| *loss);
        let axis = |low, high| Axis::roomy("", low, high);
        charts.extend(chart(
            data,
            &format!("loss-{index}"),
            name,
            [first, last],
            points,
            axis,
        ));
    }
    let validation = |epoch: &Epoch| epoch.validation_auroc;
    charts.extend(chart(
        data,
        "validation",
        "AUROC on validation images",
        [first, last],
        validation,
        |low, _| Axis::high_share("", low),
    ));
    charts
}

fn chart(
    data: &RunData,
    file: &str,
    name: &str,
    [first, last]: [&Epoch; 2],
    value: impl Fn(&Epoch) -> Option<f64>,
    axis: impl Fn(f64, f64) -> Axis,
) -> Option<Chart> {
    let points = data.epochs.iter().filter_map(|epoch| {
        let value = value(epoch).filter(|value| value.is_finite())?;
        Some([epoch.epoch as f64, value])
    });
    let points: Vec<[f64; 2]> = points.collect();
    let (from, to) = (points.first()?[1], points.last()?[1]);
    let values = points.iter().map(|point| point[1]);
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    Some(Chart {
        file: file.to_owned(),
        title: name.to_owned(),
        description: format!(
            "{name} by epoch: {} after epoch {}, {} after epoch {}; between {} and {}",
            short(from),
            first.epoch,
            short(to),
            last.epoch,
            short(low),
            short(high)
        ),
        x: Axis::range("epoch", first.epoch as f64, last.epoch as f64),
        y: axis(low, high),
        series: vec![Series::line("", points)],
        markers: Vec::new(),
        diagonal: false,
    })
}

pub(super) fn course(data: &RunData, charts: &[Chart]) -> Markup {
    match data.epochs.as_slice() {
        [] => absent("There is no record of the training."),
        [only] => html! {
            p { "The detector learned in one pass, so there is no course to show." }
            @if !only.losses.is_empty() {
                ul { @for (name, loss) in &only.losses { li { (name) ": " (short(*loss)) } } }
            }
            @if let Some(auroc) = only.validation_auroc { p { "AUROC on the validation images: " (percent(auroc)) "." } }
        },
        epochs => html! {
            div .charts { @for chart in charts { (chart.figure()) } }
            @if epochs.iter().all(|epoch| epoch.validation_auroc.is_none()) {
                (absent("The validation images are of one kind only, so there is no course of their AUROC."))
            }
        },
    }
}
