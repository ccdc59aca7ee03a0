//! One listing for training and prediction: what is taken, what is left out, and what the folders count as.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use ckaad_data::*;

#[path = "support/own_folders.rs"]
mod own_folders;
use own_folders::{Own, texture};

fn list(own: &Own, inputs: &[&str]) -> Result<Listing, DataError> {
    let inputs: Vec<_> = inputs.iter().map(|name| own.at(name)).collect();
    list_images(&inputs, &[])
}

#[test]
fn files_are_counted_by_ending_and_reason() {
    let own = Own::new();
    for name in [
        "a.gif",
        "b.GIF",
        "c.ppm",
        "scan.dcm",
        "readme",
        "._000.png",
        ".DS_Store",
        ".ipynb_checkpoints/000-checkpoint.png",
        "__MACOSX/x.png",
        "masks/000.png",
    ] {
        own.write(&format!("good/{name}"), b"x");
    }
    own.save("good/001_GT.png", texture(1));
    let listing = list(&own, &["good"]).unwrap();
    assert_eq!(listing.images.len(), 6);
    assert_eq!(listing.masks, [own.at("good/001_GT.png")]);
    assert_eq!(
        listing.to_string(),
        "6 images (left out: 1 without an ending, 1 .dcm, 2 .gif, 1 .ppm, 4 hidden or system, 2 masks beside images)"
    );
    let dataset = own.open().unwrap();
    assert_eq!(dataset.left_out, listing.left_out);
    assert_eq!(
        dataset.account(),
        "training: 6 normal (normal 6), 2 anomalous (anomalous 2); test: 3 normal (good 3), 3 anomalous (hole 3); \
         left out: 1 without an ending, 1 .dcm, 2 .gif, 1 .ppm, 4 hidden or system, 2 masks beside images"
    );
    let json = serde_json::to_string(&dataset).unwrap();
    assert_eq!(serde_json::from_str::<Dataset>(&json).unwrap(), dataset);
}

#[test]
fn training_and_prediction_list_the_same_in_the_same_order() {
    let own = Own::new();
    for name in ["b/x.png", "a.png", "b.png", "B/y.png", "a/z.png"] {
        own.save(&format!("good/{name}"), texture(100));
    }
    let listing = list(&own, &["good"]).unwrap();
    let trained: Vec<_> = own
        .open()
        .unwrap()
        .train
        .into_iter()
        .filter(|sample| sample.label == Label::Normal)
        .map(|sample| sample.path.file().to_path_buf())
        .collect();
    assert_eq!(listing.images, trained);
    let mut sorted = trained.clone();
    sorted.sort();
    assert_eq!(trained, sorted);
}

