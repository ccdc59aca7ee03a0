use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Passes over some images without end, each shuffled anew: every image is drawn equally often.
pub(crate) struct Cycle {
    order: Vec<usize>,
    /// How many of the pass under way are drawn.
    drawn: usize,
}

impl Cycle {
    /// Over `0..count`.
    ///
    /// # Panics
    /// If `count` is 0.
    pub(crate) fn new(count: usize) -> Self {
        assert!(count > 0, "there is something to draw");
        Self {
            order: (0..count).collect(),
            drawn: count,
        }
    }

    /// The next ones.
    pub(crate) fn draw(&mut self, count: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
        (0..count)
            .map(|_| {
                if self.drawn == self.order.len() {
                    self.order.shuffle(random);
                    self.drawn = 0;
                }
                self.drawn += 1;
                self.order[self.drawn - 1]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn all_are_drawn_equally_often() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut cycle = Cycle::new(5);
        let drawn: Vec<usize> = (0..5).flat_map(|_| cycle.draw(3, &mut random)).collect();
        for pass in drawn.chunks(5) {
            let mut pass = pass.to_vec();
            pass.sort_unstable();
            assert_eq!(pass, [0, 1, 2, 3, 4]);
        }
        assert_ne!(drawn[..5], drawn[5..10]);
    }
}
