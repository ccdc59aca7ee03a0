//! The instructions of AMX, for which stable Rust has no intrinsics.
// unsafe: inline assembly, and asking processor and kernel for what it needs.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::mem::offset_of;

use crate::tile::Tap;
use crate::tiles::{Piece, Products, ROWS};

/// Bytes of a row of a tile.
const ROW_BYTES: u16 = 64;

/// Whether the processor multiplies tiles of bf16 and the kernel lets this process do so.
pub(crate) fn is_available() -> bool {
    processor_has_it() && kernel_permits()
}

fn processor_has_it() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const BF16_AND_TILES: u32 = 1 << 22 | 1 << 24;
    const TILE_STATE: u64 = 0b11 << 17;

    #[target_feature(enable = "xsave")]
    fn enabled_states() -> u64 {
        // SAFETY: the processor has the instruction, and register 0 is always there.
        unsafe { _xgetbv(0) }
    }

    __cpuid(0).eax >= 7
        && __cpuid(1).ecx & OSXSAVE != 0
        && __cpuid_count(7, 0).edx & BF16_AND_TILES == BF16_AND_TILES
        // SAFETY: the system has switched the instruction on.
        && unsafe { enabled_states() } & TILE_STATE == TILE_STATE
}

/// Asks for the room that the kernel keeps tiles in while a thread rests; threads to come have it, too.
#[cfg(target_os = "linux")]
fn kernel_permits() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: the call takes two numbers and touches no memory.
    unsafe {
        libc::syscall(
            libc::SYS_arch_prctl,
            ARCH_REQ_XCOMP_PERM,
            XFEATURE_XTILEDATA,
        ) == 0
    }
}

/// Elsewhere nobody has tried it.
#[cfg(not(target_os = "linux"))]
fn kernel_permits() -> bool {
    false
}

/// How many rows and bytes of a row the tiles have: palette 1.
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// What the assembly reads: [`Products`] in bytes.
#[repr(C)]
struct Job {
    shapes: Shapes,
    pieces: *const Piece,
    pieces_end: *const Piece,
    steps: *const Tap,
    steps_end: *const Tap,
    a_row: usize,
    b: *const f32,
    b_row: usize,
    b_vec: usize,
    out_row: usize,
    out_vec: usize,
    two_vecs: u64,
    accumulate: u64,
}

