//! Which source positions an output position is made of, and with what weights.

/// Fraction bits of a weight: 32 less 8 for the pixel and 2 for head-room, as in Pillow's 8-bit path.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The source range and weights of every output position along one axis.
pub(super) struct Axis {
    /// First source position per output position.
    pub(super) first: Vec<usize>,
    /// Number of weights per output position.
    pub(super) count: Vec<usize>,
    /// `stride` weights per output position, the unused ones 0.
    pub(super) weights: Vec<i32>,
    pub(super) stride: usize,
}

impl Axis {
    /// Weights from `input` to `output` positions: w(x) = max(0, 1 - |x + 0.5 - centre| / s), s = max(1, input / output), normalised.
    pub(super) fn new(input: usize, output: usize) -> Self {
        let scale = input as f64 / output as f64;
        let support = scale.max(1.0);
        let inverse = 1.0 / support;
        // `as usize` truncates and saturates at 0, like Pillow's cast followed by its clamp.
        let range = |position: usize| {
            let centre = (position as f64 + 0.5) * scale;
            (
                centre,
                (centre - support + 0.5) as usize,
                ((centre + support + 0.5) as usize).min(input),
            )
        };
        let stride = (0..output)
            .map(range)
            .map(|(_, first, end)| end - first)
            .max()
            .unwrap_or(1);
        let mut axis = Self {
            first: Vec::with_capacity(output),
            count: Vec::with_capacity(output),
            weights: vec![0; stride * output],
            stride,
        };
        let mut exact = vec![0.0; stride];
        for (position, weights) in axis.weights.chunks_mut(stride).enumerate() {
            let (centre, first, end) = range(position);
            let exact = &mut exact[..end - first];
            let mut sum = 0.0;
            for (offset, weight) in exact.iter_mut().enumerate() {
                let distance = ((offset + first) as f64 - centre + 0.5) * inverse;
                *weight = (1.0 - distance.abs()).max(0.0);
                sum += *weight;
            }
            for (weight, exact) in weights.iter_mut().zip(exact.iter()) {
                let normalised = if sum == 0.0 { *exact } else { exact / sum };
                *weight = (0.5 + normalised * f64::from(1u32 << PRECISION_BITS)) as i32;
            }
            axis.first.push(first);
            axis.count.push(end - first);
        }
        axis
    }
}
