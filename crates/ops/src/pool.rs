//! Whole networks on the threads that their loops run on.

use burn::tensor::Device;

/// Runs `work` of many layers where its loops start without being handed over, one by one: for the CPU on a thread of rayon's pool, for other
/// devices here.
pub fn in_pool<R: Send>(device: &Device, work: impl FnOnce() -> R + Send) -> R {
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "flex")]
        burn::backend::DispatchDevice::Flex(_) => rayon::scope(|_| work()),
        _ => work(),
    }
}
