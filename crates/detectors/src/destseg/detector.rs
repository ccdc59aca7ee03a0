use burn::tensor::Tensor;
use ckaad_anomaly_map::{Align, AnomalyMap, ImageScore};
use ckaad_parameters::{NamedTensors, collect};

use super::{Head, Student, Trunk, distances_product, products, segment};
use crate::planes::resized;
use crate::pooling::values;
use crate::{Detector, Inputs, Scored};

/// Where the parameters of either begin.
pub(super) const STUDENT: &str = "student.";
pub(super) const TRUNK: &str = "trunk.";
pub(super) const HEAD: &str = "head.";

/// Where teacher and student differ as they do about drawn anomalies; until that is learned, where they differ.
pub struct DestSegDetector {
    student: Student,
    segments: Option<(Trunk, Head)>,
    image_size: usize,
}

impl DestSegDetector {
    /// Of networks that track no gradients.
    pub fn new(student: Student, segments: Option<(Trunk, Head)>, image_size: usize) -> Self {
        Self {
            student,
            segments,
            image_size,
        }
    }

    /// Scores images by what the teacher sees of them: the mean of the 100 largest pixels.
    ///
    /// # Shapes
    /// - teacher: its features, fine to coarse; images: `[batch, 3, image_size, image_size]`
    pub fn score_images(&self, teacher: &[Tensor<4>], images: Tensor<4>) -> Vec<Scored> {
        let student = self.student.forward(images);
        let found = match &self.segments {
            Some((trunk, head)) => segment(trunk, head, products(teacher, &student)),
            None => distances_product(teacher, &student),
        };
        let size = self.image_size;
        let maps = values(resized(found, [size; 2], Align::Edges));
        let maps = maps.chunks_exact(size * size).map(|map| AnomalyMap {
            height: size,
            width: size,
            values: map.to_vec(),
        });
        maps.map(|map| Scored {
            score: ImageScore::Top100.of(&map),
            map: Some(map),
        })
        .collect()
    }
}

impl Detector for DestSegDetector {
    fn score(&self, inputs: &Inputs) -> Vec<Scored> {
        let Some(images) = inputs.images.clone() else {
            panic!("destseg asks for images");
        };
        self.score_images(&inputs.tensors(), images)
    }

    fn parameters(&self) -> NamedTensors {
        let mut parts = vec![collect(&self.student).prefixed(STUDENT)];
        if let Some((trunk, head)) = &self.segments {
            parts.push(collect(trunk).prefixed(TRUNK));
            parts.push(collect(head).prefixed(HEAD));
        }
        let tensors = parts.iter().flat_map(NamedTensors::iter);
        tensors
            .map(|(name, tensor)| (name.to_owned(), tensor.clone()))
            .collect()
    }

    fn map_range(&self) -> [f32; 2] {
        [0.0, 1.0]
    }
}
