//! Times this crate for `cargo xtask perf metrics`: one command per line in, one line of figures out.
//!
//! ```text
//! make DIR SCORES MAPS SIDE   write arrays by formula, for every program to read
//! load DIR                    read them
//! run CASE                    -> SECONDS VALUE
//! memory MAPS SIDE            -> PEAK_MIB INPUT_MIB SECONDS AUROC AP F1 AUPRO (a process of its own, please)
//! ```
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use ckaad_metrics::{
    AnnotatedMap, Connectivity, PixelRanking, aupro, auroc, average_precision, oracle_f1_max,
    pixel_auroc, pro_per_image,
};

mod synthetic;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Arrays {
    narrow: Vec<f32>,
    wide: Vec<f64>,
    labels: Vec<bool>,
    side: usize,
    images: Vec<(Vec<f32>, Vec<bool>)>,
}

impl Arrays {
    fn make(dir: &Path, scores: usize, maps: usize, side: usize) -> Outcome<()> {
        let (narrow, labels) = synthetic::labelled(scores);
        let labels: Vec<u8> = labels.into_iter().map(u8::from).collect();
        let narrow: Vec<u8> = narrow.iter().flat_map(|s| s.to_le_bytes()).collect();
        std::fs::write(dir.join("labels.u8"), labels)?;
        std::fs::write(dir.join("scores.f32"), narrow)?;
        let images = synthetic::images(maps, side);
        let pixels: Vec<u8> = images
            .iter()
            .flat_map(|i| &i.0)
            .flat_map(|p| p.to_le_bytes())
            .collect();
        let masks: Vec<u8> = images
            .iter()
            .flat_map(|i| &i.1)
            .map(|&m| u8::from(m))
            .collect();
        std::fs::write(dir.join("maps.f32"), pixels)?;
        std::fs::write(dir.join("masks.u8"), masks)?;
        std::fs::write(dir.join("side.txt"), side.to_string())?;
        Ok(())
    }

    fn load(dir: &Path) -> Outcome<Self> {
        let floats = |name| -> Outcome<Vec<f32>> {
            let bytes = std::fs::read(dir.join(name))?;
            Ok(bytes
                .as_chunks()
                .0
                .iter()
                .map(|&b| f32::from_le_bytes(b))
                .collect())
        };
        let flags = |name| -> Outcome<Vec<bool>> {
            Ok(std::fs::read(dir.join(name))?
                .iter()
                .map(|&b| b != 0)
                .collect())
        };
        let side: usize = std::fs::read_to_string(dir.join("side.txt"))?
            .trim()
            .parse()?;
        let (narrow, maps, masks) = (
            floats("scores.f32")?,
            floats("maps.f32")?,
            flags("masks.u8")?,
        );
        let area = side * side;
        let images = maps.chunks_exact(area).zip(masks.chunks_exact(area));
        Ok(Self {
            wide: narrow.iter().map(|&s| f64::from(s)).collect(),
            narrow,
            labels: flags("labels.u8")?,
            side,
            images: images
                .map(|(map, mask)| (map.to_vec(), mask.to_vec()))
                .collect(),
        })
    }

    fn maps(&self, count: usize) -> Vec<AnnotatedMap<'_>> {
        let images = self.images.iter().take(count);
        images
            .map(|(map, mask)| AnnotatedMap::new(map, mask, self.side, self.side))
            .collect()
    }

    fn run(&self, case: &str) -> Outcome<f64> {
        let maps = self.maps(usize::MAX);
        Ok(match case {
            "auroc-f32" => auroc(&self.narrow, &self.labels)?,
            "auroc-f64" => auroc(&self.wide, &self.labels)?,
            "average-precision-f32" => average_precision(&self.narrow, &self.labels)?,
            "f1-max-f32" => oracle_f1_max(&self.narrow, &self.labels)?.f1,
            "pixel-auroc" => pixel_auroc(&maps)?,
            "aupro-0.3" => aupro(&maps, 0.3, Connectivity::Eight)?,
            "pro-per-image" => pro_per_image(&self.maps(40), Connectivity::Eight)?,
            other => return Err(format!("no case is named {other}").into()),
        })
    }
}

/// Exact pixel metrics of a set held in memory, and the most memory this process ever had.
fn memory(count: usize, side: usize) -> Outcome<String> {
    let images = synthetic::images(count, side);
    let maps: Vec<_> = images
        .iter()
        .map(|(map, mask)| AnnotatedMap::new(map, mask, side, side))
        .collect();
    let start = Instant::now();
    let figures = PixelRanking::of(&maps, Connectivity::Eight)?.figures(0.3)?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM: the peak is read on Linux only")?;
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse()?;
    let input = (count * side * side * 5) as f64 / f64::from(1 << 20);
    let (auroc, ap) = (figures.auroc, figures.average_precision);
    let (f1, aupro) = (figures.oracle_f1.f1, figures.aupro);
    Ok(format!(
        "{} {input} {seconds} {auroc} {ap} {f1} {aupro}",
        peak / 1024.0
    ))
}

fn main() -> Outcome<()> {
    let mut arrays = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words[..] {
            ["make", dir, scores, maps, side] => {
                Arrays::make(
                    Path::new(dir),
                    scores.parse()?,
                    maps.parse()?,
                    side.parse()?,
                )?;
                "made".to_owned()
            }
            ["load", dir] => {
                arrays = Some(Arrays::load(Path::new(dir))?);
                "loaded".to_owned()
            }
            ["run", case] => {
                let arrays = arrays.as_ref().ok_or("load arrays first")?;
                let start = Instant::now();
                let value = arrays.run(case)?;
                format!("{} {value}", start.elapsed().as_secs_f64())
            }
            ["memory", maps, side] => memory(maps.parse()?, side.parse()?)?,
            _ => return Err(format!("not a command: {line}").into()),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}
