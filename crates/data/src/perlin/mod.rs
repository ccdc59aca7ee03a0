//! Synthetic anomalies: patches of another texture, where Perlin noise is high (Zavrtanik et al., DRAEM, ICCV 2021).

mod augment;
mod noise;
mod texture;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::DataError;
use crate::find_files::{EXTENSIONS, images_in, subfolders};
use crate::random::Stream;
use crate::sample::{Label, Sample};
use crate::schedule::draw;
use crate::store::{ImageStore, StoreOptions};

pub use noise::PerlinNoise;

/// Noise above this is anomalous.
const THRESHOLD: f64 = 0.5;
/// The cells of the noise along a side are 2 to a power below this.
const POWERS: u64 = 6;
/// The largest share of the image that shines through a texture.
const SHINE: f64 = 0.8;
/// How often noise is drawn that is high nowhere.
const DRAWS: u64 = 64;
/// Most textures that are read from a folder; of more, so many are drawn.
const MOST_TEXTURES: usize = 1024;

/// Where textures come from.
#[derive(Clone, Debug, Default)]
pub enum Textures {
    /// Formulas: clouds, stripes, chequers, cells and grain of random colours.
    #[default]
    Procedural,
    /// Photographs, such as those of the Describable Textures Dataset, as large as the images.
    Images(Arc<ImageStore>),
}

/// Draws anomalies into images.
#[derive(Clone, Debug)]
pub struct PerlinAnomalies {
    /// What fills the anomalies.
    pub textures: Textures,
    /// In how many images of a hundred there is one, at most 100.
    pub percent: u8,
}

impl Textures {
    /// The images of a folder and of its sub-folders (the data set has one for every kind), at most 1024 of them, drawn by the seed.
    ///
    /// # Errors
    /// [`DataError::NoImages`] if there is none, and [`DataError::File`] if the folder cannot be listed.
    pub fn choose(folder: &Path, seed: u64) -> Result<Vec<Sample>, DataError> {
        let mut files = Vec::new();
        list(folder, 2, &mut files)?;
        if files.is_empty() {
            return Err(DataError::NoImages {
                path: folder.to_path_buf(),
                hint: format!("extensions looked for: {}", EXTENSIONS.join(", ")),
            });
        }
        Ok(draw(files.len(), MOST_TEXTURES, seed)
            .into_iter()
            .map(|index| Sample::new(files[index].as_path(), Label::Normal, "texture"))
            .collect())
    }

    /// Loads images that were chosen, and notes their [digests](Sample::sha256).
    ///
    /// # Errors
    /// Those of [`ImageStore::load`]; an image whose digest is known already must be what it was.
    pub fn load(samples: &mut Vec<Sample>, options: StoreOptions) -> Result<Self, DataError> {
        let (store, _) = ImageStore::load(samples, options, None)?;
        *samples = store.samples().to_vec();
        Ok(Self::Images(Arc::new(store)))
    }

    /// A texture as large as an image, changed in three ways.
    fn draw(&self, side: usize, stream: &mut Stream) -> Vec<u8> {
        let mut pixels = match self {
            Self::Procedural => texture::draw(side, stream),
            Self::Images(store) => {
                assert_eq!(store.size(), side, "textures are as large as the images");
                let index = stream.below(store.len() as u64) as usize;
                store.pixels(index).to_vec()
            }
        };
        augment::change(&mut pixels, side, stream);
        pixels
    }
}

/// The images of a folder and of folders within it, down to a depth.
fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    files.extend(images_in(folder)?);
    if depth > 0 {
        for (path, _) in subfolders(folder)? {
            list(&path, depth - 1, files)?;
        }
    }
    Ok(())
}

