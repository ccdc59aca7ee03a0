//! Evaluates a detector from files, to be copied and changed.
//!
//! ```text
//! cargo run --release -p ckaad-metrics --example evaluate -- validation.csv test.csv
//! ```
//! Each line of a file is `score,label` with label 0 (normal) or 1 (anomalous). Without files a small made-up
//! set is evaluated. The threshold is chosen on the validation set and applied to the test set.

use std::error::Error;

use ckaad_metrics::{
    AnnotatedMap, Bootstrap, Confusion, Connectivity, PixelAccumulator, ThresholdRule,
    auroc_delong, average_precision, oracle_f1_max, oracle_sensitivity_at_specificity,
};

type Labelled = (Vec<f64>, Vec<bool>);

fn read(path: &str) -> Result<Labelled, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let sample = |(line, text): (usize, &str)| {
        let wrong = || {
            format!(
                "{path}:{}: expected `score,label` with label 0 or 1, found {text:?}",
                line + 1
            )
        };
        let (score, label) = text.split_once(',').ok_or_else(wrong)?;
        let label = match label.trim() {
            "0" => false,
            "1" => true,
            _ => return Err(wrong()),
        };
        Ok((score.trim().parse::<f64>().map_err(|_| wrong())?, label))
    };
    Ok(text
        .lines()
        .enumerate()
        .map(sample)
        .collect::<Result<_, String>>()?)
}

fn made_up(shift: f64) -> Labelled {
    (0..60)
        .map(|i| {
            (
                f64::from(i * 37 % 60) / 60.0 + if i % 3 == 0 { shift } else { 0.0 },
                i % 3 == 0,
            )
        })
        .unzip()
}

fn image_level(validation: &Labelled, test: &Labelled) -> Result<(), Box<dyn Error>> {
    let (scores, labels) = (&test.0, &test.1);
    let auroc = auroc_delong(scores, labels, 0.95)?;
    println!(
        "image AUROC            {:.4}  (95 % {:.4} to {:.4}, DeLong)",
        auroc.auroc, auroc.low, auroc.high
    );
    let bootstrap = Bootstrap {
        resamples: 2000,
        confidence: 0.95,
        seed: 1,
    };
    let ap = bootstrap.interval(scores, labels, average_precision)?;
    println!(
        "image AP               {:.4}  (95 % {:.4} to {:.4}, bootstrap)",
        ap.estimate, ap.low, ap.high
    );

    for (name, rule) in [
        ("max F1", ThresholdRule::MaxF1),
        ("FPR <= 5 %", ThresholdRule::TargetFpr(0.05)),
    ] {
        let threshold = rule.fit(&validation.0, &validation.1)?;
        let at = Confusion::at_threshold(scores, labels, threshold)?;
        println!("at {threshold:.4} ({name} on validation):");
        println!("    F1 {:.4}, accuracy {:.4}", at.f1()?, at.accuracy());
        println!(
            "    sensitivity {:.4}, specificity {:.4}",
            at.sensitivity()?,
            at.specificity()?
        );
    }
    // Thresholds that the test labels chose: an upper bound, not what a user gets.
    println!(
        "oracle F1-max          {:.4}",
        oracle_f1_max(scores, labels)?.f1
    );
    let point = oracle_sensitivity_at_specificity(scores, labels, 0.95)?;
    println!("oracle sens. at 95 %   {:.4}", point.sensitivity);
    Ok(())
}

/// Maps are pushed one at a time, as a detector makes them; none needs to be kept.
fn pixel_level() -> Result<(), Box<dyn Error>> {
    let mut set = PixelAccumulator::new(Connectivity::Eight);
    for image in 0..8_usize {
        let inside =
            |pixel: usize| (pixel % 32).abs_diff(12) < image && (pixel / 32).abs_diff(20) < 4;
        let mask: Vec<bool> = (0..32 * 32).map(inside).collect();
        let score =
            |pixel: usize| (pixel * 73 % 101) as f32 / 101.0 + if mask[pixel] { 0.6 } else { 0.0 };
        let map: Vec<f32> = (0..32 * 32).map(score).collect();
        set.push(&AnnotatedMap::new(&map, &mask, 32, 32))?;
    }
    let figures = set.finish()?.figures(0.3)?;
    println!("pixel AUROC            {:.4}", figures.auroc);
    println!("pixel AP               {:.4}", figures.average_precision);
    println!("pixel oracle F1-max    {:.4}", figures.oracle_f1.f1);
    println!("AUPRO (FPR to 0.3)     {:.4}", figures.aupro);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    match &paths[..] {
        [validation, test] => image_level(&read(validation)?, &read(test)?),
        [] => {
            println!("made-up scores and maps:");
            image_level(&made_up(0.35), &made_up(0.3))?;
            pixel_level()
        }
        _ => Err("give two files, validation.csv and test.csv, or none".into()),
    }
}
