//! The page of a run.

use maud::html;

use super::shell::{Section, page};
use super::{Page, data, decisions, files, gallery, models, ranking, settings, training};
use crate::plot::{Chart, histogram};
use crate::run::RunData;

/// The page of a run on its test images.
pub fn run_page(data: &RunData) -> Page {
    let training = training::charts(data);
    let curves = ranking::of_run(data);
    let histogram = histogram(data);
    let threshold = data.threshold.as_ref().map(|threshold| threshold.value);
    let pictures = gallery::gallery(&data.images, threshold, &data.gallery);
    let sections = [
        Section::new("summary", "Summary", models::summary(data)),
        Section::new("gallery", "Pictures", pictures),
        Section::new(
            "decisions",
            "Scores and decisions",
            decisions::decisions(data, histogram.as_ref()),
        ),
        Section::new("curves", "Curves", ranking::curves(&curves)),
        Section::new("classes", "Classes", decisions::by_class(data)),
        Section::new("training", "Training", training::course(data, &training)),
        Section::new("data", "Data", data::account(data)),
        Section::new("settings", "Settings and files", settings::settings(data)),
        Section::new("definitions", "Definitions", settings::definitions(data)),
    ];
    let last = html! { @if !data.gallery.shots.is_empty() { (gallery::viewer()) } };
    let charts: Vec<&Chart> = training
        .iter()
        .chain(curves.iter().flatten())
        .chain(&histogram)
        .collect();
    Page {
        html: page(&data.title, &data.facts, &sections, &last),
        plots: files(&charts),
    }
}
