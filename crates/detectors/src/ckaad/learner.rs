//! One training step, in the order that matters: the discriminator first, then the auto-encoder against the updated one.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use ckaad_auto_encoder::AutoEncoder;
use ckaad_losses::{
    DiscriminatorEnergy, adversarial_energy, adversarial_log, discriminator_log, reconstruction,
};

use super::{Discriminator, Method, Settings};
use crate::adam::adam;
use crate::gradients::{add, clip, global_norm};

/// The largest global norm of the discriminator's gradient.
const DISCRIMINATOR_CLIP: f32 = 1.0;

/// The networks that learn, and their optimizers. All live on a device with autodiff.
pub struct Learner {
    settings: Settings,
    /// Reconstructs features.
    pub auto_encoder: AutoEncoder,
    pub(crate) optimizer: ModuleOptimizer,
    /// Tells normal features from others, if the method has one.
    pub discriminator: Option<Discriminator>,
    pub(crate) discriminator_optimizer: ModuleOptimizer,
    /// The share of both learning rates that the next step takes.
    pub(super) share: f64,
}

/// What one step computed; tensors with one element, left on the device until they are asked for.
#[derive(Debug, Clone)]
pub struct StepRecord {
    /// The auto-encoder's whole loss.
    pub total: Tensor<1>,
    /// The reconstruction loss of the normal images.
    pub reconstruction: Tensor<1>,
    /// The global norm of the auto-encoder's gradient.
    pub gradient_norm: Tensor<1>,
    /// What anomalous images added.
    pub anomalous: Option<AnomalousRecord>,
}

/// The part of a step that needs anomalous images.
#[derive(Debug, Clone)]
pub struct AnomalousRecord {
    /// The adversarial loss; for `recon-sub` the reconstruction loss of the anomalous images.
    pub adversarial: Tensor<1>,
    /// The discriminator's loss and the global norm of its gradient before clipping.
    pub discriminator: Option<(Tensor<1>, Tensor<1>)>,
}

