//! Pages from plain data: whatever is in it, and whatever is missing.
#![allow(clippy::unwrap_used)]

use ckaad_report::{
    Account, ComparisonData, Contestant, Epoch, Fact, Figure, Gallery, ImageList, Legend,
    ModelFigures, RunData, ScoredImage, Scores, Shot, ThresholdData, Verdict, comparison_page,
    indexed_png, run_page, shrink,
};

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{1}.png";

fn image(path: &str, class: &str, anomalous: bool, score: f64) -> ScoredImage {
    ScoredImage {
        path: path.to_owned(),
        class: class.to_owned(),
        anomalous,
        score,
        p_value: Some(0.5),
    }
}

fn shot(image: usize) -> Shot {
    let mut palette = [[0; 4]; 256];
    palette[1] = [255, 0, 0, 128];
    Shot {
        image,
        picture: Ok(shrink(&[120; 48], [4, 4], 4).unwrap()),
        heat: Some(indexed_png(&[1; 16], [4, 4], &palette).unwrap()),
        contours: vec![vec![[1.0, 1.0], [3.0, 1.0], [3.0, 3.25]]],
        mask: vec![vec![[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]],
    }
}

fn whole() -> RunData {
    let images = vec![
        image("d/a.png", "good", false, 0.1),
        image("d/b.png", "good", false, 0.8),
        image(HOSTILE, HOSTILE, true, 0.9),
        image("d/c.png", "dent", true, 0.3),
    ];
    let epoch = |epoch, loss| Epoch {
        epoch,
        losses: vec![(HOSTILE.to_owned(), loss)],
        validation_auroc: Some(0.9),
    };
    RunData {
        title: HOSTILE.to_owned(),
        facts: vec![Fact::new("detector", HOSTILE)],
        models: vec![ModelFigures {
            name: "last epoch (2)".to_owned(),
            figures: vec![Figure::share("accuracy", 3, 4)],
        }],
        account: Account {
            used: vec![("test".to_owned(), 4)],
            found: HOSTILE.to_owned(),
            left_out: vec![HOSTILE.to_owned()],
            warnings: vec![HOSTILE.to_owned()],
            controls: vec![Figure::share(HOSTILE, 1, 2)],
        },
        epochs: vec![epoch(1, 2.0), epoch(2, 1.0)],
        threshold: Some(ThresholdData {
            value: 0.5,
            rule: HOSTILE.to_owned(),
            promise: Some(0.05),
        }),
        gallery: Gallery {
            shots: vec![shot(1), shot(2), shot(3)],
            legend: Some(Legend {
                colours: vec![[0, 0, 0, 0], [255, 0, 0, 255]],
                clear: 0.5,
                threshold: 1.0,
                full: 2.0,
            }),
            notes: vec![HOSTILE.to_owned()],
        },
        config: HOSTILE.to_owned(),
        lists: vec![ImageList {
            name: "Normal training images".to_owned(),
            paths: vec![format!("x/{HOSTILE}"), "x/2.png".to_owned()],
        }],
        definitions: vec![Fact::new("auroc", HOSTILE)],
        images,
        ..RunData::default()
    }
}

/// Every tag that is opened is closed, in order; what the browser would mend is an error here.
fn check_tags(html: &str) {
    const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").unwrap_or(html);
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop(),
                Some(name),
                "before {}",
                &rest[..rest.len().min(80)]
            );
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        if matches!(name, "script" | "style") {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).unwrap() + close.len()..];
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

