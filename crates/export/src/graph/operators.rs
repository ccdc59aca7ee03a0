//! The operators that graphs are drawn with, each with the form that version 17 gives it.

use std::ops::Range;

use super::proto::AttributeProto;
use super::{Element, Graph, Value};

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: Some(value),
        r#type: AttributeProto::INT,
        ..AttributeProto::default()
    }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: values.iter().map(|&value| value as i64).collect(),
        r#type: AttributeProto::INTS,
        ..AttributeProto::default()
    }
}

fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        f: Some(value),
        r#type: AttributeProto::FLOAT,
        ..AttributeProto::default()
    }
}

/// Operators of one value without settings.
macro_rules! of_one {
    ($($(#[$doc:meta])* $method:ident = $operator:literal,)+) => {
        impl Graph {
            $($(#[$doc])* pub(crate) fn $method(&mut self, x: Value) -> Value {
                self.node($operator, &[x], Vec::new())
            })+
        }
    };
}

/// Operators of two values without settings; shapes broadcast as NumPy's do.
macro_rules! of_two {
    ($($(#[$doc:meta])* $method:ident = $operator:literal,)+) => {
        impl Graph {
            $($(#[$doc])* pub(crate) fn $method(&mut self, a: Value, b: Value) -> Value {
                self.node($operator, &[a, b], Vec::new())
            })+
        }
    };
}

of_one! {
    /// `|x|`
    abs = "Abs",
    /// `exp x`
    exp = "Exp",
    /// The largest integer that is not larger.
    floor = "Floor",
    /// `-x`
    neg = "Neg",
    /// `max(0, x)`
    relu = "Relu",
    /// The extents of all axes.
    shape = "Shape",
    /// The square root.
    sqrt = "Sqrt",
    /// The hyperbolic tangent.
    tanh = "Tanh",
    /// The arc tangent.
    atan = "Atan",
}

of_two! {
    /// `a + b`
    add = "Add",
    /// `a / b`; of integers, rounded towards zero.
    div = "Div",
    /// The matrix product of the last two axes.
    matmul = "MatMul",
    /// The larger one.
    max = "Max",
    /// The smaller one.
    min = "Min",
    /// `a b`
    mul = "Mul",
    /// `a - b`
    sub = "Sub",
}

impl Graph {
    /// `x^2`
    pub(crate) fn square(&mut self, x: Value) -> Value {
        self.mul(x, x)
    }

    /// `x` times a number.
    pub(crate) fn scale(&mut self, x: Value, by: f32) -> Value {
        let by = self.scalar(by);
        self.mul(x, by)
    }

    /// `x` where it is positive, else `slope x`.
    pub(crate) fn leaky_relu(&mut self, x: Value, slope: f64) -> Value {
        self.node("LeakyRelu", &[x], vec![float("alpha", slope as f32)])
    }

    /// The same numbers as other elements.
    pub(crate) fn cast(&mut self, x: Value, to: Element) -> Value {
        self.node("Cast", &[x], vec![int("to", i64::from(to.number()))])
    }

    /// The same values in another shape: 0 keeps the extent of an axis, -1 takes what is left.
    pub(crate) fn reshape(&mut self, x: Value, shape: &[i64]) -> Value {
        let shape = self.ints(&[shape.len()], shape);
        self.node("Reshape", &[x, shape], Vec::new())
    }

    /// The axes in another order.
    pub(crate) fn transpose(&mut self, x: Value, order: &[usize]) -> Value {
        self.node("Transpose", &[x], vec![ints("perm", order)])
    }

    /// An axis of extent 1 more.
    pub(crate) fn unsqueeze(&mut self, x: Value, axis: i64) -> Value {
        let axes = self.ints(&[1], &[axis]);
        self.node("Unsqueeze", &[x, axes], Vec::new())
    }

    /// An axis of extent 1 less.
    pub(crate) fn squeeze(&mut self, x: Value, axis: i64) -> Value {
        let axes = self.ints(&[1], &[axis]);
        self.node("Squeeze", &[x, axes], Vec::new())
    }

    /// Values after each other along an axis; of one, itself.
    pub(crate) fn concat(&mut self, values: &[Value], axis: i64) -> Value {
        match values {
            [one] => *one,
            _ => self.node("Concat", values, vec![int("axis", axis)]),
        }
    }

    /// Some of an axis.
    pub(crate) fn slice(&mut self, x: Value, axis: i64, range: Range<usize>) -> Value {
        let [start, end, axis] = [range.start as i64, range.end as i64, axis];
        let [start, end, axis] = [start, end, axis].map(|value| self.ints(&[1], &[value]));
        self.node("Slice", &[x, start, end, axis], Vec::new())
    }

    /// What is at some places of an axis: the places' axes stand where that one stood.
    pub(crate) fn gather(&mut self, x: Value, places: Value, axis: i64) -> Value {
        self.node("Gather", &[x, places], vec![int("axis", axis)])
    }

    /// [`gather`](Self::gather) at places that are known.
    pub(crate) fn select(&mut self, x: Value, places: &[usize], axis: i64) -> Value {
        let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
        let places = self.ints(&[places.len()], &places);
        self.gather(x, places, axis)
    }

    /// Of every image the row at its place: `[N, rows, ...]` and `[N, 1]` make `[N, ...]`.
    pub(crate) fn row_of_each(&mut self, x: Value, place: Value) -> Value {
        self.node("GatherND", &[x, place], vec![int("batch_dims", 1)])
    }

    /// The sum over axes, which are left out.
    pub(crate) fn sum(&mut self, x: Value, axes: &[i64]) -> Value {
        let axes = self.ints(&[axes.len()], axes);
        self.node("ReduceSum", &[x, axes], vec![int("keepdims", 0)])
    }

    /// The sum over an axis, which stays with an extent of 1.
    pub(crate) fn sum_keeping(&mut self, x: Value, axis: i64) -> Value {
        let axes = self.ints(&[1], &[axis]);
        self.node("ReduceSum", &[x, axes], vec![int("keepdims", 1)])
    }

    /// The mean over axes, which are left out.
    pub(crate) fn mean(&mut self, x: Value, axes: &[usize]) -> Value {
        let attributes = vec![ints("axes", axes), int("keepdims", 0)];
        self.node("ReduceMean", &[x], attributes)
    }

    /// The mean over an axis, which stays with an extent of 1.
    pub(crate) fn mean_keeping(&mut self, x: Value, axis: usize) -> Value {
        let attributes = vec![ints("axes", &[axis]), int("keepdims", 1)];
        self.node("ReduceMean", &[x], attributes)
    }

    /// The largest along axes, which are left out.
    pub(crate) fn largest(&mut self, x: Value, axes: &[usize]) -> Value {
        let attributes = vec![ints("axes", axes), int("keepdims", 0)];
        self.node("ReduceMax", &[x], attributes)
    }

    /// Where the largest along an axis is; the axis is left out.
    pub(crate) fn place_of_largest(&mut self, x: Value, axis: i64) -> Value {
        let attributes = vec![int("axis", axis), int("keepdims", 0)];
        self.node("ArgMax", &[x], attributes)
    }

    /// Where the smallest along an axis is, the first of several; the axis is left out.
    pub(crate) fn place_of_smallest(&mut self, x: Value, axis: i64) -> Value {
        let attributes = vec![int("axis", axis), int("keepdims", 0)];
        self.node("ArgMin", &[x], attributes)
    }

    /// The `count` largest along the last axis.
    pub(crate) fn top(&mut self, x: Value, count: usize) -> Value {
        let count = self.ints(&[1], &[count as i64]);
        let [values, _] = self.node_of("TopK", &[x, count], top_k(true));
        values
    }

    /// Where the `count` smallest along the last axis are.
    pub(crate) fn places_of_bottom(&mut self, x: Value, count: usize) -> Value {
        let count = self.ints(&[1], &[count as i64]);
        let [_, places] = self.node_of("TopK", &[x, count], top_k(false));
        places
    }

    /// `0, 1, ...` below a length, which is an integer without axes.
    pub(crate) fn range(&mut self, length: Value) -> Value {
        let [start, step] = [0, 1].map(|value| self.ints(&[], &[value]));
        self.node("Range", &[start, length, step], Vec::new())
    }

    /// A convolution: kernel `[out, in, height, width]`, padded by half of an odd kernel.
    pub(crate) fn conv(&mut self, inputs: &[Value], kernel: usize, stride: usize) -> Value {
        let pad = kernel.saturating_sub(1) / 2;
        let attributes = vec![
            ints("kernel_shape", &[kernel; 2]),
            ints("pads", &[pad; 4]),
            ints("strides", &[stride; 2]),
        ];
        self.node("Conv", inputs, attributes)
    }

    /// A transposed convolution that doubles the resolution: kernel `[in, out, 2, 2]`.
    pub(crate) fn conv_transpose(&mut self, inputs: &[Value]) -> Value {
        let attributes = vec![ints("kernel_shape", &[2; 2]), ints("strides", &[2; 2])];
        self.node("ConvTranspose", inputs, attributes)
    }

    /// The largest of every 3 x 3 positions, two positions apart.
    pub(crate) fn max_pool(&mut self, x: Value) -> Value {
        let attributes = vec![
            ints("kernel_shape", &[3; 2]),
            ints("pads", &[1; 4]),
            ints("strides", &[2; 2]),
        ];
        self.node("MaxPool", &[x], attributes)
    }

    /// The mean of 3 x 3 positions around each; zeros beyond the border count.
    pub(crate) fn neighbourhood_means(&mut self, x: Value) -> Value {
        let attributes = vec![
            int("count_include_pad", 1),
            ints("kernel_shape", &[3; 2]),
            ints("pads", &[1; 4]),
            ints("strides", &[1; 2]),
        ];
        self.node("AveragePool", &[x], attributes)
    }

    /// An instance norm of scale and shift.
    pub(crate) fn instance_norm(
        &mut self,
        x: Value,
        scale: Value,
        shift: Value,
        epsilon: f64,
    ) -> Value {
        let attributes = vec![float("epsilon", epsilon as f32)];
        self.node("InstanceNormalization", &[x, scale, shift], attributes)
    }
}

fn top_k(largest: bool) -> Vec<AttributeProto> {
    let largest = i64::from(largest);
    vec![int("axis", -1), int("largest", largest), int("sorted", 1)]
}
