//! Grids and tables of the commands.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::args::ChoiceArgs;
use super::builder::Builder;
use super::folder::Folder;
use super::grid::{Grid, Run};
use super::settings::Settings;
use super::{MakeGrid, tables};
use crate::{
    ablation, bench_cifar10, bench_industrial, bench_medical, labelled_classes, normalisation,
};

fn grid(make: MakeGrid, choice: &ChoiceArgs) -> Grid {
    let settings = Settings::load().unwrap();
    make(Builder::new(choice, &settings).unwrap()).unwrap()
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn full_grids_have_the_papers_repetitions() {
    let full = ChoiceArgs::default();
    // Classes in turn times ratios, and reconstruction once, times three seeds.
    let medical = 3 * ((6 * 3 + 1) + (3 + 1) + (3 + 1) + (3 * 3 + 1));
    let expected: [(MakeGrid, usize); 6] = [
        (bench_medical::grid, medical),
        (bench_industrial::grid, 3 * 2 * (15 + 12)),
        (bench_cifar10::grid, 10 * (3 + 5)),
        (ablation::grid, 3 * ((4 * 6 + 1) + (4 + 1)) + 3 * 5 * 15),
        (normalisation::grid, 3 * 2 * ((6 + 1) + (1 + 1) + (1 + 1))),
        (labelled_classes::grid, 3 * 6 + 5 + 5),
    ];
    for (make, runs) in expected {
        let grid = grid(make, &full);
        assert_eq!(grid.runs.len(), runs, "{}", grid.command);
        let ids: BTreeSet<&str> = grid.runs.iter().map(|run| run.id.as_str()).collect();
        assert_eq!(ids.len(), runs, "{}: names are unique", grid.command);
        for section in &grid.sections {
            for row in &section.rows {
                assert_eq!(row.differs, Vec::<String>::new(), "{}", grid.command);
                let in_grid = |id: &String| ids.contains(id.as_str());
                assert!(row.seeds.values().flatten().all(in_grid));
            }
        }
    }
}

#[test]
fn every_medical_row_stands_beside_a_figure_of_the_paper() {
    let grid = grid(bench_medical::grid, &ChoiceArgs::default());
    for section in &grid.sections {
        assert_eq!(section.rows.len(), 4, "{}", section.title);
        for row in &section.rows {
            let keys: Vec<&str> = row.paper.keys().map(String::as_str).collect();
            assert_eq!(keys, ["acc", "auc", "f1"], "{}", section.title);
        }
    }
}

#[test]
fn commands_share_the_runs_that_they_have_in_common() {
    let choice = ChoiceArgs {
        datasets: strings(&["chest-xray"]),
        ..ChoiceArgs::default()
    };
    let ids = |make| -> BTreeSet<String> {
        grid(make, &choice)
            .runs
            .into_iter()
            .map(|run| run.id)
            .collect()
    };
    // Three seeds of reconstruction and of cka-patch at 0.05.
    let common = ids(bench_medical::grid);
    assert_eq!(common.intersection(&ids(ablation::grid)).count(), 6);
}

#[test]
fn options_choose_and_differences_are_told() {
    let choice = ChoiceArgs {
        datasets: strings(&["isic2018"]),
        ratios: vec![0.05],
        seeds: vec![1, 2],
        epochs: Some(5),
        quick: true,
        ..ChoiceArgs::default()
    };
    let grid = grid(bench_medical::grid, &choice);
    assert_eq!(grid.runs.len(), 2);
    assert_eq!(grid.runs[0].settings["epochs"].as_integer(), Some(5));
    assert_eq!(grid.runs[0].settings["image_score"].as_str(), Some("mean"));
    let differs = grid.sections[0].rows[0].differs.join("; ");
    for text in [
        "epochs 5 (paper: 200)",
        "2 seeds (paper: 3)",
        "labelled class MEL alone (paper: each of 6 in turn)",
    ] {
        assert!(differs.contains(text), "{differs}");
    }
    let others = ChoiceArgs {
        datasets: strings(&["visa"]),
        ..ChoiceArgs::default()
    };
    let settings = Settings::load().unwrap();
    let refused = bench_medical::grid(Builder::new(&others, &settings).unwrap());
    assert!(refused.unwrap_err().to_string().contains("industrial"));
}

#[test]
fn images_and_settings_make_the_name_but_not_their_place() {
    let run = |choice: &ChoiceArgs| grid(bench_medical::grid, choice).runs[0].id.clone();
    let quick = |sample| ChoiceArgs {
        quick: true,
        sample,
        ..ChoiceArgs::default()
    };
    assert_eq!(run(&quick(true)), run(&quick(true)));
    assert_ne!(run(&quick(true)), run(&quick(false)));
    assert_ne!(run(&ChoiceArgs::default()), run(&quick(false)));
}

/// A report of `ckaad`, with other settings and another AUROC.
fn write_report(out: &std::path::Path, run: &Run, auroc: f64) {
    let mut report: Value =
        serde_json::from_str(include_str!("../../fixtures/report.json")).unwrap();
    report["config"] = serde_json::to_value(run.configured()).unwrap();
    report["last"]["image"]["image_auroc"] = auroc.into();
    let folder = Folder::of(out, run).path().join("run");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("report.json"), report.to_string()).unwrap();
}

