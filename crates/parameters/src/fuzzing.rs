//! Every reader of this crate on plain bytes, for the fuzz targets. Not part of the public interface.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::{NamedTensors, Seal};

/// A function that must return, whatever the bytes; true if they are valid.
pub type Parser = fn(&[u8]) -> bool;

/// Every reader by name.
pub const ALL: [(&str, Parser); 3] = [
    ("safetensors", weights),
    ("pytorch", weights),
    ("sealed", sealed),
];

/// A file of weights: safetensors, or PyTorch's zip or legacy format. Readers of PyTorch's take paths alone, so there is a file of this process
/// for them.
pub fn weights(bytes: &[u8]) -> bool {
    static FILE: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut file = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = file.get_or_insert_with(|| {
        std::env::temp_dir().join(format!("ckaad-fuzzing-{}.weights", std::process::id()))
    });
    std::fs::write(&*path, bytes).is_ok() && NamedTensors::read(path).is_ok()
}

/// A file with a digest, as it is and with the digest that it should have.
pub fn sealed(bytes: &[u8]) -> bool {
    const SEAL: Seal = Seal {
        key: "fuzzing",
        version: 1,
    };
    let _ = SEAL.parse(bytes.to_vec());
    SEAL.parse(SEAL.seal(bytes.to_vec()))
        .is_ok_and(|file| file.info::<serde_json::Value>().is_ok() && file.parameters().is_ok())
}