impl PerlinAnomalies {
    /// Writes the RGB `pixels` of an image with an anomaly into `out`, and where it is into `mask`: 1 inside, 0 outside. What is drawn depends on
    /// the address `[seed, epoch, index]` alone.
    ///
    /// # Panics
    /// If `pixels` or `out` is not `size * size * 3` long, `mask` not `size * size`, or textures have another size.
    pub fn apply_to(
        &self,
        pixels: &[u8],
        size: usize,
        address: [u64; 3],
        out: &mut [u8],
        mask: &mut [f32],
    ) {
        assert!(
            pixels.len() == size * size * 3 && mask.len() == size * size,
            "pixels do not match the size"
        );
        out.copy_from_slice(pixels);
        mask.fill(0.0);
        let mut stream = Stream::at("perlin", &address);
        if stream.below(100) >= u64::from(self.percent) {
            return;
        }
        for _ in 0..DRAWS {
            let cells = [(); 2].map(|()| 1 << stream.below(POWERS));
            let noise = PerlinNoise::draw(cells, &mut stream);
            let plane = noise.plane([size; 2], stream.range(-90.0, 90.0));
            for (mask, value) in mask.iter_mut().zip(plane) {
                *mask = if value > THRESHOLD { 1.0 } else { 0.0 };
            }
            if mask.contains(&1.0) {
                break;
            }
        }
        let shine = stream.range(0.0, SHINE);
        let texture = self.textures.draw(size, &mut stream);
        blend(&texture, shine, mask, out);
    }
}

/// `(1 - shine) texture + shine image` inside the mask.
fn blend(texture: &[u8], shine: f64, mask: &[f32], out: &mut [u8]) {
    let pixels = out.chunks_exact_mut(3).zip(texture.chunks_exact(3));
    for ((pixel, texture), _) in pixels.zip(mask).filter(|(_, mask)| **mask > 0.0) {
        for (value, texture) in pixel.iter_mut().zip(texture) {
            let mixed = (1.0 - shine) * f64::from(*texture) + shine * f64::from(*value);
            *value = mixed.round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SIDE: usize = 64;

    fn drawn(anomalies: &PerlinAnomalies, address: [u64; 3]) -> (Vec<u8>, Vec<f32>) {
        let pixels = vec![128; SIDE * SIDE * 3];
        let (mut out, mut mask) = (vec![0; pixels.len()], vec![0.5; SIDE * SIDE]);
        anomalies.apply_to(&pixels, SIDE, address, &mut out, &mut mask);
        (out, mask)
    }

    #[test]
    fn images_change_inside_the_mask_alone_and_by_their_address() {
        let every = PerlinAnomalies {
            textures: Textures::Procedural,
            percent: 100,
        };
        let mut areas = Vec::new();
        for index in 0..40 {
            let (out, mask) = drawn(&every, [1, 2, index]);
            for (pixel, mask) in out.chunks_exact(3).zip(&mask) {
                assert!(*mask == 1.0 || (*mask == 0.0 && pixel == [128; 3]));
            }
            areas.push(mask.iter().sum::<f32>() / (SIDE * SIDE) as f32);
            assert!(areas[index as usize] > 0.0);
        }
        let mean = areas.iter().sum::<f32>() / 40.0;
        assert!((0.01..0.4).contains(&mean), "{mean}");
        assert_eq!(drawn(&every, [1, 2, 3]), drawn(&every, [1, 2, 3]));
        for other in [[2, 2, 3], [1, 3, 3], [1, 2, 4]] {
            assert_ne!(drawn(&every, [1, 2, 3]), drawn(&every, other));
        }
    }

    #[test]
    fn as_many_images_stay_as_they_are_as_are_to() {
        let half = PerlinAnomalies {
            textures: Textures::Procedural,
            percent: 50,
        };
        let clean = (0..200).filter(|&index| !drawn(&half, [1, 1, index]).1.contains(&1.0));
        assert!((70..130).contains(&clean.count()));
    }

    #[test]
    fn textures_come_from_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let kind = folder.path().join("kind");
        std::fs::create_dir(&kind).unwrap();
        let options = StoreOptions {
            size: SIDE,
            ..StoreOptions::DEFAULT
        };
        assert!(Textures::choose(folder.path(), 1).is_err());
        let red = image::RgbImage::from_pixel(8, 8, image::Rgb([255, 0, 0]));
        red.save(kind.join("red.png")).unwrap();
        let mut chosen = Textures::choose(folder.path(), 1).unwrap();
        let textures = Textures::load(&mut chosen, options).unwrap();
        assert!(chosen[0].sha256.is_some());
        let Textures::Images(store) = textures else {
            panic!("images were opened");
        };
        assert_eq!(store.pixels(0)[..3], [255, 0, 0]);
    }

    #[test]
    fn blending_is_a_weighted_mean() {
        let mut out = vec![100, 100, 100, 100, 100, 100];
        blend(&[200, 0, 50, 9, 9, 9], 0.25, &[1.0, 0.0], &mut out);
        assert_eq!(out, [175, 25, 63, 100, 100, 100]);
    }
}
