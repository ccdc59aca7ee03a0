//! Decoded bytes against libjpeg-turbo's, for every file of `tests/golden/jpeg`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use ckaad_data::{PIXEL_LIMIT, Source, load_picture, pixel_count};
use serde_json::Value;
use sha2::{Digest, Sha256};

#[test]
fn every_kind_of_file_decodes_to_the_same_bytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/jpeg");
    let golden: Value =
        serde_json::from_slice(&std::fs::read(folder.join("sha256.json")).unwrap()).unwrap();
    let files = golden["files"].as_object().unwrap();
    assert!(files.len() >= 20);
    for (name, expected) in files {
        let source = Source::from(folder.join(format!("{name}.jpg")));
        let picture = load_picture(&source).unwrap();
        assert_eq!(
            pixel_count(&source),
            (picture.width * picture.height) as u64,
            "{name}"
        );
        let size = [picture.width as u64, picture.height as u64];
        assert_eq!(
            expected["size"]
                .as_array()
                .unwrap()
                .iter()
                .map(|n| n.as_u64().unwrap())
                .collect::<Vec<_>>(),
            size,
            "{name}"
        );
        let hash: String = Sha256::digest(&picture.pixels)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hash, expected["sha256"].as_str().unwrap(), "{name}");
    }
    let no_image = Source::from(folder.join("sha256.json"));
    assert_eq!(pixel_count(&no_image), PIXEL_LIMIT);
}
