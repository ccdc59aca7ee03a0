//! Times of the parts of the pipeline: `cargo bench -p ckaad-data`. `cargo xtask perf data` compares them with Pillow and torchvision.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::PathBuf;

use ckaad_data::{
    ElasticTransform, Image, Label, Picture, Source, StandIn, load_image, normalise, synth_layout,
};
use divan::{Bencher, black_box, counter::ItemsCount};

fn main() {
    divan::main();
}

/// A synthetic photograph-like JPEG file of that side, drawn once.
fn jpeg(side: usize) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ckaad-data-bench-{side}"));
    let file = folder.join("train/NORMAL/IM-0000-0001.jpeg");
    if !file.is_file() {
        let size = StandIn {
            side,
            train: 1,
            test: 1,
        };
        synth_layout(ckaad_data::Layout::ChestXRay2017, &[], &folder, 1, size).unwrap();
    }
    file
}

fn image(side: usize) -> Image {
    load_image(&Source::from(jpeg(256)), side).unwrap()
}

#[divan::bench(args = [224, 512, 1024])]
fn decode(bencher: Bencher, side: usize) {
    let sample = ckaad_data::Sample::new(jpeg(side), Label::Normal, "any");
    bencher
        .counter(ItemsCount::new(side * side))
        .bench(|| ckaad_data::load_picture(black_box(&sample.path)).unwrap());
}

#[divan::bench(args = [224, 512, 1024])]
fn resize_to_256(bencher: Bencher, side: usize) {
    let picture = Picture {
        width: side,
        height: side,
        pixels: (0..side * side * 3).map(|i| (i * 7 % 251) as u8).collect(),
    };
    bencher.bench(|| black_box(&picture).to_square(256));
}

#[divan::bench]
fn normalise_256(bencher: Bencher) {
    let image = image(256);
    let mut planes = vec![0.0; image.pixels.len()];
    bencher.bench_local(|| normalise(black_box(&image), &mut planes));
}

#[divan::bench(args = [128, 256])]
fn elastic(bencher: Bencher, side: usize) {
    let image = image(side);
    bencher.bench(|| ElasticTransform::default().apply(black_box(&image), 1, 2, 3));
}
