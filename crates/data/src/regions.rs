//! Connected regions of a mask that a smaller size would lose.

use std::collections::BTreeMap;

/// Sets pixels of `small` for each region (8-connected) of `mask` that has none there, and returns how many regions that were.
///
/// A region that vanished keeps the pixels of which it covers at least half as much as of the pixel that it covers most: a dot one
/// pixel, a scratch its length.
///
/// # Shapes
/// `mask` is [height, width], `small` is [size, size].
pub(crate) fn keep(
    mask: &[bool],
    (width, height): (usize, usize),
    small: &mut [bool],
    size: usize,
) -> usize {
    // What vanished is told from the resized mask itself, not from what is added for other regions.
    let resized = small.to_vec();
    let mut seen = vec![false; mask.len()];
    let (mut stack, mut vanished) = (Vec::new(), 0);
    for start in 0..mask.len() {
        if !mask[start] || seen[start] {
            continue;
        }
        let mut covered: BTreeMap<usize, usize> = BTreeMap::new();
        seen[start] = true;
        stack.push(start);
        while let Some(pixel) = stack.pop() {
            let (x, y) = (pixel % width, pixel / width);
            *covered
                .entry(y * size / height * size + x * size / width)
                .or_default() += 1;
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    let next = ny * width + nx;
                    if mask[next] && !seen[next] {
                        seen[next] = true;
                        stack.push(next);
                    }
                }
            }
        }
        if covered.keys().any(|&cell| resized[cell]) {
            continue;
        }
        vanished += 1;
        let most = covered.values().copied().max().unwrap_or(0);
        for (cell, count) in covered {
            if 2 * count >= most {
                small[cell] = true;
            }
        }
    }
    vanished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_keeps_a_pixel_and_a_scratch_its_length() {
        // 8 x 8 to 4 x 4: a dot at (1, 1), a scratch in row 6 from column 2 to 7, and a square that is there already.
        let mut mask = vec![false; 64];
        mask[9] = true;
        (50..56).for_each(|pixel| mask[pixel] = true);
        for pixel in [6, 7, 14, 15] {
            mask[pixel] = true;
        }
        let mut small = vec![false; 16];
        small[3] = true;
        assert_eq!(keep(&mask, (8, 8), &mut small, 4), 2);
        let set: Vec<usize> = (0..16).filter(|&cell| small[cell]).collect();
        assert_eq!(set, [0, 3, 13, 14, 15]);
        assert_eq!(keep(&mask, (8, 8), &mut small, 4), 0);
    }
}
