use burn::tensor::Tensor;
use ckaad_detectors::Losses;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Sums of an epoch's losses by name. Losses stay on the device until they are asked for, so that steps need not wait for
/// each other; when that is does not change the sums.
#[derive(Debug, Default)]
pub(crate) struct LossSums {
    read: SavedSums,
    /// What is still on the device of every loss: the steps and the values.
    pending: IndexMap<&'static str, Vec<(usize, Tensor<1>)>>,
    /// The same of values that are looked at and not summed.
    watched: IndexMap<&'static str, Vec<(usize, Tensor<1>)>>,
    bad: Option<Bad>,
}

/// A value that is no finite number, in the first step that had one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bad {
    pub(crate) what: String,
    pub(crate) value: f64,
    /// Step of the epoch, from 1.
    pub(crate) step: usize,
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
}

impl From<SavedSums> for LossSums {
    fn from(read: SavedSums) -> Self {
        Self {
            read,
            ..Self::default()
        }
    }
}

impl LossSums {
    /// Adds the losses of one step, and what else is to be looked at of it.
    pub(crate) fn add(&mut self, losses: Losses, watched: Vec<(&'static str, Tensor<1>)>) {
        self.read.steps += 1;
        let step = self.read.steps;
        for (name, loss) in losses.0 {
            self.pending.entry(name).or_default().push((step, loss));
        }
        for (name, value) in watched {
            self.watched.entry(name).or_default().push((step, value));
        }
    }

    /// Reads what is still on the device.
    pub(crate) fn read(&mut self) -> &SavedSums {
        for (name, losses) in self.pending.drain(..) {
            let sum = self.read.sums.entry(name.to_owned()).or_insert(0.0);
            for (step, loss) in on_host(losses) {
                *sum += loss;
                note(&mut self.bad, step, loss, || format!("the loss `{name}`"));
            }
        }
        for (name, values) in self.watched.drain(..) {
            for (step, value) in on_host(values) {
                note(&mut self.bad, step, value, || name.to_owned());
            }
        }
        &self.read
    }

    /// What was no finite number of all that has been read.
    pub(crate) fn bad(&mut self) -> Option<&Bad> {
        self.read();
        self.bad.as_ref()
    }
}

/// Waits for the device.
fn on_host(values: Vec<(usize, Tensor<1>)>) -> Vec<(usize, f64)> {
    let (steps, values): (Vec<usize>, Vec<Tensor<1>>) = values.into_iter().unzip();
    let values = Tensor::cat(values, 0).into_data().convert::<f32>();
    steps
        .into_iter()
        .zip(values.iter::<f32>().map(f64::from))
        .collect()
}

fn note(bad: &mut Option<Bad>, step: usize, value: f64, what: impl FnOnce() -> String) {
    if !value.is_finite() && bad.as_ref().is_none_or(|bad| step < bad.step) {
        let what = what();
        *bad = Some(Bad { what, value, step });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_that_is_not_finite_is_named_whichever_value_it_is() {
        let device = ckaad_device::cpu();
        let value = |value: f32| Tensor::<1>::from_floats([value], &device);
        let mut sums = LossSums::default();
        let step = |total: f32, discriminator: Option<f32>| {
            let mut losses = vec![("total", value(total))];
            losses.extend(discriminator.map(|loss| ("discriminator", value(loss))));
            Losses(losses)
        };
        sums.add(step(1.0, None), vec![("the gradient", value(1.0))]);
        sums.add(step(2.0, Some(1.0)), vec![("the gradient", value(1.0))]);
        assert_eq!(sums.bad(), None);
        assert_eq!(sums.read().means()["total"], 1.5);
        sums.add(
            step(2.0, Some(1.0)),
            vec![("the gradient", value(f32::NAN))],
        );
        sums.add(step(f32::NAN, Some(f32::INFINITY)), vec![]);
        let bad = sums.bad().cloned();
        assert_eq!(
            bad.map(|bad| (bad.what, bad.step)),
            Some(("the gradient".to_owned(), 3))
        );
    }

    #[test]
    fn every_loss_is_looked_at() {
        let device = ckaad_device::cpu();
        let value = |value: f32| Tensor::<1>::from_floats([value], &device);
        let mut sums = LossSums::default();
        let losses = vec![
            ("total", value(1.0)),
            ("discriminator", value(f32::INFINITY)),
        ];
        sums.add(Losses(losses), vec![]);
        let bad = sums.bad().cloned();
        assert_eq!(
            bad.map(|bad| bad.what),
            Some("the loss `discriminator`".to_owned())
        );
    }
}
