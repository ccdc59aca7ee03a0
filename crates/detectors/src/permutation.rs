//! Fixed random orders of channels, which a model keeps among its parameters.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use ckaad_parameters::{NamedTensor, NamedTensors, apply, collect};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::DetectorError;

/// `0..length` in an order drawn by the seed, another for every number.
pub(crate) fn permutation(seed: u64, number: usize, length: usize) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number as u64);
    let mut order: Vec<usize> = (0..length).collect();
    order.shuffle(&mut random);
    order
}

/// As a parameter.
pub(crate) fn to_parameter(order: &[usize]) -> NamedTensor {
    NamedTensor {
        shape: vec![order.len()],
        values: order.iter().map(|&index| index as f32).collect(),
    }
}

/// From a parameter. A file must not name a channel that is not there.
fn from_parameter(parameter: &NamedTensor) -> Vec<usize> {
    let last = parameter.values.len().saturating_sub(1);
    let values = parameter.values.iter();
    values.map(|&index| (index as usize).min(last)).collect()
}

/// A network and its orders from a model's parameters. `zeros` makes the network, with orders that it is given by name and length.
pub(crate) fn load<M: Module>(
    mut parameters: NamedTensors,
    zeros: impl Fn(&mut dyn FnMut(&str, usize) -> Vec<usize>) -> M,
) -> Result<M, DetectorError> {
    let mut shapes = BTreeMap::new();
    let empty = zeros(&mut |name, length| {
        shapes.insert(name.to_owned(), vec![length]);
        (0..length).collect()
    });
    for (name, parameter) in collect(&empty).iter() {
        shapes.insert(name.to_owned(), parameter.shape.clone());
    }
    parameters.check(&shapes)?;
    let network = zeros(&mut |name, _| {
        let order = parameters.remove(name);
        order.as_ref().map_or(Vec::new(), from_parameter)
    });
    Ok(apply(network, &parameters)?)
}

/// `x` with channel `order[i]` in the place of channel `i`.
///
/// # Shapes
/// - x, output: `[batch, channels, ...]`
pub(crate) fn permute<const D: usize>(x: Tensor<D>, order: &[usize]) -> Tensor<D> {
    let indices: Vec<i64> = order.iter().map(|&index| index as i64).collect();
    let data = TensorData::new(indices, [order.len()]);
    let indices = Tensor::<1, Int>::from_data(data, &x.device());
    x.select(1, indices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_drawn_by_seed_and_number() {
        let order = permutation(3, 1, 50);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..50));
        assert_eq!(order, permutation(3, 1, 50));
        assert!(order != permutation(3, 2, 50) && order != permutation(4, 1, 50));
        assert_eq!(from_parameter(&to_parameter(&order)), order);
        let x = Tensor::from_floats([[1.0, 2.0, 3.0]], &ckaad_device::cpu());
        let moved: Vec<f32> = permute::<2>(x, &[2, 0, 1]).into_data().iter().collect();
        assert_eq!(moved, [3.0, 1.0, 2.0]);
    }
}