#[test]
fn results_of_an_earlier_prediction_are_left_out() {
    let own = Own::new();
    own.save("good/000_heatmap.png", texture(1));
    own.save("good/000_map.png", texture(1));
    assert_eq!(list(&own, &["good"]).unwrap().images.len(), 8);
    own.write("good/predictions.csv", b"image,score\n");
    let listing = list(&own, &["good"]).unwrap();
    assert_eq!(
        (
            listing.images.len(),
            listing.left_out.0[&LeftOut::EarlierResult]
        ),
        (6, 2)
    );
    // The output folder alone is said to be left out.
    let error = list_images(&[own.at("good")], &[own.at("good"), own.at("absent")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("1 excepted (such as the output folder)"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_named_is_taken_once() {
    let own = Own::new();
    own.write("scan.raw", b"x");
    let listing = list(&own, &["scan.raw", "good", "good/../good/003.png"]).unwrap();
    assert_eq!(
        (listing.images.len(), listing.left_out.0[&LeftOut::Repeated]),
        (7, 1)
    );
    assert_eq!(listing.images[0], own.at("scan.raw"));
    assert!(matches!(list(&own, &["absent"]), Err(DataError::File(_))));
    own.write("scans/a.dcm", b"x");
    let error = list(&own, &["scans"]).unwrap_err().to_string();
    assert!(
        error.contains("left out: 1 .dcm") && error.contains("jpg, jpeg"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_errors() {
    use std::os::unix::fs::symlink;
    let own = Own::new();
    symlink(own.at("test/hole"), own.at("good/line2")).unwrap();
    assert_eq!(list(&own, &["good"]).unwrap().images.len(), 9);
    symlink(own.at("good"), own.at("test/hole/up")).unwrap();
    assert!(
        list(&own, &["good"])
            .unwrap_err()
            .to_string()
            .contains("symbolic link")
    );
    assert!(own.open().is_err());
}

#[cfg(unix)]
#[test]
fn an_image_whose_name_is_not_utf8_is_refused_by_either() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let own = Own::new();
    let name = own.at("good").join(OsStr::from_bytes(b"st\xfcck.png"));
    fs::copy(own.at("good/000.png"), &name).unwrap();
    assert!(matches!(
        list(&own, &["good"]),
        Err(DataError::NotUtf8 { .. })
    ));
    assert!(matches!(
        list_images(&[name], &[]),
        Err(DataError::NotUtf8 { .. })
    ));
    assert!(matches!(own.open(), Err(DataError::NotUtf8 { .. })));
}

fn kinds(dataset: &Dataset) -> Vec<FindingKind> {
    dataset
        .findings
        .iter()
        .map(|finding| finding.kind)
        .collect()
}

#[test]
fn a_test_set_of_one_kind_says_which_names_are_normal() {
    let own = Own::new();
    fs::rename(own.at("test/good"), own.at("test/healthy")).unwrap();
    let dataset = own.open().unwrap();
    assert_eq!(kinds(&dataset), [FindingKind::OneKind]);
    let finding = dataset.findings[0].to_string();
    assert!(
        [
            "all 6 test images count as anomalous",
            "good",
            "--normal-class",
            "healthy (3)",
            "hole (3)"
        ]
        .iter()
        .all(|part| finding.contains(part)),
        "{finding}"
    );

    let named = |name: &str| {
        Dataset::from_folders(&FolderSource {
            normal_class: Some(name.into()),
            ..own.source()
        })
    };
    let dataset = named("Healthy").unwrap();
    assert_eq!(kinds(&dataset), []);
    assert_eq!(
        dataset
            .test
            .iter()
            .filter(|sample| sample.label == Label::Normal)
            .count(),
        3
    );
    let error = named("good").unwrap_err().to_string();
    assert!(error.contains("healthy, hole"), "{error}");

    fs::remove_dir_all(own.at("test/hole")).unwrap();
    let dataset = named("healthy").unwrap();
    assert!(
        dataset.findings[0]
            .to_string()
            .contains("all 3 test images count as normal"),
        "{:?}",
        dataset.findings
    );
}

#[test]
fn folders_of_the_other_kind_are_warned_of() {
    for name in ["bad", "NG", "Defects/scratch", "line1/anomalous"] {
        let own = Own::new();
        own.save(&format!("good/{name}/x.png"), texture(7));
        let dataset = own.open().unwrap();
        assert_eq!(kinds(&dataset), [FindingKind::FolderNames], "{name}");
        assert_eq!(dataset.findings[0].count, 1);
        assert!(
            dataset.findings[0]
                .to_string()
                .contains(name.split("/s").next().unwrap()),
            "{name}"
        );
    }
    let own = Own::new();
    own.save("bad/good/x.png", texture(7));
    assert_eq!(kinds(&own.open().unwrap()), [FindingKind::FolderNames]);
    // Named as the anomalous folder itself, it is no part of the normal ones.
    let own = Own::new();
    fs::rename(own.at("bad"), own.at("good/bad")).unwrap();
    let source = FolderSource {
        anomalous: Some(own.at("good/bad")),
        ..own.source()
    };
    let dataset = Dataset::from_folders(&source).unwrap();
    assert_eq!((dataset.train.len(), kinds(&dataset)), (8, vec![]));
}

#[test]
fn equal_and_nearly_equal_content_is_found() {
    let own = Own::new();
    assert_eq!(check_content(&own.split()), []);
    // The same pixels in another format, and the same picture with a little noise at another size.
    own.save("test/good/copy.bmp", texture(3));
    let mut noisy = texture(4);
    noisy
        .pixels_mut()
        .enumerate()
        .for_each(|(n, pixel)| pixel[0] ^= (n % 2) as u8);
    own.save("test/hole/noisy.png", noisy);
    let findings = check_content(&own.split());
    let [equal, similar] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!((equal.kind, equal.count), (FindingKind::EqualContent, 1));
    assert!(
        equal.to_string().contains("copy.bmp and ") && equal.to_string().contains("good/003.png"),
        "{equal}"
    );
    assert_eq!(
        (similar.kind, similar.count),
        (FindingKind::SimilarContent, 1)
    );
    assert!(
        similar.to_string().contains("noisy.png and ")
            && similar.to_string().contains("good/004.png"),
        "{similar}"
    );
}

#[test]
fn masks_inside_a_test_folder_are_no_class() {
    let own = Own::new();
    for n in 0..3 {
        own.save(
            &format!("test/truth/hole/{n:03}.png"),
            own_folders::square(n, 255),
        );
    }
    let source = FolderSource {
        masks: Some(own.at("test/truth")),
        ..own.source()
    };
    let dataset = Dataset::from_folders(&source).unwrap();
    assert_eq!(dataset.test.len(), 6);
    assert_eq!(
        own.masks_of(&dataset, "test/hole/002.png"),
        ["test/truth/hole/002.png"]
    );
}
