//! u8 pixels to the numbers that an ImageNet-pretrained backbone expects.

use crate::image::Image;

/// Mean of ImageNet's red, green and blue, in units of the full scale.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of ImageNet's red, green and blue, in units of the full scale.
pub const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Writes (x / 255 - mean) / std as three planes.
///
/// # Shapes
/// `image` [size, size, 3] u8 -> `out` [3, size, size] f32.
///
/// # Panics
/// If `out` is not `3 * size * size` long.
pub fn normalise(image: &Image, out: &mut [f32]) {
    normalise_pixels(&image.pixels, out);
}

/// [`normalise`] on the bytes of an [`Image`].
///
/// # Panics
/// If the two lengths differ.
pub fn normalise_pixels(pixels: &[u8], out: &mut [f32]) {
    assert_eq!(
        pixels.len(),
        out.len(),
        "pixels and planes differ in length"
    );
    let plane = pixels.len() / 3;
    let (red, rest) = out.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let planes = red.iter_mut().zip(green).zip(blue);
    for (pixel, ((r, g), b)) in pixels.chunks_exact(3).zip(planes) {
        *r = (f32::from(pixel[0]) / 255.0 - MEAN[0]) / STD[0];
        *g = (f32::from(pixel[1]) / 255.0 - MEAN[1]) / STD[1];
        *b = (f32::from(pixel[2]) / 255.0 - MEAN[2]) / STD[2];
    }
}
