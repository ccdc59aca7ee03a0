//! The accurate integer inverse DCT (Loeffler, Ligtenberg and Moschytz 1989, 12 multiplications) with the roundings of libjpeg's `islow`:
//! 13-bit constants, two extra bits kept between the passes.

use crate::simd::Kernel;

const CONST_BITS: i32 = 13;
const PASS1_BITS: i32 = 2;

/// Inverse-transforms a row of blocks into eight rows of samples.
pub(super) struct BlockRow<'a> {
    /// 64 coefficients per block in natural order, not yet dequantised.
    pub(super) coefficients: &'a [i16],
    pub(super) quantisers: &'a [i32; 64],
    /// Eight rows of `stride` samples; `stride` is 8 times the number of blocks.
    pub(super) plane: &'a mut [u8],
    pub(super) stride: usize,
}

impl Kernel for BlockRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (blocks, _) = self.coefficients.as_chunks::<64>();
        for (number, block) in blocks.iter().enumerate() {
            let ac = block[1..].iter().fold(0, |bits, &value| bits | value);
            let column = number * 8;
            if ac == 0 {
                let level = level_of_dc(i32::from(block[0]) * self.quantisers[0]);
                for y in 0..8 {
                    self.plane[y * self.stride + column..][..8].fill(level);
                }
                continue;
            }
            let samples = transform(block, self.quantisers);
            for (y, row) in samples.as_chunks::<8>().0.iter().enumerate() {
                self.plane[y * self.stride + column..][..8].copy_from_slice(row);
            }
        }
    }
}

/// The level of a block that has only a DC coefficient; what both passes come to.
#[inline(always)]
fn level_of_dc(dc: i32) -> u8 {
    let first = dc.wrapping_shl(PASS1_BITS as u32);
    limit((first.wrapping_add(1 << (PASS1_BITS + 2))) >> (PASS1_BITS + 3))
}

/// Level shift and clamp.
#[inline(always)]
fn limit(value: i32) -> u8 {
    value.saturating_add(128).clamp(0, 255) as u8
}

/// One block.
#[inline(always)]
fn transform(block: &[i16; 64], quantisers: &[i32; 64]) -> [u8; 64] {
    let mut values = [0i32; 64];
    for ((value, &coefficient), quantiser) in values.iter_mut().zip(block).zip(quantisers) {
        *value = i32::from(coefficient).wrapping_mul(*quantiser);
    }
    let columns = pass::<{ CONST_BITS - PASS1_BITS }>(&values);
    let rows = pass::<{ CONST_BITS + PASS1_BITS + 3 }>(&transpose(&columns));
    let turned = transpose(&rows);
    let mut samples = [0; 64];
    for (sample, value) in samples.iter_mut().zip(turned) {
        *sample = limit(value);
    }
    samples
}

#[inline(always)]
fn transpose(values: &[i32; 64]) -> [i32; 64] {
    let mut turned = [0; 64];
    for y in 0..8 {
        for x in 0..8 {
            turned[x * 8 + y] = values[y * 8 + x];
        }
    }
    turned
}

/// One-dimensional transforms down the eight columns, rounded by `SHIFT` bits. Arithmetic wraps: coefficients of a damaged file may be
/// anything.
#[inline(always)]
fn pass<const SHIFT: i32>(input: &[i32; 64]) -> [i32; 64] {
    let mut output = [0; 64];
    for x in 0..8 {
        let at = |y: usize| input[y * 8 + x];
        let times = |value: i32, constant: i32| value.wrapping_mul(constant);
        let sum = |a: i32, b: i32| a.wrapping_add(b);
        let difference = |a: i32, b: i32| a.wrapping_sub(b);

        let z1 = times(sum(at(2), at(6)), 4433);
        let even2 = sum(z1, times(at(6), -15137));
        let even3 = sum(z1, times(at(2), 6270));
        let even0 = sum(at(0), at(4)).wrapping_shl(CONST_BITS as u32);
        let even1 = difference(at(0), at(4)).wrapping_shl(CONST_BITS as u32);
        let top = [
            sum(even0, even3),
            sum(even1, even2),
            difference(even1, even2),
            difference(even0, even3),
        ];

        let (t0, t1, t2, t3) = (at(7), at(5), at(3), at(1));
        let z5 = times(sum(sum(t0, t2), sum(t1, t3)), 9633);
        let z1 = times(sum(t0, t3), -7373);
        let z2 = times(sum(t1, t2), -20995);
        let z3 = sum(times(sum(t0, t2), -16069), z5);
        let z4 = sum(times(sum(t1, t3), -3196), z5);
        let odd = [
            sum(times(t3, 12299), sum(z1, z4)),
            sum(times(t2, 25172), sum(z2, z3)),
            sum(times(t1, 16819), sum(z2, z4)),
            sum(times(t0, 2446), sum(z1, z3)),
        ];
        let half = 1 << (SHIFT - 1);
        for y in 0..4 {
            output[y * 8 + x] = sum(sum(top[y], odd[y]), half) >> SHIFT;
            output[(7 - y) * 8 + x] = sum(difference(top[y], odd[y]), half) >> SHIFT;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_real_transform_within_one_level() {
        let mut stream = crate::random::Stream::at("idct", &[1]);
        for _ in 0..200 {
            let mut block = [0i16; 64];
            for value in block.iter_mut().take(24) {
                *value = stream.range(-40.0, 40.0) as i16;
            }
            let samples = transform(&block, &[4; 64]);
            for y in 0..8 {
                for x in 0..8 {
                    let mut exact = 0.0;
                    for v in 0..8 {
                        for u in 0..8 {
                            let scale = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
                            let wave = |p: usize, k: usize| {
                                ((2 * p + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos()
                            };
                            exact += 0.25
                                * scale(u)
                                * scale(v)
                                * 4.0
                                * f64::from(block[v * 8 + u])
                                * wave(x, u)
                                * wave(y, v);
                        }
                    }
                    let exact = (exact + 128.0).clamp(0.0, 255.0);
                    assert!((f64::from(samples[y * 8 + x]) - exact).abs() <= 1.0);
                }
            }
        }
    }

    #[test]
    fn a_flat_block_takes_the_short_way_to_the_same_level() {
        for dc in -1200..1200 {
            let mut block = [0i16; 64];
            block[0] = dc;
            assert_eq!(
                transform(&block, &[1; 64]),
                [level_of_dc(i32::from(dc)); 64],
                "{dc}"
            );
        }
    }
}
