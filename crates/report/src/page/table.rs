//! Tables that can be sorted.

use maud::{Markup, html};

/// A column.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) numeric: bool,
}

pub(super) fn text(name: impl Into<String>) -> Column {
    Column {
        name: name.into(),
        numeric: false,
    }
}

pub(super) fn number(name: impl Into<String>) -> Column {
    Column {
        name: name.into(),
        numeric: true,
    }
}

/// A cell: what is shown, and what it is sorted by.
pub(super) struct Cell {
    shown: Markup,
    key: Option<String>,
}

impl Cell {
    /// Sorted by itself.
    pub(super) fn text(text: &str) -> Self {
        Self {
            shown: html! { span dir="auto" { (text) } },
            key: Some(text.to_owned()),
        }
    }

    /// Sorted by a number; without one it comes last.
    pub(super) fn number(shown: impl Into<String>, key: Option<f64>) -> Self {
        Self {
            shown: html! { (shown.into()) },
            key: key.map(|key| key.to_string()),
        }
    }

    /// With a smaller line below.
    pub(super) fn with(self, below: Option<&str>) -> Self {
        let shown = match below {
            Some(below) => html! { (self.shown) " " small { (below) } },
            None => self.shown,
        };
        Self { shown, ..self }
    }
}

/// A table whose columns are sorted by their heads. The first cell of a row is its head.
pub(super) fn sortable(caption: &str, columns: &[Column], rows: Vec<Vec<Cell>>) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label=(caption) {
            table .sortable {
                caption { (caption) }
                thead {
                    tr {
                        @for column in columns {
                            th scope="col" aria-sort="none" .number[column.numeric] { button type="button" { (column.name) } }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (index, (cell, column)) in row.into_iter().zip(columns).enumerate() {
                                @if index == 0 {
                                    th scope="row" data-key=[cell.key] .number[column.numeric] { (cell.shown) }
                                } @else {
                                    td data-key=[cell.key] .number[column.numeric] { (cell.shown) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
