//! The pages of several runs.

use ckaad_report::{
    BenchmarkData, ComparisonData, Contestant, Exhibit, Figure, Group, Scores, Verdict,
    benchmark_page, comparison_page,
};

use crate::support::{HOSTILE, check_tags, said, whole};

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

#[test]
fn a_comparison_shows_what_one_of_them_found() {
    let run = whole();
    let data = ComparisonData {
        contestants: vec![contestant(HOSTILE, Scores::NotDrawn)],
        exhibit: Some(Exhibit {
            name: HOSTILE.to_owned(),
            threshold: 0.5,
            images: run.images,
            gallery: run.gallery,
        }),
        ..ComparisonData::default()
    };
    let html = comparison_page(&data).html;
    check_tags(&html);
    said(&html, &["id=\"viewer\"", "Missed", "False alarms"]);
    assert_eq!(html.matches("class=\"open\"").count(), 3);
}

#[test]
fn runs_of_a_kind_are_summarised_by_their_mean() {
    let run = |name: &str, auroc| Contestant {
        figures: vec![Figure {
            name: "image AUROC".to_owned(),
            value: Some(auroc),
            interval: None,
            counts: None,
        }],
        ..contestant(name, Scores::Known(vec![1.0, 2.0, 3.0, 4.0]))
    };
    let group = |title: &str, number: usize, runs: Vec<Contestant>, kinds: &[&str]| Group {
        comparison: ComparisonData {
            title: title.to_owned(),
            contestants: runs,
            labels: vec![false, true, false, true],
            plots: format!("{number}-"),
            ..ComparisonData::default()
        },
        kinds: kinds.iter().map(ToString::to_string).collect(),
    };
    let data = BenchmarkData {
        title: HOSTILE.to_owned(),
        notes: vec![HOSTILE.to_owned()],
        groups: vec![
            group(
                HOSTILE,
                1,
                vec![run("a1", 0.9), run("a2", 0.7), run("b", 0.6)],
                &["a", "a", "b"],
            ),
            group("cable", 2, vec![run("a3", 0.5)], &["a"]),
        ],
        ..BenchmarkData::default()
    };
    let page = benchmark_page(&data);
    check_tags(&page.html);
    // The mean of 0.9 and 0.7, over both sets the mean of 0.8 and 0.5; b lacks one of them.
    said(
        &page.html,
        &[
            "80.0 % <small>± 14.1, 2 runs</small>",
            "65.0 %",
            "id=\"images-2\"",
            "scores of two detectors at least",
        ],
    );
    let mean = page.html.rsplit("mean of all").next().unwrap();
    assert!(mean.split("</tr>").next().unwrap().contains("–"));
    let names: Vec<&str> = page.plots.iter().map(|plot| plot.name.as_str()).collect();
    assert_eq!(
        names,
        ["1-roc", "1-precision-recall", "2-roc", "2-precision-recall"]
    );
    let empty = benchmark_page(&BenchmarkData::default());
    said(&empty.html, &["There are no figures"]);
}
