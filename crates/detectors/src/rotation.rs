//! Images turned about their centre.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::pooling::values;

/// Images of a batch, to be turned again and again.
pub(crate) struct Images {
    values: Vec<f32>,
    shape: [usize; 4],
    device: Device,
    /// What the channels are outside of an image, in turn.
    outside: Vec<f32>,
}

impl Images {
    /// `outside` are the values of channels, in turn, where there is no image.
    ///
    /// # Shapes
    /// - images: `[batch, channels, side, side]`
    pub(crate) fn new(images: Tensor<4>, outside: &[f32]) -> Self {
        Self {
            shape: images.dims(),
            device: images.device(),
            values: values(images),
            outside: outside.to_vec(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.shape[0]
    }

    /// Every image turned counter-clockwise by its angle, in degrees: the nearest pixel.
    pub(crate) fn turned(&self, angles: &[f64]) -> Tensor<4> {
        let [_, channels, height, width] = self.shape;
        let mut turned = vec![0.0; self.values.len()];
        let length = channels * height * width;
        turned
            .par_chunks_exact_mut(length)
            .zip(self.values.par_chunks_exact(length))
            .zip(angles)
            .for_each(|((out, image), angle)| {
                turn([height, width], image, out, *angle, &self.outside);
            });
        Tensor::from_data(TensorData::new(turned, self.shape), &self.device)
    }
}

fn turn(sides: [usize; 2], image: &[f32], out: &mut [f32], angle: f64, outside: &[f32]) {
    let positions = sides[0] * sides[1];
    for (at, source) in sources(sides, angle).enumerate() {
        let planes = image.chunks_exact(positions);
        let outputs = out.chunks_exact_mut(positions);
        for (channel, (plane, out)) in planes.zip(outputs).enumerate() {
            out[at] = source.map_or(outside[channel % outside.len()], |source| plane[source]);
        }
    }
}

/// Which position of an image comes to lie at each one when it is turned counter-clockwise by an angle in degrees; none where it would be
/// outside. Positions are counted row after row.
pub fn sources([height, width]: [usize; 2], angle: f64) -> impl Iterator<Item = Option<usize>> {
    let (sin, cos) = angle.to_radians().sin_cos();
    let centre = [height, width].map(|side| side as f64 / 2.0);
    (0..height * width).map(move |at| {
        let y = (at / width) as f64 + 0.5 - centre[0];
        let x = (at % width) as f64 + 0.5 - centre[1];
        let row = (cos * y + sin * x + centre[0]).floor();
        let column = (cos * x - sin * y + centre[1]).floor();
        let inside = (0.0..height as f64).contains(&row) && (0.0..width as f64).contains(&column);
        inside.then(|| row as usize * width + column as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_go_round_counter_clockwise() {
        let device = ckaad_device::cpu();
        let row = |offset: f32| [[1.0, 2.0], [3.0, 4.0]].map(|r| r.map(|x: f32| x + offset));
        let image = [row(0.0), row(10.0), row(20.0)];
        let images = Images::new(Tensor::from_floats([image; 3], &device), &[0.0]);
        let turned = values(images.turned(&[0.0, 90.0, -180.0]));
        let one = |image: usize| &turned[image * 12..][..4];
        assert_eq!(one(0), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(one(1), [2.0, 4.0, 1.0, 3.0]);
        assert_eq!(one(2), [4.0, 3.0, 2.0, 1.0]);
        assert_eq!(turned[12 + 4..][..4], [12.0, 14.0, 11.0, 13.0]);
    }

    #[test]
    fn what_comes_from_outside_is_known() {
        let device = ckaad_device::cpu();
        let black = [-2.0, -3.0, -4.0];
        let images = Images::new(Tensor::ones([1, 3, 8, 8], &device), &black);
        let turned = values(images.turned(&[45.0]));
        for (channel, plane) in turned.chunks_exact(64).enumerate() {
            assert_eq!(plane[0], black[channel]);
            assert_eq!(plane[36], 1.0);
            assert!(plane.iter().all(|x| [1.0, black[channel]].contains(x)));
        }
    }
}
