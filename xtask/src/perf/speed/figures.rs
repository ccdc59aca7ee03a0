//! What turns come to.

use serde::Serialize;

use crate::perf::worker::median;

/// Seconds of the turns of one side, and the peak of its memory.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) greatest: f64,
    pub(super) peak_mib: f64,
}

impl Figures {
    fn new(seconds: &[f64], peak_mib: f64) -> Self {
        Self {
            median: median(seconds.iter().copied()),
            least: seconds.iter().copied().fold(f64::INFINITY, f64::min),
            greatest: seconds.iter().copied().fold(0.0, f64::max),
            peak_mib,
        }
    }
}

/// A line of the report.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) case: &'static str,
    pub(super) what: String,
    pub(super) ours: Figures,
    pub(super) peers: Vec<Peer>,
    /// Of our median to the least of the peers'.
    pub(super) ratio: Option<f64>,
    /// The ratio that is wanted at most.
    pub(super) goal: Option<f64>,
    /// Images in a turn.
    pub(super) images: usize,
}

/// Another program that does the same.
#[derive(Debug, Serialize)]
pub(super) struct Peer {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

impl Row {
    /// The fastest of the peers.
    pub(super) fn best(&self) -> Option<&Peer> {
        let median = |peer: &&Peer| peer.figures.median;
        self.peers
            .iter()
            .min_by(|a, b| median(a).total_cmp(&median(b)))
    }
}

/// A piece of work.
pub(super) struct Work {
    pub(super) case: &'static str,
    pub(super) what: String,
    pub(super) goal: Option<f64>,
    pub(super) images: usize,
}

/// One that does the work over and over.
pub(super) trait Side {
    /// Seconds of another turn.
    fn turn(&mut self) -> anyhow::Result<f64>;
    /// Peak memory so far, in MiB.
    fn peak_mib(&mut self) -> anyhow::Result<f64>;
}

/// Peers by their names.
pub(super) type Peers<'a> = Vec<(String, Box<dyn Side + 'a>)>;

impl Work {
    /// Lets all sides take turns. The first `warm_up` of each are not counted: they map memory, pack weights, read files for
    /// the first time.
    pub(super) fn alternate(
        self,
        warm_up: usize,
        rounds: usize,
        mut ours: impl Side,
        mut peers: Peers<'_>,
    ) -> anyhow::Result<Row> {
        let mut own = Vec::new();
        let mut other = vec![Vec::new(); peers.len()];
        for round in 0..warm_up + rounds {
            let seconds = ours.turn()?;
            let mut theirs = Vec::new();
            for (_, side) in &mut peers {
                theirs.push(side.turn()?);
            }
            if round >= warm_up {
                own.push(seconds);
                for (turns, seconds) in other.iter_mut().zip(theirs) {
                    turns.push(seconds);
                }
            }
        }
        let mut row = Row {
            case: self.case,
            what: self.what,
            ratio: None,
            ours: Figures::new(&own, ours.peak_mib()?),
            peers: Vec::new(),
            goal: self.goal,
            images: self.images,
        };
        for ((name, mut side), turns) in peers.into_iter().zip(other) {
            let figures = Figures::new(&turns, side.peak_mib()?);
            row.peers.push(Peer { name, figures });
        }
        row.ratio = row.best().map(|best| row.ours.median / best.figures.median);
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    struct Scripted(Vec<f64>);

    impl Side for Scripted {
        fn turn(&mut self) -> anyhow::Result<f64> {
            Ok(self.0.remove(0))
        }
        fn peak_mib(&mut self) -> anyhow::Result<f64> {
            Ok(self.0.len() as f64)
        }
    }

    #[test]
    fn the_first_turn_is_not_counted_and_the_fastest_peer_is_compared_with() {
        let work = Work {
            case: "case",
            what: "what".to_owned(),
            goal: Some(0.5),
            images: 1,
        };
        let ours = Scripted(vec![100.0, 1.0, 3.0, 2.0]);
        let peers: Peers<'_> = [[0.1, 5.0, 9.0, 5.0], [0.1, 4.0, 3.0, 4.0]]
            .into_iter()
            .map(|turns| ("a".to_owned(), Box::new(Scripted(turns.to_vec())) as _))
            .collect();
        let row = work.alternate(1, 3, ours, peers).unwrap();
        let own = &row.ours;
        assert_eq!((own.median, own.least, own.greatest), (2.0, 1.0, 3.0));
        assert_eq!(row.peers[0].figures.greatest, 9.0);
        assert_eq!(row.best().unwrap().figures.greatest, 4.0);
        assert_eq!(row.ratio, Some(0.5));
    }
}
