//! Our side of `cargo xtask perf data`: answers each line of input with a line.
//!
//! `load COUNT SIDE THREADS FOLDER` chooses the first COUNT JPEG files, sorted by path; `run CASE` answers with seconds and images;
//! `write WHAT FILE` writes pixels to compare; `memory` loads every file of FOLDER and answers with the peak memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a development tool fails by panicking"
)]

use std::fs::{self, File};
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ckaad_data::{
    ElasticTransform, Image, ImageStore, Label, Sample, StoreOptions, load_image, load_picture,
    warp,
};
use rayon::prelude::*;

/// Files whose decoded pixels are compared.
const DECODED: usize = 200;
/// Images whose elastic transforms are compared.
const WARPED: usize = 20;

struct Job {
    every: Vec<Sample>,
    count: usize,
    side: usize,
    few: Vec<Image>,
}

impl Job {
    fn new(count: usize, side: usize, folder: &Path) -> Self {
        let mut files = Vec::new();
        list(folder, &mut files);
        files.sort();
        let every: Vec<Sample> = files
            .into_iter()
            .map(|file| Sample::new(file, Label::Normal, "any"))
            .collect();
        let count = count.min(every.len());
        let few = every[..(count / 20).max(1)]
            .iter()
            .map(|sample| load_image(&sample.path, side).unwrap())
            .collect();
        Self {
            every,
            count,
            side,
            few,
        }
    }

    fn store(&self, samples: &[Sample]) -> ImageStore {
        let options = StoreOptions {
            size: self.side,
            memory_limit: u64::MAX,
            ..StoreOptions::DEFAULT
        };
        ImageStore::load(samples, options, None).unwrap().0
    }

    /// Number of images done.
    fn run(&self, case: &str) -> usize {
        let samples = &self.every[..self.count];
        match case {
            "load" => self.store(samples).len(),
            "normalised" => {
                let store = self.store(samples);
                let mut planes = vec![0.0; 32 * 3 * self.side * self.side];
                for batch in (0..store.len()).collect::<Vec<_>>().chunks(32) {
                    store.normalise_into(
                        batch,
                        &mut planes[..batch.len() * 3 * self.side * self.side],
                    );
                }
                store.len()
            }
            "elastic" => {
                let warped = |(index, image)| {
                    ElasticTransform::default()
                        .apply(image, 1, 0, index as u64)
                        .pixels
                        .len()
                };
                self.few
                    .par_iter()
                    .enumerate()
                    .map(warped)
                    .filter(|&length| length > 0)
                    .count()
            }
            other => panic!("unknown case {other}"),
        }
    }

    fn write(&self, what: &str, out: &mut impl Write) -> io::Result<()> {
        let chosen = &self.every[..self.count.min(DECODED)];
        match what {
            "decoded" => chosen
                .iter()
                .try_for_each(|sample| out.write_all(&load_picture(&sample.path).unwrap().pixels)),
            "decoded-zune" => chosen.iter().try_for_each(|sample| {
                let bytes = fs::read(sample.path.file())?;
                out.write_all(image::load_from_memory(&bytes).unwrap().to_rgb8().as_raw())
            }),
            "resized" => chosen.iter().try_for_each(|sample| {
                out.write_all(&load_image(&sample.path, self.side).unwrap().pixels)
            }),
            _ => self
                .few
                .iter()
                .take(WARPED)
                .enumerate()
                .try_for_each(|(number, image)| self.write_warped(number, image, out)),
        }
    }

    /// The image, the noise of both axes, the warped image.
    fn write_warped(&self, number: usize, image: &Image, out: &mut impl Write) -> io::Result<()> {
        let n = self.side * self.side;
        // Any noise in [-1, 1) does; this one is a linear congruential generator.
        let mut state = 12345 + number as u64;
        let mut noise: Vec<f32> = (0..2 * n)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
            })
            .collect();
        out.write_all(&image.pixels)?;
        noise
            .iter()
            .try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
        let (dx, dy) = noise.split_at_mut(n);
        ElasticTransform::default().displacement(dx, self.side);
        ElasticTransform::default().displacement(dy, self.side);
        let mut warped = vec![0; 3 * n];
        warp(&image.pixels, self.side, dx, dy, &mut warped);
        out.write_all(&warped)
    }

    fn memory(&self) -> String {
        let start = Instant::now();
        let before = peak();
        let store = self.store(&self.every);
        let raw = store.len() * self.side * self.side * 3;
        let (mib, ratio) = (|bytes: usize| bytes >> 20, peak() as f64 / raw as f64);
        format!(
            "{} images loaded in {:.2} s: raw bytes {} MiB, peak memory of the process {} MiB ({ratio:.3} times; {} MiB before)",
            store.len(),
            start.elapsed().as_secs_f64(),
            mib(raw),
            mib(peak()),
            mib(before)
        )
    }
}

/// Peak memory of this process in bytes; 0 where the system does not tell.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or("");
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<usize>().ok())
        .unwrap_or(0)
        * 1024
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if path.is_dir() {
            list(&path, files);
        } else if path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("jpg") || e.eq_ignore_ascii_case("jpeg"))
        {
            files.push(path);
        }
    }
}

fn main() {
    let mut job = None;
    for line in io::stdin().lock().lines().map(|line| line.unwrap()) {
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match (command, &job) {
            ("load", _) => {
                let parts: Vec<&str> = rest.splitn(4, ' ').collect();
                let new = Job::new(
                    parts[0].parse().unwrap(),
                    parts[1].parse().unwrap(),
                    Path::new(parts[3]),
                );
                println!(
                    "ckaad-data, {} of {} files, {} threads",
                    new.count,
                    new.every.len(),
                    rayon::current_num_threads()
                );
                job = Some(new);
            }
            ("run", Some(job)) => {
                let start = Instant::now();
                let done = job.run(rest);
                println!("{} {done}", start.elapsed().as_secs_f64());
            }
            ("write", Some(job)) => {
                let (what, file) = rest.split_once(' ').unwrap();
                let mut out = BufWriter::new(File::create(file).unwrap());
                job.write(what, &mut out).unwrap();
                out.flush().unwrap();
                println!("written");
            }
            ("memory", Some(job)) => println!("{}", job.memory()),
            _ => panic!("unknown line: {line}"),
        }
    }
}
