//! What the networks learn to make small: squared distances of the critics' answers from targets.

use burn::tensor::Tensor;

use super::{Critics, Encoder, Generator};
use crate::plain_norm::Statistics;

/// What the critics should answer to images, to generated ones and to anomalous ones, and what the others want them to answer.
const REAL: f64 = 1.0;
const GENERATED: f64 = 0.0;
const ANOMALOUS: f64 = 0.5;
const WANTED: f64 = 0.75;
/// Weight of what the critic of pairs says.
const CYCLE: f64 = 1.0 / 3.0;

/// The images of a step and what is made of them.
pub struct Batch {
    images: Tensor<4>,
    anomalous: Option<Tensor<4>>,
    noise: Tensor<2>,
    /// Codes of the images, and of the anomalous ones.
    codes: Tensor<2>,
    anomalous_codes: Option<Tensor<2>>,
    /// What the generator makes of the images' codes.
    back: Tensor<4>,
    /// What it makes of noise; its gradient does not reach the encoder.
    made: Tensor<4>,
}

impl Batch {
    /// Encodes normal and anomalous images as one batch, and generates from the normal ones' codes and from noise as one.
    ///
    /// # Shapes
    /// - images, anomalous: `[batch, 3, side, side]`, brightness from 0 to 1; noise: `[batch, latent]`
    pub fn new(
        encoder: &Encoder,
        generator: &Generator,
        images: Tensor<4>,
        anomalous: Option<Tensor<4>>,
        noise: Tensor<2>,
    ) -> Self {
        let count = images.dims()[0];
        let all = match &anomalous {
            Some(anomalous) => Tensor::cat(vec![images.clone(), anomalous.clone()], 0),
            None => images.clone(),
        };
        let codes = encoder.forward(all);
        let anomalous_codes = anomalous.as_ref().map(|anomalous| {
            let anomalous = anomalous.dims()[0];
            codes.clone().narrow(0, count, anomalous)
        });
        let codes = codes.narrow(0, 0, count);
        let from = Tensor::cat(vec![codes.clone(), noise.clone()], 0);
        // Norms mix what a batch is made of: once with the gradient of the codes, for what comes back, and once without, for what is made of noise.
        let back = generator.forward(from.clone()).narrow(0, 0, count);
        let made = generator.with(from.detach(), Statistics::Left);
        let made = made.narrow(0, count, noise.dims()[0]);
        Self {
            images,
            anomalous,
            noise,
            codes,
            anomalous_codes,
            back,
            made,
        }
    }
}

/// The mean squared distance of answers from a target.
fn distance(answers: Tensor<2>, target: f64) -> Tensor<1> {
    (answers - target).square().mean()
}

/// The critics' losses, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct CriticLosses {
    /// On images and codes: of images, of noise, of anomalous images.
    pub xz: [Option<Tensor<1>>; 3],
    /// On pairs: of images, of images and what comes back, of anomalous images.
    pub xx: [Option<Tensor<1>>; 3],
    /// Their sum, which is made small.
    pub total: Tensor<1>,
}

impl CriticLosses {
    /// On what was made of a batch, without its gradients.
    pub fn new(critics: &Critics, batch: &Batch) -> Self {
        let Critics { xz, xx } = critics;
        let x = || batch.images.clone();
        let codes = batch.codes.clone().detach();
        let of_codes = [
            Some(distance(xz.forward(x(), codes), REAL)),
            Some(distance(
                xz.forward(batch.made.clone().detach(), batch.noise.clone()),
                GENERATED,
            )),
            batch
                .anomalous_pair()
                .map(|(images, codes)| distance(xz.forward(images, codes.detach()), ANOMALOUS)),
        ];
        let of_pairs = [
            Some(distance(xx.forward(x(), x()), REAL)),
            Some(distance(
                xx.forward(x(), batch.back.clone().detach()),
                GENERATED,
            )),
            batch
                .anomalous
                .clone()
                .map(|images| distance(xx.forward(images.clone(), images), ANOMALOUS)),
        ];
        Self {
            total: sum(of_codes.iter().chain(&of_pairs).flatten()),
            xz: of_codes,
            xx: of_pairs,
        }
    }
}

/// The losses of encoder and generator, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct Losses {
    /// What the critic of pairs says.
    pub cycle: Tensor<1>,
    /// The generator's.
    pub generator: Tensor<1>,
    /// The encoder's.
    pub encoder: Tensor<1>,
    /// The sum of both with the cycle counted once: its gradient is that of either in either.
    pub total: Tensor<1>,
}

impl Losses {
    /// On what was made of a batch.
    pub fn new(critics: &Critics, batch: &Batch) -> Self {
        let Critics { xz, xx } = critics;
        let x = || batch.images.clone();
        let pairs = [
            Some(xx.forward(x(), x())),
            Some(xx.forward(x(), batch.back.clone())),
            batch
                .anomalous
                .clone()
                .map(|images| xx.forward(images.clone(), images)),
        ];
        let pairs = pairs.map(|answers| answers.map(|answers| distance(answers, WANTED)));
        let cycle = sum(pairs.iter().flatten());
        let made = distance(xz.forward(batch.made.clone(), batch.noise.clone()), WANTED);
        let codes = [
            Some(distance(xz.forward(x(), batch.codes.clone()), WANTED)),
            batch
                .anomalous_pair()
                .map(|(images, codes)| distance(xz.forward(images, codes), WANTED)),
        ];
        let codes = sum(codes.iter().flatten());
        let third = cycle.clone() * CYCLE;
        Self {
            generator: made.clone() + third.clone(),
            encoder: codes.clone() + third.clone(),
            total: made + codes + third,
            cycle,
        }
    }
}

impl Batch {
    fn anomalous_pair(&self) -> Option<(Tensor<4>, Tensor<2>)> {
        Some((self.anomalous.clone()?, self.anomalous_codes.clone()?))
    }
}

fn sum<'a>(losses: impl Iterator<Item = &'a Tensor<1>>) -> Tensor<1> {
    losses
        .cloned()
        .reduce(|sum, loss| sum + loss)
        .unwrap_or_else(|| panic!("there is at least one loss"))
}
