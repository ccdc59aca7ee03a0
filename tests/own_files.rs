//! Files as people have them: what `train` and `predict` take, leave out and write.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma};

use crate::image_files::{TiffPage, chunk, encoded, exif, tiff};
use crate::own_folders::{Own, SIDE, texture};
use crate::support::ckaad;

/// A run of the quickest detector, trained once for all tests, in a folder that the next time replaces.
static RUN: LazyLock<PathBuf> = LazyLock::new(|| {
    let own = Own::new();
    let run = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-files-run");
    if run.exists() {
        fs::remove_dir_all(&run).unwrap();
    }
    let output = ckaad()
        .args(["train", "--detector", "gaussian", "--random-features"])
        .args(["--image-size", "32", "--normal"])
        .arg(own.at("good"))
        .arg("--out")
        .arg(&run)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    run
});

fn predict(images: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = ckaad();
    command.arg("predict").arg(&*RUN).arg(images);
    command.arg("--out").arg(out).args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

/// The scores of all images of a folder, without anything but the table.
fn scores(images: &Path, more: &[&str]) -> (Vec<f64>, String) {
    let out = tempfile::tempdir().unwrap();
    let output = predict(images, out.path(), &[&["--no-heatmaps"], more].concat());
    assert!(output.status.success(), "{}", said(&output));
    let mut table = csv::Reader::from_path(out.path().join("predictions.csv")).unwrap();
    let rows = table.records().map(|row| row.unwrap()[1].parse().unwrap());
    (rows.collect(), said(&output))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn an_image_on_its_side_scores_as_the_upright_one() {
    let folder = tempfile::tempdir().unwrap();
    let upright = DynamicImage::from(texture(70)).crop_imm(0, 0, SIDE, SIDE / 2);
    upright.save(folder.path().join("a.png")).unwrap();
    // Orientation 6: a viewer turns what is stored clockwise.
    let mut stored = encoded(&upright.rotate270(), ImageFormat::Png);
    stored.splice(33..33, chunk(b"eXIf", &exif(6, true)));
    fs::write(folder.path().join("b.png"), stored).unwrap();
    let (scores, _) = scores(folder.path(), &[]);
    assert_eq!(scores[0], scores[1]);
}

#[test]
fn training_and_prediction_leave_the_same_files_out_and_count_them() {
    let own = Own::new();
    own.write("good/._000.png", b"resource");
    own.write("good/.DS_Store", b"system");
    own.save("good/.ipynb_checkpoints/000.png", texture(1));
    own.write("good/scan.dcm", b"DICM");
    own.write("good/a.gif", b"GIF89a");
    own.write("good/b.gif", b"GIF89a");
    let counts = "3 hidden or system";
    let output = ckaad()
        .args(["train", "--detector", "gaussian", "--random-features"])
        .args(["--image-size", "32", "--normal"])
        .arg(own.at("good"))
        .arg("--out")
        .arg(own.at("run"))
        .output()
        .unwrap();
    assert_says(&said(&output), &["1 .dcm", "2 .gif", counts]);
    let (scores, said) = scores(&own.at("good"), &[]);
    assert_eq!(scores.len(), 6);
    assert_says(&said, &["6 images", "1 .dcm", "2 .gif", counts]);
}

#[test]
fn all_unreadable_images_are_named_at_once() {
    let own = Own::new();
    for name in ["x.png", "y.jpg", "z.tif"] {
        own.write(&format!("good/{name}"), b"no picture");
    }
    let output = ckaad()
        .args(["train", "--detector", "gaussian", "--random-features"])
        .args(["--image-size", "32", "--set", "validation=\"none\""])
        .args(["--set", "calibration=0.0", "--normal"])
        .arg(own.at("good"))
        .arg("--out")
        .arg(own.at("run"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["x.png", "y.jpg", "z.tif"]);
}

#[test]
fn results_do_not_mix_with_earlier_ones() {
    let own = Own::new();
    let out = own.at("out");
    let test = own.at("test");
    assert!(predict(&test, &out, &[]).status.success());
    assert_eq!(names(&out).len(), 8);
    let again = predict(&own.at("bad"), &out, &[]);
    assert_eq!(again.status.code(), Some(1));
    assert_says(
        &said(&again),
        &["8 files of an earlier prediction", "--overwrite"],
    );
    fs::write(out.join("notes.txt"), "mine").unwrap();
    assert!(
        predict(&own.at("bad"), &out, &["--overwrite"])
            .status
            .success()
    );
    let left = [
        "b0_heatmap.png",
        "b1_heatmap.png",
        "legend.svg",
        "notes.txt",
        "predictions.csv",
    ];
    assert_eq!(names(&out), left);

    let before = names(&RUN);
    let into_run = predict(&test, &RUN, &["--overwrite"]);
    assert_eq!(into_run.status.code(), Some(1));
    assert_says(&said(&into_run), &["folder of a run"]);
    assert_eq!(names(&RUN), before);
}

#[test]
fn an_output_folder_that_is_the_input_is_named_as_the_reason() {
    let own = Own::new();
    let output = predict(&own.at("bad"), &own.at("bad"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["output folder"]);
}

#[test]
fn names_of_any_length_get_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    fs::create_dir(&images).unwrap();
    for last in ["a", "b"] {
        let name = format!("{}{last}.png", "n".repeat(244));
        texture(70).save(images.join(name)).unwrap();
    }
    let out = folder.path().join("out");
    let output = predict(&images, &out, &["--raw", "npy"]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(names(&out).len(), 6);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8_is_refused_by_training_and_prediction() {
    use std::os::unix::ffi::OsStrExt;
    let own = Own::new();
    let name = std::ffi::OsStr::from_bytes(b"good/caf\xe9.png");
    fs::copy(own.at("good/000.png"), own.at("").join(name)).unwrap();
    let predicted = predict(&own.at("good"), &own.at("out"), &[]);
    let trained = ckaad()
        .args(["train", "--random-features", "--normal"])
        .arg(own.at("good"))
        .arg("--out")
        .arg(own.at("run"))
        .output()
        .unwrap();
    for output in [predicted, trained] {
        assert_eq!(output.status.code(), Some(1));
        assert_says(&said(&output), &["UTF-8"]);
    }
}

#[test]
fn twelve_bits_in_sixteen_are_warned_of_and_read_by_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let scan = ImageBuffer::from_fn(SIDE, SIDE, |x, y| {
        Luma([u16::from(texture(70)[(x, y)][0]) << 4])
    });
    DynamicImage::from(scan)
        .save(folder.path().join("scan.png"))
        .unwrap();
    let (dark, warned) = scores(folder.path(), &[]);
    assert_says(&warned, &["WARN", "16 bits", "0,4095"]);
    let (windowed, quiet) = scores(folder.path(), &["--window", "0,4095"]);
    assert!(!quiet.contains("WARN") && windowed != dark, "{quiet}");
}

#[test]
fn a_file_of_several_pages_is_refused_unless_one_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let pixels = [vec![10; 64], vec![200; 64]];
    let pages = pixels.each_ref().map(|pixels| TiffPage {
        size: (8, 8),
        bits: 8,
        pixels,
        tags: &[],
    });
    fs::write(folder.path().join("stack.tif"), tiff(&pages, true)).unwrap();
    let out = tempfile::tempdir().unwrap();
    let output = predict(folder.path(), out.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["stack.tif", "2 pages", "page"]);
    let page = |number| scores(folder.path(), &["--page", number]).0;
    assert_ne!(page("1"), page("2"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_by_either() {
    let own = Own::new();
    fs::create_dir(own.at("outer")).unwrap();
    std::os::unix::fs::symlink(own.at("bad"), own.at("outer/linked")).unwrap();
    assert_eq!(scores(&own.at("outer"), &[]).0.len(), 2);
    std::os::unix::fs::symlink(own.at("outer"), own.at("outer/loop")).unwrap();
    let output = predict(&own.at("outer"), &own.at("out"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["link"]);
}

/// The line is the one that an editor shows, whatever ends lines.
#[test]
fn a_wrong_line_of_a_table_is_named_by_its_number() {
    let own = Own::new();
    for ending in ["\n", "\r\n"] {
        let mut lines = vec!["path,split,label".to_owned()];
        lines.extend((0..6).map(|n| format!("good/{n:03}.png,train,normal")));
        lines.push("bad/b0.png,train,odd".to_owned());
        own.write("manifest.csv", lines.join(ending).as_bytes());
        let root = own.at("");
        let output = ckaad()
            .args([
                "train",
                "--layout",
                "manifest",
                "--random-features",
                "--data",
            ])
            .arg(&root)
            .arg("--out")
            .arg(own.at("run"))
            .output()
            .unwrap();
        assert_says(&said(&output), &["line 8", "odd"]);
    }
}
