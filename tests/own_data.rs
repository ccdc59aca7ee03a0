//! Folders of one's own, as people have them: what `train` and `evaluate` say of their masks and classes.

use std::fs;
use std::process::Output;

use image::DynamicImage;

use crate::own_folders::{Own, SIDE, square, texture};
use crate::support::{ckaad, json};

fn white(n: u32) -> DynamicImage {
    square(n, 255).into()
}

fn beside_class(stem: &str) -> String {
    format!("hole/{stem}.png")
}

/// Trains the quickest detector on the folders that there are, into `run`.
fn train(own: &Own, more: &[&str]) -> Output {
    let mut command = ckaad();
    command
        .args(["train", "--detector", "gaussian", "--random-features"])
        .args(["--image-size", "32", "--out"])
        .arg(own.at("run"));
    for (flag, folder) in [
        ("--normal", "good"),
        ("--test", "test"),
        ("--masks", "masks"),
    ] {
        if own.at(folder).is_dir() {
            command.arg(flag).arg(own.at(folder));
        }
    }
    command.args(more).output().unwrap()
}

fn evaluate(own: &Own, more: &[&str]) -> Output {
    let mut command = ckaad();
    command.arg("evaluate").arg(own.at("run")).args(more);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What training says where it is to start.
fn trained(own: &Own, more: &[&str]) -> String {
    let output = train(own, more);
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

/// What training says where it is not to start; nothing is left of it.
fn refused(own: &Own, more: &[&str]) -> String {
    let output = train(own, more);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(!own.at("run/model.safetensors").exists());
    said(&output)
}

fn assert_says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

/// The pixel figures of an evaluation that succeeds.
fn pixel_figures(own: &Own) -> serde_json::Value {
    let output = evaluate(own, &[]);
    assert!(output.status.success(), "{}", said(&output));
    json(&own.at("run/report.json"))["last"]["pixel"].clone()
}

#[test]
fn a_mask_for_two_images_is_refused_with_both() {
    let own = Own::with_masks(|stem| format!("{stem}.png"), white);
    own.save("test/scratch/001.png", texture(90));
    assert_says(
        &refused(&own, &[]),
        &["masks/001.png", "test/hole/001.png", "test/scratch/001.png"],
    );
}

#[test]
fn several_files_make_one_mask_and_usual_names_match() {
    for name in ["{}.png", "{}_mask.png", "{}_GT.png", "cam1/{}_label.png"] {
        let named = |stem: &str| format!("hole/{}", name.replace("{}", stem));
        let own = Own::with_masks(named, white);
        trained(&own, &[]);
        assert_eq!(pixel_figures(&own)["regions"], 3, "{name}");
    }
    let own = Own::with_masks(beside_class, white);
    let mut far = image::GrayImage::new(SIDE, SIDE);
    image::imageops::overlay(&mut far, &square(1, 255), 24, 24);
    own.save("masks/hole/000_1.png", far);
    trained(&own, &[]);
    assert_eq!(pixel_figures(&own)["regions"], 4);

    let own = Own::with_masks(|stem| format!("hole/no{stem}.png"), white);
    assert_says(&refused(&own, &[]), &["none of the 3 masks", "STEM_mask"]);
}

#[test]
fn masks_without_a_marked_pixel_are_refused_with_their_values() {
    let own = Own::with_masks(beside_class, |n| square(n, 1).into());
    assert_says(
        &refused(&own, &[]),
        &["hole/002.png", "values are 0, 1", "`non-zero`"],
    );
    trained(&own, &["--mask-rule", "non-zero"]);
    assert_eq!(pixel_figures(&own)["regions"], 3);
}

#[test]
fn masks_of_another_shape_or_damaged_are_refused_at_the_start() {
    let own = Own::with_masks(beside_class, white);
    own.save("masks/hole/000.png", image::GrayImage::new(SIDE, SIDE / 2));
    own.write("masks/hole/001.png", b"no picture");
    assert_says(&refused(&own, &[]), &["000.png", "48 x 24", "001.png"]);
}

#[test]
fn what_may_be_meant_is_warned_of() {
    let inverted = |n| {
        let mut mask = white(n);
        mask.invert();
        mask
    };
    let said = trained(&Own::with_masks(beside_class, inverted), &[]);
    assert_says(&said, &["WARN", "most"]);

    let own = Own::with_masks(beside_class, white);
    fs::remove_file(own.at("masks/hole/002.png")).unwrap();
    assert_says(
        &trained(&own, &[]),
        &["1 of 3 anomalous test images have no mask"],
    );
    assert!(pixel_figures(&own).is_null());
    let report = json(&own.at("run/report.json"));
    let omitted = report["last"]["pixels_omitted"]["reason"].as_str().unwrap();
    assert!(omitted.contains("1 of 3"), "{omitted}");
}

/// A scratch of a pixel's width is less than half of a pixel at the size of the networks.
#[test]
fn a_thin_defect_is_named_and_kept() {
    let line = |n| {
        image::GrayImage::from_fn(512, 512, |x, _| image::Luma([255 * u8::from(x == 100 + n)]))
            .into()
    };
    let own = Own::with_masks(beside_class, line);
    for n in 0..3 {
        own.save(
            &format!("test/hole/{n:03}.png"),
            DynamicImage::from(texture(60 + n)).resize_exact(
                512,
                512,
                image::imageops::FilterType::Nearest,
            ),
        );
    }
    assert_says(&trained(&own, &[]), &["WARN", "hole/000.png"]);
    assert_eq!(pixel_figures(&own)["regions"], 3);
}

#[test]
fn masks_beside_their_images_are_no_images() {
    let own = Own::new();
    for n in 0..3 {
        own.save(&format!("test/hole/{n:03}_GT.png"), white(n));
    }
    assert_says(&trained(&own, &[]), &["6 test", "3 masks beside images"]);
    assert_eq!(pixel_figures(&own)["regions"], 3);
}

#[test]
fn a_test_set_of_one_kind_says_why_there_is_no_auroc() {
    let own = Own::new();
    fs::rename(own.at("test/good"), own.at("test/healthy")).unwrap();
    assert_says(&trained(&own, &[]), &["healthy", "--normal-class"]);
    let output = evaluate(&own, &[]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_says(&printed, &["no AUROC: all test images count as anomalous"]);
    let test = own.at("test");
    let output = evaluate(
        &own,
        &[
            "--test",
            test.to_str().unwrap(),
            "--normal-class",
            "healthy",
        ],
    );
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_says(&printed, &["image AUROC", "3 normal, 3 anomalous"]);
}

#[test]
fn a_mask_damaged_after_training_costs_pixel_figures_alone() {
    let own = Own::with_masks(beside_class, white);
    trained(&own, &[]);
    own.write("masks/hole/001.png", b"no picture");
    let output = evaluate(&own, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["hole/001.png", "all others were written"]);
    let report = json(&own.at("run/report.json"));
    assert!(report["last"]["image"]["image_auroc"].is_number());
    assert!(report["last"]["pixel"].is_null());
    assert_eq!(report["last"]["pixels_omitted"]["failed"], true);
    let rows = fs::read_to_string(own.at("run/predictions.csv")).unwrap();
    assert_eq!(rows.lines().count(), 7);
}

#[test]
fn test_images_that_moved_are_found_by_their_new_place() {
    let own = Own::with_masks(beside_class, white);
    trained(&own, &[]);
    let before = pixel_figures(&own);
    fs::create_dir(own.at("moved")).unwrap();
    for folder in ["test", "masks"] {
        fs::rename(own.at(folder), own.at("moved").join(folder)).unwrap();
    }
    let output = evaluate(&own, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_says(&said(&output), &["6 of the 6 test images", "--test DIR"]);

    let [test, masks, out] = ["moved/test", "moved/masks", "elsewhere"].map(|name| own.at(name));
    let more = [
        "--test",
        test.to_str().unwrap(),
        "--masks",
        masks.to_str().unwrap(),
    ];
    let output = evaluate(&own, &more);
    assert!(output.status.success(), "{}", said(&output));
    let report = json(&own.at("run/report.json"));
    assert_eq!(report["last"]["pixel"], before);
    assert_eq!(report["test_folder"], test.to_str().unwrap());

    let with_out = [&more[..], &["--out", out.to_str().unwrap()]].concat();
    assert!(evaluate(&own, &with_out).status.success());
    assert!(out.join("report.json").is_file() && out.join("predictions.csv").is_file());
    assert_says(&said(&evaluate(&own, &with_out)), &["earlier prediction"]);

    // An image of the training under another name is no test image.
    fs::copy(own.at("good/000.png"), test.join("good/new.png")).unwrap();
    assert_says(&said(&evaluate(&own, &more)), &["WARN", "new.png"]);
}

#[test]
fn a_test_image_that_is_gone_is_left_out_where_bad_ones_are() {
    let own = Own::new();
    trained(&own, &["--skip-bad"]);
    fs::remove_file(own.at("test/hole/001.png")).unwrap();
    let output = evaluate(&own, &[]);
    assert!(output.status.success(), "{}", said(&output));
    assert_says(&said(&output), &["WARN", "hole/001.png"]);
    let report = json(&own.at("run/report.json"));
    let left_out = report["left_out"].as_array().unwrap();
    assert!(
        matches!(left_out.as_slice(), [lone] if lone.as_str().unwrap().ends_with("hole/001.png")),
        "{left_out:?}"
    );
}

#[test]
fn too_few_images_say_how_many_and_what_to_do() {
    let own = Own::new();
    for n in 1..6 {
        fs::remove_file(own.at(&format!("good/{n:03}.png"))).unwrap();
    }
    fs::remove_file(own.at("bad/b1.png")).unwrap();
    let bad = own.at("bad");
    let said = refused(&own, &["--anomalous", bad.to_str().unwrap()]);
    assert_says(&said, &["1 normal training images", "--set"]);

    let own = Own::new();
    let bad = own.at("bad");
    let more = ["--detector", "probe", "--anomalous", bad.to_str().unwrap()];
    let said = refused(&own, &[&more[..], &["--labelled-ratio", "0.01"]].concat());
    assert_says(&said, &["asks for 0", "at least"]);
}
