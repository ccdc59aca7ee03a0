//! What the networks learn to make small.

use burn::tensor::Tensor;
use ckaad_anomaly_map::Align;
use ckaad_ops::normalise_channels;

use crate::planes::resized;

/// How strongly positions that are told right already are overlooked.
const FOCUS: i32 = 4;
/// What probabilities are kept off 0 and 1 by before a logarithm.
const SMALL: f64 = 1e-7;

/// For every scale one less the cosine of teacher and student at every position, summed over images and positions and divided by the positions of
/// an image.
///
/// # Shapes
/// `teacher[s]` and `student[s]`: `[batch, channels(s), height(s), width(s)]`.
pub fn student_losses(teacher: &[Tensor<4>], student: &[Tensor<4>]) -> Vec<Tensor<1>> {
    let scales = teacher.iter().zip(student);
    scales
        .map(|(teacher, student)| {
            let [_, _, height, width] = teacher.dims();
            distance(teacher, student).sum() / (height * width) as f64
        })
        .collect()
}

/// One less the cosine at every position: `[batch, 1, height, width]`.
pub fn distance(teacher: &Tensor<4>, student: &Tensor<4>) -> Tensor<4> {
    let [teacher, student] = [teacher, student].map(|map| normalise_channels(map.clone()));
    (teacher * student).sum_dim(1).neg() + 1.0
}

/// The products of all distances, brought to the finest scale's size: where there is an anomaly as long as nothing else has learned.
pub fn distances_product(teacher: &[Tensor<4>], student: &[Tensor<4>]) -> Tensor<4> {
    let size = finest(teacher);
    let scales = teacher.iter().zip(student);
    let scales = scales.map(|(a, b)| resized(distance(a, b), size, Align::Edges));
    scales
        .reduce(|product, scale| product * scale)
        .unwrap_or_else(|| panic!("a teacher has at least one scale"))
}

/// The negative products of channels of teacher and student, both of unit length at every position, brought to the finest scale's size.
pub fn products(teacher: &[Tensor<4>], student: &[Tensor<4>]) -> Tensor<4> {
    let size = finest(teacher);
    let scales = teacher.iter().zip(student).map(|(teacher, student)| {
        let [a, b] = [teacher, student].map(|map| normalise_channels(map.clone()));
        resized((a * b).neg(), size, Align::Edges)
    });
    Tensor::cat(scales.collect(), 1)
}

/// Height and width of the finest scale.
fn finest(maps: &[Tensor<4>]) -> [usize; 2] {
    let [_, _, height, width] = maps[0].dims();
    [height, width]
}

/// Masks brought to another size: 1 where at least half of a position is covered, by bilinear interpolation.
pub fn shrunk(masks: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    resized(masks, size, Align::Edges)
        .greater_equal_elem(0.5)
        .float()
}

/// The losses of a segmentation, each a tensor with one element.
#[derive(Debug, Clone)]
pub struct SegmentLosses {
    /// The focal loss: cross entropy times the fourth power of what the truth lacks to 1.
    pub focal: Tensor<1>,
    /// The mean distance from the truth.
    pub l1: Tensor<1>,
    /// Their sum, which is made small.
    pub total: Tensor<1>,
}

impl SegmentLosses {
    /// Of probabilities against masks of the same size.
    pub fn new(probabilities: Tensor<4>, masks: Tensor<4>) -> Self {
        let l1 = (probabilities.clone() - masks.clone()).abs().mean();
        let normal = masks.clone().neg() + 1.0;
        let p = probabilities.clone() * masks + (probabilities.neg() + 1.0) * normal;
        let weight = (p.clone().neg() + 1.0).powi_scalar(FOCUS);
        let focal = (weight * p.clamp_min(SMALL).log()).mean().neg();
        Self {
            total: focal.clone() + l1.clone(),
            focal,
            l1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pooling::values;

    #[test]
    fn losses_of_two_positions() {
        let device = ckaad_device::cpu();
        let row = |values: [f32; 2]| Tensor::<4>::from_floats([[[values]]], &device);
        let losses = SegmentLosses::new(row([0.5, 0.8]), row([1.0, 0.0]));
        // Truth has 1/2 and 1/5: (ln 2 / 16 + 0.4096 ln 5) / 2, and (0.5 + 0.8) / 2.
        assert!((values(losses.focal)[0] - 0.351_27).abs() < 1e-4);
        assert!((values(losses.l1)[0] - 0.65).abs() < 1e-6);
        assert_eq!(values(shrunk(row([1.0, 0.0]), [1, 1])), [1.0]);
    }

    #[test]
    fn opposite_features_are_two_apart() {
        let device = ckaad_device::cpu();
        let map =
            |values: [f32; 2]| Tensor::<4>::from_floats([[[[values[0]]], [[values[1]]]]], &device);
        let (teacher, student) = ([map([3.0, 4.0])], [map([-6.0, -8.0])]);
        assert!((values(student_losses(&teacher, &student).remove(0))[0] - 2.0).abs() < 1e-6);
        let found = values(products(&teacher, &student));
        assert!((found[0] - 0.36).abs() < 1e-6 && (found[1] - 0.64).abs() < 1e-6);
    }
}
