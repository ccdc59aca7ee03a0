//! The figures of `tests/golden/metrics.json`, from the formulas that define its inputs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use ckaad_metrics::{
    AnnotatedMap, Connectivity, PixelAccumulator, PixelRanking, ThresholdRule, aupro, auroc,
    average_precision, oracle_f1_max, pixel_auroc, pixel_average_precision, pixel_oracle_f1_max,
    pro_per_image,
};
use serde_json::Value;

fn golden() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/metrics.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// `2 * (splitmix64(seed + i) >> 40) / 2^24 - 1` with the seed of a named tensor.
fn uniform(name: &str, count: usize, seed: u64) -> Vec<f64> {
    let fnv = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3)
    });
    let first = fnv ^ seed;
    (0..count as u64)
        .map(|i| {
            let mut z = first.wrapping_add(i).wrapping_add(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24) * 2.0 - 1.0
        })
        .collect()
}

fn quantise(value: f64, q: f64) -> f64 {
    if q > 0.0 {
        (value * q).floor() / q
    } else {
        value
    }
}

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap()
}

fn count(case: &Value, key: &str) -> usize {
    case[key].as_u64().unwrap() as usize
}

fn assert_close(case: &str, figure: &str, found: f64, expected: f64, tolerance: f64) {
    assert!(
        (found - expected).abs() <= tolerance,
        "{case} {figure}: found {found}, expected {expected}"
    );
}

#[test]
fn image_figures() {
    let golden = golden();
    let seed = golden["seed"].as_u64().unwrap();
    let cases = golden["image"].as_object().unwrap();
    assert_eq!(cases.len(), 6);
    for (name, case) in cases {
        let n = count(case, "n");
        let (prevalence, shift, q) = (
            number(case, "prevalence"),
            number(case, "shift"),
            number(case, "q"),
        );
        let labels: Vec<bool> = uniform(&format!("label.{name}"), n, seed)
            .iter()
            .map(|&u| u < 2.0 * prevalence - 1.0)
            .collect();
        let scores: Vec<f64> = uniform(&format!("score.{name}"), n, seed)
            .iter()
            .zip(&labels)
            .map(|(&u, &label)| quantise(u + shift * f64::from(u8::from(label)), q))
            .collect();
        assert_eq!(
            labels.iter().filter(|&&l| l).count(),
            count(case, "positives"),
            "{name}"
        );
        let best = oracle_f1_max(&scores, &labels).unwrap();
        for (figure, found) in [
            ("auroc", auroc(&scores, &labels).unwrap()),
            (
                "average_precision",
                average_precision(&scores, &labels).unwrap(),
            ),
            ("f1_max", best.f1),
            ("f1_max_threshold", best.threshold),
            (
                "f1_max_threshold",
                ThresholdRule::MaxF1.fit(&scores, &labels).unwrap(),
            ),
            ("accuracy_at_f1_max", best.confusion.accuracy()),
        ] {
            assert_close(name, figure, found, number(case, figure), 1e-9);
        }
    }
}

struct PixelCase {
    maps: Vec<Vec<f32>>,
    masks: Vec<Vec<bool>>,
    height: usize,
    width: usize,
}

impl PixelCase {
    fn of(name: &str, case: &Value, seed: u64) -> Self {
        let (n, height, width) = (count(case, "n"), count(case, "h"), count(case, "w"));
        let (lift, q) = (number(case, "lift"), number(case, "q"));
        let discs: Vec<f64> = uniform(&format!("disc.{name}"), n * 12, seed)
            .iter()
            .map(|u| (u + 1.0) / 2.0)
            .collect();
        let noise = uniform(&format!("map.{name}"), n * height * width, seed);
        let (mut maps, mut masks) = (Vec::new(), Vec::new());
        for k in 0..n {
            let pixels = || (0..height).flat_map(|y| (0..width).map(move |x| (x as f64, y as f64)));
            let inside = |disc: &[f64], (x, y): (f64, f64)| {
                let (cx, cy) = (
                    (disc[0] * width as f64).floor(),
                    (disc[1] * height as f64).floor(),
                );
                let radius = 2.0 + (disc[2] * height.min(width) as f64 / 8.0).floor();
                (x - cx).powi(2) + (y - cy).powi(2) <= radius * radius
            };
            let mask: Vec<bool> = pixels()
                .map(|at| (0..k % 4).any(|r| inside(&discs[k * 12 + r * 3..], at)))
                .collect();
            let at = k as f64;
            let map = pixels().enumerate().map(|(i, (x, y))| {
                let texture = 0.15 * (0.21 * x + at).sin() + 0.1 * (0.17 * y - at).cos();
                let lifted = lift * f64::from(u8::from(mask[i]));
                quantise(
                    0.5 + texture + 0.1 * noise[k * height * width + i] + lifted,
                    q,
                ) as f32
            });
            maps.push(map.collect());
            masks.push(mask);
        }
        Self {
            maps,
            masks,
            height,
            width,
        }
    }

    fn annotated(&self) -> Vec<AnnotatedMap<'_>> {
        let pairs = self.maps.iter().zip(&self.masks);
        pairs
            .map(|(map, mask)| AnnotatedMap::new(map, mask, self.height, self.width))
            .collect()
    }
}

#[test]
fn pixel_figures() {
    let golden = golden();
    let seed = golden["seed"].as_u64().unwrap();
    let cases = golden["pixel"].as_object().unwrap();
    assert_eq!(cases.len(), 4);
    for (name, case) in cases {
        let inputs = PixelCase::of(name, case, seed);
        let maps = inputs.annotated();
        let ranking = PixelRanking::of(&maps, Connectivity::Eight).unwrap();
        assert_eq!(
            ranking.anomalous_pixels(),
            case["positive_pixels"].as_u64().unwrap(),
            "{name}"
        );
        assert_eq!(
            ranking.regions(),
            case["regions"].as_u64().unwrap(),
            "{name}"
        );
        let pro = |limit| aupro(&maps, limit, Connectivity::Eight).unwrap();
        for (figure, found, tolerance) in [
            ("pixel_auroc", pixel_auroc(&maps).unwrap(), 1e-9),
            (
                "pixel_average_precision",
                pixel_average_precision(&maps).unwrap(),
                1e-9,
            ),
            ("pixel_f1_max", pixel_oracle_f1_max(&maps).unwrap().f1, 1e-9),
            ("aupro_0.3", pro(0.3), 1e-7),
            ("aupro_0.05", pro(0.05), 1e-7),
            ("aupro_1.0", pro(1.0), 1e-7),
            (
                "pro_per_image",
                pro_per_image(&maps, Connectivity::Eight).unwrap(),
                1e-7,
            ),
        ] {
            assert_close(name, figure, found, number(case, figure), tolerance);
        }
        let mut streamed = PixelAccumulator::new(Connectivity::Eight);
        maps.iter().for_each(|map| streamed.push(map).unwrap());
        let figures = streamed.finish().unwrap().figures(0.3).unwrap();
        assert_eq!(figures, ranking.figures(0.3).unwrap(), "{name}");
        assert_eq!(figures.aupro, pro(0.3), "{name}");
    }
}
