//! Adam's update in one pass over parameter, gradient and moments.

use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::operands::{from_values, plain, primitive, slice};
use crate::adam::AdamStep;

/// Values that one task works through.
const CHUNK: usize = 16 * 1024;

/// What a step changes: parameter, first and second moment.
type Stepped<T> = (T, [T; 2]);

/// The new parameter and moments of tensors that are all [covered](covers).
pub(crate) fn adam<const D: usize>(
    step: AdamStep,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    moments: Option<[Tensor<D>; 2]>,
) -> Stepped<Tensor<D>> {
    let shape = parameter.dims();
    let [parameter, gradient] = [parameter, gradient].map(primitive);
    let [mut first, mut second] = match moments {
        Some(moments) => moments.map(|moment| own(primitive(moment), shape)),
        None => [(); 2].map(|()| from_values(vec![0.0; slice(&parameter).len()], shape)),
    };
    let mut new = vec![0.0; slice(&parameter).len()];
    new.par_chunks_mut(CHUNK)
        .zip(first.storage_mut::<f32>().par_chunks_mut(CHUNK))
        .zip(second.storage_mut::<f32>().par_chunks_mut(CHUNK))
        .zip(slice(&parameter).par_chunks(CHUNK))
        .zip(slice(&gradient).par_chunks(CHUNK))
        .for_each(|((((new, first), second), parameter), gradient)| {
            step.on(new, [first, second], parameter, gradient);
        });
    (
        plain(from_values(new, shape)),
        [plain(first), plain(second)],
    )
}

impl AdamStep {
    fn on(&self, new: &mut [f32], moments: [&mut [f32]; 2], parameter: &[f32], gradient: &[f32]) {
        let [beta_1, beta_2] = [self.adam.beta_1, self.adam.beta_2];
        let correction = self.second_correction / self.first_correction;
        let epsilon = self.adam.epsilon * self.second_correction;
        let [first, second] = moments;
        let moments = first.iter_mut().zip(second);
        let values = parameter.iter().zip(gradient);
        for ((new, (first, second)), (parameter, gradient)) in
            new.iter_mut().zip(moments).zip(values)
        {
            *first = *first * beta_1 + gradient * (1.0 - beta_1);
            *second = *second * beta_2 + gradient * gradient * (1.0 - beta_2);
            let towards = *first * correction / (second.sqrt() + epsilon);
            *new = parameter - towards * self.rate;
        }
    }
}

/// The tensor with memory of its own that holds its values and no more.
fn own<const D: usize>(tensor: FlexTensor, shape: [usize; D]) -> FlexTensor {
    if size_of_val(slice(&tensor)) == tensor.bytes().len() {
        tensor
    } else {
        from_values(slice(&tensor).to_vec(), shape)
    }
}
