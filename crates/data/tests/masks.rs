//! Masks as people name, draw and lose them: paired, united, warned of or refused before anything is trained.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use ckaad_data::*;
use image::DynamicImage;

#[path = "support/own_folders.rs"]
mod own_folders;
use own_folders::{Own, square, texture};

fn white(n: u32) -> DynamicImage {
    square(n, 255).into()
}

fn in_hole(stem: &str) -> String {
    format!("hole/{stem}.png")
}

#[test]
fn the_usual_names_match() {
    let names: [fn(&str) -> String; 9] = [
        in_hole,
        |stem| format!("hole/{stem}_mask.png"),
        |stem| format!("hole/{stem}_gt.png"),
        |stem| format!("HOLE/{stem}_GT.PNG"),
        |stem| format!("hole/{stem}_label.bmp"),
        |stem| format!("hole/cam1/{stem}.png"),
        |stem| format!("hole/{stem}/anything.png"),
        |stem| format!("hole/{stem}/000.png"),
        |stem| format!("{stem}-mask.png"),
    ];
    for name in names {
        let own = Own::with_masks(name, white);
        let dataset = own.open().unwrap();
        for n in 0..3 {
            let stem = format!("{n:03}");
            let masks = own.masks_of(&dataset, &format!("test/hole/{stem}.png"));
            assert_eq!(masks, [format!("masks/{}", name(&stem))]);
        }
        assert_eq!(own.check(MaskRule::Half).unwrap(), []);
    }
}

#[test]
fn parts_are_united() {
    for (first, second) in [
        ("000.png", "000_1.png"),
        ("000_mask_0.png", "000_1_mask.png"),
        ("000/a.png", "000/b.png"),
    ] {
        let own = Own::new();
        own.save(&format!("masks/hole/{first}"), square(0, 255));
        own.save(
            &format!("masks/hole/{second}"),
            DynamicImage::from(square(0, 255)).rotate180(),
        );
        let dataset = own.open().unwrap();
        assert_eq!(
            own.masks_of(&dataset, "test/hole/000.png").len(),
            2,
            "{first}"
        );
        let sample = dataset
            .test
            .iter()
            .find(|sample| !sample.masks.is_empty())
            .unwrap();
        let united = load_mask_native(&sample.masks, MaskRule::Half, Orientation::Apply).unwrap();
        assert_eq!(
            united.pixels.iter().filter(|&&set| set).count(),
            200,
            "{first}"
        );
        let small = load_mask(
            &sample.masks,
            24,
            MaskRule::Half,
            MaskResize::KeepRegions,
            Orientation::Apply,
        )
        .unwrap();
        assert_eq!(
            small.pixels.iter().filter(|&&set| set).count(),
            50,
            "{first}"
        );
    }
    // 000_1 is an image of its own here.
    let own = Own::with_masks(in_hole, white);
    own.save("test/hole/000_1.png", texture(70));
    own.save("masks/hole/000_1.png", white(1));
    let dataset = own.open().unwrap();
    assert_eq!(
        own.masks_of(&dataset, "test/hole/000_1.png"),
        ["masks/hole/000_1.png"]
    );
    assert_eq!(
        own.masks_of(&dataset, "test/hole/000.png"),
        ["masks/hole/000.png"]
    );
}

#[test]
fn a_mask_of_two_images_is_refused_with_both() {
    let own = Own::with_masks(|stem| format!("{stem}.png"), white);
    own.save("test/scratch/001.png", texture(80));
    let error = own.open().unwrap_err().to_string();
    assert!(
        error.contains("masks/001.png")
            && error.contains("hole/001.png")
            && error.contains("scratch/001.png"),
        "{error}"
    );
    assert!(!error.contains("000.png"), "{error}");
    // A normal image of the same name does not need it.
    let own = Own::with_masks(|stem| format!("{stem}.png"), white);
    own.save("test/good/001.png", texture(80));
    let dataset = own.open().unwrap();
    assert!(own.masks_of(&dataset, "test/good/001.png").is_empty());
    assert_eq!(own.masks_of(&dataset, "test/hole/001.png").len(), 1);
    // The same in a split that was written by hand.
    let mut split = own.split();
    let mask = own.at("masks/001.png");
    split
        .test
        .iter_mut()
        .for_each(|sample| sample.masks = vec![mask.clone()]);
    let error = check_masks(&split, 24).unwrap_err().to_string();
    assert!(error.contains("serve several images"), "{error}");
}

