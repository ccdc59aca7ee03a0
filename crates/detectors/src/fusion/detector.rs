use std::collections::BTreeMap;

use ckaad_anomaly_map::AnomalyMap;
use ckaad_parameters::{NamedTensor, NamedTensors};

use super::Member;
use super::standard::{Moments, Standard};
use super::weights::choose;
use crate::{Detector, DetectorError, HeldOut, Inputs, Scored, Setup};

/// What the model holds of every member besides its own parameters.
const NAMES: [&str; 6] = [
    "weights",
    "score_mean",
    "score_deviation",
    "map_weights",
    "map_mean",
    "map_deviation",
];

/// The weighted mean of standardised scores and maps.
pub(super) struct FusionDetector {
    members: Vec<Part>,
    image_size: usize,
}

struct Part {
    /// None if it counts for nothing.
    detector: Option<Box<dyn Detector>>,
    score: Share,
    map: Share,
}

/// How much a member's values count, and on which scale.
#[derive(Clone, Copy)]
struct Share {
    weight: f32,
    standard: Standard,
}

impl Share {
    fn of(self, value: f64) -> f64 {
        f64::from(self.weight) * self.standard.of(value)
    }
}

impl FusionDetector {
    /// Members that count evenly, on the scales they have.
    pub(super) fn new(detectors: Vec<Box<dyn Detector>>, image_size: usize) -> Self {
        let share = Share {
            weight: 1.0 / detectors.len() as f32,
            standard: Standard::NONE,
        };
        let part = |detector| Part {
            detector: Some(detector),
            score: share,
            map: share,
        };
        Self {
            members: detectors.into_iter().map(part).collect(),
            image_size,
        }
    }

    pub(super) fn from_parameters(
        members: &[Member],
        setup: &Setup<'_>,
        mut parameters: NamedTensors,
    ) -> Result<Self, DetectorError> {
        let own: Vec<NamedTensors> = (0..members.len())
            .map(|index| parameters.take_prefixed(&prefix(index)))
            .collect();
        let expected: BTreeMap<String, Vec<usize>> = NAMES
            .into_iter()
            .map(|name| (name.to_owned(), vec![members.len()]))
            .collect();
        parameters.check(&expected)?;
        let values = NAMES.map(|name| parameters.remove(name).map_or(Vec::new(), |it| it.values));
        let share = |index: usize, first: usize| Share {
            weight: values[first][index],
            standard: Standard {
                mean: values[first + 1][index],
                deviation: values[first + 2][index],
            },
        };
        let part = |(index, (member, own)): (usize, (&Member, NamedTensors))| {
            let (score, map) = (share(index, 0), share(index, 3));
            let counts = score.weight != 0.0 || map.weight != 0.0;
            let detector = counts.then(|| member.load(setup, own)).transpose()?;
            Ok(Part {
                detector,
                score,
                map,
            })
        };
        let parts = members.iter().zip(own).enumerate().map(part);
        Ok(Self {
            members: parts.collect::<Result<_, DetectorError>>()?,
            image_size: setup.image_size,
        })
    }

    fn image(&self, of_members: &[(&Part, Scored)]) -> Scored {
        let mut values: Option<Vec<f32>> = None;
        for (part, scored) in of_members {
            let Some(map) = scored.map.as_ref().filter(|_| part.map.weight != 0.0) else {
                continue;
            };
            let map = map.at_size(self.image_size, self.image_size);
            let sum = values.get_or_insert_with(|| vec![0.0; map.values.len()]);
            for (sum, value) in sum.iter_mut().zip(&map.values) {
                *sum += part.map.of(f64::from(*value)) as f32;
            }
        }
        Scored {
            score: of_members
                .iter()
                .map(|(part, scored)| part.score.of(scored.score))
                .sum(),
            map: values.map(|values| AnomalyMap {
                height: self.image_size,
                width: self.image_size,
                values,
            }),
        }
    }
}

fn prefix(index: usize) -> String {
    format!("{index}.")
}

/// What members say of held-out images.
#[derive(Default)]
struct Seen {
    scores: Vec<f64>,
    of_normal: Moments,
    pixels_of_normal: Moments,
    has_maps: bool,
}

