//! The bytes of an image file.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ckaad_files::FileError;

use crate::error::DataError;

/// Greatest size of an image file that is read into memory.
const FILE_LIMIT: u64 = 1 << 30;
/// From this size on a PNG file is read chunk by chunk.
const LARGE: u64 = 64 << 20;
/// Bytes of chunks without pixels that are kept of such a file.
const SPARE: u64 = 1 << 20;
const PNG: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// Reads an image file. Of a large PNG file, texts and the like are left out once there is more than a mebibyte of them: a file can hold a
/// gibibyte beside a few pixels.
pub(super) fn read(path: &Path, bytes: &mut Vec<u8>) -> Result<(), DataError> {
    let large = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > LARGE);
    if large && is_png(path)? {
        bytes.clear();
        let failed = FileError::io("read the file", path);
        return Ok(read_png(path, bytes).map_err(failed)?);
    }
    Ok(ckaad_files::read_into(path, FILE_LIMIT, bytes)?)
}

fn is_png(path: &Path) -> Result<bool, DataError> {
    let mut signature = [0; PNG.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut signature));
    read.map_err(FileError::io("read the file", path))?;
    Ok(&signature == PNG)
}

fn read_png(path: &Path, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    copy(&mut file, PNG.len() as u64, bytes)?;
    let mut spare = SPARE;
    loop {
        let mut head = [0; 8];
        if file.read_exact(&mut head).is_err() {
            // What is cut off is named by the decoder.
            return Ok(());
        }
        let [a, b, c, d, kind @ ..] = head;
        // With the checksum behind it.
        let length = u64::from(u32::from_be_bytes([a, b, c, d])) + 4;
        // A small letter first: a decoder need not know it. Those of animations it does.
        let matters =
            kind[0].is_ascii_uppercase() || [*b"acTL", *b"fcTL", *b"fdAT"].contains(&kind);
        if !matters && length > spare {
            file.seek(SeekFrom::Current(length as i64))?;
            continue;
        }
        if !matters {
            spare -= length;
        }
        if bytes.len() as u64 + length > FILE_LIMIT {
            return Err(io::Error::other("it holds more than a gibibyte of pixels"));
        }
        bytes.extend(head);
        copy(&mut file, length, bytes)?;
    }
}

fn copy(file: &mut impl Read, length: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    file.take(length).read_to_end(bytes).map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;
    use crate::image::load_picture;

    #[test]
    fn a_text_that_is_larger_than_the_picture_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.png");
        let picture = ::image::RgbImage::from_fn(5, 4, |x, y| ::image::Rgb([x as u8, y as u8, 7]));
        picture.save(&path).unwrap();
        let small = std::fs::read(&path).unwrap();
        // After the signature and the header; a hole, so that the file takes no room.
        let (head, tail) = small.split_at(8 + 25);
        let length = 900_u32 << 20;
        let mut file = File::create(&path).unwrap();
        file.write_all(head).unwrap();
        file.write_all(&length.to_be_bytes()).unwrap();
        file.write_all(b"tEXt").unwrap();
        file.seek(SeekFrom::Current(i64::from(length) + 4)).unwrap();
        file.write_all(tail).unwrap();
        drop(file);
        let mut bytes = Vec::new();
        read(&path, &mut bytes).unwrap();
        assert!(bytes == small);
        assert_eq!(
            load_picture(&path.as_path().into()).unwrap().pixels,
            picture.into_raw()
        );
    }
}
