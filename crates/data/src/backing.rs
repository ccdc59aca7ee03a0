//! Where the pixels of a store live.
#![allow(
    unsafe_code,
    reason = "memory-mapping a file is unsafe by nature: another process could truncate it under us"
)]

use memmap2::MmapMut;

use crate::error::DataError;

/// A zeroed buffer in memory, or in an unnamed temporary file.
pub(crate) enum Backing {
    /// In memory.
    Memory(Vec<u8>),
    /// Mapped; the system writes pages out when memory is short.
    Mapped(MmapMut),
}

impl Backing {
    /// `len` zero bytes, mapped when more than `memory_limit`.
    pub(crate) fn new(len: u64, memory_limit: u64) -> Result<Self, DataError> {
        let folder = std::env::temp_dir();
        if len <= memory_limit || len == 0 {
            return Ok(Self::Memory(vec![0; len as usize]));
        }
        let file = tempfile::tempfile().map_err(DataError::io(&folder))?;
        file.set_len(len).map_err(DataError::io(&folder))?;
        // SAFETY: the file was created unnamed a line above, so no other process can open or truncate it, and only this map refers to it.
        let map = unsafe { MmapMut::map_mut(&file) }.map_err(DataError::io(&folder))?;
        Ok(Self::Mapped(map))
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }

    /// The bytes, to be written.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Mapped(map) => map,
        }
    }
}
