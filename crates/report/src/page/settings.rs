//! Everything that the figures hang on: settings, files, definitions.

use maud::{Markup, html};

use super::table::{Cell, number, sortable, text};
use crate::numbers::{images, probability, short};
use crate::run::{ImageList, RunData};

/// Rows of the table of test images: more would make a page slow.
const ROWS: usize = 5000;

pub(super) fn settings(data: &RunData) -> Markup {
    html! {
        details { summary { "Every setting" } pre tabindex="0" { code { (data.config) } } }
        @if !data.images.is_empty() {
            details { summary { "Test images and their scores: " (images(data.images.len())) } (scores(data)) }
        }
        @for list in &data.lists { (file_list(list)) }
    }
}

fn scores(data: &RunData) -> Markup {
    let columns = [
        text("image"),
        text("class"),
        text("kind"),
        number("score"),
        text("decision"),
        number("p-value"),
    ];
    let rows = data.images.iter().take(ROWS).map(|image| {
        let kind = |anomalous| Cell::text(if anomalous { "anomalous" } else { "normal" });
        vec![
            Cell::text(&image.path),
            Cell::text(&image.class),
            kind(image.anomalous),
            Cell::number(short(image.score), Some(image.score)),
            kind(data.is_flagged(image)),
            Cell::number(
                image.p_value.map_or("–".to_owned(), probability),
                image.p_value,
            ),
        ]
    });
    html! {
        @if data.images.len() > ROWS {
            p { "The first " (ROWS) " are shown; predictions.csv beside this page has all." }
        }
        (sortable("Test images", &columns, rows.collect()))
    }
}

/// The paths below the folder that all of them are in.
fn file_list(list: &ImageList) -> Markup {
    let folder = common_folder(&list.paths);
    let lines: Vec<&str> = list
        .paths
        .iter()
        .map(|path| &path[folder.len()..])
        .collect();
    html! {
        @if !list.paths.is_empty() {
            details {
                summary { (list.name) ": " (images(list.paths.len())) }
                @if !folder.is_empty() { p dir="auto" { "In " (folder) }  }
                pre tabindex="0" dir="auto" { (lines.join("\n")) }
            }
        }
    }
}

/// The longest beginning of all paths that ends in a separator.
fn common_folder(paths: &[String]) -> &str {
    let Some((first, others)) = paths.split_first() else {
        return "";
    };
    let mut folder = &first[..first.rfind('/').map_or(0, |at| at + 1)];
    for path in others {
        while !path.starts_with(folder) {
            let above = folder[..folder.len() - 1].rfind('/');
            folder = &folder[..above.map_or(0, |at| at + 1)];
        }
    }
    folder
}

pub(super) fn definitions(data: &RunData) -> Markup {
    html! {
        dl .definitions {
            @for fact in &data.definitions { dt { (fact.name) } dd { (fact.text) } }
            dt { "95 % interval" }
            dd { "of AUROC by DeLong's method, of average precision by 1000 bootstrap resamples of each kind, of shares of images by Wilson's score interval" }
            dt { "p-value" }
            dd { "the probability of such a score if the image is normal, as held-out normal images promise it (split conformal calibration)" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shortened_by_whole_folders() {
        let paths = ["/a/bc/1.png", "/a/bd/2.png"].map(str::to_owned);
        assert_eq!(common_folder(&paths), "/a/");
        assert_eq!(common_folder(&["x/1".to_owned()]), "x/");
        assert_eq!(common_folder(&["a/1", "b/1"].map(str::to_owned)), "");
        assert_eq!(common_folder(&["ä/1", "ä/2"].map(str::to_owned)), "ä/");
        assert_eq!(common_folder(&[]), "");
    }
}
