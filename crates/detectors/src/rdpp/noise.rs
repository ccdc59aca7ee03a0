//! Simplex noise (Perlin, 2001) in three dimensions: a smooth random function that needs no table, only a seed.

/// Octaves that are added.
const OCTAVES: i32 = 6;
/// How strong an octave is beside the one before, which is half as fine.
const PERSISTENCE: f64 = 0.6;
/// Squared radius beyond which a corner of the grid has no influence.
const REACH: f64 = 0.5;
/// Brings the largest values close to 1.
const SCALE: f64 = 76.0;

/// Octaves of noise at a point, each twice as fine as the one before; the first varies over a length of about 1. Within ±2.4.
pub(super) fn octaves(seed: u64, point: [f64; 3]) -> f64 {
    let octave = |octave: i32| {
        let fine = f64::from(1 << octave);
        PERSISTENCE.powi(octave) * simplex(seed, point.map(|x| x * fine))
    };
    (0..OCTAVES).map(octave).sum()
}

/// Noise at a point, within ±1: the influence of the four corners of the tetrahedron around it, each a ramp in a direction of its own.
fn simplex(seed: u64, point: [f64; 3]) -> f64 {
    // Skewed along the diagonal, the tetrahedra fill unit cubes, six each.
    let skew = point.iter().sum::<f64>() / 3.0;
    let cell = point.map(|x| (x + skew).floor());
    let back = cell.iter().sum::<f64>() / 6.0;
    let inside = [0, 1, 2].map(|axis| point[axis] - cell[axis] + back);
    // From the cube's first corner to its last along the edges, the axis first that the point is farthest along.
    let mut axes = [0, 1, 2];
    axes.sort_by(|&a, &b| inside[b].total_cmp(&inside[a]));
    let mut corner = cell;
    let mut offset = inside;
    let mut value = influence(seed, corner, offset);
    for axis in axes {
        corner[axis] += 1.0;
        offset[axis] -= 1.0;
        offset = offset.map(|x| x + 1.0 / 6.0);
        value += influence(seed, corner, offset);
    }
    SCALE * value
}

/// What a corner adds at that offset from it.
fn influence(seed: u64, corner: [f64; 3], offset: [f64; 3]) -> f64 {
    let left = REACH - offset.iter().map(|x| x * x).sum::<f64>();
    if left <= 0.0 {
        return 0.0;
    }
    // One of the twelve directions to the middles of a cube's edges.
    let direction = hash(seed, corner) % 12;
    let axis = (direction % 3) as usize;
    let sign = |bit: u64| {
        if (direction / 3) & bit == 0 {
            1.0
        } else {
            -1.0
        }
    };
    let ramp = sign(1) * offset[axis] + sign(2) * offset[(axis + 1) % 3];
    left.powi(4) * ramp
}

/// Mixes a corner into the seed, by the finaliser of splitmix64 (Steele et al., 2014).
fn hash(seed: u64, corner: [f64; 3]) -> u64 {
    corner.iter().fold(seed, |state, &x| {
        let mut z = (state ^ x as i64 as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a line that cuts tetrahedra of all kinds.
    fn line(step: f64) -> impl Iterator<Item = [f64; 3]> {
        (0..20_000).map(move |at| {
            let t = f64::from(at) * step;
            [t, 0.37 * t - 5.0, 11.0 - 0.71 * t]
        })
    }

    #[test]
    fn noise_is_smooth() {
        let values: Vec<f64> = line(1e-3).map(|point| simplex(3, point)).collect();
        for pair in values.windows(2) {
            assert!((pair[0] - pair[1]).abs() < 1e-2, "{pair:?}");
        }
    }

    #[test]
    fn noise_is_about_zero_and_fills_its_range() {
        let values: Vec<f64> = line(0.31).map(|point| simplex(4, point)).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let square = values.iter().map(|x| x * x).sum::<f64>() / values.len() as f64;
        let largest = values.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((0.2..0.5).contains(&square.sqrt()), "{square}");
        assert!((0.8..=1.0).contains(&largest), "{largest}");
    }

    #[test]
    fn corners_of_the_grid_have_no_noise_and_seeds_differ() {
        assert!(simplex(5, [0.0; 3]).abs() < 1e-12);
        let [one, other] = [5, 6].map(|seed| octaves(seed, [0.3, 0.1, -0.4]));
        assert_ne!(one, other);
        assert_eq!(one, octaves(5, [0.3, 0.1, -0.4]));
    }
}
