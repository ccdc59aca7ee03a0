use ckaad_detectors::Pooling;
use ckaad_detectors::prenet::{Learner, Network, Pair};
use serde::Deserialize;

use super::figures::Figures;
use super::inputs::{Maps, order, parameter};
use crate::Check;

#[derive(Deserialize)]
struct Case {
    seed: u64,
    image: usize,
    stages: Vec<usize>,
    normals: usize,
    anomalies: usize,
    tests: usize,
    lr: f64,
    partners: usize,
}

/// Units of the shared layer.
const UNITS: usize = 20;
/// Pairs of a step: of two normal images, of a normal and an anomalous one, of two anomalous ones.
const PAIRS: [usize; 3] = [8, 4, 4];

/// Images by their pooled features.
struct Pool(Vec<Vec<f32>>);

impl Pool {
    /// Some of them, one after another.
    fn some(&self, indices: impl IntoIterator<Item = usize>) -> Vec<f64> {
        let images = indices.into_iter().flat_map(|index| &self.0[index]);
        images.copied().map(f64::from).collect()
    }

    fn all(&self) -> Vec<f64> {
        self.some(0..self.0.len())
    }
}

pub(super) fn run(mut figures: Figures<'_>) -> anyhow::Result<Vec<Check>> {
    let case: Case = figures.case()?;
    let device = ckaad_device::cpu();
    let pool = |name: &str, count: usize, defect: &[usize]| {
        let maps = Maps {
            name,
            base: "base",
            count,
            stages: &case.stages,
            image: case.image,
            defect,
            seed: case.seed,
        };
        let inputs = maps.inputs(&device);
        Pool(ckaad_detectors::pooled(&inputs, &[Pooling::Mean]))
    };
    let normal = pool("normal", case.normals, &[]);
    let all: Vec<usize> = (0..case.anomalies).collect();
    let anomalous = pool("anomaly", case.anomalies, &all);
    let test = pool("test", case.tests, &[1, 3]);
    figures.tensor("normal.pooled", normal.all())?;
    figures.tensor("test.pooled", test.all())?;

    let features = test.0[0].len();
    let parameter = |name: &str, shape: &[usize]| parameter(name, shape, case.seed);
    let network = Network {
        hidden: parameter("net.hidden.weight", &[UNITS, features]),
        hidden_bias: parameter("net.hidden.bias", &[UNITS]),
        score: parameter("net.score.weight", &[1, 2 * UNITS]),
        score_bias: parameter("net.score.bias", &[1])[0],
    };
    let picked = |name: &str, of: &Pool, count: usize| {
        let mut picked = order(name, of.0.len(), case.seed);
        picked.truncate(count);
        picked
    };
    let with_normal = picked("partners.normal", &normal, case.partners);
    let with_anomaly = picked("partners.anomaly", &anomalous, case.partners);
    figures.indices("partners.normal", with_normal.iter().copied())?;
    figures.indices("partners.anomaly", with_anomaly.iter().copied())?;
    let partners = [normal.some(with_normal), anomalous.some(with_anomaly)];
    evaluate(&mut figures, "initial", &network, &test, &partners)?;

    let mut learner = Learner::new(network.clone());
    for step in 0..figures.steps() {
        let [both_normal, one_of_each, both_anomalous] = PAIRS;
        let couples: Vec<Vec<usize>> = (0..both_anomalous)
            .map(|pair| picked(&format!("pairs.{step}.aa.{pair}"), &anomalous, 2))
            .collect();
        let pick = |name: &str, of: &Pool, count: usize| {
            let name = format!("{step}.{name}");
            (picked(&format!("pairs.{name}"), of, count), name)
        };
        let couple = |at: usize| couples.iter().map(|pair| pair[at]).collect::<Vec<usize>>();
        let named = |at: usize, end: &str| (couple(at), format!("{step}.aa.{end}"));
        let kinds = [
            [
                (&normal, pick("nn.first", &normal, both_normal)),
                (&normal, pick("nn.second", &normal, both_normal)),
            ],
            [
                (&normal, pick("na.first", &normal, one_of_each)),
                (&anomalous, pick("na.second", &anomalous, one_of_each)),
            ],
            [
                (&anomalous, named(0, "first")),
                (&anomalous, named(1, "second")),
            ],
        ];
        let mut pairs = Vec::new();
        for (kind, [first, second]) in kinds.iter().enumerate() {
            for (_, (indices, name)) in [first, second] {
                figures.indices(&format!("pairs.{name}"), indices.iter().copied())?;
            }
            let both = first.1.0.iter().zip(&second.1.0);
            pairs.extend(both.map(|(&a, &b)| Pair {
                first: &first.0.0[a],
                second: &second.0.0[b],
                anomalous: kind,
            }));
        }
        let done = learner.step(&pairs, case.lr);
        figures.step(step, "absolute", [done.absolute])?;
        figures.step(step, "penalty", [done.penalty])?;
        figures.step(step, "total", [done.absolute + done.penalty])?;
        figures.step(step, "scores", done.scores)?;
        let gradients = &done.gradients;
        let square = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>();
        let hidden = square(&gradients.hidden) + square(&gradients.hidden_bias);
        let score = square(&gradients.score) + square(&[gradients.score_bias]);
        figures.step(step, "grad_norm", [(hidden + score).sqrt()])?;
        figures.step(step, "grad_norms/net.hidden", [hidden.sqrt()])?;
        figures.step(step, "grad_norms/net.score", [score.sqrt()])?;
        if step == 0 {
            figures.tensor("gradient.net.hidden.weight", gradients.hidden.clone())?;
        }
    }
    let weights = learner.network.hidden.iter().zip(&network.hidden);
    figures.tensor(
        "moved.net.hidden.weight",
        weights.map(|(now, before)| now - before),
    )?;
    evaluate(&mut figures, "trained", &learner.network, &test, &partners)?;
    figures.finish(&[])
}

/// Scores with partners: normal ones, then anomalous ones.
fn evaluate(
    figures: &mut Figures<'_>,
    when: &str,
    network: &Network,
    test: &Pool,
    partners: &[Vec<f64>; 2],
) -> anyhow::Result<()> {
    let test = network.shared(&test.all());
    let [normal, anomalous] = partners.each_ref().map(|partners| network.shared(partners));
    let mut after_normal = Vec::new();
    let mut before_anomalous = Vec::new();
    for partner in normal.chunks_exact(UNITS) {
        let images = test.chunks_exact(UNITS);
        after_normal.extend(images.map(|image| network.pair_score(partner, image)));
    }
    for partner in anomalous.chunks_exact(UNITS) {
        let images = test.chunks_exact(UNITS);
        before_anomalous.extend(images.map(|image| network.pair_score(image, partner)));
    }
    figures.tensor(&format!("{when}.scores.normal_first"), after_normal)?;
    figures.tensor(&format!("{when}.scores.anomaly_second"), before_anomalous)?;
    let partners = partners
        .each_ref()
        .map(|partners| network.mean_shared(partners));
    let images = test.chunks_exact(UNITS);
    let scores = images.map(|image| network.image_score(image, &partners));
    figures.scalars(&format!("{when}.image_score"), scores)
}
