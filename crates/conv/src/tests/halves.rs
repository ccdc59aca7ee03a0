//! Values kept in bf16, and signs.

use super::reference::values;
use crate::simd::nearest_bf16;
use crate::{Halves, above_zero};

#[test]
fn rounded_values_are_the_nearest() {
    // Longer than a task's part, and no whole number of vectors.
    let mut floats = values(9_001, 3);
    let [first, second, ..] = floats.as_mut_slice() else {
        panic!("there are many");
    };
    // Not a number by its lowest bit alone.
    *first = f32::from_bits(0x7f80_0001);
    *second = f32::NEG_INFINITY;
    let rounded = Halves::rounded(&floats).to_floats();
    assert!(rounded[0].is_nan());
    let nearest: Vec<f32> = floats[1..].iter().map(|x| nearest_bf16(*x)).collect();
    assert_eq!(rounded[1..], nearest);
}

#[test]
fn only_values_of_bf16_are_exact() {
    let floats = Halves::rounded(&values(9_001, 4)).to_floats();
    let halves = Halves::exact(&floats).map(|halves| halves.to_floats());
    assert_eq!(halves.as_ref(), Some(&floats));
    for place in [0, 5_000, 9_000] {
        let mut floats = floats.clone();
        floats[place] = 1.0 + f32::EPSILON;
        assert!(Halves::exact(&floats).is_none(), "the value at {place}");
    }
}

#[test]
fn a_bit_says_whether_a_value_is_above_zero() {
    for len in [0, 7, 16, 135] {
        let mut floats = values(len, 5);
        if let Some(first) = floats.first_mut() {
            *first = f32::NAN;
        }
        if let Some(last) = floats.last_mut() {
            *last = 0.0;
        }
        let mut bits = vec![u16::MAX; len.div_ceil(16)];
        above_zero(&floats, &mut bits);
        for (i, x) in floats.iter().enumerate() {
            assert_eq!(
                bits[i / 16] >> (i % 16) & 1 == 1,
                *x > 0.0,
                "{x} at {i} of {len}"
            );
        }
    }
}
