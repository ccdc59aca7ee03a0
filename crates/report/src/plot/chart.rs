use maud::{Markup, PreEscaped, html};

use super::axis::Axis;
use super::{STYLE, draw};
use crate::numbers::printable;

/// A plot of lines, or of areas under them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// Of its file.
    pub(crate) file: String,
    pub(crate) title: String,
    /// What it shows, for those who do not see it.
    pub(crate) description: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    pub(crate) markers: Vec<Marker>,
    /// A line from corner to corner: what guessing gives.
    pub(crate) diagonal: bool,
}

/// Points that belong together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) points: Vec<[f64; 2]>,
    /// Whether the area below is filled.
    pub(crate) filled: bool,
}

impl Series {
    pub(crate) fn line(name: impl Into<String>, points: Vec<[f64; 2]>) -> Self {
        Self {
            name: name.into(),
            points,
            filled: false,
        }
    }
}

/// A vertical line with a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Marker {
    pub(crate) name: String,
    pub(crate) x: f64,
}

impl Chart {
    /// As part of a page.
    pub(crate) fn figure(&self) -> Markup {
        html! { figure .chart { (self.svg(false)) } }
    }

    /// As a file.
    pub(crate) fn document(&self) -> String {
        self.svg(true).into_string() + "\n"
    }

    fn svg(&self, file: bool) -> Markup {
        let names: Vec<String> = self.series.iter().map(|of| printable(&of.name)).collect();
        let keys = draw::Keys::new(&names);
        let height = draw::HEIGHT + keys.height();
        let id = format!("plot-{}", self.file);
        html! {
            svg .plot xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby={ (id) "-title " (id) "-text" }
                viewBox={ "0 0 " (draw::WIDTH) " " (height) } width=[file.then_some(draw::WIDTH)] height=[file.then_some(height)] {
                title id={ (id) "-title" } { (printable(&self.title)) }
                desc id={ (id) "-text" } { (printable(&self.description)) }
                @if file {
                    style { (PreEscaped(STYLE)) }
                    rect .paper width="100%" height="100%" {}
                }
                text .name x="8" y="20" { (printable(&self.title)) }
                (draw::axes(&self.x, &self.y))
                @if self.diagonal { path .aside d=(draw::diagonal()) {} }
                @for (index, series) in self.series.iter().enumerate() {
                    path class=(draw::class(index, series.filled)) d=(draw::path(series, &self.x, &self.y)) {}
                }
                @for marker in &self.markers { (draw::marker(marker, &self.x)) }
                (keys.markup(&self.series))
            }
        }
    }
}
