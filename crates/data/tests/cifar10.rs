//! CIFAR-10 in the forms that it is distributed in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;

use ckaad_data::*;

mod support;
use support::{counts, open, stand_in};

/// A CIFAR-10 batch as python 2 pickled it: strings as bytes, the array by `_reconstruct` and its state.
fn pickled_batch(binary: &[u8]) -> Vec<u8> {
    let records: Vec<&[u8]> = binary.chunks_exact(3073).collect();
    let text = |out: &mut Vec<u8>, text: &str| {
        out.extend([b'U', text.len() as u8]);
        out.extend(text.as_bytes());
        out.extend(b"q\x01");
    };
    let mut out = b"\x80\x02}q\x01(".to_vec();
    text(&mut out, "batch_label");
    text(&mut out, "training batch 1 of 5");
    text(&mut out, "labels");
    out.extend(b"]q\x05(");
    records
        .iter()
        .for_each(|record| out.extend([b'K', record[0]]));
    out.push(b'e');
    text(&mut out, "data");
    out.extend(b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\x09(K\x01");
    out.push(b'M');
    out.extend((records.len() as u16).to_le_bytes());
    out.extend(b"M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
    out.extend(((binary.len() - records.len()) as u32).to_le_bytes());
    records.iter().for_each(|record| out.extend(&record[1..]));
    out.extend(b"tb");
    text(&mut out, "filenames");
    out.extend(b"]q\x0c(U\x05a.pngeu.");
    out
}

#[test]
fn cifar_batches_of_both_kinds_and_folders_hold_the_same_images() {
    let binary = stand_in(Layout::Cifar10);
    let expected = open(Layout::Cifar10, binary.path());
    let python = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(binary.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if entry
            .extension()
            .is_some_and(|extension| extension == "bin")
        {
            fs::write(
                python.path().join(entry.file_stem().unwrap()),
                pickled_batch(&fs::read(&entry).unwrap()),
            )
            .unwrap();
        }
    }
    let pickled = open(Layout::Cifar10, python.path());
    assert_eq!(counts(&pickled.train), counts(&expected.train));
    for (a, b) in expected
        .train
        .iter()
        .chain(&expected.test)
        .zip(pickled.train.iter().chain(&pickled.test))
    {
        assert_eq!((a.label, &a.class), (b.label, &b.class));
        assert_eq!(
            load_picture(&a.path).unwrap(),
            load_picture(&b.path).unwrap(),
            "{} and {}",
            a.path,
            b.path
        );
    }
    let folders = tempfile::tempdir().unwrap();
    for (part, list) in [("train", &expected.train), ("test", &expected.test)] {
        for (number, sample) in list.iter().enumerate() {
            let folder = folders.path().join(part).join(&sample.class);
            fs::create_dir_all(&folder).unwrap();
            let picture = load_picture(&sample.path).unwrap();
            let color = image::ExtendedColorType::Rgb8;
            image::save_buffer(
                folder.join(format!("{number:04}.png")),
                &picture.pixels,
                32,
                32,
                color,
            )
            .unwrap();
        }
    }
    let unpacked = open(Layout::Cifar10, folders.path());
    assert_eq!(
        (counts(&unpacked.train), counts(&unpacked.test)),
        (counts(&expected.train), counts(&expected.test))
    );
    let truncated = fs::read(python.path().join("test_batch")).unwrap();
    fs::write(
        python.path().join("test_batch"),
        &truncated[..truncated.len() / 2],
    )
    .unwrap();
    let error = Dataset::open(Layout::Cifar10, python.path(), Some("cat"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("test_batch") && error.contains("truncated"),
        "{error}"
    );
}
