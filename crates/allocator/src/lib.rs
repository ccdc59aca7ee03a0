//! A global allocator that hands freed large blocks out again.
//!
//! Training allocates and frees tensors of the same few sizes step after step. The system's allocator gives large ones back to the kernel at
//! once, which then finds, clears and maps the same pages anew: a sixth of a step's time. [`Recycler`] keeps them, and gives kept ones back before
//! it asks for more, so that a process holds at most about an eighth more than it once had in use.
//!
//! Only on Linux; elsewhere programs keep the system's allocator.

#![cfg(target_os = "linux")]
#![allow(
    unsafe_code,
    reason = "an allocator is unsafe by nature: others rely on its blocks being theirs alone"
)]

mod kept;
mod pages;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kept::Kept;

/// From this size on, blocks are kept when they are freed. Those below are the system's.
const LARGE: usize = 1 << 20;
/// Sizes of large blocks are rounded up to a step of this fraction of theirs, so that tensors of nearly one size share blocks.
const STEPS_SHIFT: u32 = 6;

/// Large blocks of memory pages, kept when they are freed; small blocks from [`System`].
///
/// ```
/// #[cfg(target_os = "linux")]
/// #[global_allocator]
/// static ALLOCATOR: ckaad_allocator::Recycler = ckaad_allocator::Recycler::new();
/// ```
pub struct Recycler {
    kept: Mutex<Kept>,
}

