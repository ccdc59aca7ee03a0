//! What every page stands in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::plot;
use crate::run::Fact;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A part of a page, which its contents name.
pub(super) struct Section {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) body: Markup,
}

impl Section {
    pub(super) fn new(id: impl Into<String>, title: impl Into<String>, body: Markup) -> Self {
        let (id, title) = (id.into(), title.into());
        Self { id, title, body }
    }
}

/// A whole page. It may load nothing and run its own script alone, whatever the texts in it are.
pub(super) fn page(title: &str, facts: &[Fact], sections: &[Section], last: &Markup) -> String {
    let digest = STANDARD.encode(Sha256::digest(SCRIPT));
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    );
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                // Without it browsers ask for one beside the page.
                link rel="icon" href="data:,";
                style { (PreEscaped(plot::STYLE)) (PreEscaped(STYLE)) }
            }
            body {
                a .skip href="#content" { "To the content" }
                header {
                    h1 dir="auto" { (title) }
                    dl .facts {
                        @for fact in facts { div { dt { (fact.name) } dd dir="auto" { (fact.text) } } }
                    }
                    nav aria-label="Contents" {
                        ul { @for section in sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                    }
                }
                main #content {
                    @for section in sections {
                        section id=(section.id) aria-labelledby={ (section.id) "-title" } {
                            h2 id={ (section.id) "-title" } { (section.title) }
                            (section.body)
                        }
                    }
                }
                (last)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

/// A sentence in the place of something that cannot be shown.
pub(super) fn absent(why: &str) -> Markup {
    html! { p .absent { (why) } }
}
