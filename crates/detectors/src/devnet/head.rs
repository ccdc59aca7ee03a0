/// A score for every position of a scale: a convolution of 1 x 1 to one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Of every channel.
    pub weights: Vec<f64>,
    /// Added to all.
    pub bias: f64,
}

impl Head {
    /// The scores of all positions; how far they are from zero is what counts.
    ///
    /// # Shapes
    /// `features`: `[channels, positions]`; the result is `[positions]`.
    ///
    /// # Panics
    /// If the features have no whole channels.
    pub fn scores(&self, features: &[f32]) -> Vec<f64> {
        let positions = features.len() / self.weights.len();
        let channels = features.chunks_exact(positions);
        assert_eq!(
            channels.len(),
            self.weights.len(),
            "features of all channels"
        );
        let mut scores = vec![self.bias; positions];
        for (channel, weight) in channels.zip(&self.weights) {
            for (score, x) in scores.iter_mut().zip(channel) {
                *score += weight * f64::from(*x);
            }
        }
        scores
    }
}
