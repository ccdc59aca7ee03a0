//! Pictures, and what the model sees in them.

use std::fmt::Write;

use maud::{Markup, html};

use super::shell::absent;
use crate::choice::choose;
use crate::numbers::{probability, short};
use crate::picture::{Line, Shot, Shrunk, data_uri};
use crate::run::{Gallery, Legend, ScoredImage};

/// The pictures that there are of what was found, missed and flagged by mistake.
pub(super) fn gallery(images: &[ScoredImage], threshold: Option<f64>, gallery: &Gallery) -> Markup {
    let Some(threshold) = threshold.filter(|_| !gallery.shots.is_empty()) else {
        return html! {
            (notes(&gallery.notes))
            (absent("No image was found anomalous, missed or flagged by mistake, so there is none to look at."))
        };
    };
    let choice = choose(images, threshold, images.len());
    let shown = |image: &&usize| gallery.shots.iter().any(|shot| shot.image == **image);
    let shown = |of: &[usize]| of.iter().filter(shown).copied().collect::<Vec<_>>();
    let groups = [
        (
            "Most anomalous",
            "Anomalous images that were found, the highest scores first.",
            "No anomalous image was found.",
            shown(&choice.found),
        ),
        (
            "Missed",
            "Anomalous images below the threshold, the lowest scores first.",
            "No anomalous image was missed.",
            shown(&choice.missed),
        ),
        (
            "False alarms",
            "Normal images at the threshold or above, the highest scores first.",
            "No normal image was flagged.",
            shown(&choice.false_alarms),
        ),
    ];
    html! {
        (notes(&gallery.notes))
        @match &gallery.legend {
            Some(legend) => (legend_of(legend)),
            None => (absent("The detector scores images as a whole and tells no places, so there is no heat.")),
        }
        @for (name, what, none, chosen) in groups {
            h3 { (name) }
            @if chosen.is_empty() { p { (none) } } @else {
                p { (what) }
                ul .shots { @for image in chosen { (item(&images[image], image, gallery)) } }
            }
        }
    }
}

fn notes(notes: &[String]) -> Markup {
    html! { @for note in notes { p .absent { (note) } } }
}

fn legend_of(legend: &Legend) -> Markup {
    let place = (legend.threshold - legend.clear) / (legend.full - legend.clear);
    let colours: Vec<String> = legend
        .colours
        .iter()
        .map(|[red, green, blue, alpha]| {
            format!(
                "rgb({red} {green} {blue} / {:.2})",
                f32::from(*alpha) / 255.0
            )
        })
        .collect();
    html! {
        div .legend {
            p {
                "Colours are values of the anomaly map, on one scale for all pictures. "
                span .key .contour { "White and black line" } ": the map reaches the pixel threshold, " (short(legend.threshold)) ". "
                span .key .mask { "Green line" } ": edge of the mask, where there is one."
            }
            div .bar style={ "background-image: linear-gradient(to right, " (colours.join(", ")) ")" } {
                span .tick style=(format!("left: {:.1}%", 100.0 * place)) {}
            }
            div .ends { span { "up to " (short(legend.clear)) ": clear" } span { (short(legend.full)) " and above" } }
            label { "Opacity of heat " input #heat type="range" min="0" max="100" value="60"; }
        }
    }
}

fn item(scored: &ScoredImage, image: usize, gallery: &Gallery) -> Markup {
    let name = scored
        .path
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(&scored.path);
    let shot = gallery.shots.iter().find(|shot| shot.image == image);
    let kind = if scored.anomalous {
        "anomalous"
    } else {
        "normal"
    };
    html! {
        li {
            @match shot.map(|shot| (shot, &shot.picture)) {
                Some((shot, Ok(picture))) => {
                    button .open type="button" aria-label={ "Enlarge " (name) } { (layers(shot, picture, name)) }
                },
                Some((_, Err(why))) => p .absent dir="auto" { (why) },
                None => p .absent { "There is no picture." },
            }
            p .about {
                span .file dir="auto" title=(scored.path) { (name) }
                span { (kind) ", class " bdi { (scored.class) } }
                span { "score " (short(scored.score)) @if let Some(p) = scored.p_value { ", p " (probability(p)) } }
            }
        }
    }
}

/// The picture, heat over it, and lines over both.
fn layers(shot: &Shot, picture: &Shrunk, name: &str) -> Markup {
    let Shrunk {
        width,
        height,
        jpeg,
    } = picture;
    html! {
        span .layers .tall[height > width] style={ "aspect-ratio: " (width) " / " (height) } {
            img .picture src=(data_uri("image/jpeg", jpeg)) alt=(name) width=(width) height=(height);
            @if let Some(heat) = &shot.heat { img .heat src=(data_uri("image/png", heat)) alt="" width=(width) height=(height); }
            @if !(shot.contours.is_empty() && shot.mask.is_empty()) {
                svg .lines viewBox={ "0 0 " (width) " " (height) } aria-hidden="true" {
                    @if !shot.contours.is_empty() {
                        path .under d=(path(&shot.contours)) {}
                        path .contour d=(path(&shot.contours)) {}
                    }
                    @if !shot.mask.is_empty() { path .mask d=(path(&shot.mask)) {} }
                }
            }
        }
    }
}

fn path(lines: &[Line]) -> String {
    let mut path = String::new();
    for line in lines {
        for (index, [x, y]) in line.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let _ = write!(
                path,
                "{command}{} {}",
                (10.0 * x).round() / 10.0,
                (10.0 * y).round() / 10.0
            );
        }
        path.push('Z');
    }
    path
}

/// What a picture is enlarged in.
pub(super) fn viewer() -> Markup {
    html! {
        dialog #viewer aria-labelledby="viewer-name" {
            div .bar {
                h2 #viewer-name dir="auto" {}
                button #viewer-close type="button" { "Close" }
            }
            div #viewer-stage {}
            p #viewer-about {}
            div .bar {
                button #viewer-before type="button" { "Previous" }
                label { "Heat " input #viewer-heat type="range" min="0" max="100" value="60"; }
                label { input #viewer-lines type="checkbox" checked; " Lines" }
                button #viewer-after type="button" { "Next" }
            }
        }
    }
}
