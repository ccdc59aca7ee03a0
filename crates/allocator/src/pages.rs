//! Memory pages of the system.

use std::ptr::null_mut;

/// What addresses of pages are multiples of, on every processor.
pub(crate) const ALIGN: usize = 4096;

/// New pages, all zeros; null if there are none.
pub(crate) fn map(size: usize) -> *mut u8 {
    // SAFETY: a new private mapping touches no memory that is in use.
    let block = unsafe {
        libc::mmap(
            null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if block == libc::MAP_FAILED {
        return null_mut();
    }
    // Large pages are mapped in one go. Advice only: without it everything works the same, slower.
    // SAFETY: the pages were mapped above.
    unsafe { libc::madvise(block, size, libc::MADV_HUGEPAGE) };
    block.cast()
}

/// Gives pages back.
///
/// # Safety
/// They were mapped with this size, and nobody uses them.
pub(crate) unsafe fn unmap(block: *mut u8, size: usize) {
    // It fails only where splitting a mapping would make too many; the pages are lost then, and nothing else.
    // SAFETY: the caller's.
    unsafe { libc::munmap(block.cast(), size) };
}

/// The same pages with a new size, perhaps elsewhere; null, and the block as it was, if there are none.
///
/// # Safety
/// They were mapped with `size`, and nobody uses their address any more unless this fails.
pub(crate) unsafe fn remap(block: *mut u8, size: usize, new: usize) -> *mut u8 {
    // SAFETY: the caller's.
    let moved = unsafe { libc::mremap(block.cast(), size, new, libc::MREMAP_MAYMOVE) };
    match moved == libc::MAP_FAILED {
        true => null_mut(),
        false => moved.cast(),
    }
}
