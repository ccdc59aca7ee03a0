//! Results as pages.

use std::path::{Path, PathBuf};

use crate::support::{ckaad, synthetic, train_args};

fn trained(folder: &Path, root: &Path, name: &str, more: &[&str]) -> PathBuf {
    let run = folder.join(name);
    ckaad()
        .args(train_args(root, &run))
        .args(more)
        .assert()
        .success();
    run
}

fn evaluated(run: &Path, more: &[&str]) {
    ckaad()
        .arg("evaluate")
        .arg(run)
        .args(more)
        .assert()
        .success();
}

fn page(path: &Path) -> String {
    let html = std::fs::read_to_string(path).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"));
    html
}

#[test]
fn an_evaluation_ends_with_a_page_that_can_be_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = trained(folder.path(), &root, "run", &[]);
    let early = ckaad().arg("report").arg(&run).assert().code(1);
    let said = String::from_utf8_lossy(&early.get_output().stderr).into_owned();
    assert!(said.contains("ckaad evaluate"), "{said}");

    evaluated(&run, &[]);
    let html = page(&run.join("report.html"));
    // The masks of anomalous images, the heat of all.
    for text in [
        "class=\"mask\"",
        "class=\"heat\"",
        "id=\"viewer\"",
        "oracle F1-max",
        "AUPRO",
        "weave/test/good",
        "Every test image that was to be used could be read.",
    ] {
        assert!(html.contains(text), "{text} is missing");
    }
    let plots = folder.path().join("plots");
    ckaad()
        .arg("report")
        .arg(&run)
        .arg("--plots")
        .arg(&plots)
        .assert()
        .success();
    assert_eq!(
        page(&run.join("report.html")),
        html,
        "the same results make the same page"
    );
    let roc = std::fs::read_to_string(plots.join("roc.svg")).unwrap();
    assert!(roc.starts_with("<svg"));

    // An image that is gone is told in its place.
    std::fs::remove_dir_all(root.join("weave/test")).unwrap();
    ckaad().arg("report").arg(&run).assert().success();
    assert!(page(&run.join("report.html")).contains("No such file"));
}

#[test]
fn other_test_images_have_a_page_beside_their_results() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = trained(
        folder.path(),
        &root,
        "run",
        &["--detector", "deep-sad", "--epochs", "1"],
    );
    let out = folder.path().join("results");
    let test = root.join("weave/test");
    let args = [
        "--test",
        test.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    evaluated(&run, &[&args[..], &["--no-html"]].concat());
    assert!(!out.join("report.html").exists());
    evaluated(&run, &[&args[..], &["--overwrite"]].concat());
    let html = page(&out.join("report.html"));
    assert!(html.contains("tells no places") && html.contains("results"));
    assert!(!run.join("report.html").exists());
}

#[test]
fn runs_are_compared_on_the_images_that_all_of_them_scored() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let runs = [("a", "gaussian"), ("b", "padim")].map(|(name, detector)| {
        let run = trained(
            folder.path(),
            &root,
            name,
            &["--detector", detector, "--epochs", "1"],
        );
        evaluated(&run, &["--no-html"]);
        run
    });
    let nameless = ckaad().arg("report").args(&runs).assert().code(1);
    let said = String::from_utf8_lossy(&nameless.get_output().stderr).into_owned();
    assert!(said.contains("--out"), "{said}");
    let out = folder.path().join("both.html");
    ckaad()
        .arg("report")
        .args(&runs)
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let html = page(&out);
    for text in [
        "2 runs compared",
        "8 images",
        "paired test",
        "aria-sort=\"none\"",
        "gaussian",
    ] {
        assert!(html.contains(text), "{text} is missing");
    }
}
