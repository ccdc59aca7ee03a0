//! The summary.

use ckaad_metrics::wilson_interval;
use maud::{Markup, html};

use super::shell::absent;
use crate::numbers::{images, percent, percents};
use crate::run::{Figure, RunData};

/// Figures of all models, side by side.
pub(super) fn summary(data: &RunData) -> Markup {
    let [normal, anomalous] = data.kinds();
    let names = data.models.first().map_or(&[][..], |model| &model.figures);
    html! {
        @let flagged = |anomalous| data.images.iter().filter(|image| image.anomalous == anomalous && data.is_flagged(image)).count();
        p { strong { (images(data.images.len())) } " tested: " (normal) " normal, " (anomalous) " anomalous. "
            @if data.threshold.is_some() { "Flagged: " (flagged(true)) " of the anomalous and " (flagged(false)) " of the normal ones." } }
        @if normal == 0 || anomalous == 0 {
            (absent("The test images are of one kind only, so nothing can be said of how well the two are told apart."))
        }
        @if names.is_empty() {
            (absent("There are no figures."))
        } @else {
            div .scroll tabindex="0" role="region" aria-label="Figures" {
                table {
                    caption { "Figures, with 95 % confidence intervals where there are any" }
                    thead {
                        tr {
                            th scope="col" { "figure" }
                            @for model in &data.models { th scope="col" .number { (model.name) } }
                        }
                    }
                    tbody {
                        @for (index, figure) in names.iter().enumerate() {
                            tr {
                                th scope="row" { (figure.name) }
                                @for model in &data.models { td .number { (cell(model.figures.get(index))) } }
                            }
                        }
                    }
                }
            }
            @if let Some(why) = &data.no_pixels { (absent(&format!("No figures of pixels: {why}."))) }
        }
    }
}

pub(super) fn cell(figure: Option<&Figure>) -> Markup {
    let Some(figure) = figure else {
        return html! { "–" };
    };
    html! {
        @match figure.value {
            Some(value) => span .value { (percent(value)) },
            None => "–",
        }
        @if let Some(interval) = figure.interval { " " small { (percents(interval)) } }
        @if let Some(counts) = &figure.counts { " " small { "(" (counts) ")" } }
    }
}

impl Figure {
    /// A share of images, with its interval; `None` where there are no images.
    pub fn share(name: &str, counted: u64, of: u64) -> Self {
        let value = (of > 0).then(|| counted as f64 / of as f64);
        Self {
            name: name.to_owned(),
            value,
            interval: wilson_interval(counted, of, 0.95).ok(),
            counts: Some(format!("{counted} of {of}")),
        }
    }
}
