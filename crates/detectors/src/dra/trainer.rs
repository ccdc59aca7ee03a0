use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use ckaad_backbone::Backbone;
use ckaad_parameters::Initialisation;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cut_mix::cut_mix;
use super::detector::{DraDetector, Shape};
use super::{Label, Learner, Settings};
use crate::cycle::Cycle;
use crate::deviation::Reference;
use crate::error::both_kinds;
use crate::kept::Kept;
use crate::pooling::values;
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// Images of a step: normal ones, of which half are made anomalous, and anomalous ones.
const BATCH: [usize; 2] = [32, 16];
/// Normal images whose mean is compared with.
const REFERENCES: usize = 5;
/// Steps of a round.
const STEPS: usize = 20;
/// Parts of the training; each has a tenth of the learning rate of the one before.
const PARTS: usize = 3;
/// Normal images, then anomalous ones.
const KINDS: [&str; 2] = ["normal", "anomalous"];
const IMAGES: &str = "images";

/// Keeps all images' features, and normal images, until the pass is over, then the heads that learned from them.
pub(super) struct DraTrainer {
    settings: Settings,
    seed: u64,
    backbone: Backbone,
    shape: Shape,
    kinds: [Kept; 2],
    /// The normal images, one after another.
    images: Vec<f32>,
    learned: Option<DraDetector>,
}

impl DraTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            settings,
            seed: setup.seed,
            backbone: setup.backbone.clone(),
            shape: Shape::new(setup),
            kinds: KINDS.map(|_| Kept::new(setup)),
            images: Vec::new(),
            learned: None,
        }
    }

    fn image_len(&self) -> usize {
        3 * self.shape.image_size * self.shape.image_size
    }

    fn learn(&self) -> Result<DraDetector, DetectorError> {
        let device = &self.shape.device;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let heads = self.shape.heads(&device.clone().autodiff());
        let heads = Initialisation::FanInUniform.fill(heads, self.seed);
        let head_of = (0..heads.len()).collect();
        let mut learner = Learner::new(heads, head_of);
        let [normal, anomalous] = &self.kinds;
        let [mut normals, mut references] = [(); 2].map(|()| Cycle::new(normal.len()));
        let mut anomalies = Cycle::new(anomalous.len());
        let mut reference = |random: &mut ChaCha8Rng| -> Vec<Tensor<4>> {
            let drawn = normal.batch(&references.draw(REFERENCES, random), device);
            drawn.into_iter().map(|scale| scale.mean_dim(0)).collect()
        };
        for round in 0..self.settings.rounds {
            let part = round * PARTS / self.settings.rounds;
            let rate = self.settings.learning_rate * 0.1_f64.powi(part as i32);
            for _ in 0..STEPS {
                let drawn = normals.draw(BATCH[0], &mut random);
                let (plain, made_up): (Vec<usize>, Vec<usize>) =
                    drawn.into_iter().partition(|_| random.random_bool(0.5));
                let labelled = anomalies.draw(BATCH[1], &mut random);
                let counts = [plain.len(), labelled.len(), made_up.len()];
                let parts = [
                    normal.batch(&plain, device),
                    anomalous.batch(&labelled, device),
                    self.made_up(&made_up, &mut random),
                ];
                let labels = [Label::Normal, Label::Anomalous, Label::Pseudo];
                let labels = labels.into_iter().zip(counts);
                let labels = labels.flat_map(|(label, count)| vec![label; count]);
                let step = learner.look(
                    &joined(parts),
                    &reference(&mut random),
                    &labels.collect::<Vec<_>>(),
                    &[(); 4].map(|()| Reference::drawn(&mut random)),
                );
                learner.update(step.gradients, rate);
            }
        }
        let heads = learner.heads.valid();
        DraDetector::learned(&self.shape, &heads, reference(&mut random))
    }

    /// The features of normal images that are made anomalous.
    fn made_up(&self, indices: &[usize], random: &mut ChaCha8Rng) -> Vec<Tensor<4>> {
        let side = self.shape.image_size;
        let mut images = Vec::with_capacity(indices.len() * self.image_len());
        for index in indices {
            let start = images.len();
            images.extend_from_slice(&self.images[index * self.image_len()..][..self.image_len()]);
            cut_mix(&mut images[start..], side, random);
        }
        if indices.is_empty() {
            return Vec::new();
        }
        let images = TensorData::new(images, [indices.len(), 3, side, side]);
        let maps = self
            .backbone
            .maps(Tensor::from_data(images, &self.shape.device));
        maps.iter().map(ckaad_ops::FeatureMap::to_tensor).collect()
    }
}

/// The scales of several batches as one batch.
fn joined(parts: [Vec<Tensor<4>>; 3]) -> Vec<Tensor<4>> {
    let scales = parts.iter().map(Vec::len).max().unwrap_or(0);
    let scale = |scale: usize| {
        let parts = parts.iter().filter_map(|part| part.get(scale));
        // Draws may leave a part empty.
        let parts = parts.filter(|part| part.dims()[0] > 0);
        Tensor::cat(parts.cloned().collect(), 0)
    };
    (0..scales).map(scale).collect()
}

impl Trainer for DraTrainer {
    /// # Panics
    /// If there are no normal images themselves.
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        let Some(images) = &normal.images else {
            panic!("the images themselves were asked for");
        };
        self.images.extend(values(images.clone()));
        for (kind, inputs) in self.kinds.iter_mut().zip([Some(normal), anomalous]) {
            if let Some(inputs) = inputs {
                kind.add(inputs);
            }
        }
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        if self.learned.is_none() {
            both_kinds("dra", self.kinds.each_ref().map(Kept::len))?;
            self.learned = Some(self.learn()?);
            self.kinds.iter_mut().for_each(Kept::clear);
            self.images = Vec::new();
        }
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let Some(detector) = self.learned.clone() else {
            panic!("nothing is learned before the pass is over");
        };
        Box::new(detector)
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        for (name, kind) in KINDS.into_iter().zip(&self.kinds) {
            kind.save(name, &mut state);
        }
        state.insert_values(IMAGES, &self.images);
        if let Some(learned) = &self.learned {
            state.insert_parameters(&learned.parameters());
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        for (name, kind) in KINDS.into_iter().zip(&mut self.kinds) {
            kind.restore(name, &mut state)?;
        }
        self.images = state.take_values(IMAGES)?;
        let length = self.kinds[0].len() * self.image_len();
        fits(self.images.len() == length, IMAGES)?;
        self.learned = None;
        if !state.0.is_empty() {
            let parameters = state.take_parameters(self.shape.parameters())?;
            self.learned = Some(DraDetector::from_parameters(&self.shape, parameters)?);
        }
        Ok(())
    }
}
