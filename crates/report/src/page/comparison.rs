//! The page of a comparison.

use ckaad_metrics::{MetricError, PairedDelong, auroc, delong_test};
use maud::{Markup, html};

use super::ranking::{self, Ranked};
use super::shell::{Section, absent, page};
use super::table::{Cell, Column, number, sortable, text};
use super::{Page, files, gallery};
use crate::comparison::{ComparisonData, Contestant, Exhibit, Scores};
use crate::numbers::{images, percent, percents, probability, short};
use crate::plot::Chart;
use crate::run::Figure;

/// The page of several detectors or runs on the same test images.
pub fn comparison_page(data: &ComparisonData) -> Page {
    let Parts { charts, bodies } = parts(data);
    let [summary, curves, tests] = bodies;
    let mut sections = vec![
        Section::new("summary", "Summary", summary),
        Section::new("curves", "Curves", curves),
        Section::new("tests", "Paired tests", tests),
    ];
    let mut last = html! {};
    if let Some(exhibit) = &data.exhibit {
        let title = format!("Pictures: {}", exhibit.name);
        sections.insert(1, Section::new("gallery", title, pictures(exhibit)));
        last = gallery::viewer();
    }
    let charts: Vec<&Chart> = charts.iter().collect();
    Page {
        html: page(&data.title, &data.facts, &sections, &last),
        plots: files(&charts),
    }
}

/// What a page says of several detectors or runs on the same images.
pub(super) struct Parts {
    pub(super) charts: Vec<Chart>,
    /// The summary, the curves, the tests.
    pub(super) bodies: [Markup; 3],
}

pub(super) fn parts(data: &ComparisonData) -> Parts {
    let ranked: Vec<Ranked<'_>> = data.contestants.iter().filter_map(ranked).collect();
    let mut curves = ranking::charts(&ranked, &data.labels);
    for chart in curves.iter_mut().flatten() {
        chart.file = format!("{}{}", data.plots, chart.file);
    }
    let drawn = html! { (missing(data)) (ranking::curves(&curves)) };
    let bodies = [summary(data), drawn, paired_tests(data, &ranked)];
    let charts = curves.into_iter().flatten().collect();
    Parts { charts, bodies }
}

fn pictures(exhibit: &Exhibit) -> Markup {
    html! {
        p { "What " strong { (exhibit.name) } " found, missed and flagged by mistake, at its stored threshold, " (short(exhibit.threshold)) "." }
        (gallery::gallery(&exhibit.images, Some(exhibit.threshold), &exhibit.gallery))
    }
}

fn ranked(contestant: &Contestant) -> Option<Ranked<'_>> {
    match &contestant.scores {
        Scores::Known(scores) => Some(Ranked {
            name: &contestant.name,
            scores,
        }),
        Scores::NotDrawn | Scores::Missing(_) => None,
    }
}

fn missing(data: &ComparisonData) -> Markup {
    html! {
        @for contestant in &data.contestants {
            @if let Scores::Missing(why) = &contestant.scores { (absent(&format!("{} has no curve: {why}.", contestant.name))) }
        }
    }
}

fn summary(data: &ComparisonData) -> Markup {
    let anomalous = data.labels.iter().filter(|label| **label).count();
    html! {
        @if let Some(verdict) = &data.verdict {
            p { "Recommended: " strong { (verdict.name) } ". " (verdict.reason) "." }
        }
        @if !data.labels.is_empty() {
            p {
                (images(data.labels.len())) " were tested by all: " (data.labels.len() - anomalous) " normal, " (anomalous) " anomalous."
            }
        }
        @for note in &data.notes { p .warning dir="auto" { (note) } }
        (overview(data))
    }
}

fn overview(data: &ComparisonData) -> Markup {
    let Some(first) = data.contestants.first() else {
        return absent("There is nothing to compare.");
    };
    let mut columns = vec![text("name")];
    columns.extend(
        first
            .figures
            .iter()
            .map(|figure| number(figure.name.clone())),
    );
    columns.extend(first.numbers.iter().map(|(name, _)| number(name.clone())));
    let rows = data.contestants.iter().map(|contestant| {
        let mut row = vec![Cell::text(&contestant.name).with(contestant.remark.as_deref())];
        row.extend(contestant.figures.iter().map(figure));
        let numbers = contestant.numbers.iter();
        row.extend(
            numbers.map(|(_, value)| Cell::number(value.map_or("–".to_owned(), short), *value)),
        );
        row
    });
    sortable(
        &caption(data, "Figures, with 95 % confidence intervals"),
        &columns,
        rows.collect(),
    )
}

