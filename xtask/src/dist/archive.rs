//! Archives whose bytes depend on their content alone.

use std::path::{Path, PathBuf};

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// A file in an archive.
pub(super) struct Entry {
    path: PathBuf,
    mode: u32,
    content: Vec<u8>,
}

impl Entry {
    pub(super) fn file(path: impl AsRef<Path>, content: Vec<u8>) -> Self {
        let path = path.as_ref().to_owned();
        let mode = 0o644;
        Self {
            path,
            mode,
            content,
        }
    }

    pub(super) fn program(path: impl AsRef<Path>, content: Vec<u8>) -> Self {
        Self {
            mode: 0o755,
            ..Self::file(path, content)
        }
    }
}

/// A compressed tar archive of one folder: in the order of paths, without times and owners.
pub(super) fn pack(folder: &str, entries: &[Entry]) -> anyhow::Result<Vec<u8>> {
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by(|a, b| a.path.cmp(&b.path));
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for entry in order {
        let mut header = tar::Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_size(entry.content.len() as u64);
        let path = Path::new(folder).join(&entry.path);
        archive
            .append_data(&mut header, &path, entry.content.as_slice())
            .with_context(|| format!("cannot pack {}", path.display()))?;
    }
    Ok(archive.into_inner()?.finish()?)
}

/// The SHA-256 in hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
