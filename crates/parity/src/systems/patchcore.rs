use anyhow::ensure;
use ckaad_anomaly_map::AnomalyMap;
use ckaad_backbone::{BackboneConfig, ResNetVariant};
use ckaad_detectors::patchcore::{
    Form, Memory, Nearest, Settings, Start, k_centres, means, neighbourhoods,
};
use ckaad_detectors::{Scored, Setup, System};
use ckaad_parameters::NamedTensor;
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Maps, Scale, order};
use crate::{Check, formula};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    normals: usize,
    tests: usize,
    ratio: f64,
    neighbours: usize,
    released: Released,
}

#[derive(Deserialize)]
struct Released {
    projection: usize,
    starts: usize,
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
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
    let (seen, unseen) = (normal.scales(), test.scales());
    for (name, scales) in [("normal", &seen), ("test", &unseen)] {
        for ((values, _), stage) in scales.iter().zip(&case.stages) {
            figures.tensor(&format!("{name}.stage{stage}"), values.iter().copied())?;
        }
    }
    plain(&mut figures, &case, test, [&seen, &unseen])?;
    released(&mut figures, &case, test, [&seen, &unseen])?;
    figures.finish(&["smallest_gap"])
}

/// anomalib's form: means of neighbourhoods, chosen without a projection.
fn plain(
    figures: &mut Figures<'_>,
    case: &Case,
    test: Maps<'_>,
    [seen, unseen]: [&[Scale]; 2],
) -> anyhow::Result<()> {
    let [bank, queries] = [seen, unseen].map(|scales| rows(means, scales));
    let channels = channels(seen, &bank);
    figures.tensor("plain.embedding.normal", bank.iter().copied())?;
    figures.tensor("plain.embedding.test", queries.iter().copied())?;

    let count = bank.len() / channels;
    let wanted = (count as f64 * case.ratio) as usize;
    let start = order("coreset.start", count, case.seed)[0];
    let coreset = k_centres(&bank, channels, Start::At(start), wanted);
    ensure!(coreset.picks.len() == wanted, "patches coincide");
    figures.indices("plain.coreset", coreset.picks.iter().copied())?;
    let before = &coreset.radii[..wanted - 1];
    figures.scalars("plain.coreset.radii", before.iter().copied())?;

    let memory = Memory::new(gather(&bank, channels, &coreset.picks), channels);
    let nearest = nearest(means, unseen, &memory);
    let all = || nearest.iter().flatten();
    figures.indices("plain.nearest", all().map(|nearest| nearest.item))?;
    figures.tensor("plain.distance", all().map(|nearest| nearest.distance))?;
    let patches = queries.chunks_exact(channels);
    let around = patches.flat_map(|patch| memory.neighbours(patch, case.neighbours));
    let around = around.map(|nearest| nearest.distance);
    figures.tensor("plain.distances_of_9", around)?;

    let worst: Vec<usize> = nearest.iter().map(|patches| farthest(patches)).collect();
    figures.indices("plain.worst_patch", worst.iter().copied())?;
    let of_worst: Vec<Nearest> = nearest.iter().zip(&worst).map(|(of, &at)| of[at]).collect();
    figures.scalars(
        "plain.score",
        of_worst.iter().map(|nearest| nearest.distance),
    )?;
    for (image, nearest) in of_worst.iter().enumerate() {
        let around = memory.neighbours(memory.item(nearest.item), case.neighbours);
        let items = around.into_iter().map(|neighbour| neighbour.item);
        figures.indices(&format!("plain.around_nearest.{image}"), items)?;
    }

    let settings = Settings {
        neighbours: case.neighbours,
        ..Settings::default()
    };
    let scored = scored(settings, case, test, &memory)?;
    figures.scalars(
        "plain.score_reweighted",
        scored.iter().map(|image| image.score),
    )?;
    figures.tensor("plain.anomaly_map", pixels(&scored))?;
    figures.scalars("plain.map_max", scored.iter().map(peak))
}

