//! Large buffers, in memory or in a file.
#![allow(
    unsafe_code,
    reason = "memory-mapping a file is unsafe by nature: another process could truncate it under us"
)]

use std::io::ErrorKind;

use fs4::FileExt;
use memmap2::MmapMut;

use crate::FileError;

/// From this size on, memory is asked for in large pages where the system has them: filling it then costs a fraction of the time.
const LARGE: u64 = 16 << 20;

/// Zeroed bytes in memory, or in an unnamed temporary file that ends with them however the process ends.
pub struct Buffer(Place);

impl Default for Buffer {
    /// No bytes.
    fn default() -> Self {
        Self(Place::Memory(Vec::new()))
    }
}

enum Place {
    /// In memory.
    Memory(Vec<u8>),
    /// Mapped: memory in large pages, or a file whose pages the system writes out when memory is short.
    Mapped(MmapMut),
}

impl Buffer {
    /// `len` zero bytes, in a file when more than `memory_limit`. The file's space is reserved at once, in the system's folder
    /// for temporary files (which `TMPDIR` names on Unix).
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be made or there is not enough space.
    pub fn new(len: u64, memory_limit: u64) -> Result<Self, FileError> {
        if len <= LARGE.min(memory_limit) || len == 0 {
            return Ok(Self(Place::Memory(vec![0; len as usize])));
        }
        if len <= memory_limit {
            return Ok(Self::large_pages(len as usize));
        }
        let folder = std::env::temp_dir();
        let file = tempfile::tempfile().map_err(FileError::io("make a temporary file", &folder))?;
        // Without a reservation a full disk would show only when a page is written, and end the process.
        match file.allocate(len) {
            Err(error) if error.kind() == ErrorKind::Unsupported => file.set_len(len),
            reserved => reserved.and_then(|()| file.set_len(len)),
        }
        .map_err(FileError::io("make a temporary file", &folder))?;
        // SAFETY: the file was created unnamed two lines above, so no other process can open or truncate it, and only this map refers to it.
        let map = unsafe { MmapMut::map_mut(&file) }
            .map_err(FileError::io("make a temporary file", &folder))?;
        Ok(Self(Place::Mapped(map)))
    }

    /// Memory in large pages if possible.
    fn large_pages(len: usize) -> Self {
        match MmapMut::map_anon(len) {
            Ok(map) => {
                // Advice only: without it everything works the same, slower.
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage);
                Self(Place::Mapped(map))
            }
            Err(_) => Self(Place::Memory(vec![0; len])),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Place::Memory(bytes) => bytes,
            Place::Mapped(map) => map,
        }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Place::Memory(bytes) => bytes,
            Place::Mapped(map) => map,
        }
    }
}