#[test]
fn a_table_is_made_from_reports_and_says_what_is_missing() {
    let out = tempfile::tempdir().unwrap();
    let choice = ChoiceArgs {
        datasets: strings(&["chest-xray"]),
        ratios: vec![0.0, 0.05],
        seeds: vec![1, 2],
        ..ChoiceArgs::default()
    };
    let grid = grid(bench_medical::grid, &choice);
    let folder = out.path().join("bench-medical");
    grid.write(&folder.join("grid.json")).unwrap();
    write_report(out.path(), &grid.runs[0], 0.85);
    write_report(out.path(), &grid.runs[1], 0.87);
    write_report(out.path(), &grid.runs[2], 0.99);
    let text = tables::write_all(out.path(), &folder, &[]).unwrap();
    assert!(text.contains("INCOMPLETE: 3 of 4 runs are finished, 0 failed, 1 are not done"));
    // Mean 86, deviation sqrt(2), 0.41 above the paper's 85.59.
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap();
    let recon = line("| recon | 0 | – | last | 2 |");
    assert!(
        recon.contains("| 86.00 ± 1.41 | 85.59 ± 0.16 | +0.41 |"),
        "{recon}"
    );
    // F1 at the oracle's and at the validation threshold, as in the fixture.
    assert!(recon.contains("| 100.00 ± 0.00 | 83.70 ± 0.30 | +16.30 | 36.73 ± 0.00 |"));
    assert!(
        line("| cka-patch | 0.05 | 1 | last | 1 of 2 |")
            .contains("| 99.00 | 96.57 ± 0.03 | +2.43 |")
    );
    assert!(line("| recon | 0 | – | best on validation | 2 |").contains("| 92.81 ± 0.00 |"));
    assert!(line("| AE-FLOW, r_l = 0 |").contains("| 92.00 | 88.92 | 85.58 |"));
    assert!(text.contains("2 seeds (paper: 3)"));
    assert!(text.contains("Images: 119 normal training images, 2 for validation, 40 normal and 40 anomalous for the test."));

    let json: Value =
        serde_json::from_slice(&fs::read(folder.join("table.json")).unwrap()).unwrap();
    assert_eq!(json["finished"], 3);
    assert_eq!(json["sections"][0]["rows"][0]["models"][0]["n"], 2);
    let csv = fs::read_to_string(folder.join("table.csv")).unwrap();
    // Two rows, of which both have two models, of five figures, and the head.
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * 5);
    let runs = fs::read_to_string(folder.join("runs.csv")).unwrap();
    assert_eq!(runs.matches(",finished,").count(), 3);
}

