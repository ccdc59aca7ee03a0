//! Reading parameters from files, whatever framework wrote them.

use std::error::Error;
use std::io::Read;
use std::path::Path;

use burn::store::{ModuleStore, PytorchStore, bridge};
use burn::tensor::DType;
use ckaad_files::FileError;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::{NamedTensor, NamedTensors, ParameterError};

/// How often a PyTorch file may hold each of its bytes in tensors: tied weights are written once.
const REPEATED: u64 = 16;
/// Greatest size in bytes of a file of parameters; the largest network here has half a gibibyte of them.
pub(crate) const LIMIT: u64 = 8 << 30;
/// What a file of parameters may be.
const ANY_FORMAT: &str = "safetensors or a PyTorch checkpoint";

impl NamedTensors {
    /// Reads every floating-point tensor of a `.safetensors` file or a PyTorch checkpoint (`.pth`, zip or legacy pickle
    /// format). Which one it is, is told by the content, not by the name. Half precision is widened to `f32`; integer
    /// tensors (the `num_batches_tracked` counters) are left out.
    ///
    /// # Errors
    /// [`ParameterError::File`] or [`ParameterError::Read`] naming the file if it is absent, of no known format, damaged, or holds
    /// [a value that no parameter can have](crate::UnusableValue).
    pub fn read(path: &Path) -> Result<Self, ParameterError> {
        let length = length_of(path)?;
        let mut head = [0_u8; 9];
        if length < head.len() as u64 {
            return Err(cannot_read(path, ANY_FORMAT)(format!(
                "it has {length} bytes"
            )));
        }
        let fill = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
        fill.map_err(FileError::io("read the file", path))?;
        // A safetensors file opens with the length of a JSON object; zip and pickle files do not have its brace there.
        let tensors = if head[8] == b'{' {
            read_safetensors(path)?
        } else {
            read_pytorch(path, length)?
        };
        let checked = tensors.check_values();
        checked.map_err(cannot_read(path, "usable weights"))?;
        Ok(tensors)
    }
}

/// The length in bytes of a regular file. Asked before it is opened: opening a named pipe would wait for its other end.
fn length_of(path: &Path) -> Result<u64, FileError> {
    let meta = std::fs::metadata(path).map_err(FileError::io("read the file", path))?;
    match (meta.is_file(), meta.len()) {
        (false, _) => Err(FileError::NotAFile {
            path: path.to_path_buf(),
        }),
        (true, bytes) if bytes > LIMIT => Err(FileError::TooLong {
            path: path.to_path_buf(),
            bytes,
            limit: LIMIT,
        }),
        (true, bytes) => Ok(bytes),
    }
}

fn read_safetensors(path: &Path) -> Result<NamedTensors, ParameterError> {
    let bytes = ckaad_files::read(path, LIMIT)?;
    let file = SafeTensors::deserialize(&bytes).map_err(cannot_read(path, "safetensors"))?;
    Ok(tensors_of(&file))
}

/// The floating-point tensors of a safetensors file.
pub(crate) fn tensors_of(file: &SafeTensors<'_>) -> NamedTensors {
    let mut tensors = NamedTensors::new();
    for (name, view) in file.iter() {
        let data = view.data();
        let values = match view.dtype() {
            Dtype::F32 => widen(data, f32::from_le_bytes),
            Dtype::F64 => widen(data, |b| f64::from_le_bytes(b) as f32),
            Dtype::F16 => widen(data, |b| burn::tensor::f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => widen(data, |b| burn::tensor::bf16::from_le_bytes(b).to_f32()),
            _ => continue,
        };
        let shape = view.shape().to_vec();
        tensors.insert(name, NamedTensor { shape, values });
    }
    tensors
}

fn read_pytorch(path: &Path, length: u64) -> Result<NamedTensors, ParameterError> {
    // Names stay as they are: a list may have gaps, where layers have no parameters.
    let mut store = PytorchStore::from_file(path).map_indices_contiguous(false);
    let found = store
        .get_all_tensors()
        .map_err(cannot_read(path, ANY_FORMAT))?;
    // Values that repeat, by a stride of zero or in many names for one storage, take no room in a file.
    let sizes = found.values().map(|tensor| {
        let values = tensor
            .shape
            .iter()
            .try_fold(tensor.dtype.size() as u64, |size, &side| {
                size.checked_mul(side as u64)
            });
        values.unwrap_or(u64::MAX)
    });
    let bytes = sizes.fold(0_u64, u64::saturating_add);
    if bytes / REPEATED > length {
        let reason = format!("it is {length} bytes long and describes tensors of {bytes} bytes");
        return Err(cannot_read(path, "weights of that size")(reason));
    }
    let mut tensors = NamedTensors::new();
    for (name, tensor) in found {
        if !matches!(
            tensor.dtype,
            DType::F64 | DType::F32 | DType::F16 | DType::BF16
        ) {
            continue;
        }
        let values = bridge::to_data(tensor)
            .map_err(cannot_read(path, name))?
            .convert::<f32>()
            .try_to_vec::<f32>()
            .map_err(cannot_read(path, name))?;
        let shape = tensor.shape.to_vec();
        tensors.insert(name.clone(), NamedTensor { shape, values });
    }
    Ok(tensors)
}

fn widen<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    data.as_chunks::<N>()
        .0
        .iter()
        .map(|&bytes| value(bytes))
        .collect()
}

/// For `map_err`.
fn cannot_read<E: Into<Box<dyn Error + Send + Sync>>>(
    path: &Path,
    what: &str,
) -> impl FnOnce(E) -> ParameterError {
    move |source| ParameterError::Read {
        path: path.to_owned(),
        what: what.to_owned(),
        source: source.into(),
    }
}
