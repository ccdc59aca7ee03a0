use burn::tensor::Tensor;

use super::detector::FusionDetector;
use super::{Member, Settings};
use crate::state::fits;
use crate::{
    Detector, DetectorError, Inputs, Losses, Needs, Passes, Setup, State, System, Trainer,
};

/// How many passes are over.
const PASSES: &str = "passes";

/// Trains every member by itself. Where some see every image once and others learn in epochs, the first pass is for the former.
pub(super) struct FusionTrainer {
    members: Vec<(Member, Box<dyn Trainer>)>,
    passes: Passes,
    done: usize,
    image_size: usize,
}

impl FusionTrainer {
    pub(super) fn new(settings: &Settings, setup: &Setup<'_>) -> Self {
        let trainer = |member: &Member| (member.clone(), member.trainer(setup));
        Self {
            members: settings.members.iter().map(trainer).collect(),
            passes: settings.needs().passes,
            done: 0,
            image_size: setup.image_size,
        }
    }

    /// The members that learn in the pass under way.
    fn learning(&mut self) -> impl Iterator<Item = (&Member, &mut Box<dyn Trainer>)> {
        let first = self.done == 0;
        let mixed = self.passes == Passes::OnceThenEpochs;
        self.members
            .iter_mut()
            .map(|(member, trainer)| (&*member, trainer))
            .filter(move |(member, _)| match member.needs().passes {
                Passes::Once => first,
                Passes::Epochs | Passes::OnceThenEpochs => !(mixed && first),
            })
    }
}

impl Trainer for FusionTrainer {
    fn step(&mut self, normal: &Inputs, anomalous: Option<&Inputs>) -> Losses {
        let mut losses = Vec::new();
        for (member, trainer) in self.learning() {
            let Needs { anomalies, .. } = member.needs();
            let anomalous = anomalous.filter(|_| anomalies.are_looked_at());
            let of_member = trainer.step(normal, anomalous).0;
            losses.extend(
                of_member
                    .into_iter()
                    .take(1)
                    .map(|(_, loss)| (member.name(), loss)),
            );
        }
        Losses(losses)
    }

    fn watched(&self) -> Vec<(&'static str, Tensor<1>)> {
        let members = self.members.iter();
        members.flat_map(|(_, trainer)| trainer.watched()).collect()
    }

    fn collapse(&self, normal: &Inputs) -> Option<String> {
        let mut members = self.members.iter();
        members.find_map(|(_, trainer)| trainer.collapse(normal))
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        for (_, trainer) in self.learning() {
            trainer.end_pass()?;
        }
        self.done += 1;
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let detectors = self.members.iter().map(|(_, trainer)| trainer.detector());
        Box::new(FusionDetector::new(detectors.collect(), self.image_size))
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        state.insert_numbers(PASSES, [self.done as f64]);
        for (member, trainer) in &self.members {
            let parts = trainer.save()?.0.into_iter();
            state
                .0
                .extend(parts.map(|(part, bytes)| (format!("{}.{part}", member.name()), bytes)));
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        let done = state.take_numbers(PASSES)?;
        fits(done.len() == 1, PASSES)?;
        self.done = done[0] as usize;
        for (member, trainer) in &mut self.members {
            let prefix = format!("{}.", member.name());
            let own = |part: &str| part.strip_prefix(&prefix).map(str::to_owned);
            let parts = state.0.iter();
            let parts = parts.filter_map(|(part, bytes)| Some((own(part)?, bytes.clone())));
            trainer.restore(State(parts.collect()))?;
        }
        Ok(())
    }
}