impl Detector for FusionDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let images = inputs.features.first().map_or(0, |scale| scale.dims()[0]);
        let mut of_images: Vec<Vec<(&Part, Scored)>> = (0..images).map(|_| Vec::new()).collect();
        for part in &self.members {
            let Some(detector) = &part.detector else {
                continue;
            };
            for (image, scored) in of_images.iter_mut().zip(detector.score(inputs)) {
                image.push((part, scored));
            }
        }
        of_images.iter().map(|image| self.image(image)).collect()
    }

    fn parameters(&self) -> NamedTensors {
        let columns: [fn(&Part) -> f32; 6] = [
            |part| part.score.weight,
            |part| part.score.standard.mean,
            |part| part.score.standard.deviation,
            |part| part.map.weight,
            |part| part.map.standard.mean,
            |part| part.map.standard.deviation,
        ];
        let mut parameters = NamedTensors::new();
        for (name, column) in NAMES.into_iter().zip(columns) {
            let values: Vec<f32> = self.members.iter().map(column).collect();
            let shape = vec![values.len()];
            parameters.insert(name, NamedTensor { shape, values });
        }
        for (index, part) in self.members.iter().enumerate() {
            let own = part.detector.iter().map(|detector| detector.parameters());
            for own in own.map(|own| own.prefixed(&prefix(index))) {
                for (name, tensor) in own.iter() {
                    parameters.insert(name, tensor.clone());
                }
            }
        }
        parameters
    }

    fn map_range(&self) -> [f32; 2] {
        let mut range = [0.0; 2];
        for part in &self.members {
            let of_member = part.detector.as_ref().map_or([0.0; 2], |it| it.map_range());
            for (end, of_member) in range.iter_mut().zip(of_member) {
                *end += part.map.of(f64::from(of_member)) as f32;
            }
        }
        range
    }

    fn tune(&mut self, held_out: &dyn HeldOut) {
        let mut seen: Vec<Seen> = self.members.iter().map(|_| Seen::default()).collect();
        let mut anomalous = Vec::new();
        held_out.for_each(&mut |inputs, labels| {
            for (seen, part) in seen.iter_mut().zip(&self.members) {
                let scored = part
                    .detector
                    .as_ref()
                    .map_or(Vec::new(), |it| it.score(inputs));
                for (scored, &label) in scored.iter().zip(labels) {
                    seen.add(scored, label);
                }
            }
            anomalous.extend_from_slice(labels);
        });
        let standardised: Vec<Vec<f64>> = seen.iter().map(Seen::standardised).collect();
        let weights = choose(&standardised, &anomalous);
        // The map is of those members that have one: as their scores count, or evenly if these count for nothing.
        let with_maps = |weight: fn(f64) -> f64| -> Vec<f64> {
            let of = seen.iter().zip(&weights);
            of.map(|(seen, of)| if seen.has_maps { weight(*of) } else { 0.0 })
                .collect()
        };
        let mut of_maps = with_maps(|weight| weight);
        if of_maps.iter().sum::<f64>() == 0.0 {
            of_maps = with_maps(|_| 1.0);
        }
        let all = of_maps.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        for (((part, seen), weight), of_map) in
            self.members.iter_mut().zip(&seen).zip(weights).zip(of_maps)
        {
            part.score = Share {
                weight: weight as f32,
                standard: seen.of_normal.standard(),
            };
            part.map = Share {
                weight: (of_map / all) as f32,
                standard: seen.pixels_of_normal.standard(),
            };
            if part.score.weight == 0.0 && part.map.weight == 0.0 {
                part.detector = None;
            }
        }
    }
}

impl Seen {
    fn add(&mut self, scored: &Scored, anomalous: bool) {
        self.scores.push(scored.score);
        self.has_maps |= scored.map.is_some();
        if !anomalous {
            self.of_normal.add(scored.score);
            let pixels = scored.map.iter().flat_map(|map| &map.values);
            pixels.for_each(|&value| self.pixels_of_normal.add(f64::from(value)));
        }
    }

    fn standardised(&self) -> Vec<f64> {
        let standard = self.of_normal.standard();
        self.scores
            .iter()
            .map(|&score| standard.of(score))
            .collect()
    }
}
