//! The blocked layout in which layers follow each other without re-ordering.
// unsafe: hands checked extents to the transposing kernel.
#![allow(unsafe_code)]

use crate::buffer::Buffer;
use crate::isa::{Isa, LANES};
use crate::pairs;
use crate::parallel::for_each;
use crate::transpose::{from_block, to_block};

/// A batch of feature maps, stored `[batch][channels / 16][height][width][16]`. The lanes that pad the channels to a
/// multiple of 16 hold zero.
#[derive(Clone)]
pub struct Blocked {
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    pub(crate) data: Buffer,
}

impl Blocked {
    /// From a contiguous `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// If a size is zero, or the length of `nchw` is not the product of the four sizes.
    pub fn from_nchw(
        nchw: &[f32],
        batch: usize,
        channels: usize,
        height: usize,
        width: usize,
    ) -> Self {
        Self::from_nchw_with(Isa::best(), nchw, [batch, channels, height, width])
    }

    /// From the channels of one pixel after another: `[pixels, channels]`, as one row of an image.
    ///
    /// # Panics
    /// If there is no pixel or no channel, or `pixels` ends within one.
    pub fn from_pixels(pixels: &[f32], channels: usize) -> Self {
        let count = pixels.len() / channels;
        assert_eq!(pixels.len(), count * channels, "pixels are whole");
        let mut blocked = Self::stale(1, channels, 1, count);
        let blocks = blocked.data.chunks_mut(count * LANES).enumerate();
        for_each(blocks, |(block, to)| {
            let lanes = LANES.min(channels - block * LANES);
            let from = pixels.chunks_exact(channels);
            for (from, to) in from.zip(to.as_chunks_mut::<LANES>().0) {
                let from = &from[block * LANES..][..lanes];
                match from.first_chunk() {
                    Some(from) => *to = *from,
                    None => {
                        to[..lanes].copy_from_slice(from);
                        to[lanes..].fill(0.0);
                    }
                }
            }
        });
        blocked
    }

    pub(crate) fn from_nchw_with(
        isa: Isa,
        nchw: &[f32],
        [batch, channels, height, width]: [usize; 4],
    ) -> Self {
        let pixels = height * width;
        assert_eq!(
            nchw.len(),
            batch * channels * pixels,
            "the slice holds another number of floats than its shape"
        );
        let mut blocked = Self::stale(batch, channels, height, width);
        let blocks = blocked.blocks();
        let parts = blocked.data.chunks_mut(pixels * LANES).enumerate();
        for_each(parts, |(task, to)| {
            let (n, block) = (task / blocks, task % blocks);
            let lanes = LANES.min(channels - block * LANES);
            let planes = &nchw[(n * channels + block * LANES) * pixels..];
            to_block(isa, planes, pixels, lanes, pixels, to, LANES);
        });
        blocked
    }

    /// Writes the contiguous `[batch, channels, height, width]`.
    ///
    /// # Panics
    /// If the length of `nchw` is not the product of the four sizes.
    pub fn to_nchw(&self, nchw: &mut [f32]) {
        self.to_nchw_with(Isa::best(), nchw);
    }

    pub(crate) fn to_nchw_with(&self, isa: Isa, nchw: &mut [f32]) {
        let pixels = self.height * self.width;
        assert_eq!(
            nchw.len(),
            self.batch * self.channels * pixels,
            "the slice has not the size of the feature maps"
        );
        let images = nchw.chunks_mut(self.channels * pixels);
        let parts = images.flat_map(|image| image.chunks_mut(LANES * pixels));
        for_each(
            self.data.chunks(pixels * LANES).zip(parts),
            |(block, to)| {
                let (lanes, to) = (to.len() / pixels, to.as_mut_ptr());
                // SAFETY: `block` holds 16 floats of every pixel, and `to` a plane of them for every lane.
                unsafe { from_block(isa, block.as_ptr(), LANES, to, pixels, lanes, pixels) };
            },
        );
    }

    /// The blocks of channels of one image after another, each `[height * width][16]`.
    pub fn channel_blocks(&self) -> impl Iterator<Item = &[[f32; LANES]]> {
        let plane = self.height * self.width * LANES;
        self.data.chunks(plane).map(|block| block.as_chunks().0)
    }

    /// Arbitrary content: every float must be written next.
    pub(crate) fn stale(batch: usize, channels: usize, height: usize, width: usize) -> Self {
        assert!(
            batch * channels * height * width > 0,
            "a feature map needs images, channels, rows and columns"
        );
        let data = Buffer::stale(batch * channels.div_ceil(LANES) * height * width * LANES);
        Self {
            batch,
            channels,
            height,
            width,
            data,
        }
    }

    /// The values rounded to bf16.
    pub(crate) fn rounded(&self, isa: Isa) -> Buffer {
        let mut rounded = Buffer::stale(self.data.len());
        let plane = self.height * self.width * LANES;
        let planes = rounded.chunks_mut(plane);
        for_each(self.data.chunks(plane).zip(planes), |(from, to)| {
            to.copy_from_slice(from);
            pairs::round(isa, to);
        });
        rounded
    }

    /// Images.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Channels, without the padding.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Blocks of 16 channels.
    pub(crate) fn blocks(&self) -> usize {
        self.channels.div_ceil(LANES)
    }

    /// Floats of one image.
    pub(crate) fn image_len(&self) -> usize {
        self.blocks() * self.height * self.width * LANES
    }

    /// `[batch, channels, height, width]`.
    pub fn shape(&self) -> [usize; 4] {
        [self.batch, self.channels, self.height, self.width]
    }
}
