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
    pub(super) theirs: Option<Figures>,
    /// Of our median to theirs.
    pub(super) ratio: Option<f64>,
    /// The ratio that is wanted at most.
    pub(super) goal: Option<f64>,
    /// Images in a turn.
    pub(super) images: usize,
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

impl Work {
    /// Lets both sides take turns. The first `warm_up` of either are not counted: they map memory, pack weights, read files for
    /// the first time.
    pub(super) fn alternate(
        self,
        warm_up: usize,
        rounds: usize,
        mut ours: impl Side,
        mut theirs: Option<impl Side>,
    ) -> anyhow::Result<Row> {
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for round in 0..warm_up + rounds {
            let seconds = ours.turn()?;
            let their_seconds = theirs.as_mut().map(Side::turn).transpose()?;
            if round >= warm_up {
                own.push(seconds);
                other.extend(their_seconds);
            }
        }
        let ours = Figures::new(&own, ours.peak_mib()?);
        let theirs = theirs
            .map(|mut side| side.peak_mib())
            .transpose()?
            .map(|peak| Figures::new(&other, peak));
        Ok(Row {
            case: self.case,
            what: self.what,
            ratio: theirs.as_ref().map(|theirs| ours.median / theirs.median),
            ours,
            theirs,
            goal: self.goal,
            images: self.images,
        })
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
    fn the_first_turn_is_not_counted() {
        let work = Work {
            case: "case",
            what: "what".to_owned(),
            goal: Some(0.5),
            images: 1,
        };
        let ours = Scripted(vec![100.0, 1.0, 3.0, 2.0]);
        let theirs = Scripted(vec![0.1, 4.0, 9.0, 4.0]);
        let row = work.alternate(1, 3, ours, Some(theirs)).unwrap();
        let ours = row.ours;
        assert_eq!((ours.median, ours.least, ours.greatest), (2.0, 1.0, 3.0));
        assert_eq!(row.theirs.unwrap().greatest, 9.0);
        assert_eq!(row.ratio, Some(0.5));
    }
}
