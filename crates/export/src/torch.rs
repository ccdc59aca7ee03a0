//! The auto-encoder and the discriminator under the names that they have in PyTorch.
//!
//! Names begin with `autoencoder.` and `discriminator.`; without that they are the keys of the modules' state dicts. Layouts are equal but for
//! linear layers, whose weights are `[out, in]` there.

use std::collections::BTreeMap;

use ckaad_detectors::ckaad::discriminator_parameters;
use ckaad_detectors::{DetectorSettings, Setup, State};
use ckaad_engine::Predictor;
use ckaad_parameters::{NamedTensor, NamedTensors, ParameterError, torch_name};

use crate::ExportError;

const AUTO_ENCODER: &str = "autoencoder.";
const DISCRIMINATOR: &str = "discriminator.";

/// The parameters of the model's auto-encoder and, from the state of its training, of the discriminator if the method has one.
///
/// # Errors
/// [`ExportError::NoAutoEncoder`] if the model is of another system than ckaad or rd4ad, [`ExportError::Detector`] if the state is of another
/// training.
pub fn parameters(
    predictor: &Predictor,
    state: Option<State>,
) -> Result<NamedTensors, ExportError> {
    let detector = &predictor.info().config.detector;
    let auto_encoder = renamed(&auto_encoder(predictor)?).prefixed(AUTO_ENCODER);
    let discriminator = match (detector, state) {
        (DetectorSettings::Ckaad(settings), Some(state)) => {
            discriminator_parameters(settings, &setup(predictor), state)?
        }
        _ => None,
    };
    let discriminator = discriminator.unwrap_or_default();
    let discriminator = renamed(&discriminator).prefixed(DISCRIMINATOR);
    let all = auto_encoder.iter().chain(discriminator.iter());
    Ok(all
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
        .collect())
}

/// The model with the auto-encoder of these parameters, as [`parameters`] gives them, or as the state dict of an auto-encoder alone. Those of a
/// discriminator are left out: no model has it. Threshold and calibration stay as they are.
///
/// # Errors
/// [`ExportError::NoAutoEncoder`] as for [`parameters`]; [`ExportError::Torch`] naming what is missing, left over or of another shape.
pub fn with_parameters(
    predictor: &Predictor,
    mut tensors: NamedTensors,
) -> Result<Predictor, ExportError> {
    let ours = auto_encoder(predictor)?;
    tensors.take_prefixed(DISCRIMINATOR);
    let prefixed = tensors.take_prefixed(AUTO_ENCODER);
    let mut found = match prefixed.is_empty() {
        true => tensors,
        false if tensors.is_empty() => prefixed,
        false => {
            let unused = tensors.names().map(str::to_owned).collect();
            return Err(ExportError::Torch(ParameterError::Mismatch {
                missing: Vec::new(),
                unused,
                mis_shaped: Vec::new(),
            }));
        }
    };
    let expected: BTreeMap<String, Vec<usize>> = ours
        .iter()
        .map(|(name, tensor)| (torch_name(name), tensor.shape.clone()))
        .collect();
    found.check(&expected).map_err(ExportError::Torch)?;
    let parameters: NamedTensors = ours
        .names()
        .filter_map(|name| Some((name.to_owned(), found.remove(&torch_name(name))?)))
        .collect();
    let (info, device) = (predictor.info(), predictor.device());
    let detector = info.config.detector.load(&setup(predictor), parameters)?;
    let backbone = predictor.backbone().clone();
    Ok(Predictor::new(backbone, detector, info.clone(), device))
}

fn setup(predictor: &Predictor) -> Setup<'_> {
    let config = &predictor.info().config;
    Setup {
        backbone: predictor.backbone(),
        image_size: config.image_size,
        seed: config.seed,
        steps: 0,
        device: predictor.device(),
    }
}

/// The parameters of the auto-encoder, which are all of such a detector.
fn auto_encoder(predictor: &Predictor) -> Result<NamedTensors, ExportError> {
    match &predictor.info().config.detector {
        DetectorSettings::Ckaad(_) | DetectorSettings::Rd4ad(_) => {
            Ok(predictor.detector().parameters())
        }
        other => Err(ExportError::NoAutoEncoder {
            detector: other.name(),
        }),
    }
}

/// Under PyTorch's names, in its layouts.
fn renamed(ours: &NamedTensors) -> NamedTensors {
    let there = |tensor: &NamedTensor| match tensor.shape[..] {
        [inputs, outputs] => {
            let column = |output| tensor.values[output..].iter().step_by(outputs);
            NamedTensor {
                shape: vec![outputs, inputs],
                values: (0..outputs).flat_map(column).copied().collect(),
            }
        }
        _ => tensor.clone(),
    };
    ours.iter()
        .map(|(name, tensor)| (torch_name(name), there(tensor)))
        .collect()
}
