use ckaad_anomaly_map::{Align, AnomalyMap, AnomalyMapper, ImageScore};
use ckaad_detectors::padim::{Covariance, Moments, embedding};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Maps, order};
use crate::Check;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    normals: usize,
    tests: usize,
    dimensions: usize,
    of: usize,
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let device = ckaad_device::cpu();
    let normal = Maps {
        name: "normal",
        base: "base",
        count: case.normals,
        stages: &case.stages,
        image: case.image,
        defect: &[],
        seed: case.seed,
    };
    let test = Maps {
        name: "test",
        count: case.tests,
        defect: &[1, 3],
        ..normal
    };
    let mut subset = order("subset", case.of, case.seed);
    subset.truncate(case.dimensions);
    figures.indices("subset", subset.iter().copied())?;

    let side = case.image >> (case.stages[0] + 1);
    let (positions, n) = (side * side, case.dimensions);
    let seen = embedding(&normal.inputs(&device), &subset);
    let unseen = embedding(&test.inputs(&device), &subset);
    figures.tensor("embedding.normal", seen.iter().copied())?;
    figures.tensor("embedding.test", unseen.iter().copied())?;

    let mut moments = Moments::new(Covariance::Full, positions, n);
    moments.add(&seen);
    let gaussians: Vec<(Vec<f64>, Vec<f64>)> = (0..positions)
        .map(|position| moments.gaussian(position))
        .collect();
    figures.tensor(
        "mean",
        gaussians.iter().flat_map(|(mean, _)| mean.iter().copied()),
    )?;
    let full = |triangle: &[f64]| -> Vec<f64> {
        let pair = |a: usize, b: usize| triangle[a * (a + 1) / 2 + b];
        let all = (0..n).flat_map(|a| (0..n).map(move |b| (a.max(b), a.min(b))));
        all.map(|(a, b)| pair(a, b)).collect()
    };
    let covariances: Vec<Vec<f64>> = gaussians
        .iter()
        .map(|(_, triangle)| full(triangle))
        .collect();
    figures.tensor("covariance", covariances.iter().flatten().copied())?;

    let distances = moments.gaussians().distances(&unseen);
    figures.tensor("distance", distances.iter().flatten().copied())?;
    figures.scalars(
        "largest_distance",
        distances.iter().map(|image| largest(image)),
    )?;
    let mapper = AnomalyMapper {
        align: Align::Edges,
        ..AnomalyMapper::new(case.image, case.image)
    };
    let map = |values: &Vec<f32>| {
        mapper.map(&[AnomalyMap {
            height: side,
            width: side,
            values: values.clone(),
        }])
    };
    let maps: Vec<AnomalyMap> = distances.iter().map(map).collect();
    figures.tensor(
        "anomaly_map",
        maps.iter().flat_map(|map| map.values.iter().copied()),
    )?;
    figures.scalars(
        "image_score",
        maps.iter().map(|map| ImageScore::Max.of(map)),
    )?;

    let mut moments = Moments::new(Covariance::Diagonal, positions, n);
    moments.add(&seen);
    let distances = moments.gaussians().distances(&unseen);
    figures.tensor("diagonal.distance", distances.iter().flatten().copied())?;
    figures.scalars(
        "diagonal.largest_distance",
        distances.iter().map(|image| largest(image)),
    )?;
    figures.finish(&[
        "smallest_eigenvalue",
        "largest_condition_number",
        "inverse_covariance",
    ])
}

fn largest(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::MIN, f32::max)
}
