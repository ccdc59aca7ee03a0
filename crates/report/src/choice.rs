//! Which images are worth a look.

use crate::run::ScoredImage;

/// The images of a gallery, as positions in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Anomalous images that were found, the highest scores first.
    pub found: Vec<usize>,
    /// Anomalous images that were missed, the lowest scores first.
    pub missed: Vec<usize>,
    /// Normal images that were flagged, the highest scores first.
    pub false_alarms: Vec<usize>,
}

impl Choice {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        let Self {
            found,
            missed,
            false_alarms,
        } = self;
        [found, missed, false_alarms].into_iter().flatten().copied()
    }
}

/// Chooses at most `limit` images of each sort. Of equal scores the earlier images are taken.
pub fn choose(images: &[ScoredImage], threshold: f64, limit: usize) -> Choice {
    let sorted = |anomalous: bool, flagged: bool, sign: f64| {
        let mut chosen: Vec<usize> = (0..images.len())
            .filter(|&index| {
                let image = &images[index];
                image.anomalous == anomalous && (image.score >= threshold) == flagged
            })
            .collect();
        chosen.sort_by(|&a, &b| (sign * images[a].score).total_cmp(&(sign * images[b].score)));
        chosen.truncate(limit);
        chosen
    };
    Choice {
        found: sorted(true, true, -1.0),
        missed: sorted(true, false, 1.0),
        false_alarms: sorted(false, true, -1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plainest_of_each_sort_come_first() {
        let image = |(anomalous, score)| ScoredImage {
            path: String::new(),
            class: String::new(),
            anomalous,
            score,
            p_value: None,
        };
        let images = [
            (true, 0.9),
            (true, 0.95),
            (true, 0.2),
            (true, 0.1),
            (false, 0.5),
            (false, 0.7),
            (false, 0.3),
        ];
        let chosen = choose(&images.map(image), 0.5, 2);
        assert_eq!(chosen.found, [1, 0]);
        assert_eq!(chosen.missed, [3, 2]);
        assert_eq!(chosen.false_alarms, [5, 4]);
        assert_eq!(choose(&images.map(image), 0.5, 1).all().count(), 3);
    }
}
