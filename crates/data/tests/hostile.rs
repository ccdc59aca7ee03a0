//! Files that should not be there: each a clear error that names the file, none a panic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use ckaad_data::*;

fn load(path: &Path) -> Result<Image, DataError> {
    load_image(&Source::from(path), 64)
}

/// The message of an error that must name the file.
fn refusal(path: &Path) -> String {
    let message = load(path)
        .expect_err(&path.display().to_string())
        .to_string();
    assert!(
        message.contains(path.file_name().unwrap().to_str().unwrap()),
        "{message}"
    );
    message
}

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

fn golden_jpeg(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/golden/jpeg")
            .join(name),
    )
    .unwrap()
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
    let mut jpeg = golden_jpeg("sequential-420.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x75, 0x30, 0x75, 0x30]);
    let huge = dir.path().join("huge.jpg");
    fs::write(&huge, jpeg).unwrap();
    assert!(matches!(
        load(&huge),
        Err(DataError::TooLarge {
            width: 30_000,
            height: 30_000,
            ..
        })
    ));
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
    for name in [
        "sequential-420.jpg",
        "progressive-422.jpg",
        "grey.jpg",
        "restarts-420.jpg",
        "cmyk.jpg",
    ] {
        let whole = golden_jpeg(name);
        let path = dir.path().join(name);
        for tenth in 0..10 {
            fs::write(&path, &whole[..whole.len() * tenth / 10]).unwrap();
            refusal(&path);
        }
        fs::write(&path, &whole).unwrap();
        load(&path).unwrap();
    }
    let whole = png(20, 20, 20 * 21);
    let path = dir.path().join("cut.png");
    for tenth in 0..9 {
        fs::write(&path, &whole[..whole.len() * tenth / 10]).unwrap();
        refusal(&path);
    }
}

#[test]
fn an_odd_band_in_a_sequential_scan_header_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.jpg");
    let mut jpeg = golden_jpeg("sequential-420.jpg");
    fs::write(&path, &jpeg).unwrap();
    let plain = load(&path).unwrap();
    let scan = jpeg
        .windows(2)
        .position(|pair| pair == [0xFF, 0xDA])
        .unwrap();
    // First and last coefficient, after the length, the count and three components.
    jpeg[scan + 11..scan + 13].copy_from_slice(&[46, 1]);
    fs::write(&path, &jpeg).unwrap();
    assert_eq!(load(&path).unwrap(), plain);
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
    assert!(refusal(&grey16).contains("16-bit grey"));
    let float = save(
        "float.tiff",
        ImageBuffer::from_raw(1, 1, vec![0.5f32, 0.5, 0.5])
            .map(DynamicImage::ImageRgb32F)
            .unwrap(),
    );
    refusal(&float);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn normal_folder() -> (tempfile::TempDir, FolderSource) {
        let dir = tempfile::tempdir().unwrap();
        let normal = dir.path().join("normal");
        fs::create_dir(&normal).unwrap();
        fs::write(normal.join("a.png"), png(4, 4, 20)).unwrap();
        let source = FolderSource {
            normal,
            ..FolderSource::default()
        };
        (dir, source)
    }

    #[test]
    fn symbolic_link_loops_are_errors() {
        let (_dir, source) = normal_folder();
        symlink(
            source.normal.join("loop.png"),
            source.normal.join("loop.png"),
        )
        .unwrap();
        let error = Dataset::from_folders(&source).unwrap_err().to_string();
        assert!(error.contains("loop.png"), "{error}");

        let (_dir, source) = normal_folder();
        symlink(&source.normal, source.normal.join("inner")).unwrap();
        // Two loops, followed blindly, would double at every level.
        symlink(&source.normal, source.normal.join("other")).unwrap();
        let error = Dataset::from_folders(&source).unwrap_err().to_string();
        assert!(
            error.contains("inner") && (error.contains("symbolic link")),
            "{error}"
        );
    }

    #[test]
    fn a_folder_without_permission_is_an_error() {
        let (_dir, source) = normal_folder();
        let closed = source.normal.join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        let result = Dataset::from_folders(&source);
        let readable = fs::read_dir(&closed).is_ok();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
        if readable {
            println!("SKIPPED: the superuser may read any folder, so no permission can be missing");
            return;
        }
        assert!(result.unwrap_err().to_string().contains("closed"));
    }

    #[test]
    fn names_that_are_not_utf8_are_errors_if_they_are_images() {
        let (_dir, source) = normal_folder();
        fs::write(
            source.normal.join(OsStr::from_bytes(b"note\xff.txt")),
            "stray",
        )
        .unwrap();
        assert!(Dataset::from_folders(&source).is_ok());
        fs::write(
            source.normal.join(OsStr::from_bytes(b"scan\xff.png")),
            png(4, 4, 20),
        )
        .unwrap();
        assert!(matches!(
            Dataset::from_folders(&source),
            Err(DataError::NotUtf8 { .. })
        ));
    }

    #[test]
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
}
