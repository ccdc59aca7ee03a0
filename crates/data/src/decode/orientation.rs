//! Which way up a file says that it is: EXIF first, then XMP, as Pillow's `exif_transpose` looks for it.

use ::image::metadata::Orientation as Turn;

use super::directories::Directories;

/// The turn that brings the picture upright; a number that is none of the eight is no turn.
pub(super) fn turn(stated: Option<u64>, xmp: Option<&[u8]>) -> Turn {
    stated
        .or_else(|| xmp.and_then(in_xmp))
        .and_then(|number| Turn::from_exif(u8::try_from(number).ok()?))
        .unwrap_or(Turn::NoTransforms)
}

/// The number in a block of EXIF, with or without the marker that comes before it in JPEG.
pub(super) fn in_exif(mut block: &[u8]) -> Option<u64> {
    while let Some(rest) = block.strip_prefix(b"Exif\0\0") {
        block = rest;
    }
    Directories::new(block)?.next()??.orientation
}

/// `tiff:Orientation="6"` or `<tiff:Orientation>6<`.
fn in_xmp(packet: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"tiff:Orientation";
    packet
        .windows(NAME.len())
        .enumerate()
        .find_map(|(at, name)| {
            let after = packet.get(at + NAME.len()..).filter(|_| name == NAME)?;
            let value = after
                .strip_prefix(b"=\"")
                .or_else(|| after.strip_prefix(b">"))?;
            let digit = value.first().filter(|byte| byte.is_ascii_digit())?;
            Some(u64::from(digit - b'0'))
        })
}

/// True if a turn swaps width and height.
pub(super) fn swaps_sides(turn: Turn) -> bool {
    matches!(
        turn,
        Turn::Rotate90 | Turn::Rotate270 | Turn::Rotate90FlipH | Turn::Rotate270FlipH
    )
}
