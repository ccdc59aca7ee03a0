use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use ckaad_ops::{FeatureMap, FrozenConv, Precision};
use ckaad_parameters::{Initialisation, NamedTensors, ParameterError, apply, collect, fill};

use crate::ResNetVariant;
use crate::network::Network;
use crate::plan::ConvPlan;
use crate::torchvision::{check, drop_later_parts, fold};
use crate::weights::sha256::Hasher;

/// Which network, and which of its stages to hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackboneConfig {
    /// The member of the family.
    pub variant: ResNetVariant,
    /// The stages, counted from 1, ascending; stage `l` has stride `2^(l+1)`.
    pub stages: Vec<usize>,
    /// How exactly the convolutions multiply.
    pub precision: Precision,
}

/// Why a backbone cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackboneError {
    /// The list of stages makes no sense.
    #[error("the stages {stages:?} are not an ascending choice of 1, 2, 3, 4")]
    Stages {
        /// What was asked for.
        stages: Vec<usize>,
    },
    /// The file cannot be read.
    #[error("{0}; {OTHER_WEIGHTS}")]
    Read(#[source] ParameterError),
    /// The file holds other weights than the network needs.
    #[error(
        "{} are not those of {variant} up to stage {deepest}: {source}{}",
        of(path),
        path.as_ref().map_or(String::new(), |_| format!("; {OTHER_WEIGHTS}"))
    )]
    Weights {
        /// The file, if the weights come from one.
        path: Option<PathBuf>,
        /// The network they should fit.
        variant: ResNetVariant,
        /// The deepest stage it has.
        deepest: usize,
        /// What does not fit.
        source: ParameterError,
    },
}

const OTHER_WEIGHTS: &str =
    "pass another file with --weights FILE, or leave that out to use the downloaded weights";

impl BackboneError {
    /// What to do, if a weights file is to blame. The message ends with it, after `; `.
    pub fn hint(&self) -> Option<&'static str> {
        let of_file = matches!(self, Self::Read(_) | Self::Weights { path: Some(_), .. });
        of_file.then_some(OTHER_WEIGHTS)
    }
}

fn of(path: &Option<PathBuf>) -> String {
    match path {
        Some(path) => format!("the weights in {}", path.display()),
        None => "the weights".to_owned(),
    }
}

/// A frozen feature extractor: an image in, the feature maps of the chosen stages out.
///
/// The batch norms are folded into the convolutions (`w' = w g / sqrt(v + eps)`, `b' = b - m g / sqrt(v + eps)`), which
/// is exact because the network is never trained. Built on a device without autodiff it tracks no gradients.
#[derive(Debug, Clone)]
pub struct Backbone {
    config: BackboneConfig,
    network: Network<Conv2d>,
    /// Built from the network when images first come; copies share it.
    frozen: Arc<OnceLock<Network<FrozenConv>>>,
}

impl BackboneConfig {
    /// A checked configuration in single precision.
    ///
    /// # Errors
    /// [`BackboneError::Stages`] unless the stages ascend within 1..=4.
    pub fn new(variant: ResNetVariant, stages: &[usize]) -> Result<Self, BackboneError> {
        let ascending = stages.windows(2).all(|pair| pair[0] < pair[1]);
        let known = stages.iter().all(|stage| (1..=4).contains(stage));
        let stages = stages.to_vec();
        if stages.is_empty() || !ascending || !known {
            return Err(BackboneError::Stages { stages });
        }
        Ok(Self {
            variant,
            stages,
            precision: Precision::F32,
        })
    }

    /// The same network, multiplying in another precision.
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Channels of each chosen stage, fine to coarse.
    pub fn channels(&self) -> Vec<usize> {
        self.stages
            .iter()
            .map(|&stage| self.variant.channels(stage))
            .collect()
    }

    /// Reads pretrained weights from a torchvision `.pth` (zip or legacy) or `.safetensors` file. Stages beyond the
    /// deepest chosen one and the classifier may be there or not.
    ///
    /// # Errors
    /// [`BackboneError::Read`] if the file cannot be read, [`BackboneError::Weights`] naming every tensor that is
    /// missing, unknown or of another shape.
    pub fn load(&self, path: &Path, device: &Device) -> Result<Backbone, BackboneError> {
        let tensors = NamedTensors::read(path).map_err(BackboneError::Read)?;
        self.fold(tensors, device)
            .map_err(|source| self.mismatch(Some(path), source))
    }

    /// Takes pretrained weights under torchvision's names.
    ///
    /// # Errors
    /// [`BackboneError::Weights`] as for [`load`](Self::load).
    pub fn from_torchvision(
        &self,
        tensors: NamedTensors,
        device: &Device,
    ) -> Result<Backbone, BackboneError> {
        self.fold(tensors, device)
            .map_err(|source| self.mismatch(None, source))
    }

