//! Where both sides compute, and how exactly.

use std::fmt;

use crate::precision::Precision;

#[derive(Debug, clap::Args)]
pub(super) struct Computing {
    /// Where both sides compute, as in `ckaad --device`; PyTorch knows cpu and cuda. Other devices than cpu are for the parts
    /// infer and step.
    #[arg(long, default_value = "cpu")]
    pub(super) device: String,
    /// How exactly all sides multiply; other precisions than f32 are for the parts infer, step and epoch, and take our own side in f32 as a peer.
    #[arg(long, value_enum, default_value_t)]
    pub(super) precision: Precision,
}

impl Computing {
    /// Whether the goals are meant for it.
    pub(super) fn is_usual(&self) -> bool {
        self.device == "cpu" && self.precision == Precision::F32
    }

    /// The kind of device, without its number.
    pub(super) fn kind(&self) -> &str {
        self.device
            .split_once(':')
            .map_or(self.device.as_str(), |(kind, _)| kind)
    }

    /// Whether PyTorch's side can compute there.
    pub(super) fn has_pytorch(&self) -> bool {
        matches!(self.kind(), "cpu" | "cuda")
    }

    /// Turns that are not counted before those that are: GPU backends time their kernels in the first ones to choose among them.
    pub(super) fn warm_up(&self) -> usize {
        if self.kind() == "cpu" { 1 } else { 10 }
    }
}

impl fmt::Display for Computing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.device.replace(':', ""), self.precision)
    }
}
