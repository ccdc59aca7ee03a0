//! One line that says what the images of a data set count as.

use std::collections::BTreeMap;

use super::Dataset;
use crate::sample::Sample;

impl Dataset {
    /// How many images of each class count as normal and as anomalous in each part, and what was left out:
    /// `training: 40 normal (normal 40), 8 anomalous (anomalous 8); test: ...; left out: 15 .gif`.
    pub fn account(&self) -> String {
        let mut parts: Vec<String> = [
            ("training", &self.train),
            ("validation", &self.validation),
            ("test", &self.test),
        ]
        .into_iter()
        .filter(|(_, samples)| !samples.is_empty())
        .map(|(part, samples)| format!("{part}: {}", kinds(samples)))
        .collect();
        if !self.left_out.0.is_empty() {
            parts.push(format!("left out: {}", self.left_out));
        }
        parts.join("; ")
    }
}

/// `8 normal (good 8), 9 anomalous (hole 4, scratch 5)`.
fn kinds(samples: &[Sample]) -> String {
    let mut kinds: BTreeMap<_, BTreeMap<&str, usize>> = BTreeMap::new();
    for sample in samples {
        let classes = kinds.entry(sample.label).or_default();
        *classes.entry(&sample.class).or_default() += 1;
    }
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(label, classes)| {
            let total: usize = classes.values().sum();
            let classes: Vec<String> = classes
                .into_iter()
                .map(|(class, count)| format!("{class} {count}"))
                .collect();
            format!("{total} {label} ({})", classes.join(", "))
        })
        .collect();
    kinds.join(", ")
}