#[test]
fn masks_that_contradict_each_other_are_refused() {
    for other in [
        "hole/001_mask.png",
        "hole/001.bmp",
        "hole/cam1/001.png",
        "hole/001/a.png",
    ] {
        let own = Own::with_masks(in_hole, white);
        own.save(&format!("masks/{other}"), white(2));
        let error = own.open().unwrap_err().to_string();
        assert!(
            error.contains("contradict")
                && error.contains("test/hole/001.png")
                && error.contains(other),
            "{other}: {error}"
        );
    }
}

#[test]
fn masks_of_which_none_matches_are_refused_with_the_pattern() {
    for name in [
        |stem: &str| format!("Holes/{stem}.png"),
        |stem: &str| format!("hole/x{stem}.png"),
        |stem: &str| format!("hole/{stem}_truth.png"),
    ] {
        let own = Own::with_masks(name, white);
        let error = own.open().unwrap_err().to_string();
        assert!(
            error.contains("none of the 3 masks")
                && error.contains("STEM_mask")
                && error.contains("000.png"),
            "{error}"
        );
    }
    let own = Own::new();
    fs::create_dir(own.at("masks")).unwrap();
    assert!(matches!(own.open(), Err(DataError::NoImages { .. })));
}

#[test]
fn missing_and_left_over_masks_are_warned_of() {
    let own = Own::with_masks(in_hole, white);
    fs::rename(own.at("masks/hole/002.png"), own.at("masks/hole/009.png")).unwrap();
    let dataset = own.open().unwrap();
    let [unused] = dataset.findings.as_slice() else {
        panic!("{:?}", dataset.findings)
    };
    assert_eq!((unused.kind, unused.count), (FindingKind::UnusedMasks, 1));
    assert!(unused.to_string().contains("009.png"), "{unused}");
    let findings = own.check(MaskRule::Half).unwrap();
    let [missing] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(
        (missing.kind, missing.count),
        (FindingKind::MissingMasks, 1)
    );
    assert!(
        missing.to_string().contains("002.png") && missing.message.contains("1 of 3"),
        "{missing}"
    );
}

#[test]
fn masks_beside_their_images_are_their_masks() {
    let own = Own::new();
    for n in 0..3 {
        own.save(&format!("test/hole/{n:03}_GT.png"), white(n));
        own.save(&format!("test/good/g{n}_GT.png"), square(n, 0));
    }
    own.save("bad/b0_GT.png", white(0));
    let dataset = own.open().unwrap();
    assert_eq!((dataset.train.len(), dataset.test.len()), (8, 6));
    assert_eq!(
        own.masks_of(&dataset, "test/hole/001.png"),
        ["test/hole/001_GT.png"]
    );
    assert_eq!(dataset.left_out.0[&LeftOut::Mask], 7);
    assert_eq!(own.check(MaskRule::Half).unwrap(), []);
}

#[test]
fn a_split_keeps_one_mask_as_a_path_and_several_as_a_list() {
    let own = Own::with_masks(in_hole, white);
    own.save("masks/hole/000_1.png", white(1));
    let split = own.split();
    let path = own.at("split.json");
    split.write(&path).unwrap();
    assert_eq!(Split::read(&path).unwrap(), split);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("\"mask\": \"") && text.contains("\"mask\": ["),
        "{text}"
    );
    // What an earlier version wrote: no way of resizing, masks absent or null.
    let old = text.replace("\"mask_resize\": \"keep-regions\",", "");
    assert_ne!(old, text);
    fs::write(
        &path,
        old.replacen("\"class\"", "\"mask\": null, \"class\"", 1),
    )
    .unwrap();
    let read = Split::read(&path).unwrap();
    assert_eq!(read.mask_resize, MaskResize::Exact);
    assert_eq!(read.test, split.test);
}
