//! Products of bf16 by tiles: sixteen rows of sixteen words, two values in each, times sixteen words of sixteen columns.
// unsafe: raw pointers with strides; `Products` states what they must cover.
#![allow(unsafe_code)]

use crate::isa::{Isa, LANES, Multiplier};
use crate::tile::{PANEL, Tap, Tile, run_tile};

/// The most rows of a tile.
pub(crate) const ROWS: usize = 16;

/// Rows of inputs and where their sums go.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Piece {
    pub(crate) a: *const f32,
    pub(crate) out: *mut f32,
}

/// `out[r * out_row + v * out_vec + k] (+)= sum over steps s and w: a[r * a_row + s.a + w] * b[s.panel + w * b_row + v * b_vec + k]` of
/// every piece, for its `rows` rows r, `vecs` vectors v of 16 columns k, and 16 words w, both of whose products are summed.
pub(crate) struct Products<'a> {
    /// 1 to [`ROWS`].
    pub(crate) rows: usize,
    /// An even number. The second of two may be the first again.
    pub(crate) pieces: &'a [Piece],
    pub(crate) steps: &'a [Tap],
    pub(crate) a_row: usize,
    pub(crate) b: *const f32,
    pub(crate) b_row: usize,
    pub(crate) b_vec: usize,
    pub(crate) out_row: usize,
    pub(crate) out_vec: usize,
    /// 1 or 2.
    pub(crate) vecs: usize,
    /// Add to what `out` holds.
    pub(crate) accumulate: bool,
}

/// Computes the products.
///
/// # Safety
/// The processor has the instruction set, all places that the fields address are valid, and `out` is written by this call alone.
pub(crate) unsafe fn multiply(isa: Isa, products: &Products<'_>) {
    assert!((1..=ROWS).contains(&products.rows) && products.pieces.len().is_multiple_of(2));
    match isa {
        // SAFETY: the caller's promise.
        #[cfg(target_arch = "x86_64")]
        Isa::Amx => unsafe { crate::amx::multiply(products) },
        // SAFETY: the caller's promise.
        #[cfg(test)]
        Isa::PlainTiles => unsafe { plain(products) },
        _ => unreachable!("{isa:?} multiplies no tiles"),
    }
}

/// Computes a tile of [`Multiplier::Tiles`].
///
/// # Safety
/// That of [`run_tile`].
pub(crate) unsafe fn run(isa: Isa, t: &Tile<'_>) {
    debug_assert_eq!(t.tap_len, LANES, "the words of two blocks");
    // Rows in equal shares, so that pieces have as many or one less.
    let chunks = t.rows.div_ceil(ROWS);
    let first = |chunk: usize| t.rows * chunk / chunks;
    let mut pieces = Vec::with_capacity(t.lines * chunks + 1);
    for rows in t.rows / chunks..=t.rows.div_ceil(chunks) {
        pieces.clear();
        for line in 0..t.lines {
            let of_size = (0..chunks).filter(|&chunk| first(chunk + 1) - first(chunk) == rows);
            pieces.extend(of_size.map(|chunk| {
                Piece {
                    a: t.a.wrapping_add(line * t.a_line + first(chunk) * t.a_row),
                    out: t
                        .out
                        .wrapping_add(line * t.out_line + first(chunk) * t.out_row),
                }
            }));
        }
        if !pieces.len().is_multiple_of(2) {
            pieces.extend(pieces.last().copied());
        }
        let products = Products {
            rows,
            pieces: &pieces,
            steps: t.taps,
            a_row: t.a_row,
            b: t.panel,
            b_row: PANEL,
            b_vec: LANES,
            out_row: t.out_row,
            out_vec: t.out_vec,
            vecs: t.vecs,
            accumulate: t.accumulate,
        };
        // SAFETY: the caller's promise.
        unsafe { multiply(isa, &products) };
    }
    if !t.finish.is_nothing() {
        // What is left is what follows a sum of no products.
        let finish = Tile {
            taps: &[],
            accumulate: true,
            ..*t
        };
        // SAFETY: the caller's promise.
        unsafe { run_tile(Multiplier::Floats(isa), &finish) };
    }
}

/// [`multiply`] as AMX does it: two pieces are read before either is written.
///
/// # Safety
/// That of [`multiply`].
#[cfg(test)]
unsafe fn plain(p: &Products<'_>) {
    // SAFETY: the caller's promise.
    let halves = |word: *const f32| unsafe {
        let bits = word.read_unaligned().to_bits();
        [bits << 16, bits & 0xffff_0000].map(f32::from_bits)
    };
    // SAFETY: the caller's promise.
    let sum = |piece: Piece, r: usize, v: usize, k: usize| unsafe {
        let out = piece.out.add(r * p.out_row + v * p.out_vec + k);
        let mut sum = if p.accumulate { *out } else { 0.0 };
        for step in p.steps {
            let a = piece.a.wrapping_offset(step.a).wrapping_add(r * p.a_row);
            let b = p.b.wrapping_add(step.panel + v * p.b_vec + k);
            let mut products = [0.0; 2];
            for word in 0..LANES {
                let [a, b] = [a.wrapping_add(word), b.wrapping_add(word * p.b_row)].map(halves);
                for half in 0..2 {
                    products[half] += a[half] * b[half];
                }
            }
            sum += products[0] + products[1];
        }
        (out, sum)
    };
    for two in p.pieces.chunks_exact(2) {
        let mut sums = Vec::new();
        for &piece in two {
            for r in 0..p.rows {
                for v in 0..p.vecs {
                    sums.extend((0..LANES).map(|k| sum(piece, r, v, k)));
                }
            }
        }
        for (out, sum) in sums {
            // SAFETY: the caller's promise.
            unsafe { *out = sum };
        }
    }
}
