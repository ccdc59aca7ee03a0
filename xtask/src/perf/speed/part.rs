//! The parts of the measurement.

use clap::ValueEnum;

use super::computing::Computing;

/// What can be timed on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// Inference, batch 1 and 8.
    Infer,
    /// A training step.
    Step,
    /// A training epoch on image files, from the second one on.
    Epoch,
    /// `predict` on 200 files, the whole process.
    Predict,
    /// From the start of the process to the score of one image.
    Start,
}

impl Part {
    /// All of them, in the order of the report.
    pub(super) const ALL: [Self; 5] = [
        Self::Infer,
        Self::Step,
        Self::Epoch,
        Self::Predict,
        Self::Start,
    ];

    /// Whether it reads image files.
    pub(super) fn reads_images(self) -> bool {
        matches!(self, Self::Epoch | Self::Predict | Self::Start)
    }

    /// Whether it can be run so.
    pub(super) fn fits(self, computing: &Computing) -> bool {
        match self {
            Self::Infer | Self::Step => true,
            Self::Epoch => computing.kind() == "cpu",
            Self::Predict | Self::Start => computing.is_usual(),
        }
    }

    /// What has to be known to judge its figures.
    pub(super) fn notes(self) -> &'static str {
        match self {
            Self::Infer => {
                "Inference: from an image in memory to its map and score; random weights. PyTorch runs eagerly and computes all four \
                 stages of the backbone; its maps are smoothed by SciPy. Runtimes run the graph that PyTorch exports of the same network, with \
                 the stages that are needed, smoothing and score."
            }
            Self::Step => {
                "Training step: features of both batches, both networks' losses, gradients and updates; nothing kept between steps."
            }
            Self::Epoch => {
                "Epoch: both sides take the same numbers of images and of steps; the first epoch is not counted. Ours is a run of the \
                 engine: features and images are kept from the first epoch on, and every epoch ends with validation, log and a \
                 checkpoint synced to disk. PyTorch (in bf16: by autocast) decodes and computes everything anew, without validation or checkpoint; its peak \
                 is that of its main process, without the processes that load images."
            }
            Self::Predict => {
                "`predict`: the whole process, from its start to its end, files in the system's page cache. Both write a table and a \
                 heat map over each picture (PNG, quick compression); ours syncs every file to disk. The peak is the greatest of the turns."
            }
            Self::Start => {
                "Start: as `predict`, with one file and without a heat map. PyTorch's share includes importing torch and torchvision."
            }
        }
    }
}