impl Learner {
    /// Fresh optimizers for networks on a device with autodiff: Adam, betas 0.5 and 0.999, epsilon 1e-8.
    pub fn new(
        settings: Settings,
        auto_encoder: AutoEncoder,
        discriminator: Option<Discriminator>,
    ) -> Self {
        Self {
            settings,
            auto_encoder,
            optimizer: adam(),
            discriminator,
            discriminator_optimizer: adam(),
            share: 1.0,
        }
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One step on the features of normal and anomalous images, each fine to coarse. With no anomalous images only the
    /// reconstruction is trained.
    ///
    /// # Shapes
    /// `normal[s]`, `anomalous[s]`: `[batch, channels(s), height(s), width(s)]`; the batches may differ.
    pub fn step(&mut self, normal: &[Tensor<4>], anomalous: Option<&[Tensor<4>]>) -> StepRecord {
        let anomalous = anomalous.filter(|_| self.settings.method.uses_anomalies());
        let reconstructed = self.auto_encoder.forward(normal);
        let reconstructed_anomalous = anomalous.map(|features| self.auto_encoder.forward(features));

        let record = anomalous
            .zip(reconstructed_anomalous)
            .map(|(features, reconstructions)| {
                self.adversarial(normal, features, &reconstructed, reconstructions)
            });
        let reconstruction = reconstruction(normal, &reconstructed);
        let total = match &record {
            None => reconstruction.clone(),
            Some(record) => {
                let sign = if self.settings.method == Method::ReconSub {
                    -1.0
                } else {
                    1.0
                };
                reconstruction.clone() + record.adversarial.clone() * (sign * self.settings.lambda)
            }
        };
        let gradients = GradientsParams::from_grads(total.backward(), &self.auto_encoder);
        let gradient_norm = global_norm(&self.auto_encoder, &gradients);
        self.auto_encoder = self.optimizer.step(
            self.settings.learning_rate * self.share,
            self.auto_encoder.clone(),
            gradients,
        );
        StepRecord {
            total: total.inner(),
            reconstruction: reconstruction.inner(),
            gradient_norm,
            anomalous: record.map(|record| AnomalousRecord {
                adversarial: record.adversarial.inner(),
                discriminator: record.discriminator,
            }),
        }
    }

    /// Trains the discriminator, then scores the reconstructions with the updated one.
    fn adversarial(
        &mut self,
        normal: &[Tensor<4>],
        anomalous: &[Tensor<4>],
        reconstructed: &[Tensor<4>],
        reconstructed_anomalous: Vec<Tensor<4>>,
    ) -> AnomalousRecord {
        let Some(discriminator) = self.discriminator.take() else {
            return AnomalousRecord {
                adversarial: reconstruction(anomalous, &reconstructed_anomalous),
                discriminator: None,
            };
        };
        let Settings {
            method,
            gamma,
            margin,
            ..
        } = self.settings;
        let pooled: Vec<Tensor<4>> = reconstructed
            .iter()
            .zip(reconstructed_anomalous)
            .map(|(a, b)| Tensor::cat(vec![a.clone(), b], 0))
            .collect();
        let detached: Vec<Tensor<4>> = pooled.iter().map(|tensor| tensor.clone().inner()).collect();
        let (loss, gradients) = if method == Method::Gan {
            let [normal, detached] = [normal, &detached].map(|maps| discriminator.logits(maps));
            let loss = discriminator_log(&normal, &detached);
            let gradients = GradientsParams::from_grads(loss.backward(), &discriminator);
            (loss.inner(), gradients)
        } else {
            let energy = DiscriminatorEnergy { margin, gamma };
            tell_apart(&discriminator, energy, [normal, anomalous, &detached])
        };
        let norm = global_norm(&discriminator, &gradients);
        let gradients = clip(&discriminator, gradients, norm.clone(), DISCRIMINATOR_CLIP);
        let rate = self.settings.discriminator_learning_rate * self.share;
        let discriminator = self
            .discriminator_optimizer
            .step(rate, discriminator, gradients);

        // Only the auto-encoder learns from this loss: without gradients of its own the discriminator costs half.
        let judge = discriminator.clone().no_grad();
        let adversarial = if method == Method::Gan {
            adversarial_log(&judge.logits(&pooled))
        } else {
            adversarial_energy(&judge.energies(&pooled))
        };
        self.discriminator = Some(discriminator);
        AnomalousRecord {
            adversarial,
            discriminator: Some((loss, norm)),
        }
    }
}

/// The discriminator's loss and gradients for normal images, anomalous ones and reconstructions. One after another: what the backward pass needs
/// of some is gone before others are looked at.
fn tell_apart(
    discriminator: &Discriminator,
    energy: DiscriminatorEnergy,
    [normal, anomalous, reconstructed]: [&[Tensor<4>]; 3],
) -> (Tensor<1>, GradientsParams) {
    let mut gradients = GradientsParams::new();
    let mut learn = |features: &[Tensor<4>], term: Term| {
        let term = term(&energy, &discriminator.energies(features));
        let values = term.iter().map(|term| term.clone().inner()).collect();
        let of_term = DiscriminatorEnergy::total(&[term]).backward();
        let mut of_term = GradientsParams::from_grads(of_term, discriminator);
        add(discriminator, &mut gradients, &mut of_term);
        values
    };
    // Gradients are summed in the order in which one backward pass through all terms would.
    let reconstructed = learn(reconstructed, DiscriminatorEnergy::reconstructed);
    let anomalous = learn(anomalous, DiscriminatorEnergy::anomalous);
    let normal = learn(normal, DiscriminatorEnergy::normal);
    let loss = DiscriminatorEnergy::total(&[normal, anomalous, reconstructed]);
    (loss, gradients)
}

type Term = fn(&DiscriminatorEnergy, &[Tensor<2>]) -> Vec<Tensor<1>>;
