//! The chunks that PNG and WebP files consist of, as far as they are whole.

/// (type, content) of each chunk of a PNG file.
pub(super) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, tail) = rest.split_first_chunk()?;
        let (kind, tail) = tail.split_first_chunk()?;
        let length = u32::from_be_bytes(*length) as usize;
        let data = tail.get(..length)?;
        // A checksum of four bytes follows.
        rest = tail.get(length + 4..).unwrap_or_default();
        Some((kind, data))
    })
}

/// (type, content) of each chunk of a RIFF file.
pub(super) fn riff_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, tail) = rest.split_first_chunk()?;
        let (length, tail) = tail.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        let data = tail.get(..length)?;
        // Contents of an odd length are padded.
        rest = tail.get(length + length % 2..).unwrap_or_default();
        Some((kind, data))
    })
}
