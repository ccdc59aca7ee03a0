//! Small files of kinds that the encoders do not write.

use std::io::{Cursor, Write};

use image::{DynamicImage, ImageFormat};

/// A TIFF page, or the whole of a block of EXIF if it has no pixels: 16-bit tags, then grey values.
pub(crate) struct TiffPage<'a> {
    pub(crate) size: (u16, u16),
    pub(crate) bits: u16,
    pub(crate) pixels: &'a [u8],
    pub(crate) tags: &'a [(u16, u16)],
}

/// A TIFF file of uncompressed grey pages. `pixels` are in the byte order of the file.
pub(crate) fn tiff(pages: &[TiffPage<'_>], little: bool) -> Vec<u8> {
    let n16 = |value: u16| {
        if little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let n32 = |value: usize| {
        let value = value as u32;
        if little {
            value.to_le_bytes()
        } else {
            value.to_be_bytes()
        }
    };
    let mut out = Vec::from(if little { *b"II" } else { *b"MM" });
    out.extend(n16(42));
    out.extend(n32(8));
    for (number, page) in pages.iter().enumerate() {
        let (width, height) = page.size;
        let mut tags: Vec<(u16, u16)> = page.tags.to_vec();
        if !page.pixels.is_empty() {
            tags.extend([(256, width), (257, height), (258, page.bits), (259, 1)]);
            tags.extend([(262, 1), (273, 0), (277, 1), (278, height)]);
            tags.push((279, page.pixels.len() as u16));
        }
        tags.sort_unstable();
        let data = out.len() + 2 + 12 * tags.len() + 4;
        out.extend(n16(tags.len() as u16));
        for (tag, value) in tags {
            let value = if tag == 273 { data as u16 } else { value };
            out.extend([n16(tag), n16(3)].as_flattened());
            out.extend(n32(1));
            out.extend([n16(value), [0; 2]].as_flattened());
        }
        let end = data + page.pixels.len();
        out.extend(n32(if number + 1 < pages.len() { end } else { 0 }));
        out.extend(page.pixels);
    }
    out
}

/// A block of EXIF that states an orientation.
pub(crate) fn exif(orientation: u16, little: bool) -> Vec<u8> {
    let page = TiffPage {
        size: (0, 0),
        bits: 0,
        pixels: &[],
        tags: &[(0x112, orientation)],
    };
    tiff(&[page], little)
}

/// An image as PNG, WebP, ...
pub(crate) fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A chunk of a PNG file.
pub(crate) fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::from((data.len() as u32).to_be_bytes());
    out.extend(kind);
    out.extend(data);
    let mut crc = flate2::Crc::new();
    crc.update(&out[4..]);
    out.extend(crc.sum().to_be_bytes());
    out
}

/// A grey PNG file of one pixel per frame, animated; a still picture of value 9 comes first if that is asked for.
pub(crate) fn animated_png(frames: &[u8], still: bool) -> Vec<u8> {
    let deflate = |value: u8| {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&[0, value]).unwrap();
        encoder.finish().unwrap()
    };
    let mut sequence = 0u32..;
    let mut number = || sequence.next().unwrap().to_be_bytes();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    out.extend(chunk(b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]));
    let count = (frames.len() as u32).to_be_bytes();
    out.extend(chunk(b"acTL", [count, [0; 4]].as_flattened()));
    if still {
        out.extend(chunk(b"IDAT", &deflate(9)));
    }
    for (index, &value) in frames.iter().enumerate() {
        let mut control = number().to_vec();
        control.extend([
            0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0,
        ]);
        out.extend(chunk(b"fcTL", &control));
        if index == 0 && !still {
            out.extend(chunk(b"IDAT", &deflate(value)));
        } else {
            let mut data = number().to_vec();
            data.extend(deflate(value));
            out.extend(chunk(b"fdAT", &data));
        }
    }
    out.extend(chunk(b"IEND", &[]));
    out
}

/// A chunk of a WebP file.
fn riff(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = kind.to_vec();
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

/// A lossless animated WebP file of one colour per frame, 2 x 2 pixels.
pub(crate) fn animated_webp(frames: &[[u8; 3]]) -> Vec<u8> {
    // Width and height are stored less one.
    let mut body = riff(b"VP8X", &[0b10, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    body.extend(riff(b"ANIM", &[0; 6]));
    for &colour in frames {
        let image = image::RgbImage::from_pixel(2, 2, image::Rgb(colour));
        let still = encoded(&image.into(), ImageFormat::WebP);
        let mut data = vec![0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 100, 0, 0, 0b10];
        data.extend(&still[12..]);
        body.extend(riff(b"ANMF", &data));
    }
    let mut out = b"RIFF".to_vec();
    out.extend((body.len() as u32 + 4).to_le_bytes());
    out.extend(b"WEBP");
    out.extend(body);
    out
}
