use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::detector::PatchCoreDetector;
use super::{Form, Memory, Settings, Start, k_centres};
use crate::kept::Kept;
use crate::matrix::{Matrix, multiply};
use crate::state::fits;
use crate::{Detector, DetectorError, Inputs, Losses, Setup, State, Trainer};

/// From how many random patches the first one remembered is far.
const STARTS: usize = 10;
const FEATURES: &str = "features";
const ITEMS: &str = "items";
const RADIUS: &str = "radius";

/// Keeps the features of all normal images until the pass is over, then a few patches of them.
pub(super) struct PatchCoreTrainer {
    settings: Settings,
    seed: u64,
    image_size: usize,
    /// Numbers of a patch.
    channels: usize,
    /// Less than half of what their patches take.
    features: Kept,
    learned: Option<(Memory, f32)>,
}

impl PatchCoreTrainer {
    pub(super) fn new(settings: Settings, setup: &Setup<'_>) -> Self {
        Self {
            settings,
            seed: setup.seed,
            image_size: setup.image_size,
            channels: settings.form.channels(setup.backbone.config()),
            features: Kept::new(setup),
            learned: None,
        }
    }

    /// `[channels, positions]`.
    fn patches_of(&self, scales: &[&[f32]]) -> Vec<f32> {
        self.settings.form.patches(scales, self.features.shapes())
    }

    /// How many an image has.
    fn positions(&self) -> usize {
        let [_, height, width] = self.features.shapes()[0];
        height * width
    }

    /// What patches are chosen by, patch after patch, and the length of each.
    fn points(&self, random: &mut ChaCha8Rng) -> (Vec<f32>, usize) {
        let (channels, images) = (self.channels, self.features.len());
        let (positions, dimensions) = (self.positions(), self.settings.projection.min(channels));
        // Random signs keep distances as well as Gaussian numbers do (Achlioptas 2003), and are the same everywhere.
        let share = (dimensions as f32).sqrt().recip();
        let projection: Vec<f32> = (0..channels * dimensions)
            .map(|_| {
                if random.next_u32() & 1 == 0 {
                    share
                } else {
                    -share
                }
            })
            .collect();
        let mut points = vec![0.0; images * positions * dimensions];
        points
            .par_chunks_exact_mut(positions * dimensions)
            .zip(self.features.images())
            .for_each(|(out, scales)| {
                let patches = self.patches_of(&scales);
                let patches = Matrix::rows(&patches, positions).transposed();
                if dimensions < channels {
                    multiply(patches, Matrix::rows(&projection, dimensions), out);
                } else {
                    patches.copy_to(out);
                }
            });
        (points, dimensions)
    }

    /// The patches of those numbers, in that order: `[picks, channels]`.
    fn gather(&self, picks: &[usize]) -> Vec<f32> {
        let (positions, channels) = (self.positions(), self.channels);
        let mut of_image: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (item, pick) in picks.iter().enumerate() {
            let of_image = of_image.entry(pick / positions).or_default();
            of_image.push((item, pick % positions));
        }
        let found: Vec<(usize, Vec<f32>)> = of_image
            .into_par_iter()
            .flat_map_iter(|(image, picks)| {
                let patches = self.patches_of(&self.features.image(image));
                picks.into_iter().map(move |(item, position)| {
                    let channels = patches[position..].iter().step_by(positions);
                    (item, channels.copied().collect())
                })
            })
            .collect();
        let mut items = vec![0.0; picks.len() * channels];
        for (item, patch) in found {
            items[item * channels..][..channels].copy_from_slice(&patch);
        }
        items
    }
}

impl Trainer for PatchCoreTrainer {
    fn step(&mut self, normal: &Inputs, _: Option<&Inputs>) -> Losses {
        self.features.add(normal);
        Losses::default()
    }

    fn end_pass(&mut self) -> Result<(), DetectorError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let (points, dimensions) = self.points(&mut random);
        let count = points.len() / dimensions;
        if count == 0 {
            return Err(DetectorError::Images {
                system: "patchcore",
                least: 1,
                found: 0,
            });
        }
        let mut draw = || (random.next_u64() % count as u64) as usize;
        let starts: Vec<usize> = (0..STARTS).map(|_| draw()).collect();
        let start = match self.settings.form {
            Form::Means => Start::At(starts[0]),
            Form::Neighbourhoods => Start::FarFrom(&starts),
        };
        let wanted = (count as f64 * self.settings.coreset) as usize;
        let coreset = k_centres(&points, dimensions, start, wanted.max(1));
        let memory = Memory::new(self.gather(&coreset.picks), self.channels);
        let radius = coreset.radii.last().copied().unwrap_or_default();
        self.learned = Some((memory, radius));
        self.features.clear();
        Ok(())
    }

    fn detector(&self) -> Box<dyn Detector> {
        let Some((memory, radius)) = self.learned.clone() else {
            panic!("nothing is remembered before the pass is over");
        };
        let detector = PatchCoreDetector::new(self.settings, self.image_size, memory, radius);
        Box::new(detector)
    }

    fn save(&self) -> Result<State, DetectorError> {
        let mut state = State::default();
        self.features.save(FEATURES, &mut state);
        if let Some((memory, radius)) = &self.learned {
            state.insert_values(ITEMS, memory.items());
            state.insert_values(RADIUS, &[*radius]);
        }
        Ok(state)
    }

    fn restore(&mut self, mut state: State) -> Result<(), DetectorError> {
        self.features.restore(FEATURES, &mut state)?;
        self.learned = None;
        if state.0.contains_key(ITEMS) {
            let (items, radius) = (state.take_values(ITEMS)?, state.take_values(RADIUS)?);
            let whole = items.len().is_multiple_of(self.channels);
            fits(whole && !items.is_empty(), ITEMS)?;
            fits(radius.len() == 1, RADIUS)?;
            self.learned = Some((Memory::new(items, self.channels), radius[0]));
        }
        Ok(())
    }
}
