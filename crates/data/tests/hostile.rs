//! Files that should not be there: each a clear error that names the file, none a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::PathBuf;

use ckaad_data::*;

#[path = "support/refusal.rs"]
mod support;
use support::{load, refusal};

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend((data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend(data);
    let mut crc = flate2::Crc::new();
    crc.update(&out[start..]);
    out.extend(crc.sum().to_be_bytes());
}

/// A grey PNG of a stated size whose image data is `zeros` zero bytes.
fn png(width: u32, height: u32, zeros: usize) -> Vec<u8> {
    use std::io::Write;
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut deflated = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..zeros / 4096 {
        deflated.write_all(&[0; 4096]).unwrap();
    }
    deflated.write_all(&vec![0; zeros % 4096]).unwrap();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"IDAT", &deflated.finish().unwrap());
    chunk(&mut out, b"IEND", &[]);
    out
}

#[test]
fn one_pixel_is_an_image_and_nine_hundred_million_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let one = dir.path().join("one.png");
    fs::write(&one, png(1, 1, 2)).unwrap();
    assert_eq!(load(&one).unwrap().pixels, vec![0; 64 * 64 * 3]);

    let huge = dir.path().join("huge.png");
    fs::write(&huge, png(30_000, 30_000, 1000)).unwrap();
    assert!(refusal(&huge).contains("30000 x 30000"));
}

/// Greatest memory of this process so far, in bytes.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_decompression_bomb_does_not_fill_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    let bomb = dir.path().join("bomb.png");
    // 1.5 GB of zeros behind a header of 10 x 10 pixels.
    fs::write(&bomb, png(10, 10, 1_500_000_000)).unwrap();
    assert!(fs::metadata(&bomb).unwrap().len() < 4_000_000);
    let before = peak();
    // Whether the surplus is an error or ignored is the decoder's choice.
    let _ = load(&bomb);
    assert!(
        peak() - before < 200_000_000,
        "{} bytes more",
        peak() - before
    );
}

#[test]
fn truncated_files_are_errors_at_every_tenth() {
    let dir = tempfile::tempdir().unwrap();
    let whole = png(20, 20, 20 * 21);
    let path = dir.path().join("cut.png");
    for tenth in 0..9 {
        fs::write(&path, &whole[..whole.len() * tenth / 10]).unwrap();
        refusal(&path);
    }
}

#[test]
fn files_that_are_no_images_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("text.png", &b"hello"[..]),
        ("empty.jpg", b""),
        ("zeros.bmp", &[0; 1000]),
        ("head.jpg", b"\xff\xd8\xff"),
        ("riff.webp", b"RIFF\0\0\0\0WEBPVP8 "),
    ] {
        let path = dir.path().join(name);
        fs::write(&path, content).unwrap();
        refusal(&path);
    }
    let folder = dir.path().join("folder.png");
    fs::create_dir(&folder).unwrap();
    assert!(refusal(&folder).contains("not a regular file"));
    assert!(matches!(
        load(&dir.path().join("absent.png")),
        Err(DataError::File(_))
    ));
    assert!(matches!(
        load_image(&Source::from(folder.as_path()), 0),
        Err(DataError::Parameter { .. })
    ));
}

#[test]
fn pixel_formats_are_converted_as_pillow_does_or_refused_by_name() {
    use image::{DynamicImage, ImageBuffer};
    let dir = tempfile::tempdir().unwrap();
    let save = |name: &str, image: DynamicImage| -> PathBuf {
        let path = dir.path().join(name);
        image.save(&path).unwrap();
        path
    };
    // Expected values are those of Pillow 13's convert("RGB").
    let grey_alpha = save(
        "la.png",
        ImageBuffer::from_raw(1, 1, vec![10u8, 0])
            .map(DynamicImage::ImageLumaA8)
            .unwrap(),
    );
    assert_eq!(
        load_picture(&Source::from(grey_alpha)).unwrap().pixels,
        [10, 10, 10]
    );
    let alpha = save(
        "rgba.png",
        ImageBuffer::from_raw(1, 1, vec![1u8, 2, 3, 0])
            .map(DynamicImage::ImageRgba8)
            .unwrap(),
    );
    assert_eq!(load_picture(&alpha.into()).unwrap().pixels, [1, 2, 3]);
    let wide = save(
        "rgb16.png",
        ImageBuffer::from_raw(1, 1, vec![0x12FFu16, 0x3480, 0xFF7F])
            .map(DynamicImage::ImageRgb16)
            .unwrap(),
    );
    assert_eq!(
        load_picture(&wide.into()).unwrap().pixels,
        [0x12, 0x34, 0xFF]
    );
    let grey16 = save(
        "l16.png",
        ImageBuffer::from_raw(1, 1, vec![300u16])
            .map(DynamicImage::ImageLuma16)
            .unwrap(),
    );
    // Pillow would cut it off at 255; see `reading.rs`.
    assert_eq!(load_picture(&grey16.into()).unwrap().pixels, [1, 1, 1]);
    let float = save(
        "float.tiff",
        ImageBuffer::from_raw(1, 1, vec![0.5f32, 0.5, 0.5])
            .map(DynamicImage::ImageRgb32F)
            .unwrap(),
    );
    refusal(&float);
}

#[test]
#[cfg(unix)]
fn a_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        println!("SKIPPED: mkfifo is not there");
        return;
    }
    assert!(refusal(&pipe).contains("not a regular file"));
}