/// Computes the products: two pieces at a time, whose sums stay in four tiles over all steps.
///
/// # Safety
/// [`is_available`] has said so, and all places that the fields address are valid and written by this call alone.
pub(crate) unsafe fn multiply(products: &Products<'_>) {
    let (mut row_bytes, mut rows) = ([0; 16], [0; 16]);
    row_bytes[..8].fill(ROW_BYTES);
    rows[..6].fill(products.rows as u8);
    rows[6..8].fill(ROWS as u8);
    let (pieces, steps) = (
        products.pieces.as_ptr_range(),
        products.steps.as_ptr_range(),
    );
    let job = Job {
        shapes: Shapes {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes,
            rows,
        },
        pieces: pieces.start,
        pieces_end: pieces.end,
        steps: steps.start,
        steps_end: steps.end,
        a_row: 4 * products.a_row,
        b: products.b,
        b_row: 4 * products.b_row,
        b_vec: 4 * products.b_vec,
        out_row: 4 * products.out_row,
        out_vec: 4 * products.out_vec,
        two_vecs: u64::from(products.vecs == 2),
        accumulate: u64::from(products.accumulate),
    };
    // Tiles 0 to 3: sums of the first and second piece, two vectors each. 4 and 5: rows of the pieces. 6 and 7: the vectors of `b`.
    // SAFETY: the caller's promise; only registers that are named change, and memory where `Products` says so.
    unsafe {
        asm!(
            "ldtilecfg [{job}]",
            "mov {a_row}, [{job} + {A_ROW}]",
            "mov {b}, [{job} + {B}]",
            "mov {b_row}, [{job} + {B_ROW}]",
            "mov {b_vec}, [{job} + {B_VEC}]",
            "mov {piece}, [{job} + {PIECES}]",
            "cmp {piece}, [{job} + {PIECES_END}]",
            "je 9f",
            // Two pieces: their sums so far.
            "2:",
            "mov {x}, [{piece} + {OUT}]",
            "mov {y}, [{piece} + {SECOND} + {OUT}]",
            "mov {z}, [{job} + {OUT_ROW}]",
            "cmp qword ptr [{job} + {ACCUMULATE}], 0",
            "jne 3f",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "jmp 4f",
            "3:",
            "tileloadd tmm0, [{x} + {z}*1]",
            "tileloadd tmm2, [{y} + {z}*1]",
            "cmp qword ptr [{job} + {TWO_VECS}], 0",
            "je 4f",
            "add {x}, [{job} + {OUT_VEC}]",
            "add {y}, [{job} + {OUT_VEC}]",
            "tileloadd tmm1, [{x} + {z}*1]",
            "tileloadd tmm3, [{y} + {z}*1]",
            // Every step.
            "4:",
            "mov {a0}, [{piece} + {A}]",
            "mov {a1}, [{piece} + {SECOND} + {A}]",
            "mov {step}, [{job} + {STEPS}]",
            "cmp {step}, [{job} + {STEPS_END}]",
            "je 7f",
            "5:",
            "mov {x}, [{step} + {STEP_A}]",
            "mov {y}, [{step} + {STEP_B}]",
            "lea {y}, [{b} + {y}*4]",
            "lea {z}, [{a0} + {x}*4]",
            "lea {x}, [{a1} + {x}*4]",
            "tileloadd tmm6, [{y} + {b_row}*1]",
            "tileloadd tmm4, [{z} + {a_row}*1]",
            "tileloadd tmm5, [{x} + {a_row}*1]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "cmp qword ptr [{job} + {TWO_VECS}], 0",
            "je 6f",
            "add {y}, {b_vec}",
            "tileloadd tmm7, [{y} + {b_row}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "6:",
            "add {step}, {STEP}",
            "cmp {step}, [{job} + {STEPS_END}]",
            "jne 5b",
            // The sums leave.
            "7:",
            "mov {x}, [{piece} + {OUT}]",
            "mov {y}, [{piece} + {SECOND} + {OUT}]",
            "mov {z}, [{job} + {OUT_ROW}]",
            "tilestored [{x} + {z}*1], tmm0",
            "tilestored [{y} + {z}*1], tmm2",
            "cmp qword ptr [{job} + {TWO_VECS}], 0",
            "je 8f",
            "add {x}, [{job} + {OUT_VEC}]",
            "add {y}, [{job} + {OUT_VEC}]",
            "tilestored [{x} + {z}*1], tmm1",
            "tilestored [{y} + {z}*1], tmm3",
            "8:",
            "add {piece}, 2 * {SECOND}",
            "cmp {piece}, [{job} + {PIECES_END}]",
            "jne 2b",
            "9:",
            "tilerelease",
            job = in(reg) &raw const job,
            piece = out(reg) _,
            step = out(reg) _,
            a0 = out(reg) _,
            a1 = out(reg) _,
            a_row = out(reg) _,
            b = out(reg) _,
            b_row = out(reg) _,
            b_vec = out(reg) _,
            x = out(reg) _,
            y = out(reg) _,
            z = out(reg) _,
            A = const offset_of!(Piece, a),
            OUT = const offset_of!(Piece, out),
            SECOND = const size_of::<Piece>(),
            STEP_A = const offset_of!(Tap, a),
            STEP_B = const offset_of!(Tap, panel),
            STEP = const size_of::<Tap>(),
            PIECES = const offset_of!(Job, pieces),
            PIECES_END = const offset_of!(Job, pieces_end),
            STEPS = const offset_of!(Job, steps),
            STEPS_END = const offset_of!(Job, steps_end),
            A_ROW = const offset_of!(Job, a_row),
            B = const offset_of!(Job, b),
            B_ROW = const offset_of!(Job, b_row),
            B_VEC = const offset_of!(Job, b_vec),
            OUT_ROW = const offset_of!(Job, out_row),
            OUT_VEC = const offset_of!(Job, out_vec),
            TWO_VECS = const offset_of!(Job, two_vecs),
            ACCUMULATE = const offset_of!(Job, accumulate),
            out("tmm0") _,
            out("tmm1") _,
            out("tmm2") _,
            out("tmm3") _,
            out("tmm4") _,
            out("tmm5") _,
            out("tmm6") _,
            out("tmm7") _,
            options(nostack),
        );
    }
}
