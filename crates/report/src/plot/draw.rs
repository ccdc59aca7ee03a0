//! The parts of a plot.

use std::fmt::Write;

use maud::{Markup, html};

use super::axis::Axis;
use super::chart::{Marker, Series};
use crate::numbers::printable;

pub(super) const WIDTH: usize = 440;
pub(super) const HEIGHT: usize = 330;
/// The field that values are drawn in.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 416.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 278.0;
/// Looks of lines, with colours and with dashes.
const COLOURS: usize = 8;
/// Mean width of a letter of a key, generously.
const LETTER: f64 = 7.6;
const KEY_HEIGHT: usize = 20;

fn x_of(axis: &Axis, value: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * axis.place(value)
}

fn y_of(axis: &Axis, value: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * axis.place(value)
}

pub(super) fn axes(x: &Axis, y: &Axis) -> Markup {
    let middle = f64::midpoint(TOP, BOTTOM);
    html! {
        @for (value, text) in y.ticks() {
            @let at = round(y_of(y, value));
            line .grid x1=(LEFT) x2=(RIGHT) y1=(at) y2=(at) {}
            text x=(LEFT - 6.0) y=(at + 4.5) text-anchor="end" { (text) }
        }
        @for (value, text) in x.ticks() {
            @let at = round(x_of(x, value));
            line .grid x1=(at) x2=(at) y1=(TOP) y2=(BOTTOM) {}
            text x=(at) y=(BOTTOM + 18.0) text-anchor="middle" { (text) }
        }
        rect .frame x=(LEFT) y=(TOP) width=(RIGHT - LEFT) height=(BOTTOM - TOP) {}
        text x=(f64::midpoint(LEFT, RIGHT)) y=(BOTTOM + 38.0) text-anchor="middle" { (printable(&x.name)) }
        text x="14" y=(middle) text-anchor="middle" transform={ "rotate(-90 14 " (middle) ")" } { (printable(&y.name)) }
    }
}

pub(super) fn diagonal() -> String {
    format!("M{LEFT} {BOTTOM}L{RIGHT} {TOP}")
}

/// The look of a line or an area, and of its key.
pub(super) fn class(index: usize, filled: bool) -> String {
    let kind = if filled { "area" } else { "line" };
    // Lines of one colour differ in their dashes, and so do neighbours for those who see no colours.
    match filled {
        true => format!("{kind} s{}", index % COLOURS),
        false => format!(
            "{kind} s{} d{}",
            index % COLOURS,
            (index + index / COLOURS) % 4
        ),
    }
}

pub(super) fn path(series: &Series, x: &Axis, y: &Axis) -> String {
    let mut path = String::new();
    let mut command = 'M';
    for [at, value] in &series.points {
        // A point that is no number ends a line.
        if value.is_nan() {
            command = 'M';
            continue;
        }
        let (at, value) = (round(x_of(x, *at)), round(y_of(y, *value)));
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{at} {value}");
        command = 'L';
    }
    path
}

pub(super) fn marker(marker: &Marker, x: &Axis) -> Markup {
    let place = x.place(marker.x);
    // A threshold beyond all scores is told at the edge.
    let at = round(LEFT + (RIGHT - LEFT) * place.clamp(0.0, 1.0));
    let (anchor, text) = match place > 0.5 {
        true => ("end", at - 5.0),
        false => ("start", at + 5.0),
    };
    html! {
        line .marker x1=(at) x2=(at) y1=(TOP) y2=(BOTTOM) {}
        text .key x=(text) y=(TOP + 14.0) text-anchor=(anchor) { (printable(&marker.name)) }
    }
}

/// The names of lines below a plot, in as many rows as they need.
pub(super) struct Keys {
    /// Left ends, rows and names.
    places: Vec<(f64, usize, String)>,
    rows: usize,
}

impl Keys {
    pub(super) fn new(names: &[String]) -> Self {
        let (mut at, mut row) = (8.0, 0);
        let mut places = Vec::new();
        for name in names.iter().filter(|name| !name.is_empty()) {
            let name = shortened(name);
            let width = 40.0 + LETTER * name.chars().count() as f64;
            if at > 8.0 && at + width > WIDTH as f64 {
                (at, row) = (8.0, row + 1);
            }
            places.push((at, row, name));
            at += width;
        }
        let rows = if places.is_empty() { 0 } else { row + 1 };
        Self { places, rows }
    }

    pub(super) fn height(&self) -> usize {
        self.rows * KEY_HEIGHT
    }

    pub(super) fn markup(&self, series: &[Series]) -> Markup {
        let named = series
            .iter()
            .enumerate()
            .filter(|(_, of)| !of.name.is_empty());
        html! {
            @for ((index, series), (at, row, name)) in named.zip(&self.places) {
                @let y = (HEIGHT + row * KEY_HEIGHT) as f64;
                @if series.filled {
                    rect class=(class(index, true)) x=(at) y=(y - 5.0) width="24" height="11" {}
                } @else {
                    path class=(class(index, false)) d={ "M" (at) " " (y) "h24" } {}
                }
                text .key x=(at + 30.0) y=(y + 4.5) { (name) }
            }
        }
    }
}

/// A name that fits into a row.
fn shortened(name: &str) -> String {
    let most = ((WIDTH as f64 - 60.0) / LETTER) as usize;
    match name.chars().count() > most {
        true => name.chars().take(most - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// To a tenth of a pixel.
fn round(value: f64) -> f64 {
    (10.0 * value).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_take_the_rows_that_they_need() {
        let names = ["normal", "anomalous"].map(str::to_owned);
        assert_eq!(Keys::new(&names).rows, 1);
        let long = [
            "a detector with a long name",
            "another one with a long name",
        ];
        assert_eq!(Keys::new(&long.map(str::to_owned)).rows, 2);
        assert_eq!(
            Keys::new(&["n".repeat(500)]).places[0].2.chars().count(),
            50
        );
        assert_eq!(Keys::new(&[String::new()]).height(), 0);
    }
}
