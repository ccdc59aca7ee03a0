//! Connected regions of a mask.

use std::ops::Range;

/// Which pixels count as neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Connectivity {
    /// Pixels that share an edge.
    Four,
    /// Pixels that share an edge or a corner: what MVTec AD's evaluation uses.
    #[default]
    Eight,
}

/// Adjacent marked pixels of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Index of its first pixel in the mask.
    pub(crate) start: usize,
    /// Number of pixels.
    pub(crate) len: usize,
    /// The region it belongs to, counted from 0 in reading order.
    pub(crate) region: u32,
}

/// The regions of one mask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Regions {
    /// In reading order.
    pub(crate) runs: Vec<Run>,
    /// Pixels of every region.
    pub(crate) sizes: Vec<u32>,
}

impl Regions {
    /// Labels the regions of a mask of rows of `width`: union-find over runs, so that the cost is that
    /// of one look at every pixel and a little per run. Masks have fewer than 2^32 pixels.
    pub(crate) fn of(mask: &[bool], width: usize, connectivity: Connectivity) -> Self {
        if !mask.contains(&true) {
            return Self::default();
        }
        let mut runs = Vec::new();
        let mut parents: Vec<u32> = Vec::new();
        let mut above = 0..0;
        for (row, pixels) in mask.chunks_exact(width).enumerate() {
            let first = runs.len();
            find_runs(pixels, row * width, &mut runs);
            parents.extend(first as u32..runs.len() as u32);
            join_rows(
                &runs,
                above,
                first..runs.len(),
                width,
                connectivity,
                &mut parents,
            );
            above = first..runs.len();
        }
        let mut regions = Self {
            runs,
            sizes: Vec::new(),
        };
        let mut names: Vec<Option<u32>> = vec![None; parents.len()];
        for (index, run) in regions.runs.iter_mut().enumerate() {
            let root = root(&mut parents, index as u32) as usize;
            let region = *names[root].get_or_insert_with(|| {
                regions.sizes.push(0);
                (regions.sizes.len() - 1) as u32
            });
            run.region = region;
            regions.sizes[region as usize] += run.len as u32;
        }
        regions
    }
}

impl Regions {
    /// Visits the scores of a map in reading order, cut where a run begins or ends; with each piece that is
    /// anomalous comes the region it lies in.
    pub(crate) fn pieces(&self, scores: &[f32], mut visit: impl FnMut(&[f32], Option<usize>)) {
        let mut done = 0;
        for run in &self.runs {
            visit(&scores[done..run.start], None);
            done = run.start + run.len;
            visit(&scores[run.start..done], Some(run.region as usize));
        }
        visit(&scores[done..], None);
    }
}

fn find_runs(row: &[bool], offset: usize, runs: &mut Vec<Run>) {
    let mut column = 0;
    while let Some(gap) = row[column..].iter().position(|&marked| marked) {
        let start = column + gap;
        let len = row[start..]
            .iter()
            .position(|&marked| !marked)
            .unwrap_or(row.len() - start);
        runs.push(Run {
            start: offset + start,
            len,
            region: 0,
        });
        column = start + len;
    }
}

/// Joins the runs of a row with those of the row above that they touch.
fn join_rows(
    runs: &[Run],
    above: Range<usize>,
    row: Range<usize>,
    width: usize,
    connectivity: Connectivity,
    parents: &mut [u32],
) {
    if above.is_empty() {
        return;
    }
    // How far beyond its own columns a run reaches in the next row.
    let reach = match connectivity {
        Connectivity::Four => 0,
        Connectivity::Eight => 1,
    };
    let mut first = above.start;
    for index in row {
        let start = runs[index].start - width;
        let end = start + runs[index].len;
        while first < above.end && runs[first].start + runs[first].len + reach <= start {
            first += 1;
        }
        let mut other = first;
        while other < above.end && runs[other].start < end + reach {
            join(parents, other as u32, index as u32);
            other += 1;
        }
    }
}

fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let grandparent = parents[parents[node as usize] as usize];
        parents[node as usize] = grandparent;
        node = grandparent;
    }
    node
}

/// The earlier root stays, which keeps regions in reading order.
fn join(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(picture: &[&str], connectivity: Connectivity) -> Vec<u32> {
        let mask: Vec<bool> = picture
            .iter()
            .flat_map(|row| row.bytes().map(|b| b == b'#'))
            .collect();
        Regions::of(&mask, picture[0].len(), connectivity).sizes
    }

    #[test]
    fn corners_join_only_under_eight() {
        let picture = ["#..", ".#.", "..#"];
        assert_eq!(sizes(&picture, Connectivity::Eight), [3]);
        assert_eq!(sizes(&picture, Connectivity::Four), [1, 1, 1]);
        let picture = ["..#", ".#.", "#.."];
        assert_eq!(sizes(&picture, Connectivity::Eight), [3]);
        assert_eq!(sizes(&picture, Connectivity::Four), [1, 1, 1]);
    }

    #[test]
    fn arms_that_meet_later_are_one_region() {
        let picture = ["#.#.#", "#.#.#", "#####", ".....", "##.##"];
        assert_eq!(sizes(&picture, Connectivity::Four), [11, 2, 2]);
        assert_eq!(
            sizes(
                &["##.##", ".....", "#.#.#", "#.#.#", "#####"],
                Connectivity::Eight
            ),
            [2, 2, 11]
        );
    }

    #[test]
    fn rows_do_not_wrap() {
        assert_eq!(sizes(&["..#", "#.."], Connectivity::Eight), [1, 1]);
        assert_eq!(sizes(&["..#", "..."], Connectivity::Eight), [1]);
        assert!(sizes(&["...", "..."], Connectivity::Eight).is_empty());
    }
}
