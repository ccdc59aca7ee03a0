use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::bench::Bench;
use crate::image_files::{TiffPage, animated_png, chunk, tiff};

/// A grey PNG that states a size and holds no such pixels.
fn stated(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()];
    let header = [sides.as_flattened(), &[8, 0, 0, 0, 0]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    png.extend(chunk(b"IHDR", &header));
    png.extend(chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]));
    png.extend(chunk(b"IEND", &[]));
    png
}

fn damaged(bench: &Bench) {
    let good = bench.read("good.png");
    bench.write("empty.png", "");
    bench.write("text.png", "no picture");
    bench.write("cut.png", &good[..good.len() / 2]);
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 4;
    bench.write("flipped.png", flipped);
    bench.write(
        "gif.png",
        b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    );
    bench.write("huge.png", stated(30_000, 30_000));
    bench.write("largest.png", stated(u32::MAX / 2, u32::MAX / 2));
    bench.write("none.png", stated(0, 5));
    bench.seed("jpeg/bad-cut.jpg", "cut.jpg");
    bench.seed("image/bad-loop.tif", "loop.tif");
    bench.seed("image/small.jpg", "arithmetic.jpg");
    let mut arithmetic = bench.read("arithmetic.jpg");
    let frame = arithmetic
        .windows(2)
        .position(|pair| pair == [0xFF, 0xC0])
        .unwrap();
    arithmetic[frame + 1] = 0xC9;
    bench.write("arithmetic.jpg", arithmetic);
    let page = |pixels| TiffPage {
        size: (2, 2),
        bits: 8,
        pixels,
        tags: &[],
    };
    bench.write("pages.tif", tiff(&[page(b"abcd"), page(b"efgh")], true));
    bench.write("animated.png", animated_png(&[1, 2, 3], false));
}

pub(super) fn cases(bench: &mut Bench) {
    damaged(bench);
    fs::create_dir(bench.at("folder.png")).unwrap();
    fs::create_dir(bench.at("nothing")).unwrap();
    symlink("itself.png", bench.at("itself.png")).unwrap();
    fs::create_dir_all(bench.at("around/circle")).unwrap();
    symlink("..", bench.at("around/circle/up")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(bench.at("pipe.png"))
            .status()
            .unwrap()
            .success()
    );
    bench.write("x\u{1b}[31m\u{7}.png", "no picture");
    bench.write("x\u{202e}gnp.exe.png", "no picture");
    for (what, name) in [
        ("an empty file", "empty.png"),
        ("a text", "text.png"),
        ("half a PNG file", "cut.png"),
        ("a PNG file with a flipped bit", "flipped.png"),
        ("a GIF file", "gif.png"),
        ("a PNG header of 30000 x 30000 pixels", "huge.png"),
        ("a PNG header of 2^31 x 2^31 pixels", "largest.png"),
        ("a PNG header of no pixels", "none.png"),
        ("a JPEG file that is cut off", "cut.jpg"),
        ("a JPEG file of arithmetic coding", "arithmetic.jpg"),
        ("a TIFF file whose pages form a circle", "loop.tif"),
        ("a TIFF file of two pages", "pages.tif"),
        ("an animated PNG file", "animated.png"),
        ("an empty folder with the name of an image", "folder.png"),
        ("a link to itself", "itself.png"),
        ("a named pipe", "pipe.png"),
        ("a device without an end", "/dev/zero"),
        ("a file that is not there", "absent.png"),
        ("a name with escape sequences", "x\u{1b}[31m\u{7}.png"),
        ("a name that is read backwards", "x\u{202e}gnp.exe.png"),
    ] {
        bench.refused(
            what,
            &format!("predict run {name} --out out-images --overwrite"),
            &[],
        );
        let _ = fs::remove_dir_all(bench.at("out-images"));
    }
    for (what, images) in [
        ("an empty folder", "nothing"),
        ("a folder with a link to the one above it", "around"),
    ] {
        bench.refused(what, &format!("predict run {images} --out out"), &["out"]);
    }
    outputs(bench);
}

/// Results where none may be.
fn outputs(bench: &mut Bench) {
    fs::create_dir(bench.at("mine")).unwrap();
    fs::copy(bench.at("good.png"), bench.at("mine/x.png")).unwrap();
    fs::copy(bench.at("good.png"), bench.at("mine/x_heatmap.png")).unwrap();
    let before = bench.read("mine/x_heatmap.png");
    bench.refused(
        "an output that is an input",
        "predict run mine/x.png mine/x_heatmap.png --out mine",
        &[],
    );
    assert_eq!(bench.read("mine/x_heatmap.png"), before);
    bench.refused(
        "results in the folder of a run",
        "predict run good.png --out run",
        &["run/predictions.csv"],
    );
    bench.refused(
        "a folder for results that is a file",
        "predict run good.png --out text.png",
        &[],
    );
    bench.refused(
        "a folder for results below a file",
        "predict run good.png --out text.png/out",
        &[],
    );
    bench.refused(
        "a folder for results where none can be made",
        "predict run good.png --out /proc/out",
        &[],
    );
    bench.refused(
        "a threshold that is no number",
        "predict run good.png --out out --threshold nan",
        &["out"],
    );
    bench.refused(
        "a rate above 1",
        "predict run good.png --out out --alpha 1.5",
        &["out"],
    );
    bench.refused(
        "a rate that nothing promises",
        "predict run good.png --out out --alpha 0.05",
        &["out"],
    );
    bench.refused(
        "a window without width",
        "predict run good.png --out out --window 5,5",
        &["out"],
    );
    bench.refused(
        "page 0",
        "predict run good.png --out out --page 0",
        &["out"],
    );
    bench.refused(
        "100000 threads",
        "predict run good.png --out out --threads 100000",
        &["out"],
    );
}
