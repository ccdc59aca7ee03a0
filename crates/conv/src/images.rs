//! Contiguous tensors in one loop over images: re-ordering, convolution and re-ordering back stay in one core's cache, and
//! threads wait once.

use crate::blocked::Blocked;
use crate::conv::Conv2d;
use crate::isa::LANES;
use crate::parallel::{for_each, serially, threads};
use crate::winograd::is_large;

/// Winograd tiles of 4 x 4 that make good use of weights once read.
const TILES: usize = 64;

impl Conv2d {
    /// Images for a task, where there are enough of them to go by images.
    pub(crate) fn images_per_task(&self, [batch, height, width]: [usize; 3]) -> Option<usize> {
        let share = batch / threads();
        if share < 2 {
            return None;
        }
        if !self.uses_winograd() {
            return Some(1);
        }
        let tiles = height.div_ceil(4) * width.div_ceil(4);
        let large = is_large(self.c_in.div_ceil(LANES), self.c_out.div_ceil(LANES));
        let images = TILES.div_ceil(tiles).min(share);
        (!large && images * tiles >= TILES / 2).then_some(images)
    }
}

/// `output = map(input)` on contiguous tensors, as many images at a time as is best; `map` is told their `[batch, height,
/// width]`, which for all of them is `size`.
pub(crate) fn by_images(
    conv: &Conv2d,
    size @ [batch, height, width]: [usize; 3],
    input: &[f32],
    output: &mut [f32],
    map: impl Fn(&[f32], [usize; 3]) -> Blocked + Sync + Send,
) {
    let Some(images) = conv.images_per_task(size) else {
        return map(input, size).to_nchw_with(conv.isa, output);
    };
    assert!(
        input.len().is_multiple_of(batch) && output.len().is_multiple_of(batch),
        "images of a batch are of one size"
    );
    let (in_len, out_len) = (input.len() / batch, output.len() / batch);
    let parts = input.chunks(images * in_len);
    for_each(
        parts.zip(output.chunks_mut(images * out_len)),
        |(from, to)| {
            let size = [from.len() / in_len, height, width];
            serially(|| map(from, size).to_nchw_with(conv.isa, to));
        },
    );
}
