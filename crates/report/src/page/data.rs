//! What was used, left out and warned of.

use maud::{Markup, html};

use super::models::cell;
use crate::numbers::images;
use crate::run::{Figure, RunData};

pub(super) fn account(data: &RunData) -> Markup {
    let account = &data.account;
    html! {
        table {
            caption { "Images that were used" }
            thead { tr { th scope="col" { "part" } th scope="col" .number { "images" } } }
            tbody {
                @for (part, count) in &account.used { tr { th scope="row" { (part) } td .number { (count) } } }
            }
        }
        @if !account.found.is_empty() { p dir="auto" { "Found: " (account.found) "." } }
        h3 { "Left out" }
        @if account.left_out.is_empty() {
            p { "Every test image that was to be used could be read." }
        } @else {
            p { (images(account.left_out.len())) " could not be read and " @if account.left_out.len() == 1 { "is" } @else { "are" } " in no figure:" }
            (list(&account.left_out))
        }
        h3 { "Warnings" }
        @if account.warnings.is_empty() { p { "None." } } @else { (list(&account.warnings)) }
        (controls(&account.controls))
    }
}

/// What a detector should clearly beat.
fn controls(figures: &[Figure]) -> Markup {
    html! {
        @if !figures.is_empty() {
            h3 { "Controls" }
            p { "What the test images give away without any network. A detector that does not clearly beat this says little about them." }
            table {
                caption { "AUROC on the test images, with 95 % confidence intervals" }
                thead { tr { th scope="col" { "control" } th scope="col" .number { "AUROC" } } }
                tbody {
                    @for figure in figures { tr { th scope="row" { (figure.name) } td .number { (cell(Some(figure))) } } }
                }
            }
        }
    }
}

fn list(texts: &[String]) -> Markup {
    html! { ul { @for text in texts { li dir="auto" { (text) } } } }
}
