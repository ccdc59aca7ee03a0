//! Scores and heat maps of files.

use std::path::Path;

use crate::support::{ckaad, synthetic, train_args};

/// Trains on the synthetic set, with more arguments.
fn trained(folder: &Path, root: &Path, more: &[&str]) -> std::path::PathBuf {
    let run = folder.join("run");
    ckaad()
        .args(train_args(root, &run))
        .args(more)
        .assert()
        .success();
    run
}

/// The rows of a table, by column.
fn table(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn every_image_has_files_of_its_own_that_the_table_names() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = trained(folder.path(), &root, &[]);
    let image = std::fs::read_dir(root.join("weave/test/good"))
        .unwrap()
        .next();
    let image = image.unwrap().unwrap().path();
    let place = |name: &str| {
        let path = folder.path().join("new").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(&image, &path).unwrap();
    };
    for name in ["a/x.png", "b/x.png", "a_x.png", "A_X.png", "c/x.png"] {
        place(name);
    }
    let out = folder.path().join("out");
    ckaad()
        .current_dir(folder.path().join("new/c"))
        .arg("predict")
        .arg(&run)
        .args([
            "../a",
            "../b/x.png",
            "../a_x.png",
            "../A_X.png",
            "x.png",
            "./x.png",
        ])
        .arg("--out")
        .arg(&out)
        .args(["--raw", "npy"])
        .assert()
        .success();
    // One image was named twice.
    let rows = table(&out.join("predictions.csv"));
    assert_eq!(rows.len(), 5);
    let mut names: Vec<&str> = rows
        .iter()
        .flat_map(|row| [row["heatmap"].as_str(), row["map"].as_str()])
        .collect();
    assert!(
        names.iter().all(|name| out.join(name).is_file()),
        "{names:?}"
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 10);
}

#[test]
fn regions_are_told_in_pixels_of_the_picture_and_colours_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = trained(folder.path(), &root, &[]);
    // Twice as wide as high, so that the two cannot be mixed up.
    let image = std::fs::read_dir(root.join("weave/test"))
        .unwrap()
        .map(|class| class.unwrap().path())
        .find(|class| !class.ends_with("good"))
        .and_then(|class| std::fs::read_dir(class).unwrap().next());
    let picture = image::open(image.unwrap().unwrap().path()).unwrap();
    let wide = folder.path().join("wide.png");
    let filter = image::imageops::FilterType::Triangle;
    picture.resize_exact(240, 120, filter).save(&wide).unwrap();
    let out = folder.path().join("out");
    ckaad()
        .arg("predict")
        .arg(&run)
        .arg(&wide)
        .arg("--out")
        .arg(&out)
        .args(["--regions", "--raw", "npy", "--colours", "jet"])
        .assert()
        .success();
    let row = table(&out.join("predictions.csv")).remove(0);
    let found = crate::support::json(&out.join(&row["regions"]));
    assert_eq!(
        (&found["width"], &found["height"]),
        (&240.into(), &120.into())
    );
    for region in found["regions"].as_array().unwrap() {
        let [left, top, width, height] = [0, 1, 2, 3].map(|at| region["box"][at].as_u64().unwrap());
        assert!(left + width <= 240 && top + height <= 120, "{region}");
        let area = region["area"].as_u64().unwrap();
        assert!((1..=width * height).contains(&area), "{region}");
        let peak = &region["peak"];
        assert!(peak["value"].as_f64() >= found["threshold"].as_f64());
        let (x, y) = (peak["x"].as_u64().unwrap(), peak["y"].as_u64().unwrap());
        assert!((left..left + width).contains(&x) && (top..top + height).contains(&y));
        assert!(region["polygon"].as_array().unwrap().len() >= 3);
    }
    let legend = std::fs::read_to_string(out.join("legend.svg")).unwrap();
    let threshold = found["threshold"].as_f64().unwrap();
    assert!(legend.contains(&format!("{threshold:.4}")), "{legend}");
    let overlay = image::open(out.join(&row["heatmap"])).unwrap();
    assert_eq!((overlay.width(), overlay.height()), (240, 120));

    let refused = ckaad()
        .arg("predict")
        .arg(&run)
        .arg(&wide)
        .arg("--out")
        .arg(folder.path().join("other"))
        .args(["--opacity", "1.5"])
        .assert()
        .code(2);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("from 0 to 1"), "{said}");
}

