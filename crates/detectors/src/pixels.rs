//! Images in the ranges of values that systems expect.

use burn::tensor::{Tensor, TensorData};
use ckaad_data::{MEAN, STD};

use crate::Inputs;

/// The images of a batch, brightness from 0 to 1.
///
/// # Panics
/// If there are none: the system needs them.
pub(crate) fn unit(inputs: &Inputs) -> Tensor<4> {
    let Some(images) = inputs.images.clone() else {
        panic!("the system asks for images");
    };
    let device = images.device();
    let channels =
        |of: [f32; 3]| Tensor::<4>::from_data(TensorData::new(of.to_vec(), [1, 3, 1, 1]), &device);
    images * channels(STD) + channels(MEAN)
}

/// The same from -1 to 1.
pub(crate) fn signed(inputs: &Inputs) -> Tensor<4> {
    unit(inputs) * 2.0 - 1.0
}

/// Images from -1 to 1 as a backbone expects them.
pub(crate) fn normalised(signed: Tensor<4>) -> Tensor<4> {
    let device = signed.device();
    let channels =
        |of: [f32; 3]| Tensor::<4>::from_data(TensorData::new(of.to_vec(), [1, 3, 1, 1]), &device);
    (signed * 0.5 + 0.5 - channels(MEAN)) / channels(STD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    #[test]
    fn ranges_are_those_of_pixels() {
        let mut planes = vec![0.0; 3 * 4];
        ckaad_data::normalise_pixels(
            &[0, 0, 0, 255, 255, 255, 51, 102, 204, 0, 0, 0],
            &mut planes,
        );
        let device = ckaad_device::cpu();
        let images = Tensor::from_data(TensorData::new(planes, [1, 3, 2, 2]), &device);
        let inputs = Inputs {
            images: Some(images.clone()),
            features: Vec::new(),
            masks: None,
        };
        let expected = [0.0, 1.0, 0.2, 0.0, 0.0, 1.0, 0.4, 0.0, 0.0, 1.0, 0.8, 0.0];
        for (found, expected) in values(unit(&inputs)).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6);
        }
        for (found, expected) in values(signed(&inputs)).iter().zip(expected) {
            assert!((found - (2.0 * expected - 1.0)).abs() < 1e-6);
        }
        let back = values(normalised(signed(&inputs)));
        for (found, expected) in back.iter().zip(values(images)) {
            assert!((found - expected).abs() < 1e-5);
        }
    }
}
