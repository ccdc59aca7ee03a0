//! Writes decoded or resized pixels, for comparison with other programs.
//!
//! `pixels SIZE FILE...` writes to standard output, per file, width and height (u32, little-endian) and the RGB bytes; SIZE 0 keeps the
//! size of the file. A file that cannot be read gives 0 x 0 and a line on standard error.

use std::io::{self, Write};
use std::path::Path;

use ckaad_data::{DataError, Source, load_image, load_picture};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let size: usize = arguments
        .next()
        .and_then(|size| size.parse().ok())
        .unwrap_or(0);
    let mut out = io::stdout().lock();
    for file in arguments {
        let (width, height, pixels) = read(Path::new(&file), size).unwrap_or_else(|error| {
            eprintln!("{error}");
            (0, 0, Vec::new())
        });
        out.write_all(&(width as u32).to_le_bytes())?;
        out.write_all(&(height as u32).to_le_bytes())?;
        out.write_all(&pixels)?;
    }
    Ok(())
}

/// Width, height and RGB bytes.
fn read(path: &Path, size: usize) -> Result<(usize, usize, Vec<u8>), DataError> {
    let source = Source::from(path);
    if size > 0 {
        return load_image(&source, size).map(|image| (size, size, image.pixels));
    }
    load_picture(&source).map(|picture| (picture.width, picture.height, picture.pixels))
}
