//! Where the pixels of a store live.
#![allow(
    unsafe_code,
    reason = "memory-mapping a file is unsafe by nature: another process could truncate it under us"
)]

use memmap2::MmapMut;

use crate::error::DataError;

/// From this size on, memory is asked for in large pages where the system has them: filling it then costs a fraction of the time.
const LARGE: u64 = 16 << 20;

/// A zeroed buffer in memory, or in an unnamed temporary file.
pub(crate) enum Backing {
    /// In memory.
    Memory(Vec<u8>),
    /// Mapped: memory in large pages, or a file whose pages the system writes out when memory is short.
    Mapped(MmapMut),
}

impl Backing {
    /// `len` zero bytes, in a file when more than `memory_limit`.
    pub(crate) fn new(len: u64, memory_limit: u64) -> Result<Self, DataError> {
        if len <= LARGE.min(memory_limit) || len == 0 {
            return Ok(Self::Memory(vec![0; len as usize]));
        }
        if len <= memory_limit {
            return Ok(Self::large_pages(len as usize));
        }
        let folder = std::env::temp_dir();
        let file = tempfile::tempfile().map_err(DataError::io(&folder))?;
        file.set_len(len).map_err(DataError::io(&folder))?;
        // SAFETY: the file was created unnamed two lines above, so no other process can open or truncate it, and only this map refers to it.
        let map = unsafe { MmapMut::map_mut(&file) }.map_err(DataError::io(&folder))?;
        Ok(Self::Mapped(map))
    }

    /// Memory in large pages if possible.
    fn large_pages(len: usize) -> Self {
        match MmapMut::map_anon(len) {
            Ok(map) => {
                // Advice only: without it everything works the same, slower.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                Self::Mapped(map)
            }
            Err(_) => Self::Memory(vec![0; len]),
        }
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
