//! The page of a run.

use maud::html;

use super::shell::{Section, page};
use super::{Page, data, decisions, files, gallery, models, ranking, settings, training};
use crate::choice::{Choice, choose};
use crate::plot::{Chart, histogram};
use crate::run::RunData;

/// The page of a run on its test images.
pub fn run_page(data: &RunData) -> Page {
    let training = training::charts(data);
    let curves = ranking::of_run(data);
    let histogram = histogram(data);
    let choice = data
        .threshold
        .as_ref()
        .map_or_else(Choice::default, |threshold| {
            choose(&data.images, threshold.value, data.images.len())
        });
    let shown = |image: &usize| data.gallery.shots.iter().any(|shot| shot.image == *image);
    let choice = Choice {
        found: choice.found.into_iter().filter(shown).collect(),
        missed: choice.missed.into_iter().filter(shown).collect(),
        false_alarms: choice.false_alarms.into_iter().filter(shown).collect(),
    };
    let section = |id, title, body| Section { id, title, body };
    let sections = [
        section("summary", "Summary", models::summary(data)),
        section("gallery", "Pictures", gallery::gallery(data, &choice)),
        section(
            "decisions",
            "Scores and decisions",
            decisions::decisions(data, histogram.as_ref()),
        ),
        section("curves", "Curves", ranking::curves(&curves)),
        section("classes", "Classes", decisions::by_class(data)),
        section("training", "Training", training::course(data, &training)),
        section("data", "Data", data::account(data)),
        section("settings", "Settings and files", settings::settings(data)),
        section("definitions", "Definitions", settings::definitions(data)),
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
