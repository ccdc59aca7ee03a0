//! Which convolutions a ResNet consists of, under torchvision's names.

use crate::{BlockKind, ResNetVariant};

/// A convolution without bias and the batch norm behind it.
#[derive(Debug, Clone)]
pub(crate) struct ConvPlan {
    pub(crate) conv: String,
    pub(crate) norm: String,
    /// In, out.
    pub(crate) channels: [usize; 2],
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
}

/// A residual block.
#[derive(Debug, Clone)]
pub(crate) struct BlockPlan {
    pub(crate) body: Vec<ConvPlan>,
    pub(crate) shortcut: Option<ConvPlan>,
}

/// The network up to some stage.
#[derive(Debug, Clone)]
pub(crate) struct NetworkPlan {
    pub(crate) stem: ConvPlan,
    /// Blocks of stage 1, 2, ...
    pub(crate) stages: Vec<Vec<BlockPlan>>,
}

impl NetworkPlan {
    /// # Panics
    /// If `deepest` is not in 1..=4.
    pub(crate) fn new(variant: ResNetVariant, deepest: usize) -> Self {
        let mut channels = 64;
        let stages = (1..=deepest)
            .map(|stage| {
                (0..variant.depths()[stage - 1])
                    .map(|index| {
                        let block = block_plan(variant, stage, index, channels);
                        channels = variant.channels(stage);
                        block
                    })
                    .collect()
            })
            .collect();
        let stem = conv_plan("conv1", "bn1", [3, 64], 7, 2);
        Self { stem, stages }
    }

    /// Every convolution, in forward order.
    pub(crate) fn convs(&self) -> impl Iterator<Item = &ConvPlan> {
        let blocks = self.stages.iter().flatten();
        std::iter::once(&self.stem)
            .chain(blocks.flat_map(|block| block.body.iter().chain(&block.shortcut)))
    }
}

fn block_plan(variant: ResNetVariant, stage: usize, index: usize, channels: usize) -> BlockPlan {
    let planes = ResNetVariant::planes(stage);
    let width = planes * variant.base_width() / 64;
    let out = variant.channels(stage);
    let stride = if index == 0 && stage > 1 { 2 } else { 1 };
    let prefix = format!("layer{stage}.{index}");
    let conv = |number: usize, channels, kernel, stride| {
        conv_plan(
            &format!("{prefix}.conv{number}"),
            &format!("{prefix}.bn{number}"),
            channels,
            kernel,
            stride,
        )
    };
    let body = match variant.block() {
        BlockKind::Basic => vec![
            conv(1, [channels, planes], 3, stride),
            conv(2, [planes, out], 3, 1),
        ],
        BlockKind::Bottleneck => vec![
            conv(1, [channels, width], 1, 1),
            conv(2, [width, width], 3, stride),
            conv(3, [width, out], 1, 1),
        ],
    };
    let shortcut = (stride != 1 || channels != out).then(|| {
        conv_plan(
            &format!("{prefix}.downsample.0"),
            &format!("{prefix}.downsample.1"),
            [channels, out],
            1,
            stride,
        )
    });
    BlockPlan { body, shortcut }
}

fn conv_plan(
    conv: &str,
    norm: &str,
    channels: [usize; 2],
    kernel: usize,
    stride: usize,
) -> ConvPlan {
    ConvPlan {
        conv: conv.to_owned(),
        norm: norm.to_owned(),
        channels,
        kernel,
        stride,
    }
}
