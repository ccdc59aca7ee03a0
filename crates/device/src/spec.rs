use std::fmt;
use std::str::FromStr;

#[cfg(any(
    feature = "cuda",
    feature = "wgpu",
    feature = "vulkan",
    feature = "metal"
))]
use burn::tensor::DeviceType;

use crate::Device;

/// A device as a user names it: `cpu`, `cuda`, `cuda:1`, `wgpu`, `wgpu:0`, `vulkan`, `metal`. Without a number it is the
/// first of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceSpec {
    /// The CPU.
    Cpu,
    /// An NVIDIA GPU through CUDA.
    Cuda(usize),
    /// A GPU through the graphics interface that wgpu picks.
    Wgpu(usize),
    /// A GPU through Vulkan.
    Vulkan(usize),
    /// A GPU through Metal.
    Metal(usize),
}

/// Why a device cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The text names no kind of device.
    #[error("\"{text}\" names no device; {KINDS}")]
    Unknown {
        /// What was asked for.
        text: String,
    },
    /// This binary was built without the kind of device.
    #[error(
        "this build cannot use {spec}, but {}; {}",
        list(available),
        rebuild(feature)
    )]
    NotCompiled {
        /// What was asked for.
        spec: DeviceSpec,
        /// The Cargo feature that adds it.
        feature: &'static str,
        /// What is there instead.
        available: Vec<DeviceSpec>,
    },
    /// The machine has no such device.
    #[error("there is no device {spec} on this machine; {}", choose(available))]
    Absent {
        /// What was asked for.
        spec: DeviceSpec,
        /// What is there instead.
        available: Vec<DeviceSpec>,
    },
}

const KINDS: &str = "use cpu, cuda[:N], wgpu[:N], vulkan[:N] or metal[:N]";

fn rebuild(feature: &str) -> String {
    format!("build it with `--features {feature}`")
}

fn choose(available: &[DeviceSpec]) -> String {
    format!("choose one of: {}", list(available))
}

impl DeviceError {
    /// What to do. The message ends with it, after `; `.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => KINDS.to_owned(),
            Self::NotCompiled { feature, .. } => rebuild(feature),
            Self::Absent { available, .. } => choose(available),
        }
    }
}

fn list(devices: &[DeviceSpec]) -> String {
    let names: Vec<String> = devices.iter().map(DeviceSpec::to_string).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Every device that this build can use on this machine, the fastest kind first and the CPU last.
pub fn available() -> Vec<DeviceSpec> {
    let kinds: [fn(usize) -> DeviceSpec; 4] = [
        DeviceSpec::Cuda,
        DeviceSpec::Metal,
        DeviceSpec::Vulkan,
        DeviceSpec::Wgpu,
    ];
    let mut devices = Vec::new();
    for kind in kinds {
        let count = kind(0).enumerate().map_or(0, |found| found.len());
        devices.extend((0..count).map(kind));
    }
    if cfg!(feature = "flex") {
        devices.push(DeviceSpec::Cpu);
    }
    devices
}

impl DeviceSpec {
    /// The device itself, on which tensors track no gradients.
    ///
    /// Opening the CPU keeps each thread of rayon's pool on a core of its own, where it has as many threads as this process may use cores and
    /// the environment variable `CKAAD_PIN_THREADS` is not 0: threads that are woken after a rest would share a core for a while.
    ///
    /// # Errors
    /// [`DeviceError::NotCompiled`] if this build lacks the backend, [`DeviceError::Absent`] if the machine lacks the
    /// device; both list what is there.
    pub fn open(self) -> Result<Device, DeviceError> {
        let Some(found) = self.enumerate() else {
            return Err(DeviceError::NotCompiled {
                spec: self,
                feature: self.feature(),
                available: available(),
            });
        };
        #[cfg(feature = "flex")]
        if self == Self::Cpu {
            crate::threads::spread();
        }
        found
            .into_iter()
            .nth(self.index())
            .ok_or_else(|| DeviceError::Absent {
                spec: self,
                available: available(),
            })
    }

    /// The devices of this kind, or `None` if the build lacks the backend.
    fn enumerate(self) -> Option<Vec<Device>> {
        match self {
            #[cfg(feature = "flex")]
            Self::Cpu => Some(vec![crate::cpu()]),
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => {
                let count = Device::enumerate(DeviceType::Cuda).into_vec().len();
                Some(
                    (0..count)
                        .map(|index| Device::new(burn_cuda::CudaDevice::new(index)))
                        .collect(),
                )
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) => Some(wgpu_devices(DeviceType::Wgpu)),
            #[cfg(feature = "vulkan")]
            Self::Vulkan(_) => Some(wgpu_devices(DeviceType::Vulkan)),
            #[cfg(feature = "metal")]
            Self::Metal(_) => Some(wgpu_devices(DeviceType::Metal)),
            #[allow(
                unreachable_patterns,
                reason = "reached unless every backend is compiled in"
            )]
            _ => None,
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Cpu => 0,
            Self::Cuda(index) | Self::Wgpu(index) | Self::Vulkan(index) | Self::Metal(index) => {
                index
            }
        }
    }

    fn feature(self) -> &'static str {
        match self {
            Self::Cpu => "flex",
            Self::Cuda(_) => "cuda",
            Self::Wgpu(_) => "wgpu",
            Self::Vulkan(_) => "vulkan",
            Self::Metal(_) => "metal",
        }
    }
}

/// The adapters of a wgpu device type. The enumeration yields an alias of the best adapter too, which is dropped.
#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "metal"))]
fn wgpu_devices(kind: DeviceType) -> Vec<Device> {
    let default = Device::new(burn_wgpu::WgpuDevice::default());
    let mut devices = Device::enumerate(kind).into_vec();
    devices.retain(|device| *device != default);
    devices
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Wgpu(index) => write!(f, "wgpu:{index}"),
            Self::Vulkan(index) => write!(f, "vulkan:{index}"),
            Self::Metal(index) => write!(f, "metal:{index}"),
        }
    }
}

impl FromStr for DeviceSpec {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || DeviceError::Unknown {
            text: text.to_owned(),
        };
        let (kind, index) = match text.split_once(':') {
            Some((kind, index)) => (kind, Some(index.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (kind, index) {
            ("cpu", None) => Ok(Self::Cpu),
            ("cuda", index) => Ok(Self::Cuda(index.unwrap_or(0))),
            ("wgpu", index) => Ok(Self::Wgpu(index.unwrap_or(0))),
            ("vulkan", index) => Ok(Self::Vulkan(index.unwrap_or(0))),
            ("metal", index) => Ok(Self::Metal(index.unwrap_or(0))),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_round_trip() {
        for text in ["cpu", "cuda:0", "cuda:3", "wgpu:1", "vulkan:0", "metal:0"] {
            assert_eq!(text.parse::<DeviceSpec>().unwrap().to_string(), text);
        }
        assert_eq!("cuda".parse::<DeviceSpec>().unwrap(), DeviceSpec::Cuda(0));
        for text in ["", "gpu", "cpu:1", "cuda:x", "cuda:-1"] {
            assert!(text.parse::<DeviceSpec>().is_err(), "{text}");
        }
    }

    #[cfg(feature = "flex")]
    #[test]
    fn an_unavailable_device_lists_what_is_there() {
        let error = DeviceSpec::Cuda(99).open().unwrap_err().to_string();
        assert!(
            error.contains("cuda:99") && error.contains("cpu"),
            "{error}"
        );
        assert!(DeviceSpec::Cpu.open().is_ok());
    }
}
