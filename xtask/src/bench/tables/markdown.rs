//! The table for people.

use std::collections::BTreeSet;

use super::differences::settings;
use super::measured::{Measured, ModelResults, Results, SectionResults};
use super::overview;
use crate::bench::figures::{Figure, Measures};
use crate::bench::grid::{Grid, PaperFigure, Section};

/// Where there is no figure.
pub(super) const NONE: &str = "–";

/// All tables of a benchmark.
pub(super) fn render(grid: &Grid, results: &Results, absent: &[String]) -> String {
    let mut text = format!("# {}\n\n", grid.title);
    if grid.synthetic {
        text.push_str(
            "**SYNTHETIC stand-ins drawn by `ckaad`, not the data sets named, and random features: these figures test the \
             program, say nothing about the method, and are not compared with the paper's.**\n\n",
        );
    }
    if results.finished < results.runs {
        text.push_str(&format!(
            "**INCOMPLETE: {} of {} runs are finished, {} failed, {} are not done.**\n\n",
            results.finished,
            results.runs,
            results.failed.len(),
            results.not_done.len()
        ));
    }
    for reason in absent {
        text.push_str(&format!("- {reason}\n"));
    }
    if !absent.is_empty() {
        text.push('\n');
    }
    text.push_str(
        "Percent: mean ± sample standard deviation over n seeds; `paper` is the paper's figure, `diff` ours less the paper's. An \
         oracle threshold is chosen on the test images themselves, as in the paper; a validation or training threshold is not. `last` \
         and `best on validation` are models of the same runs; the paper does not say which epoch it reports.\n",
    );
    for note in &grid.notes {
        text.push_str(note);
        text.push('\n');
    }
    let list = |set: &std::collections::BTreeSet<String>| {
        let items: Vec<&str> = set.iter().map(String::as_str).collect();
        items.join(", ")
    };
    if results.finished > 0 {
        text.push_str(&format!(
            "Device: {}; ckaad {}.",
            list(&results.devices),
            list(&results.versions)
        ));
        if !results.weights.is_empty() {
            text.push_str(&format!(
                " Weights of the backbone: {}.",
                list(&results.weights)
            ));
        }
        text.push('\n');
    }
    if grid.sections.len() > 1 {
        text.push_str(&overview::render(grid, results));
    }
    for (section, measured) in grid.sections.iter().zip(&results.sections) {
        text.push_str(&detail(section, measured, grid.synthetic));
    }
    if !results.failed.is_empty() {
        text.push_str("\n## Failed runs\n\n");
        for (run, reason) in &results.failed {
            text.push_str(&format!("- `{run}`: {}\n", reason.replace('\n', " ")));
        }
    }
    text
}

/// One data set: every row, both models, every figure.
fn detail(section: &Section, results: &SectionResults, synthetic: bool) -> String {
    let mut text = format!("\n## {}", section.title);
    if synthetic {
        text.push_str(" (SYNTHETIC stand-in)");
    }
    if section.beside.is_empty() {
        text.push_str(", not in the paper\n\n");
    } else {
        text.push_str(&format!(", beside {}\n\n", section.beside));
    }
    let differs = settings(&results.rows);
    if !differs.is_empty() {
        text.push_str(&format!(
            "Setting, where not the paper's: {}.\n\n",
            differs.join("; ")
        ));
    }
    if !results.images.is_empty() {
        let images: Vec<&str> = results.images.iter().map(String::as_str).collect();
        text.push_str(&format!("Images: {}.\n\n", images.join("; ")));
    }
    let rows = &results.rows;
    let with_category = rows.iter().any(|row| row.category.is_some());
    let with_labels = rows.iter().any(|row| row.labelled_ratio.is_some());
    let with_norm = rows.iter().any(|row| row.norm != "instance");
    let with_seconds = rows.iter().any(|row| row.training_seconds.is_some());
    let mut columns = Vec::new();
    let mut add = |name: &str, wanted: bool| {
        if wanted {
            columns.push(name.to_owned());
        }
    };
    add("category", with_category);
    add("method", true);
    add("r_l", with_labels);
    add("k", with_labels);
    add("norm", with_norm);
    add("epoch", true);
    add("n", true);
    for figure in section.measures.figures() {
        add(figure.title, true);
        add("paper", figure.in_paper);
        add("diff", figure.in_paper);
    }
    add("training, s", with_seconds);
    let mut lines = Vec::new();
    for row in rows {
        for model in &row.models {
            let mut line = Vec::new();
            if with_category {
                line.push(row.category.clone().unwrap_or_default());
            }
            let mark = if row.not_above_controls.is_empty() {
                ""
            } else {
                "\\*"
            };
            line.push(format!("{}{mark}", row.method));
            if with_labels {
                line.push(
                    row.labelled_ratio
                        .map_or(NONE.to_owned(), |ratio| ratio.to_string()),
                );
                line.push(row.k.map_or(NONE.to_owned(), |k| k.to_string()));
            }
            if with_norm {
                line.push(row.norm.clone());
            }
            line.push(model.model.title().to_owned());
            line.push(match model.n == row.seeds {
                true => model.n.to_string(),
                false => format!("{} of {}", model.n, row.seeds),
            });
            line.extend(figures(section.measures, model));
            if with_seconds {
                let seconds = row.training_seconds;
                line.push(seconds.map_or(NONE.to_owned(), |seconds| format!("{seconds:.1}")));
            }
            lines.push(line);
        }
    }
    text.push_str(&table(&columns, &lines));
    let controls: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.not_above_controls.iter().map(String::as_str))
        .collect();
    if !controls.is_empty() {
        let controls: Vec<&str> = controls.into_iter().collect();
        text.push_str(&format!(
            "\n\\* In some run not clearly above a control on the test images (DeLong's paired test): {}.\n",
            controls.join(", ")
        ));
    }
    if !synthetic {
        text.push_str(&references(section));
    }
    text
}

