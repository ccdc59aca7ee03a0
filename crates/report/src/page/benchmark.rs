//! The page of a benchmark.

use maud::{Markup, html};

use super::comparison::{Parts, parts};
use super::shell::{Section, absent, page};
use super::table::{Cell, number, sortable, text};
use super::{Page, files};
use crate::benchmark::BenchmarkData;
use crate::numbers::percent;
use crate::plot::Chart;

/// The figures that are not folded away: how well images are ranked and decided on, and how well places are found.
const FIRST: [&str; 3] = ["image AUROC", "F1 at the threshold", "AUPRO (limit 0.3)"];

/// The page of runs on one or several sets of test images: means over seeds by set and kind of run, and each set by itself.
pub fn benchmark_page(data: &BenchmarkData) -> Page {
    let mut sections = vec![Section::new("summary", "Summary", summary(data))];
    let mut charts: Vec<Chart> = Vec::new();
    for (index, group) in data.groups.iter().enumerate() {
        let Parts {
            charts: drawn,
            bodies: [summary, curves, tests],
        } = parts(&group.comparison);
        charts.extend(drawn);
        let body = html! { (summary) h3 { "Curves" } (curves) h3 { "Paired tests" } (tests) };
        let id = format!("images-{}", index + 1);
        sections.push(Section::new(id, &group.comparison.title, body));
    }
    let charts: Vec<&Chart> = charts.iter().collect();
    Page {
        html: page(&data.title, &data.facts, &sections, &html! {}),
        plots: files(&charts),
    }
}

fn summary(data: &BenchmarkData) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    let figures = data.groups.iter().flat_map(|of| &of.comparison.contestants);
    for figure in figures.flat_map(|run| &run.figures) {
        if figure.value.is_some() && !names.contains(&figure.name.as_str()) {
            names.push(&figure.name);
        }
    }
    html! {
        @for note in &data.notes { p .warning dir="auto" { (note) } }
        @if names.is_empty() { (absent("There are no figures.")) } @else {
            p {
                "Means over the runs of a kind, which differ in their seed alone, with standard deviation and number of runs where there are several. "
                "Curves and tests below are of the run of each kind with the lowest seed."
            }
            @let (first, others): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| FIRST.contains(name));
            @for name in first { (means(data, name)) }
            @if !others.is_empty() {
                details { summary { "Other figures: " (others.join(", ")) } @for name in others { (means(data, name)) } }
            }
        }
    }
}

/// A row for each set of images, a column for each kind of run.
fn means(data: &BenchmarkData, figure: &str) -> Markup {
    let mut kinds: Vec<&str> = Vec::new();
    for kind in data.groups.iter().flat_map(|group| &group.kinds) {
        if !kinds.contains(&kind.as_str()) {
            kinds.push(kind);
        }
    }
    let mut columns = vec![text("test images")];
    columns.extend(kinds.iter().map(|kind| number(*kind)));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut all: Vec<Vec<Option<f64>>> = vec![Vec::new(); kinds.len()];
    for group in &data.groups {
        let mut row = vec![Cell::text(&group.comparison.title)];
        for (kind, all) in kinds.iter().zip(&mut all) {
            let values = group.values(kind, figure);
            all.push(mean(&values));
            row.push(cell(&values));
        }
        rows.push(row);
    }
    if data.groups.len() > 1 {
        let mut row = vec![Cell::text("mean of all")];
        // One that lacks images is not comparable with the others.
        let whole = |means: &Vec<Option<f64>>| means.iter().copied().collect::<Option<Vec<f64>>>();
        row.extend(all.iter().map(|means| {
            let mean = whole(means).and_then(|means| mean(&means));
            Cell::number(mean.map_or("–".to_owned(), percent), mean)
        }));
        rows.push(row);
    }
    sortable(figure, &columns, rows)
}

fn cell(values: &[f64]) -> Cell {
    let mean = mean(values);
    let spread = deviation(values)
        .map(|deviation| format!("± {:.1}, {} runs", 100.0 * deviation, values.len()));
    Cell::number(mean.map_or("–".to_owned(), percent), mean).with(spread.as_deref())
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The sample standard deviation.
fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|_| values.len() > 1)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_deviations() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[0.25, 0.75]), Some(0.5));
        assert_eq!(deviation(&[0.5]), None);
        // Squares of -1, 0, 1 over two degrees of freedom.
        assert_eq!(deviation(&[1.0, 2.0, 3.0]), Some(1.0));
    }
}
