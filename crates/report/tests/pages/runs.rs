//! The page of a run.

use ckaad_report::{Epoch, Gallery, RunData, Shot, ThresholdData, run_page};

use crate::support::{check_tags, image, said, shot, whole};

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
