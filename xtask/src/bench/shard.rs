//! A part of the grid.

use std::fmt;
use std::str::FromStr;

/// The `index`-th of `count` parts, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The members of this part, in order. The parts of one count are disjoint and together hold everything.
    pub(crate) fn select<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter()
            .skip(self.index - 1)
            .step_by(self.count)
            .collect()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (index, count) = text.split_once('/')?;
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (1..=count)
                .contains(&index)
                .then_some(Self { index, count })
        };
        parse().ok_or_else(|| {
            format!("\"{text}\" is no part; write I/N with I from 1 to N, for example 2/8")
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parts_are_a_partition() {
        for length in [0, 1, 7, 32] {
            for count in [1, 2, 3, 7, 40] {
                let mut seen: Vec<usize> = (1..=count)
                    .flat_map(|index| {
                        let shard: Shard = format!("{index}/{count}").parse().unwrap();
                        shard.select((0..length).collect())
                    })
                    .collect();
                seen.sort_unstable();
                assert_eq!(
                    seen,
                    (0..length).collect::<Vec<_>>(),
                    "{length} in {count} parts"
                );
            }
        }
    }

    #[test]
    fn what_is_no_part_is_refused() {
        for text in ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
