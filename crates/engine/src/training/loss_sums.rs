use burn::tensor::Tensor;
use ckaad_detectors::Losses;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Sums of an epoch's losses by name. Losses stay on the device until they are asked for, so that steps need not wait for
/// each other; when that is does not change the sums.
#[derive(Debug, Default)]
pub(crate) struct LossSums {
    read: SavedSums,
    pending: IndexMap<&'static str, Vec<Tensor<1>>>,
}

/// [`LossSums`] at rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedSums {
    steps: usize,
    sums: IndexMap<String, f64>,
}

impl SavedSums {
    /// Steps summed.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// The means over all steps.
    pub(crate) fn means(&self) -> IndexMap<String, f64> {
        let mean = |(name, sum): (&String, &f64)| (name.clone(), sum / self.steps.max(1) as f64);
        self.sums.iter().map(mean).collect()
    }

    /// The first sum that is no finite number.
    pub(crate) fn diverged(&self) -> Option<(&str, f64)> {
        let mut sums = self.sums.iter();
        let found = sums.find(|(_, sum)| !sum.is_finite());
        found.map(|(name, sum)| (name.as_str(), *sum))
    }
}

impl From<SavedSums> for LossSums {
    fn from(read: SavedSums) -> Self {
        Self {
            read,
            pending: IndexMap::new(),
        }
    }
}

impl LossSums {
    /// Adds the losses of one step.
    pub(crate) fn add(&mut self, losses: Losses) {
        self.read.steps += 1;
        for (name, loss) in losses.0 {
            self.pending.entry(name).or_default().push(loss);
        }
    }

    /// Reads what is still on the device.
    pub(crate) fn read(&mut self) -> &SavedSums {
        for (name, losses) in self.pending.drain(..) {
            let losses = Tensor::cat(losses, 0).into_data().convert::<f32>();
            let sum = self.read.sums.entry(name.to_owned()).or_insert(0.0);
            losses
                .iter::<f32>()
                .for_each(|loss| *sum += f64::from(loss));
        }
        &self.read
    }
}
