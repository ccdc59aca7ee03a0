//! Every image of a list, decoded once and kept as resized u8.

use std::sync::atomic::{AtomicUsize, Ordering};

use ckaad_files::Buffer;
use rayon::prelude::*;

use crate::error::DataError;
use crate::image::{Image, Loader};
use crate::normalise::normalise_pixels;
use crate::reading::{Reading, SixteenBit};
use crate::room::room_for;
use crate::sample::Sample;

/// What to do with an image that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBad {
    /// Fail, naming every bad image.
    #[default]
    Fail,
    /// Leave it out and return its name.
    Skip,
}

/// How [`ImageStore::load`] works.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// Side of the resized images in pixels.
    pub size: usize,
    /// What to do with unreadable images.
    pub on_bad: OnBad,
    /// Above this many bytes the pixels live in a memory-mapped temporary file instead of memory.
    pub memory_limit: u64,
    /// How pixels are read.
    pub reading: Reading,
}

impl StoreOptions {
    /// 256 pixels as in the paper; fail on bad images; at most 4 GiB in memory; pixels as in published data sets.
    pub const DEFAULT: Self = Self {
        size: 256,
        on_bad: OnBad::Fail,
        memory_limit: 4 << 30,
        reading: Reading::PUBLISHED,
    };
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// An image left out under [`OnBad::Skip`].
#[derive(Debug)]
pub struct Skipped {
    /// The image.
    pub sample: Sample,
    /// Why it cannot be read.
    pub error: DataError,
}

/// Called with (images done, images in all), from any thread.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Resized images of a list of samples, in the order of the list.
pub struct ImageStore {
    size: usize,
    samples: Vec<Sample>,
    pixels: Buffer,
    sixteen_bit: SixteenBit,
}

impl ImageStore {
    /// Decodes and resizes `samples` on rayon's current thread pool.
    ///
    /// Returns the store, whose samples know their [digests](Sample::sha256), and the images left out (always empty under [`OnBad::Fail`]). An
    /// image whose digest is known already must be what it was.
    ///
    /// # Errors
    /// [`DataError::UnreadableImages`] under [`OnBad::Fail`], for an image whose digest is known, or when every image of a non-empty list is bad; [`DataError::File`] when the
    /// temporary file cannot be made; [`DataError::Parameter`] for size 0.
    pub fn load(
        samples: &[Sample],
        options: StoreOptions,
        progress: Option<Progress<'_>>,
    ) -> Result<(Self, Vec<Skipped>), DataError> {
        let size = options.size;
        if size == 0 {
            return Err(DataError::Parameter {
                name: "image_size",
                value: "0".into(),
                reason: "must be at least 1".into(),
            });
        }
        let image_len = size * size * 3;
        let mut pixels = Buffer::new(
            image_len as u64 * samples.len() as u64,
            options.memory_limit,
        )?;
        let done = AtomicUsize::new(0);
        let results: Vec<(Result<Option<String>, DataError>, SixteenBit)> = pixels
            .bytes_mut()
            .par_chunks_exact_mut(image_len)
            .zip(samples)
            .with_max_len(64)
            .map_init(
                || Loader::new(options.reading),
                |loader, (slot, sample)| {
                    let _room = room_for(&sample.path);
                    let read = loader.load_and_hash(&sample.path, size, slot);
                    let result = read.and_then(|digest| unchanged(sample, digest));
                    if let Some(report) = progress {
                        report(done.fetch_add(1, Ordering::Relaxed) + 1, samples.len());
                    }
                    (result, loader.take_sixteen_bit())
                },
            )
            .collect();
        let (results, depths): (Vec<_>, Vec<_>) = results.into_iter().unzip();
        let mut sixteen_bit = SixteenBit::default();
        depths
            .into_iter()
            .for_each(|depth| sixteen_bit.merge(depth));
        let bad = |(result, _): &(&Result<_, _>, _)| result.is_err();
        let known = |(_, sample): (_, &Sample)| sample.sha256.is_some();
        let all_bad = results.iter().zip(samples).filter(bad);
        let is_fatal = options.on_bad == OnBad::Fail || all_bad.clone().any(known);
        let bad = all_bad.count();
        if bad > 0 && (is_fatal || bad == samples.len()) {
            return Err(DataError::UnreadableImages {
                bad: results.into_iter().filter_map(Result::err).collect(),
                total: samples.len(),
            });
        }
        let mut kept = Vec::with_capacity(samples.len() - bad);
        let mut skipped = Vec::with_capacity(bad);
        for (index, (sample, result)) in samples.iter().zip(results).enumerate() {
            let sample = sample.clone();
            match result {
                Err(error) => skipped.push(Skipped { sample, error }),
                Ok(sha256) => {
                    if !skipped.is_empty() {
                        pixels.bytes_mut().copy_within(
                            index * image_len..(index + 1) * image_len,
                            kept.len() * image_len,
                        );
                    }
                    kept.push(Sample { sha256, ..sample });
                }
            }
        }
        Ok((
            Self {
                size,
                samples: kept,
                pixels,
                sixteen_bit,
            },
            skipped,
        ))
    }

    /// The same list without the pixels, for those who have seen them.
    pub fn without_pixels(&self) -> Self {
        Self {
            samples: self.samples.clone(),
            pixels: Buffer::default(),
            ..*self
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// True if there is no image.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Side of the images in pixels.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The samples whose images are kept, in order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The 16-bit images among them.
    pub fn sixteen_bit(&self) -> SixteenBit {
        self.sixteen_bit
    }

    /// The bytes of image `index`, [size, size, 3].
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len), or the store has no pixels.
    pub fn pixels(&self, index: usize) -> &[u8] {
        assert!(index < self.len(), "image {index} of {}", self.len());
        let image_len = self.size * self.size * 3;
        &self.pixels.bytes()[index * image_len..][..image_len]
    }

    /// A copy of image `index`.
    ///
    /// # Panics
    /// As [`pixels`](Self::pixels).
    pub fn image(&self, index: usize) -> Image {
        Image {
            size: self.size,
            pixels: self.pixels(index).to_vec(),
        }
    }

    /// Normalises the chosen images in parallel.
    ///
    /// # Shapes
    /// `out` is `indices.len() * 3 * size * size` long: [n, 3, size, size].
    ///
    /// # Panics
    /// If `out` has another length or an index is not below [`len`](Self::len).
    pub fn normalise_into(&self, indices: &[usize], out: &mut [f32]) {
        let image_len = self.size * self.size * 3;
        assert_eq!(
            out.len(),
            indices.len() * image_len,
            "output does not match the number of images"
        );
        out.par_chunks_exact_mut(image_len)
            .zip(indices)
            .for_each(|(out, &index)| normalise_pixels(self.pixels(index), out));
    }
}

/// Refuses a file that is not what it was when its digest was noted.
fn unchanged(sample: &Sample, digest: Option<String>) -> Result<Option<String>, DataError> {
    if sample.sha256.is_some() && sample.sha256 != digest {
        let image = sample.path.to_string();
        return Err(DataError::Replaced { image });
    }
    Ok(digest)
}

impl std::fmt::Debug for ImageStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageStore")
            .field("size", &self.size)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
