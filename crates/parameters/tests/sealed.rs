//! Files that vouch for themselves.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use ckaad_parameters::{NamedTensor, NamedTensors, Seal, SealError};
use proptest::prelude::*;

const SEAL: Seal = Seal {
    key: "test_file",
    version: 3,
};

fn tensors(value: f32) -> NamedTensors {
    let tensor = |values: Vec<f32>| NamedTensor {
        shape: vec![values.len()],
        values,
    };
    [
        ("a".to_owned(), tensor(vec![1.0, value, -0.5])),
        ("b".to_owned(), tensor(vec![0.25; 20])),
    ]
    .into_iter()
    .collect()
}

fn bytes_of(seal: Seal, value: f32) -> Vec<u8> {
    let info = vec!["what it says".to_owned()];
    seal.to_bytes(tensors(value).views().unwrap(), &info)
        .unwrap()
}

#[test]
fn what_was_written_is_read() {
    let file = SEAL.parse(bytes_of(SEAL, 2.0)).unwrap();
    assert_eq!(file.info::<Vec<String>>().unwrap(), ["what it says"]);
    assert_eq!(file.parameters().unwrap(), tensors(2.0));
    let error = SEAL.read(Path::new("absent.safetensors")).unwrap_err();
    assert!(error.to_string().contains("absent.safetensors"), "{error}");
    let odd = SEAL.parse(bytes_of(SEAL, f32::NAN)).unwrap();
    assert!(matches!(odd.parameters(), Err(SealError::Value(_))));
}

#[test]
fn every_flipped_bit_and_every_missing_byte_is_seen() {
    let bytes = bytes_of(SEAL, 2.0);
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(SEAL.parse(flipped).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert!(
            SEAL.parse(bytes[..length].to_vec()).is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn other_versions_and_other_files_are_told_apart() {
    let newer = Seal { version: 4, ..SEAL };
    let error = SEAL.parse(bytes_of(newer, 2.0)).unwrap_err();
    assert!(matches!(error, SealError::Version { found: 4, reads: 3 }));
    assert!(
        error.to_string().contains("use the program that wrote it"),
        "{error}"
    );
    let other = Seal {
        key: "other",
        ..SEAL
    };
    let error = SEAL.parse(bytes_of(other, 2.0)).unwrap_err();
    assert!(matches!(error, SealError::Foreign));
    // What older programs wrote: a version, and no digest.
    let old = r#"{"__metadata__":{"test_file":"{\"version\":2,\"info\":[]}"}}"#;
    let error = SEAL.parse(with_header(old)).unwrap_err();
    assert!(matches!(error, SealError::Version { found: 2, reads: 3 }));
}

fn with_header(header: &str) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes
}

/// Headers that promise what does not follow. Nothing is reserved by what they say.
#[test]
fn absurd_headers_are_refused() {
    let tera = 1_u64 << 42;
    for header in [
        format!(r#"{{"a":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{tera}]}}}}"#, tera / 4),
        r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}"#.to_owned(),
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#.to_owned(),
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#.to_owned(),
    ] {
        let mut bytes = with_header(&header);
        bytes.extend([0; 8]);
        let error = SEAL.parse(bytes).unwrap_err();
        assert!(matches!(error, SealError::Format(_)), "{header}: {error}");
    }
    for length in [u64::MAX, 1 << 40, 1 << 62] {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(b"{}");
        assert!(SEAL.parse(bytes).is_err());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(SEAL.parse(bytes).is_err());
    }
}
