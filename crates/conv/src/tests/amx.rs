//! The assembly of AMX against plain Rust. Where the processor lacks the instructions, a handler of the signal that it raises carries them out as
//! Intel's manual has them, and refuses what the processor would refuse.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ptr::{null_mut, with_exposed_provenance};
use std::sync::Once;

use super::reference::values;
use crate::amx;
use crate::isa::Isa;
use crate::simd::nearest_bf16;
use crate::tile::Tap;
use crate::tiles::{Piece, Products, multiply};

const TILES: usize = 8;

/// What the instructions see: shapes, and sixteen rows of 64 bytes for each tile.
struct Processor {
    configured: bool,
    rows: [usize; TILES],
    row_bytes: [usize; TILES],
    tiles: [[[u8; 64]; 16]; TILES],
}

thread_local! {
    static PROCESSOR: RefCell<Processor> = const {
        RefCell::new(Processor {
            configured: false,
            rows: [0; TILES],
            row_bytes: [0; TILES],
            tiles: [[[0; 64]; 16]; TILES],
        })
    };
}

/// An instruction of three bytes of VEX, the opcode, and what follows it.
struct Instruction {
    opcode: u8,
    /// Which of four instructions share the opcode.
    prefix: u8,
    /// The tile it names first.
    first: usize,
    /// The tile it names in memory's stead, and the third.
    others: Option<[usize; 2]>,
    /// Where memory begins, and the bytes from row to row.
    memory: [u64; 2],
    len: usize,
}

impl Instruction {
    /// # Safety
    /// `code` leads to an instruction.
    unsafe fn decode(code: *const u8, registers: &[i64]) -> Self {
        // The numbers that instructions give registers.
        #[rustfmt::skip]
        const REGISTERS: [i32; 16] = [
            libc::REG_RAX, libc::REG_RCX, libc::REG_RDX, libc::REG_RBX,
            libc::REG_RSP, libc::REG_RBP, libc::REG_RSI, libc::REG_RDI,
            libc::REG_R8, libc::REG_R9, libc::REG_R10, libc::REG_R11,
            libc::REG_R12, libc::REG_R13, libc::REG_R14, libc::REG_R15,
        ];
        // SAFETY: the caller's promise.
        let byte = |at: usize| unsafe { code.add(at).read() };
        let register = |number: u8| registers[REGISTERS[usize::from(number)] as usize] as u64;
        assert_eq!(
            (byte(0), byte(1) & 31, byte(2) & 0x84),
            (0xc4, 2, 0),
            "another instruction"
        );
        let [index_bit, base_bit] = [6, 5].map(|bit| (!byte(1) >> bit & 1) << 3);
        let (mode, low) = (byte(4) >> 6, byte(4) & 7);
        let mut instruction = Self {
            opcode: byte(3),
            prefix: byte(2) & 3,
            first: usize::from(byte(4) >> 3 & 7),
            others: None,
            memory: [0; 2],
            len: 5,
        };
        if mode == 3 {
            let third = !byte(2) >> 3 & 15;
            instruction.others = Some([low, third].map(usize::from));
            return instruction;
        }
        let mut row = 0;
        let mut base = low | base_bit;
        if low == 4 {
            let sib = byte(5);
            instruction.len = 6;
            base = sib & 7 | base_bit;
            let index = sib >> 3 & 7 | index_bit;
            if index != 4 {
                row = register(index) << (sib >> 6);
            }
        }
        assert!(mode != 0 || base & 7 != 5, "no base");
        let offset = match mode {
            1 => i64::from(byte(instruction.len) as i8),
            2 => i64::from(i32::from_le_bytes(
                [0, 1, 2, 3].map(|i| byte(instruction.len + i)),
            )),
            _ => 0,
        };
        instruction.len += [0, 1, 4][usize::from(mode)];
        instruction.memory = [register(base).wrapping_add_signed(offset), row];
        instruction
    }
}

impl Processor {
    /// # Safety
    /// Memory is as the instruction says.
    unsafe fn run(&mut self, instruction: &Instruction) {
        let [start, row] = instruction.memory;
        let line =
            |r: usize| with_exposed_provenance::<u8>((start + row * r as u64) as usize).cast_mut();
        let first = instruction.first;
        let is_shaped = |tile: usize| self.configured && self.rows[tile] > 0;
        match (instruction.opcode, instruction.prefix, instruction.others) {
            // ldtilecfg
            (0x49, 0, None) => {
                // SAFETY: the caller's promise.
                let shapes = unsafe { line(0).cast::<[u8; 64]>().read() };
                assert_eq!((shapes[0], row), (1, 0), "the palette");
                assert!(shapes[1..16].iter().all(|byte| *byte == 0), "reserved");
                assert!(
                    shapes[32..48]
                        .iter()
                        .chain(&shapes[56..])
                        .all(|byte| *byte == 0)
                );
                for tile in 0..TILES {
                    let bytes = u16::from_le_bytes([shapes[16 + 2 * tile], shapes[17 + 2 * tile]]);
                    self.row_bytes[tile] = usize::from(bytes);
                    self.rows[tile] = usize::from(shapes[48 + tile]);
                    assert!(bytes <= 64 && self.rows[tile] <= 16);
                    assert_eq!(bytes == 0, self.rows[tile] == 0);
                }
                self.tiles = [[[0; 64]; 16]; TILES];
                self.configured = true;
            }
            // tilerelease
            (0x49, 0, Some(_)) => self.configured = false,
            // tilezero
            (0x49, 3, Some(_)) if is_shaped(first) => self.tiles[first] = [[0; 64]; 16],
            // tileloadd, tilestored
            (0x4b, prefix @ (2 | 3), None) if is_shaped(first) => {
                for r in 0..self.rows[first] {
                    let (bytes, tile) = (self.row_bytes[first], self.tiles[first][r].as_mut_ptr());
                    let (from, to) = if prefix == 3 {
                        (line(r), tile)
                    } else {
                        (tile, line(r))
                    };
                    // SAFETY: the caller's promise; no memory is in a tile.
                    unsafe { to.copy_from_nonoverlapping(from, bytes) };
                }
            }
            // tdpbf16ps
            (0x5c, 2, Some([a, b])) if [first, a, b].into_iter().all(is_shaped) => {
                assert!(first != a && first != b && a != b, "three tiles");
                assert_eq!(self.rows[first], self.rows[a]);
                assert_eq!(self.row_bytes[first], self.row_bytes[b]);
                assert_eq!(self.row_bytes[a], 4 * self.rows[b]);
                for r in 0..self.rows[a] {
                    for k in 0..self.row_bytes[b] / 4 {
                        self.add_products([first, a, b], r, k);
                    }
                }
            }
            (opcode, prefix, _) => panic!("{opcode:x} of {prefix} is refused"),
        }
    }