/// The authors' form: whole neighbourhoods, chosen on a projection; squared distances.
fn released(
    figures: &mut Figures<'_>,
    case: &Case,
    test: Maps<'_>,
    [seen, unseen]: [&[Scale]; 2],
) -> anyhow::Result<()> {
    let [bank, queries] = [seen, unseen].map(|scales| rows(neighbourhoods, scales));
    let channels = channels(seen, &bank);
    figures.tensor("released.embedding.normal", bank.iter().copied())?;
    figures.tensor("released.embedding.test", queries.iter().copied())?;

    let dimensions = case.released.projection;
    let weight = formula::parameter("projection.weight", &[dimensions, channels], case.seed);
    let product = |a: &[f32], b: &[f32]| {
        let terms = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        terms.sum::<f64>() as f32
    };
    let points: Vec<f32> = bank
        .chunks_exact(channels)
        .flat_map(|patch| {
            weight
                .values
                .chunks_exact(channels)
                .map(move |row| product(patch, row))
        })
        .collect();
    figures.tensor("released.projected", points.iter().copied())?;
    let count = bank.len() / channels;
    let mut starts = order("coreset.starts", count, case.seed);
    starts.truncate(case.released.starts);
    figures.indices("released.starts", starts.iter().copied())?;
    let wanted = (count as f64 * case.ratio) as usize;
    let coreset = k_centres(&points, dimensions, Start::FarFrom(&starts), wanted);
    ensure!(coreset.picks.len() == wanted, "patches coincide");
    figures.indices("released.coreset", coreset.picks.iter().copied())?;

    let memory = Memory::new(gather(&bank, channels, &coreset.picks), channels);
    let nearest = nearest(neighbourhoods, unseen, &memory);
    let all = || nearest.iter().flatten();
    figures.indices("released.nearest", all().map(|nearest| nearest.item))?;
    let squares = all().map(|nearest| f64::from(nearest.distance).powi(2));
    figures.tensor("released.distance_squared", squares)?;
    let settings = Settings {
        form: Form::Neighbourhoods,
        ..Settings::default()
    };
    let scored = scored(settings, case, test, &memory)?;
    figures.scalars("released.score", scored.iter().map(|image| image.score))?;
    figures.tensor("released.anomaly_map", pixels(&scored))?;
    figures.scalars("released.map_max", scored.iter().map(peak))
}

/// The test images as the detector itself scores them, with those items for parameters.
fn scored(
    settings: Settings,
    case: &Case,
    test: Maps<'_>,
    memory: &Memory,
) -> anyhow::Result<Vec<Scored>> {
    let device = ckaad_device::cpu();
    let items = NamedTensor {
        shape: vec![memory.len(), memory.item(0).len()],
        values: memory.items().to_vec(),
    };
    let radius = NamedTensor {
        shape: vec![1],
        values: vec![1.0],
    };
    let named = [("items", items), ("radius", radius)];
    let parameters = named.map(|(name, tensor)| (name.to_owned(), tensor));
    let setup = Setup {
        steps: 0,
        backbone: &BackboneConfig::new(ResNetVariant::ResNet18, &case.stages)?.random(1, &device),
        image_size: case.image,
        seed: case.seed,
        device: &device,
    };
    let detector = settings.load(&setup, parameters.into_iter().collect())?;
    Ok(detector.score(&test.inputs(&device)))
}

fn pixels(scored: &[Scored]) -> impl Iterator<Item = f32> {
    let maps = scored.iter().filter_map(|image| image.map.as_ref());
    maps.flat_map(|map| map.values.iter().copied())
}

fn peak(scored: &Scored) -> f64 {
    scored.map.as_ref().map_or(f64::NAN, AnomalyMap::largest)
}

fn farthest(patches: &[Nearest]) -> usize {
    let distance = |patch: &usize| patches[*patch].distance;
    let farther = |a: &usize, b: &usize| distance(a).total_cmp(&distance(b));
    (0..patches.len()).max_by(farther).unwrap_or(0)
}

/// Numbers of a patch.
fn channels(scales: &[Scale], bank: &[f32]) -> usize {
    let [images, _, height, width] = scales[0].1;
    bank.len() / (images * height * width)
}

/// What describes the patches of an image: `[channels, positions]`.
type Patches = fn(&[&[f32]], &[[usize; 3]]) -> Vec<f32>;

fn planes(form: Patches, scales: &[Scale], image: usize) -> Vec<f32> {
    let shape = |&(_, [_, channels, height, width]): &Scale| [channels, height, width];
    let shapes: Vec<[usize; 3]> = scales.iter().map(shape).collect();
    let values: Vec<&[f32]> = scales
        .iter()
        .zip(&shapes)
        .map(|((values, _), shape)| {
            let length = shape.iter().product();
            &values[image * length..][..length]
        })
        .collect();
    form(&values, &shapes)
}

/// What is nearest to the patches of every image.
fn nearest(form: Patches, scales: &[Scale], memory: &Memory) -> Vec<Vec<Nearest>> {
    let images = 0..scales[0].1[0];
    images
        .map(|image| memory.nearest(&planes(form, scales, image)))
        .collect()
}

/// The patches of all images: `[images * positions, channels]`.
fn rows(form: Patches, scales: &[Scale]) -> Vec<f32> {
    let [images, _, height, width] = scales[0].1;
    let positions = height * width;
    (0..images)
        .flat_map(|image| {
            let planes = planes(form, scales, image);
            let channels = planes.len() / positions;
            let all = (0..positions).flat_map(|at| (0..channels).map(move |c| c * positions + at));
            all.map(|index| planes[index]).collect::<Vec<f32>>()
        })
        .collect()
}

/// Some of the rows.
fn gather(rows: &[f32], length: usize, picks: &[usize]) -> Vec<f32> {
    let row = |&pick: &usize| rows[pick * length..][..length].iter().copied();
    picks.iter().flat_map(row).collect()
}
