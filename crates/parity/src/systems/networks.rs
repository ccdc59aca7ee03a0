//! Networks by formula, their gradients by name, and figures that several systems record in the same way.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Gradients, Tensor};
use ckaad_anomaly_map::distances;
use ckaad_detectors::{Inputs, Scored};
use ckaad_ops::FeatureMap;
use ckaad_parameters::{NamedTensors, collect, fill};

use super::figures::Figures;
use crate::formula;

/// `module` with every parameter by the formula of the name that `recorded` makes of its own.
pub(super) fn filled<M: Module>(module: M, seed: u64, recorded: impl Fn(&str) -> String) -> M {
    fill(module, |info| {
        formula::parameter(&recorded(info.name), info.shape, seed).values
    })
}

/// The gradients of `loss` by their parameters' recorded names. Running statistics, which have none, are left out.
pub(super) fn gradients<M: Module>(
    module: &M,
    loss: Tensor<1>,
    recorded: impl Fn(&str) -> String,
) -> NamedTensors {
    gradients_in(module, &mut loss.backward(), recorded)
}

/// Those of them that a module has, taken from among others'.
pub(super) fn gradients_in<M: Module>(
    module: &M,
    gradients: &mut Gradients,
    recorded: impl Fn(&str) -> String,
) -> NamedTensors {
    struct InPlace(GradientsParams);
    impl ModuleMapper for InPlace {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let gradient = self.0.remove::<D>(param.id);
            if !param.val().is_require_grad() {
                return param;
            }
            let (id, tensor, mapper) = param.consume();
            let gradient = gradient.unwrap_or_else(|| tensor.inner().zeros_like());
            Param::from_mapped_value(id, gradient, mapper)
        }
    }
    let mut gradients = InPlace(GradientsParams::from_module(gradients, module));
    let in_place = module.clone().map(&mut gradients);
    let named = collect(&in_place);
    let learned = named.iter().filter(|(name, _)| !name.contains("running_"));
    learned
        .map(|(name, tensor)| (recorded(name), tensor.clone()))
        .collect()
}

/// A network of its own with the same values: batch norms of a copy would share their running statistics.
///
/// # Errors
/// If `empty` is another network.
pub(super) fn twin<M: Module>(empty: M, module: &M) -> anyhow::Result<M> {
    Ok(empty.try_load_record(module.clone().into_record())?)
}

/// The Euclidean norm of all gradients whose names begin with `group`.
pub(super) fn norm(gradients: &NamedTensors, group: &str) -> f64 {
    let of_group = gradients.iter().filter(|(name, _)| name.starts_with(group));
    let values = of_group.flat_map(|(_, tensor)| &tensor.values);
    values.map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}

/// All of several.
pub(super) fn together(parts: &[NamedTensors]) -> NamedTensors {
    let tensors = parts.iter().flat_map(NamedTensors::iter);
    tensors
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
        .collect()
}

impl Figures<'_> {
    /// Compares the norms of a step's gradients by group, for those groups, and, where it is said what their names begin with, the recorded
    /// gradients.
    pub(super) fn gradients_of(
        &mut self,
        step: usize,
        gradients: &NamedTensors,
        groups: &[&str],
        tensors: Option<&str>,
    ) -> anyhow::Result<()> {
        for group in groups {
            let path = format!("grad_norms/{group}");
            self.step(step, &path, [norm(gradients, &format!("{group}."))])?;
        }
        for (name, tensor) in gradients.iter() {
            let Some(name) = tensors.map(|of| format!("{of}.{name}")) else {
                continue;
            };
            if self.records(&name) {
                self.tensor(&name, tensor.values.iter().copied())?;
            }
        }
        Ok(())
    }

    /// Compares what training has added to the parameters of a network that are recorded, by the name that `recorded` makes of their own.
    pub(super) fn all_moved<M: Module>(
        &mut self,
        network: &M,
        seed: u64,
        recorded: impl Fn(&str) -> String,
    ) -> anyhow::Result<()> {
        for (ours, tensor) in collect(network).iter() {
            let name = recorded(ours);
            if self.records(&format!("moved.{name}")) {
                self.moved(&name, &tensor.values, seed)?;
            }
        }
        Ok(())
    }

    /// Compares the norms of a step's gradients, all together and by group, and those of them that are recorded as `gradient.NAME`, of
    /// later steps as `gradient.STEP.NAME`.
    pub(super) fn gradients(
        &mut self,
        step: usize,
        gradients: &NamedTensors,
    ) -> anyhow::Result<()> {
        self.step(step, "grad_norm", [norm(gradients, "")])?;
        for group in self.groups() {
            let path = format!("grad_norms/{group}");
            self.step(step, &path, [norm(gradients, &format!("{group}."))])?;
        }
        for (name, tensor) in gradients.iter() {
            let name = match step {
                0 => format!("gradient.{name}"),
                _ => format!("gradient.{step}.{name}"),
            };
            if self.records(&name) {
                self.tensor(&name, tensor.values.iter().copied())?;
            }
        }
        Ok(())
    }

    /// Compares what training has added to a parameter of that recorded name.
    pub(super) fn moved(&mut self, name: &str, now: &[f32], seed: u64) -> anyhow::Result<()> {
        let start = formula::parameter(name, &self.shape(&format!("moved.{name}"))?, seed);
        let both = now.iter().zip(&start.values);
        let moved = both.map(|(now, start)| f64::from(*now) - f64::from(*start));
        self.tensor(&format!("moved.{name}"), moved)
    }

    /// Compares the distances at every position, scale after scale.
    pub(super) fn distances(
        &mut self,
        when: &str,
        features: &[Tensor<4>],
        outputs: &[Tensor<4>],
    ) -> anyhow::Result<()> {
        for (index, pair) in features.iter().zip(outputs).enumerate() {
            let [feature, output] = [pair.0, pair.1].map(|map| FeatureMap::plain(map.clone()));
            let images = distances(&[feature], &[output]);
            let values = images.iter().flatten().flat_map(|map| &map.values);
            self.tensor(&format!("{when}.distance.{index}"), values.copied())?;
        }
        Ok(())
    }

    /// Compares maps and scores of images.
    pub(super) fn scored(&mut self, when: &str, scored: &[Scored]) -> anyhow::Result<()> {
        let maps = scored.iter().filter_map(|image| image.map.as_ref());
        self.tensor(
            &format!("{when}.anomaly_map"),
            maps.flat_map(|map| &map.values).copied(),
        )?;
        let scores = scored.iter().map(|image| image.score);
        self.scalars(&format!("{when}.image_score"), scores)
    }
}

/// The values of a tensor.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().iter::<f32>().collect()
}

/// A number that was computed on a device.
pub(super) fn number(tensor: Tensor<1>) -> f64 {
    f64::from(tensor.into_scalar::<f32>())
}

/// Features that a network which learns takes as constants.
pub(super) fn tensors(inputs: &Inputs) -> Vec<Tensor<4>> {
    inputs.features.iter().map(FeatureMap::to_tensor).collect()
}

/// The CPU, for what does not learn and for what does.
pub(super) fn devices() -> [Device; 2] {
    let device = ckaad_device::cpu();
    [device.clone(), device.autodiff()]
}