    fn add_products(&mut self, [sum, a, b]: [usize; 3], r: usize, k: usize) {
        let value = |tile: usize, row: usize, at: usize| {
            let bytes = &self.tiles[tile][row][2 * at..];
            f32::from_bits(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])) << 16)
        };
        let mut products = [0.0; 2];
        for word in 0..self.rows[b] {
            for (half, product) in products.iter_mut().enumerate() {
                *product += value(a, r, 2 * word + half) * value(b, word, 2 * k + half);
            }
        }
        let place = &mut self.tiles[sum][r].as_chunks_mut().0[k];
        let total = f32::from_le_bytes(*place) + (products[0] + products[1]);
        *place = total.to_le_bytes();
    }
}

extern "C" fn carry_out(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the system hands the interrupted thread's state to a handler that asks for it.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let at = libc::REG_RIP as usize;
    // SAFETY: the thread stopped at an instruction; memory is as whoever wrote it promised.
    unsafe {
        let code = with_exposed_provenance(registers[at] as usize);
        let instruction = Instruction::decode(code, registers);
        PROCESSOR.with_borrow_mut(|processor| processor.run(&instruction));
        registers[at] += instruction.len as i64;
    }
}

/// Has the instructions carried out where the processor lacks them.
fn with_instructions() {
    static HANDLER: Once = Once::new();
    if amx::is_available() {
        return;
    }
    eprintln!("SKIPPED in part: this processor multiplies no tiles, so they are emulated");
    HANDLER.call_once(|| {
        // SAFETY: all bits zero are a valid action, and the handler is of the kind that the flag promises.
        let set = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = carry_out as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(libc::SIGILL, &action, null_mut())
        };
        assert_eq!(set, 0);
    });
}

/// Words of two whole numbers each, of which sums are exact.
fn words(len: usize, seed: u32) -> Vec<f32> {
    let halves: Vec<u32> = values(2 * len, seed)
        .iter()
        .map(|x| nearest_bf16((8.0 * x).round()).to_bits())
        .collect();
    let word = |two: &[u32; 2]| f32::from_bits(two[0] >> 16 | two[1]);
    halves.as_chunks().0.iter().map(word).collect()
}

#[test]
fn assembly_does_what_plain_rust_does() {
    with_instructions();
    for (rows, steps, pieces, vecs) in [
        (16, 9, 2, 2),
        (16, 1, 4, 1),
        (1, 3, 2, 2),
        (7, 0, 2, 2),
        (15, 5, 6, 2),
        (11, 4, 2, 1),
    ] {
        for accumulate in [false, true] {
            let (a_row, b_row, out_row) = (24, 32, 40);
            let (a_piece, out_piece) = (rows * a_row + 8, rows * out_row);
            let a = words(pieces * a_piece + 100 * steps + 16, 1);
            let b = words(steps * 700 + 16 * b_row, 2);
            let taps: Vec<Tap> = (0..steps)
                .map(|step| Tap {
                    a: 100 * step as isize,
                    panel: 700 * (steps - 1 - step),
                })
                .collect();
            let before: Vec<f32> = values(pieces * out_piece, 3)
                .iter()
                .map(|x| (9.0 * x).round())
                .collect();
            let result = |run: &dyn Fn(&Products<'_>)| {
                let mut sums = before.clone();
                let out = sums.as_mut_ptr();
                let pieces: Vec<Piece> = (0..pieces)
                    .map(|piece| Piece {
                        a: a[piece * a_piece..].as_ptr(),
                        out: out.wrapping_add(piece * out_piece),
                    })
                    .collect();
                run(&Products {
                    rows,
                    pieces: &pieces,
                    steps: &taps,
                    a_row,
                    b: b.as_ptr(),
                    b_row,
                    b_vec: 16,
                    out_row,
                    out_vec: 20,
                    vecs,
                    accumulate,
                });
                sums
            };
            // SAFETY: the vectors are as long as the products reach, and the instructions are there or carried out.
            let found = result(&|products| unsafe { amx::multiply(products) });
            // SAFETY: the same.
            let expected = result(&|products| unsafe { multiply(Isa::PlainTiles, products) });
            assert_eq!(
                found, expected,
                "{rows} rows, {steps} steps, {vecs} vectors, {accumulate}"
            );
            assert!(steps == 0 && accumulate || found != before);
        }
    }
}
