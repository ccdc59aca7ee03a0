//! Times of the metrics by size of the input: `cargo bench -p ckaad-metrics`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../examples/synthetic/mod.rs"]
mod synthetic;

use ckaad_metrics::{
    AnnotatedMap, BinnedPixelAccumulator, Connectivity, PixelAccumulator, PixelRanking, auroc,
    auroc_delong, average_precision, pro_per_image,
};
use divan::{Bencher, black_box, counter::ItemsCount};
use synthetic::{images, labelled};

fn main() {
    divan::main();
}

const SIDE: usize = 256;

fn annotated(images: &[(Vec<f32>, Vec<bool>)]) -> Vec<AnnotatedMap<'_>> {
    images
        .iter()
        .map(|(map, mask)| AnnotatedMap::new(map, mask, SIDE, SIDE))
        .collect()
}

#[divan::bench_group(sample_count = 10)]
mod image_level {
    use super::*;

    #[divan::bench(args = [10_000, 1_000_000, 10_000_000])]
    fn auroc_f32(bencher: Bencher, count: usize) {
        let (scores, labels) = labelled(count);
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| auroc(black_box(&scores), &labels).unwrap());
    }

    #[divan::bench(args = [10_000, 1_000_000])]
    fn auroc_f64(bencher: Bencher, count: usize) {
        let (scores, labels) = labelled(count);
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| auroc(black_box(&scores), &labels).unwrap());
    }

    #[divan::bench(args = [10_000, 1_000_000])]
    fn average_precision_f32(bencher: Bencher, count: usize) {
        let (scores, labels) = labelled(count);
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| average_precision(black_box(&scores), &labels).unwrap());
    }

    #[divan::bench(args = [10_000, 1_000_000])]
    fn delong_interval(bencher: Bencher, count: usize) {
        let (scores, labels) = labelled(count);
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| auroc_delong(black_box(&scores), &labels, 0.95).unwrap());
    }
}

#[divan::bench_group(sample_count = 10)]
mod pixel_level {
    use super::*;

    #[divan::bench(args = [10, 100, 400])]
    fn all_exact(bencher: Bencher, count: usize) {
        let images = images(count, SIDE);
        let maps = annotated(&images);
        let exact = || PixelRanking::of(black_box(&maps), Connectivity::Eight)?.figures(0.3);
        bencher
            .counter(ItemsCount::new(count * SIDE * SIDE))
            .bench_local(|| exact().unwrap());
    }

    #[divan::bench(args = [100])]
    fn all_streamed(bencher: Bencher, count: usize) {
        let images = images(count, SIDE);
        let maps = annotated(&images);
        bencher
            .counter(ItemsCount::new(count * SIDE * SIDE))
            .bench_local(|| {
                let mut set = PixelAccumulator::new(Connectivity::Eight);
                maps.iter()
                    .for_each(|map| set.push(black_box(map)).unwrap());
                set.finish().unwrap().figures(0.3).unwrap()
            });
    }

    #[divan::bench(args = [100])]
    fn all_binned(bencher: Bencher, count: usize) {
        let images = images(count, SIDE);
        let maps = annotated(&images);
        bencher
            .counter(ItemsCount::new(count * SIDE * SIDE))
            .bench_local(|| {
                let mut set =
                    BinnedPixelAccumulator::new(0.0, 1.5, 10_000, Connectivity::Eight).unwrap();
                maps.iter()
                    .for_each(|map| set.push(black_box(map)).unwrap());
                set.figures(0.3).unwrap()
            });
    }

    #[divan::bench(args = [100])]
    fn pro_of_each_image(bencher: Bencher, count: usize) {
        let images = images(count, SIDE);
        let maps = annotated(&images);
        bencher
            .counter(ItemsCount::new(count * SIDE * SIDE))
            .bench_local(|| pro_per_image(black_box(&maps), Connectivity::Eight).unwrap());
    }
}