fn figures(measures: Measures, model: &ModelResults) -> Vec<String> {
    let mut cells = Vec::new();
    for figure in measures.figures() {
        let found = find(model, figure);
        cells.push(found.map_or(NONE.to_owned(), |found| value(found, model.n)));
        if figure.in_paper {
            cells.push(paper(found.and_then(|found| found.paper)));
            let difference = found.and_then(|found| found.difference);
            cells.push(difference.map_or(NONE.to_owned(), |value| format!("{value:+.2}")));
        }
    }
    cells
}

pub(super) fn find<'a>(model: &'a ModelResults, figure: &Figure) -> Option<&'a Measured> {
    model
        .figures
        .iter()
        .find(|measured| measured.figure == figure.key)
}

pub(super) fn paper_figures(measures: Measures) -> impl Iterator<Item = &'static Figure> {
    measures.figures().iter().filter(|figure| figure.in_paper)
}

/// `96.57 ± 0.03`; with its own n where that is not the row's.
pub(super) fn value(measured: &Measured, n: usize) -> String {
    let Some(mean) = measured.mean else {
        return NONE.to_owned();
    };
    let mut text = format!("{mean:.2}");
    if let Some(std) = measured.std {
        text.push_str(&format!(" ± {std:.2}"));
    }
    if measured.n != n {
        text.push_str(&format!(" (n = {})", measured.n));
    }
    text
}

pub(super) fn paper(figure: Option<PaperFigure>) -> String {
    match figure {
        None => NONE.to_owned(),
        Some(PaperFigure { mean, std: None }) => format!("{mean:.2}"),
        Some(PaperFigure {
            mean,
            std: Some(std),
        }) => format!("{mean:.2} ± {std:.2}"),
    }
}

/// The paper's own table.
fn references(section: &Section) -> String {
    if section.references.is_empty() {
        return String::new();
    }
    let mut columns = vec!["the paper's figures".to_owned()];
    columns.extend(paper_figures(section.measures).map(|figure| figure.title.to_owned()));
    // A column that none of them has says nothing.
    let used: Vec<&Figure> = paper_figures(section.measures)
        .filter(|figure| {
            section
                .references
                .iter()
                .any(|reference| reference.figures.contains_key(figure.key))
        })
        .collect();
    columns.retain(|title| {
        title == "the paper's figures" || used.iter().any(|figure| figure.title == title)
    });
    let lines: Vec<Vec<String>> = section
        .references
        .iter()
        .map(|reference| {
            let cells = used
                .iter()
                .map(|figure| paper(reference.figures.get(figure.key).copied()));
            std::iter::once(reference.name.clone())
                .chain(cells)
                .collect()
        })
        .collect();
    format!("\n{}", table(&columns, &lines))
}

pub(super) fn table(columns: &[String], lines: &[Vec<String>]) -> String {
    let mut text = format!(
        "| {} |\n|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
    for line in lines {
        text.push_str(&format!("| {} |\n", line.join(" | ")));
    }
    text
}