#[test]
fn one_bad_file_does_not_take_the_rest_along() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = trained(folder.path(), &root, &[]);
    let images = root.join("weave/test/good");
    std::fs::write(images.join("zz-broken.png"), "no picture").unwrap();
    let out = folder.path().join("out");
    let mut command = ckaad();
    command
        .arg("predict")
        .arg(&run)
        .arg(&images)
        .arg("--out")
        .arg(&out);
    let output = command.assert().code(1);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        said.contains("1 of 5 images") && said.contains("zz-broken.png"),
        "{said}"
    );
    let rows = table(&out.join("predictions.csv"));
    assert_eq!(rows.len(), 5);
    let (bad, good) = rows.split_last().unwrap();
    assert!(bad["score"].is_empty() && bad["error"].contains("zz-broken.png"));
    for row in good {
        assert!(row["score"].parse::<f64>().is_ok() && row["error"].is_empty());
        assert!(out.join(&row["heatmap"]).is_file());
    }

    let tolerant = ckaad()
        .arg("predict")
        .arg(&run)
        .arg(&images)
        .arg("--out")
        .arg(folder.path().join("tolerant"))
        .args(["--skip-bad", "--json"])
        .assert()
        .success();
    let printed: serde_json::Value = serde_json::from_slice(&tolerant.get_output().stdout).unwrap();
    let predictions = printed["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 5);
    assert!(
        predictions[4]["error"]
            .as_str()
            .unwrap()
            .contains("zz-broken.png")
    );
}

#[test]
fn an_output_that_is_an_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let run = trained(folder.path(), &root, &[]);
    let image = std::fs::read_dir(root.join("weave/test/good"))
        .unwrap()
        .next();
    let image = image.unwrap().unwrap().path();
    let own = folder.path().join("own");
    std::fs::create_dir(&own).unwrap();
    std::fs::copy(&image, own.join("x.png")).unwrap();
    std::fs::copy(&image, own.join("x_heatmap.png")).unwrap();
    let before = std::fs::read(own.join("x_heatmap.png")).unwrap();
    let output = ckaad()
        .arg("predict")
        .arg(&run)
        .args([own.join("x.png"), own.join("x_heatmap.png")])
        .arg("--out")
        .arg(&own)
        .assert()
        .failure();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("would be overwritten"), "{said}");
    assert!(before == std::fs::read(own.join("x_heatmap.png")).unwrap());
}

/// Where an image's score is the mean of its map, the threshold of images says nothing of single pixels: half of them lie
/// above it in every image.
#[test]
fn pixels_are_compared_with_a_threshold_of_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let root = synthetic(folder.path());
    let settings = ["detector.image_score=\"mean\"", "validation=\"none\""];
    let run = trained(
        folder.path(),
        &root,
        &["--set", settings[0], "--set", settings[1]],
    );
    let out = folder.path().join("out");
    ckaad()
        .arg("predict")
        .arg(&run)
        .arg(root.join("weave/train/good"))
        .arg("--out")
        .arg(&out)
        .args(["--raw", "npy"])
        .assert()
        .success();
    let model = std::fs::read(run.join("model.safetensors")).unwrap();
    let (_, metadata) = safetensors::SafeTensors::read_metadata(&model).unwrap();
    let entries = metadata.metadata().as_ref().unwrap();
    let header: serde_json::Value = serde_json::from_str(&entries["ckaad_model"]).unwrap();
    let of_images = header["info"]["threshold"]["value"].as_f64().unwrap();
    let of_pixels = header["info"]["maps"]["threshold"]["value"]
        .as_f64()
        .unwrap();
    let mut above = [0, 0];
    for row in table(&out.join("predictions.csv")) {
        assert_eq!(row["decision"], "normal");
        let map = std::fs::read(out.join(&row["map"])).unwrap();
        let (values, _) = map[128..].as_chunks::<4>();
        assert_eq!(values.len(), 64 * 64);
        for &value in values {
            let value = f64::from(f32::from_le_bytes(value));
            above[0] += usize::from(value >= of_images);
            above[1] += usize::from(value >= of_pixels);
        }
    }
    assert!(above[0] > 12 * 64 * 64 / 4, "{above:?}");
    assert_eq!(above[1], 0, "{above:?}");
}
