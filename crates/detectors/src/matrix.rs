//! Products of matrices, by the crate `gemm`: burn's CPU backend multiplies with it already, and it uses the
//! vector instructions that the processor has, where code compiled for every processor would be several times slower.
// unsafe: `gemm` takes pointers and strides. A matrix cannot be made unless all its elements lie within its slice.
#![allow(unsafe_code)]

/// A matrix of any layout: element (i, j) is `values[i * strides[0] + j * strides[1]]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    values: &'a [T],
    shape: [usize; 2],
    strides: [usize; 2],
}

/// What is multiplied: single or double precision.
pub(crate) trait Number: Copy + 'static {
    const ZERO: Self;
    const ONE: Self;
}

impl Number for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Number for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl<'a, T: Copy> Matrix<'a, T> {
    /// Rows one after another, each of that length.
    ///
    /// # Panics
    /// If the values are no whole rows.
    pub(crate) fn rows(values: &'a [T], length: usize) -> Self {
        let rows = values.len() / length;
        assert_eq!(values.len(), rows * length, "whole rows");
        Self {
            values,
            shape: [rows, length],
            strides: [length, 1],
        }
    }

    pub(crate) fn transposed(self) -> Self {
        let Self {
            values,
            shape: [rows, columns],
            strides: [down, right],
        } = self;
        Self {
            values,
            shape: [columns, rows],
            strides: [right, down],
        }
    }

    /// Copies it row after row.
    ///
    /// # Panics
    /// If `out` has another number of elements.
    pub(crate) fn copy_to(self, out: &mut [T]) {
        let ([rows, columns], [down, right]) = (self.shape, self.strides);
        assert_eq!(out.len(), rows * columns, "room for all elements");
        for (row, out) in out.chunks_exact_mut(columns.max(1)).enumerate() {
            let elements = self.values[row * down..].iter().step_by(right);
            for (out, value) in out.iter_mut().zip(elements) {
                *out = *value;
            }
        }
    }

    fn strides(&self) -> [isize; 2] {
        self.strides.map(|stride| stride as isize)
    }
}

/// `a b`, row after row, on this thread.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn multiply<T: Number>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) {
    let ([rows, inner], [depth, columns]) = (a.shape, b.shape);
    assert_eq!(inner, depth, "the matrices fit");
    assert_eq!(out.len(), rows * columns, "room for the product");
    let (out_strides, a_strides, b_strides) = ([columns as isize, 1], a.strides(), b.strides());
    // SAFETY: the elements of a matrix lie within its slice, which its constructors see to; those of the product fill `out`.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            out.as_mut_ptr(),
            out_strides[1],
            out_strides[0],
            false,
            a.values.as_ptr(),
            a_strides[1],
            a_strides[0],
            b.values.as_ptr(),
            b_strides[1],
            b_strides[0],
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_do_not_matter() {
        let rows = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let columns = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        let (a, same) = (
            Matrix::rows(&rows, 3),
            Matrix::rows(&columns, 2).transposed(),
        );
        for a in [a, same] {
            let mut square = [0.0; 4];
            multiply(a, a.transposed(), &mut square);
            assert_eq!(square, [14.0, 32.0, 32.0, 77.0]);
            let mut copy = [0.0; 6];
            a.transposed().copy_to(&mut copy);
            assert_eq!(copy, columns);
        }
        let none = Matrix::rows(&[], 3);
        multiply(none, a.transposed(), &mut []);
    }
}
