//! Files that vouch for themselves: safetensors files with a version, and a digest over everything in them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use ckaad_files::FileError;
use safetensors::tensor::{View, serialize};
use safetensors::{SafeTensorError, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::read::{LIMIT, tensors_of};
use crate::{NamedTensors, UnusableValue};

/// Characters of a digest in hexadecimal.
const DIGEST: usize = 64;
/// Bytes before a safetensors header: its length.
const LENGTH: usize = 8;

/// A kind of file: safetensors whose only metadata entry is a JSON object of the fields `sha256`, `version` and `info`.
///
/// The digest is of the whole file but for its own 64 characters, which makes it differ after any change anywhere. In Python:
///
/// ```python
/// data = open("model.safetensors", "rb").read()
/// at = data.index(b'\\"sha256\\":\\"') + 13
/// assert hashlib.sha256(data[:at] + data[at + 64:]).hexdigest() == data[at:at + 64].decode()
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Seal {
    /// Name of the metadata entry.
    pub key: &'static str,
    /// Version of what is in the file; raised whenever older programs could not read it correctly.
    pub version: u32,
}

/// What the metadata entry holds.
#[derive(Serialize, Deserialize)]
struct Entry<I> {
    sha256: String,
    version: u32,
    info: I,
}

/// The part of an entry that stays the same in all versions.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// Why a sealed file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no safetensors file, or its header does not describe what follows: extents, offsets and length are compared before
    /// anything is made from them.
    #[error("it is damaged, or of another format: {0}; {RESTORE}")]
    Format(#[from] SafeTensorError),
    /// It has no such metadata entry.
    #[error("this program did not write it, or wrote it as something else; {RIGHT_FILE}")]
    Foreign,
    /// Another version of the program wrote it.
    #[error("its format version is {found}, this program reads {reads}; {OTHER_PROGRAM}")]
    Version {
        /// That of the file.
        found: u32,
        /// The only one that is read.
        reads: u32,
    },
    /// The digest is not that of the contents.
    #[error("its contents do not match the digest in it: it is damaged; {RESTORE}")]
    Damaged,
    /// The entry does not hold what it should.
    #[error("its description cannot be read: {0}; {OTHER_PROGRAM}")]
    Info(#[from] serde_json::Error),
    /// A parameter holds a value that none can have.
    #[error("{0}; {RESTORE}")]
    Value(#[from] UnusableValue),
}

const OTHER_PROGRAM: &str = "use the program that wrote it, or train again";
const RESTORE: &str = "restore it from a copy, or train again";
const RIGHT_FILE: &str = "name another file, or put the right one in its place";

impl SealError {
    /// What to do. The message ends with it, after `; `; that of a file that cannot be read has none.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => None,
            Self::Foreign => Some(RIGHT_FILE),
            Self::Version { .. } | Self::Info(_) => Some(OTHER_PROGRAM),
            Self::Format(_) | Self::Damaged | Self::Value(_) => Some(RESTORE),
        }
    }
}

impl Seal {
    /// The bytes of such a file.
    ///
    /// # Errors
    /// [`SealError::Info`] or [`SealError::Format`] if `info` or the tensors cannot be put in bytes.
    pub fn to_bytes<'a, I: Serialize>(
        &self,
        tensors: impl IntoIterator<Item = (&'a str, impl View)>,
        info: &I,
    ) -> Result<Vec<u8>, SealError> {
        let entry = serde_json::to_string(&Entry {
            sha256: "0".repeat(DIGEST),
            version: self.version,
            info,
        })?;
        let metadata = HashMap::from([(self.key.to_owned(), entry)]);
        Ok(self.seal(serialize(tensors, Some(metadata))?))
    }

    /// Puts the digest of such a file in its place, if there is room for one. With it somebody who is no program of ours can make a file
    /// that passes for whole; what it holds is checked all the same.
    #[doc(hidden)]
    pub fn seal(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let at = LENGTH + self.opening().len();
        if let Some(digest) = digest(&bytes, at) {
            bytes[at..at + DIGEST].copy_from_slice(digest.as_bytes());
        }
        bytes
    }

    /// Reads such a file, and makes sure that it is as it was written.
    ///
    /// # Errors
    /// All but [`SealError::Value`].
    pub fn read(&self, path: &Path) -> Result<Sealed, SealError> {
        self.parse(ckaad_files::read(path, LIMIT)?)
    }

    /// [`read`](Self::read) from bytes.
    ///
    /// # Errors
    /// As [`read`](Self::read), without `File`.
    pub fn parse(&self, bytes: Vec<u8>) -> Result<Sealed, SealError> {
        let (_, header) = SafeTensors::read_metadata(&bytes)?;
        let metadata = header.metadata().as_ref();
        let entry = metadata.and_then(|entries| entries.get(self.key));
        let entry = entry.ok_or(SealError::Foreign)?.clone();
        let opening = self.opening();
        let at = LENGTH + opening.len();
        let is_sealed = bytes[LENGTH..].starts_with(opening.as_bytes());
        let is_whole = is_sealed
            && digest(&bytes, at)
                .is_some_and(|digest| &bytes[at..at + DIGEST] == digest.as_bytes());
        if is_sealed && !is_whole {
            return Err(SealError::Damaged);
        }
        let VersionOnly { version: found } = serde_json::from_str(&entry)?;
        if found != self.version {
            let reads = self.version;
            return Err(SealError::Version { found, reads });
        }
        match is_whole {
            true => Ok(Sealed { bytes, entry }),
            false => Err(SealError::Damaged),
        }
    }

    /// How the header begins, up to the digest.
    fn opening(&self) -> String {
        format!(r#"{{"__metadata__":{{"{}":"{{\"sha256\":\""#, self.key)
    }
}

/// The digest of all bytes but those that hold it, from `at`; none if there is no room for it.
fn digest(bytes: &[u8], at: usize) -> Option<String> {
    let before = bytes.get(..at)?;
    let after = bytes.get(at + DIGEST..)?;
    let digest = Sha256::new().chain_update(before).chain_update(after);
    let mut hex = String::with_capacity(DIGEST);
    for byte in digest.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Some(hex)
}

/// The contents of a file that was found whole.
#[derive(Debug)]
pub struct Sealed {
    bytes: Vec<u8>,
    entry: String,
}

impl Sealed {
    /// What the file says besides its tensors.
    ///
    /// # Errors
    /// [`SealError::Info`] if that is something else.
    pub fn info<I: DeserializeOwned>(&self) -> Result<I, SealError> {
        let Entry { info, .. } = serde_json::from_str(&self.entry)?;
        Ok(info)
    }

    /// The tensors as they lie in the file.
    ///
    /// # Errors
    /// [`SealError::Format`]; cannot be after [`Seal::read`].
    pub fn tensors(&self) -> Result<SafeTensors<'_>, SealError> {
        Ok(SafeTensors::deserialize(&self.bytes)?)
    }

    /// The floating-point tensors as parameters.
    ///
    /// # Errors
    /// [`SealError::Value`] if one holds a value that no parameter can have.
    pub fn parameters(&self) -> Result<NamedTensors, SealError> {
        let parameters = tensors_of(&self.tensors()?);
        parameters.check_values()?;
        Ok(parameters)
    }
}
