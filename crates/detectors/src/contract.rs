use burn::tensor::{Device, Tensor};
use ckaad_anomaly_map::AnomalyMap;
use ckaad_backbone::{Backbone, BackboneConfig};
use ckaad_ops::FeatureMap;
use ckaad_parameters::NamedTensors;

use crate::{DetectorError, State};

/// What a system looks at: a batch of images, on a device without autodiff.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// `[batch, 3, image_size, image_size]`, ImageNet-normalised; there if the system [needs](Needs::images) them.
    pub images: Option<Tensor<4>>,
    /// The frozen features of the same images, fine to coarse: `[batch, channels(s), height(s), width(s)]`; there if the system
    /// [needs](Needs::features) them.
    pub features: Vec<FeatureMap>,
    /// Where anomalies were drawn into the images, `[batch, 1, image_size, image_size]`: 1 inside, 0 outside; there if they
    /// [were](Anomalies::Drawn).
    pub masks: Option<Tensor<4>>,
}

impl Inputs {
    /// The features as tensors in burn's layout.
    pub fn tensors(&self) -> Vec<Tensor<4>> {
        self.features.iter().map(FeatureMap::to_tensor).collect()
    }
}

/// An image's score, and the map that says where it is anomalous if the system has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The higher, the more anomalous.
    pub score: f64,
    /// At a size of its own.
    pub map: Option<AnomalyMap>,
}

impl Scored {
    /// Whether score and map can be compared with anything. What cannot is no result: every comparison with it would say "normal".
    pub fn is_finite(&self) -> bool {
        let map = self.map.iter().flat_map(|map| &map.values);
        self.score.is_finite() && map.into_iter().all(|value| value.is_finite())
    }
}

/// The losses of one step by name, each a tensor with one element that is left on the device until somebody asks. The first
/// is what the step made smaller.
#[derive(Debug, Clone, Default)]
pub struct Losses(pub Vec<(&'static str, Tensor<1>)>);

impl Losses {
    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

/// What a system asks of the training around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Whether it looks at the images themselves.
    pub images: bool,
    /// Whether it looks at their features.
    pub features: bool,
    /// How often it sees the normal images.
    pub passes: Passes,
    /// What it does with anomalous images.
    pub anomalies: Anomalies,
}

/// How often a system sees the normal images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Every image exactly once.
    Once,
    /// Shuffled anew in every epoch, for as many as the configuration says.
    Epochs,
    /// Every image exactly once in the first epoch, and shuffled anew in every other.
    OnceThenEpochs,
}

/// What a system does with anomalous training images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anomalies {
    /// It does not look at them.
    Ignored,
    /// It learns from them, and can do without where that is asked for. `instead` are the options that choose a system for
    /// normal images alone.
    Used {
        /// As written on the command line.
        instead: &'static str,
    },
    /// It learns nothing without them.
    Required {
        /// As for [`Used`](Self::Used).
        instead: &'static str,
    },
    /// It learns from the normal images of the step with anomalies drawn into them, in the same order and with [masks](Inputs::masks); whatever
    /// other anomalous images there are, it does not look at them.
    Drawn {
        /// In how many images of a hundred there is an anomaly; the others come as they are.
        percent: u8,
    },
}

impl Anomalies {
    /// Whether it looks at images that are labelled as anomalous.
    pub fn are_looked_at(self) -> bool {
        matches!(self, Self::Used { .. } | Self::Required { .. })
    }
}

/// What a system is built for.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The frozen feature extractor, for its shapes and for systems that run it on images of their own.
    pub backbone: &'a Backbone,
    /// Side of the images in pixels.
    pub image_size: usize,
    /// Seed of everything random.
    pub seed: u64,
    /// Training steps that are planned in all, for systems that learn in phases; 0 where nothing learns.
    pub steps: u64,
    /// Where to compute; without autodiff.
    pub device: &'a Device,
}

impl Setup<'_> {
    /// `[channels, height, width]` of the features of an image at every scale, fine to coarse.
    pub fn shapes(&self) -> Vec<[usize; 3]> {
        let backbone = self.backbone.config();
        let scales = backbone.stages.iter().zip(backbone.channels());
        let shape = |(stage, channels): (&usize, usize)| {
            let side = self.image_size >> (stage + 1);
            [channels, side, side]
        };
        scales.map(shape).collect()
    }
}

/// Images that a system did not learn from.
pub trait HeldOut {
    /// Calls `visit` with batch after batch, and with whether each image is anomalous. These are the validation images; where no normal one is
    /// among them, they are some of the normal training images.
    fn for_each(&self, visit: &mut dyn FnMut(&Inputs, &[bool]));
}

/// A system that has learned.
pub trait Detector: Send + Sync {
    /// Scores every image of a batch.
    fn score(&self, inputs: &Inputs) -> Vec<Scored>;

    /// Everything that [`System::load`] needs besides the settings.
    fn parameters(&self) -> NamedTensors;

    /// The values of a map that a picture of it shows as nothing and as everything. Larger ones may occur.
    fn map_range(&self) -> [f32; 2];

    /// Settles what training images cannot tell, for systems that have such choices. Called before the first image is scored.
    fn tune(&mut self, _: &dyn HeldOut) {}
}

/// A system that is learning.
pub trait Trainer: Send {
    /// Learns from a batch of normal images, and of anomalous ones where the step has any.
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses;

    /// Values of the last step that must be finite besides its losses, such as the sizes of gradients; named as "the gradient of ...", and left
    /// on the device.
    fn watched(&self) -> Vec<(&'static str, Tensor<1>)> {
        Vec::new()
    }

    /// What looks as if learning had failed, as far as a batch of normal training images tells. Asked once in a while after a pass.
    fn collapse(&self, _normal: &Inputs) -> Option<String> {
        None
    }

    /// Called after every pass over the normal images.
    ///
    /// # Errors
    /// [`DetectorError::Images`] if there were too few to learn from.
    fn end_pass(&mut self) -> Result<(), DetectorError> {
        Ok(())
    }

    /// What has been learned so far. Systems that see every image once have learned when the pass is over.
    fn detector(&self) -> Box<dyn Detector>;

    /// Everything that going on with the training needs, bit for bit.
    ///
    /// # Errors
    /// [`DetectorError::State`] if it cannot be put in bytes.
    fn save(&self) -> Result<State, DetectorError>;

    /// Goes on from what [`save`](Self::save) gave.
    ///
    /// # Errors
    /// [`DetectorError::State`] if it is of another system or of other settings.
    fn restore(&mut self, state: State) -> Result<(), DetectorError>;
}

/// The settings of one system: what it needs, whether they are possible, and what they build.
pub trait System {
    /// What the training around it has to offer.
    fn needs(&self) -> Needs;

    /// Refuses settings that cannot be, alone or with that backbone and images of that size.
    ///
    /// # Errors
    /// [`DetectorError::Setting`], naming the key.
    fn check(&self, backbone: &BackboneConfig, image_size: usize) -> Result<(), DetectorError>;

    /// A system that has learned nothing yet.
    fn trainer(&self, setup: &Setup<'_>) -> Box<dyn Trainer>;

    /// A system that has learned, from its [`parameters`](Detector::parameters).
    ///
    /// # Errors
    /// [`DetectorError::Parameters`] if they are not those of such a system.
    fn load(
        &self,
        setup: &Setup<'_>,
        parameters: NamedTensors,
    ) -> Result<Box<dyn Detector>, DetectorError>;
}