fn said(html: &str, texts: &[&str]) {
    for text in texts {
        assert!(html.contains(text), "{text} is missing");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let page = run_page(&whole());
    check_tags(&page.html);
    assert!(!page.html.contains("<script>alert"));
    assert_eq!(page.html.matches("<script").count(), 1);
    for plot in &page.plots {
        check_tags(&plot.svg);
        assert!(!plot.svg.contains("<script") && !plot.svg.contains('\u{1}'));
        assert!(plot.svg.starts_with("<svg") && plot.svg.contains("xmlns="));
    }
    let names: Vec<&str> = page.plots.iter().map(|plot| plot.name.as_str()).collect();
    assert_eq!(
        names,
        ["loss-0", "validation", "roc", "precision-recall", "scores"]
    );
}

#[test]
fn a_page_loads_nothing() {
    let html = run_page(&whole()).html;
    said(&html, &["default-src 'none'", "img-src data:"]);
    for attribute in [" src=\"", " href=\""] {
        for value in html.split(attribute).skip(1) {
            assert!(
                value.starts_with("data:") || value.starts_with('#'),
                "{}",
                &value[..40]
            );
        }
    }
    assert!(!html.contains("url(") && !html.contains("@import"));
}

#[test]
fn promised_and_seen_false_alarms_stand_together() {
    let html = run_page(&whole()).html;
    said(
        &html,
        &[
            "at most <strong>5.0 %</strong>",
            "<strong>50.0 %</strong> (1 of 2; 95 % interval 9.5 to 90.5 %)",
        ],
    );
    // The interval's low end is above the promise.
    said(&html, &["more than was promised"]);
}

#[test]
fn what_is_missing_is_said() {
    let html = run_page(&RunData::default()).html;
    check_tags(&html);
    said(
        &html,
        &[
            "There are no figures",
            "No image was found anomalous",
            "There are no scores",
            "No threshold was chosen",
            "one kind only",
            "There is no record of the training",
        ],
    );
    let one_kind = RunData {
        images: vec![image("a", "good", false, 0.9)],
        epochs: vec![Epoch {
            epoch: 1,
            losses: Vec::new(),
            validation_auroc: None,
        }],
        gallery: Gallery {
            shots: vec![Shot {
                picture: Err("a cannot be read".to_owned()),
                ..shot(0)
            }],
            ..Gallery::default()
        },
        threshold: Some(ThresholdData {
            value: 0.5,
            rule: "5 % false positives".to_owned(),
            promise: None,
        }),
        no_pixels: Some("no anomalous test image has a mask".to_owned()),
        ..whole()
    };
    let html = run_page(&one_kind).html;
    check_tags(&html);
    said(
        &html,
        &[
            "Curves need normal and anomalous test images",
            "learned in one pass",
            "a cannot be read",
            "tells no places",
            "Promised: nothing",
            "No figures of pixels: no anomalous test image has a mask",
            "No anomalous image was missed",
        ],
    );
}

fn contestant(name: &str, scores: Scores) -> Contestant {
    Contestant {
        name: name.to_owned(),
        figures: vec![Figure {
            name: "test AUROC".to_owned(),
            value: Some(0.75),
            interval: Some([0.5, 1.0]),
            counts: None,
        }],
        numbers: vec![("training, s".to_owned(), None)],
        remark: None,
        scores,
    }
}

#[test]
fn detectors_are_tested_in_pairs() {
    let labels = vec![false, false, false, true, true, true];
    let data = ComparisonData {
        title: HOSTILE.to_owned(),
        contestants: vec![
            contestant(HOSTILE, Scores::Known(vec![1.0, 2.0, 5.0, 3.0, 4.0, 6.0])),
            contestant("b", Scores::Known(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
            contestant("c", Scores::Known(vec![4.0, 2.0, 6.0, 3.0, 5.0, 1.0])),
            contestant("brightness", Scores::NotDrawn),
            contestant("gone", Scores::Missing("no table".to_owned())),
        ],
        verdict: Some(Verdict {
            name: "b".to_owned(),
            reason: HOSTILE.to_owned(),
        }),
        labels,
        ..ComparisonData::default()
    };
    let page = comparison_page(&data);
    check_tags(&page.html);
    said(
        &page.html,
        &[
            "gone has no curve: no table",
            "Recommended: <strong>b</strong>",
            "adjusted by Holm",
        ],
    );
    // Three pairs of three detectors, in the second table.
    let tests = page
        .html
        .split("DeLong's paired test of each pair")
        .last()
        .unwrap();
    assert_eq!(tests.matches(" scope=\"row\"").count(), 3);
    let lone = ComparisonData {
        contestants: vec![contestant("a", Scores::Known(vec![1.0; 6]))],
        ..data
    };
    said(
        &comparison_page(&lone).html,
        &["scores of two detectors at least"],
    );
    said(
        &comparison_page(&ComparisonData::default()).html,
        &["nothing to compare"],
    );
}
