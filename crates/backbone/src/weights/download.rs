//! Downloading a published file: streamed, checked, and put in place in one step.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;
use ureq::Proxy;
use ureq::http::Uri;

use super::published::BASE_URL;
use super::sha256::Hasher;
use super::{Published, WeightsError};

/// A part file that nobody has written to for this long belongs to a download that was killed.
const ABANDONED_AFTER: Duration = Duration::from_secs(60 * 60);

/// How a download is made.
///
/// The proxy of the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, except for hosts in `NO_PROXY`) is used, but
/// never for a server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadOptions {
    /// Folder address, without a final slash, below which the published file names are found. An `https` address is
    /// never left for an `http` one, whatever redirection the server sends.
    pub base_url: String,
    /// Longest wait for a connection; default 15 s.
    pub connect_timeout: Duration,
    /// Longest wait for the next bytes of a connected server; default 30 s. The download as a whole may take longer.
    pub stall_timeout: Duration,
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.to_owned(),
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(30),
        }
    }
}

impl DownloadOptions {
    fn agent(&self) -> ureq::Agent {
        let on_this_machine = self
            .base_url
            .parse::<Uri>()
            .is_ok_and(|uri| matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]")));
        ureq::Agent::config_builder()
            .https_only(self.base_url.starts_with("https:"))
            .proxy(if on_this_machine {
                None
            } else {
                Proxy::try_from_env()
            })
            .timeout_resolve(Some(self.connect_timeout))
            .timeout_connect(Some(self.connect_timeout))
            .timeout_per_read(Some(self.stall_timeout))
            .timeout_per_write(Some(self.stall_timeout))
            .user_agent(concat!("ckaad/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent()
    }

    /// Names the address in an error of the connection.
    fn error(&self, url: &str, error: ureq::Error) -> WeightsError {
        let url = url.to_owned();
        match error {
            ureq::Error::StatusCode(status) => WeightsError::Status { url, status },
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                WeightsError::Timeout {
                    url,
                    limit: self.connect_timeout,
                }
            }
            ureq::Error::Timeout(_) => WeightsError::Timeout {
                url,
                limit: self.stall_timeout,
            },
            source => WeightsError::Network {
                url,
                source: Box::new(source),
            },
        }
    }
}

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes received so far.
    pub bytes: u64,
    /// Bytes of the whole file, if the server announced them.
    pub total: Option<u64>,
}

/// Downloads `file` to `target`, making its folder if need be.
///
/// The bytes go to a temporary file beside `target`, which takes the place of `target` only when it is complete, checked
/// and on the disk; on failure it is removed.
pub(super) fn download(
    file: &Published,
    target: &Path,
    progress: &mut dyn FnMut(Progress),
    options: &DownloadOptions,
) -> Result<(), WeightsError> {
    let url = format!("{}/{}", options.base_url, file.file_name);
    let response = options
        .agent()
        .get(&url)
        .call()
        .map_err(|error| options.error(&url, error))?;
    let total = response.body().content_length();
    let mut body = response.into_body().into_reader();

    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(WeightsError::io(folder, "make the folder"))?;
    let mut part = part_file(folder, file.file_name)?;

    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let count = match body.read(&mut buffer) {
            Ok(count) => count,
            // A connection that closes early; the check against the announced length follows the loop.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && total.is_some() => 0,
            Err(error) => return Err(options.error(&url, error.into())),
        };
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        part.write_all(&buffer[..count])
            .map_err(WeightsError::io(part.path(), "write the file"))?;
        bytes += count as u64;
        progress(Progress { bytes, total });
    }

    if let Some(expected) = total.filter(|&total| total != bytes) {
        return Err(WeightsError::Truncated {
            url,
            received: bytes,
            expected,
        });
    }
    let actual = hasher.finish();
    if !actual.starts_with(file.sha256_prefix) {
        return Err(WeightsError::HashMismatch {
            url,
            expected: file.sha256_prefix,
            actual,
        });
    }
    part.as_file()
        .sync_all()
        .map_err(WeightsError::io(part.path(), "write the file"))?;
    part.persist(target)
        .map_err(|error| WeightsError::io(target, "put the file in place")(error.error))?;
    sync_folder(folder)
}

/// A new temporary file in `folder`. Those that killed downloads of the same file left there are removed; one that
/// another process is still writing to is left alone.
fn part_file(folder: &Path, file_name: &str) -> Result<NamedTempFile, WeightsError> {
    let (prefix, suffix) = (format!(".{file_name}."), ".part");
    for entry in fs::read_dir(folder)
        .map_err(WeightsError::io(folder, "list the folder"))?
        .flatten()
    {
        let name = entry.file_name();
        let is_part = name
            .to_str()
            .is_some_and(|name| name.starts_with(&prefix) && name.ends_with(suffix));
        let age = entry
            .metadata()
            .and_then(|data| data.modified())
            .map(|time| time.elapsed().unwrap_or_default());
        if is_part && age.is_ok_and(|age| age > ABANDONED_AFTER) {
            // Only saves room, so a failure is no reason to stop.
            let _ = fs::remove_file(entry.path());
        }
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
        .prefix(&prefix)
        .suffix(suffix)
        .tempfile_in(folder)
        .map_err(WeightsError::io(folder, "make a file in the folder"))
}

/// Makes a rename in `folder` last through a crash.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), WeightsError> {
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(WeightsError::io(folder, "write the folder"))
}

/// Folders cannot be synced here; the file system's journal has to do.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), WeightsError> {
    Ok(())
}