fn figure(figure: &Figure) -> Cell {
    let shown = figure.value.map_or("–".to_owned(), percent);
    Cell::number(shown, figure.value).with(figure.interval.map(percents).as_deref())
}

/// A caption that no other table of the page has.
fn caption(data: &ComparisonData, text: &str) -> String {
    match data.plots.as_str() {
        "" => text.to_owned(),
        _ => format!("{}: {text}", data.title),
    }
}

/// DeLong's test of each pair.
fn paired_tests(data: &ComparisonData, ranked: &[Ranked<'_>]) -> Markup {
    let labels = &data.labels;
    if ranked.len() < 2 {
        return absent("Tests need the scores of two detectors at least.");
    }
    let pairs = ranked
        .iter()
        .enumerate()
        .flat_map(|(index, a)| ranked[index + 1..].iter().map(move |b| (a, b)));
    let tested: Vec<_> = pairs
        .map(|(a, b)| (a, b, delong_test(a.scores, b.scores, labels)))
        .collect();
    if let Some((.., Err(error))) = tested.iter().find(|(.., found)| !known(found)) {
        return absent(&format!("There are no tests: {error}."));
    }
    let p_values: Vec<f64> = tested
        .iter()
        .map(|(a, b, found)| p_value(a, b, found, labels))
        .collect();
    let adjusted = holm(&p_values);
    let columns: [Column; 6] = [
        text("a"),
        text("b"),
        number("AUROC of a − of b, points"),
        number("95 % interval"),
        number("p"),
        number("p, adjusted by Holm"),
    ];
    let rows =
        tested
            .iter()
            .zip(p_values.iter().zip(adjusted))
            .map(|((a, b, found), (p, adjusted))| {
                let [of_a, of_b] = [a, b].map(|of| auroc(of.scores, labels).unwrap_or(f64::NAN));
                let points = 100.0 * (of_a - of_b);
                let reach = found
                    .as_ref()
                    .ok()
                    .map(|found| 100.0 * 1.96 * found.standard_error);
                vec![
                    Cell::text(a.name),
                    Cell::text(b.name),
                    Cell::number(format!("{points:+.2}"), Some(points)),
                    Cell::number(
                        reach.map_or("–".to_owned(), |reach| {
                            format!("{:+.2} to {:+.2}", points - reach, points + reach)
                        }),
                        reach.map(|reach| points - reach),
                    ),
                    Cell::number(probability(*p), Some(*p)),
                    Cell::number(probability(adjusted), Some(adjusted)),
                ]
            });
    let table = sortable(
        &caption(
            data,
            "DeLong's paired test of each pair, on the test images",
        ),
        &columns,
        rows.collect(),
    );
    html! {
        p {
            "The probability of a difference as large if two detectors ranked equally well. Of many pairs some differ by chance: the last column \
             says what is left when all of them are tested together. Test images choose nothing here."
        }
        (table)
    }
}

/// Equal and perfect rankings have no variance: that is a result, not a failure.
fn known(found: &Result<PairedDelong, MetricError>) -> bool {
    matches!(found, Ok(_) | Err(MetricError::ZeroVariance { .. }))
}

fn p_value(
    a: &Ranked<'_>,
    b: &Ranked<'_>,
    found: &Result<PairedDelong, MetricError>,
    labels: &[bool],
) -> f64 {
    match found {
        Ok(found) => found.p_value,
        Err(_) if auroc(a.scores, labels).ok() == auroc(b.scores, labels).ok() => 1.0,
        Err(_) => 0.0,
    }
}

/// Holm's step-down adjustment (1979): with it the probability of any false difference among all pairs is at most what is read off.
fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut most: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        most = most.max((p_values.len() - rank) as f64 * p_values[index]);
        adjusted[index] = most.min(1.0);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_steps_down() {
        // Worked by hand: 3 x 0.01, 2 x 0.02, 1 x 0.5; never falling.
        assert_eq!(holm(&[0.02, 0.5, 0.01]), [0.04, 0.5, 0.03]);
        assert_eq!(holm(&[0.03, 0.04]), [0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