    fn fold(&self, mut tensors: NamedTensors, device: &Device) -> Result<Backbone, ParameterError> {
        let plan = self.plan();
        drop_later_parts(&mut tensors, self.deepest());
        check(&plan, &tensors)?;
        // Forward order of the plan and of the module agree, so their parameters pair up by position.
        let mut names = Vec::new();
        let mut folded = NamedTensors::new();
        for conv in plan.layers() {
            for (part, tensor) in ["weight", "bias"].into_iter().zip(fold(conv, &tensors)) {
                names.push(format!("{}.{part}", conv.conv));
                folded.insert(format!("{}.{part}", conv.conv), tensor);
            }
        }
        // A variance below zero, or numbers whose product is none.
        folded.check_values()?;
        let mut names = names.iter();
        let network = fill(zeros(&plan, device), |info| {
            match names.next().and_then(|name| folded.remove(name)) {
                Some(tensor) if tensor.shape == info.shape => tensor.values,
                // `check` has compared every shape with the plan from which the module is built.
                _ => unreachable!("the plan and the network disagree at {}", info.name),
            }
        });
        Ok(self.with(network))
    }

    /// Takes weights as [`Backbone::parameters`] puts them out.
    ///
    /// # Errors
    /// [`BackboneError::Weights`] as for [`load`](Self::load).
    pub fn from_folded(
        &self,
        tensors: &NamedTensors,
        device: &Device,
    ) -> Result<Backbone, BackboneError> {
        let network = apply(zeros(&self.plan(), device), tensors);
        network
            .map(|network| self.with(network))
            .map_err(|source| self.mismatch(None, source))
    }

    /// Seeded random weights: features without any training, for demonstrations and tests.
    ///
    /// Kaiming normal, then every filter shifted to zero mean (weight standardisation, Qiao et al. 2019). Without the shift
    /// the common brightness of an image drowns its texture, and all positions look alike.
    pub fn random(&self, seed: u64, device: &Device) -> Backbone {
        let network = zeros(&self.plan(), device);
        self.with(fill(network, |info| {
            let mut values = Initialisation::KaimingNormal.values(info, seed);
            if let [_, inputs, height, width] = *info.shape {
                values
                    .chunks_exact_mut(inputs * height * width)
                    .for_each(centre);
            }
            values
        }))
    }

    fn plan(&self) -> Network<ConvPlan> {
        Network::plan(self.variant, self.deepest())
    }

    fn deepest(&self) -> usize {
        self.stages.last().copied().unwrap_or(1)
    }

    fn with(&self, network: Network<Conv2d>) -> Backbone {
        Backbone::new(self.clone(), network)
    }

    fn mismatch(&self, path: Option<&Path>, source: ParameterError) -> BackboneError {
        BackboneError::Weights {
            path: path.map(Path::to_owned),
            variant: self.variant,
            deepest: self.deepest(),
            source,
        }
    }
}

impl Backbone {
    pub(crate) fn new(config: BackboneConfig, network: Network<Conv2d>) -> Self {
        Self {
            config,
            network,
            frozen: Arc::default(),
        }
    }

    /// What it was built from.
    pub fn config(&self) -> &BackboneConfig {
        &self.config
    }

    /// The feature maps of the chosen stages, fine to coarse.
    ///
    /// # Shapes
    /// - images: `[batch, 3, height, width]`, ImageNet-normalised
    /// - output `s`: `[batch, channels(s), height / 2^(s+1), width / 2^(s+1)]`
    pub fn forward(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        self.maps(images)
            .iter()
            .map(FeatureMap::to_tensor)
            .collect()
    }

    /// The same in the layout in which frozen networks hand them on.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    pub fn maps(&self, images: Tensor<4>) -> Vec<FeatureMap> {
        let precision = self.config.precision;
        let frozen = self.frozen.get_or_init(|| {
            self.network
                .with_layers(|conv| FrozenConv::from(conv).with_precision(precision))
        });
        let outputs = frozen.forward(images);
        self.config
            .stages
            .iter()
            .map(|&stage| outputs[stage - 1].clone())
            .collect()
    }

    pub(crate) fn network(&self) -> &Network<Conv2d> {
        &self.network
    }

    /// The folded weights, under names of our own.
    pub fn parameters(&self) -> NamedTensors {
        collect(&self.network)
    }

    /// SHA-256, in lower-case hex, of the names, shapes and values of the folded weights: equal for equal networks on any device.
    pub fn fingerprint(&self) -> String {
        let mut hash = Hasher::default();
        for (name, tensor) in self.parameters().iter() {
            hash.update(format!("{name} {:?}\n", tensor.shape).as_bytes());
            for value in &tensor.values {
                hash.update(&value.to_le_bytes());
            }
        }
        hash.finish()
    }
}

/// The network of `plan`, all parameters zero.
fn zeros(plan: &Network<ConvPlan>, device: &Device) -> Network<Conv2d> {
    plan.with_layers(|conv| conv.zeros(device))
}

fn centre(filter: &mut [f32]) {
    let mean = filter.iter().sum::<f32>() / filter.len() as f32;
    filter.iter_mut().for_each(|weight| *weight -= mean);
}
