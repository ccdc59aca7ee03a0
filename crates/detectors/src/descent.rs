//! Update rules on slices, for networks so small that their gradients are spelled out.

/// Adam in double precision (betas 0.9 and 0.999, epsilon 1e-8), with a weight decay that is added to the gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adam {
    weight_decay: f64,
    /// Steps done.
    pub(crate) time: i32,
    /// First and second moment of every parameter.
    pub(crate) moments: Vec<[Vec<f64>; 2]>,
}

impl Adam {
    /// For parameters of those lengths.
    pub(crate) fn new(weight_decay: f64, lengths: impl IntoIterator<Item = usize>) -> Self {
        let moments = lengths
            .into_iter()
            .map(|length| [(); 2].map(|()| vec![0.0; length]));
        Self {
            weight_decay,
            time: 0,
            moments: moments.collect(),
        }
    }

    /// Moves all parameters against their gradients.
    pub(crate) fn step<'a>(
        &mut self,
        rate: f64,
        parameters: impl IntoIterator<Item = (&'a mut [f64], &'a [f64])>,
    ) {
        const BETAS: [f64; 2] = [0.9, 0.999];
        self.time += 1;
        let corrections = BETAS.map(|beta| 1.0 - beta.powi(self.time));
        for ((values, gradient), [first, second]) in parameters.into_iter().zip(&mut self.moments) {
            let moments = first.iter_mut().zip(second);
            for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments)
            {
                let gradient = *gradient + self.weight_decay * *value;
                let mean = BETAS[0] * *first + (1.0 - BETAS[0]) * gradient;
                let square = BETAS[1] * *second + (1.0 - BETAS[1]) * gradient * gradient;
                (*first, *second) = (mean, square);
                let scale = (square / corrections[1]).sqrt() + 1e-8;
                *value -= rate * mean / corrections[0] / scale;
            }
        }
    }
}

/// RMSprop in double precision as Keras 2 has it: rho 0.9, epsilon 1e-7 outside the root.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RmsProp {
    /// The running mean of the square of every gradient.
    squares: Vec<Vec<f64>>,
}

impl RmsProp {
    /// For parameters of those lengths.
    pub(crate) fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let squares = lengths.into_iter().map(|length| vec![0.0; length]);
        Self {
            squares: squares.collect(),
        }
    }

    /// Moves all parameters against their gradients.
    pub(crate) fn step<'a>(
        &mut self,
        rate: f64,
        parameters: impl IntoIterator<Item = (&'a mut [f64], &'a [f64])>,
    ) {
        const RHO: f64 = 0.9;
        for ((values, gradient), squares) in parameters.into_iter().zip(&mut self.squares) {
            for ((value, gradient), square) in values.iter_mut().zip(gradient).zip(squares) {
                *square = RHO * *square + (1.0 - RHO) * gradient * gradient;
                *value -= rate * gradient / (square.sqrt() + 1e-7);
            }
        }
    }
}

/// What gradients are multiplied with so that their norm is at most `most`, from the sum of all their squares: as PyTorch clips.
pub(crate) fn clip(squares: f64, most: f64) -> f64 {
    (most / (squares.sqrt() + 1e-6)).min(1.0)
}

/// The same, as Keras clips.
pub(crate) fn clip_exactly(squares: f64, most: f64) -> f64 {
    most / squares.sqrt().max(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first step has the length of the rate whatever the gradient; decay is part of the gradient.
    #[test]
    fn the_first_step_is_as_long_as_the_rate() {
        let mut values = [1.0, -2.0, 0.5];
        let mut adam = Adam::new(0.0, [3]);
        adam.step(0.1, [(&mut values[..], &[5.0, -1e-3, 0.0][..])]);
        for (value, expected) in values.iter().zip([0.9, -1.9, 0.5]) {
            assert!((value - expected).abs() < 1e-5, "{values:?}");
        }
        let mut decayed = [1.0, -2.0, 0.0];
        Adam::new(0.5, [3]).step(0.1, [(&mut decayed[..], &[0.0, 0.0, 0.0][..])]);
        for (value, expected) in decayed.iter().zip([0.9, -1.9, 0.0]) {
            assert!((value - expected).abs() < 1e-5, "{decayed:?}");
        }
    }
}