impl Recycler {
    /// One that keeps nothing yet.
    pub const fn new() -> Self {
        Self {
            kept: Mutex::new(Kept::new()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of `size` bytes and whether it is known to be zeros; null if there is no memory.
    fn block(&self, size: usize) -> (*mut u8, bool) {
        let mut kept = self.kept();
        if let Some(block) = kept.take(size) {
            return (block, false);
        }
        kept.make_room(size);
        let mut block = pages::map(size);
        if block.is_null() {
            kept.release(usize::MAX);
            block = pages::map(size);
        }
        if !block.is_null() {
            kept.count(0, size);
        }
        (block, true)
    }
}

impl Default for Recycler {
    fn default() -> Self {
        Self::new()
    }
}

/// The size of the block for a layout, if it is a large one.
fn large(layout: Layout) -> Option<usize> {
    if layout.size() < LARGE || layout.align() > pages::ALIGN {
        return None;
    }
    let step = ((1 << layout.size().ilog2()) >> STEPS_SHIFT).max(pages::ALIGN);
    // Sizes end at isize::MAX, far from an overflow.
    Some(layout.size().next_multiple_of(step))
}

// SAFETY: a layout decides alone which side serves it, `System` or pages, and how large its block is, so that a block is freed and resized as what it was
// allocated as. Blocks are of pages, hence aligned to what `large` lets pass, and at least as long as asked for. A kept block is
// in nobody's use, and `Kept` forgets it as it hands it out. Nothing here unwinds: there is no arithmetic that overflows, no
// indexing beyond the kept blocks, and a poisoned lock is taken all the same.
unsafe impl GlobalAlloc for Recycler {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match large(layout) {
            // SAFETY: the caller's.
            None => unsafe { System.alloc(layout) },
            Some(size) => self.block(size).0,
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(size) = large(layout) else {
            // SAFETY: the caller's.
            return unsafe { System.alloc_zeroed(layout) };
        };
        let (block, zeroed) = self.block(size);
        if !zeroed {
            // SAFETY: a kept block has at least as many bytes.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match large(layout) {
            // SAFETY: the caller's.
            None => unsafe { System.dealloc(block, layout) },
            Some(size) => self.kept().put(block, size),
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller vouches for a size that, rounded up to the alignment, ends within isize::MAX.
        let wanted = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (large(layout), large(wanted)) {
            // SAFETY: the caller's.
            (None, None) => unsafe { System.realloc(block, layout, new_size) },
            (Some(size), Some(new)) if size == new => block,
            (Some(size), Some(new)) => {
                let mut kept = self.kept();
                kept.make_room(new.saturating_sub(size));
                // SAFETY: the block was mapped with this size.
                let moved = unsafe { pages::remap(block, size, new) };
                if !moved.is_null() {
                    kept.count(size, new);
                }
                moved
            }
            // SAFETY: either block is allocated for its layout, and as long as what is copied.
            _ => unsafe {
                let moved = self.alloc(wanted);
                if !moved.is_null() {
                    moved.copy_from_nonoverlapping(block, layout.size().min(new_size));
                    self.dealloc(block, layout);
                }
                moved
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 64).unwrap()
    }

    #[test]
    fn a_freed_block_is_handed_out_again_and_zeroed_where_asked() {
        let recycler = Recycler::new();
        let tensor = layout(5 << 20);
        // SAFETY: blocks are used within their layouts, and freed once, as they were allocated.
        unsafe {
            let first = recycler.alloc(tensor);
            first.write_bytes(7, tensor.size());
            recycler.dealloc(first, tensor);
            let second = recycler.alloc_zeroed(layout((5 << 20) - 100));
            assert_eq!(first, second);
            assert_eq!([*second, *second.add(tensor.size() - 101)], [0, 0]);
            recycler.dealloc(second, layout((5 << 20) - 100));
        }
    }

    #[test]
    fn kept_blocks_make_room_for_others() {
        let recycler = Recycler::new();
        let sizes = [3, 5, 9, 17, 40].map(|mib| layout(mib << 20));
        // SAFETY: as above.
        unsafe {
            for size in sizes {
                let block = recycler.alloc(size);
                recycler.dealloc(block, size);
            }
        }
        // No two of these were in use at once: none of the smaller ones outlived the largest.
        assert_eq!(recycler.kept().bytes(), 40 << 20);
    }

    #[test]
    fn contents_move_with_their_blocks() {
        let recycler = Recycler::new();
        let sizes = [
            1000,
            3 << 20,
            (3 << 20) + 1,
            200 << 20,
            2 << 20,
            LARGE,
            LARGE - 1,
            7,
        ];
        // SAFETY: as above.
        unsafe {
            let mut block = recycler.alloc(layout(sizes[0]));
            for (index, byte) in (0..7).enumerate() {
                *block.add(index) = byte;
            }
            for pair in sizes.windows(2) {
                block = recycler.realloc(block, layout(pair[0]), pair[1]);
                *block.add(pair[1] - 1) = 6;
                let start: [u8; 6] = std::array::from_fn(|index| *block.add(index));
                assert_eq!(start, [0, 1, 2, 3, 4, 5], "{pair:?}");
            }
            recycler.dealloc(block, layout(7));
        }
    }

    #[test]
    fn no_memory_is_null_and_costs_nothing_but_what_was_kept() {
        let recycler = Recycler::new();
        // SAFETY: as above.
        unsafe {
            recycler.dealloc(recycler.alloc(layout(LARGE)), layout(LARGE));
            assert!(recycler.alloc(layout(1 << 60)).is_null());
            assert_eq!(recycler.kept().bytes(), 0);
            let block = recycler.alloc(layout(LARGE));
            assert!(!block.is_null());
            assert!(
                recycler
                    .realloc(block, layout(LARGE), isize::MAX as usize - 64)
                    .is_null()
            );
            recycler.dealloc(block, layout(LARGE));
        }
    }

    #[test]
    fn threads_never_share_a_block() {
        let recycler = Recycler::new();
        std::thread::scope(|scope| {
            for own in 0..4_u8 {
                let recycler = &recycler;
                scope.spawn(move || {
                    for turn in 0..200_usize {
                        let tensor = layout(LARGE + (turn % 3) * (LARGE / 2));
                        // SAFETY: as above.
                        unsafe {
                            let block = recycler.alloc(tensor);
                            block.write_bytes(own, 4096);
                            std::thread::yield_now();
                            assert!((0..4096).all(|index| *block.add(index) == own));
                            recycler.dealloc(block, tensor);
                        }
                    }
                });
            }
        });
    }
}
