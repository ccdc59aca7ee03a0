use burn::tensor::Tensor;

/// The sum of the squares of all values, without a tensor in between on the CPU. `x` tracks no gradients.
///
/// # Shapes
/// - output: `[1]`
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if crate::flex::covers(&x) {
        return crate::flex::sum_of_squares(x);
    }
    x.square().sum()
}