#[test]
fn pixel_figures_are_read_and_means_need_every_category() {
    let out = tempfile::tempdir().unwrap();
    let choice = ChoiceArgs {
        datasets: strings(&["mvtec-ad"]),
        categories: strings(&["bottle", "cable"]),
        methods: strings(&["cka-patch"]),
        seeds: vec![1],
        ..ChoiceArgs::default()
    };
    let grid = grid(bench_industrial::grid, &choice);
    let folder = out.path().join("bench-industrial");
    grid.write(&folder.join("grid.json")).unwrap();
    write_report(out.path(), &grid.runs[0], 1.0);
    let text = tables::write_all(out.path(), &folder, &[]).unwrap();
    assert!(
        text.contains("| bottle | cka-patch | last | 1 | 100.00 | 100.00 ± 0.00 | +0.00 | 98.58 |")
    );
    assert!(text.contains("| mean | cka-patch | last | 0 of 1 | – | – | – |"));
    assert!(text.contains("mean of 2 categories (paper: 15)"));
    write_report(out.path(), &grid.runs[1], 0.5);
    let text = tables::write_all(out.path(), &folder, &[]).unwrap();
    assert!(text.contains("| mean | cka-patch | last | 1 | 75.00 |"));
}

#[test]
fn detectors_stand_beside_the_papers_rows_and_controls() {
    let choice = ChoiceArgs {
        datasets: strings(&["chest-xray"]),
        detectors: strings(&["ckaad", "fastflow", "deep-sad"]),
        ratios: vec![0.0, 0.05],
        ..ChoiceArgs::default()
    };
    let grid = grid(bench_medical::grid, &choice);
    let rows = &grid.sections[0].rows;
    let names: Vec<&str> = rows.iter().map(|row| row.method.as_str()).collect();
    assert_eq!(names[..3], ["recon", "fastflow", "(control: thumbnail)"]);
    assert_eq!(names[7..9], ["cka-patch", "deep-sad"]);
    assert_eq!(rows[1].paper["auc"].mean, 90.25);
    assert!(
        rows[8]
            .differs
            .contains(&"deep-sad: frozen features".to_owned())
    );
    assert!(rows[2].paper.is_empty());
    assert!(grid.runs.iter().all(|run| run.controls));
    let run = grid
        .runs
        .iter()
        .find(|run| run.id.contains("deep-sad"))
        .unwrap();
    let config = run.configured();
    assert_eq!(config["detector"]["name"].as_str(), Some("deep-sad"));
    assert_eq!(config["epochs"].as_integer(), Some(1));

    let settings = Settings::load().unwrap();
    let unknown = ChoiceArgs {
        detectors: strings(&["patchcor"]),
        ..ChoiceArgs::default()
    };
    let builder = Builder::new(&unknown, &settings).unwrap();
    assert!(
        bench_medical::grid(builder)
            .unwrap_err()
            .to_string()
            .contains("patchcore")
    );
    let builder = Builder::new(&choice, &settings).unwrap();
    assert!(ablation::grid(builder).is_err());
}

#[test]
fn a_report_of_other_settings_is_no_result() {
    let out = tempfile::tempdir().unwrap();
    let grid = grid(bench_medical::grid, &ChoiceArgs::default());
    let folder = out.path().join("bench-medical");
    grid.write(&folder.join("grid.json")).unwrap();
    let mut other = grid.runs[0].clone();
    other.settings.insert("epochs".to_owned(), 1.into());
    write_report(out.path(), &other, 0.9);
    let text = tables::write_all(out.path(), &folder, &[]).unwrap();
    assert!(text.contains("INCOMPLETE: 0 of 111"));
}

#[test]
fn a_synthetic_table_says_so_and_compares_nothing() {
    let out = tempfile::tempdir().unwrap();
    let choice = ChoiceArgs {
        sample: true,
        quick: true,
        ..ChoiceArgs::default()
    };
    let grid = grid(bench_medical::grid, &choice);
    let folder = out.path().join("bench-medical");
    grid.write(&folder.join("grid.json")).unwrap();
    for run in &grid.runs {
        write_report(out.path(), run, 0.9);
    }
    let text = tables::write_all(out.path(), &folder, &[]).unwrap();
    assert!(text.contains("**SYNTHETIC stand-ins"));
    assert!(!text.contains("INCOMPLETE"));
    assert_eq!(
        text.matches("(SYNTHETIC stand-in), beside Tables 1 and 4")
            .count(),
        4
    );
    assert!(text.contains("| recon | 0 | – | last | 2 | 90.00 ± 0.00 | 87.51 ± 0.07 | – |"));
    let csv = fs::read_to_string(folder.join("table.csv")).unwrap();
    assert!(csv.lines().skip(1).all(|line| line.contains(",SYNTHETIC,")));
}
