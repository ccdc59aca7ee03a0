//! The blocks that were freed and are not in use again, and how much is in use.

use crate::pages;

/// Blocks that are kept at most; what a training step frees is fewer.
const MOST: usize = 512;
/// Of the most that ever was in use, this fraction may be held beyond it, so that one size need not make way for another in every step.
const SLACK: usize = 8;

#[derive(Clone, Copy)]
struct Block {
    address: *mut u8,
    size: usize,
}

/// Freed blocks, from the one that was freed first to the one that was freed last. It owns its blocks.
pub(crate) struct Kept {
    blocks: [Block; MOST],
    len: usize,
    /// Bytes of the blocks.
    bytes: usize,
    /// Bytes in use now, and at most so far.
    in_use: usize,
    most_in_use: usize,
}

// SAFETY: the addresses are of mapped pages, which belong to no thread.
unsafe impl Send for Kept {}

impl Kept {
    pub(crate) const fn new() -> Self {
        let none = Block {
            address: std::ptr::null_mut(),
            size: 0,
        };
        Self {
            blocks: [none; MOST],
            len: 0,
            bytes: 0,
            in_use: 0,
            most_in_use: 0,
        }
    }

    /// Hands out the block of this size that was freed last: it is likeliest to be in the processor's caches.
    pub(crate) fn take(&mut self, size: usize) -> Option<*mut u8> {
        let blocks = &self.blocks[..self.len];
        let index = blocks.iter().rposition(|block| block.size == size)?;
        let address = self.blocks[index].address;
        self.blocks.copy_within(index + 1..self.len, index);
        self.len -= 1;
        self.bytes -= size;
        self.count(0, size);
        Some(address)
    }

    /// Keeps a block of pages that is no longer in use.
    pub(crate) fn put(&mut self, address: *mut u8, size: usize) {
        if self.len == MOST {
            self.release(1);
        }
        self.blocks[self.len] = Block { address, size };
        self.len += 1;
        self.bytes += size;
        self.count(size, 0);
    }

    /// Notes that what is in use became less and more by so many bytes.
    pub(crate) fn count(&mut self, less: usize, more: usize) {
        self.in_use = self.in_use.saturating_sub(less).saturating_add(more);
        self.most_in_use = self.most_in_use.max(self.in_use);
    }

    /// Gives kept blocks back until so many new bytes do not make more than what once was in use, and some slack.
    pub(crate) fn make_room(&mut self, new: usize) {
        let in_use = self.in_use.saturating_add(new);
        let most = self.most_in_use.max(in_use);
        let held = in_use.saturating_add(self.bytes);
        self.release(held.saturating_sub(most.saturating_add(most / SLACK)));
    }

    /// Gives back the blocks that were freed first, until they were so many bytes or none is left.
    pub(crate) fn release(&mut self, bytes: usize) {
        let (mut given, mut sum) = (0, 0);
        while sum < bytes && given < self.len {
            let Block { address, size } = self.blocks[given];
            // SAFETY: the block was mapped with this size, nobody uses it, and it is forgotten below.
            unsafe { pages::unmap(address, size) };
            sum += size;
            given += 1;
        }
        self.blocks.copy_within(given..self.len, 0);
        self.len -= given;
        self.bytes -= sum;
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.release(usize::MAX);
    }
}
